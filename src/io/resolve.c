/* SPDX-License-Identifier: MIT */
/*
 * Names to addresses by getaddrinfo(3) on a thread of libuv. A look-up that has begun cannot
 * be stopped: one that is cancelled runs to its end and its answer is thrown away.
 */
#include "io/loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Most addresses handed on. A host with more is tried at the first ones only. */
#define ADDRS_MAX 16u

struct resolve {
	struct weft_job job;
	struct weft_loop *loop;
	uv_getaddrinfo_t req;
	void (*fn)(void *user, int status, const union weft_sockaddr *addrs, size_t n);
	void *user;
	bool cancelled;
};

/* libuv's own numbers for what getaddrinfo reports, as errno has them. */
static int status_errno(int status)
{
	switch (status) {
	case UV_EAI_NONAME:
	case UV_EAI_NODATA:
		return -ENOENT;
	case UV_EAI_AGAIN:
		return -EAGAIN;
	case UV_EAI_MEMORY:
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

static void on_answer(uv_getaddrinfo_t *req, int status, struct addrinfo *info)
{
	struct resolve *r = req->data;
	union weft_sockaddr addrs[ADDRS_MAX];
	size_t n = status == 0 ? copy_addrs(info, addrs) : 0;
	uv_freeaddrinfo(info);
	if (!r->cancelled) {
		list_remove(&r->job.node);
		loop_refresh(r->loop);
		if (status == 0)
			status = n > 0 ? 0 : -ENOENT;
		else
			status = status_errno(status);
		r->fn(r->user, status, n > 0 ? addrs : NULL, n);
	}
	free(r);
}

static void cancel(struct weft_job *job)
{
	struct resolve *r = container_of(job, struct resolve, job);
	r->cancelled = true;
	/* Fails when the look-up has begun; on_answer is called in either case. */
	(void)uv_cancel((uv_req_t *)&r->req);
}

int weft_loop_resolve(struct weft_loop *loop, const char *host, uint16_t port,
		      void (*fn)(void *user, int status, const union weft_sockaddr *addrs,
				 size_t n),
		      void *user, struct weft_job **ret_job)
{
	struct resolve *r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->job.cancel = cancel;
	r->loop = loop;
	r->fn = fn;
	r->user = user;
	r->req.data = r;
	char service[8];
	snprintf(service, sizeof(service), "%u", port);
	const struct addrinfo hints = { .ai_socktype = SOCK_DGRAM,
					.ai_flags = AI_NUMERICSERV };
	int status = uv_getaddrinfo(&loop->uv, &r->req, on_answer, host, service, &hints);
	if (status < 0) {
		free(r);
		return status;
	}
	list_push_back(&loop->jobs, &r->job.node);
	if (ret_job)
		*ret_job = &r->job;
	return 0;
}
