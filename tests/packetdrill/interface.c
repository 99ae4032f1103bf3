/* SPDX-License-Identifier: MIT */
/*
 * The stack for google's packetdrill, in virtual time.
 *
 * packetdrill takes all its time from gettimeofday and does all its waiting in usleep and
 * netdev_receive, so time is what these make it: a script of a minute takes a moment, and what
 * it measures is exact. Two threads of packetdrill's come here: one that runs the script, and
 * one for calls that the script says are to block. Time must not run on between what ends such
 * a call and the look at the clock that packetdrill takes then:
 *
 *      script      step ---- settle (waits) ------------------------- step
 *                       \                                         /
 *      call    waits ... tries again: would block still .........'
 *              waits ... tries again: returns, and asks what time it is
 */
#include "interface.h"

#include "base/time.h"
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MTU     1500u
#define MTU_IP6 1520u /* As packetdrill's --mtu says for the same segments over IPv6. */
#define BUFFER  (1u << 20)

struct drill {
	struct host host;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	pthread_t script; /* The thread that runs the script. */
	bool is_waiting;  /* A call of the other thread's waits, ... */
	bool is_to_try;   /* ... and something has happened since it tried. */
	bool is_to_look;  /* It has returned, and has not looked at the clock. */
};

static bool is_script(const struct drill *d)
{
	return pthread_equal(d->script, pthread_self());
}

static struct drill *enter(void *user)
{
	struct drill *d = user;
	(void)pthread_mutex_lock(&d->mutex);
	return d;
}

/* The return value of a call, with errno. */
static int leave(struct drill *d, int result)
{
	(void)pthread_mutex_unlock(&d->mutex);
	if (result >= 0)
		return result;
	errno = -result;
	return -1;
}

/* ---- time -------------------------------------------------------------------------------- */

/* Something has happened: lets the other thread's call see it, and the clock while it is so. */
static void settle(struct drill *d)
{
	if (!is_script(d))
		return;
	d->is_to_try = d->is_waiting;
	(void)pthread_cond_broadcast(&d->changed);
	while (d->is_to_try || d->is_to_look)
		(void)pthread_cond_wait(&d->changed, &d->mutex);
}

/* To what happens next, if it does until then. */
static void step(struct drill *d, uint64_t until)
{
	uint64_t next = host_next(&d->host);
	host_run_until(&d->host, next < until ? next : until);
	settle(d);
}

static void wait_for_something(struct drill *d)
{
	if (is_script(d)) {
		if (host_next(&d->host) == WEFT_NEVER) {
			(void)fprintf(stderr,
				      "weft: nothing will ever happen any more\n");
			exit(1);
		}
		step(d, WEFT_NEVER);
		return;
	}
	d->is_waiting = true;
	d->is_to_try = false;
	(void)pthread_cond_broadcast(&d->changed);
	while (!d->is_to_try)
		(void)pthread_cond_wait(&d->changed, &d->mutex);
}

/* The end of a call that may have waited. */
static int leave_waiting(struct drill *d, int result)
{
	if (d->is_waiting && !is_script(d)) {
		d->is_to_look = true;
		d->is_waiting = d->is_to_try = false;
	}
	return leave(d, result);
}

static bool is_to_wait(const struct drill *d, int fd, int result)
{
	return (result == -EAGAIN || result == -EINPROGRESS) &&
	       host_is_blocking(&d->host, fd);
}

static int drill_usleep(void *user, useconds_t us)
{
	struct drill *d = enter(user);
	uint64_t until = d->host.now + us * NS_PER_US;
	settle(d);
	while (d->host.now < until)
		step(d, until);
	return leave(d, 0);
}

/*
 * It goes on by a microsecond each time, because packetdrill also waits by looking at it: for an
 * event in the script's thread, and in the other, while that one stands, for a call's time to
 * begin. Only the look that tells when a call has returned leaves it as it is.
 */
static int drill_gettimeofday(void *user, struct timeval *tv, struct timezone *tz)
{
	struct drill *d = enter(user);
	(void)tz;
	if (!is_script(d) && d->is_to_look) {
		d->is_to_look = false;
		(void)pthread_cond_broadcast(&d->changed);
	} else {
		settle(d);
		step(d, d->host.now + NS_PER_US);
	}
	uint64_t us = d->host.now / NS_PER_US;
	tv->tv_sec = (time_t)(us / 1000000);
	tv->tv_usec = (suseconds_t)(us % 1000000);
	return leave(d, 0);
}

