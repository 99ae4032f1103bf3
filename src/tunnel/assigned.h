/* SPDX-License-Identifier: MIT */
/*
 * What a server has assigned to a client, on the client's device: MTU, addresses, and the routes
 * that it pushes, as far as the client takes them.
 *
 *     "accept_routes"    takes
 *     true (default)     each route but what holds the server's address (0.0.0.0/0 does)
 *     [networks]         each route that lies in one of these, whatever it holds
 *     false              none
 *
 * (Of this machine's device, that is; another host sends into the tunnel what it wants to.)
 *
 * A route that holds the address of the server, or of the proxy in front of it, would lead the
 * tunnel into itself. So the way to that address, as it is without the tunnel, is pinned first by
 * a host route:
 *
 *     0.0.0.0/0    dev tun0                      pushed
 *     192.0.2.1    via 198.51.100.1 dev eth0     pinned
 *
 * While the server cannot be reached such routes are taken back, and the pins with them: the way
 * to it may be another one by now, and its name may lead to another address.
 */
#ifndef TUNNEL_ASSIGNED_H
#define TUNNEL_ASSIGNED_H

#include "tunnel/hello.h"
#include "tunnel/netif.h"

/** Most addresses of a server that are pinned at a time: one for each stream each way. */
#define ASSIGNED_PINS_MAX 16u

/** Zero, but for netif, is one to which nothing is assigned. */
struct assigned {
	const struct netif *netif;
	struct hello_conf now; /**< What is on the device. */
	struct weft_route pins[ASSIGNED_PINS_MAX];
	size_t pins_n;
	char text[WEFT_IP_TEXT]; /**< The first address, or empty. */
};

/**
 * Changes the device to what conf says, for a server that has been reached at an address
 * (family 0: unknown). Returns 0, or -Exxx with err; a route that cannot be set is only logged.
 */
int assigned_set(struct assigned *a, const struct hello_conf *conf,
		 const struct weft_ip *server, struct weft_error *err) WEFT_MUST_CHECK;

/** Takes back pins, and the routes that need them. */
void assigned_release(struct assigned *a);

/** Takes back all routes and pins. */
void assigned_fini(struct assigned *a);

/** The same, and nothing else is on the device any more: there will be another. */
void assigned_forget(struct assigned *a);

#endif
