/* SPDX-License-Identifier: MIT */
/*
 * The passes that a relay lets in no more, over its runs: one key in each line of a file in its
 * state directory, in hex. The relay reads it when it starts; `weft kick` adds to it, because
 * the relay has given up the right to write files.
 */
#ifndef CMD_SHUT_OUT_H
#define CMD_SHUT_OUT_H

#include "cli/state.h"

#include <weft/lan.h>

/** Tells the relay of all that are in the file. Returns 0 or -Exxx with err. */
int shut_out_load(const struct state *state, struct weft_relay *relay,
		  struct weft_error *err) WEFT_MUST_CHECK;

/** Adds one. Returns 0 or -Exxx with err. */
int shut_out_add(const struct state *state, const char *hex,
		 struct weft_error *err) WEFT_MUST_CHECK;

#endif