/* ---- packets ----------------------------------------------------------------------------- */

static int drill_netdev_send(void *user, const void *buf, size_t len)
{
	struct drill *d = enter(user);
	host_packet_in(&d->host, buf, len);
	settle(d);
	return leave(d, 0);
}

static int drill_netdev_receive(void *user, void *buf, size_t *len, long long *time_us)
{
	struct drill *d = enter(user);
	settle(d);
	while (!host_has_packet(&d->host))
		wait_for_something(d);
	struct host_packet *packet = host_packet_out(&d->host);
	*len = packet->len < *len ? packet->len : *len;
	*time_us = (long long)(packet->at / NS_PER_US);
	memcpy(buf, packet->bytes, *len);
	free(packet);
	return leave(d, 0);
}

/* ---- names ------------------------------------------------------------------------------- */

static union weft_sockaddr address_of(const struct sockaddr *addr, socklen_t len)
{
	union weft_sockaddr sa = { 0 };
	memcpy(&sa, addr, len < sizeof(sa) ? len : sizeof(sa));
	return sa;
}

static void give_address(const union weft_sockaddr *sa, struct sockaddr *addr,
			 socklen_t *len)
{
	socklen_t whole = weft_sockaddr_len(sa);
	if (!addr || !len)
		return;
	memcpy(addr, sa, whole < *len ? whole : *len);
	*len = whole;
}

static int drill_socket(void *user, int domain, int type, int protocol)
{
	struct drill *d = enter(user);
	(void)protocol;
	return leave(d, host_socket(&d->host, domain, type));
}

static int drill_bind(void *user, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct drill *d = enter(user);
	union weft_sockaddr local = address_of(addr, len);
	return leave(d, host_bind(&d->host, fd, &local));
}

static int drill_listen(void *user, int fd, int backlog)
{
	struct drill *d = enter(user);
	return leave(d, host_listen(&d->host, fd, backlog));
}

static int drill_accept(void *user, int fd, struct sockaddr *addr, socklen_t *len)
{
	struct drill *d = enter(user);
	union weft_sockaddr peer;
	int r;
	while (is_to_wait(d, fd, r = host_accept(&d->host, fd)))
		wait_for_something(d);
	if (r >= 0 && weft_socket_peer(d->host.sockets, r, &peer) == 0)
		give_address(&peer, addr, len);
	return leave_waiting(d, r);
}

static int drill_connect(void *user, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct drill *d = enter(user);
	union weft_sockaddr peer = address_of(addr, len);
	int r = host_connect(&d->host, fd, &peer);
	while (is_to_wait(d, fd, r)) {
		wait_for_something(d);
		r = host_connected(&d->host, fd);
	}
	return leave_waiting(d, r);
}

static int drill_close(void *user, int fd)
{
	struct drill *d = enter(user);
	return leave(d, host_close(&d->host, fd));
}

static int drill_shutdown(void *user, int fd, int how)
{
	struct drill *d = enter(user);
	return leave(d, host_shutdown(&d->host, fd, how));
}

/* ---- data -------------------------------------------------------------------------------- */

/* NOLINTNEXTLINE(readability-function-size): the table says what it takes. */
static ssize_t drill_recvfrom(void *user, int fd, void *buf, size_t len, int flags,
			      struct sockaddr *addr, socklen_t *addr_len)
{
	struct drill *d = enter(user);
	union weft_sockaddr peer = { 0 };
	int r;
	(void)flags;
	do {
		r = host_recvfrom(&d->host, fd, buf, len, &peer);
		if (r == -EOPNOTSUPP)
			r = host_read(&d->host, fd, buf, len);
	} while (is_to_wait(d, fd, r) && (wait_for_something(d), true));
	if (r >= 0 && peer.sa.sa_family != AF_UNSPEC)
		give_address(&peer, addr, addr_len);
	return leave_waiting(d, r);
}

static ssize_t drill_recv(void *user, int fd, void *buf, size_t len, int flags)
{
	return drill_recvfrom(user, fd, buf, len, flags, NULL, NULL);
}

