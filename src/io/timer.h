/* SPDX-License-Identifier: MIT */
/*
 * The one timer of a loop. Tasks have deadlines in nanoseconds, and QUIC's pacing needs them
 * kept to a few microseconds; libuv's own timers count milliseconds. On Linux the timer is a
 * timerfd (timer_linux.c), elsewhere a uv_timer (timer_other.c).
 *
 * A timer keeps its uv loop alive for as long as it exists: a loop without tasks waits for
 * signals and jobs, it does not end.
 */
#ifndef IO_TIMER_H
#define IO_TIMER_H

#include <weft/frame.h>

#include <stdint.h>
#include <uv.h>

struct timer;

/** Makes a timer that is not armed. Returns 0 or -Exxx. */
int timer_new(uv_loop_t *uv, struct timer **ret_timer) WEFT_MUST_CHECK;

/** Closes it; the memory is freed in a later uv_run. NULL is allowed. */
void timer_free(struct timer *timer);

/**
 * Sees to it that uv_run wakes at the deadline (ns of uv_hrtime, WEFT_NEVER for not) or
 * before. A timer that is armed for earlier is left alone: the wake-up comes for nothing,
 * but is far rarer than deadlines that are put off with each packet.
 */
void timer_arm(struct timer *timer, uint64_t deadline, uint64_t now);

#endif
