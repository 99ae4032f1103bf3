/* SPDX-License-Identifier: MIT */
/*
 * What google's packetdrill asks of a shared object that it loads with --so_filename: a table of
 * functions, in this order. Socket calls return as those of the manual do, with errno; each has
 * in front of its arguments what userdata is.
 */
#ifndef TESTS_PACKETDRILL_INTERFACE_H
#define TESTS_PACKETDRILL_INTERFACE_H

#include <weft/frame.h>

#include <poll.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>

struct packetdrill_interface {
	void *userdata;
	void (*free)(void *user);
	int (*socket)(void *user, int domain, int type, int protocol);
	int (*bind)(void *user, int fd, const struct sockaddr *addr, socklen_t len);
	int (*listen)(void *user, int fd, int backlog);
	int (*accept)(void *user, int fd, struct sockaddr *addr, socklen_t *len);
	int (*connect)(void *user, int fd, const struct sockaddr *addr, socklen_t len);
	ssize_t (*read)(void *user, int fd, void *buf, size_t len);
	ssize_t (*readv)(void *user, int fd, const struct iovec *iov, int n);
	ssize_t (*recv)(void *user, int fd, void *buf, size_t len, int flags);
	ssize_t (*recvfrom)(void *user, int fd, void *buf, size_t len, int flags,
			    struct sockaddr *addr, socklen_t *addr_len);
	ssize_t (*recvmsg)(void *user, int fd, struct msghdr *msg, int flags);
	ssize_t (*write)(void *user, int fd, const void *buf, size_t len);
	ssize_t (*writev)(void *user, int fd, const struct iovec *iov, int n);
	ssize_t (*send)(void *user, int fd, const void *buf, size_t len, int flags);
	ssize_t (*sendto)(void *user, int fd, const void *buf, size_t len, int flags,
			  const struct sockaddr *addr, socklen_t addr_len);
	ssize_t (*sendmsg)(void *user, int fd, const struct msghdr *msg, int flags);
	int (*fcntl)(void *user, int fd, int cmd, ...);
	int (*ioctl)(void *user, int fd, unsigned long request, ...);
	int (*close)(void *user, int fd);
	int (*shutdown)(void *user, int fd, int how);
	int (*getsockopt)(void *user, int fd, int level, int name, void *value,
			  socklen_t *len);
	int (*setsockopt)(void *user, int fd, int level, int name, const void *value,
			  socklen_t len);
	int (*poll)(void *user, struct pollfd *fds, nfds_t n, int timeout);
	/** A packet of the script's, without a link's header. */
	int (*netdev_send)(void *user, const void *buf, size_t len);
	/** The next packet of the stack's and when it was sent; waits for it. */
	int (*netdev_receive)(void *user, void *buf, size_t *len, long long *time_us);
	int (*usleep)(void *user, useconds_t us);
	int (*gettimeofday)(void *user, struct timeval *tv, struct timezone *tz);
	int (*epoll_create)(void *user, int size);
	int (*epoll_ctl)(void *user, int epfd, int op, int fd, struct epoll_event *event);
	int (*epoll_wait)(void *user, int epfd, struct epoll_event *events, int max,
			  int timeout);
	int (*pipe)(void *user, int fds[2]);
	int (*splice)(void *user, int in, off_t *in_off, int out, off_t *out_off,
		      size_t len, unsigned flags);
};

/** What packetdrill looks for. flags is what --so_flags says; "ip6" is for an MTU of 1520. */
WEFT_API void packetdrill_interface_init(const char *flags,
					 struct packetdrill_interface *interface);

#endif
