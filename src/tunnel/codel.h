/* SPDX-License-Identifier: MIT */
/*
 * CoDel (RFC 8289): when a queue is to drop, by how long its packets have waited and by nothing
 * else. A queue may be as long as it likes for a while; only one that has not been short for a
 * whole interval stands, and is told so by one packet, then by ever more:
 *
 *     time in queue
 *       |     ________                 first above target ... one interval later: drop,
 *       |____/        \__________      then after interval/sqrt(1), /sqrt(2), /sqrt(3) ...
 *       |  target                      until it is below once
 *
 * The caller says of each packet that it takes out how long that one waited.
 */
#ifndef TUNNEL_CODEL_H
#define TUNNEL_CODEL_H

#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

#define CODEL_TARGET_NS   (5 * NS_PER_MS)
#define CODEL_INTERVAL_NS (100 * NS_PER_MS)

/** State of one queue; zero is that of a new one. */
struct codel {
	/** When an interval above target will be full; 0: is below. */
	uint64_t first_above;
	uint64_t drop_next;    /**< Once it drops: when again. */
	uint32_t count;        /**< Dropped since it began to. */
	uint32_t count_before; /**< What count began with. */
	bool is_dropping;
	bool has_dropped; /**< drop_next is that of a drop which has been. */
};

/**
 * A packet is taken out at now that waited for sojourn ns; is_short: what is left behind it is
 * not worth to be called a queue. Returns whether it is to be dropped, or marked.
 */
bool codel_drops(struct codel *c, uint64_t sojourn, bool is_short, uint64_t now);

/** There was nothing to take out. */
void codel_empty(struct codel *c);

#endif
