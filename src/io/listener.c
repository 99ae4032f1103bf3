/* SPDX-License-Identifier: MIT */
/*
 * Two sockets share a port by SO_REUSEPORT, which both have to say: here for the moment in which
 * the second is bound, and only where there is a first. So a second weft that is at the same port
 * by mistake is told. (Linux remembers of a port that it was shared; a program of the same user
 * that says SO_REUSEPORT itself gets it then.)
 */
#include "io/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG_LEN 1024

static void share_port(int fd, bool is_shared)
{
	const int on = is_shared;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
}

/* fd's, and that of all others which have it. */
static void share_ports(int fd, const struct list *others, uint16_t port, bool is_shared)
{
	list_for_each (node, others) {
		const struct listener *other =
			container_of_const(node, struct listener, node);
		if (weft_sockaddr_port(&other->addr) != port)
			continue;
		share_port(other->fd, is_shared);
		share_port(fd, is_shared);
	}
}

/* One for all addresses is for those of IPv4 as well. */
static int bind_and_listen(int fd, const union weft_sockaddr *addr)
{
	const int on = 1;
	const int is_ip6_alone = addr->sa.sa_family == AF_INET6 &&
				 !IN6_IS_ADDR_UNSPECIFIED(&addr->in6.sin6_addr);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (addr->sa.sa_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &is_ip6_alone,
		       sizeof(is_ip6_alone)) < 0)
		return -errno;
	if (bind(fd, &addr->sa, weft_sockaddr_len(addr)) < 0 ||
	    listen(fd, BACKLOG_LEN) < 0)
		return -errno;
	return 0;
}

static int open_beside(const struct list *others, const union weft_sockaddr *addr)
{
	const uint16_t port = weft_sockaddr_port(addr);
	int fd =
		socket(addr->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	share_ports(fd, others, port, true);
	int r = bind_and_listen(fd, addr);
	share_ports(fd, others, port, false);
	if (r < 0)
		(void)close(fd);
	return r < 0 ? r : fd;
}

static int dup_of(int fd)
{
	int r = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return r < 0 ? -errno : r;
}

static const struct listener *find(const struct list *others,
				   const union weft_sockaddr *addr)
{
	list_for_each (node, others) {
		const struct listener *other = container_of(node, struct listener, node);
		if (weft_sockaddr_equal(&other->addr, addr))
			return other;
	}
	return NULL;
}

/* Port 0 is another one each time. */
int listener_open(struct listener *listener, struct list *others,
		  const union weft_sockaddr *addr)
{
	struct list nobody;
	list_init(&nobody);
	*listener = (struct listener){ .addr = *addr, .fd = -1 };
	list_init(&listener->node);
	if (!others)
		others = &nobody;
	const struct listener *same =
		weft_sockaddr_port(addr) ? find(others, addr) : NULL;
	int r = same ? dup_of(same->fd) : open_beside(others, addr);
	if (r < 0)
		return r;
	listener->fd = r;
	if (others != &nobody)
		list_push_back(others, &listener->node);
	return 0;
}

void listener_close(struct listener *listener)
{
	if (listener->fd < 0)
		return;
	list_remove(&listener->node);
	(void)close(listener->fd);
	listener->fd = -1;
}
