/* SPDX-License-Identifier: MIT */
/*
 * What each verb says about itself: as `weft help VERB` prints it.
 */
#include "../unit.h"
#include "cmd/cmd.h"
#include "cmd/help_links.h"
#include "cmd/tunnel.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TEXT_LEN 8192u

static FILE *said;
static int usual;

/* What is printed from here on goes to a file. */
static void overhear(void)
{
	said = tmpfile();
	assert_non_null(said);
	(void)fflush(stdout);
	usual = dup(STDOUT_FILENO);
	assert_true(usual >= 0 && dup2(fileno(said), STDOUT_FILENO) >= 0);
}

/* Puts what was printed into text. */
static void hear(char text[TEXT_LEN])
{
	(void)fflush(stdout);
	assert_true(dup2(usual, STDOUT_FILENO) >= 0);
	(void)close(usual);
	rewind(said);
	text[fread(text, 1, TEXT_LEN - 1, said)] = '\0';
	(void)fclose(said);
}

/* Puts what `weft VERB --help` prints into text. */
static void help_of(int (*verb)(int argc, char **argv), char text[TEXT_LEN])
{
	char name[] = "verb", option[] = "--help";
	char *argv[] = { name, option, NULL };
	overhear();
	const int status = verb(2, argv);
	hear(text);
	assert_int_equal(status, STATUS_OK);
}

static void check(int (*verb)(int argc, char **argv))
{
	char text[TEXT_LEN];
	unsigned lines = 0;

	help_of(verb, text);
	assert_memory_equal(text, "usage: weft ", 12);
	for (const char *line = text; *line; lines++) {
		size_t len = strcspn(line, "\n");
		if (len > 80)
			fail_msg("%zu columns: %.*s", len, (int)len, line);
		line += len + (line[len] == '\n');
	}
	assert_in_range(lines, 5, 34);
	if (strcmp(text + strlen(text) - 2, "\n\n") == 0)
		fail_msg("an empty line at the end of:\n%s", text);
}

/* That of serve takes two screens; that of tapserver is the original program's. */
static bool is_longer(int (*verb)(int argc, char **argv))
{
	return verb == cmd_serve || verb == cmd_tapserver;
}

static void each_help_fits_a_screen(void **state)
{
	(void)state;
	for (const struct verb *verb = verbs; verb->name; verb++)
		if (!is_longer(verb->run))
			check(verb->run);
	for (const struct verb *word = tunnel_words; word->name; word++)
		check(word->run);
}

/* Runs `weft help VERB [WORD]` and puts what it prints into text. */
static int help_on(char *verb, char *word, char text[TEXT_LEN])
{
	char name[] = "help";
	char *argv[] = { name, verb, word, NULL };
	overhear();
	const int status = cmd_help(word ? 3 : 2, argv);
	hear(text);
	return status;
}

static void a_verb_and_its_words_are_explained(void **state)
{
	char text[TEXT_LEN], verb[] = "tunnel", word[] = "server", other[] = "host";
	(void)state;
	assert_int_equal(help_on(verb, NULL, text), STATUS_OK);
	assert_memory_equal(text, "usage: weft tunnel [", 20);
	assert_int_equal(help_on(verb, word, text), STATUS_OK);
	assert_memory_equal(text, "usage: weft tunnel server ", 26);
	/* What means nothing is told, on standard error. */
	assert_int_equal(help_on(other, word, text), STATUS_USAGE);
	assert_string_equal(text, "");
	assert_int_equal(help_on(verb, other, text), STATUS_USAGE);
	assert_string_equal(text, "");
}

/* What is said of links: all of them, or one kind. */
static int links_of(const char *kind, char text[TEXT_LEN])
{
	overhear();
	const int status = help_links(kind);
	hear(text);
	return status;
}

static void a_link_is_explained_alone(void **state)
{
	char text[TEXT_LEN], all[TEXT_LEN];
	(void)state;
	assert_int_equal(links_of(NULL, all), STATUS_OK);
	assert_int_equal(links_of("tap", text), STATUS_OK);
	assert_memory_equal(text, "  tap:[NAME] ", 13);
	assert_non_null(strstr(text, "e.g. tap:weft0"));
	assert_null(strstr(text, "tun:"));
	assert_non_null(strstr(all, text));
	assert_int_equal(links_of("tunnel", text), STATUS_OK);
	assert_memory_equal(text, "  tunnel:CONFIG", 15);
	/* What is none is told, on standard error. */
	assert_int_equal(links_of("ta", text), STATUS_USAGE);
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_help_fits_a_screen),
		cmocka_unit_test(a_verb_and_its_words_are_explained),
		cmocka_unit_test(a_link_is_explained_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
