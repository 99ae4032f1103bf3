/* SPDX-License-Identifier: MIT */
/*
 * The file of tokens, which people edit as well.
 */
#include "cmd/tokens_file.h"

#include "../unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/weft-test-tokens-XXXXXX";

static void file_is(const char *text)
{
	FILE *stream = fopen(path, "we");
	assert_non_null(stream);
	assert_true(fputs(text, stream) >= 0);
	assert_int_equal(fclose(stream), 0);
}

/* As a start of the server with a further client does. */
static void add(const char *name)
{
	struct tokens tokens = { 0 };
	assert_int_equal(tokens_read(&tokens, "test", path), 0);
	assert_non_null(tokens_want(&tokens, name));
	assert_int_equal(tokens_write(&tokens, "test", path), 0);
	tokens_fini(&tokens);
}

/* Not every editor ends the last line. */
static void a_last_line_without_an_end_is_kept(void **state)
{
	struct tokens tokens = { 0 };
	(void)state;
	file_is("the office T0ken");
	add("phone");
	add("tablet");
	assert_int_equal(tokens_read(&tokens, "test", path), 0);
	assert_int_equal(tokens.n, 3);
	assert_string_equal(tokens.items[0].name, "the office");
	assert_string_equal(tokens.items[0].token, "T0ken");
	assert_string_equal(tokens.items[1].name, "phone");
	assert_string_equal(tokens.items[2].name, "tablet");
	tokens_fini(&tokens);
}

static void only_what_is_new_is_added(void **state)
{
	char text[128] = "";
	(void)state;
	file_is("a T0ken\n\n");
	add("a");
	FILE *stream = fopen(path, "re");
	assert_non_null(stream);
	size_t n = fread(text, 1, sizeof(text) - 1, stream);
	(void)fclose(stream);
	assert_int_equal(n, strlen("a T0ken\n\n"));
	assert_string_equal(text, "a T0ken\n\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_last_line_without_an_end_is_kept),
		cmocka_unit_test(only_what_is_new_is_added),
	};
	int fd = mkstemp(path);
	int failed = fd >= 0 ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
	(void)close(fd);
	(void)unlink(path);
	return failed;
}
