/* SPDX-License-Identifier: MIT */
/*
 * One address type for both families: prefixes against bit by bit, and the ways from and to
 * the public forms.
 */
#include "base/rng.h"
#include "world.h"

#include <string.h>

static bool bit_of(const struct ip_addr *a, unsigned i)
{
	return a->octet[i / 8] >> (7 - i % 8) & 1;
}

static struct ip_addr random_addr(struct rng *rng)
{
	struct ip_addr a;
	for (size_t i = 0; i < sizeof(a.octet); i++)
		a.octet[i] = (uint8_t)rng_u64(rng);
	return a;
}

static void prefixes_are_counted_bit_by_bit(void **state)
{
	struct rng rng;
	(void)state;
	rng_init(&rng, test_seed());
	for (unsigned run = 0; run < 5000; run++) {
		struct ip_addr a = random_addr(&rng), b = a;
		unsigned bits = (unsigned)rng_below(&rng, 129), common = 0;
		if (rng_below(&rng, 10) > 0)
			b.octet[rng_below(&rng, 16)] ^= (uint8_t)rng_u64(&rng);
		while (common < 128 && bit_of(&a, common) == bit_of(&b, common))
			common++;
		assert_int_equal(addr_common_bits(&a, &b), common);
		assert_int_equal(addr_is_in(&a, &b, bits), common >= bits);
		struct ip_addr masked = addr_mask(&a, bits);
		for (unsigned i = 0; i < 128; i++)
			assert_int_equal(bit_of(&masked, i), i < bits && bit_of(&a, i));
	}
}

static void says_what_an_address_is(void **state)
{
	static const struct {
		const char *name;
		bool is_ip4, unspecified, multicast, broadcast, loopback, link_local;
	} cases[] = {
		{ "0.0.0.0", true, true, false, false, false, false },
		{ "::", false, true, false, false, false, false },
		{ "10.0.0.1", true, false, false, false, false, false },
		{ "224.0.0.1", true, false, true, false, false, false },
		{ "239.255.255.255", true, false, true, false, false, false },
		{ "240.0.0.1", true, false, false, false, false, false },
		{ "255.255.255.255", true, false, false, true, false, false },
		{ "127.255.0.1", true, false, false, false, true, false },
		{ "169.254.9.9", true, false, false, false, false, true },
		{ "::1", false, false, false, false, true, false },
		{ "fe80::1", false, false, false, false, false, true },
		{ "febf::1", false, false, false, false, false, true },
		{ "fec0::1", false, false, false, false, false, false },
		{ "ff02::1", false, false, true, false, false, false },
		{ "2001:db8::1", false, false, false, false, false, false },
		/* IPv4-compatible, which nobody uses, is not IPv4. */
		{ "::10.0.0.1", false, false, false, false, false, false },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ip_addr a = addr(cases[i].name);
		assert_int_equal(addr_is_ip4(&a), cases[i].is_ip4);
		assert_int_equal(addr_is_unspecified(&a), cases[i].unspecified);
		assert_int_equal(addr_is_multicast(&a), cases[i].multicast);
		assert_int_equal(addr_is_limited_broadcast(&a), cases[i].broadcast);
		assert_int_equal(addr_is_loopback(&a), cases[i].loopback);
		assert_int_equal(addr_is_link_local(&a), cases[i].link_local);
	}
}

static void public_forms_come_back(void **state)
{
	static const char *const names[] = { "10.1.2.3",    "10.1.2.0/24",   "0.0.0.0/0",
					     "2001:db8::1", "2001:db8::/32", "::/0" };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct weft_ip there = ip(names[i]), back;
		struct ip_addr a;
		unsigned bits;
		assert_true(addr_of_ip(&there, &a, &bits));
		back = addr_to_ip(&a, bits);
		assert_string_equal(text(&back), names[i]);
	}
	const struct weft_ip bad[] = { { .family = 0 },
				       { .family = AF_INET, .prefix = 33 },
				       { .family = AF_INET6, .prefix = 129 },
				       /* IPv4 that says it is IPv6. */
				       { .family = AF_INET6,
					 .prefix = 128,
					 .octet = {
						 [10] = 0xff, [11] = 0xff, [15] = 1 } } };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct ip_addr a;
		unsigned bits;
		assert_false(addr_of_ip(&bad[i], &a, &bits));
	}
}

static void socket_addresses_come_back(void **state)
{
	struct ip_addr a = addr("fe80::7"), b = addr("10.1.2.3"), c = addr("2001:db8::1"),
		       back;
	uint16_t port;
	(void)state;
	union weft_sockaddr sa = addr_to_sockaddr(&a, 4242, 3);
	assert_int_equal(sa.in6.sin6_scope_id, 3);
	assert_true(addr_of_sockaddr(&sa, &back, &port));
	assert_true(addr_equal(&a, &back) && port == 4242);
	sa = addr_to_sockaddr(&b, 7, 3);
	assert_int_equal(sa.sa.sa_family, AF_INET);
	assert_true(addr_of_sockaddr(&sa, &back, &port));
	assert_true(addr_equal(&b, &back) && port == 7);
	/* A scope is for link-local addresses only. */
	sa = addr_to_sockaddr(&c, 7, 3);
	assert_int_equal(sa.in6.sin6_scope_id, 0);
	sa.sa.sa_family = AF_UNIX;
	assert_false(addr_of_sockaddr(&sa, &back, &port));
}

static void groups_are_heard_at_their_macs(void **state)
{
	struct ip_addr host = addr("2001:db8::12:3456"),
		       group = addr_solicited_node(&host);
	struct ip_addr expected = addr("ff02::1:ff12:3456");
	struct ip_addr group4 = addr("239.129.2.3");
	struct weft_mac six = iface_group_mac(&group), four = iface_group_mac(&group4);
	(void)state;
	assert_true(addr_equal(&group, &expected));
	assert_memory_equal(six.octet, "\x33\x33\xff\x12\x34\x56", 6);
	assert_memory_equal(four.octet, "\x01\x00\x5e\x01\x02\x03", 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes_are_counted_bit_by_bit),
		cmocka_unit_test(says_what_an_address_is),
		cmocka_unit_test(public_forms_come_back),
		cmocka_unit_test(socket_addresses_come_back),
		cmocka_unit_test(groups_are_heard_at_their_macs),
	};
	return cmocka_run_group_tests_name("addr", tests, NULL, NULL);
}
