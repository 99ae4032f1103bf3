/* SPDX-License-Identifier: MIT */
/*
 * Names from several sources: whose stands first, what is there once, and the text of it.
 */
#include "cmd/names.h"

#include "../unit.h"

#include <errno.h>
#include <string.h>

static struct weft_ip ip(const char *text)
{
	struct weft_ip ip;
	assert_int_equal(weft_ip_parse(text, &ip), 0);
	return ip;
}

static struct names leased(void)
{
	const struct weft_dhcpc_lease lease = { .dns = { ip("10.1.0.1") },
						.dns_n = 1,
						.domain = "lan.example" };
	return names_of_lease(&lease);
}

static struct weft_dns told(void)
{
	return (struct weft_dns){ .servers = { ip("2001:db8::53"), ip("10.1.0.1") },
				  .servers_n = 2,
				  .search = { "six.example", "lan.example" },
				  .search_n = 2 };
}

static void assert_text(const struct names *names, const char *want)
{
	char text[1024];
	assert_string_equal(names_print(names, text, sizeof(text)), want);
}

static void the_first_to_say_it_stands_first(void **state)
{
	struct names names = leased();
	const struct weft_dns dns = told();
	(void)state;
	names_add(&names, &dns);
	assert_text(&names, "search lan.example six.example\n"
			    "nameserver 10.1.0.1\nnameserver 2001:db8::53\n");
	const struct names before = names;
	names_add(&names, &dns);
	assert_true(names_equal(&names, &before));
}

static void a_room_s_own_stand_in_front(void **state)
{
	struct names names = leased();
	(void)state;
	names.room_server = ip("100.64.0.254");
	memcpy(names.room_domain, "friday.weft", sizeof("friday.weft"));
	assert_text(&names, "search friday.weft lan.example\n"
			    "nameserver 100.64.0.254\nnameserver 10.1.0.1\n");
	names = (struct names){ .servers_n = 0 };
	assert_text(&names, "");
}

static void lists_have_limits(void **state)
{
	struct names names = leased();
	struct weft_dns dns = { .servers_n = WEFT_DNS_SERVERS_MAX,
				.search_n = WEFT_DNS_SEARCH_MAX };
	(void)state;
	for (unsigned i = 0; i < WEFT_DNS_SERVERS_MAX; i++)
		dns.servers[i] = (struct weft_ip){ .family = AF_INET6,
						   .octet = { 0x20, [15] = (uint8_t)i } };
	for (unsigned i = 0; i < WEFT_DNS_SEARCH_MAX; i++)
		dns.search[i][0] = (char)('a' + i);
	names_add(&names, &dns);
	assert_int_equal(names.servers_n, NAMES_SERVERS_MAX);
	assert_int_equal(names.domains_n, NAMES_DOMAINS_MAX);
	assert_string_equal(names.domains[0], "lan.example");
}

static void what_is_given_by_hand_replaces_servers(void **state)
{
	char address[] = "10.9.0.9", name[] = "nas";
	struct option_list given = { .items = { address }, .n = 1 };
	struct names names = leased();
	struct weft_error err;
	(void)state;
	assert_int_equal(names_give(&names, &given, &err), 0);
	assert_text(&names, "search lan.example\nnameserver 10.9.0.9\n");
	given.items[0] = name;
	assert_int_equal(names_give(&names, &given, &err), -EINVAL);
	given.n = NAMES_SERVERS_MAX + 1;
	assert_int_equal(names_give(&names, &given, &err), -EINVAL);
	given.n = 0;
	const struct names before = names;
	assert_int_equal(names_give(&names, &given, &err), 0);
	assert_true(names_equal(&names, &before));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_to_say_it_stands_first),
		cmocka_unit_test(a_room_s_own_stand_in_front),
		cmocka_unit_test(lists_have_limits),
		cmocka_unit_test(what_is_given_by_hand_replaces_servers),
	};
	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
