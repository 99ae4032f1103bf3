/* SPDX-License-Identifier: MIT */
/*
 * The loop: a waiter sleeps and says who is ready, this file decides who runs and how long to
 * sleep.
 *
 *            .------------------------------------------------------.
 *            v                                                      |
 *     wait (waiter.h) --> run the ready --> run the due, in rounds --> set the events
 *                                           until none is left
 *
 * The waiter only has tasks put on the list of the ready; no task runs inside of it. Those
 * that are due come onto the same list, and tasks are taken off it one at a time. So a task
 * may remove itself or any other, and add new ones, at any point of a turn: who is removed
 * is off the list, who is added comes in the next round.
 *
 * Descriptors are level-triggered: a task need not read until EAGAIN. What it leaves is
 * found by the next poll. One frame in costs two system calls: epoll_wait, and the task's
 * own read.
 */
#include "io/loop.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>

/* Rounds of due tasks before the descriptors are looked at again, for fairness. */
#define ROUNDS_MAX 16u

#define EVENTS_ALL (WEFT_READABLE | WEFT_WRITABLE)

/* A task's place in its loop. */
struct loop_entry {
	struct list node;
	struct list ready;
	struct weft_task *task;
	struct weft_loop *loop;
	struct watch *watch; /* NULL when the task has no descriptor. */
	uint64_t due;        /* Its deadline when it was put on the ready list. */
};

/* ---- tasks ------------------------------------------------------------------------------- */

static void on_ready(void *user, unsigned events)
{
	struct loop_entry *e = user;
	e->task->quiet = EVENTS_ALL & ~events;
	list_remove(&e->ready);
	list_push_back(&e->loop->ready, &e->ready);
}

int weft_loop_add(struct weft_loop *loop, struct weft_task *task)
{
	if (task->loop_state)
		return -EEXIST;
	struct loop_entry *e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->task = task;
	e->loop = loop;
	int r = 0;
	if (task->fd >= 0)
		r = waiter_add(loop->waiter, task->fd, on_ready, e, &e->watch);
	if (r < 0) {
		free(e);
		return r;
	}
	list_init(&e->ready);
	list_push_back(&loop->entries, &e->node);
	task->loop_state = e;
	return 0;
}

static void remove_entry(struct loop_entry *e)
{
	list_remove(&e->node);
	list_remove(&e->ready);
	if (e->watch)
		waiter_remove(e->loop->waiter, e->watch);
	e->task->loop_state = NULL;
	e->task->quiet = 0;
	free(e);
}

void weft_loop_remove(struct weft_loop *loop, struct weft_task *task)
{
	struct loop_entry *e = task->loop_state;
	if (!e)
		return;
	assert(e->loop == loop);
	remove_entry(e);
}

/* ---- who is ready ------------------------------------------------------------------------ */

/* Watches for what the task wants. Costs a system call only for a change. */
static void watch_events(const struct loop_entry *e)
{
	if (e->watch)
		waiter_set(e->loop->waiter, e->watch, e->task->events & EVENTS_ALL);
}

static uint64_t entry_deadline(const struct loop_entry *e)
{
	return e->task->deadline ? e->task->deadline(e->task) : WEFT_NEVER;
}

/* Puts e on the ready list by its deadline; among equals, who was added first goes first. */
static void queue_due(struct weft_loop *loop, struct loop_entry *e, uint64_t deadline)
{
	struct list *after = loop->ready.prev;
	while (after != &loop->ready &&
	       container_of(after, struct loop_entry, ready)->due > deadline)
		after = after->prev;
	e->due = deadline;
	e->task->quiet = EVENTS_ALL;
	list_insert_before(after->next, &e->ready);
}

/* Makes all tasks ready that are due now. Returns the earliest deadline of the others. */
static uint64_t find_due(struct weft_loop *loop)
{
	uint64_t earliest = WEFT_NEVER;
	list_for_each (node, &loop->entries) {
		struct loop_entry *e = container_of(node, struct loop_entry, node);
		uint64_t deadline = entry_deadline(e);
		if (deadline <= loop->now)
			queue_due(loop, e, deadline);
		else if (deadline < earliest)
			earliest = deadline;
	}
	return earliest;
}

