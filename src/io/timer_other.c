/* SPDX-License-Identifier: MIT */
/*
 * A uv_timer: portable, in whole milliseconds, rounded up so that it is not early. The
 * uv_async is never sent; it only keeps the loop alive while the timer is not armed.
 */
#include "io/timer.h"

#include <weft/loop.h>

#include <errno.h>
#include <stdlib.h>

struct timer {
	uv_timer_t handle;
	uv_async_t alive;
	uint64_t armed; /* The deadline it is set to; WEFT_NEVER when it is not. */
};

static void on_expiry(uv_timer_t *handle)
{
	struct timer *timer = handle->data;
	timer->armed = WEFT_NEVER;
}

int timer_new(uv_loop_t *uv, struct timer **ret_timer)
{
	struct timer *timer = calloc(1, sizeof(*timer));
	if (!timer)
		return -ENOMEM;
	int r = uv_async_init(uv, &timer->alive, NULL);
	if (r < 0) {
		free(timer);
		return r;
	}
	r = uv_timer_init(uv, &timer->handle); /* Cannot fail (uv_timer_init(3)). */
	timer->handle.data = timer;
	timer->alive.data = timer;
	timer->armed = WEFT_NEVER;
	*ret_timer = timer;
	return r;
}

static void free_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/* The second handle to close frees both. */
static void close_alive(uv_handle_t *handle)
{
	struct timer *timer = handle->data;
	uv_close((uv_handle_t *)&timer->alive, free_closed);
}

void timer_free(struct timer *timer)
{
	if (timer)
		uv_close((uv_handle_t *)&timer->handle, close_alive);
}

void timer_arm(struct timer *timer, uint64_t deadline, uint64_t now)
{
	if (timer->armed <= deadline)
		return;
	uint64_t ms = deadline > now ? (deadline - now + 999999) / 1000000 : 0;
	uv_update_time(timer->handle.loop);
	/* Fails only for a handle that is closing. */
	(void)uv_timer_start(&timer->handle, on_expiry, ms, 0);
	timer->armed = deadline;
}