static ssize_t drill_read(void *user, int fd, void *buf, size_t len)
{
	return drill_recvfrom(user, fd, buf, len, 0, NULL, NULL);
}

static ssize_t drill_send(void *user, int fd, const void *buf, size_t len, int flags)
{
	struct drill *d = enter(user);
	size_t done = 0;
	int r;
	do {
		r = host_write(&d->host, fd, (const char *)buf + done, len - done, flags);
		done += r > 0 ? (size_t)r : 0;
		if (is_to_wait(d, fd, r) || (r > 0 && done < len))
			wait_for_something(d);
		else
			break;
	} while (true);
	return leave_waiting(d, r < 0 && done == 0 ? r : (int)done);
}

static ssize_t drill_write(void *user, int fd, const void *buf, size_t len)
{
	return drill_send(user, fd, buf, len, 0);
}

/* NOLINTNEXTLINE(readability-function-size): the table says what it takes. */
static ssize_t drill_sendto(void *user, int fd, const void *buf, size_t len, int flags,
			    const struct sockaddr *addr, socklen_t addr_len)
{
	if (!addr)
		return drill_send(user, fd, buf, len, flags);
	struct drill *d = enter(user);
	union weft_sockaddr peer = address_of(addr, addr_len);
	return leave(d, host_sendto(&d->host, fd, buf, len, &peer));
}

/* Pieces go through one buffer. */
static ssize_t drill_readv(void *user, int fd, const struct iovec *iov, int n)
{
	static char buffer[BUFFER];
	size_t len = 0, at = 0;
	for (int i = 0; i < n; i++)
		len += iov[i].iov_len;
	ssize_t r = drill_read(user, fd, buffer, len < BUFFER ? len : BUFFER);
	for (int i = 0; i < n && r > 0 && at < (size_t)r; i++) {
		size_t left = (size_t)r - at;
		size_t piece = iov[i].iov_len < left ? iov[i].iov_len : left;
		memcpy(iov[i].iov_base, buffer + at, piece);
		at += piece;
	}
	return r;
}

