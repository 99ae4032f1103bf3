/* SPDX-License-Identifier: MIT */
/*
 * Invitations: what is printed parses to the same, and each wrong part is named.
 */
#include "../unit.h"

#include <weft/lan.h>

#include <errno.h>
#include <string.h>

/* 48 bytes 00 01 02 ... 2f, and 16 bytes 20 21 ... 2f. */
#define LONG_KEY  "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v"
#define SHORT_KEY "ICEiIyQlJicoKSorLC0uLw"

static struct weft_invite parse(const char *text)
{
	struct weft_invite invite;
	struct weft_error err = { "" };
	int r = weft_invite_parse(text, &err, &invite);
	if (r < 0)
		print_error("%s: %s\n", text, err.text);
	assert_int_equal(r, 0);
	return invite;
}

static void test_all_parts(void **state)
{
	(void)state;
	struct weft_invite invite =
		parse("weft://relay.example.net:8443/Friday-1#" LONG_KEY);
	assert_string_equal(invite.host, "relay.example.net");
	assert_int_equal(invite.port, 8443);
	assert_string_equal(invite.room, "Friday-1");
	assert_true(invite.has_pin);
	for (unsigned i = 0; i < WEFT_PIN_LEN; i++)
		assert_int_equal(invite.pin[i], i);
	for (unsigned i = 0; i < WEFT_ROOM_SECRET_LEN; i++)
		assert_int_equal(invite.secret[i], 0x20 + i);
}

static void test_without_pin_and_port(void **state)
{
	(void)state;
	struct weft_invite invite = parse(" WEFT://192.0.2.1/a#" SHORT_KEY "\n");
	assert_string_equal(invite.host, "192.0.2.1");
	assert_int_equal(invite.port, 443);
	assert_false(invite.has_pin);
	assert_int_equal(invite.secret[15], 0x2f);
}

static void test_print_parses_to_the_same(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"weft://relay.example.net/ROOM#" LONG_KEY,
		"weft://relay.example.net:1/R.o_o-m#" SHORT_KEY,
		"weft://[2001:db8::1]:65535/ROOM#" LONG_KEY,
		"weft://[2001:db8::1]/ROOM#" SHORT_KEY,
		"weft://192.0.2.1:444/12345678901234567890123456789012#" LONG_KEY,
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char buf[WEFT_INVITE_TEXT];
		struct weft_invite invite = parse(texts[i]);
		assert_string_equal(weft_invite_print(&invite, buf), texts[i]);
	}
}

static void test_longest_fits(void **state)
{
	(void)state;
	char buf[WEFT_INVITE_TEXT];
	struct weft_invite invite = { .port = 65535, .has_pin = true };
	memset(invite.host, 'h', sizeof(invite.host) - 1);
	memset(invite.room, 'R', WEFT_ROOM_NAME_MAX);
	weft_room_secret_make(invite.secret);
	struct weft_invite again = parse(weft_invite_print(&invite, buf));
	assert_memory_equal(&again, &invite, sizeof(invite));
}

/* The sentence names the part that is wrong. */
static void assert_refused(const char *text, const char *part)
{
	struct weft_invite invite;
	struct weft_error err = { "" };
	assert_int_equal(weft_invite_parse(text, &err, &invite), -EINVAL);
	if (!strstr(err.text, part))
		fail_msg("\"%s\" does not speak of \"%s\"", err.text, part);
	assert_int_equal(weft_invite_parse(text, NULL, &invite), -EINVAL);
}

static void test_wrong_parts_are_named(void **state)
{
	(void)state;
	char long_text[1024];
	memset(long_text, 'a', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	assert_refused("", "weft://");
	assert_refused("https://host/ROOM#" LONG_KEY, "weft://");
	assert_refused("weft://host", "room");
	assert_refused("weft://host/ROOM", "key");
	assert_refused("weft://host/#" LONG_KEY, "room");
	assert_refused("weft://host/RO OM#" LONG_KEY, "room");
	assert_refused("weft://host/123456789012345678901234567890123#" LONG_KEY, "room");
	assert_refused("weft:///ROOM#" LONG_KEY, "host");
	assert_refused("weft://host:0/ROOM#" LONG_KEY, "host");
	assert_refused("weft://host:65536/ROOM#" LONG_KEY, "host");
	assert_refused("weft://host/ROOM#", "copied");
	assert_refused("weft://host/ROOM#" LONG_KEY "A", "copied");
	assert_refused("weft://host/ROOM#ICEiIyQlJicoKSorLC0uL+", "letter");
	assert_refused("weft://host/ROOM#ICEiIyQlJicoKSorLC0uLx", "letter");
	assert_refused(long_text, "longer");
	long_text[WEFT_INVITE_TEXT] = '\0';
	assert_refused(long_text, "longer");
	long_text[WEFT_INVITE_TEXT - 1] = '\0';
	assert_refused(long_text, "weft://");
}

static void test_room_names(void **state)
{
	(void)state;
	assert_true(weft_room_name_is_valid("a"));
	assert_true(weft_room_name_is_valid("12345678901234567890123456789012"));
	assert_false(weft_room_name_is_valid("123456789012345678901234567890123"));
	assert_false(weft_room_name_is_valid(""));
	assert_false(weft_room_name_is_valid("a/b"));
	assert_false(weft_room_name_is_valid("\xc3\xa4"));
}

static void test_secrets_differ(void **state)
{
	(void)state;
	uint8_t a[WEFT_ROOM_SECRET_LEN], b[WEFT_ROOM_SECRET_LEN];
	weft_room_secret_make(a);
	weft_room_secret_make(b);
	assert_memory_not_equal(a, b, sizeof(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_parts),
		cmocka_unit_test(test_without_pin_and_port),
		cmocka_unit_test(test_print_parses_to_the_same),
		cmocka_unit_test(test_longest_fits),
		cmocka_unit_test(test_wrong_parts_are_named),
		cmocka_unit_test(test_room_names),
		cmocka_unit_test(test_secrets_differ),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
