/* SPDX-License-Identifier: MIT */
/*
 * A look at all frames of a client: a link around the plug's link that passes everything on
 * and tells of each frame before.
 *
 *     bridge ---> watch ---> adapter of the link: cuts, counts what is too long ---> driver
 *     bridge <--- watch <--- driver
 *
 * Unlike a wrapper of link/link.h it does not own what it looks at: the plug does. It takes
 * what the link takes, so that what is told is what the client sees, but for frames that are
 * too long: these are told, and then dropped and counted by the link.
 */
#ifndef SERVE_WATCH_H
#define SERVE_WATCH_H

#include <weft/link.h>

#include <stdbool.h>

struct watch_opts {
	struct weft_link *link; /**< Looked at; the watch becomes its receiver. */
	/** Is told of each frame, borrowed for the call; NULL to see nothing. */
	void (*see)(void *user, bool from_link, const struct weft_frame *frame,
		    uint64_t now);
	void *user;
};

/**
 * Makes a watch, which is freed with weft_link_free, before the link is. Returns 0 or -ENOMEM.
 */
int watch_new(const struct watch_opts *opts,
	      struct weft_link **ret_watch) WEFT_MUST_CHECK;

#endif
