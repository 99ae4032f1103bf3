/* SPDX-License-Identifier: MIT */
/*
 * A plug that goes to its peer, over sockets where connect(2) alone does not tell whether
 * somebody is there: it asks until it is answered, and begins anew when the peer has gone.
 *
 *      WAITING --open--> ASKING --answer--> UP
 *         ^                | refused,        | link is down
 *         '---- 1 s -------+-----------------'
 *
 * The dialect says what to open, what to ask and what an answer is; a dialect that asks nothing
 * is up at once.
 */
#ifndef LINK_DIAL_H
#define LINK_DIAL_H

#include "link/local.h"
#include "link/packets.h"
#include "link/plug.h"

struct dial;

struct dial_ops {
	/** Opens the socket to ask by. Returns its descriptor, or -Exxx with err. */
	int (*open)(struct dial *d, struct weft_error *err);
	/**
	 * Asks, and asks again each second. Returns 1 if the link can be made at once, 0 to wait
	 * for an answer, or -Exxx with err. NULL: 1.
	 */
	int (*ask)(struct dial *d, struct weft_error *err);
	/** d->fd is readable. Returns 1 if that was the answer, 0 to wait on, -Exxx with err. */
	int (*answer)(struct dial *d, struct weft_error *err);
	/** Makes the link, which takes over d->fd unless keeps_fd. Returns 0 or -Exxx. */
	int (*link_new)(struct dial *d, struct weft_link **ret_link);
	/** With keeps_fd: d->fd is readable while the link is up. */
	void (*talk)(struct dial *d);
	/** What open made besides the descriptor is to be undone. NULL for nothing. */
	void (*undo)(struct dial *d);
	bool keeps_fd; /**< The link has another descriptor; d->fd is closed after it. */
	/** Unanswered questions until it begins anew; 0 for no limit. */
	unsigned asks_max;
	uint32_t frame_len_max;
};

enum dial_state { DIAL_WAITING, DIAL_ASKING, DIAL_UP };

/** First member of a dialect's plug, which is allocated with calloc. */
struct dial {
	struct weft_plug plug;
	const struct dial_ops *ops;
	struct local_opts opts;
	enum dial_state state;
	int fd;            /**< Open while asking, and with keeps_fd while up; else -1. */
	unsigned asks;     /**< Since it was opened. */
	uint64_t again_at; /**< When to open or to ask next. */
	struct weft_link *link; /**< While up: without its wrappers. */
};

/**
 * Sets the plug up for where d->opts says; nothing is opened before it is run. It takes over
 * d, which is freed with it.
 */
struct weft_plug *dial_new(struct dial *d, const struct dial_ops *ops, const char *kind);

#endif
