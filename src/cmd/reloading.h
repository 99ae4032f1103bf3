/* SPDX-License-Identifier: MIT */
/*
 * A running tunnel takes another configuration: from its file, or as a text. Either is checked
 * whole; what is wrong, or cannot be done with the rights that are left, changes nothing.
 */
#ifndef CMD_RELOADING_H
#define CMD_RELOADING_H

#include "cli/output.h"

#include <weft/tunnel.h>

#include <jansson.h>

struct reloading {
	struct output *output;
	struct weft_tunnels *tunnels;
	struct weft_tunnel_config **config; /**< The present one; replaced. */
};

/** Reads the file again and applies it. What becomes of it is said and told as an event. */
void reloading_file(const struct reloading *of, const char *path);

/**
 * Applies a text, which may be NULL. Returns the differences as an array, or NULL with err; both
 * are also said and told as an event.
 */
json_t *reloading_text(const struct reloading *of, const char *text,
		       struct weft_error *err);

#endif
