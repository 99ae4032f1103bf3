/* SPDX-License-Identifier: MIT */
/*
 * A ticker that was late (a stopped process, a machine asleep) skips what it has missed.
 */
#include "cli/run.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

static struct ticker *ticker_of(struct weft_task *task)
{
	return (struct ticker *)(void *)((char *)task - offsetof(struct ticker, task));
}

static void ticker_run(struct weft_task *task, uint64_t now)
{
	struct ticker *ticker = ticker_of(task);
	if (now < ticker->next)
		return;
	ticker->next += ticker->period_ns;
	if (ticker->next <= now)
		ticker->next = now + ticker->period_ns;
	ticker->fn(ticker->user, now);
}

static uint64_t ticker_deadline(const struct weft_task *task)
{
	const char *place = (const char *)task - offsetof(struct ticker, task);
	return ((const struct ticker *)(const void *)place)->next;
}

int ticker_start(struct ticker *ticker, struct weft_loop *loop, uint64_t period_ns,
		 void (*fn)(void *user, uint64_t now), void *user)
{
	*ticker = (struct ticker){
		.task = { .fd = -1, .run = ticker_run, .deadline = ticker_deadline },
		.period_ns = period_ns,
		.fn = fn,
		.user = user,
	};
	return weft_loop_add(loop, &ticker->task);
}

void ticker_stop(struct ticker *ticker, struct weft_loop *loop)
{
	weft_loop_remove(loop, &ticker->task);
}

struct lingering {
	struct ticker ticker;
	struct weft_loop *loop;
	bool has_lingered;
};

/* Called at once, and again when the time is over. */
static void end_linger(void *user, uint64_t now)
{
	struct lingering *l = user;
	(void)now;
	if (l->has_lingered)
		weft_loop_stop(l->loop);
	l->has_lingered = true;
}

void run_on(struct weft_loop *loop, uint64_t ns)
{
	struct lingering l = { .loop = loop };
	if (ticker_start(&l.ticker, loop, ns, end_linger, &l) == 0)
		(void)weft_loop_run(loop);
	ticker_stop(&l.ticker, loop);
}

static void stop(void *user, int signo)
{
	(void)signo;
	weft_loop_stop(user);
}

int stop_on_signals(struct weft_loop *loop)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		int r = weft_loop_on_signal(loop, signals[i], stop, loop);
		if (r < 0)
			return r;
	}
	return 0;
}
