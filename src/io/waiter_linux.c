/* SPDX-License-Identifier: MIT */
/*
 * An epoll(7) of our own. libuv's is watched by it: it is readable when uv_run would find
 * something. Two things that uv_run knows do not show there, timers and handles that were
 * started or closed since; uv_backend_timeout tells of both, and while it says anything but
 * "nothing to come", uv_run is called after each wait. Both are rare: a program that does not
 * end on SIGTERM, and the moments when a signal, a look-up or a program is begun.
 *
 * The deadline is a timerfd on CLOCK_MONOTONIC, which is the clock of uv_hrtime and hence of
 * `now`, set in absolute time. It is not subject to timer slack, unlike the time-out of
 * epoll_wait(2), and it costs no system call for a deadline that is put off with each packet:
 * a timer that is set for earlier is left alone, and wakes for nothing, but rarely.
 *
 * The timerfd is never read: timerfd_settime(2) also clears an expiry, and after each expiry
 * the timer is either set anew or cleared before the next sleep.
 */
#include "base/time.h"
#include "io/waiter.h"

#include <weft/loop.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* Descriptors told of in one wait; the others are told of in the next. */
#define EVENTS_MAX 64

struct watch {
	waiter_ready *ready; /* NULL for the timer and for libuv. */
	void *user;
	int fd;
	unsigned events;
};

struct waiter {
	uv_loop_t *uv;
	int epoll;
	struct watch uv_watch;
	struct watch timer;
	uint64_t armed;     /* The deadline that the timer is set to, or WEFT_NEVER. */
	bool timer_expired; /* Readable until it is set again. */
};

/* ---- descriptors ------------------------------------------------------------------------- */

static int control(const struct waiter *waiter, int op, struct watch *watch,
		   unsigned events)
{
	struct epoll_event event = {
		.events = (events & WEFT_READABLE ? EPOLLIN : 0u) |
			  (events & WEFT_WRITABLE ? EPOLLOUT : 0u),
		.data.ptr = watch,
	};
	return epoll_ctl(waiter->epoll, op, watch->fd, &event) < 0 ? -errno : 0;
}

void waiter_set(struct waiter *waiter, struct watch *watch, unsigned events)
{
	if (events == watch->events)
		return;
	/* A hang-up is reported even where no events are asked for: out with it then. */
	int op = !events ? EPOLL_CTL_DEL : !watch->events ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
	/* Fails for want of memory, or because the descriptor was closed under us. */
	if (control(waiter, op, watch, events) == 0 || !events)
		watch->events = events;
}

int waiter_add(struct waiter *waiter, int fd, waiter_ready *ready, void *user,
	       struct watch **ret_watch)
{
	struct watch *watch = malloc(sizeof(*watch));
	if (!watch)
		return -ENOMEM;
	*watch = (struct watch){ .ready = ready, .user = user, .fd = fd };
	/* Whether it can be watched at all is told now and not at the first waiter_set. */
	int r = control(waiter, EPOLL_CTL_ADD, watch, 0);
	if (r < 0) {
		free(watch);
		return r;
	}
	(void)control(waiter, EPOLL_CTL_DEL, watch, 0);
	*ret_watch = watch;
	return 0;
}

void waiter_remove(struct waiter *waiter, struct watch *watch)
{
	waiter_set(waiter, watch, 0);
	free(watch);
}

/* An error or a hang-up is for the task to find, by whatever it wanted to do. */
static unsigned read_events(const struct watch *watch, uint32_t events)
{
	if (events & (EPOLLERR | EPOLLHUP))
		return watch->events;
	return (events & EPOLLIN ? WEFT_READABLE : 0u) |
	       (events & EPOLLOUT ? WEFT_WRITABLE : 0u);
}

/* ---- the deadline ------------------------------------------------------------------------ */

