/* SPDX-License-Identifier: MIT */
/*
 * x-tun-conf: the texts that tapotun's server sends, and every way in which one is not right.
 */
#include "wire/tunnel_conf.h"

#include "../unit.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

static void assert_conf(const char *text, uint16_t mtu, const char *ip)
{
	struct tunnel_conf conf;
	char printed[TUNNEL_CONF_TEXT], ip_text[WEFT_IP_TEXT];
	assert_int_equal(tunnel_conf_parse(text, &conf), 0);
	assert_int_equal(conf.mtu, mtu);
	assert_int_equal(conf.ips_n, 1);
	assert_int_equal(conf.routes_n, 0);
	assert_string_equal(weft_ip_print(&conf.ips[0], ip_text), ip);
	assert_int_equal(tunnel_conf_print(conf.mtu, &conf.ips[0], printed), 0);
	assert_string_equal(printed, text);
}

static void texts_of_the_original(void **state)
{
	(void)state;
	assert_conf("eAUYCjIAAg==", 1400, "10.50.0.2/24");
	assert_conf("3AUYCgoAAg==", 1500, "10.10.0.2/24");
}

static int parse_bytes(const uint8_t *bytes, size_t len, struct tunnel_conf *ret_conf)
{
	static char text[8192];
	(void)sodium_bin2base64(text, sizeof(text), bytes, len,
				sodium_base64_VARIANT_ORIGINAL);
	return tunnel_conf_parse(text, ret_conf);
}

/* MTU 1500, /24, two addresses and one route, of which every beginning is too little. */
static void the_later_form(void **state)
{
	(void)state;
	static const uint8_t bytes[] = { 0xdc, 5, 24, 2, 10,  0,   0, 2, 10,
					 0,    0, 3,  1, 192, 168, 5, 0, 24 };
	struct tunnel_conf conf;
	char text[WEFT_IP_TEXT];
	assert_int_equal(parse_bytes(bytes, sizeof(bytes), &conf), 0);
	assert_int_equal(conf.mtu, 1500);
	assert_int_equal(conf.ips_n, 2);
	assert_string_equal(weft_ip_print(&conf.ips[0], text), "10.0.0.2/24");
	assert_string_equal(weft_ip_print(&conf.ips[1], text), "10.0.0.3/24");
	assert_int_equal(conf.routes_n, 1);
	assert_string_equal(weft_ip_print(&conf.routes[0], text), "192.168.5.0/24");
	for (size_t len = 0; len < sizeof(bytes); len++)
		if (len != 7) /* Which is the short form. */
			assert_int_equal(parse_bytes(bytes, len, &conf), -EBADMSG);
}

static void the_longest(void **state)
{
	(void)state;
	static uint8_t bytes[5 + 255 * 9 + 1] = { 0xdc, 5, 32, 255 };
	struct tunnel_conf conf;
	bytes[4 + 255 * 4] = 255;
	assert_int_equal(parse_bytes(bytes, sizeof(bytes) - 1, &conf), 0);
	assert_int_equal(conf.ips_n, 255);
	assert_int_equal(conf.routes_n, 255);
	assert_int_equal(parse_bytes(bytes, sizeof(bytes), &conf), -EBADMSG);
}

static void what_cannot_be_is_refused(void **state)
{
	(void)state;
	static const struct {
		size_t len;
		uint8_t bytes[16];
	} bad[] = {
		{ 7, { 0xdc, 5, 33, 10, 0, 0, 2 } },           /* A prefix of 33, */
		{ 7, { 67, 0, 24, 10, 0, 0, 2 } },             /* too small an MTU, */
		{ 5, { 0xdc, 5, 24, 0, 0 } },                  /* no address, */
		{ 10, { 0xdc, 5, 24, 1, 10, 0, 0, 2, 0, 0 } }, /* a byte too many, */
		{ 14, { 0xdc, 5, 24, 1, 10, 0, 0, 2, 1, 192, 168, 0, 0, 33 } },
		{ 9, { 0xdc, 5, 33, 1, 10, 0, 0, 2, 0 } },
	};
	static const char *const texts[] = { "",
					     "eAUYCjIAAg",
					     "eAUYCjIAAg=",
					     "eAUYCjIAAg==x",
					     "eAUY CjIAAg==",
					     "eAUYCjIAA_==" };
	struct tunnel_conf conf;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse_bytes(bad[i].bytes, bad[i].len, &conf), -EBADMSG);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(tunnel_conf_parse(texts[i], &conf), -EBADMSG);
}

static void what_cannot_be_said_is_refused(void **state)
{
	(void)state;
	char text[TUNNEL_CONF_TEXT] = "untouched";
	const struct weft_ip ip4 = { .family = AF_INET, .prefix = 24 };
	const struct weft_ip ip6 = { .family = AF_INET6, .prefix = 24 };
	const struct weft_ip wide = { .family = AF_INET, .prefix = 33 };
	assert_int_equal(tunnel_conf_print(1500, &ip6, text), -EINVAL);
	assert_int_equal(tunnel_conf_print(1500, &wide, text), -EINVAL);
	assert_int_equal(tunnel_conf_print(67, &ip4, text), -EINVAL);
	assert_string_equal(text, "untouched");
	assert_int_equal(tunnel_conf_print(68, &ip4, text), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_of_the_original),
		cmocka_unit_test(the_later_form),
		cmocka_unit_test(the_longest),
		cmocka_unit_test(what_cannot_be_is_refused),
		cmocka_unit_test(what_cannot_be_said_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
