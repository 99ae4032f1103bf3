/* SPDX-License-Identifier: MIT */
/*
 * Names to addresses by getaddrinfo(3), which can be neither awaited in a loop nor stopped: it
 * returns when the name servers have answered or been given up, and that can take half a
 * minute. So each look-up has a thread of its own that nobody waits for. (libuv's threads
 * are joined when the process ends.)
 *
 *     loop's side                                thread's side
 *     resolve: waits for the answer       lookup: getaddrinfo ...
 *       |  cancelled, or loop freed:        |
 *       '- lookup.wake = NULL, goes         '- wake? tells the loop : throws the answer away
 *
 * The lookup is what both sides share, and the last one to let go of it frees it. A thread
 * that is still at it when the process ends goes with the process.
 */
#include "io/loop.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A name that is there, but not with an address: not in POSIX, and not everywhere. */
#ifndef EAI_NODATA
#define EAI_NODATA EAI_NONAME
#endif

/* Most addresses handed on. A host with more is tried at the first ones only. */
#define ADDRS_MAX 16u

struct lookup {
	pthread_mutex_t lock;
	uv_async_t *wake; /* Under lock. NULL once nobody wants the answer. */
	unsigned sides;   /* Under lock. Who holds it: loop, thread or both. */
	char *host;
	char service[8];
	int status;
	size_t n;
	union weft_sockaddr addrs[ADDRS_MAX];
};

struct resolve {
	struct weft_job job;
	struct weft_loop *loop;
	struct lookup *lookup;
	uv_async_t wake;
	void (*fn)(void *user, int status, const union weft_sockaddr *addrs, size_t n);
	void *user;
};

/* ---- What both sides share ---- */

static int lookup_new(const char *host, uint16_t port, uv_async_t *wake,
		      struct lookup **ret_lookup)
{
	struct lookup *l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	l->host = strdup(host);
	if (!l->host) {
		free(l);
		return -ENOMEM;
	}
	(void)pthread_mutex_init(&l->lock, NULL);
	snprintf(l->service, sizeof(l->service), "%u", port);
	l->wake = wake;
	l->sides = 1;
	*ret_lookup = l;
	return 0;
}

static void lookup_let_go(struct lookup *l)
{
	pthread_mutex_lock(&l->lock);
	bool was_last = --l->sides == 0;
	pthread_mutex_unlock(&l->lock);
	if (!was_last)
		return;
	(void)pthread_mutex_destroy(&l->lock);
	free(l->host);
	free(l);
}

/* ---- The thread's side ---- */

/* What getaddrinfo reports, as errno has it. */
static int status_errno(int status)
{
	if (status == EAI_NODATA)
		return -ENOENT;
	switch (status) {
	case EAI_NONAME:
		return -ENOENT;
	case EAI_AGAIN:
		return -EAGAIN;
	case EAI_MEMORY:
		return -ENOMEM;
	default:
		return -EHOSTUNREACH;
	}
}

static size_t copy_addrs(const struct addrinfo *info,
			 union weft_sockaddr addrs[ADDRS_MAX])
{
	size_t n = 0;
	for (; info && n < ADDRS_MAX; info = info->ai_next) {
		if (info->ai_family != AF_INET && info->ai_family != AF_INET6)
			continue;
		addrs[n] = (union weft_sockaddr){ 0 };
		memcpy(&addrs[n++], info->ai_addr, info->ai_addrlen);
	}
	return n;
}

static void *lookup_thread(void *arg)
{
	struct lookup *l = arg;
	const struct addrinfo hints = { .ai_socktype = SOCK_DGRAM,
					.ai_flags = AI_NUMERICSERV };
	struct addrinfo *info = NULL;
	int status = getaddrinfo(l->host, l->service, &hints, &info);
	if (status == 0) {
		l->n = copy_addrs(info, l->addrs);
		l->status = l->n > 0 ? 0 : -ENOENT;
		freeaddrinfo(info);
	} else {
		l->status = status_errno(status);
	}
	pthread_mutex_lock(&l->lock);
	if (l->wake)
		(void)uv_async_send(l->wake);
	pthread_mutex_unlock(&l->lock);
	lookup_let_go(l);
	return NULL;
}

/* Signals are for the thread that runs the loop, so this one starts with all of them blocked. */
static int lookup_start(struct lookup *l)
{
	pthread_t thread;
	sigset_t all, before;
	sigfillset(&all);
	l->sides = 2;
	pthread_sigmask(SIG_BLOCK, &all, &before);
	int error = pthread_create(&thread, NULL, lookup_thread, l);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error != 0) {
		l->sides = 1;
		return -error;
	}
	(void)pthread_detach(thread);
	return 0;
}

/* ---- The loop's side ---- */

static void free_closed(uv_handle_t *handle)
{
	struct resolve *r = handle->data;
	lookup_let_go(r->lookup);
	free(r);
}

/* When it returns, the thread is not in uv_async_send and will not be. */
static void lookup_silence(struct lookup *l)
{
	pthread_mutex_lock(&l->lock);
	l->wake = NULL;
	pthread_mutex_unlock(&l->lock);
}

static void on_wake(uv_async_t *wake)
{
	struct resolve *r = wake->data;
	struct lookup *l = r->lookup;
	lookup_silence(l);
	uv_close((uv_handle_t *)wake, free_closed);
	list_remove(&r->job.node);
	loop_refresh(r->loop);
	r->fn(r->user, l->status, l->n > 0 ? l->addrs : NULL, l->n);
}

static void cancel(struct weft_job *job)
{
	struct resolve *r = container_of(job, struct resolve, job);
	lookup_silence(r->lookup);
	uv_close((uv_handle_t *)&r->wake, free_closed);
}

int weft_loop_resolve(struct weft_loop *loop, const char *host, uint16_t port,
		      void (*fn)(void *user, int status, const union weft_sockaddr *addrs,
				 size_t n),
		      void *user, struct weft_job **ret_job)
{
	struct resolve *r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	*r = (struct resolve){
		.job.cancel = cancel, .loop = loop, .fn = fn, .user = user
	};
	int error = lookup_new(host, port, &r->wake, &r->lookup);
	if (error < 0)
		goto free_resolve;
	error = uv_async_init(&loop->uv, &r->wake, on_wake);
	if (error < 0)
		goto free_lookup;
	r->wake.data = r;
	list_push_back(&loop->jobs, &r->job.node);
	error = lookup_start(r->lookup);
	if (error < 0) {
		weft_job_cancel(&r->job);
		return error;
	}
	if (ret_job)
		*ret_job = &r->job;
	return 0;

free_lookup:
	lookup_let_go(r->lookup);
free_resolve:
	free(r);
	return error;
}
