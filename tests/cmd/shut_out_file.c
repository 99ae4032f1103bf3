/* SPDX-License-Identifier: MIT */
/*
 * The file of those who are to stay out. Where a line of it is wrong, people are told to take
 * it out: they edit the file.
 */
#include "cmd/shut_out_file.h"

#include "../unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define KEY_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define KEY_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static struct state place = { .dir = "/tmp/weft-test-shut-out-XXXXXX" };

static void store(const char *text, size_t len)
{
	struct weft_error err;
	assert_int_equal(state_store(&place, "shut-out", text, len, &err), 0);
}

static void assert_file(const char *expected)
{
	struct weft_error err;
	char *text = NULL;
	assert_int_equal(state_load(&place, "shut-out", &err, &text), strlen(expected));
	assert_string_equal(text, expected);
	free(text);
}

static void expect_after(const char *before, const char *expected)
{
	struct weft_error err;
	if (before)
		store(before, strlen(before));
	assert_int_equal(shut_out_file_add(&place, KEY_B, "", &err), 0);
	assert_file(expected);
}

static void each_has_a_line(void **state)
{
	struct weft_error err;
	(void)state;
	expect_after(NULL, KEY_B "\n");
	expect_after("", KEY_B "\n");
	expect_after(KEY_A "\n", KEY_A "\n" KEY_B "\n");
	expect_after(KEY_A, KEY_A "\n" KEY_B "\n");
	expect_after(KEY_B " bob\n", KEY_B " bob\n");
	assert_int_equal(shut_out_file_add(&place, "friday/192.0.2.7/32", "eve", &err),
			 0);
	assert_int_equal(shut_out_file_add(&place, "friday/192.0.2.7", "eva", &err), 0);
	assert_file(KEY_B " bob\nfriday/192.0.2.7 eve\n");
}

static void only_what_can_be_shut_out_is_added(void **state)
{
	struct weft_error err;
	(void)state;
	store("", 0);
	assert_int_equal(shut_out_file_add(&place, "", "", &err), -EINVAL);
	assert_int_equal(shut_out_file_add(&place, KEY_A "a", "", &err), -EINVAL);
	assert_int_equal(shut_out_file_add(&place, "\n" KEY_A, "", &err), -EINVAL);
	assert_int_equal(shut_out_file_add(&place, "192.0.2.7", "", &err), -EINVAL);
	assert_file("");
}

/* Nothing is passed over, and nothing is written over either. */
static void a_wrong_line_is_named(void **state)
{
	static const char long_name[] = KEY_A " abcdefghijabcdefghijabcdefghijabc";
	static const struct {
		const char *text;
		size_t len; /* Of a text with a NUL in it. */
	} files[] = {
		{ "x", 0 },
		{ "\n", 0 },
		{ KEY_B "\n\n", 0 },
		{ KEY_A "\r\n", 0 },
		{ KEY_A " ", 0 },
		{ KEY_A " two words", 0 },
		{ KEY_A " caf\xc3\xa9", 0 },
		{ long_name, 0 },
		{ KEY_A "/" KEY_A, 0 },
		{ "friday/192.0.2.7/99 eve", 0 },
		{ "192.0.2.7", 0 },
		{ KEY_A "\0\n" KEY_B "\n", sizeof(KEY_A "\0\n" KEY_B "\n") - 1 },
		{ KEY_A KEY_A KEY_A KEY_A KEY_A KEY_A, 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		const size_t len = files[i].len ? files[i].len : strlen(files[i].text);
		const struct shut_out_query query = { .text = KEY_B };
		struct shut_out_lines lines;
		struct weft_error err = { "" };
		char *after = NULL;
		store(files[i].text, len);
		assert_int_equal(shut_out_file_read(&place, &err, &lines), -EBADMSG);
		assert_non_null(strstr(err.text, "/shut-out:"));
		assert_non_null(strstr(err.text, "take the line out"));
		assert_int_equal(shut_out_file_add(&place, KEY_B, "", &err), -EBADMSG);
		assert_int_equal(shut_out_file_remove(&place, &query, &err, &lines),
				 -EBADMSG);
		assert_int_equal(state_load(&place, "shut-out", &err, &after), len);
		assert_memory_equal(after, files[i].text, len);
		free(after);
	}
}

#define L1 KEY_A "\n"
#define L2 "friday/" KEY_B " bob\n"
#define L3 "friday/192.0.2.7 eve\n"
#define L4 "friday/2001:db8::/64 eve\n"
#define L5 "fri/192.0.2.7 bob\n"

static void expect_removed(const char *room, const char *text, const char *rest)
{
	const struct shut_out_query query = { .room = room, .text = text };
	struct shut_out_lines removed;
	struct weft_error err;
	static const char all[] = L1 L2 L3 L4 L5;
	store(all, sizeof(all) - 1);
	assert_int_equal(shut_out_file_remove(&place, &query, &err, &removed), 0);
	shut_out_lines_fini(&removed);
	assert_file(rest);
}

static void lines_are_removed(void **state)
{
	(void)state;
	expect_removed(NULL, "eve", L1 L2 L5);
	expect_removed(NULL, "bob", L1 L3 L4);
	expect_removed("friday", "bob", L1 L3 L4 L5);
	expect_removed("fri", "bob", L1 L2 L3 L4);
	expect_removed("f", "bob", L1 L2 L3 L4 L5);
	expect_removed(NULL, "192.0.2.7", L1 L2 L4);
	expect_removed("friday", "192.0.2.7/32", L1 L2 L4 L5);
	expect_removed(NULL, "friday/192.0.2.7", L1 L2 L4 L5);
	expect_removed(NULL, "2001:db8::1", L1 L2 L3 L5);
	expect_removed(NULL, KEY_A, L2 L3 L4 L5);
	expect_removed("saturday", KEY_A, L2 L3 L4 L5);
	expect_removed(NULL, KEY_B, L1 L3 L4 L5);
	expect_removed(NULL, "", L1 L2 L3 L4 L5);
	expect_removed(NULL, "nobody", L1 L2 L3 L4 L5);
	expect_removed(NULL, "192.0.2.0/24", L1 L2 L3 L4 L5);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_has_a_line),
		cmocka_unit_test(only_what_can_be_shut_out_is_added),
		cmocka_unit_test(a_wrong_line_is_named),
		cmocka_unit_test(lines_are_removed),
	};
	char path[sizeof(place.dir) + sizeof("/shut-out")];
	int failed = mkdtemp(place.dir) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
	(void)snprintf(path, sizeof(path), "%s/shut-out", place.dir);
	(void)unlink(path);
	(void)rmdir(place.dir);
	return failed;
}
