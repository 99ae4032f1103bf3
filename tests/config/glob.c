/* SPDX-License-Identifier: MIT */
/*
 * Globs: by examples, and by chance beside a matcher that tries everything.
 */
#include "config/glob.h"

#include "../unit.h"

#include <stdbool.h>
#include <string.h>

static void matches_by_examples(void **state)
{
	(void)state;
	assert_true(glob_matches("office", "office"));
	assert_false(glob_matches("office", "office-2"));
	assert_false(glob_matches("office-2", "office"));
	assert_true(glob_matches("office-*", "office-2"));
	assert_true(glob_matches("office-*", "office-"));
	assert_true(glob_matches("*", ""));
	assert_true(glob_matches("", ""));
	assert_false(glob_matches("?", ""));
	assert_true(glob_matches("a*b*c", "a-b-b-c"));
	assert_false(glob_matches("a*b*c", "a-c-b"));
	assert_true(glob_matches("[a]", "[a]"));
	assert_true(glob_is_glob("a*") && glob_is_glob("?"));
	assert_false(glob_is_glob("a[b]"));
}

static bool matches_naively(const char *pattern, const char *text)
{
	if (*pattern == '\0')
		return *text == '\0';
	if (*pattern == '*')
		return matches_naively(pattern + 1, text) ||
		       (*text != '\0' && matches_naively(pattern, text + 1));
	return *text != '\0' && (*pattern == '?' || *pattern == *text) &&
	       matches_naively(pattern + 1, text + 1);
}

static void fill(char *text, size_t len, const char *letters, unsigned n, uint64_t *seed)
{
	for (size_t i = 0; i < len; i++) {
		*seed = *seed * 6364136223846793005u + 1442695040888963407u;
		text[i] = letters[(*seed >> 33) % n];
	}
	text[len] = '\0';
}

static void matches_as_one_that_tries_everything(void **state)
{
	uint64_t seed = test_seed();
	unsigned matched = 0;
	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		char pattern[8], text[10];
		fill(pattern, i % sizeof(pattern), "ab*?", 4, &seed);
		fill(text, (i / 8) % sizeof(text), "ab", 2, &seed);
		const bool want = matches_naively(pattern, text);
		if (glob_matches(pattern, text) != want)
			fail_msg("\"%s\" against \"%s\"", pattern, text);
		matched += want;
	}
	assert_in_range(matched, 1000, 19000);
}

/* What a naive one takes 2^n steps for. */
static void is_quick_where_nothing_matches(void **state)
{
	char text[4096];
	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_false(glob_matches("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches_by_examples),
		cmocka_unit_test(matches_as_one_that_tries_everything),
		cmocka_unit_test(is_quick_where_nothing_matches),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
