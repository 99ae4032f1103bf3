/* SPDX-License-Identifier: MIT */
/*
 * What each verb says about itself: as `weft help VERB` prints it.
 */
#include "../unit.h"
#include "cmd/cmd.h"
#include "cmd/tunnel.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TEXT_LEN 8192u

/* Puts what `weft VERB --help` prints into text. */
static void help_of(int (*verb)(int argc, char **argv), char text[TEXT_LEN])
{
	char name[] = "verb", option[] = "--help";
	char *argv[] = { name, option, NULL };
	FILE *said = tmpfile();
	int before, status;

	assert_non_null(said);
	(void)fflush(stdout);
	before = dup(STDOUT_FILENO);
	assert_true(before >= 0 && dup2(fileno(said), STDOUT_FILENO) >= 0);
	status = verb(2, argv);
	(void)fflush(stdout);
	assert_true(dup2(before, STDOUT_FILENO) >= 0);
	(void)close(before);
	rewind(said);
	text[fread(text, 1, TEXT_LEN - 1, said)] = '\0';
	(void)fclose(said);
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

static void each_help_fits_a_screen(void **state)
{
	(void)state;
	check(cmd_host);
	check(cmd_join);
	check(cmd_run);
	check(cmd_relay);
	check(cmd_gateway);
	check(cmd_bridge);
	check(cmd_check);
	check(cmd_tunnel);
	check(cmd_members);
	check(cmd_invite);
	check(cmd_kick);
	check(cmd_status);
	check(cmd_reload);
	check(cmd_doctor);
	check(tunnel_server);
	check(tunnel_client);
	check(tunnel_token);
	check(cmd_dump);
	check(cmd_echo);
	check(cmd_nc);
	check(cmd_ping);
	check(cmd_http);
	check(cmd_version);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(each_help_fits_a_screen) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
