/* SPDX-License-Identifier: MIT */
/*
 * A socket that listens is ready as long as somebody waits: where no descriptor is left to
 * accept with, it is left alone for a while.
 */
#include "base/container.h"
#include "base/time.h"
#include "io/hostsock.h"
#include "service/forward.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ACCEPTS_MAX 16u /* per run */
#define PAUSE_NS    (200 * NS_PER_MS)

static void door_run(struct weft_task *task, uint64_t now)
{
	struct door *door = container_of(task, struct door, task);
	door->resume_at = WEFT_NEVER;
	task->events = WEFT_READABLE;
	for (unsigned i = 0; i < ACCEPTS_MAX; i++) {
		int fd = hostsock_accept(task->fd);
		if (fd >= 0) {
			door->admit(door, fd, now);
			continue;
		}
		if (fd == -EMFILE || fd == -ENFILE || fd == -ENOBUFS || fd == -ENOMEM) {
			task->events = 0;
			door->resume_at = now + PAUSE_NS;
		}
		return;
	}
}

static uint64_t door_deadline(const struct weft_task *task)
{
	return container_of_const(task, struct door, task)->resume_at;
}

static struct door *door_new(struct weft_forwarder *f)
{
	struct door *door = malloc(sizeof(*door));
	if (!door)
		return NULL;
	*door = (struct door){
		.task = { .fd = -1,
			  .events = WEFT_READABLE,
			  .run = door_run,
			  .deadline = door_deadline },
		.forwarder = f,
		.resume_at = WEFT_NEVER,
	};
	list_push_back(&f->doors, &door->node);
	return door;
}

static void door_free(struct door *door)
{
	list_remove(&door->node);
	free(door->host);
	free(door);
}

int door_open(struct weft_forwarder *f, const union weft_sockaddr *local,
	      const char *host, uint16_t port,
	      void (*admit)(struct door *door, int fd, uint64_t now))
{
	int fd = hostsock_listen(local);
	if (fd < 0)
		return fd;
	struct door *door = door_new(f);
	int r = -ENOMEM;
	if (door && host) {
		door->host = strdup(host);
		door->port = port;
	}
	if (door && (door->host || !host)) {
		door->task.fd = fd;
		door->admit = admit;
		r = weft_loop_add(f->opts.loop, &door->task);
	}
	if (r == 0)
		return 0;
	hostsock_close(fd);
	if (door)
		door_free(door);
	return r;
}

static void on_acceptable(void *user, struct weft_tcp_listener *listener, uint64_t now)
{
	(void)listener;
	stream_accept(user, now);
}

int door_open_inside(struct weft_forwarder *f, const union weft_sockaddr *local,
		     const union weft_sockaddr *target)
{
	struct door *door = door_new(f);
	if (!door)
		return -ENOMEM;
	door->target = *target;
	const struct weft_tcp_listen_opts opts = { .on_acceptable = on_acceptable,
						   .user = door };
	int r = weft_tcp_listen(f->opts.stack, local, &opts, &door->listener);
	if (r < 0)
		door_free(door);
	return r;
}

void door_close(struct door *door, uint64_t now)
{
	weft_loop_remove(door->forwarder->opts.loop, &door->task);
	if (door->task.fd >= 0)
		hostsock_close(door->task.fd);
	weft_tcp_listener_close(door->listener, now);
	door_free(door);
}
