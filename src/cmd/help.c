/* SPDX-License-Identifier: MIT */
/*
 * `weft help`. What a verb has to say about itself it says when asked for --help, so help
 * asks it; links are explained beside it (cmd/help_links.h).
 */
#include "cli/options.h"
#include "cmd/cmd.h"
#include "cmd/help_links.h"
#include "cmd/tunnel.h"

#include <stdio.h>
#include <string.h>

static const struct option options[] = { { 0 } };

static const struct command command = {
	.verb = "help",
	.operands = "[COMMAND [WORD] | links [KIND]]",
	.operands_max = 2,
	.summary = "Explains a command, or the links there are.",
	.options = options,
};

void help_all(FILE *to)
{
	(void)fputs("usage: weft COMMAND [OPTION]... [OPERAND]...\n\n"
		    "One Ethernet for machines anywhere. The commands:\n\n",
		    to);
	for (const struct verb *verb = verbs; verb->name; verb++)
		(void)fprintf(to, "  %-9s %s\n", verb->name, verb->summary);
	(void)fputs(
		"\n"
		"`weft help COMMAND` explains a command, `weft help links` the links.\n"
		"Exit status: 0 it went well, 1 it did not, 2 the command line is wrong.\n",
		to);
}

static int explain(const struct verb *verb)
{
	char name[16], option[] = "--help";
	char *argv[] = { name, option, NULL };
	(void)snprintf(name, sizeof(name), "%s", verb->name);
	return verb->run(2, argv);
}

/* Only one verb has words of its own. */
static const struct verb *find_word(const struct verb *verb, const char *word)
{
	return verb->run == cmd_tunnel ? verb_find(tunnel_words, word) : NULL;
}

/* word: one of the verb's own, such as the server of `weft tunnel server`; or NULL. */
static int help_verb(const char *name, const char *word)
{
	const struct verb *verb = verb_find(verbs, name);
	if (!verb)
		return verb_unknown(name);
	if (!word)
		return explain(verb);
	const struct verb *of_word = find_word(verb, word);
	if (of_word)
		return explain(of_word);
	(void)fprintf(stderr,
		      "weft: `weft %s` has no help on \"%s\" (see `weft help %s`)\n",
		      verb->name, word, verb->name);
	return STATUS_USAGE;
}

int cmd_help(int argc, char **argv)
{
	int status = STATUS_OK;
	int n = options_parse(&command, argc, argv, NULL, &status);
	if (n < 0)
		return status;
	if (n == 0)
		help_all(stdout);
	else if (strcmp(argv[1], "links") == 0)
		status = help_links(n > 1 ? argv[2] : NULL);
	else
		status = help_verb(argv[1], n > 1 ? argv[2] : NULL);
	return fflush(stdout) == 0 ? status : STATUS_FAILED;
}
