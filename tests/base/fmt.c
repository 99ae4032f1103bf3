/* SPDX-License-Identifier: MIT */
/*
 * Bounded text and numbers for people.
 */
#include "base/fmt.h"

#include "../unit.h"
#include "base/array.h"

#include <string.h>

static void appends_and_fits_exactly(void **state)
{
	(void)state;
	char buf[8];
	struct fmt f;
	fmt_init(&f, buf, sizeof(buf));
	assert_string_equal(fmt_text(&f), "");
	fmt_add(&f, "%d", 123);
	fmt_add(&f, "%s", "4567");
	assert_string_equal(fmt_text(&f), "1234567");
	assert_false(f.truncated);
}

static void marks_what_it_cuts(void **state)
{
	(void)state;
	char buf[12] = "unchanged!!";
	struct fmt f;
	fmt_init(&f, buf, 8);
	fmt_add(&f, "12345678");
	assert_string_equal(fmt_text(&f), "1234...");
	assert_true(f.truncated);
	fmt_add(&f, "more");
	assert_string_equal(fmt_text(&f), "1234...");
	assert_string_equal(buf + 8, "d!!");
}

static void tiny_buffers_hold(void **state)
{
	(void)state;
	for (size_t len = 1; len <= 4; len++) {
		char buf[5] = "####";
		struct fmt f;
		fmt_init(&f, buf, len);
		fmt_add(&f, "abcdefgh");
		assert_int_equal(strlen(buf), len - 1);
		assert_int_equal(buf[len], len < 4 ? '#' : '\0');
	}
}

struct row {
	uint64_t value;
	const char *text;
};

static void check_rows(const struct row *rows, size_t n,
		       void (*add)(struct fmt *, uint64_t))
{
	for (size_t i = 0; i < n; i++) {
		char buf[40];
		struct fmt f;
		fmt_init(&f, buf, sizeof(buf));
		add(&f, rows[i].value);
		assert_string_equal(fmt_text(&f), rows[i].text);
	}
}

static void durations(void **state)
{
	(void)state;
	const uint64_t s = 1000000000, min = 60 * s, h = 60 * min;
	const struct row rows[] = {
		{ 0, "0 ns" },
		{ 153000, "153 us" },
		{ 999999, "1.0 ms" },
		{ 2100000000, "2.1 s" },
		{ 59 * s, "59 s" },
		{ min - 1, "1 min 0 s" },
		{ 3 * min + 20 * s, "3 min 20 s" },
		{ 2 * h + 5 * min + 59 * s, "2 h 5 min" },
		{ 102 * h, "4 d 6 h" },
	};
	check_rows(rows, ARRAY_LEN(rows), fmt_duration);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends_and_fits_exactly),
		cmocka_unit_test(marks_what_it_cuts),
		cmocka_unit_test(tiny_buffers_hold),
		cmocka_unit_test(durations),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
