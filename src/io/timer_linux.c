/* SPDX-License-Identifier: MIT */
/*
 * A timerfd on CLOCK_MONOTONIC, which is the clock of uv_hrtime and hence of `now`, set in
 * absolute time. It is not subject to timer slack, unlike the time-out of epoll_wait(2).
 *
 * It is never read: timerfd_settime(2) also clears an expiry, and after each expiry the timer
 * is either armed anew or disarmed. That saves one system call per wake-up.
 */
#include "io/timer.h"

#include <weft/loop.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct timer {
	uv_poll_t poll;
	int fd;
	uint64_t armed; /* The deadline it is set to; WEFT_NEVER when it is not. */
	bool expired;   /* Readable until it is set again. */
};

static void on_expiry(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	struct timer *timer = poll->data;
	timer->expired = true;
}

static void free_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static int start(uv_loop_t *uv, struct timer *timer)
{
	timer->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (timer->fd < 0)
		return -errno;
	int r = uv_poll_init(uv, &timer->poll, timer->fd);
	if (r < 0) {
		close(timer->fd);
		return r;
	}
	timer->poll.data = timer;
	return 0;
}

int timer_new(uv_loop_t *uv, struct timer **ret_timer)
{
	struct timer *timer = calloc(1, sizeof(*timer));
	if (!timer)
		return -ENOMEM;
	timer->armed = WEFT_NEVER;
	int r = start(uv, timer);
	if (r < 0) {
		free(timer);
		return r;
	}
	r = uv_poll_start(&timer->poll, UV_READABLE, on_expiry);
	if (r < 0) {
		timer_free(timer);
		return r;
	}
	*ret_timer = timer;
	return 0;
}

void timer_free(struct timer *timer)
{
	if (!timer)
		return;
	uv_close((uv_handle_t *)&timer->poll, free_closed);
	close(timer->fd);
}

void timer_arm(struct timer *timer, uint64_t deadline, uint64_t now)
{
	(void)now;
	if (!timer->expired && timer->armed <= deadline)
		return;
	const uint64_t second = 1000000000u;
	struct itimerspec spec = { 0 };
	if (deadline != WEFT_NEVER) {
		spec.it_value.tv_sec = (time_t)(deadline / second);
		spec.it_value.tv_nsec = (long)(deadline % second);
	}
	/* Fails only for a bad descriptor or time, of which there is neither. */
	(void)timerfd_settime(timer->fd, TFD_TIMER_ABSTIME, &spec, NULL);
	timer->armed = deadline;
	timer->expired = false;
}
