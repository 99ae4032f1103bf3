/* SPDX-License-Identifier: MIT */
/*
 * One-liners: a command line that is made into a configuration of one interface, which is then
 * read and run as any other, or printed for those who want a file of it.
 */
#ifndef CMD_TUNNEL_LINE_H
#define CMD_TUNNEL_LINE_H

#include "cli/options.h"
#include "cli/output.h"
#include "cmd/rootless.h"

#include <jansson.h>
#include <stdbool.h>

/** What every such line says of the device, and of how it is to run. */
struct tunnel_line_args {
	struct output_opts output;
	struct rootless_args rootless;
	unsigned mode; /**< 0: IP, 1: Ethernet */
	const char *name;
	bool print_config;
};

/* clang-format off */
/** The rows for these options, for the table of a struct that begins with them. */
#define TUNNEL_LINE_OPTIONS(mode_help)                                    \
	{ .name = "mode",                                                 \
	  .type = OPTION_CHOICE,                                          \
	  .syntax = "ip|ethernet",                                        \
	  .offset = OFFSET(struct tunnel_line_args, mode),                \
	  .help = mode_help " [ip]" },                                    \
	{ .name = "name",                                                 \
	  .type = OPTION_TEXT,                                            \
	  .syntax = "DEVICE",                                             \
	  .offset = OFFSET(struct tunnel_line_args, name),                \
	  .help = "the device that is made [tun0, or tap0]" },            \
	ROOTLESS_OPTIONS(struct tunnel_line_args),                        \
	{ .name = "print-config",                                         \
	  .type = OPTION_FLAG,                                            \
	  .offset = OFFSET(struct tunnel_line_args, print_config),        \
	  .help = "print the same as a CONFIG.json and end" },            \
	OUTPUT_OPTIONS(struct tunnel_line_args)
/* clang-format on */

/** Which option a key of the configuration comes from. */
struct line_option {
	const char *path; /**< In the interface, without indices: ".clients.ip" */
	const char *option;
};

struct tunnel_line {
	const char *verb; /**< "tunnel server" */
	json_t *interface;
	const char *(*option)(const char *path);
};

/** The option that a place such as "[0].clients[1].ip" comes from, or NULL. Rows end with NULL. */
const char *tunnel_line_option(const struct line_option *rows, const char *path);

/** Whether the configuration can be used; shows what is wrong with it, or with one option only. */
bool tunnel_line_is_good(const struct tunnel_line *line, const char *only,
			 const struct output_opts *opts);

/** Runs one that is good, or prints it where that is asked for. Returns the exit status. */
int tunnel_line_run(const struct tunnel_line *line, const struct tunnel_line_args *args);

/** Puts into an object what these options say of the device. */
void line_set_device(json_t *object, const struct tunnel_line_args *args);

/** Puts a text into an object, unless it is NULL. */
void line_set(json_t *object, const char *key, const char *text);

#endif
