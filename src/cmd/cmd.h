/* SPDX-License-Identifier: MIT */
/*
 * The verbs of the program. Each is one file with one entry, which gets its own name as
 * argv[0] and returns the exit status.
 */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include "cli/exit_status.h"

#include <stdio.h>

struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary; /**< For the list of verbs; a word has none. */
};

/** Every verb in the order of the help text. A table ends with an empty name. */
extern const struct verb verbs[];

/** The verb of that name in a table, or NULL. */
const struct verb *verb_find(const struct verb *table, const char *name);

/** The name in a table that may be meant by one that is not there; NULL for none. */
const char *verb_nearest(const struct verb *table, const char *name);

/** Says that there is no such verb and which one may be meant. Returns STATUS_USAGE. */
int verb_unknown(const char *name);

/** Prints what commands there are: `weft help`, and who gives none. */
void help_all(FILE *to);

int cmd_host(int argc, char **argv);
int cmd_join(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_relay(int argc, char **argv);
int cmd_gateway(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_tapserver(int argc, char **argv);
int cmd_tunnel(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_reload(int argc, char **argv);
int cmd_bridge(int argc, char **argv);
int cmd_invite(int argc, char **argv);
int cmd_kick(int argc, char **argv);
int cmd_filter(int argc, char **argv);
int cmd_members(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_dump(int argc, char **argv);
int cmd_echo(int argc, char **argv);
int cmd_nc(int argc, char **argv);
int cmd_ping(int argc, char **argv);
int cmd_http(int argc, char **argv);
int cmd_help(int argc, char **argv);
int cmd_version(int argc, char **argv);

#endif
