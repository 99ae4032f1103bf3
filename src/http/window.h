/* SPDX-License-Identifier: MIT */
/*
 * How much of a stream may be under way, so that it does not wait at a bottleneck.
 *
 * TCP fills the queue before the narrowest place of a path, wherever that is, and what is in
 * there nobody can reorder any more: a ping in a tunnel waits behind all that it carries. What
 * is held back here waits with who put it out, where flows take turns.
 *
 *              held back      window: under way
 *     output  =========> [ path: base round trip  | queue ] --> acknowledged
 *                              rate x base          rate x WINDOW_QUEUE_NS
 *
 * A window is changed in steps, as FAST TCP does (Wei, Jin, Low, Hegde: "FAST TCP: Motivation,
 * Architecture, Algorithms, Performance", IEEE/ACM Transactions on Networking 14(6), 2006), by
 *
 *     window x (base + wanted queue) / round trip
 *
 * where the round trip is the shortest of a step: a queue that stands is one that was never
 * short (RFC 8289). base is the shortest that has been seen, for what is there without a queue.
 *
 * A smaller window makes a queue of its own shorter and leaves the rate as it was. Where the
 * rate falls instead, twice in a row, the queue is somebody else's, or the path has become longer.
 * Then what this round trip is now becomes base, so that nothing is given away. But a processor
 * on the way that is late for a while looks like a longer path. So that is soon put into doubt;
 * and where it soon proves true again, less soon. There is no window at all until a queue has been
 * seen, nor on a path that is so fast that the queue is one for processors.
 *
 * Nothing here knows of sockets or clocks.
 */
#ifndef HTTP_WINDOW_H
#define HTTP_WINDOW_H

#include "base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A window that is none. */
#define WINDOW_NONE SIZE_MAX

/** The smallest: about two chunks, so that there is always one under way. */
#define WINDOW_MIN ((size_t)32 * 1024)

/** The queue that is wanted, besides a sixteenth of the round trip: what keeps a path busy. */
#define WINDOW_QUEUE_NS (3 * NS_PER_MS)

/**
 * Bytes per second, 2 Gbit/s: what is faster waits for processors, and what is held back for them
 * costs them a copy more.
 */
#define WINDOW_RATE_MAX 250e6

/** A base that has been raised is put into doubt after so long, or so many round trips, */
#define WINDOW_DOUBT_MIN_NS (250 * NS_PER_MS)
#define WINDOW_DOUBT_RTTS   16u
/** and after twice as long where it was raised again as soon; but no longer than this. */
#define WINDOW_DOUBT_MAX_NS (10 * NS_PER_S)

/** What a connection says of its path. */
struct window_path {
	uint64_t acked; /**< Bytes, since its beginning. */
	size_t under_way; /**< Bytes that have been sent, or wait to be, and are not acked. */
	uint64_t rtt_ns; /**< Smoothed round trip; 0 for unknown. */
	bool is_losing;  /**< TCP makes up for a loss: rates say nothing. */
};

/** Zero is that of a new connection. */
struct window {
	size_t len;          /**< 0 for none. */
	uint64_t base;       /**< Round trip without a queue, ns; 0 for unknown. */
	uint64_t base_known; /**< What it was before it was raised; 0: it was not. */
	/** How long that is believed; 0: not raised since it was short. */
	uint64_t doubt_ns;
	uint64_t doubt_at; /**< When what it was before is tried again. */
	uint64_t look_at;  /**< When the path is to be asked again. */
	/* A step: what has changed shows after a round trip; then half of one is looked at. */
	uint64_t begins, ends;
	bool is_open;             /**< It is being looked at, */
	bool is_short;            /**< and the window has held something back. */
	uint64_t rtt;             /**< The shortest in it, */
	size_t used;              /**< and the most that was under way. */
	uint64_t acked, acked_at; /**< At its beginning. */
	/* Since a window has become smaller: what there was before that; no rate: it has not. */
	double rate_before; /**< Bytes per second. */
	size_t len_before;
	bool was_dear; /**< In the last step the rate had fallen. */
};

/** Most bytes that may be under way, or WINDOW_NONE. */
size_t window_len(const struct window *w);

/** Something has been held back. */
void window_is_short(struct window *w);

/** Whether window_look is to be called. */
bool window_is_due(const struct window *w, uint64_t now);

/** What the path is like now. */
void window_look(struct window *w, const struct window_path *path, uint64_t now);

#endif
