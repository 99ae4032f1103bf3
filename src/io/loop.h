/* SPDX-License-Identifier: MIT */
/*
 * The inside of a loop, for the files that together make it: tasks and turns (loop.c),
 * signals (signal.c), and the jobs that are done once (work.c, spawn.c).
 */
#ifndef IO_LOOP_H
#define IO_LOOP_H

#include "base/list.h"
#include "io/waiter.h"

#include <weft/loop.h>

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct weft_loop {
	uv_loop_t uv;
	struct waiter *waiter;
	struct list entries; /* struct loop_entry.node: all tasks. */
	struct list ready;   /* struct loop_entry.ready: to be run next, in this order. */
	struct list signals; /* struct loop_signal.node */
	struct list jobs;    /* struct weft_job.node: not yet ended or cancelled. */
	uint64_t now;
	bool busy_poll;
	bool stopping;
};

/** What work.c and spawn.c begin their jobs with. */
struct weft_job {
	struct list node;
	void (*cancel)(struct weft_job *job);
};

/** Reads the clock. To be done before any call of a user's function out of uv_run. */
static inline void loop_refresh(struct weft_loop *loop)
{
	loop->now = uv_hrtime();
}

/** Takes out all signal watchers, for weft_loop_free. */
void loop_signals_close(struct weft_loop *loop);

#endif
