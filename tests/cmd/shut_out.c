/* SPDX-License-Identifier: MIT */
/*
 * The file of those who are to stay out. Where a line of it is wrong, people are told to take
 * it out: they edit the file.
 */
#include "cmd/shut_out.h"

#include "../unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define KEY_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define KEY_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static struct state place = { .dir = "/tmp/weft-test-shut-out-XXXXXX" };

static void expect_after(const char *before, const char *expected)
{
	struct weft_error err;
	char *text = NULL;
	if (before)
		assert_int_equal(
			state_store(&place, "shut-out", before, strlen(before), &err), 0);
	assert_int_equal(shut_out_add(&place, KEY_B, &err), 0);
	assert_int_equal(state_load(&place, "shut-out", &err, &text), strlen(expected));
	assert_string_equal(text, expected);
	free(text);
}

static void each_key_has_a_line(void **state)
{
	(void)state;
	expect_after(NULL, KEY_B "\n");
	expect_after("", KEY_B "\n");
	expect_after(KEY_A "\n", KEY_A "\n" KEY_B "\n");
	expect_after(KEY_A, KEY_A "\n" KEY_B "\n");
}

static void only_keys_are_added(void **state)
{
	struct weft_error err;
	(void)state;
	assert_int_equal(shut_out_add(&place, "", &err), -EBADMSG);
	assert_int_equal(shut_out_add(&place, KEY_A "a", &err), -EBADMSG);
	assert_int_equal(shut_out_add(&place, "\n" KEY_A, &err), -EBADMSG);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_key_has_a_line),
		cmocka_unit_test(only_keys_are_added),
	};
	char path[sizeof(place.dir) + sizeof("/shut-out")];
	int failed = mkdtemp(place.dir) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
	(void)snprintf(path, sizeof(path), "%s/shut-out", place.dir);
	(void)unlink(path);
	(void)rmdir(place.dir);
	return failed;
}
