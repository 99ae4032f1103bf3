/* SPDX-License-Identifier: MIT */
/*
 * What a client is told of its interface.
 */
#include "tunnel/terms.h"

#include "../unit.h"

#include <errno.h>
#include <string.h>

static struct weft_ip ip(const char *text)
{
	struct weft_ip value;
	assert_int_equal(weft_ip_parse(text, &value), 0);
	return value;
}

static void assert_ip(const struct weft_ip *found, const char *text)
{
	char printed[WEFT_IP_TEXT];
	assert_string_equal(weft_ip_print(found, printed), text);
}

static void addresses_have_the_prefix_of_their_net(void **state)
{
	struct weft_ip ips[] = { ip("10.0.0.2"), ip("172.16.0.1"), ip("fd00::2"),
				 ip("fd99::2") };
	const struct weft_tunnel_interface server = { .mtu = 1400,
						      .net = ip("10.0.0.1/24"),
						      .net6 = ip("fd00::1/64") };
	const struct weft_tunnel_client client = { .ips = ips, .ips_n = 4 };
	struct hello_conf conf;
	char text[TUNNEL_CONF_TEXT];
	(void)state;
	terms_of(&server, &client, 4, &conf);
	assert_int_equal(conf.mtu, 1400);
	assert_int_equal(conf.lanes, 4);
	assert_int_equal(conf.ips_n, 4);
	assert_ip(&conf.ips[0], "10.0.0.2/24");
	assert_ip(&conf.ips[1], "172.16.0.1");
	assert_ip(&conf.ips[2], "fd00::2/64");
	assert_ip(&conf.ips[3], "fd99::2");
	assert_int_equal(terms_print(&server, &client, text), 0);
	assert_string_equal(text, "eAUYCgAAAg==");
}

static void a_client_without_ipv4_is_none_of_the_original(void **state)
{
	struct weft_ip ips[] = { ip("fd00::2") };
	const struct weft_tunnel_interface server = { .mtu = 1400 };
	const struct weft_tunnel_client client = { .ips = ips, .ips_n = 1 };
	char text[TUNNEL_CONF_TEXT];
	(void)state;
	assert_int_equal(terms_print(&server, &client, text), -ENOENT);
}

static void routes_are_pushed_once_and_not_back(void **state)
{
	struct weft_ip all[] = { ip("10.9.0.0/16"), ip("192.168.7.0/24"),
				 ip("192.168.7.128/25") };
	struct weft_ip own[] = { ip("10.8.0.0/16"), ip("10.9.0.0/16"),
				 ip("192.168.0.0/16") };
	struct weft_ip behind[] = { ip("192.168.7.0/24") };
	const struct weft_tunnel_interface server = { .mtu = 1500,
						      .push = { .items = all, .n = 3 } };
	const struct weft_tunnel_client client = { .push = { .items = own, .n = 3 },
						   .routes = behind,
						   .routes_n = 1 };
	struct hello_conf conf, again;
	(void)state;
	terms_of(&server, &client, 1, &conf);
	assert_int_equal(conf.routes_n, 3);
	assert_ip(&conf.routes[0], "10.9.0.0/16");
	assert_ip(&conf.routes[1], "10.8.0.0/16");
	assert_ip(&conf.routes[2], "192.168.0.0/16"); /* holds what is behind, and more */
	terms_of(&server, &client, 1, &again);
	assert_true(terms_are_same(&conf, &again));
	terms_of(&server, &client, 2, &again);
	assert_false(terms_are_same(&conf, &again));
	own[0] = ip("10.7.0.0/16");
	terms_of(&server, &client, 1, &again);
	assert_false(terms_are_same(&conf, &again));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_have_the_prefix_of_their_net),
		cmocka_unit_test(a_client_without_ipv4_is_none_of_the_original),
		cmocka_unit_test(routes_are_pushed_once_and_not_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
