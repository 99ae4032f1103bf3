/* SPDX-License-Identifier: MIT */
/*
 * The array of routes. Its order is the whole of the longest-prefix rule.
 */
#include "stack/routes.h"

#include "stack/neigh.h"
#include "stack/stack.h"

#include <errno.h>
#include <stdlib.h>

static void arm(struct weft_stack *stack)
{
	uint64_t first = WEFT_NEVER;
	for (size_t i = 0; i < stack->routes.n; i++) {
		if (stack->routes.entries[i].expires < first)
			first = stack->routes.entries[i].expires;
	}
	if (first == WEFT_NEVER)
		wheel_cancel(&stack->wheel, &stack->routes.timer);
	else
		wheel_arm(&stack->wheel, &stack->routes.timer, first);
}

static void on_timer(struct timer *timer, void *user, uint64_t now)
{
	struct weft_stack *stack = user;
	(void)timer;
	for (size_t i = stack->routes.n; i-- > 0;) {
		if (stack->routes.entries[i].expires <= now)
			routes_remove(stack, &stack->routes.entries[i]);
	}
	arm(stack);
}

void routes_init(struct weft_stack *stack)
{
	stack->routes.timer.fire = on_timer;
}

void routes_fini(struct weft_stack *stack)
{
	wheel_cancel(&stack->wheel, &stack->routes.timer);
	free(stack->routes.entries);
	stack->routes = (struct routes){ 0 };
}

static int make_room(struct routes *routes)
{
	if (routes->n < routes->room)
		return 0;
	size_t room = routes->room ? 2 * routes->room : 8;
	struct ip_route *entries = realloc(routes->entries, room * sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	routes->entries = entries;
	routes->room = room;
	return 0;
}

int routes_add(struct weft_stack *stack, const struct ip_route *route)
{
	struct routes *routes = &stack->routes;
	const struct ip_addr *gateway = route->has_gateway ? &route->gateway : NULL;
	if (routes_find(stack, &route->network, route->bits, gateway, route->iface))
		return -EEXIST;
	if (routes->n == stack->opts.routes_max)
		return -ENOSPC;
	if (make_room(routes) < 0)
		return -ENOMEM;
	size_t i = routes->n++;
	for (; i > 0 && routes->entries[i - 1].bits < route->bits; i--)
		routes->entries[i] = routes->entries[i - 1];
	routes->entries[i] = *route;
	stack_changed(stack);
	arm(stack);
	return 0;
}

void routes_set_expires(struct weft_stack *stack, struct ip_route *route,
			uint64_t expires)
{
	route->expires = expires;
	arm(stack);
}

static bool is_to(const struct ip_route *route, const struct ip_addr *network,
		  unsigned bits, const struct weft_iface *iface)
{
	return route->bits == bits && route->iface == iface &&
	       addr_equal(&route->network, network);
}

struct ip_route *routes_find(struct weft_stack *stack, const struct ip_addr *network,
			     unsigned bits, const struct ip_addr *gateway,
			     const struct weft_iface *iface)
{
	for (size_t i = 0; i < stack->routes.n; i++) {
		struct ip_route *route = &stack->routes.entries[i];
		if (is_to(route, network, bits, iface) &&
		    route->has_gateway == (gateway != NULL) &&
		    (!gateway || addr_equal(&route->gateway, gateway)))
			return route;
	}
	return NULL;
}

void routes_remove(struct weft_stack *stack, struct ip_route *route)
{
	struct routes *routes = &stack->routes;
	size_t i = (size_t)(route - routes->entries);
	for (; i + 1 < routes->n; i++)
		routes->entries[i] = routes->entries[i + 1];
	routes->n--;
	stack_changed(stack);
}

void routes_remove_all(struct weft_stack *stack, const struct weft_iface *iface)
{
	for (size_t i = stack->routes.n; i-- > 0;) {
		if (stack->routes.entries[i].iface == iface)
			routes_remove(stack, &stack->routes.entries[i]);
	}
}

enum liveness { DEAD, UNKNOWN, ALIVE };

/* A router that has not answered is asked again only when there is no other. */
static enum liveness liveness_of(const struct ip_route *route)
{
	if (!route->has_gateway)
		return ALIVE;
	const struct neigh *n = neigh_find(route->iface, &route->gateway);
	if (n && n->state == NEIGH_FAILED)
		return DEAD;
	return n && neigh_is_known(n) ? ALIVE : UNKNOWN;
}

const struct ip_route *routes_lookup(const struct weft_stack *stack,
				     const struct ip_addr *dst,
				     const struct weft_iface *iface, uint64_t now)
{
	const struct ip_route *best = NULL;
	const bool is_ip4 = addr_is_ip4(dst);
	enum liveness most = DEAD;
	for (size_t i = 0; i < stack->routes.n; i++) {
		const struct ip_route *route = &stack->routes.entries[i];
		if ((iface && route->iface != iface) || route->expires <= now ||
		    !addr_is_in(dst, &route->network, route->bits) ||
		    addr_is_ip4(&route->network) != is_ip4)
			continue;
		if (best && route->bits < best->bits)
			break;
		enum liveness liveness = liveness_of(route);
		if (liveness == ALIVE)
			return route;
		if (!best || liveness > most) {
			best = route;
			most = liveness;
		}
	}
	return best;
}

/* ---- the public face --------------------------------------------------------------------- */

static bool is_gateway(const struct ip_addr *gateway, const struct ip_addr *network)
{
	return addr_is_ip4(gateway) == addr_is_ip4(network) &&
	       !addr_is_unspecified(gateway) && !addr_is_multicast(gateway) &&
	       !addr_is_loopback(gateway) && !addr_is_limited_broadcast(gateway);
}

int weft_stack_add_route(struct weft_stack *stack, const struct weft_ip *network,
			 const struct weft_ip *gateway, struct weft_iface *iface)
{
	struct ip_addr addr;
	unsigned bits, gateway_bits;
	struct ip_route route = {
		.origin = ROUTE_STATIC,
		.iface = iface,
		.has_gateway = gateway != NULL,
		.expires = WEFT_NEVER,
	};
	if (!addr_of_ip(network, &addr, &bits))
		return -EINVAL;
	route.network = addr_mask(&addr, bits);
	route.bits = (uint8_t)bits;
	if (gateway && (!addr_of_ip(gateway, &route.gateway, &gateway_bits) ||
			!is_gateway(&route.gateway, &addr)))
		return -EINVAL;
	return routes_add(stack, &route);
}

void weft_stack_remove_route(struct weft_stack *stack, const struct weft_ip *network,
			     struct weft_iface *iface)
{
	struct ip_addr addr;
	unsigned bits;
	if (!addr_of_ip(network, &addr, &bits))
		return;
	addr = addr_mask(&addr, bits);
	for (size_t i = 0; i < stack->routes.n; i++) {
		struct ip_route *route = &stack->routes.entries[i];
		if (route->origin != ROUTE_STATIC || !is_to(route, &addr, bits, iface))
			continue;
		routes_remove(stack, route);
		return;
	}
}
