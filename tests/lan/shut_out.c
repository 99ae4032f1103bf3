/* SPDX-License-Identifier: MIT */
/*
 * Who is shut out: as text, whom it means, and how many there may be.
 */
#include "lan/shut_out.h"

#include "../unit.h"
#include "base/array.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define KEY    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define ROOM32 "a234567890123456789012345678901b"

static const uint8_t hash_secret[HASH_SECRET_LEN] = { 3 };

static struct shut_out_who who(const char *text)
{
	struct weft_error err = { "" };
	struct shut_out_who ret_who;
	if (shut_out_parse(text, &err, &ret_who) < 0)
		fail_msg("%s: %s", text, err.text);
	return ret_who;
}

static union weft_sockaddr from(const char *address)
{
	union weft_sockaddr addr;
	assert_int_equal(weft_listen_parse(address, &addr), 0);
	return addr;
}

static void assert_form(const char *text, const char *form)
{
	struct weft_error err = { "" };
	char buf[WEFT_SHUT_OUT_TEXT];
	if (weft_shut_out_check(text, &err, buf) < 0)
		fail_msg("%s: %s", text, err.text);
	assert_string_equal(buf, form);
	assert_int_equal(weft_shut_out_check(form, &err, buf), 0);
	assert_string_equal(buf, form);
}

static void each_has_one_form(void **state)
{
	(void)state;
	assert_form(KEY, KEY);
	assert_form("friday/" KEY, "friday/" KEY);
	assert_form("f/00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF",
		    "f/" KEY);
	assert_form(ROOM32 "/" KEY, ROOM32 "/" KEY);
	assert_form("friday/192.0.2.7", "friday/192.0.2.7");
	assert_form("friday/192.0.2.7/32", "friday/192.0.2.7");
	assert_form("friday/192.0.2.7/24", "friday/192.0.2.0/24");
	assert_form("friday/2001:DB8:0:1::5", "friday/2001:db8:0:1::/64");
	assert_form("friday/2001:db8:0:1::5/128", "friday/2001:db8:0:1::/64");
	assert_form("friday/2001:db8:1::/48", "friday/2001:db8:1::/48");
	assert_form("friday/fe80::5", "friday/fe80::5");
	assert_form("friday/febf::5/64", "friday/febf::/64");
	assert_form(ROOM32 "/2001:1111:2222:3333:4444:5555:6666:7777",
		    ROOM32 "/2001:1111:2222:3333::/64");
}

static void what_is_none_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"/",
		"friday",
		"friday/",
		"/192.0.2.7",
		"192.0.2.7",
		"2001:db8::/48",
		"192.0.2.0/24",
		"two words/192.0.2.7",
		"friday/192.0.2.7 ",
		"friday/192.0.2.7/33",
		"friday/192.0.2",
		"friday/192.0.2.7/",
		"friday/saturday/192.0.2.7",
		"friday/2001:db8::/129",
		"friday/" KEY "0",
		"friday/" KEY "00",
		"/" KEY,
		ROOM32 "x/" KEY,
		ROOM32 ROOM32 ROOM32 "/192.0.2.7",
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct weft_error err = { "" };
		char buf[WEFT_SHUT_OUT_TEXT] = "untouched";
		if (weft_shut_out_check(texts[i], &err, buf) != -EINVAL)
			fail_msg("\"%s\" was taken", texts[i]);
		assert_non_null(strstr(err.text, "64 digits"));
		assert_string_equal(buf, "untouched");
	}
}

static void assert_kept_out(const struct shut_out *all, const char *room,
			    const char *address, bool expected)
{
	const union weft_sockaddr addr = from(address);
	if (shut_out_has_address(all, room, &addr) != expected)
		fail_msg("%s/%s", room, address);
}

