/* SPDX-License-Identifier: MIT */
/*
 * A socket that listens for TCP connections, and those of one process that come after each other:
 *
 *     at the same address    the next one has the same socket: what waits in it is not refused, and
 *                            no right to the port is needed again
 *     at one that overlaps   ([::]:80 and 127.0.0.1:80) both are there, side by side
 *
 * Another program at the port is an error all the same.
 */
#ifndef IO_LISTENER_H
#define IO_LISTENER_H

#include "base/list.h"

#include <weft/addr.h>
#include <weft/frame.h>

struct listener {
	struct list node; /**< Among those of the process. */
	union weft_sockaddr addr;
	int fd;
};

/**
 * Listens, beside the others (NULL: there are none), and joins them. Returns 0, or -Exxx, and then
 * listener_close is harmless.
 */
int listener_open(struct listener *listener, struct list *others,
		  const union weft_sockaddr *addr) WEFT_MUST_CHECK;

/** What waits goes to another that has the same socket, or is refused. Harmless when closed. */
void listener_close(struct listener *listener);

#endif
