/* SPDX-License-Identifier: MIT */
/*
 * A token bucket: so many events per second, and that many at once. It is filled when it is
 * asked, so it costs no timer.
 */
#ifndef STACK_BUCKET_H
#define STACK_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket {
	uint64_t interval_ns; /**< From one token to the next; 0: no limit. */
	uint64_t depth_ns;    /**< What is saved up at most, as time. */
	uint64_t spent_until; /**< Tokens up to this time are gone. */
};

/** Begins a full bucket of rate tokens per second that holds burst; rate 0 for no limit. */
static inline void bucket_init(struct bucket *b, uint32_t rate, uint32_t burst)
{
	*b = (struct bucket){ .interval_ns = rate ? 1000000000u / rate : 0 };
	b->depth_ns = b->interval_ns * burst;
}

/** Takes a token; false if there is none. */
static inline bool bucket_take(struct bucket *b, uint64_t now)
{
	if (b->interval_ns == 0)
		return true;
	uint64_t full = now > b->depth_ns ? now - b->depth_ns : 0;
	uint64_t from = b->spent_until > full ? b->spent_until : full;
	if (from + b->interval_ns > now)
		return false;
	b->spent_until = from + b->interval_ns;
	return true;
}

#endif
