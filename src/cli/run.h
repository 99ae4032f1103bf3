/* SPDX-License-Identifier: MIT */
/*
 * How a verb runs: its tasks in a loop, a tick for the status line, until a signal ends it.
 */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include <weft/loop.h>

#include <stdint.h>

/** Calls a function again and again. Embedded in the verb's state; must not move. */
struct ticker {
	struct weft_task task;
	uint64_t period_ns;
	uint64_t next; /**< 0: at once. */
	void (*fn)(void *user, uint64_t now);
	void *user;
};

/** Begins to call fn each period_ns, the first time at once. Returns 0 or -Exxx. */
int ticker_start(struct ticker *ticker, struct weft_loop *loop, uint64_t period_ns,
		 void (*fn)(void *user, uint64_t now), void *user)
	__attribute__((warn_unused_result));

/** Ends it; no-op if it was never started. */
void ticker_stop(struct ticker *ticker, struct weft_loop *loop);

/** Runs the loop for so long and no longer, for what is still under way. */
void run_on(struct weft_loop *loop, uint64_t ns);

/**
 * Makes SIGINT, SIGTERM and SIGHUP end the loop, so that everything is put in order on the
 * way out. Returns 0 or -Exxx.
 */
int stop_on_signals(struct weft_loop *loop) __attribute__((warn_unused_result));

#endif
