/* SPDX-License-Identifier: MIT */
/*
 * This machine's own place in a room, which `weft join` takes through a relay and `weft host`
 * without one: a TAP with a MAC that stays the same over runs. Router advertisements of the room
 * may give it addresses, never a default route.
 */
#ifndef CMD_PLACE_H
#define CMD_PLACE_H

#include "cli/state.h"

#include <weft/host.h>
#include <weft/link.h>
#include <weft/log.h>

struct place_opts {
	const char *spec;          /**< Of the link. */
	struct weft_mac mac;       /**< Zero for this machine's own. */
	const struct state *state; /**< Where this machine's own MAC is kept. */
	struct weft_host *host;    /**< Undoes what is set. */
	const struct weft_log *log;
};

/**
 * Opens the link, sets its MAC and refuses default routes; where that cannot be, the log is
 * told. Returns 0, -EINVAL for a spec that is wrong or names what can be no machine's place, or
 * another -Exxx, with err.
 */
int place_open(const struct place_opts *opts, struct weft_error *err,
	       struct weft_link **ret_link, struct weft_mac *ret_mac) WEFT_MUST_CHECK;

#endif
