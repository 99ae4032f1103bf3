/* SPDX-License-Identifier: MIT */
/*
 * A descriptor is watched only from an -EAGAIN to the call of fn: who does not ask again is
 * left alone, and the other end of a pipe waits.
 */
#include "cli/fdio.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

static void fdio_run(struct weft_task *task, uint64_t now)
{
	struct fdio *io = (struct fdio *)(void *)task; /* Its first member. */
	if (!task->events)
		return;
	task->events = 0;
	io->fn(io->user, now);
}

/* What cannot be watched, as a file, is always ready. */
static uint64_t fdio_deadline(const struct weft_task *task)
{
	return task->fd < 0 && task->events ? 0 : WEFT_NEVER;
}

int fdio_start(struct fdio *io, struct weft_loop *loop, int fd,
	       void (*fn)(void *user, uint64_t now), void *user)
{
	*io = (struct fdio){
		.task = { .fd = fd, .run = fdio_run, .deadline = fdio_deadline },
		.fd = fd,
		.fn = fn,
		.user = user,
	};
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return -errno;
	int r = weft_loop_add(loop, &io->task);
	if (r != -EPERM)
		return r;
	io->task.fd = -1;
	return weft_loop_add(loop, &io->task);
}

/* Returns 0, or -EAGAIN and has the descriptor watched. An error or an end is ready, too. */
static int look(struct fdio *io, short wanted, unsigned events)
{
	struct pollfd poller = { .fd = io->fd, .events = wanted };
	if (poll(&poller, 1, 0) > 0)
		return 0;
	io->task.events = events;
	return -EAGAIN;
}

static int result(ssize_t n)
{
	if (n >= 0)
		return (int)n;
	return errno == EINTR ? -EAGAIN : -errno;
}

int fdio_read(struct fdio *io, void *buf, size_t len)
{
	int r = look(io, POLLIN, WEFT_READABLE);
	if (r < 0)
		return r;
	r = result(read(io->fd, buf, len < INT_MAX ? len : INT_MAX));
	if (r == -EAGAIN)
		io->task.events = WEFT_READABLE;
	return r;
}

int fdio_write(struct fdio *io, const void *data, size_t len)
{
	int r = look(io, POLLOUT, WEFT_WRITABLE);
	if (r < 0)
		return r;
	r = result(write(io->fd, data, len < PIPE_BUF ? len : PIPE_BUF));
	if (r == -EAGAIN)
		io->task.events = WEFT_WRITABLE;
	return r;
}
