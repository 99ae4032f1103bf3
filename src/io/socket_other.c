/* SPDX-License-Identifier: MIT */
/*
 * Where there is no more than what POSIX has: connections are as the system makes them.
 */
#include "io/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

int socket_tune(int fd, const char *congestion)
{
	const int on = 1;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	return congestion ? -ENOTSUP : 0;
}

void socket_change_congestion(int fd, const char *congestion)
{
	(void)fd;
	(void)congestion;
}

void socket_push(int fd)
{
	(void)fd;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): where the system tells, it is written to. */
int socket_taken(int fd, uint64_t *ret_bytes)
{
	(void)fd;
	(void)ret_bytes;
	return -ENOTSUP;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): where the system tells, it is written to. */
int socket_path(int fd, struct socket_path *ret_path)
{
	(void)fd;
	(void)ret_path;
	return -ENOTSUP;
}

size_t socket_under_way(int fd)
{
	(void)fd;
	return 0;
}

void socket_congestions(char *ret_names, size_t len)
{
	(void)len;
	ret_names[0] = '\0';
}
