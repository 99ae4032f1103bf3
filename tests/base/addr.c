/* SPDX-License-Identifier: MIT */
/*
 * Addresses from text and back. Each table row is a text and what it must become; what must
 * be refused has a list of its own.
 */
#include "../unit.h"
#include "base/array.h"
#include "base/mac.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static void mac_parses_both_dividers(void **state)
{
	(void)state;
	char text[WEFT_MAC_TEXT];
	struct weft_mac mac;
	assert_int_equal(weft_mac_parse("02:00:5e:10:AB:ff", &mac), 0);
	assert_string_equal(weft_mac_print(mac, text), "02:00:5e:10:ab:ff");
	struct weft_mac other;
	assert_int_equal(weft_mac_parse("02-00-5E-10-AB-FF", &other), 0);
	assert_true(mac_equal(mac, other));
}

static void mac_refuses(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"02:00:5e:10:ab",
		"02:00:5e:10:ab:ff:",
		"02:00:5e:10:ab:ff:01",
		"02:00-5e:10:ab:ff",
		"2:0:5e:10:ab:ff",
		"02005e10abff",
		"02:00:5g:10:ab:ff",
		" 02:00:5e:10:ab:f",
		"02.00.5e.10.ab.ff",
	};
	struct weft_mac mac;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (weft_mac_parse(bad[i], &mac) != -EINVAL)
			fail_msg("took \"%s\"", bad[i]);
}

static void mac_kinds(void **state)
{
	(void)state;
	const struct weft_mac zero = { { 0 } };
	const struct weft_mac broadcast = mac_from_u64(0xffffffffffff);
	const struct weft_mac multicast = mac_from_u64(0x01005e000001);
	const struct weft_mac local = mac_from_u64(0x020000000001);
	const struct weft_mac maker = mac_from_u64(0x001122334455);
	assert_true(mac_is_zero(zero) && !mac_is_zero(local));
	assert_true(mac_is_broadcast(broadcast) && !mac_is_broadcast(multicast));
	assert_true(mac_is_group(broadcast) && mac_is_group(multicast));
	assert_false(mac_is_group(local) || mac_is_group(zero));
	assert_true(mac_is_local(local) && !mac_is_local(maker));
	assert_int_equal(mac_to_u64(maker), 0x001122334455);
	const uint8_t bytes[] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66 };
	assert_true(mac_equal(mac_load(bytes), maker));
	uint8_t out[MAC_LEN];
	mac_store(out, maker);
	assert_memory_equal(out, bytes, MAC_LEN);
}

static void ip_round_trip(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint8_t family, prefix;
		const char *printed; /* NULL: as it came. */
	} rows[] = {
		{ "192.0.2.1", AF_INET, 32, NULL },
		{ "192.0.2.1/24", AF_INET, 24, NULL },
		{ "0.0.0.0/0", AF_INET, 0, NULL },
		{ "192.0.2.1/32", AF_INET, 32, "192.0.2.1" },
		{ "2001:db8::1", AF_INET6, 128, NULL },
		{ "2001:db8::/32", AF_INET6, 32, NULL },
		{ "::/0", AF_INET6, 0, NULL },
		{ "2001:DB8:0:0::1/128", AF_INET6, 128, "2001:db8::1" },
		{ "::ffff:192.0.2.1/96", AF_INET6, 96, NULL },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct weft_ip ip;
		char text[WEFT_IP_TEXT];
		assert_int_equal(weft_ip_parse(rows[i].text, &ip), 0);
		assert_int_equal(ip.family, rows[i].family);
		assert_int_equal(ip.prefix, rows[i].prefix);
		assert_string_equal(weft_ip_print(&ip, text),
				    rows[i].printed ? rows[i].printed : rows[i].text);
	}
}

static void ip_refuses(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"192.0.2",
		"192.0.2.256",
		"192.0.2.1/33",
		"192.0.2.1/",
		"192.0.2.1/-1",
		"192.0.2.1/ 8",
		"192.0.2.1/8x",
		"2001:db8::g",
		"::/129",
		"::1/64/64",
		"/24",
		" 192.0.2.1",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb",
	};
	struct weft_ip ip;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (weft_ip_parse(bad[i], &ip) != -EINVAL)
			fail_msg("took \"%s\"", bad[i]);
	char text[WEFT_IP_TEXT];
	const struct weft_ip none = { 0 };
	assert_string_equal(weft_ip_print(&none, text), "none");
}

