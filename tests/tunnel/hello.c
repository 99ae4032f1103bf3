/* SPDX-License-Identifier: MIT */
/*
 * The headers by which two ends of weft know each other.
 */
#include "tunnel/hello.h"

#include "../unit.h"

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

static void a_client_is_understood(void **state)
{
	const struct hello hello = { .mode = WEFT_TUNNEL_ETHERNET,
				     .lane = 2,
				     .lanes = 4,
				     .session = 0x0123456789abcdef };
	struct hello read;
	char text[HELLO_TEXT];
	(void)state;
	hello_print(&hello, text);
	assert_string_equal(text,
			    "v=1; mode=ethernet; lane=2/4; session=0123456789abcdef");
	assert_int_equal(hello_parse(text, &read), 0);
	assert_int_equal(read.mode, WEFT_TUNNEL_ETHERNET);
	assert_int_equal(read.lane, 2);
	assert_int_equal(read.lanes, 4);
	assert_true(read.session == hello.session);
}

static void what_is_not_said_is_one_lane_of_ip(void **state)
{
	static const char *const texts[] = { "", "v=1", "v=2; colour=red", " v=1 ;; " };
	struct hello read;
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(hello_parse(texts[i], &read), 0);
		assert_int_equal(read.mode, WEFT_TUNNEL_IP);
		assert_int_equal(read.lane, 0);
		assert_int_equal(read.lanes, 1);
		assert_true(read.session == 0);
	}
}

static void what_no_client_says_is_refused(void **state)
{
	static const char *const texts[] = {
		"mode",
		"mode=",
		"mode=IP",
		"mode=ipx",
		"lane=",
		"lane=0",
		"lane=1/1",
		"lane=4/4",
		"lane=0/0",
		"lane=0/9",
		"lane=00/4",
		"lane=-1/4",
		"session=",
		"session=1",
		"session=0123456789abcdeg",
		"session=0123456789abcdef0",
		"session=0123456789ABCDEF",
	};
	struct hello read = { .lane = 77 };
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(hello_parse(texts[i], &read), -EBADMSG);
	assert_int_equal(read.lane, 77);
}

static struct hello_conf *conf_new(size_t routes_n)
{
	struct hello_conf *conf = calloc(1, sizeof(*conf));
	assert_non_null(conf);
	conf->mtu = 1400;
	conf->lanes = 4;
	conf->ips_n = 2;
	conf->ips[0] = ip("10.0.0.2/24");
	conf->ips[1] = ip("fd00::2/64");
	for (conf->routes_n = 0; conf->routes_n < routes_n; conf->routes_n++) {
		char text[WEFT_IP_TEXT];
		(void)snprintf(text, sizeof(text), "172.%zu.%zu.0/24",
			       16 + conf->routes_n / 256, conf->routes_n % 256);
		conf->routes[conf->routes_n] = ip(text);
	}
	return conf;
}

static void assert_same(const struct hello_conf *a, const struct hello_conf *b)
{
	assert_int_equal(a->mode, b->mode);
	assert_int_equal(a->mtu, b->mtu);
	assert_int_equal(a->lanes, b->lanes);
	assert_int_equal(a->ips_n, b->ips_n);
	assert_memory_equal(a->ips, b->ips, a->ips_n * sizeof(a->ips[0]));
	assert_memory_equal(a->routes, b->routes, a->routes_n * sizeof(a->routes[0]));
}

static void a_server_is_understood(void **state)
{
	struct hello_conf *conf = conf_new(3), *read = conf_new(0);
	char text[HELLO_CONF_TEXT];
	(void)state;
	assert_int_equal(hello_conf_print(conf, text), 0);
	assert_int_equal(hello_conf_parse(text, read), 0);
	assert_int_equal(read->routes_n, 3);
	assert_same(conf, read);
	assert_false(read->has_more);
	free(conf);
	free(read);
}

