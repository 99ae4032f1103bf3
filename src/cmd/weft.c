/* SPDX-License-Identifier: MIT */
/*
 * The program: the way to the verb that is named.
 */
#include "cmd/cmd.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* What every program is expected to understand. */
static const char *verb_of_option(const char *text)
{
	if (strcmp(text, "--help") == 0 || strcmp(text, "-h") == 0)
		return "help";
	if (strcmp(text, "--version") == 0 || strcmp(text, "-V") == 0)
		return "version";
	return text;
}

/* It is installed under a second name. */
static bool is_tapserver(const char *path)
{
	const char *slash = strrchr(path, '/');
	return strcmp(slash ? slash + 1 : path, "tapserver") == 0;
}

int main(int argc, char **argv)
{
	if (argc > 0 && is_tapserver(argv[0]))
		return cmd_tapserver(argc, argv);
	if (argc < 2) {
		(void)fputs("usage: weft COMMAND [OPTION]... (see `weft help`)\n",
			    stderr);
		return STATUS_USAGE;
	}
	const char *name = verb_of_option(argv[1]);
	const struct verb *verb = verb_find(verbs, name);
	return verb ? verb->run(argc - 1, argv + 1) : verb_unknown(name);
}