static void hostport_forms(void **state)
{
	(void)state;
	static const struct {
		const char *text, *host;
		uint16_t port;
	} rows[] = {
		{ "relay.example", "relay.example", 443 },
		{ "relay.example:1", "relay.example", 1 },
		{ "192.0.2.1:65535", "192.0.2.1", 65535 },
		{ "[2001:db8::1]", "2001:db8::1", 443 },
		{ "[2001:db8::1]:8443", "2001:db8::1", 8443 },
		{ "2001:db8::1", "2001:db8::1", 443 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char host[40];
		uint16_t port;
		assert_int_equal(
			weft_hostport_parse(rows[i].text, 443, host, sizeof(host), &port),
			0);
		assert_string_equal(host, rows[i].host);
		assert_int_equal(port, rows[i].port);
	}
}

static void hostport_refuses(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		":443",
		"host:",
		"host:0",
		"host:65536",
		"host:x",
		"host:4 ",
		"[::1",
		"[::1]443",
		"[]:443",
		"[::1]:",
		"host:+1",
		"a-name-that-does-not-fit-into-sixteen",
	};
	char host[16];
	uint16_t port;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (weft_hostport_parse(bad[i], 443, host, sizeof(host), &port) !=
		    -EINVAL)
			fail_msg("took \"%s\"", bad[i]);
	assert_int_equal(weft_hostport_parse("exactly-fifteen", 1, host, 16, &port), 0);
	assert_int_equal(weft_hostport_parse("exactly-fifteen", 1, host, 15, &port),
			 -EINVAL);
}

static void listen_round_trip(void **state)
{
	(void)state;
	static const struct {
		const char *text, *printed;
	} rows[] = {
		{ "443", "[::]:443" },
		{ "443/udp", "[::]:443" },
		{ "443/UDP", "[::]:443" },
		{ "192.0.2.1:443", "192.0.2.1:443" },
		{ "0.0.0.0:1/udp", "0.0.0.0:1" },
		{ "[::1]:443/udp", "[::1]:443" },
		{ "[fe80::1%7]:443", "[fe80::1%7]:443" },
		{ "[1111:2222:3333:4444:5555:6666:7777:8888%4294967295]:65535",
		  "[1111:2222:3333:4444:5555:6666:7777:8888%4294967295]:65535" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		union weft_sockaddr addr, again;
		char text[WEFT_SOCKADDR_TEXT];
		assert_int_equal(weft_listen_parse(rows[i].text, &addr), 0);
		assert_string_equal(weft_sockaddr_print(&addr, text), rows[i].printed);
		assert_int_equal(weft_listen_parse(text, &again), 0);
		assert_true(weft_sockaddr_equal(&addr, &again));
	}
}

static void listen_refuses(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"0",
		"65536",
		"443/tcp",
		"443/udp4",
		"443/",
		"host",
		"host:443",
		"[::1]",
		"192.0.2.1",
		"192.0.2.1:0",
		"::1",
		"[::x]:1",
		"[fe80::1%]:1",
		"[fe80::1%eth0]:1",
	};
	union weft_sockaddr addr;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (weft_listen_parse(bad[i], &addr) != -EINVAL)
			fail_msg("took \"%s\"", bad[i]);
}

static union weft_sockaddr listen_addr(const char *text)
{
	union weft_sockaddr addr;
	assert_int_equal(weft_listen_parse(text, &addr), 0);
	return addr;
}

static void sockaddr_compares_what_matters(void **state)
{
	(void)state;
	union weft_sockaddr a = listen_addr("192.0.2.1:1"),
			    b = listen_addr("192.0.2.1:2");
	union weft_sockaddr c = listen_addr("[fe80::1%1]:1"),
			    d = listen_addr("[fe80::1%2]:1");
	union weft_sockaddr none = { .sa = { .sa_family = AF_UNSPEC } };
	assert_false(weft_sockaddr_equal(&a, &b));
	assert_false(weft_sockaddr_equal(&c, &d));
	assert_false(weft_sockaddr_equal(&a, &c));
	assert_false(weft_sockaddr_equal(&a, &none));
	b.in.sin_port = a.in.sin_port;
	memset(b.in.sin_zero, 0xff, sizeof(b.in.sin_zero));
	assert_true(weft_sockaddr_equal(&a, &b));
	d.in6.sin6_scope_id = 1;
	d.in6.sin6_flowinfo = 99;
	assert_true(weft_sockaddr_equal(&c, &d));
	assert_int_equal(weft_sockaddr_len(&a), sizeof(struct sockaddr_in));
	assert_int_equal(weft_sockaddr_len(&c), sizeof(struct sockaddr_in6));
	assert_int_equal(weft_sockaddr_len(&none), 0);
	char text[WEFT_SOCKADDR_TEXT];
	assert_string_equal(weft_sockaddr_print(&none, text), "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mac_parses_both_dividers),
		cmocka_unit_test(mac_refuses),
		cmocka_unit_test(mac_kinds),
		cmocka_unit_test(ip_round_trip),
		cmocka_unit_test(ip_refuses),
		cmocka_unit_test(hostport_forms),
		cmocka_unit_test(hostport_refuses),
		cmocka_unit_test(listen_round_trip),
		cmocka_unit_test(listen_refuses),
		cmocka_unit_test(sockaddr_compares_what_matters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
