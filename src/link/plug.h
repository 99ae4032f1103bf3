/* SPDX-License-Identifier: MIT */
/*
 * The inside of a plug: what a dialect fills in, and what every plug gets for nothing.
 *
 *     listener readable -> ops->run -> accept -> plug_add(link of the dialect) -> plugged
 *     link goes down    -> link->on_down -> the plug's next run -> unplugged -> link freed
 *
 * A dialect that listens embeds struct weft_plug as its first member, calls plug_init, and
 * frees itself in ops->free. Each peer is a link (link/stream.h, link/packets.h) that has its
 * own descriptor and is run by the loop directly: nothing of a plug stands in a frame's way.
 *
 * Where the tasks of a plug run is its *runner*: a loop (weft_plug_new), or, when a spec is
 * opened as a single link with weft_link_open, that link itself (link/solo.c), which watches
 * all descriptors of its plug through one (io/poller.h).
 */
#ifndef LINK_PLUG_H
#define LINK_PLUG_H

#include "base/list.h"
#include "base/time.h"
#include "link/link.h"
#include "link/spec.h"

#include <weft/plug.h>

/** Most peers of a plug unless its options say otherwise. */
#define PLUG_LINKS_MAX 64u

/** Longest frame of a plug's links unless the dialect says otherwise: one tag, 1500 bytes. */
#define PLUG_FRAME_LEN_MAX 1518u

/** Pause before a connecting plug tries again. */
#define PLUG_RETRY_NS NS_PER_S

struct plug_ops {
	/**
	 * Accepts a bounded number of peers, or does what its deadline was for. May be called
	 * when neither is due. Not called after close.
	 */
	void (*run)(struct weft_plug *plug, uint64_t now);
	/** The dialect's own deadline; NULL for none. */
	uint64_t (*deadline)(const struct weft_plug *plug);
	/**
	 * For a dialect that connects when it is run: connects now, for a caller who wants to
	 * know at once whether it can (weft_link_open). Returns 0 when it has or is about to,
	 * or -Exxx with err. NULL for nothing to do.
	 */
	int (*dial)(struct weft_plug *plug, struct weft_error *err);
	/** Takes no more peers: lets go of plug->task.fd with plug_watch and closes it. */
	void (*close)(struct weft_plug *plug);
	/** A link of it is about to be freed. NULL for nothing to do. */
	void (*left)(struct weft_plug *plug, struct weft_link *link, uint64_t now);
	/** Frees the dialect's part and the object itself. */
	void (*free)(struct weft_plug *plug);
};

/** Who runs a plug's tasks. */
struct plug_runner {
	int (*add)(void *user, struct weft_task *task);
	void (*remove)(void *user, struct weft_task *task);
	void *user;
};

struct weft_plug {
	const struct plug_ops *ops;
	struct weft_task task; /**< fd: the listening one; -1 for none. */
	struct plug_runner runner;
	const struct weft_plug_events *events;
	void *user;
	struct list links; /**< Of struct plug_peer (plug.c). */
	uint32_t links_n, links_max;
	/** That there have ever been: the number in a link's name. */
	uint32_t links_total;
	/** Set by the dialect: the longest frame of its links, as far as it knows beforehand. */
	uint32_t frame_len_max;
	unsigned link_flags; /**< The same: WEFT_LINK_* bits of its links. */
	bool is_single;      /**< No other peer can come after the first (fd:, stdio). */
	bool is_solo; /**< Of link/solo.c: at links_max a peer waits, and is not refused. */
	bool has_gone; /**< A link is down and waits for the next run. */
	bool is_closed;
	char kind[16];
	char name[160];
	char address[128];
	/** What was told last, so as not to tell it again and again. */
	char trouble[400];
	char *spec; /**< The whole text, for the wrappers in it; NULL for none. */
};

/** Sets up the common part; the dialect has set nothing before. fd may be -1. */
void plug_init(struct weft_plug *plug, const struct plug_ops *ops, const char *kind,
	       const char *address, int fd);

/** Frees all links and the common part; called by the dialect's free. */
void plug_fini(struct weft_plug *plug);

/**
 * A peer has come: takes over its link, wraps it as the spec says, has it run and tells
 * plugged. Returns 0; or -ENOSPC at links_max or -Exxx of the runner, with the link freed and
 * trouble told.
 */
int plug_add(struct weft_plug *plug, struct weft_link *link, const char *peer,
	     uint64_t now);

/** True at links_max: a listening plug then refuses, or waits if it is solo. */
bool plug_is_full(const struct weft_plug *plug);

/**
 * Changes the descriptor that the plug's task watches; -1 for none. Returns 0, or -Exxx of the
 * runner: then the task watches none.
 */
int plug_watch(struct weft_plug *plug, int fd, unsigned events) WEFT_MUST_CHECK;

/** Whether accept failed for what one peer did wrong, or a signal: the next one may be well. */
bool plug_is_passing(int error);

/** Accepting failed for lack of something: it is told, and not watched for. Returns until when. */
uint64_t plug_pause(struct weft_plug *plug, int error, uint64_t now);

/** Tells trouble, printf-formatted; what was told last is not told again till a peer came. */
WEFT_PRINTF(3, 4)
void plug_trouble(struct weft_plug *plug, uint64_t now, const char *fmt, ...);

#endif