/* ---- turns ------------------------------------------------------------------------------- */

static void run_ready(struct weft_loop *loop)
{
	for (struct list *node; (node = list_pop_front(&loop->ready));) {
		struct weft_task *task =
			container_of(node, struct loop_entry, ready)->task;
		task->run(task, loop->now);
	}
}

/*
 * Runs what is due, and what becomes due by that. Returns the time until which there is
 * nothing more to do; 0 when the bound was reached first.
 */
static uint64_t run_due(struct weft_loop *loop)
{
	for (unsigned round = 0; round < ROUNDS_MAX; round++) {
		loop_refresh(loop);
		uint64_t earliest = find_due(loop);
		if (list_is_empty(&loop->ready))
			return earliest;
		run_ready(loop);
	}
	return 0;
}

static void watch_all(struct weft_loop *loop)
{
	list_for_each (node, &loop->entries)
		watch_events(container_of(node, struct loop_entry, node));
}

/* Looks at the descriptors, and sleeps until one is ready or the deadline comes. */
static void wait_until(struct weft_loop *loop, uint64_t deadline)
{
	watch_all(loop);
	waiter_wait(loop->waiter, loop->busy_poll ? 0 : deadline, loop->now);
	/* Who spins in vain lets others run: with fewer cores than spinners, they must. */
	if (loop->busy_poll && list_is_empty(&loop->ready))
		(void)sched_yield();
	loop_refresh(loop);
}

/* A stop does not cut the turn short: what was handed to others in it is still done. */
int weft_loop_run(struct weft_loop *loop)
{
	uint64_t deadline = 0;
	while (!loop->stopping) {
		wait_until(loop, deadline);
		run_ready(loop);
		deadline = run_due(loop);
	}
	loop->stopping = false;
	return 0;
}

void weft_loop_stop(struct weft_loop *loop)
{
	loop->stopping = true;
}

int weft_loop_fd(const struct weft_loop *loop)
{
	return waiter_fd(loop->waiter);
}

/* The same turn as above, but that others sleep after it. */
uint64_t weft_loop_turn(struct weft_loop *loop)
{
	wait_until(loop, 0);
	run_ready(loop);
	uint64_t deadline = run_due(loop);
	watch_all(loop);
	return waiter_arm(loop->waiter, deadline, loop->now);
}

uint64_t weft_loop_now(const struct weft_loop *loop)
{
	return loop->now;
}

/* ---- beginning and end ------------------------------------------------------------------- */

int weft_loop_new(const struct weft_loop_opts *opts, struct weft_loop **ret_loop)
{
	struct weft_loop *loop = calloc(1, sizeof(*loop));
	if (!loop)
		return -ENOMEM;
	int r = uv_loop_init(&loop->uv);
	if (r < 0)
		goto free_loop;
	r = waiter_new(&loop->uv, &loop->waiter);
	if (r < 0)
		goto close_uv;
	list_init(&loop->entries);
	list_init(&loop->ready);
	list_init(&loop->signals);
	list_init(&loop->jobs);
	loop->busy_poll = opts && opts->busy_poll;
	loop_refresh(loop);
	*ret_loop = loop;
	return 0;

close_uv:
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	uv_loop_close(&loop->uv);
free_loop:
	free(loop);
	return r;
}

/*
 * Closing is finished by libuv's own turns. They last until the programs that were started
 * have ended; a look-up that is under way is left to itself.
 */
void weft_loop_free(struct weft_loop *loop)
{
	if (!loop)
		return;
	list_for_each (node, &loop->entries)
		remove_entry(container_of(node, struct loop_entry, node));
	for (struct list *node; (node = list_first(&loop->jobs));)
		weft_job_cancel(container_of(node, struct weft_job, node));
	loop_signals_close(loop);
	waiter_free(loop->waiter);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	int r = uv_loop_close(&loop->uv);
	assert(r == 0);
	(void)r;
	free(loop);
}

void weft_job_cancel(struct weft_job *job)
{
	if (!job)
		return;
	list_remove(&job->node);
	job->cancel(job);
}
