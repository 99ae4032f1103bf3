/* SPDX-License-Identifier: MIT */
/*
 * System calls on the sockets of others, and on one that is only tried.
 */
#include "io/socket.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

int socket_addr(int fd, union weft_sockaddr *ret_addr)
{
	union weft_sockaddr addr = { .in6 = { .sin6_family = AF_UNSPEC } };
	socklen_t len = sizeof(addr);
	if (getsockname(fd, &addr.sa, &len) < 0)
		return -errno;
	*ret_addr = addr;
	return 0;
}

int socket_try_congestion(const char *congestion)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int r = socket_tune(fd, congestion);
	(void)close(fd);
	return r;
}

bool socket_has_ended(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLRDHUP };
	return poll(&p, 1, 0) == 1;
}

/* iovec has no const: sendmsg writes nothing there. */
static struct iovec iovec_of(const struct socket_piece *piece)
{
	union {
		const uint8_t *data;
		void *base;
	} bytes = { .data = piece->data };
	return (struct iovec){ .iov_base = bytes.base, .iov_len = piece->len };
}

static int send_pieces(int fd, const struct socket_piece *pieces, size_t n, int flags)
{
	struct iovec iov[SOCKET_PIECES_MAX];
	struct msghdr message = { .msg_iov = iov, .msg_iovlen = n };
	ssize_t sent;
	assert(n <= SOCKET_PIECES_MAX);
	for (size_t i = 0; i < n; i++)
		iov[i] = iovec_of(&pieces[i]);
	do {
		sent = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL | flags);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return -errno;
	return (int)sent;
}

int socket_send(int fd, const struct socket_piece *pieces, size_t n)
{
	return send_pieces(fd, pieces, n, 0);
}

int socket_send_apart(int fd, const struct socket_piece *pieces, size_t n)
{
	return send_pieces(fd, pieces, n, MSG_EOR);
}

bool socket_has_room(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	return poll(&p, 1, 0) == 1;
}

int socket_recv(int fd, uint8_t *buf, size_t len)
{
	ssize_t n;
	do {
		n = recv(fd, buf, len, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : (int)n;
}

void socket_break(int fd)
{
	/* It may be at its end already. */
	(void)shutdown(fd, SHUT_RDWR);
}
