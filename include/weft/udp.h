/* SPDX-License-Identifier: MIT */
/*
 * UDP sockets of a stack (RFC 768, RFC 8085), and echo requests for who wants to ping.
 *
 *     static void got(void *user, struct weft_udp *udp, const struct weft_udp_message *msg,
 *                     uint64_t now)
 *     {
 *             (void)weft_udp_send(udp, msg, now);              an echo server
 *     }
 *     const struct weft_udp_opts opts = { .on_receive = got };
 *     union weft_sockaddr seven;
 *     if (weft_udp_new(stack, &opts, &udp) < 0 || weft_listen_parse("0.0.0.0:7", &seven) < 0 ||
 *         weft_udp_bind(udp, &seven) < 0)
 *             fail();
 *
 * A socket with on_receive is handed each datagram as it comes, without a copy. One without
 * keeps them, up to a limit, for weft_udp_receive. Nothing here blocks.
 */
#ifndef WEFT_UDP_H
#define WEFT_UDP_H

#include <weft/addr.h>
#include <weft/frame.h>
#include <weft/stack.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weft_udp;
struct weft_ping;

/** One datagram, or several of equal length that are sent together. */
struct weft_udp_message {
	/** Where from or to; family 0: whom one is connected to. */
	union weft_sockaddr peer;
	/** To which it was sent, or is sent from; family 0: any. */
	union weft_sockaddr local;
	const void *data;
	size_t len;       /**< In bytes; 0 is allowed. */
	uint16_t segment; /**< To send: not 0 makes datagrams of so many bytes (USO). */
	uint8_t tos;      /**< DSCP and ECN. */
	uint8_t ttl;      /**< To send: 0 is the default (64, multicast 1). */
	uint32_t iface; /**< Index of the interface; to send: 0 for whichever is right. */
};

/** Called with a datagram, borrowed for the call. May send, bind and close this or any socket. */
typedef void weft_udp_receiver(void *user, struct weft_udp *udp,
			       const struct weft_udp_message *msg, uint64_t now);

/** Zero is the defaults. */
struct weft_udp_opts {
	weft_udp_receiver *on_receive; /**< NULL: datagrams are kept. */
	/** The queue is no longer empty, or an error has come. */
	void (*on_ready)(void *user, struct weft_udp *udp, uint64_t now);
	void *user;
	size_t queue_bytes_max; /**< Kept datagrams, with 64 bytes for each; 0 for 256 KiB. */
	bool broadcast;         /**< May send to broadcast addresses. */
};

/** Makes a socket. opts may be NULL. Returns 0, -ENOSPC at udp_sockets_max, -ENOMEM. */
WEFT_API WEFT_MUST_CHECK int weft_udp_new(struct weft_stack *stack,
					  const struct weft_udp_opts *opts,
					  struct weft_udp **ret_udp);

/** Closes and frees. Allowed from any callback. NULL is allowed. */
WEFT_API void weft_udp_free(struct weft_udp *udp);

/**
 * Gives it a local address and port; the unspecified address takes what is sent to any of its
 * family, a group address what is sent to that. Port 0: one that is free (RFC 6056). Returns 0,
 * -EINVAL if it has one or for no address, -EADDRINUSE, -EADDRNOTAVAIL for one that is not of
 * this host.
 */
WEFT_API WEFT_MUST_CHECK int weft_udp_bind(struct weft_udp *udp,
					   const union weft_sockaddr *local);

/**
 * Exchanges with one peer only from now on, from the local address that suits it. Returns 0,
 * -EINVAL (as weft_tcp_connect), -EAFNOSUPPORT (the other family), -ENETUNREACH, -EADDRNOTAVAIL,
 * -EADDRINUSE.
 */
WEFT_API WEFT_MUST_CHECK int weft_udp_connect(struct weft_udp *udp,
					      const union weft_sockaddr *peer,
					      uint64_t now);

/**
 * Sends; a socket without a port is given one. Returns 0 if it is on its way, or an error that
 * has come for what was sent before (-ECONNREFUSED ...; only when connected); -EDESTADDRREQ,
 * -EISCONN for another peer than connected, -EAFNOSUPPORT, -EACCES for a broadcast, -EMSGSIZE,
 * -ENETUNREACH, -EHOSTUNREACH, -EADDRNOTAVAIL, -ENOBUFS.
 */
WEFT_API WEFT_MUST_CHECK int weft_udp_send(struct weft_udp *udp,
					   const struct weft_udp_message *msg,
					   uint64_t now);

/**
 * Takes the oldest kept datagram: ret_msg's data points into buf, where as much of it is as
 * fits into len. Returns its whole length, an error that has come, or -EAGAIN.
 */
WEFT_API WEFT_MUST_CHECK int weft_udp_receive(struct weft_udp *udp, void *buf, size_t len,
					      struct weft_udp_message *ret_msg);

/** Its own address; family 0 while it has none. */
WEFT_API union weft_sockaddr weft_udp_local(const struct weft_udp *udp);

/** Whom it is connected to; family 0 for nobody. */
WEFT_API union weft_sockaddr weft_udp_peer(const struct weft_udp *udp);

/**
 * Takes what is sent to the group, too, on the interface. Returns 0, -EINVAL for what is no
 * group, -EEXIST, -ENOSPC at socket_groups_max or groups_max, -ENOMEM.
 */
WEFT_API WEFT_MUST_CHECK int weft_udp_join(struct weft_udp *udp,
					   const struct weft_ip *group,
					   struct weft_iface *iface, uint64_t now);

/** Leaves a group; freeing the socket leaves all. */
WEFT_API void weft_udp_leave(struct weft_udp *udp, const struct weft_ip *group,
			     struct weft_iface *iface, uint64_t now);

/* ---- echo -------------------------------------------------------------------------------- */

/** An answer to an echo request, or an error about one. */
struct weft_ping_reply {
	struct weft_ip from;
	int error; /**< 0, or -Exxx as an ICMP error says: then data is empty. */
	uint16_t sequence;
	uint8_t ttl;
	const void *data; /**< Borrowed. */
	size_t len;
};

/** Makes who can ping; fn is called with each answer. Returns 0, -ENOSPC at pings_max, -ENOMEM. */
WEFT_API WEFT_MUST_CHECK int weft_ping_new(struct weft_stack *stack,
					   void (*fn)(void *user,
						      const struct weft_ping_reply *reply,
						      uint64_t now),
					   void *user, struct weft_ping **ret_ping);

/** NULL is allowed. */
WEFT_API void weft_ping_free(struct weft_ping *ping);

/** An echo request. */
struct weft_ping_request {
	struct weft_ip to;
	uint16_t sequence;
	uint8_t ttl;      /**< 0 for the default. */
	const void *data; /**< Borrowed; may be NULL if len is 0. */
	size_t len;
};

/**
 * Sends an echo request. Returns 0, -EINVAL, -ENETUNREACH, -EHOSTUNREACH, -EADDRNOTAVAIL,
 * -EMSGSIZE or -ENOBUFS.
 */
WEFT_API WEFT_MUST_CHECK int weft_ping_send(struct weft_ping *ping,
					    const struct weft_ping_request *request,
					    uint64_t now);

#ifdef __cplusplus
}
#endif
#endif
