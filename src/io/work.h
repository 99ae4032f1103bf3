/* SPDX-License-Identifier: MIT */
/*
 * Work that would hold the loop up (a slow hash, a question to the system's resolver), done by a
 * thread of its own that nobody waits for:
 *
 *     loop's side                                thread's side
 *     work_start: waits for the end       run(data) ...
 *       |  cancelled, or loop freed:        |
 *       '- goes; done is not called         '- still wanted? done(data), in the loop
 *
 * Both sides share the data, and the last one to let go of it frees it. A thread that is still at
 * it when the process ends goes with the process. (libuv's threads are joined then.)
 *
 * There is a thread for each: who starts work bounds how much of it there is at a time.
 */
#ifndef IO_WORK_H
#define IO_WORK_H

#include <weft/loop.h>

/** What is done with the data of one piece of work. */
struct work_ops {
	/** On the thread: touches nothing but data. */
	void (*run)(void *data);
	/** In the loop, once, unless the job was cancelled; data is borrowed for the call. */
	void (*done)(void *data);
	/** On whichever thread comes last. */
	void (*free)(void *data);
};

/**
 * Starts work on data, which belongs to it from here on. The job can be cancelled until done is
 * called. Returns 0, or -EAGAIN, -ENOMEM or what libuv reports: then data has been freed.
 */
int work_start(struct weft_loop *loop, const struct work_ops *ops, void *data,
	       struct weft_job **ret_job) WEFT_MUST_CHECK;

#endif
