/* SPDX-License-Identifier: MIT */
/*
 * Each step either settles the packet or leaves it to the next; the order is that of the
 * list in <weft/router.h>.
 */
#include "bridge/route.h"

#include "wire/ip4.h"
#include "wire/ip6.h"

enum weft_router_outcome route_ends_of(const uint8_t *data, uint32_t len,
				       struct route_ends *ret_ends)
{
	unsigned version = len > 0 ? data[0] >> 4 : 0;
	struct ip4_hdr ip4;
	struct ip6_hdr ip6;

	if (version == 4) {
		if (ip4_hdr_parse(data, len, &ip4) < 0)
			return WEFT_ROUTER_DROP_MALFORMED;
		*ret_ends = (struct route_ends){ .src = prefix_of_ip4(ip4.src),
						 .dst = prefix_of_ip4(ip4.dst) };
		return WEFT_ROUTER_FORWARDED;
	}
	if (version == 6) {
		if (ip6_hdr_parse(data, len, &ip6) < 0)
			return WEFT_ROUTER_DROP_MALFORMED;
		*ret_ends = (struct route_ends){ .src = prefix_of_ip6(ip6.src.octet),
						 .dst = prefix_of_ip6(ip6.dst.octet) };
		return WEFT_ROUTER_FORWARDED;
	}
	return WEFT_ROUTER_DROP_NOT_IP;
}

/* fe80::/10, ff00::/8, :: and ::1. */
static bool stays_on_its_link(const struct prefix *addr)
{
	return addr->hi >> 54 == 0xfe80u >> 6 || addr->hi >> 56 == 0xff ||
	       (addr->hi == 0 && addr->lo <= 1);
}

static bool leaves_its_link(const struct route_ends *ends)
{
	return !ends->src.is_ip6 ||
	       !(stays_on_its_link(&ends->src) || stays_on_its_link(&ends->dst));
}

/*
 * Strict reverse path: the answer, from dst to src, would go to the ingress. Somebody who
 * has pins, or is an exit, is the way out of those sources, so answers to them may come from
 * anywhere that nobody has; but not from where neither is ever asked.
 */
static bool source_passes(const struct routes *routes, const struct route_port *ingress,
			  const struct route_ends *ends, struct route *way)
{
	if (ingress->opts.uplink || ingress->opts.no_source_check)
		return true;
	const struct route_port *owner =
		prefix_lookup(&routes->networks, &ends->src, NULL, &way->network);
	way->has_network = owner;
	if (owner)
		return owner == ingress;
	if (prefix_lookup(&routes->exempt, &ends->src, NULL, NULL))
		return false;
	return prefix_lookup(&routes->pins, &ends->dst, NULL, NULL) == ingress ||
	       (routes->is_exit && routes->is_exit(routes, ingress, ends));
}

void route_to(const struct route_port *ingress, struct route_port *egress,
	      enum weft_router_outcome outcome, struct route *way)
{
	bool isolated =
		egress != ingress && ingress->opts.isolated && egress->opts.isolated;
	way->outcome = isolated ? WEFT_ROUTER_DROP_ISOLATED : outcome;
	way->egress = egress;
}

void route_rest(const struct routes *routes, const struct route_port *ingress,
		struct route *way)
{
	way->outcome = WEFT_ROUTER_DROP_NO_ROUTE;
	way->egress = NULL;
	if (routes->uplink && !ingress->opts.uplink)
		route_to(ingress, routes->uplink, WEFT_ROUTER_UPLINK, way);
}

static bool by_network(const struct routes *routes, const struct route_port *ingress,
		       const struct route_ends *ends, struct route *way)
{
	struct route_port *egress =
		prefix_lookup(&routes->networks, &ends->dst, ingress, &way->network);
	way->has_network = egress;
	if (egress)
		route_to(ingress, egress, WEFT_ROUTER_FORWARDED, way);
	return egress;
}

static bool by_pin(const struct routes *routes, const struct route_port *ingress,
		   const struct route_ends *ends, struct route *way)
{
	struct route_port *egress =
		prefix_lookup(&routes->pins, &ends->src, NULL, &way->pin);
	way->has_pin = egress;
	if (!egress)
		return false;
	if (!ingress->opts.uplink)
		way->has_exempt =
			prefix_lookup(&routes->exempt, &ends->dst, NULL, &way->exempt);
	if (way->has_exempt)
		return false;
	route_to(ingress, egress, WEFT_ROUTER_PINNED, way);
	return true;
}

static bool by_exit(const struct routes *routes, const struct route_ends *ends,
		    struct route *way)
{
	if (!routes->has_exits || way->has_exempt)
		return false;
	way->has_exempt = prefix_lookup(&routes->exempt, &ends->dst, NULL, &way->exempt);
	if (way->has_exempt)
		return false;
	way->outcome = WEFT_ROUTER_EXIT;
	return true;
}

struct route route_decide(const struct routes *routes, const struct route_port *ingress,
			  const struct route_ends *ends)
{
	struct route way = { .outcome = WEFT_ROUTER_DROP_SCOPE };
	if (!leaves_its_link(ends))
		return way;
	way.outcome = WEFT_ROUTER_DROP_SPOOFED;
	if (!source_passes(routes, ingress, ends, &way))
		return way;
	if (!by_network(routes, ingress, ends, &way) &&
	    !by_pin(routes, ingress, ends, &way) && !by_exit(routes, ends, &way))
		route_rest(routes, ingress, &way);
	return way;
}
