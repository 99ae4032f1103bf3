/* SPDX-License-Identifier: MIT */
/*
 * What a verb says while it runs.
 *
 *   facts       one JSON object per line on stdout, with --json alone
 *   log lines   on stderr
 *   the status  one line that changes: on a terminal redrawn in place below the log, else
 *               a plain line now and then, and with --json not at all
 *
 * The status line is cleared before a log line is written and drawn again after it, so the
 * two never mix. All writing goes through here; whoever prints to the terminal otherwise
 * breaks the line.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "cli/options.h"

#include <weft/log.h>

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define OUTPUT_STATUS_LEN 400u

/** What the command line says about it. */
struct output_opts {
	bool json;
	bool quiet;   /**< Warnings and errors only, no status. */
	bool verbose; /**< Debug lines as well. */
};

/* clang-format off */
/** The rows for -q and -v, for the table of a struct with the member output. */
#define OUTPUT_TEXT_OPTIONS(args)                                         \
	{ .name = "quiet",                                                \
	  .letter = 'q',                                                  \
	  .type = OPTION_FLAG,                                            \
	  .offset = OFFSET(args, output.quiet),                           \
	  .help = "print warnings and errors only" },                     \
	{ .name = "verbose",                                              \
	  .letter = 'v',                                                  \
	  .type = OPTION_FLAG,                                            \
	  .offset = OFFSET(args, output.verbose),                         \
	  .help = "print details as well" }

/** The same, and --json. */
#define OUTPUT_OPTIONS(args)                                              \
	{ .name = "json",                                                 \
	  .type = OPTION_FLAG,                                            \
	  .offset = OFFSET(args, output.json),                            \
	  .help = "print facts as JSON, one object per line" },           \
	OUTPUT_TEXT_OPTIONS(args)
/* clang-format on */

/** What the command line says to a verb that has these options alone, and their table. */
struct output_args {
	struct output_opts output;
};
extern const struct option output_options[];

struct output {
	struct weft_log log; /**< To be handed to whoever logs. Points back here. */
	bool json, quiet;
	bool is_live;        /**< stderr is a terminal that can redraw a line. */
	bool is_drawn;       /**< The status stands on the screen now. */
	uint64_t printed_at; /**< When a plain status line or facts were printed last. */
	char status[OUTPUT_STATUS_LEN];
};

/** Begins; out must not move afterwards. */
void output_init(struct output *out, const struct output_opts *opts);

/** Takes the status away: what it says is over. */
void output_end(struct output *out);

/** Sets the status. Borrowed for the call. now is monotonic, in ns. */
void output_status(struct output *out, uint64_t now, const char *text);

/**
 * Prints an event with --json: the object with {"event": name} in front. Takes the reference
 * to fields, which may be NULL for none. Without --json it only releases it.
 */
void output_event(struct output *out, const char *name, json_t *fields);

/**
 * Whether facts are to be printed in between: with --json, each minute. Called each tick; the
 * first call begins the minute.
 */
bool output_facts_are_due(struct output *out, uint64_t now);

/** Prints any object in one line on stdout and takes the reference. Returns 0 or -EIO. */
int output_json(json_t *object);

/** Says why a verb cannot go on, as "weft VERB: text", and returns STATUS_FAILED. */
int output_fail(const char *verb, const char *text);

/**
 * The same for a link that weft_link_open did not open, for the reason r. A spec that is
 * wrong (-EINVAL) is a wrong command line: STATUS_USAGE, else STATUS_FAILED.
 */
int output_fail_link(const char *verb, int r, const char *text);

#endif
