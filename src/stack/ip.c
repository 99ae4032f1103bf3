/* SPDX-License-Identifier: MIT */
/*
 * What IPv4 and IPv6 have in common: who takes a datagram, and which way one goes.
 *
 * The way to a destination, in this order:
 *
 *   own address          the loopback interface
 *   group or broadcast   the interface that is asked for, or the one with the best route
 *   redirect             what a router has said of this destination (dest.h)
 *   route                the longest network (routes.h), to its gateway or straight
 */
#include "stack/ip.h"

#include "stack/output.h"
#include "stack/stack.h"
#include "wire/checksum.h"

#include <errno.h>

/* ---- in ---------------------------------------------------------------------------------- */

/* Sum of the pseudo header. */
static uint32_t pseudo_sum(const struct ip_addr *src, const struct ip_addr *dst,
			   uint8_t protocol, size_t len)
{
	if (addr_is_ip4(src))
		return checksum_pseudo4(src->octet + 12, dst->octet + 12, protocol,
					(uint16_t)len);
	return checksum_pseudo6(src->octet, dst->octet, protocol, (uint32_t)len);
}

bool ip_checksum_is_right(const struct ip_rx *rx)
{
	if (rx->is_checksum_right)
		return true;
	uint32_t sum = pseudo_sum(&rx->src, &rx->dst, rx->protocol, rx->len);
	if (rx->protocol == IPPROTO_UDP && rx->len >= 8)
		return checksum_udp_is_right(sum, rx->payload, rx->len,
					     !addr_is_ip4(&rx->dst));
	return checksum_is_right(sum, rx->payload, rx->len);
}

uint16_t ip_pseudo_checksum(const struct ip_addr *src, const struct ip_addr *dst,
			    uint8_t protocol, size_t len)
{
	return checksum_fold(pseudo_sum(src, dst, protocol, len));
}

enum weft_stack_outcome ip_deliver(const struct ip_rx *rx, uint64_t now)
{
	struct weft_stack *stack = rx->iface->stack;
	const struct ip_protocol *protocol = stack_protocol(rx->protocol);
	if (protocol)
		return protocol->input(stack, rx, now);
	ip_send_error(stack, rx, IP_ERROR_PROTOCOL, now);
	return WEFT_STACK_DROP_NO_PROTOCOL;
}

bool ip_is_own(const struct weft_stack *stack, const struct ip_addr *addr)
{
	list_for_each (node, &stack->ifaces) {
		const struct weft_iface *iface =
			container_of(node, struct weft_iface, of_stack);
		if (iface_has_addr(iface, addr))
			return true;
	}
	return false;
}

bool ip_is_broadcast(const struct weft_stack *stack, const struct ip_addr *addr)
{
	list_for_each (node, &stack->ifaces) {
		const struct weft_iface *iface =
			container_of(node, struct weft_iface, of_stack);
		if (iface_is_broadcast(iface, addr))
			return true;
	}
	return false;
}

/* ---- scopes ------------------------------------------------------------------------------ */

/* What this host sends to itself comes by loopback: then it is where the address is. */
uint32_t ip_scope_on(const struct weft_iface *iface, const struct ip_addr *local,
		     const struct ip_addr *remote)
{
	const struct ip_addr *scoped = addr_needs_scope(local) ? local : remote;
	if (iface->link)
		return iface->index;
	list_for_each (node, &iface->stack->ifaces) {
		const struct weft_iface *owner =
			container_of(node, struct weft_iface, of_stack);
		if (iface_has_addr(owner, scoped))
			return owner->index;
	}
	return 0;
}

/* The first interface that is not loopback. */
static struct weft_iface *first_iface(const struct weft_stack *stack)
{
	list_for_each (node, &stack->ifaces) {
		struct weft_iface *iface =
			container_of(node, struct weft_iface, of_stack);
		if (iface->link)
			return iface;
	}
	return NULL;
}

/* Loopback is not counted. */
static bool has_one_iface(const struct weft_stack *stack)
{
	return stack->ifaces_n == 2;
}

int ip_scope_find(const struct weft_stack *stack, const struct ip_addr *addr,
		  uint32_t asked, uint32_t *ret_scope)
{
	uint32_t scope = 0;
	if (addr_needs_scope(addr)) {
		const struct weft_iface *iface = asked == 0 && has_one_iface(stack)
							 ? first_iface(stack)
							 : iface_of_index(stack, asked);
		if (!iface)
			return -EINVAL;
		scope = iface->index;
	}
	*ret_scope = scope;
	return 0;
}

/* ---- the way ----------------------------------------------------------------------------- */

bool ip_path_is_current(const struct weft_stack *stack, const struct ip_path *path)
{
	return path->generation == stack->generation;
}

void ip_path_confirm(struct weft_stack *stack, const struct ip_path *path, uint64_t now)
{
	if (path->neigh && ip_path_is_current(stack, path))
		neigh_confirm(path->neigh, now);
}

void ip_path_doubt(struct weft_stack *stack, const struct ip_path *path, uint64_t now)
{
	if (path->neigh && ip_path_is_current(stack, path))
		neigh_doubt(path->neigh, now);
}

