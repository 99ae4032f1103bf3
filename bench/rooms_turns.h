/* SPDX-License-Identifier: MIT */
/*
 * Whose turn it is to send: senders that take turns, so that their frames are spread evenly over
 * a period.
 */
#ifndef BENCH_ROOMS_TURNS_H
#define BENCH_ROOMS_TURNS_H

#include <stdbool.h>
#include <stdint.h>

struct turns {
	unsigned n; /**< Senders. */
	uint64_t step_ns;
	uint64_t next_at;
	unsigned next;
};

/** Members are numbered through, room by room. */
struct rooms_shape {
	unsigned rooms, members; /**< Members of each; an even number. */
};

/** n senders, each of them once in a period, from now on. */
struct turns turns_of(unsigned n, uint64_t period_ns, uint64_t now);

/** Takes a turn that is due. Returns whether there was one. */
bool turns_next(struct turns *turns, uint64_t now, unsigned *ret_turn);

/**
 * Who talks in a turn: the first two of each room, then the next two ...; all of one side, and
 * half a period later all of the other.
 */
unsigned turns_talker(const struct turns *turns, const struct rooms_shape *shape,
		      unsigned turn);

/** Who has bulk in a turn: the last of each room, then the last but one ... */
unsigned turns_bulk(const struct rooms_shape *shape, unsigned turn);

#endif
