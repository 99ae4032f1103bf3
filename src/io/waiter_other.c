/* SPDX-License-Identifier: MIT */
/*
 * All by libuv: a uv_poll for each descriptor and a uv_timer for the deadline, in whole
 * milliseconds, rounded up so that it is not early. The uv_async is never sent; it only keeps
 * the uv loop alive while the timer is not set, for a uv_run that is not alive does not sleep.
 *
 * Until 1.45, libuv runs timers before it polls as well: one that expires there would be
 * followed by a sleep without an end, were that not forbidden by uv_stop.
 */
#include "base/time.h"
#include "io/waiter.h"

#include <weft/loop.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static_assert(WEFT_READABLE == UV_READABLE && WEFT_WRITABLE == UV_WRITABLE,
	      "events are handed to libuv as they are");

struct watch {
	uv_poll_t poll;
	waiter_ready *ready;
	void *user;
	unsigned events; /* That libuv polls for now. */
};

struct waiter {
	uv_loop_t *uv;
	uv_timer_t timer;
	uv_async_t alive;
	uint64_t armed; /* The deadline that the timer is set to, or WEFT_NEVER. */
};

static void free_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/* ---- descriptors ------------------------------------------------------------------------- */

/*
 * An error (POLLERR) makes libuv stop the watch and report a bad status. To the task it is
 * one more reason to be run: it finds the error when it reads. The next waiter_set starts the
 * watch again, unless the task has given up its events.
 */
static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct watch *watch = poll->data;
	unsigned found = status < 0 ? watch->events : (unsigned)events;
	if (status < 0)
		watch->events = 0;
	watch->ready(watch->user, found);
}

int waiter_add(struct waiter *waiter, int fd, waiter_ready *ready, void *user,
	       struct watch **ret_watch)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	if (!watch)
		return -ENOMEM;
	int r = uv_poll_init(waiter->uv, &watch->poll, fd);
	if (r < 0) {
		free(watch);
		return r;
	}
	watch->poll.data = watch;
	watch->ready = ready;
	watch->user = user;
	*ret_watch = watch;
	return 0;
}

void waiter_remove(struct waiter *waiter, struct watch *watch)
{
	(void)waiter;
	uv_close((uv_handle_t *)&watch->poll, free_closed);
}

void waiter_set(struct waiter *waiter, struct watch *watch, unsigned events)
{
	(void)waiter;
	if (events == watch->events)
		return;
	int r = events ? uv_poll_start(&watch->poll, (int)events, on_poll)
		       : uv_poll_stop(&watch->poll);
	assert(r == 0); /* Fails only for a handle that is closing. */
	(void)r;
	watch->events = events;
}

/* ---- the deadline ------------------------------------------------------------------------ */

static void on_expiry(uv_timer_t *timer)
{
	struct waiter *waiter = timer->data;
	waiter->armed = WEFT_NEVER;
	uv_stop(timer->loop); /* Only this uv_run, and only its sleep. */
}

static void set_timer(struct waiter *waiter, uint64_t deadline, uint64_t now)
{
	if (waiter->armed <= deadline)
		return;
	uint64_t ms = deadline > now ? (deadline - now + NS_PER_MS - 1) / NS_PER_MS : 0;
	uv_update_time(waiter->uv);
	/* Fails only for a handle that is closing. */
	(void)uv_timer_start(&waiter->timer, on_expiry, ms, 0);
	waiter->armed = deadline;
}

void waiter_wait(struct waiter *waiter, uint64_t deadline, uint64_t now)
{
	bool sleeps = deadline > now;
	if (sleeps)
		set_timer(waiter, deadline, now);
	uv_run(waiter->uv, sleeps ? UV_RUN_ONCE : UV_RUN_NOWAIT);
}

/* ---- letting another loop sleep ---------------------------------------------------------- */

/* libuv has a descriptor, but its timers do not show there. */
int waiter_fd(const struct waiter *waiter)
{
	(void)waiter;
	return -ENOTSUP;
}

uint64_t waiter_arm(struct waiter *waiter, uint64_t deadline, uint64_t now)
{
	int patience = uv_backend_timeout(waiter->uv);
	if (patience == 0)
		return 0;
	uint64_t latest =
		patience < 0 ? WEFT_NEVER : now + (uint64_t)patience * NS_PER_MS;
	return latest < deadline ? latest : deadline;
}

/* ---- beginning and end ------------------------------------------------------------------- */

int waiter_new(uv_loop_t *uv, struct waiter **ret_waiter)
{
	struct waiter *waiter = calloc(1, sizeof(*waiter));
	if (!waiter)
		return -ENOMEM;
	int r = uv_async_init(uv, &waiter->alive, NULL);
	if (r < 0) {
		free(waiter);
		return r;
	}
	(void)uv_timer_init(uv, &waiter->timer); /* Always 0. */
	waiter->timer.data = waiter;
	waiter->alive.data = waiter;
	waiter->uv = uv;
	waiter->armed = WEFT_NEVER;
	*ret_waiter = waiter;
	return 0;
}

/* The second handle to close frees both. */
static void close_alive(uv_handle_t *handle)
{
	struct waiter *waiter = handle->data;
	uv_close((uv_handle_t *)&waiter->alive, free_closed);
}

void waiter_free(struct waiter *waiter)
{
	if (waiter)
		uv_close((uv_handle_t *)&waiter->timer, close_alive);
}
