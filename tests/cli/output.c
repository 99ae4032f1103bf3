/* SPDX-License-Identifier: MIT */
/*
 * What is said on standard error, here a pipe and no terminal, and when facts are printed.
 */
#include "cli/output.h"

#include "../unit.h"
#include "cli/units.h"

#include <weft/log.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Standard error, while a test listens to it. */
struct ear {
	int was, pipe[2];
	char text[500];
};

static void ear_open(struct ear *ear)
{
	(void)fflush(stderr);
	assert_int_equal(pipe(ear->pipe), 0);
	ear->was = dup(STDERR_FILENO);
	assert_true(dup2(ear->pipe[1], STDERR_FILENO) >= 0);
	(void)close(ear->pipe[1]);
}

/* What was said. */
static const char *ear_close(struct ear *ear)
{
	(void)fflush(stderr);
	assert_true(dup2(ear->was, STDERR_FILENO) >= 0);
	(void)close(ear->was);
	const ssize_t n = read(ear->pipe[0], ear->text, sizeof(ear->text) - 1);
	(void)close(ear->pipe[0]);
	ear->text[n > 0 ? n : 0] = '\0';
	return ear->text;
}

static void assert_levels(const struct output_opts *opts, const char *words)
{
	struct output out;
	struct ear ear;
	output_init(&out, opts);
	ear_open(&ear);
	weft_log_error(&out.log, "it is %s", "broken");
	weft_log_warning(&out.log, "it is odd");
	weft_log_info(&out.log, "it is so");
	weft_log_debug(&out.log, "it is 7");
	assert_string_equal(ear_close(&ear), words);
}

static void levels_have_their_words(void **state)
{
	static const struct output_opts usual, quiet = { .quiet = true },
					       verbose = { .verbose = true };
	(void)state;
	assert_levels(&usual, "error: it is broken\nwarning: it is odd\nit is so\n");
	assert_levels(&quiet, "error: it is broken\nwarning: it is odd\n");
	assert_levels(&verbose, "error: it is broken\nwarning: it is odd\nit is so\n"
				"it is 7\n");
}

/* Two minutes of a line that changes each second, and two in which it stays as it is. */
static void say_status(const struct output_opts *opts, struct ear *ear)
{
	const uint64_t start = 7 * NS_PER_S;
	struct output out;
	output_init(&out, opts);
	ear_open(ear);
	for (unsigned second = 0; second < 240; second++) {
		char text[20];
		(void)snprintf(text, sizeof(text), "at %u", second < 120 ? second : 119);
		output_status(&out, start + second * NS_PER_S, text);
	}
}

static void status_is_told_seldom_where_it_cannot_be_redrawn(void **state)
{
	static const struct output_opts usual, quiet = { .quiet = true },
					       json = { .json = true };
	struct ear ear;
	(void)state;
	say_status(&usual, &ear);
	assert_string_equal(ear_close(&ear), "at 0\nat 60\nat 119\n");
	say_status(&quiet, &ear);
	assert_string_equal(ear_close(&ear), "");
	say_status(&json, &ear);
	assert_string_equal(ear_close(&ear), "");
}

static void facts_are_due_each_minute(void **state)
{
	const struct output_opts opts = { .json = true };
	const uint64_t start = 7 * NS_PER_S;
	struct output out;

	(void)state;
	output_init(&out, &opts);
	for (unsigned second = 0; second <= 200; second++)
		assert_int_equal(output_facts_are_due(&out, start + second * NS_PER_S),
				 second == 60 || second == 120 || second == 180);
}

static void without_json_there_are_none(void **state)
{
	const struct output_opts opts = { .quiet = true };
	struct output out;

	(void)state;
	output_init(&out, &opts);
	assert_false(output_facts_are_due(&out, NS_PER_S));
	assert_false(output_facts_are_due(&out, 100 * NS_PER_S));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels_have_their_words),
		cmocka_unit_test(status_is_told_seldom_where_it_cannot_be_redrawn),
		cmocka_unit_test(facts_are_due_each_minute),
		cmocka_unit_test(without_json_there_are_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