/* Whether a packet from this host may say so. */
static bool may_send_from(const struct weft_iface *iface, const struct ip_addr *src)
{
	return iface_has_addr(iface, src) || ip_is_own(iface->stack, src);
}

static int choose_src(const struct ip_addr *asked, const struct ip_addr *dst,
		      struct ip_path *path)
{
	if (asked && !addr_is_unspecified(asked)) {
		path->src = *asked;
		return may_send_from(path->iface, asked) ? 0 : -EADDRNOTAVAIL;
	}
	if (path->is_local) {
		path->src = *dst;
		return 0;
	}
	const struct iface_addr *a = iface_choose_src(path->iface, dst);
	if (!a)
		return -EADDRNOTAVAIL;
	path->src = a->addr;
	return 0;
}

/* The neighbour that is the next hop, on a link that has neighbours. */
static int find_neighbour(struct ip_path *path, const struct ip_addr *hop, uint64_t now)
{
	if (!path->iface->is_ethernet || path->is_group)
		return 0;
	path->neigh = neigh_get(path->iface, hop, now);
	return path->neigh ? 0 : -ENOBUFS;
}

/* Sets iface, and finds the next hop of what is for another host. Returns 0 or -ENETUNREACH. */
static int find_hop(const struct weft_stack *stack, const struct ip_addr *dst,
		    struct weft_iface *iface, uint64_t now, struct ip_path *path,
		    struct ip_addr *ret_hop)
{
	const struct dest *dest = dest_find(stack, dst, now);
	if (dest && dest->has_gateway && (!iface || iface == dest->iface)) {
		path->iface = dest->iface;
		*ret_hop = dest->gateway;
		return 0;
	}
	const struct ip_route *route = routes_lookup(stack, dst, iface, now);
	if (!route)
		return -ENETUNREACH;
	path->iface = route->iface;
	*ret_hop = route->has_gateway ? route->gateway : *dst;
	return 0;
}

/* Where no route says better, the first. */
static int find_group_iface(const struct weft_stack *stack, const struct ip_addr *dst,
			    struct weft_iface *iface, uint64_t now, struct ip_path *path)
{
	if (!iface) {
		const struct ip_route *route = routes_lookup(stack, dst, NULL, now);
		iface = route ? route->iface : first_iface(stack);
	}
	path->iface = iface;
	return iface ? 0 : -ENETUNREACH;
}

/* The route's interface if the address is a broadcast there. */
static bool is_group(const struct weft_stack *stack, const struct ip_addr *dst,
		     const struct weft_iface *iface, uint64_t now)
{
	if (addr_is_multicast(dst) || addr_is_limited_broadcast(dst))
		return true;
	if (!addr_is_ip4(dst))
		return false;
	const struct ip_route *route = routes_lookup(stack, dst, iface, now);
	return route && iface_is_broadcast(route->iface, dst);
}

static uint32_t path_mtu(const struct weft_stack *stack, const struct weft_iface *iface,
			 const struct ip_addr *dst, uint64_t now)
{
	uint32_t mtu = addr_is_ip4(dst) ? iface->mtu : iface->mtu_ip6;
	const struct dest *dest = dest_find(stack, dst, now);
	return dest && dest->mtu != 0 && dest->mtu < mtu ? dest->mtu : mtu;
}

/* What all paths have at the end. */
static int finish_path(struct weft_stack *stack, const struct ip_addr *dst,
		       const struct ip_addr *hop, uint64_t now, struct ip_path *path,
		       struct ip_path *ret_path)
{
	int r = find_neighbour(path, hop, now);
	if (r < 0)
		return r;
	path->link_flags = path->iface->link_flags;
	path->mtu = path_mtu(stack, path->iface, dst, now);
	path->id_hash = hash_bytes(stack->secret, dst, sizeof(*dst));
	/* Last: a neighbour that is new may have pushed out another. */
	path->generation = stack->generation;
	*ret_path = *path;
	return 0;
}

int ip_path_find(struct weft_stack *stack, const struct ip_addr *src,
		 const struct ip_addr *dst, struct weft_iface *iface, uint64_t now,
		 struct ip_path *ret_path)
{
	struct ip_path path = { .is_group = is_group(stack, dst, iface, now) };
	struct ip_addr hop = *dst;
	int r = 0;
	if (addr_is_unspecified(dst))
		return -ENETUNREACH;
	path.is_local = !path.is_group && ip_is_own(stack, dst);
	if (path.is_local)
		path.iface = stack->loopback;
	else if (path.is_group)
		r = find_group_iface(stack, dst, iface, now, &path);
	else
		r = find_hop(stack, dst, iface, now, &path, &hop);
	if (r == 0)
		r = choose_src(src, dst, &path);
	return r < 0 ? r : finish_path(stack, dst, &hop, now, &path, ret_path);
}

int ip_path_onward(struct weft_stack *stack, const struct ip_addr *dst, uint64_t now,
		   struct ip_path *ret_path)
{
	struct ip_path path = { 0 };
	struct ip_addr hop = *dst;
	int r = find_hop(stack, dst, NULL, now, &path, &hop);
	return r < 0 ? r : finish_path(stack, dst, &hop, now, &path, ret_path);
}
