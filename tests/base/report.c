/* SPDX-License-Identifier: MIT */
/*
 * What people get to read: error sentences, log lines, and the version.
 */
#include "../unit.h"

#include <weft/error.h>
#include <weft/log.h>
#include <weft/version.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void error_keeps_code_and_text(void **state)
{
	(void)state;
	struct weft_error err = { .text = "old" };
	assert_int_equal(weft_error_set(&err, -EBUSY, "port %d is taken", 443), -EBUSY);
	assert_string_equal(err.text, "port 443 is taken");
	assert_int_equal(weft_error_set(NULL, -EBUSY, "port %d", 443), -EBUSY);
}

static void error_cuts_long_text(void **state)
{
	(void)state;
	char text[sizeof(((struct weft_error *)NULL)->text) + 10];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	struct weft_error err;
	assert_int_equal(weft_error_set(&err, -EINVAL, "%s", text), -EINVAL);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

struct lines {
	unsigned count;
	enum weft_log_level level;
	char last[2048];
};

static void keep_line(void *user, enum weft_log_level level, const char *text)
{
	struct lines *lines = user;
	lines->count++;
	lines->level = level;
	snprintf(lines->last, sizeof(lines->last), "%s", text);
}

static void log_writes_wanted_levels(void **state)
{
	(void)state;
	struct lines lines = { 0 };
	const struct weft_log log = { keep_line, &lines, WEFT_LOG_INFO };
	weft_log_debug(&log, "not wanted");
	assert_int_equal(lines.count, 0);
	weft_log_info(&log, "member %s joined", "02:00:00:00:00:01");
	assert_int_equal(lines.count, 1);
	assert_int_equal(lines.level, WEFT_LOG_INFO);
	assert_string_equal(lines.last, "member 02:00:00:00:00:01 joined");
	weft_log_error(&log, "bad");
	assert_int_equal(lines.level, WEFT_LOG_ERROR);
	weft_log_error(NULL, "to nobody");
	assert_int_equal(lines.count, 2);
}

static void version_matches_header(void **state)
{
	(void)state;
	assert_string_equal(weft_version(), WEFT_VERSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(error_keeps_code_and_text),
		cmocka_unit_test(error_cuts_long_text),
		cmocka_unit_test(log_writes_wanted_levels),
		cmocka_unit_test(version_matches_header),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
