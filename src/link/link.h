/* SPDX-License-Identifier: MIT */
/*
 * The inside of a link: what a driver fills in, and what every link gets for nothing.
 *
 *   weft_link_send -> adapter (cut or merge to the driver's capabilities) -> ops->send
 *   fd readable    -> ops->run -> link_deliver -> counters -> receiver
 *
 * A driver embeds struct weft_link as its first member, calls link_init, and frees itself in
 * ops->free. It reads a bounded batch per run and hands frames to link_deliver.
 *
 * A wrapper (capture, impair) is a driver around another link, which it owns: it calls
 * link_init_wrapper, sends with weft_link_send to link->inner, and gets what the inner link
 * received. The common part runs the inner link and minds its descriptor and deadline.
 */
#ifndef LINK_LINK_H
#define LINK_LINK_H

#include <weft/link.h>

/** Most frames that a driver reads or sends in one go. */
#define LINK_BATCH 64u

/** Most bytes that a driver reads in one run, give or take the last frame. */
#define LINK_RUN_BYTES 262144u

struct link_adapter;
struct link_piece;

struct link_ops {
	/**
	 * Reads and delivers a bounded batch; does what its deadline was for. May be called
	 * when neither is due. NULL for none.
	 */
	void (*run)(struct weft_link *link, uint64_t now);
	/** The driver's own deadline; NULL for none. */
	uint64_t (*deadline)(const struct weft_link *link);
	/**
	 * Sends frames that fit caps, in order. Returns how many it took before the first
	 * that it refused, n for all. The common part counts the refused one as dropped and
	 * goes on with the one behind it.
	 */
	size_t (*send)(struct weft_link *link, const struct weft_frame *frames, size_t n,
		       uint64_t now);
	/**
	 * Sends a frame that fits caps and goes on with n pieces (pieces.h). Returns false if
	 * it was refused. NULL where frames have to lie in one piece.
	 */
	bool (*send_pieces)(struct weft_link *link, const struct weft_frame *frame,
			    const struct link_piece *pieces, size_t n);
	/** Frees the driver's part and the object itself. */
	void (*free)(struct weft_link *link);
};

struct weft_link {
	const struct link_ops *ops;
	struct weft_task task; /**< Embedded: weft_link_task gives it out. */
	struct weft_link_caps caps;
	struct weft_link_stats stats;
	struct link_adapter *adapter; /**< NULL until it is needed first. */
	struct weft_link *inner;      /**< What a wrapper wraps; NULL for a plain link. */
	weft_link_receiver *receive;
	void *receive_user;
	weft_link_watcher *watch; /**< NULL for none. */
	void *watch_user;
	struct weft_mac mac;
	bool has_mac;
	bool wants_merge; /**< Set by the driver: one super-frame is cheaper than its segments. */
	bool is_down;
	/** Called once, when the link goes down; must not free it. NULL for none. */
	void (*on_down)(void *user, struct weft_link *link);
	void *on_down_user;
	char name[32];
	char down_reason[200];
};

/** Sets up the common part; the driver has set nothing before. fd may be -1. */
void link_init(struct weft_link *link, const struct link_ops *ops, const char *name,
	       int fd, struct weft_link_caps caps);

/**
 * The same for a wrapper. It takes over inner, and the inner link's name, MAC and caps.
 * received gets what inner receives, with the wrapper as user.
 */
void link_init_wrapper(struct weft_link *link, const struct link_ops *ops,
		       struct weft_link *inner, weft_link_receiver *received);

/** Frees the common part and the inner link; called by the driver's free. */
void link_fini(struct weft_link *link);

/** Counts a batch that came in and hands it to the receiver. */
void link_deliver(struct weft_link *link, const struct weft_frame *frames, size_t n,
		  uint64_t now);

/** Hands frames that fit caps to the driver and counts them: the way out of the adapter. */
void link_transmit(struct weft_link *link, const struct weft_frame *frames, size_t n,
		   uint64_t now);

/** Marks a link whose device is gone; its descriptor is watched no longer. */
void link_set_down(struct weft_link *link);

/** The same, with a sentence for people that says why; the first reason given stays. */
WEFT_PRINTF(2, 3) void link_end(struct weft_link *link, const char *fmt, ...);

#endif
