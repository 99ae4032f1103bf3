/* SPDX-License-Identifier: MIT */
/*
 * A wrapper that makes a good link bad: two lines (link/line.h), one for each direction.
 */
#ifndef LINK_IMPAIR_H
#define LINK_IMPAIR_H

#include "link/line.h"
#include "link/link.h"

/** The values of dir= in the order of the spec's choices. */
enum impair_dir { IMPAIR_BOTH, IMPAIR_TX, IMPAIR_RX };

struct impair_opts {
	struct line_opts line; /**< For each direction; emit and user are not used. */
	enum impair_dir dir;   /**< tx: what is sent into the link. */
};

/** Wraps inner, which it takes over when it succeeds. Returns 0 or -ENOMEM. */
int impair_new(const struct impair_opts *opts, struct weft_link *inner,
	       struct weft_link **ret_link) WEFT_MUST_CHECK;

#endif
