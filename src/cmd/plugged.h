/* SPDX-License-Identifier: MIT */
/*
 * Emulators and virtual machines that take part in a room by themselves: `weft join --plug`.
 * Nothing of this machine's network is touched, so it needs no rights at all.
 *
 *     emulator --- plug ---.
 *                           bridge --- pair in memory --- member --- relay
 *     VM --------- plug ---'
 */
#ifndef CMD_PLUGGED_H
#define CMD_PLUGGED_H

#include "cli/options.h"
#include "cli/output.h"

#include <weft/error.h>
#include <weft/link.h>
#include <weft/loop.h>
#include <weft/serve.h>

struct plugged {
	struct output *output;
	struct weft_serve *serve;
};

/**
 * Opens the plugs. ret_link is what joins the room; it is the caller's, who adds it to the
 * loop. Returns 0 or -Exxx with err, and then nothing is left open.
 */
int plugged_open(struct plugged *plugged, const struct option_list *specs,
		 struct weft_loop *loop, struct weft_error *err,
		 struct weft_link **ret_link) WEFT_MUST_CHECK;

/** Ends all plugs. No-op where none was opened. */
void plugged_close(struct plugged *plugged);

#endif
