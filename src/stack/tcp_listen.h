/* SPDX-License-Identifier: MIT */
/*
 * Listeners: the state LISTEN. A SYN becomes a small entry (tcp_syn.h), the entry a connection
 * when its ACK comes, and the connection waits here until the user takes it.
 *
 *      SYN ---> entries, at most syn_max ---> ready, at most backlog ---> tcp_accept
 *                    |                             |
 *                    '- full: a cookie             '- full: the ACK is dropped, and the peer
 *                       (tcp_cookie.h)                sends it again with its data
 */
#ifndef STACK_TCP_LISTEN_H
#define STACK_TCP_LISTEN_H

#include "stack/tcp_conn.h"
#include "stack/tcp_outcome.h"
#include "stack/tcp_seam.h"

#include <weft/frame.h>

#include <stdbool.h>
#include <stdint.h>

#define TCP_SYN_RETRIES_MOST 8u

struct tcp_listener {
	struct list of_tcp;
	struct tcp *tcp;
	/** Unspecified: any address of its family, :: any at all. */
	struct ip_addr local;
	struct ip_addr peer; /**< Only from there, unless it is unspecified. */
	uint16_t port;
	uint16_t peer_port; /**< 0: any. */
	uint32_t scope;     /**< Of the two addresses; 0: any. */
	bool only_ip6;      /**< :: does not take IPv4. */
	uint8_t tos, ttl;   /**< Of the answers to SYNs. */
	/** A connection is ready to be accepted. Called from tcp_flush. */
	void (*on_acceptable)(void *user, struct weft_tcp_listener *listener,
			      uint64_t now);
	void *user;

	uint32_t backlog, syn_max;
	uint8_t synack_retries;
	uint32_t ready_n, syns_n;
	struct list ready; /**< Connections, the first to come first. */
	/** Entries by how often they were answered again, up to synack_retries times. */
	struct list syns[TCP_SYN_RETRIES_MOST + 1];
	struct timer timer; /**< For the next SYN,ACK to be sent again. */
	uint64_t cookie_ns; /**< When a cookie was last handed out; 0: never. */
	/** Ready ones that on_acceptable is still to be called for. */
	uint32_t untold_n;
};

struct tcp_listen_opts {
	struct ip_addr local;
	struct ip_addr peer; /**< Unspecified: anybody. */
	uint16_t port;
	uint16_t peer_port; /**< 0: any. */
	uint32_t scope;     /**< Of the two addresses; 0: any. */
	bool only_ip6;
	uint8_t tos, ttl; /**< Of the answers to SYNs. */
	uint32_t backlog; /**< 0 for 128. */
	uint32_t syn_max; /**< 0 for 1,024. */
	/** A SYN,ACK is sent again so often, after 1, 2, 4 ... s; 0 for 5. */
	uint8_t synack_retries;
	void (*on_acceptable)(void *user, struct weft_tcp_listener *listener,
			      uint64_t now);
	void *user;
};

/** A listener as its user knows it: opaque, and the same object. */
static inline struct weft_tcp_listener *tcp_listener_public(struct tcp_listener *listener)
{
	return (struct weft_tcp_listener *)(void *)listener;
}

static inline struct tcp_listener *tcp_listener_of(struct weft_tcp_listener *listener)
{
	return (struct tcp_listener *)(void *)listener;
}

/** Begins to listen. Returns 0, -EADDRINUSE, or -ENOMEM. */
int tcp_listen(struct tcp *tcp, const struct tcp_listen_opts *opts,
	       struct tcp_listener **ret_listener) WEFT_MUST_CHECK;

/** Stops listening: what has not been accepted is reset. */
void tcp_unlisten(struct tcp_listener *listener, uint64_t now);

/** Who listens for segments of the flow; the most specific one, or NULL. */
struct tcp_listener *tcp_listener_find(const struct tcp *tcp,
				       const struct tcp_flow *flow);

/** A segment to a listener for which there is no connection (RFC 9293, 3.10.7.2). */
enum tcp_outcome tcp_listener_input(struct tcp_listener *listener,
				    const struct tcp_rx *rx, uint64_t now);

/**
 * A SYN on the flow of a connection that has ended, whose numbers went up to beyond: those of the
 * new one come behind them (RFC 9293, 3.6.1, MAY-2).
 */
enum tcp_outcome tcp_listener_reopen(struct tcp_listener *listener,
				     const struct tcp_rx *rx, uint32_t beyond,
				     uint64_t now);

/** A connection of the listener's is ESTABLISHED. */
void tcp_listener_ready(struct tcp_conn *conn);

/** A connection that nobody has accepted has ended. */
void tcp_listener_forget(struct tcp_conn *conn);

/** Whether there is room for one more. */
static inline bool tcp_listener_has_room(const struct tcp_listener *listener)
{
	return listener->ready_n < listener->backlog;
}

/** Whether a SYN would be remembered: a cookie's numbers cannot be chosen. */
static inline bool tcp_listener_remembers(const struct tcp_listener *listener)
{
	return tcp_listener_has_room(listener) && listener->syns_n < listener->syn_max;
}

/** Takes the first that is ready, or NULL. Its events and user are set by the caller. */
struct tcp_conn *tcp_accept(struct tcp_listener *listener);

#endif
