/* SPDX-License-Identifier: MIT */
/*
 * Who is shut out of a relay's rooms, over its runs: a file in its state directory, in each line
 * who it is (WEFT_SHUT_OUT_TEXT), and the name that it had when it was thrown out, for people.
 *
 *     friday/00112233...ddeeff alice
 *     friday/192.0.2.7 bob
 *
 * The relay reads it when it starts; `weft kick` writes it, because the relay has given up the
 * right to.
 */
#ifndef CMD_SHUT_OUT_FILE_H
#define CMD_SHUT_OUT_FILE_H

#include "cli/state.h"

#include <weft/lan.h>

struct shut_out_line {
	char who[WEFT_SHUT_OUT_TEXT]; /**< In its one form. */
	char name[WEFT_MEMBER_NAME_MAX + 1];
};

struct shut_out_lines {
	struct shut_out_line *items;
	size_t n;
};

/** Reads the file; none is an empty one. Returns 0 or -Exxx with err. */
int shut_out_file_read(const struct state *state, struct weft_error *err,
		       struct shut_out_lines *ret_lines) WEFT_MUST_CHECK;

void shut_out_lines_fini(struct shut_out_lines *lines);

/** Tells the relay of all that are in the file. Returns 0 or -Exxx with err. */
int shut_out_file_load(const struct state *state, struct weft_relay *relay,
		       struct weft_error *err) WEFT_MUST_CHECK;

/** Adds one, if it is not there; the name may be empty. Returns 0 or -Exxx with err. */
int shut_out_file_add(const struct state *state, const char *who, const char *name,
		      struct weft_error *err) WEFT_MUST_CHECK;

/** Whose lines are meant. */
struct shut_out_query {
	const char *room; /**< NULL for any. */
	const char *text; /**< A name, an address, the key of a pass, or the whole. */
};

/** Takes lines out of the file, and gives them to the caller. Returns 0 or -Exxx with err. */
int shut_out_file_remove(const struct state *state, const struct shut_out_query *query,
			 struct weft_error *err,
			 struct shut_out_lines *ret_removed) WEFT_MUST_CHECK;

/** What of it stands behind the room: an address, a network, or a key. */
const char *shut_out_line_what(const struct shut_out_line *line);

/** Whether it is an address or a network. */
bool shut_out_line_is_address(const struct shut_out_line *line);

#endif
