/* SPDX-License-Identifier: MIT */
/*
 * Timers in a hierarchical wheel (Varghese and Lauck, 1987, scheme 7): arming and cancelling
 * take O(1), however many there are. Time is counted in ticks of 4.096 us and read as a number
 * to the base 64; each digit has a wheel of 64 slots:
 *
 *     time      d7 d6 d5 d4 d3 d2 d1 d0          tick = ns / 4096
 *     timer     d7 d6 d5 d4 e3 e2 e1 e0          the first digit that differs is the fourth:
 *                           '---------------->   slot e3 of wheel 3
 *
 * When the time's own digit becomes e3, the slot is emptied and its timers find their places
 * in the wheels below, closer to the end with each step, at most seven of them. So nothing is
 * ever scanned: a bit per slot says whether it holds a timer.
 *
 * A timer never fires early, to the nanosecond. wheel_next may be early (it is the beginning
 * of a slot), and never late.
 *
 *     struct conn { struct timer rto; };
 *     conn->rto.fire = conn_timed_out;          // container_of(timer, struct conn, rto)
 *     wheel_arm(wheel, &conn->rto, now + rto_ns);
 */
#ifndef STACK_WHEEL_H
#define STACK_WHEEL_H

#include "base/list.h"

#include <stdbool.h>
#include <stdint.h>

#define WHEEL_TICK_SHIFT 12u /**< A tick is 2^12 ns. */
#define WHEEL_DIGIT_BITS 6u
#define WHEEL_SLOTS      64u
#define WHEEL_LEVELS     8u /**< 60 bits of ns: 36 years. */

/**
 * A timer, embedded in what it belongs to. Set fire and leave the rest zero; a timer must not
 * move in memory while it is armed.
 */
struct timer {
	struct list of_slot; /**< next is NULL while it is not armed. */
	uint64_t at;         /**< In ns, while it is armed. */
	/** Called once, with the timer no longer armed: it may be armed again, or freed. */
	void (*fire)(struct timer *timer, void *user, uint64_t now);
};

struct wheel {
	uint64_t tick;               /**< All before it has fired. */
	uint64_t used[WHEEL_LEVELS]; /**< A bit for each slot that holds timers. */
	struct list slots[WHEEL_LEVELS][WHEEL_SLOTS];
	void *user; /**< Given to fire: the stack. */
	size_t count;
};

/** Makes an empty wheel whose time is now. It must not move in memory. */
void wheel_init(struct wheel *w, void *user, uint64_t now);

/** Arms the timer, or changes when it is to fire; a time in the past is due at once. */
void wheel_arm(struct wheel *w, struct timer *timer, uint64_t at);

/** Takes the timer out; harmless if it is not armed. */
void wheel_cancel(struct wheel *w, struct timer *timer);

static inline bool timer_is_armed(const struct timer *timer)
{
	return timer->of_slot.next != NULL;
}

/** Fires what is due at now, in the order of the ticks. What is armed meanwhile and is due at
 * once waits for the next call. */
void wheel_run(struct wheel *w, uint64_t now);

/** When wheel_run is to be called next, in ns; WEFT_NEVER without timers. */
uint64_t wheel_next(const struct wheel *w);

#endif
