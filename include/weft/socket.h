/* SPDX-License-Identifier: MIT */
/*
 * Sockets of a stack in the shape of BSD's: small numbers instead of pointers, calls that take
 * and return what socket(2), bind(2), listen(2), accept(2) and the others do, and a list of the
 * sockets that have become ready, as epoll(7) gives it. Nothing blocks: what would says -EAGAIN.
 *
 *     int s = weft_socket_open(set, AF_INET, SOCK_STREAM);
 *     r = weft_socket_connect(set, s, &peer, now);               -EINPROGRESS
 *     ...
 *     struct weft_ready ready[16];
 *     size_t n = weft_sockets_ready(set, ready, 16);             after a run of the loop
 *     for (size_t i = 0; i < n; i++)
 *             if (ready[i].events & WEFT_READABLE)
 *                     r = weft_socket_recv(set, ready[i].socket, buf, sizeof(buf), now);
 *
 * The list is edge-triggered: a socket is on it when something has happened since it was taken
 * off, so read, write and accept until -EAGAIN. weft_socket_poll tells the same at any time. A
 * thin layer on <weft/tcp.h> and <weft/udp.h>, which are there for who likes callbacks better.
 */
#ifndef WEFT_SOCKET_H
#define WEFT_SOCKET_H

#include <weft/addr.h>
#include <weft/frame.h>
#include <weft/loop.h>
#include <weft/stack.h>
#include <weft/tcp.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weft_sockets;

/** Beside WEFT_READABLE and WEFT_WRITABLE: it has ended, or a call will tell an error. */
#define WEFT_ENDED  0x4u
/** Urgent data is to be read, or will be: EPOLLPRI. */
#define WEFT_URGENT 0x8u

/** Zero is the defaults. */
struct weft_sockets_opts {
	uint32_t sockets_max; /**< 0 for 1,024. */
	/** The list of ready sockets is no longer empty. May be NULL. */
	void (*on_ready)(void *user, struct weft_sockets *set, uint64_t now);
	void *user;
};

/** Makes an empty set of sockets on a stack, which must outlive it. Returns 0 or -ENOMEM. */
WEFT_API WEFT_MUST_CHECK int weft_sockets_new(struct weft_stack *stack,
					      const struct weft_sockets_opts *opts,
					      struct weft_sockets **ret_set);

/** Closes all sockets and frees the set. NULL is allowed; not from a callback. */
WEFT_API void weft_sockets_free(struct weft_sockets *set, uint64_t now);

/** A socket to which something has happened. */
struct weft_ready {
	int socket;
	unsigned events; /**< WEFT_READABLE and the others: what holds now. */
	void *user;      /**< Of weft_socket_set_user. */
};

/** Takes at most n sockets off the list, the first to become ready first. Returns how many. */
WEFT_API size_t weft_sockets_ready(struct weft_sockets *set, struct weft_ready *ret_ready,
				   size_t n);

/* In all that follow, -EBADF: there is no such socket; -EOPNOTSUPP: not of this type. */

/**
 * Makes a socket: family AF_INET or AF_INET6, type SOCK_STREAM or SOCK_DGRAM. Returns its
 * number, the lowest that is free, or -EAFNOSUPPORT, -EPROTOTYPE, -EMFILE, -ENOMEM.
 */
WEFT_API WEFT_MUST_CHECK int weft_socket_open(struct weft_sockets *set, int family,
					      int type);

/** Closes it: what was sent is still delivered. Returns 0. */
WEFT_API int weft_socket_close(struct weft_sockets *set, int s, uint64_t now);

/**
 * Names its own end. Returns 0, -EINVAL if it has a name, -EAFNOSUPPORT, and for datagrams also
 * -EADDRINUSE and -EADDRNOTAVAIL; streams say those when they connect or listen.
 */
WEFT_API WEFT_MUST_CHECK int weft_socket_bind(struct weft_sockets *set, int s,
					      const union weft_sockaddr *local);

/** Begins to listen; 0 is a backlog of 128. Returns 0, -EINVAL without a name, -EADDRINUSE. */
WEFT_API WEFT_MUST_CHECK int weft_socket_listen(struct weft_sockets *set, int s,
						int backlog);

/** Takes a connection. Returns its socket's number, -EAGAIN, -EINVAL if it does not listen. */
WEFT_API WEFT_MUST_CHECK int weft_socket_accept(struct weft_sockets *set, int s,
						uint64_t now);

/**
 * Begins to connect. Returns 0 for datagrams, -EINPROGRESS for streams (it becomes writable,
 * or ended), -EISCONN, -EALREADY, or what weft_tcp_connect and weft_udp_connect return.
 */
WEFT_API WEFT_MUST_CHECK int weft_socket_connect(struct weft_sockets *set, int s,
						 const union weft_sockaddr *peer,
						 uint64_t now);

/** Returns how many bytes were taken, -EAGAIN for none, -ENOTCONN, -EPIPE, or another error. */
WEFT_API WEFT_MUST_CHECK int weft_socket_send(struct weft_sockets *set, int s,
					      const void *data, size_t len, uint64_t now);

/** send(2) with MSG_OOB: as weft_tcp_send_urgent; else as weft_socket_send. */
WEFT_API WEFT_MUST_CHECK int weft_socket_send_urgent(struct weft_sockets *set, int s,
						     const void *data, size_t len,
						     uint64_t now);

/**
 * Returns how many bytes; 0 at the end of a stream, and for nothing after SHUT_RD; -EAGAIN,
 * -ENOTCONN, or another error. Urgent data is in line, as with SO_OOBINLINE; a call that begins
 * before its last byte ends before it, at the mark.
 */
