/* SPDX-License-Identifier: MIT */
/*
 * A tunnel's configuration as a file: reads it and shows what is wrong with it, as compilers
 * do:
 *
 *     tunnel.json:4:13: error: [0].port: found 80800; it must be 1 to 65535
 *        4 |     "port": 80800,
 *          |             ^
 *
 * What is wrong with one that was made of a command line is told by the option instead. Faults
 * go to stderr, or with --json to stdout, each as an event. Tokens, passwords
 * in URLs and such headers are blotted out in the lines that are shown.
 */
#ifndef CMD_CONFIG_FILE_H
#define CMD_CONFIG_FILE_H

#include "cli/output.h"

#include <weft/tunnel.h>

#include <stdbool.h>
#include <stddef.h>

/** A configuration that was made of a command line. */
struct config_line {
	const char *verb; /**< "tunnel server" */
	const char *text;
	/** The option that a path such as "[0].port" was made of; NULL if it was none. */
	const char *(*option)(const char *path);
	/** What is wrong is shown for this option alone; NULL: for all, "": for none. */
	const char *only;
};

struct config_file {
	struct output *out;
	const struct config_line *line; /**< NULL if it is a file. */
	const char *path;               /**< As it is called in messages. */
	char *text;
	size_t len;
	unsigned mode; /**< Permissions, if others than the owner have any; else 0. */
	unsigned errors, warnings;
};

/**
 * Reads a file, or standard input for "-". Returns 0; or -Exxx, after saying why as
 * "weft VERB: ...".
 */
int config_file_read(struct config_file *file, struct output *out, const char *verb,
		     const char *path) __attribute__((warn_unused_result));

/** Takes a copy of what a command line has made. line must outlive the file. 0 or -ENOMEM. */
int config_file_make(struct config_file *file, struct output *out,
		     const struct config_line *line) __attribute__((warn_unused_result));

/**
 * Parses what was read, shows and counts all that is wrong with it and with the files that it
 * names, and that others may read its secrets. Returns 0 and the configuration, -EINVAL or -ENOMEM.
 */
int config_file_parse(struct config_file *file, struct weft_tunnel_config **ret_config)
	__attribute__((warn_unused_result));

/** Wipes and frees the text. */
void config_file_fini(struct config_file *file);

#endif
