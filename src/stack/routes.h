/* SPDX-License-Identifier: MIT */
/*
 * Routes: the longest network that a destination lies in says by which interface and to which
 * neighbour a packet goes (RFC 1122, 3.3.1). A host has a handful, so they lie in one array,
 * the longest first: the first that fits is the right one.
 *
 *     network                gateway       interface
 *     ::ffff:10.1.0.0/120    -             1           10.1.0.0/24 is on the link
 *     fe80::/64              -             1
 *     ::ffff:0.0.0.0/96      10.1.0.1      1           default route
 *     ::/0                   fe80::1       1           that of IPv6, in which IPv4 is not
 */
#ifndef STACK_ROUTES_H
#define STACK_ROUTES_H

#include "stack/addr.h"
#include "stack/wheel.h"

#include <weft/stack.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Who has made a route. */
enum route_origin {
	ROUTE_ADDRESS, /**< The network of an address of ours. */
	ROUTE_STATIC,  /**< The program. */
	ROUTE_ADVERT,  /**< A router advertisement: it ends, and is nobody else's. */
};

struct ip_route {
	struct ip_addr network;
	uint8_t bits; /**< 0..128; IPv4 from 96 on. */
	bool has_gateway;
	enum route_origin origin;
	struct ip_addr gateway; /**< On the link of iface. */
	struct weft_iface *iface;
	uint64_t expires; /**< In ns; WEFT_NEVER. */
};

struct routes {
	struct ip_route *entries; /**< Longest first; among equals, as added. */
	size_t n, room;
	struct timer timer; /**< The first end of a route of a router's. */
};

void routes_init(struct weft_stack *stack);
void routes_fini(struct weft_stack *stack);

/** Adds a route. Returns 0; -EEXIST for the same network, gateway and interface; -ENOSPC. */
int routes_add(struct weft_stack *stack, const struct ip_route *route) WEFT_MUST_CHECK;

/** The route of this network, gateway (NULL: straight to the link) and interface, or NULL. */
struct ip_route *routes_find(struct weft_stack *stack, const struct ip_addr *network,
			     unsigned bits, const struct ip_addr *gateway,
			     const struct weft_iface *iface);

/** Changes when a route ends. */
void routes_set_expires(struct weft_stack *stack, struct ip_route *route,
			uint64_t expires);

/** Takes a route out, which then is no more. */
void routes_remove(struct weft_stack *stack, struct ip_route *route);

/** Takes out all routes of an interface. */
void routes_remove_all(struct weft_stack *stack, const struct weft_iface *iface);

/**
 * The best route to the address, by the interface if that is not NULL; NULL for none. Among
 * equals, a gateway that is known to be there comes before one of which nothing is known, and
 * one that does not answer comes last (RFC 1122 3.3.1.4, RFC 4861 6.3.6).
 */
const struct ip_route *routes_lookup(const struct weft_stack *stack,
				     const struct ip_addr *dst,
				     const struct weft_iface *iface, uint64_t now);

#endif
