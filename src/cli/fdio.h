/* SPDX-License-Identifier: MIT */
/*
 * Standard input and output in a loop, whatever they are: a terminal, a pipe, a file.
 *
 * They belong to other processes as well, so that O_NONBLOCK must not be set on them. Instead,
 * poll(2) is asked before each read and each write, and a write is short enough for a pipe that
 * has room at all (PIPE_BUF). So these calls do not block, and say -EAGAIN where they would:
 * then fn is called when it is time to try again.
 */
#ifndef CLI_FDIO_H
#define CLI_FDIO_H

#include <weft/loop.h>

#include <stddef.h>
#include <stdint.h>

/** One of the two. Embedded; must not move. */
struct fdio {
	struct weft_task task;
	int fd; /**< Also where the loop cannot watch it: a file. */
	void (*fn)(void *user, uint64_t now);
	void *user;
};

/** Begins with fd 0 or 1. A reader of stdout that goes away is then an error, no signal. */
int fdio_start(struct fdio *io, struct weft_loop *loop, int fd,
	       void (*fn)(void *user, uint64_t now), void *user)
	__attribute__((warn_unused_result));

/** Reads at most len bytes. Returns how many, 0 at the end, -EAGAIN or another error. */
int fdio_read(struct fdio *io, void *buf, size_t len) __attribute__((warn_unused_result));

/** Writes some of the len bytes. Returns how many, -EAGAIN, -EPIPE or another error. */
int fdio_write(struct fdio *io, const void *data, size_t len)
	__attribute__((warn_unused_result));

#endif
