/* SPDX-License-Identifier: MIT */
/*
 * A token bucket: so many tokens per second, and that many at once. It is a clock that each
 * token puts forward (ITU-T I.371, virtual scheduling), so it fills by itself and costs no
 * timer.
 *
 *     now                  busy_until               now + depth
 *     |--------------------|------------------------|
 *      tokens that are gone  tokens that are left
 */
#ifndef BASE_BUCKET_H
#define BASE_BUCKET_H

#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

/** All zero: no limit. */
struct bucket {
	uint64_t interval_ns; /**< From one token to the next; 0: no limit. */
	uint64_t depth_ns;    /**< What is saved up at most, as time. */
	uint64_t busy_until;
};

/** A full bucket of rate tokens per second, 1e9 at most, that holds burst; 0: no limit. */
static inline struct bucket bucket_of(uint32_t rate, uint32_t burst)
{
	const uint64_t interval_ns = rate ? NS_PER_S / rate : 0;
	return (struct bucket){ .interval_ns = interval_ns,
				.depth_ns = interval_ns * burst };
}

/** Gives it another rate and size; what was taken stays taken. */
static inline void bucket_change(struct bucket *b, uint32_t rate, uint32_t burst)
{
	const uint64_t busy_until = b->busy_until;
	*b = bucket_of(rate, burst);
	b->busy_until = busy_until;
}

/** Takes n tokens; false, and none is taken, if there are fewer. */
static inline bool bucket_take(struct bucket *b, uint32_t n, uint64_t now)
{
	const uint64_t cost_ns = b->interval_ns * n;
	const uint64_t from = b->busy_until > now ? b->busy_until : now;
	if (b->interval_ns == 0)
		return true;
	if (from + cost_ns - now > b->depth_ns)
		return false;
	b->busy_until = from + cost_ns;
	return true;
}

#endif
