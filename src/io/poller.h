/* SPDX-License-Identifier: MIT */
/*
 * Several tasks behind one descriptor: for an object that is one task to its loop and has
 * more than one socket inside (a link that listens and has a peer; standard input and
 * output).
 *
 *     loop --- task of the object: fd = poller_fd --- poller ---+--- task, fd 7
 *                                                               '--- task, fd 9
 *
 * The object's run calls poller_run, its deadline asks poller_deadline, and whatever it is
 * told from outside in between (a send) is followed by poller_watch, for the tasks' events
 * may have changed by it. A poller neither sleeps nor calls anybody outside of poller_run.
 *
 * A regular file, which no system can wait for, counts as always ready.
 */
#ifndef IO_POLLER_H
#define IO_POLLER_H

#include <weft/loop.h>

struct poller;

/** Makes an empty poller. Returns 0, -EMFILE, -ENOMEM or -ENOTSUP. */
int poller_new(struct poller **ret_poller) WEFT_MUST_CHECK;

/** Frees it; tasks still in it are taken out. NULL is allowed. */
void poller_free(struct poller *poller);

/** Readable when a task is ready. Belongs to the poller. */
int poller_fd(const struct poller *poller);

/** Takes a task in, as weft_loop_add does. Returns 0, -EEXIST, -EBADF or -ENOMEM. */
int poller_add(struct poller *poller, struct weft_task *task) WEFT_MUST_CHECK;

/** Takes a task out. Allowed from within any run, also its own; no-op if it is not in. */
void poller_remove(struct poller *poller, struct weft_task *task);

/** Runs each task that is ready or due, once. */
void poller_run(struct poller *poller, uint64_t now);

/** The earliest deadline of the tasks; 0 while one with a regular file wants to be run. */
uint64_t poller_deadline(const struct poller *poller);

/** Sees to it that poller_fd becomes readable for what the tasks wait for now. */
void poller_watch(struct poller *poller);

#endif
