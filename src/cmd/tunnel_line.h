/* SPDX-License-Identifier: MIT */
/*
 * One-liners: a command line that is made into a configuration of one interface, which is then
 * read and run as any other, or printed for those who want a file of it.
 */
#ifndef CMD_TUNNEL_LINE_H
#define CMD_TUNNEL_LINE_H

#include "cli/output.h"
#include "cmd/rootless.h"

#include <jansson.h>
#include <stdbool.h>

/** Which option a key of the configuration comes from. */
struct line_option {
	const char *path; /**< The end of the path, without indices: ".clients.ip" */
	const char *option;
};

struct tunnel_line {
	const char *verb; /**< "tunnel server" */
	json_t *interface;
	const char *(*option)(const char *path);
};

/** The option of the longest row that the path ends with, or NULL. Rows end with NULL. */
const char *tunnel_line_option(const struct line_option *rows, const char *path);

/** Whether the configuration can be used; shows what is wrong with it. */
bool tunnel_line_is_good(const struct tunnel_line *line, const struct output_opts *opts);

/** Runs one that is good. Returns the exit status. */
int tunnel_line_run(const struct tunnel_line *line, const struct rootless_args *rootless,
		    const struct output_opts *opts);

/** Prints it on stdout. Returns the exit status. */
int tunnel_line_print(const struct tunnel_line *line);

/** Puts a text into an object, unless it is NULL. */
void line_set(json_t *object, const char *key, const char *text);

#endif
