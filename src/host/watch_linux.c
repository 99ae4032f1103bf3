/* SPDX-License-Identifier: MIT */
/*
 * A socket in the multicast groups of rtnetlink(7). What a message says is not read: who is
 * told looks at all there is, and the kernel drops messages when there are too many of them
 * (ENOBUFS), which says as well that something has changed.
 *
 * Changes come in bursts: an interface that goes down takes its addresses and routes along. So
 * the first one is told at once and what follows a tenth of a second later, in one.
 */
#include "base/container.h"
#include "base/time.h"

#include <weft/host.h>

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAUSE_NS (100 * NS_PER_MS)

struct weft_host_watch {
	struct weft_task task;
	void (*fn)(void *user, uint64_t now);
	void *user;
	uint64_t told_ns; /* when it was last called; 0: never */
	bool has_news;
};

static void drain(struct weft_host_watch *watch)
{
	char buf[8192];
	ssize_t n;
	do {
		n = recv(watch->task.fd, buf, sizeof(buf), MSG_DONTWAIT);
		watch->has_news |= n > 0 || (n < 0 && errno == ENOBUFS);
	} while (n > 0 || (n < 0 && (errno == ENOBUFS || errno == EINTR)));
}

static uint64_t deadline(const struct weft_task *task)
{
	const struct weft_host_watch *watch =
		container_of_const(task, struct weft_host_watch, task);
	if (!watch->has_news)
		return WEFT_NEVER;
	return watch->told_ns ? watch->told_ns + PAUSE_NS : 0;
}

static void run(struct weft_task *task, uint64_t now)
{
	struct weft_host_watch *watch = container_of(task, struct weft_host_watch, task);
	drain(watch);
	if (deadline(task) > now)
		return;
	watch->has_news = false;
	watch->told_ns = now;
	watch->fn(watch->user, now);
}

static int open_socket(void)
{
	const struct sockaddr_nl addr = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE |
			     RTMGRP_IPV6_IFADDR | RTMGRP_IPV6_ROUTE,
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_ROUTE);
	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0) {
		int error = -errno;
		(void)close(fd);
		return error;
	}
	return fd;
}

int weft_host_watch_new(void (*fn)(void *user, uint64_t now), void *user,
			struct weft_error *err, struct weft_host_watch **ret_watch)
{
	struct weft_host_watch *watch = calloc(1, sizeof(*watch));
	int fd = watch ? open_socket() : -ENOMEM;
	if (fd < 0) {
		free(watch);
		return weft_error_set(err, fd, "cannot watch this machine's routes: %s",
				      strerror(-fd));
	}
	watch->task = (struct weft_task){
		.fd = fd, .events = WEFT_READABLE, .run = run, .deadline = deadline
	};
	watch->fn = fn;
	watch->user = user;
	*ret_watch = watch;
	return 0;
}

void weft_host_watch_free(struct weft_host_watch *watch)
{
	if (!watch)
		return;
	(void)close(watch->task.fd);
	free(watch);
}

struct weft_task *weft_host_watch_task(struct weft_host_watch *watch)
{
	return &watch->task;
}
