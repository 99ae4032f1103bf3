/* SPDX-License-Identifier: MIT */
/*
 * socket(7). SO_REUSEADDR lets a listener come back while connections of the one before are
 * still in TIME-WAIT.
 */
#include "io/hostsock.h"

#include "io/socket.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 128

static int open_socket(int family, int type)
{
	int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

/* Closes fd for a call that has failed. */
static int give_up(int fd)
{
	int r = -errno;
	(void)close(fd);
	return r;
}

int hostsock_listen(const union weft_sockaddr *local)
{
	const int on = 1;
	int fd = open_socket(local->sa.sa_family, SOCK_STREAM);
	if (fd < 0)
		return fd;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, &local->sa, weft_sockaddr_len(local)) < 0 || listen(fd, BACKLOG) < 0)
		return give_up(fd);
	return fd;
}

int hostsock_accept(int fd)
{
	int stream = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (stream < 0)
		return -errno;
	(void)socket_tune(stream, NULL);
	return stream;
}

int hostsock_connect(const union weft_sockaddr *peer)
{
	int fd = open_socket(peer->sa.sa_family, SOCK_STREAM);
	if (fd < 0)
		return fd;
	(void)socket_tune(fd, NULL);
	if (connect(fd, &peer->sa, weft_sockaddr_len(peer)) < 0 && errno != EINPROGRESS)
		return give_up(fd);
	return fd;
}

int hostsock_status(int fd)
{
	union weft_sockaddr peer;
	socklen_t len = sizeof(peer), error_len = sizeof(int);
	int error = 0;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_len) < 0)
		return -errno;
	if (error != 0)
		return -error;
	if (getpeername(fd, &peer.sa, &len) < 0)
		return errno == ENOTCONN ? -EINPROGRESS : -errno;
	return 0;
}

void hostsock_shutdown(int fd)
{
	/* It may be at its end already. */
	(void)shutdown(fd, SHUT_WR);
}

void hostsock_close(int fd)
{
	(void)close(fd);
}

void hostsock_reset(int fd)
{
	const struct linger now = { .l_onoff = 1 };
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	(void)close(fd);
}

union weft_sockaddr hostsock_peer(int fd)
{
	union weft_sockaddr peer = { .in6 = { .sin6_family = AF_UNSPEC } };
	socklen_t len = sizeof(peer);
	if (getpeername(fd, &peer.sa, &len) < 0)
		peer.sa.sa_family = AF_UNSPEC;
	return peer;
}

/* ---- datagrams --------------------------------------------------------------------------- */

int hostsock_udp(const union weft_sockaddr *local)
{
	int fd = open_socket(local->sa.sa_family, SOCK_DGRAM);
	if (fd >= 0 && bind(fd, &local->sa, weft_sockaddr_len(local)) < 0)
		return give_up(fd);
	return fd;
}

int hostsock_udp_to(const union weft_sockaddr *peer)
{
	int fd = open_socket(peer->sa.sa_family, SOCK_DGRAM);
	if (fd >= 0 && connect(fd, &peer->sa, weft_sockaddr_len(peer)) < 0)
		return give_up(fd);
	return fd;
}

int hostsock_receive(int fd, void *buf, size_t len, union weft_sockaddr *ret_peer)
{
	union weft_sockaddr peer = { .in6 = { .sin6_family = AF_UNSPEC } };
	socklen_t peer_len = sizeof(peer);
	ssize_t n;
	do {
		n = recvfrom(fd, buf, len, MSG_DONTWAIT, &peer.sa, &peer_len);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (ret_peer)
		*ret_peer = peer;
	return (int)n;
}

void hostsock_send(int fd, const void *data, size_t len, const union weft_sockaddr *peer)
{
	socklen_t peer_len = peer ? weft_sockaddr_len(peer) : 0;
	(void)!sendto(fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL, peer ? &peer->sa : NULL,
		      peer_len);
}
