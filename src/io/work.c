/* SPDX-License-Identifier: MIT */
/*
 * The thread tells the loop by an async handle, which it must not touch once the loop's side has
 * gone: so whether there is still one stands under a lock.
 */
#include "io/work.h"

#include "io/loop.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

/* What both sides share. */
struct shared {
	pthread_mutex_t lock;
	uv_async_t *wake; /* Under lock. NULL once nobody wants to know of the end. */
	unsigned sides;   /* Under lock. Who holds it: loop, thread or both. */
	const struct work_ops *ops;
	void *data;
};

struct work {
	struct weft_job job;
	struct weft_loop *loop;
	struct shared *shared;
	uv_async_t wake;
};

/* ---- what both sides share --------------------------------------------------------------- */

static struct shared *shared_new(const struct work_ops *ops, void *data, uv_async_t *wake)
{
	struct shared *s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	(void)pthread_mutex_init(&s->lock, NULL);
	s->wake = wake;
	s->sides = 1;
	s->ops = ops;
	s->data = data;
	return s;
}

static void shared_let_go(struct shared *s)
{
	pthread_mutex_lock(&s->lock);
	bool was_last = --s->sides == 0;
	pthread_mutex_unlock(&s->lock);
	if (!was_last)
		return;
	(void)pthread_mutex_destroy(&s->lock);
	s->ops->free(s->data);
	free(s);
}

/* When it returns, the thread is not in uv_async_send and will not be. */
static void shared_silence(struct shared *s)
{
	pthread_mutex_lock(&s->lock);
	s->wake = NULL;
	pthread_mutex_unlock(&s->lock);
}

/* ---- the thread's side ------------------------------------------------------------------- */

static void *work_thread(void *arg)
{
	struct shared *s = arg;
	s->ops->run(s->data);
	pthread_mutex_lock(&s->lock);
	if (s->wake)
		(void)uv_async_send(s->wake);
	pthread_mutex_unlock(&s->lock);
	shared_let_go(s);
	return NULL;
}

/* Signals are for the thread that runs the loop, so this one starts with all of them blocked. */
static int thread_start(struct shared *s)
{
	pthread_t thread;
	sigset_t all, before;
	sigfillset(&all);
	s->sides = 2;
	pthread_sigmask(SIG_BLOCK, &all, &before);
	int error = pthread_create(&thread, NULL, work_thread, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error != 0) {
		s->sides = 1;
		return -error;
	}
	(void)pthread_detach(thread);
	return 0;
}

/* ---- the loop's side --------------------------------------------------------------------- */

static void free_closed(uv_handle_t *handle)
{
	struct work *w = handle->data;
	shared_let_go(w->shared);
	free(w);
}

static void on_wake(uv_async_t *wake)
{
	struct work *w = wake->data;
	struct shared *s = w->shared;
	shared_silence(s);
	uv_close((uv_handle_t *)wake, free_closed);
	list_remove(&w->job.node);
	loop_refresh(w->loop);
	s->ops->done(s->data);
}

static void cancel(struct weft_job *job)
{
	struct work *w = container_of(job, struct work, job);
	shared_silence(w->shared);
	uv_close((uv_handle_t *)&w->wake, free_closed);
}

int work_start(struct weft_loop *loop, const struct work_ops *ops, void *data,
	       struct weft_job **ret_job)
{
	struct work *w = calloc(1, sizeof(*w));
	int error = -ENOMEM;
	if (!w)
		goto free_data;
	*w = (struct work){ .job.cancel = cancel, .loop = loop };
	w->shared = shared_new(ops, data, &w->wake);
	if (!w->shared)
		goto free_work;
	error = uv_async_init(&loop->uv, &w->wake, on_wake);
	if (error < 0)
		goto free_shared;
	w->wake.data = w;
	list_push_back(&loop->jobs, &w->job.node);
	error = thread_start(w->shared);
	if (error < 0) {
		weft_job_cancel(&w->job);
		return error;
	}
	if (ret_job)
		*ret_job = &w->job;
	return 0;

free_shared:
	shared_let_go(w->shared);
	free(w);
	return error;
free_work:
	free(w);
free_data:
	ops->free(data);
	return error;
}