static void a_network_is_of_one_room(void **state)
{
	static const char *const texts[] = { "friday/192.0.2.7", "friday/198.51.100.0/24",
					     "friday/2001:db8::1" };
	struct shut_out all;
	(void)state;
	assert_int_equal(shut_out_init(&all, hash_secret), 0);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const struct shut_out_who one = who(texts[i]);
		assert_int_equal(shut_out_add(&all, &one), 0);
	}
	assert_kept_out(&all, "friday", "192.0.2.7:1", true);
	assert_kept_out(&all, "friday", "[::ffff:192.0.2.7]:1", true);
	assert_kept_out(&all, "friday", "192.0.2.8:1", false);
	assert_kept_out(&all, "saturday", "192.0.2.7:1", false);
	assert_kept_out(&all, "", "192.0.2.7:1", false);
	assert_kept_out(&all, "friday", "198.51.100.255:1", true);
	assert_kept_out(&all, "friday", "[2001:db8::ffff]:1", true);
	assert_kept_out(&all, "friday", "[2001:db8:0:1::1]:1", false);
	shut_out_fini(&all);
}

/* One machine's address on a link is not everybody's there. */
static void by_the_address_of_a_member(void **state)
{
	char buf[WEFT_SHUT_OUT_TEXT];
	union weft_sockaddr addr = from("192.0.2.7:4000");
	(void)state;
	struct shut_out_who one = shut_out_by_address("friday", &addr);
	assert_string_equal(shut_out_print(&one, buf), "friday/192.0.2.7");
	addr = from("[2001:db8::7]:4000");
	one = shut_out_by_address("friday", &addr);
	assert_string_equal(shut_out_print(&one, buf), "friday/2001:db8::/64");
	addr = from("[fe80::7]:4000");
	one = shut_out_by_address("friday", &addr);
	assert_string_equal(shut_out_print(&one, buf), "friday/fe80::7");
	addr = from("[fe80::8]:4000");
	assert_false(shut_out_means(&one, "friday", NULL, &addr));
}

static void what_was_added_is_removed(void **state)
{
	const struct shut_out_who pass = who("friday/" KEY), any = who(KEY);
	const struct shut_out_who net = who("friday/192.0.2.0/24");
	const struct shut_out_who part = who("friday/192.0.2.0/25");
	struct shut_out all;
	(void)state;
	assert_int_equal(shut_out_init(&all, hash_secret), 0);
	assert_false(shut_out_remove(&all, &pass));
	assert_int_equal(shut_out_add(&all, &pass), 0);
	assert_true(shut_out_has_pass(&all, pass.key));
	assert_true(shut_out_remove(&all, &any));
	assert_false(shut_out_has_pass(&all, pass.key));
	assert_int_equal(shut_out_add(&all, &net), 0);
	assert_int_equal(shut_out_add(&all, &net), 0);
	assert_int_equal(all.networks_n, 1);
	assert_false(shut_out_remove(&all, &part));
	assert_true(shut_out_remove(&all, &net));
	assert_false(shut_out_remove(&all, &net));
	assert_kept_out(&all, "friday", "192.0.2.7:1", false);
	shut_out_fini(&all);
}

static void networks_have_a_limit(void **state)
{
	struct shut_out all;
	struct shut_out_who one = who("friday/10.0.0.0");
	(void)state;
	assert_int_equal(shut_out_init(&all, hash_secret), 0);
	for (unsigned i = 0; i < SHUT_OUT_NETWORKS_MAX; i++) {
		one.network.octet[2] = (uint8_t)(i >> 8);
		one.network.octet[3] = (uint8_t)i;
		assert_int_equal(shut_out_add(&all, &one), 0);
	}
	const struct shut_out_who more = who("friday/192.0.2.7");
	assert_int_equal(shut_out_add(&all, &more), -ENOSPC);
	assert_int_equal(shut_out_add(&all, &one), 0);
	assert_true(shut_out_remove(&all, &one));
	assert_int_equal(shut_out_add(&all, &more), 0);
	assert_kept_out(&all, "friday", "192.0.2.7:1", true);
	shut_out_fini(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_has_one_form),
		cmocka_unit_test(what_is_none_is_refused),
		cmocka_unit_test(a_network_is_of_one_room),
		cmocka_unit_test(by_the_address_of_a_member),
		cmocka_unit_test(what_was_added_is_removed),
		cmocka_unit_test(networks_have_a_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
