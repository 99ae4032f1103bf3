/* SPDX-License-Identifier: MIT */
/*
 * UDP ASSOCIATE (RFC 1928, 7): a socket of this machine by which one client exchanges datagrams
 * with whomever it wants to, for as long as its TCP connection lasts.
 */
#ifndef SERVICE_SOCKS_H
#define SERVICE_SOCKS_H

#include "service/forward.h"

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
