/* SPDX-License-Identifier: MIT */
/*
 * The inside of a link: what a driver fills in, and what every link gets for nothing.
 *
 *   weft_link_send -> adapter (cut or merge to the driver's capabilities) -> ops->send
 *   fd readable    -> ops->run -> link_deliver -> counters -> receiver
 *
 * A driver embeds struct weft_link as its first member, calls link_init, and frees itself in
 * ops->free. It reads a bounded batch per run and hands frames to link_deliver.
 */
#ifndef LINK_LINK_H
#define LINK_LINK_H

#include <weft/link.h>

#define LINK_BATCH 64u

struct link_adapter;

struct link_ops {
	/** Reads and delivers a bounded batch; does what its deadline was for. */
	void (*run)(struct weft_link *link, uint64_t now);
	/** The driver's own deadline; NULL for none. */
	uint64_t (*deadline)(const struct weft_link *link);
	/** Sends frames that fit caps; returns how many were taken, the rest count as dropped. */
	size_t (*send)(struct weft_link *link, const struct weft_frame *frames, size_t n,
		       uint64_t now);
	/** Frees the driver's part and the object itself. */
	void (*free)(struct weft_link *link);
};

struct weft_link {
	const struct link_ops *ops;
	struct weft_task task; /**< Embedded: weft_link_task gives it out. */
	struct weft_link_caps caps;
	struct weft_link_stats stats;
	struct link_adapter *adapter;
	weft_link_receiver *receive;
	void *receive_user;
	struct weft_mac mac;
	bool has_mac;
	bool is_down;
	char name[32];
};

/** Sets up the common part; the driver has set nothing before. fd may be -1. */
void link_init(struct weft_link *link, const struct link_ops *ops, const char *name, int fd,
	       struct weft_link_caps caps);

/** Frees the common part; called by the driver's free. */
void link_fini(struct weft_link *link);

/** Counts a batch that came in and hands it to the receiver. */
void link_deliver(struct weft_link *link, const struct weft_frame *frames, size_t n,
		  uint64_t now);

#endif
