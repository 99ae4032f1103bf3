/* SPDX-License-Identifier: MIT */
/*
 * Names to addresses by getaddrinfo(3), which can be neither awaited in a loop nor stopped: it
 * returns when the name servers have answered or been given up, and that can take half a
 * minute. So each look-up has a thread of its own that nobody waits for (io/work.h).
 */
#include "io/work.h"

#include <errno.h>
#include <netdb.h>
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
	char *host;
	char service[8];
	/* The answer, */
	int status;
	size_t n;
	union weft_sockaddr addrs[ADDRS_MAX];
	/* and who gets it. */
	void (*fn)(void *user, int status, const union weft_sockaddr *addrs, size_t n);
	void *user;
};

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

static void lookup_run(void *data)
{
	struct lookup *l = data;
	const struct addrinfo hints = { .ai_socktype = SOCK_DGRAM,
					.ai_flags = AI_NUMERICSERV };
	struct addrinfo *info = NULL;
	int status = getaddrinfo(l->host, l->service, &hints, &info);
	if (status != 0) {
		l->status = status_errno(status);
		return;
	}
	l->n = copy_addrs(info, l->addrs);
	l->status = l->n > 0 ? 0 : -ENOENT;
	freeaddrinfo(info);
}

static void lookup_done(void *data)
{
	const struct lookup *l = data;
	l->fn(l->user, l->status, l->n > 0 ? l->addrs : NULL, l->n);
}

static void lookup_free(void *data)
{
	struct lookup *l = data;
	free(l->host);
	free(l);
}

int weft_loop_resolve(struct weft_loop *loop, const char *host, uint16_t port,
		      void (*fn)(void *user, int status, const union weft_sockaddr *addrs,
				 size_t n),
		      void *user, struct weft_job **ret_job)
{
	static const struct work_ops ops = { lookup_run, lookup_done, lookup_free };
	struct lookup *l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	l->host = strdup(host);
	l->fn = fn;
	l->user = user;
	(void)snprintf(l->service, sizeof(l->service), "%u", port);
	if (!l->host) {
		lookup_free(l);
		return -ENOMEM;
	}
	return work_start(loop, &ops, l, ret_job);
}
