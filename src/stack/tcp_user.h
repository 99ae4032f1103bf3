/* SPDX-License-Identifier: MIT */
/*
 * What the user may ask for: the calls of RFC 9293, 3.10.1 to 3.10.6. Each may be made from an
 * event, too; what it leads to is then sent when the event is over.
 *
 *      OPEN       tcp_open (active), tcp_listen (passive, tcp_listen.h)
 *      SEND       tcp_send, tcp_lend, tcp_send_urgent
 *      RECEIVE    tcp_receive, tcp_peek and tcp_skip
 *      CLOSE      tcp_shutdown ("I have no more data to send"), tcp_close (and do not want any)
 *      ABORT      tcp_kill
 *      STATUS     tcp_info
 *
 * A connection belongs to its user from tcp_open or tcp_accept until tcp_close or tcp_kill, and
 * must not be used after those.
 */
#ifndef STACK_TCP_USER_H
#define STACK_TCP_USER_H

#include "stack/tcp.h"

#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tcp_open {
	struct ip_addr local; /**< Unspecified, of the remote's family: chosen. */
	struct ip_addr remote;
	uint16_t lport; /**< 0: chosen. */
	uint16_t rport;
	uint32_t scope;   /**< Of the two addresses; 0: they need none. */
	uint8_t tos, ttl; /**< ttl of 0: the stack's default. */
	const struct weft_tcp_events *events; /**< Must live as long as the connection. */
	void *user;
};

/**
 * Begins to connect: on_connected or on_closed is called some time. Returns 0, -EADDRINUSE,
 * -EADDRNOTAVAIL, -ENETUNREACH, -EINVAL for a port of 0, or -ENOBUFS at a limit.
 */
int tcp_open(struct tcp *tcp, const struct tcp_open *open, uint64_t now,
	     struct tcp_conn **ret_conn) WEFT_MUST_CHECK;

/**
 * Queues data, also before the connection is established. Returns how many of the len bytes
 * were taken; if not all, on_writable is called when there is room again. -EPIPE after
 * tcp_shutdown or when the connection has ended, -ENOBUFS when the stack's memory is full.
 */
int tcp_send(struct tcp_conn *conn, const void *data, size_t len,
	     uint64_t now) WEFT_MUST_CHECK;

/** The same, and all that is queued is urgent (tcp_urgent.h). */
int tcp_send_urgent(struct tcp_conn *conn, const void *data, size_t len,
		    uint64_t now) WEFT_MUST_CHECK;

/**
 * The same without a copy: the bytes must not change until release is called, which happens
 * exactly once if this returns len, and not at all otherwise. Takes all (returns len) or
 * nothing (0 where there is no room).
 */
int tcp_lend(struct tcp_conn *conn, const struct ip_slice *data, tcp_release *release,
	     void *user, uint64_t now) WEFT_MUST_CHECK;

/**
 * Reads at most len bytes. Returns how many, 0 at the end of the stream, -EAGAIN while there is
 * nothing, or why the connection has ended (-ECONNRESET ...).
 */
int tcp_receive(struct tcp_conn *conn, void *buf, size_t len,
		uint64_t now) WEFT_MUST_CHECK;

/**
 * Shows what can be read, as far as it lies in one piece, where it is: until the next call with
 * the connection, or the end of the event. Returns as tcp_receive does; nothing is read.
 */
int tcp_peek(const struct tcp_conn *conn, const void **ret_data) WEFT_MUST_CHECK;

/** Reads n bytes, at most as many as there are, and forgets them. */
void tcp_skip(struct tcp_conn *conn, size_t n, uint64_t now);

/** SHUT_RD, SHUT_WR or SHUT_RDWR, as weft_tcp_shutdown has it. Returns 0, -EINVAL, -ENOTCONN. */
int tcp_shutdown(struct tcp_conn *conn, int how, uint64_t now);

/**
 * The user has done with it. What is queued is still sent, and then a FIN; if the peer has sent
 * something that was never read, a reset instead, so that it does not believe otherwise
 * (RFC 9293, 3.6; RFC 2525, 2.17).
 */
void tcp_close(struct tcp_conn *conn, uint64_t now);

/** Ends it at once with a reset. Also when it has ended. */
void tcp_kill(struct tcp_conn *conn, uint64_t now);

/** Habits of a connection that its user may change. */
void tcp_set_nodelay(struct tcp_conn *conn, bool on, uint64_t now);
void tcp_set_cork(struct tcp_conn *conn, bool on, uint64_t now);
/** 0 for idle_s, interval_s or probes is the default. */
void tcp_set_keepalive(struct tcp_conn *conn, bool on, uint16_t idle_s,
		       uint16_t interval_s, uint8_t probes, uint64_t now);
/** How much may wait to be acknowledged; 0: the default. */
void tcp_set_send_max(struct tcp_conn *conn, uint32_t len_max, uint64_t now);

#endif
