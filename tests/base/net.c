/* SPDX-License-Identifier: MIT */
/*
 * Networks by examples, at the prefixes where an octet, a family or a rule ends.
 */
#include "base/net.h"

#include "../unit.h"

#include <netinet/in.h>
#include <string.h>

static struct weft_ip ip(const char *text)
{
	struct weft_ip ip;
	assert_int_equal(weft_ip_parse(text, &ip), 0);
	return ip;
}

static bool contains(const char *outer, const char *inner)
{
	const struct weft_ip a = ip(outer), b = ip(inner);
	return net_contains(&a, &b);
}

static void a_network_has_no_host_bits(void **state)
{
	static const struct {
		const char *ip, *net;
	} cases[] = { { "10.1.2.3/8", "10.0.0.0/8" },
		      { "10.1.255.3/17", "10.1.128.0/17" },
		      { "10.1.2.3/32", "10.1.2.3/32" },
		      { "10.1.2.3/0", "0.0.0.0/0" },
		      { "fd00:1:ffff::1/47", "fd00:1:fffe::/47" },
		      { "fd00::1/128", "fd00::1/128" } };
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct weft_ip given = ip(cases[i].ip), net = net_of(&given);
		const struct weft_ip expected = ip(cases[i].net);
		assert_true(net_is_same(&net, &expected));
		assert_true(net_is_network(&net));
		assert_int_equal(net_is_network(&given), net_is_same(&given, &expected));
	}
}

static void a_network_contains_its_part_and_not_the_whole(void **state)
{
	(void)state;
	assert_true(contains("10.0.0.0/8", "10.255.0.0/16"));
	assert_true(contains("10.0.0.0/8", "10.0.0.0/8"));
	assert_false(contains("10.0.0.0/9", "10.0.0.0/8"));
	assert_false(contains("10.0.0.0/9", "10.128.0.1"));
	assert_true(contains("0.0.0.0/0", "10.128.0.1"));
	assert_false(contains("0.0.0.0/0", "fd00::1"));
	assert_true(contains("fd00::/7", "fdff::1"));
}

/* Point-to-point links have none (RFC 3021). */
static void a_broadcast_address_is_all_ones(void **state)
{
	(void)state;
	static const char *const are[] = { "10.1.2.255/24", "10.1.127.255/17",
					   "10.1.2.3/30" },
				 *const are_not[] = { "10.1.2.254/24", "10.1.2.255/16",
						      "10.1.2.3/31", "10.1.2.3/32",
						      "fd00::ffff/112" };
	for (size_t i = 0; i < sizeof(are) / sizeof(are[0]); i++) {
		const struct weft_ip given = ip(are[i]);
		assert_true(net_is_broadcast(&given));
	}
	for (size_t i = 0; i < sizeof(are_not) / sizeof(are_not[0]); i++) {
		const struct weft_ip given = ip(are_not[i]);
		assert_false(net_is_broadcast(&given));
	}
}

static void not_every_address_is_a_machines(void **state)
{
	(void)state;
	static const char *const can[] = { "10.0.0.1", "169.254.0.1", "fe80::1",
					   "2001:db8::1" },
				 *const cannot[] = { "0.0.0.0",   "127.0.0.1",
						     "224.0.0.1", "255.255.255.255",
						     "::",        "::1",
						     "ff02::1" };
	for (size_t i = 0; i < sizeof(can) / sizeof(can[0]); i++) {
		const struct weft_ip given = ip(can[i]);
		assert_true(net_is_usable(&given));
	}
	for (size_t i = 0; i < sizeof(cannot) / sizeof(cannot[0]); i++) {
		const struct weft_ip given = ip(cannot[i]);
		assert_false(net_is_usable(&given));
	}
}

static void a_sockets_address_is_ipv4_in_ipv6s_clothes_too(void **state)
{
	union weft_sockaddr addr = { .in6 = { .sin6_family = AF_INET6 } };
	(void)state;
	memcpy(&addr.in6.sin6_addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\x00\x00\x01", 16);
	const struct weft_ip plain = net_address(&addr), expected = ip("10.0.0.1");
	assert_true(net_is_same(&plain, &expected));
	addr = (union weft_sockaddr){ 0 };
	assert_int_equal(net_address(&addr).family, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_network_has_no_host_bits),
		cmocka_unit_test(a_network_contains_its_part_and_not_the_whole),
		cmocka_unit_test(a_broadcast_address_is_all_ones),
		cmocka_unit_test(not_every_address_is_a_machines),
		cmocka_unit_test(a_sockets_address_is_ipv4_in_ipv6s_clothes_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
