/* SPDX-License-Identifier: MIT */
/*
 * What a loop sleeps in: it watches descriptors, keeps one deadline, and lets libuv do its
 * part (signals, programs, closing handles) in between.
 *
 *     loop: waiter_wait(deadline) --> sleeps --> ready(user, events) for each descriptor
 *                                           '--> callbacks of libuv, if it has any to make
 *
 * On Linux that is an epoll of our own, with libuv's descriptor as one of those watched and a
 * timerfd for the deadline (waiter_linux.c); elsewhere libuv does all of it (waiter_other.c).
 * libuv alone would do on Linux too. But a frame that finds the process asleep pays for
 * every line of code between the kernel and the task, for all of it is cold then, and libuv's
 * way is long: a turn of the loop is 950 instructions with it, and 450 without.
 */
#ifndef IO_WAITER_H
#define IO_WAITER_H

#include <weft/frame.h>

#include <stdint.h>
#include <uv.h>

struct waiter;
struct watch;

/** Called from waiter_wait, before any callback of libuv. Must not change any watch. */
typedef void waiter_ready(void *user, unsigned events);

/** Makes a waiter that watches nothing. Returns 0 or -Exxx. */
int waiter_new(uv_loop_t *uv, struct waiter **ret_waiter) WEFT_MUST_CHECK;

/** Closes it; what is left is freed in a later uv_run. NULL is allowed. */
void waiter_free(struct waiter *waiter);

/**
 * Watches a descriptor, for nothing at first. Returns 0, -EBADF, -EPERM (a regular file), -EEXIST
 * or -ENOMEM.
 */
int waiter_add(struct waiter *waiter, int fd, waiter_ready *ready, void *user,
	       struct watch **ret_watch) WEFT_MUST_CHECK;

/** Watches it no longer, and frees watch. */
void waiter_remove(struct waiter *waiter, struct watch *watch);

/** Says which events to watch for, of WEFT_READABLE and WEFT_WRITABLE; none is allowed. */
void waiter_set(struct waiter *waiter, struct watch *watch, unsigned events);

/**
 * Sleeps until a descriptor is ready, libuv has something to do, or the deadline (ns of
 * uv_hrtime, WEFT_NEVER for none) has come; tells who is ready. A deadline that is not after
 * now means not to sleep. May return early for no reason.
 */
void waiter_wait(struct waiter *waiter, uint64_t deadline, uint64_t now);

/** The descriptor that waiter_arm speaks of, or -ENOTSUP. Belongs to the waiter. */
int waiter_fd(const struct waiter *waiter);

/**
 * In place of sleeping: has the descriptor become readable where waiter_wait would return, for
 * another loop to sleep in. Returns when that is at the latest: the deadline, or before it what
 * libuv waits for. 0 means at once.
 */
uint64_t waiter_arm(struct waiter *waiter, uint64_t deadline, uint64_t now);

#endif
