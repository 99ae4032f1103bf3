/* SPDX-License-Identifier: MIT */
/*
 * Changes as lines of JSON: every kind survives the way to text and back, and no damaged
 * line is taken for a change.
 */
#include "host/change.h"

#include "../unit.h"
#include "base/array.h"
#include "base/rng.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct weft_ip ip(const char *text)
{
	struct weft_ip value;
	assert_int_equal(weft_ip_parse(text, &value), 0);
	return value;
}

#define ON_WEFT0 .ifindex = 7, .ifname = "weft0"

/* Writes, reads, and compares both as bytes and as people see it. */
static void check_round_trip(const struct change *change, const char *text)
{
	char line[CHANGE_LINE_MAX];
	char again[CHANGE_LINE_MAX];
	struct change back;
	int len = change_emit(change, line, sizeof(line));
	assert_true(len > 0);
	assert_null(memchr(line, '\n', (size_t)len));
	assert_int_equal(change_parse(line, (size_t)len, &back), 0);
	assert_int_equal(change_emit(&back, again, sizeof(again)), len);
	assert_memory_equal(line, again, (size_t)len);

	char buf[200];
	struct fmt f;
	fmt_init(&f, buf, sizeof(buf));
	change_print(&back, &f);
	assert_string_equal(fmt_text(&f), text);
}

static void test_every_kind_round_trips(void **state)
{
	(void)state;
	const struct change address4 = { CHANGE_ADDRESS, ON_WEFT0,
					 .address = ip("192.0.2.1/24") };
	const struct change address6 = { CHANGE_ADDRESS, ON_WEFT0,
					 .address = ip("2001:db8::1") };
	const struct change mtu = { CHANGE_MTU, ON_WEFT0, .mtu = { 1500, 1400 } };
	const struct change mac = { CHANGE_MAC, ON_WEFT0,
				    .mac = { { { 2, 0, 0, 0, 0, 7 } },
					     { { 2, 1, 2, 3, 4, 5 } } } };
	const struct change up = { CHANGE_UP, ON_WEFT0, .up = { false, true } };
	const struct change down = { CHANGE_UP, ON_WEFT0, .up = { true, false } };
	const struct change bridge = { CHANGE_BRIDGE, ON_WEFT0,
				       .bridge = { 0, 9, "br0" } };
	const struct change refusal = { CHANGE_REFUSAL, ON_WEFT0, .address = { 0 } };
	check_round_trip(&refusal, "refusal of default routes by routers on weft0");
	check_round_trip(&bridge, "weft0 as a port of bridge br0");
	check_round_trip(&address4, "address 192.0.2.1/24 on weft0");
	check_round_trip(&address6, "address 2001:db8::1 on weft0");
	check_round_trip(&mtu, "MTU 1400 of weft0");
	check_round_trip(&mac, "MAC 02:01:02:03:04:05 of weft0");
	check_round_trip(&up, "weft0 up");
	check_round_trip(&down, "weft0 down");
}

static void test_routes_and_rules_round_trip(void **state)
{
	(void)state;
	const struct change on_link = { CHANGE_ROUTE, ON_WEFT0,
					.route = { .dest = ip("198.51.100.0/24") } };
	const struct change by_gateway = { CHANGE_ROUTE,
					   .route = { .dest = ip("0.0.0.0/0"),
						      .gateway = ip("192.0.2.254"),
						      .metric = UINT32_MAX,
						      .table = 100 } };
	const struct change rule = { CHANGE_RULE,
				     .rule = { AF_INET6, 0xffffffff, 100, 1000 } };
	const struct change any = { CHANGE_RULE, .rule = { AF_INET, 0, 254, 0 } };
	check_round_trip(&on_link, "route to 198.51.100.0/24 on weft0");
	check_round_trip(&by_gateway, "route to 0.0.0.0/0 by way of 192.0.2.254 "
				      "metric 4294967295 in table 100");
	check_round_trip(&rule, "IPv6 rule 1000 for mark 0xffffffff into table 100");
	check_round_trip(&any, "IPv4 rule into table 254");
}

static void test_a_short_buffer_is_refused(void **state)
{
	(void)state;
	const struct change mtu = { CHANGE_MTU, ON_WEFT0, .mtu = { 1500, 1400 } };
	char line[20];
	assert_int_equal(change_emit(&mtu, line, sizeof(line)), -EMSGSIZE);
}