static void set_timer(struct waiter *waiter, uint64_t deadline)
{
	if (!waiter->timer_expired && waiter->armed <= deadline)
		return;
	struct itimerspec spec = { 0 };
	if (deadline != WEFT_NEVER) {
		spec.it_value.tv_sec = (time_t)(deadline / NS_PER_S);
		spec.it_value.tv_nsec = (long)(deadline % NS_PER_S);
	}
	/* Fails only for a bad descriptor or time, of which there is neither. */
	(void)timerfd_settime(waiter->timer.fd, TFD_TIMER_ABSTIME, &spec, NULL);
	waiter->armed = deadline;
	waiter->timer_expired = false;
}

/* ---- sleeping ---------------------------------------------------------------------------- */

/* Milliseconds until uv_run must be called; 0 for at once, -1 for not before it is readable. */
static int uv_patience(const struct waiter *waiter)
{
	return uv_loop_alive(waiter->uv) ? uv_backend_timeout(waiter->uv) : -1;
}

void waiter_wait(struct waiter *waiter, uint64_t deadline, uint64_t now)
{
	struct epoll_event events[EVENTS_MAX];
	int patience = uv_patience(waiter);
	bool sleeps = deadline > now && patience != 0;
	bool run_uv = patience >= 0;
	if (sleeps)
		set_timer(waiter, deadline);
	int n = epoll_wait(waiter->epoll, events, EVENTS_MAX, sleeps ? patience : 0);
	for (int i = 0; i < n; i++) {
		struct watch *watch = events[i].data.ptr;
		if (watch->ready)
			watch->ready(watch->user, read_events(watch, events[i].events));
		else if (watch == &waiter->timer)
			waiter->timer_expired = true;
		else
			run_uv = true;
	}
	/* The last, for what it calls may remove watches. */
	if (run_uv)
		uv_run(waiter->uv, UV_RUN_NOWAIT);
}

/* ---- letting another loop sleep ---------------------------------------------------------- */

int waiter_fd(const struct waiter *waiter)
{
	return waiter->epoll;
}

/* libuv's descriptor is in the epoll; what does not show there has to wait in the timer. */
uint64_t waiter_arm(struct waiter *waiter, uint64_t deadline, uint64_t now)
{
	int patience = uv_patience(waiter);
	if (patience == 0)
		deadline = 0;
	else if (patience > 0 && now + (uint64_t)patience * NS_PER_MS < deadline)
		deadline = now + (uint64_t)patience * NS_PER_MS;
	/* The time 0 would clear the timer; any other that has passed makes it expire. */
	set_timer(waiter, deadline ? deadline : 1);
	return deadline;
}

/* ---- beginning and end ------------------------------------------------------------------- */

static int start(struct waiter *waiter)
{
	waiter->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (waiter->epoll < 0)
		return -errno;
	waiter->timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (waiter->timer.fd < 0)
		return -errno;
	int r = control(waiter, EPOLL_CTL_ADD, &waiter->timer, WEFT_READABLE);
	if (r < 0)
		return r;
	return control(waiter, EPOLL_CTL_ADD, &waiter->uv_watch, WEFT_READABLE);
}

int waiter_new(uv_loop_t *uv, struct waiter **ret_waiter)
{
	struct waiter *waiter = calloc(1, sizeof(*waiter));
	if (!waiter)
		return -ENOMEM;
	*waiter = (struct waiter){ .uv = uv,
				   .epoll = -1,
				   .timer.fd = -1,
				   .uv_watch.fd = uv_backend_fd(uv),
				   .armed = WEFT_NEVER };
	int r = start(waiter);
	if (r < 0) {
		waiter_free(waiter);
		return r;
	}
	*ret_waiter = waiter;
	return 0;
}

void waiter_free(struct waiter *waiter)
{
	if (!waiter)
		return;
	if (waiter->timer.fd >= 0)
		(void)close(waiter->timer.fd);
	if (waiter->epoll >= 0)
		(void)close(waiter->epoll);
	free(waiter);
}
