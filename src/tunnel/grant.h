/* SPDX-License-Identifier: MIT */
/*
 * How much a stream is given at once: about what it carries in half a millisecond.
 *
 * What it has been given stands before everything that comes after, in order, whatever waits in
 * the outbox; so it shall not be much. On a fast path it is a lot all the same, for each gift
 * costs a call; and never less than makes a packet of some length.
 *
 *     rate, by what went in the last 5 ms        given at once
 *     up to 262 Mbit/s                           8 KiB
 *     1 Gbit/s                                   61 KiB
 *     4.2 Gbit/s and more                        256 KiB
 *
 * A shaper of traffic saves up for 16 KiB of packets, as a rule, and loses what comes beyond.
 * What is just under that it lets pass whole, but only once it has saved up for nearly all: what
 * its timer is late by then, it loses each time. So it gets half of it; or more, which it cuts.
 */
#ifndef TUNNEL_GRANT_H
#define TUNNEL_GRANT_H

#include "base/time.h"

#include <stddef.h>
#include <stdint.h>

#define GRANT_MIN       ((size_t)8 * 1024)
#define GRANT_CUT       ((size_t)16 * 1024) /**< Nothing between this and GRANT_MIN is given. */
#define GRANT_MAX       ((size_t)256 * 1024)
#define GRANT_NS        (500 * NS_PER_US) /**< What goes in so long is given. */
#define GRANT_WINDOW_NS (5 * NS_PER_MS)   /**< The rate is that of so long, at least. */

/** Zero is that of a stream of which nothing is known. */
struct grant {
	uint64_t since; /**< Beginning of the window. */
	size_t bytes;   /**< What has gone in it. */
	size_t len;     /**< What is given; 0 for GRANT_MIN. */
};

/** Most bytes to give now. */
size_t grant_len(const struct grant *g);

/** So many have been given. */
void grant_gave(struct grant *g, size_t bytes, uint64_t now);

#endif
