/* SPDX-License-Identifier: MIT */
/*
 * System calls on the sockets of others.
 */
#include "io/socket.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

int socket_addr(int fd, union weft_sockaddr *ret_addr)
{
	union weft_sockaddr addr = { .in6 = { .sin6_family = AF_UNSPEC } };
	socklen_t len = sizeof(addr);
	if (getsockname(fd, &addr.sa, &len) < 0)
		return -errno;
	*ret_addr = addr;
	return 0;
}

bool socket_has_ended(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLRDHUP };
	return poll(&p, 1, 0) == 1;
}

void socket_break(int fd)
{
	/* It may be at its end already. */
	(void)shutdown(fd, SHUT_RDWR);
}