WEFT_API WEFT_MUST_CHECK int weft_socket_recv(struct weft_sockets *set, int s, void *buf,
					      size_t len, uint64_t now);

/** sockatmark(3): whether the next byte to be read is the last that is urgent. 0, 1, -ENOTCONN. */
WEFT_API int weft_socket_at_mark(const struct weft_sockets *set, int s);

/** Sends a datagram to peer. Returns len or an error. */
WEFT_API WEFT_MUST_CHECK int weft_socket_sendto(struct weft_sockets *set, int s,
						const void *data, size_t len,
						const union weft_sockaddr *peer,
						uint64_t now);

/** Takes a datagram; what does not fit is lost. Returns its length in buf, or an error. */
WEFT_API WEFT_MUST_CHECK int weft_socket_recvfrom(struct weft_sockets *set, int s,
						  void *buf, size_t len,
						  union weft_sockaddr *ret_peer);

/**
 * Takes what is sent to the group as well, on the interface: IP_ADD_MEMBERSHIP, IPV6_JOIN_GROUP.
 * The socket is bound to any address, or to the group. Returns 0, or what weft_udp_join returns.
 */
WEFT_API WEFT_MUST_CHECK int weft_socket_join(struct weft_sockets *set, int s,
					      const struct weft_ip *group,
					      struct weft_iface *iface, uint64_t now);

/** Leaves a group; closing leaves all. Returns 0. */
WEFT_API int weft_socket_leave(struct weft_sockets *set, int s,
			       const struct weft_ip *group, struct weft_iface *iface,
			       uint64_t now);

/**
 * shutdown(2) with SHUT_RD, SHUT_WR or SHUT_RDWR, as Linux does it: of a stream, what
 * weft_tcp_shutdown says. Of datagrams that are connected, nothing more can be sent (-EPIPE), and
 * a call that finds none to read returns 0; those that come are still taken. What listens stops
 * listening, unless it is SHUT_WR. Returns 0, -EINVAL or -ENOTCONN.
 */
WEFT_API int weft_socket_shutdown(struct weft_sockets *set, int s, int how, uint64_t now);

/** getsockname(2). Family 0 while it has no name. Returns 0. */
WEFT_API int weft_socket_name(const struct weft_sockets *set, int s,
			      union weft_sockaddr *ret_local);

/** getpeername(2). Returns 0 or -ENOTCONN. */
WEFT_API int weft_socket_peer(const struct weft_sockets *set, int s,
			      union weft_sockaddr *ret_peer);

/** What holds now, whether it was told or not: WEFT_READABLE and the others. Or -EBADF. */
WEFT_API int weft_socket_poll(const struct weft_sockets *set, int s);

/**
 * What setsockopt(2) sets. Connections inherit what their listener has. Datagrams have the last
 * four, streams all but the last two.
 */
enum weft_socket_option {
	WEFT_SO_NODELAY,      /**< 0 or 1, at any time: TCP_NODELAY. */
	WEFT_SO_CORK,         /**< 0 or 1, once connected: TCP_CORK. */
	WEFT_SO_KEEPALIVE,    /**< 0 or 1, at any time: SO_KEEPALIVE ... */
	WEFT_SO_KEEPIDLE,     /**< ... and in seconds: TCP_KEEPIDLE ... */
	WEFT_SO_KEEPINTVL,    /**< ... */
	WEFT_SO_KEEPCNT,      /**< ... and how many. Of these, 0 is the default. */
	WEFT_SO_USER_TIMEOUT, /**< In ms, at any time: TCP_USER_TIMEOUT; 0: the default. */
	WEFT_SO_SNDBUF,       /**< In bytes, at any time; 0: the default. */
	WEFT_SO_V6ONLY,       /**< 0 or 1, before connecting or listening. */
	/** 0..255, at any time: IP_TOS, IPV6_TCLASS. TCP has the ECN bits to itself. */
	WEFT_SO_TOS,
	/** 0 (the default) ..255, at any time: IP_TTL, IPV6_UNICAST_HOPS, IP_MULTICAST_TTL. */
	WEFT_SO_TTL,
	WEFT_SO_BROADCAST, /**< 0 or 1, at any time: SO_BROADCAST. */
	/** In bytes, 64 more for each datagram, at any time; what waits already stays. */
	WEFT_SO_RCVBUF,
};

/**
 * Sets an option from now on. Returns 0, -EINVAL for a value that cannot be or comes too late,
 * -ENOTCONN where it has to be connected.
 */
WEFT_API WEFT_MUST_CHECK int weft_socket_set(struct weft_sockets *set, int s,
					     enum weft_socket_option option, int value,
					     uint64_t now);

/**
 * getsockopt(2): returns what has been set or inherited, 0 for a default; of WEFT_SO_RCVBUF what
 * holds.
 */
WEFT_API WEFT_MUST_CHECK int weft_socket_get(const struct weft_sockets *set, int s,
					     enum weft_socket_option option);

/** SO_ERROR: what has gone wrong, once; 0 for nothing. */
WEFT_API int weft_socket_error(struct weft_sockets *set, int s);

/** TCP_INFO. Returns 0 or -ENOTCONN. */
WEFT_API int weft_socket_info(const struct weft_sockets *set, int s,
			      struct weft_tcp_info *ret_info);

/** Something of the program's, that weft_sockets_ready gives back. Returns 0. */
WEFT_API int weft_socket_set_user(struct weft_sockets *set, int s, void *user);

#ifdef __cplusplus
}
#endif
#endif