static void what_does_not_fit_follows(void **state)
{
	struct hello_conf *conf = conf_new(HELLO_ROUTES_MAX), *read = conf_new(0);
	char text[HELLO_CONF_TEXT];
	(void)state;
	assert_int_equal(hello_conf_print(conf, text), 1);
	assert_int_equal(hello_conf_parse(text, read), 0);
	assert_true(read->has_more);
	assert_in_range(read->routes_n, 1, HELLO_ROUTES_MAX - 1);
	char *record = hello_conf_record(conf);
	assert_non_null(record);
	assert_int_equal(hello_conf_parse_record(record, strlen(record), read), 0);
	assert_int_equal(read->routes_n, HELLO_ROUTES_MAX);
	assert_same(conf, read);
	assert_false(read->has_more);
	free(record);
	free(conf);
	free(read);
}

static void addresses_are_left_out_last(void **state)
{
	struct hello_conf *conf = conf_new(HELLO_ROUTES_MAX), *read = conf_new(0);
	char text[HELLO_CONF_TEXT];
	(void)state;
	for (; conf->ips_n < HELLO_IPS_MAX; conf->ips_n++)
		conf->ips[conf->ips_n] = ip("2001:db8:1111:2222:3333:4444:5555:6666/128");
	assert_int_equal(hello_conf_print(conf, text), 1);
	assert_int_equal(hello_conf_parse(text, read), 0);
	assert_true(read->has_more);
	assert_int_equal(read->routes_n, 0);
	assert_in_range(read->ips_n, 2, HELLO_IPS_MAX - 1);
	free(conf);
	free(read);
}

static void what_no_server_says_is_refused(void **state)
{
	static const char number[] =
		"{\"type\":\"conf\",\"mode\":\"ip\",\"mtu\":1500,\"lanes\":1,"
		"\"ips\":[1]}";
	static const char prefix[] =
		"{\"type\":\"conf\",\"mode\":\"ip\",\"mtu\":1500,\"lanes\":1,"
		"\"ips\":[\"::/129\"]}";
	static const char *const texts[] = {
		"",
		"[]",
		"{}",
		"{\"type\":\"conf\",\"mode\":\"ip\",\"mtu\":67,\"lanes\":1}",
		"{\"type\":\"conf\",\"mode\":\"ip\",\"mtu\":65536,\"lanes\":1}",
		"{\"type\":\"conf\",\"mode\":\"ip\",\"mtu\":1500,\"lanes\":0}",
		"{\"type\":\"conf\",\"mode\":\"ip\",\"mtu\":1500,\"lanes\":9}",
		"{\"type\":\"conf\",\"mode\":\"ipx\",\"mtu\":1500,\"lanes\":1}",
		"{\"type\":\"conf\",\"mode\":\"ip\",\"mtu\":1500,\"lanes\":1,\"ips\":{}}",
		number,
		prefix,
		"{\"type\":\"echo\",\"mode\":\"ip\",\"mtu\":1500,\"lanes\":1}",
		"{\"type\":7,\"mode\":\"ip\",\"mtu\":1500,\"lanes\":1}",
	};
	struct hello_conf *before = conf_new(2), *read = conf_new(2);
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(
			hello_conf_parse_record(texts[i], strlen(texts[i]), read),
			-EBADMSG);
	assert_int_equal(hello_conf_parse("?", read), -EBADMSG);
	assert_int_equal(hello_conf_parse("e30=", read), -EBADMSG);
	/* What was known before is still what is known. */
	assert_same(before, read);
	free(before);
	free(read);
}

static void a_record_may_be_padded(void **state)
{
	static const char text[] =
		"{\"type\":\"conf\",\"mode\":\"ethernet\",\"mtu\":1500,\"lanes\":1}   ";
	struct hello_conf *read = conf_new(3);
	(void)state;
	assert_int_equal(hello_conf_parse_record(text, sizeof(text) - 1, read), 0);
	assert_int_equal(read->mode, WEFT_TUNNEL_ETHERNET);
	assert_int_equal(read->ips_n, 0);
	assert_int_equal(read->routes_n, 0);
	free(read);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_is_understood),
		cmocka_unit_test(what_is_not_said_is_one_lane_of_ip),
		cmocka_unit_test(what_no_client_says_is_refused),
		cmocka_unit_test(a_server_is_understood),
		cmocka_unit_test(what_does_not_fit_follows),
		cmocka_unit_test(addresses_are_left_out_last),
		cmocka_unit_test(what_no_server_says_is_refused),
		cmocka_unit_test(a_record_may_be_padded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
