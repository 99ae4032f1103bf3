/* SPDX-License-Identifier: MIT */
/*
 * A socket is a row of the set's table: what the program has asked for so far, one of three
 * things of the stack (connection, listener, UDP socket), and what holds of it.
 *
 *      events     readable, writable, ended: set by the callbacks, taken back by the calls that
 *                 find nothing (a recv that says -EAGAIN is not readable any more)
 *      of_ready   on the list while an event has come that nobody has been told of
 */
#ifndef STACK_SOCKET_H
#define STACK_SOCKET_H

#include "base/list.h"

#include <weft/socket.h>
#include <weft/udp.h>

#include <stdbool.h>

struct sock {
	struct weft_sockets *set;
	struct list of_ready;
	int number;
	int family;
	unsigned events;
	int error; /**< To be told once. */
	void *user;
	union weft_sockaddr local; /**< As bound; family 0: not. */
	struct weft_tcp_opts opts;
	bool only_ip6;
	struct weft_tcp *tcp;
	struct weft_tcp_listener *listener;
	struct weft_udp *udp;
	bool is_connected;
	bool recv_shut, send_shut; /**< Of datagrams; a stream's connection knows. */
};

struct weft_sockets {
	struct weft_stack *stack;
	struct weft_sockets_opts opts;
	struct list ready;
	struct sock **socks;
};

/** The socket of that number, or NULL. */
static inline struct sock *sock_find(const struct weft_sockets *set, int s)
{
	return s >= 0 && (uint32_t)s < set->opts.sockets_max ? set->socks[s] : NULL;
}

#endif