static void test_damaged_lines_are_refused(void **state)
{
	(void)state;
	static const char *const lines[] = {
		"",
		"{",
		"[]",
		"null",
		"\"address\"",
		"{}",
		"{\"change\":\"address\"}",
		"{\"change\":7,\"ifindex\":7,\"ifname\":\"weft0\"}",
		"{\"change\":\"format\",\"ifindex\":7,\"ifname\":\"weft0\"}",
		/* No interface where there must be one; half an interface. */
		"{\"change\":\"mtu\",\"ifindex\":0,\"ifname\":\"\",\"before\":1,"
		"\"after\":2}",
		"{\"change\":\"mtu\",\"ifindex\":7,\"ifname\":\"\",\"before\":1,"
		"\"after\":2}",
		"{\"change\":\"mtu\",\"ifindex\":0,\"ifname\":\"a\",\"before\":1,"
		"\"after\":2}",
		"{\"change\":\"mtu\",\"ifindex\":-1,\"ifname\":\"a\",\"before\":1,"
		"\"after\":2}",
		"{\"change\":\"mtu\",\"ifindex\":7,\"ifname\":\"sixteen-letters-\","
		"\"before\":1,"
		"\"after\":2}",
		"{\"change\":\"refusal\",\"ifindex\":0,\"ifname\":\"\"}",
		/* Values missing, of the wrong type, out of range. */
		"{\"change\":\"mtu\",\"ifindex\":7,\"ifname\":\"weft0\",\"before\":1500}",
		"{\"change\":\"mtu\",\"ifindex\":7,\"ifname\":\"weft0\",\"before\":1500,"
		"\"after\":4294967296}",
		"{\"change\":\"mtu\",\"ifindex\":7,\"ifname\":\"weft0\",\"before\":1500,"
		"\"after\":\"1400\"}",
		"{\"change\":\"up\",\"ifindex\":7,\"ifname\":\"weft0\",\"before\":0,"
		"\"after\":1}",
		"{\"change\":\"mac\",\"ifindex\":7,\"ifname\":\"weft0\",\"before\":"
		"\"02\","
		"\"after\":\"02:00:00:00:00:01\"}",
		"{\"change\":\"address\",\"ifindex\":7,\"ifname\":\"weft0\","
		"\"address\":\"192.0.2.1/33\"}",
		"{\"change\":\"route\",\"ifindex\":7,\"ifname\":\"weft0\",\"dest\":\"10."
		"0.0.0/8\","
		"\"gateway\":\"2001:db8::1\",\"metric\":0,\"table\":0}",
		"{\"change\":\"rule\",\"ifindex\":0,\"ifname\":\"\",\"family\":5,"
		"\"mark\":1,"
		"\"table\":1,\"priority\":1}",
	};
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct change change;
		if (change_parse(lines[i], strlen(lines[i]), &change) != -EBADMSG)
			fail_msg("taken for a change: %s", lines[i]);
	}
}

/* Whatever is flipped in a line, what is read can be written again: it is a whole change. */
static void test_flipped_bytes_make_no_half_change(void **state)
{
	(void)state;
	const struct change route = { CHANGE_ROUTE, ON_WEFT0,
				      .route = { ip("198.51.100.0/24"), ip("192.0.2.254"),
						 "", 50, 100 } };
	char line[CHANGE_LINE_MAX];
	int len = change_emit(&route, line, sizeof(line));
	struct rng rng;
	rng_init(&rng, test_seed());
	for (unsigned i = 0; i < 20000; i++) {
		char damaged[CHANGE_LINE_MAX];
		memcpy(damaged, line, (size_t)len);
		damaged[rng_below(&rng, (uint64_t)len)] = (char)rng_u64(&rng);
		struct change change;
		char again[CHANGE_LINE_MAX];
		if (change_parse(damaged, (size_t)len, &change) == 0)
			assert_true(change_emit(&change, again, sizeof(again)) > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_kind_round_trips),
		cmocka_unit_test(test_routes_and_rules_round_trip),
		cmocka_unit_test(test_a_short_buffer_is_refused),
		cmocka_unit_test(test_damaged_lines_are_refused),
		cmocka_unit_test(test_flipped_bytes_make_no_half_change),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