static ssize_t drill_writev(void *user, int fd, const struct iovec *iov, int n)
{
	static char buffer[BUFFER];
	size_t len = 0;
	for (int i = 0; i < n && len + iov[i].iov_len <= BUFFER; i++) {
		memcpy(buffer + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	return drill_write(user, fd, buffer, len);
}

static ssize_t drill_recvmsg(void *user, int fd, struct msghdr *msg, int flags)
{
	(void)flags;
	msg->msg_flags = 0;
	msg->msg_controllen = 0;
	return drill_readv(user, fd, msg->msg_iov, (int)msg->msg_iovlen);
}

static ssize_t drill_sendmsg(void *user, int fd, const struct msghdr *msg, int flags)
{
	(void)flags;
	return drill_writev(user, fd, msg->msg_iov, (int)msg->msg_iovlen);
}

/* ---- flags, options, readiness ----------------------------------------------------------- */

static int drill_fcntl(void *user, int fd, int cmd, ...)
{
	va_list args;
	va_start(args, cmd);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): clang 14 misses va_start. */
	int flags = cmd == F_SETFL ? va_arg(args, int) : 0;
	va_end(args);
	struct drill *d = enter(user);
	if (cmd == F_SETFL)
		return leave(d, host_setflags(&d->host, fd, flags));
	return leave(d, cmd == F_GETFL ? host_getflags(&d->host, fd) : -EINVAL);
}

static int drill_setsockopt(void *user, int fd, int level, int name, const void *value,
			    socklen_t len)
{
	struct drill *d = enter(user);
	int number = 0;
	memcpy(&number, value, len < sizeof(number) ? len : sizeof(number));
	return leave(d, host_setsockopt(&d->host, fd, level, name, number));
}

static int drill_getsockopt(void *user, int fd, int level, int name, void *value,
			    socklen_t *len)
{
	struct drill *d = enter(user);
	int number = 0;
	int r = host_getsockopt(&d->host, fd, level, name, &number);
	if (r == 0 && *len < sizeof(number))
		r = -EINVAL;
	if (r == 0) {
		memcpy(value, &number, sizeof(number));
		*len = sizeof(number);
	}
	return leave(d, r);
}

static int count_ready(const struct drill *d, struct pollfd *fds, nfds_t n)
{
	int ready = 0;
	for (nfds_t i = 0; i < n; i++) {
		int wanted = fds[i].events | POLLERR | POLLHUP | POLLNVAL;
		fds[i].revents = (short)(host_poll(&d->host, fds[i].fd) & wanted);
		ready += fds[i].revents != 0;
	}
	return ready;
}

static int drill_poll(void *user, struct pollfd *fds, nfds_t n, int timeout)
{
	struct drill *d = enter(user);
	uint64_t until = timeout < 0 ? WEFT_NEVER
				     : d->host.now + (uint64_t)timeout * 1000 * NS_PER_US;
	int ready;
	while ((ready = count_ready(d, fds, n)) == 0 && d->host.now < until) {
		if (is_script(d))
			step(d, until);
		else
			wait_for_something(d);
	}
	return leave_waiting(d, ready);
}

/* ---- what there is not ------------------------------------------------------------------- */

/* The table says what they take. */
/* NOLINTBEGIN(readability-function-size,readability-non-const-parameter) */

static int refuse(void)
{
	errno = ENOSYS;
	return -1;
}

static int drill_ioctl(void *user, int fd, unsigned long request, ...)
{
	(void)user;
	(void)fd;
	(void)request;
	return refuse();
}

static int drill_epoll_create(void *user, int size)
{
	(void)user;
	(void)size;
	return refuse();
}

static int drill_epoll_ctl(void *user, int epfd, int op, int fd,
			   struct epoll_event *event)
{
	(void)user;
	(void)epfd;
	(void)op;
	(void)fd;
	(void)event;
	return refuse();
}

static int drill_epoll_wait(void *user, int epfd, struct epoll_event *events, int max,
			    int timeout)
{
	(void)user;
	(void)epfd;
	(void)events;
	(void)max;
	(void)timeout;
	return refuse();
}

static int drill_pipe(void *user, int fds[2])
{
	(void)user;
	(void)fds;
	return refuse();
}

static int drill_splice(void *user, int in, off_t *in_off, int out, off_t *out_off,
			size_t len, unsigned flags)
{
	(void)user;
	(void)in;
	(void)in_off;
	(void)out;
	(void)out_off;
	(void)len;
	(void)flags;
	return refuse();
}

/* NOLINTEND(readability-function-size,readability-non-const-parameter) */

/* ---- beginning and end ------------------------------------------------------------------- */

static void drill_free(void *user)
{
	struct drill *d = user;
	host_fini(&d->host);
	(void)pthread_cond_destroy(&d->changed);
	(void)pthread_mutex_destroy(&d->mutex);
	free(d);
}

void packetdrill_interface_init(const char *flags,
				struct packetdrill_interface *interface)
{
	struct drill *d = calloc(1, sizeof(*d));
	bool is_ip6 = flags && strcmp(flags, "ip6") == 0;
	if (!d || host_init(&d->host, is_ip6 ? MTU_IP6 : MTU) < 0)
		abort();
	(void)pthread_mutex_init(&d->mutex, NULL);
	(void)pthread_cond_init(&d->changed, NULL);
	d->script = pthread_self();
	*interface = (struct packetdrill_interface){
		.userdata = d,
		.free = drill_free,
		.socket = drill_socket,
		.bind = drill_bind,
		.listen = drill_listen,
		.accept = drill_accept,
		.connect = drill_connect,
		.read = drill_read,
		.readv = drill_readv,
		.recv = drill_recv,
		.recvfrom = drill_recvfrom,
		.recvmsg = drill_recvmsg,
		.write = drill_write,
		.writev = drill_writev,
		.send = drill_send,
		.sendto = drill_sendto,
		.sendmsg = drill_sendmsg,
		.fcntl = drill_fcntl,
		.ioctl = drill_ioctl,
		.close = drill_close,
		.shutdown = drill_shutdown,
		.getsockopt = drill_getsockopt,
		.setsockopt = drill_setsockopt,
		.poll = drill_poll,
		.netdev_send = drill_netdev_send,
		.netdev_receive = drill_netdev_receive,
		.usleep = drill_usleep,
		.gettimeofday = drill_gettimeofday,
		.epoll_create = drill_epoll_create,
		.epoll_ctl = drill_epoll_ctl,
		.epoll_wait = drill_epoll_wait,
		.pipe = drill_pipe,
		.splice = drill_splice,
	};
}
