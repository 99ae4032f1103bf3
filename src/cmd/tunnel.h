/* SPDX-License-Identifier: MIT */
/*
 * Running a tunnel: from a file, or from the text that a one-liner makes of its command line.
 *
 *     weft tunnel CONFIG.json ---------------------.
 *     weft tunnel server ... --> the same as JSON --+--> parser --> interfaces
 *     weft tunnel client ... --> the same as JSON --'
 */
#ifndef CMD_TUNNEL_H
#define CMD_TUNNEL_H

#include "cli/output.h"
#include "cmd/cmd.h"
#include "cmd/config_file.h"
#include "cmd/rootless.h"

/** One of the two. */
struct tunnel_source {
	const char *path;               /**< Of a configuration; or NULL. */
	const struct config_line *line; /**< What a command line has made. */
};

/** Runs the interfaces until a signal comes, and returns the exit status. */
int tunnel_run(const struct tunnel_source *source, const struct rootless_args *rootless,
	       const struct output_opts *opts);

/** The words that stand in the place of the file. */
extern const struct verb tunnel_words[];

/** Each of them; argv[0] is the word itself. */
int tunnel_server(int argc, char **argv);
int tunnel_client(int argc, char **argv);
int tunnel_token(int argc, char **argv);

#endif
