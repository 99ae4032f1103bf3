/* SPDX-License-Identifier: MIT */
/*
 * The commands of SOCKS that are more than a connection to somebody:
 *
 *     BIND            (RFC 1928, 4) waits in the room for one connection of a host that is named
 *     UDP ASSOCIATE   (RFC 1928, 7) is a socket of this machine by which one client exchanges
 *                     datagrams with whomever it wants to, while its TCP connection lasts
 */
#ifndef SERVICE_SOCKS_H
#define SERVICE_SOCKS_H

#include "base/time.h"
#include "service/forward.h"
#include "stack/addr.h"

/** How long a BIND is to wait for its peer. */
#define SOCKS_BIND_NS (180 * NS_PER_S)

/** Embedded in a client; forwarder, pump, came and user are filled in by it. */
struct socks_bind {
	struct weft_forwarder *forwarder;
	struct pump *pump; /**< Which is to have the connection. */
	/**
	 * The peer has come: tcp is accepted with the pump's options, and yours. One is enough:
	 * socks_bind_end is to be called.
	 */
	void (*came)(void *user, struct weft_tcp *tcp, uint64_t now);
	void *user;
	struct weft_tcp_listener *listener; /**< NULL while it does not wait. */
	struct ip_addr expected;            /**< Who is to come, or 0.0.0.0 or ::. */
};

/** Waits for a connection of the peer, until socks_bind_end. Returns 0 and where, or -Exxx. */
int socks_bind_begin(struct socks_bind *bind, const union weft_sockaddr *peer,
		     uint64_t now, union weft_sockaddr *ret_local) WEFT_MUST_CHECK;

/** Waits no more; harmless if it did not. */
void socks_bind_end(struct socks_bind *bind, uint64_t now);

struct socks_udp;

/**
 * Makes one at local, of which the port is chosen, for a client at that address and no other;
 * the port of its first datagram is the client's. Returns 0 and where it is, or -Exxx.
 */
int socks_udp_new(struct weft_forwarder *f, const union weft_sockaddr *local,
		  const union weft_sockaddr *client, struct socks_udp **ret_udp,
		  union weft_sockaddr *ret_bound) WEFT_MUST_CHECK;

/** NULL is allowed. */
void socks_udp_free(struct socks_udp *udp);

#endif
