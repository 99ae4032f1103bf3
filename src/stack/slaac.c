/* SPDX-License-Identifier: MIT */
/*
 * What a router tells its hosts (RFC 4861, 6.3), and the addresses that they make of it
 * (RFC 4862, 5.5).
 *
 *     router lifetime   a default route by the router, which ends
 *     hop limit, reachable time, retransmit time, MTU      parameters of the interface
 *     prefix, on-link   a route straight to the link, which ends
 *     prefix, autonom.  an address: prefix and an identifier of our own (RFC 7217: a keyed
 *                       hash, so it is stable here and tells nothing elsewhere)
 *     servers, domains  for programs: advice.c
 *
 * An interface takes so many routers and prefixes and no more (advertised_routes_max and
 * advertised_addresses_max): a flood of advertisements, which anybody can send to ff02::1, fills
 * neither routes nor addresses.
 */
#include "base/time.h"
#include "stack/nd.h"
#include "stack/stack.h"

#define REACHABLE_NS     (30 * NS_PER_S)
#define RETRANS_NS       NS_PER_S
#define SOLICITS_MAX     3u             /* MAX_RTR_SOLICITATIONS. */
#define SOLICIT_NS       (4 * NS_PER_S) /* RTR_SOLICITATION_INTERVAL. */
#define SOLICIT_DELAY_NS NS_PER_S
#define PREFIX_BITS      64u
#define TWO_HOURS_NS     (7200 * NS_PER_S)
#define FOREVER_S        UINT32_MAX
#define REACHABLE_MS_MAX 3600000u
#define RETRANS_MS_MIN   10u
#define RETRANS_MS_MAX   60000u

static const struct ip_addr all_routers = { { 0xff, 0x02, [15] = 2 } };
static const struct ip_addr anywhere;

/* ---- asking for routers ------------------------------------------------------------------ */

static void solicit(struct timer *timer, void *user, uint64_t now)
{
	struct weft_iface *iface = container_of(timer, struct weft_iface, solicit);
	const struct iface_addr *src = iface_link_local(iface);
	struct weft_stack *stack = user;
	const struct nd_msg msg = {
		.type = ICMP6_ROUTER_SOLICIT,
		.has_source_mac = true,
		.source_mac = iface->mac,
	};
	if (!src)
		return;
	nd_send(iface, &src->addr, &all_routers, &msg, now);
	if (++iface->solicits < SOLICITS_MAX)
		wheel_arm(&stack->wheel, timer, now + SOLICIT_NS);
}

void nd_init_iface(struct weft_iface *iface)
{
	iface->reachable_ns = REACHABLE_NS;
	iface->retrans_ns = RETRANS_NS;
	iface->solicit.fire = solicit;
	advice_init(&iface->advice);
}

void nd_solicit_routers(struct weft_iface *iface, uint64_t now)
{
	struct weft_stack *stack = iface->stack;
	if (iface->opts.no_slaac || stack->opts.forwarding)
		return;
	iface->solicits = 0;
	wheel_arm(&stack->wheel, &iface->solicit,
		  now + rng_below(&stack->rng, SOLICIT_DELAY_NS));
}

/* ---- addresses --------------------------------------------------------------------------- */

/* The prefix of 64 bits with an identifier: F() of RFC 7217, 5. */
static struct ip_addr make_addr(const struct weft_iface *iface,
				const struct ip_addr *prefix)
{
	struct {
		uint8_t prefix[8];
		struct weft_mac mac;
		uint8_t zero[2];
		uint32_t index;
	} key = { .mac = iface->mac, .index = iface->index };
	struct ip_addr addr = *prefix;
	memcpy(key.prefix, prefix->octet, sizeof(key.prefix));
	store_be64(addr.octet + 8, hash_bytes(iface->stack->secret, &key, sizeof(key)));
	return addr;
}

struct ip_addr nd_link_local(const struct weft_iface *iface)
{
	const struct ip_addr prefix = { { 0xfe, 0x80 } };
	return make_addr(iface, &prefix);
}

static uint64_t end_of(uint32_t seconds, uint64_t now)
{
	return seconds == FOREVER_S ? WEFT_NEVER : now + seconds * NS_PER_S;
}

static unsigned count_slaac(const struct weft_iface *iface)
{
	unsigned n = 0;
	list_for_each (node, &iface->addrs)
		n += container_of(node, struct iface_addr, of_iface)->is_slaac;
	return n;
}

/* RFC 4862, 5.5.3 (e): a lifetime is not cut to less than two hours by who anybody may be. */
static uint64_t judge_valid(const struct iface_addr *a, uint64_t told, uint64_t now)
{
	uint64_t two_hours = now + TWO_HOURS_NS;
	if (told > two_hours || told > a->valid_until)
		return told;
	return a->valid_until <= two_hours ? a->valid_until : two_hours;
}

static void take_autonomous(struct weft_iface *iface, const struct nd_prefix *p,
			    uint64_t now)
{
	struct ip_addr prefix = addr_of_ip6(&p->prefix);
	struct ip_addr addr = make_addr(iface, &prefix);
	struct iface_addr *a = iface_find_addr(iface, &addr);
	if (p->prefix_len != PREFIX_BITS || p->preferred_s > p->valid_s)
		return;
	if (a) {
		iface_addr_set_lifetime(a, end_of(p->preferred_s, now),
					judge_valid(a, end_of(p->valid_s, now), now),
					now);
		return;
	}
	if (p->valid_s == 0 ||
	    count_slaac(iface) == iface->stack->opts.advertised_addresses_max)
		return;
	/* Its network is a route only if the prefix is said to be on the link (RFC 5942). */
	if (iface_add_addr(iface, &addr, ADDR_BITS, 0, now, &a) < 0)
		return;
	a->is_slaac = true;
	iface_addr_set_lifetime(a, end_of(p->preferred_s, now), end_of(p->valid_s, now),
				now);
}

/* ---- routes ------------------------------------------------------------------------------ */

static unsigned count_advertised(const struct weft_stack *stack,
				 const struct weft_iface *iface)
{
	unsigned n = 0;
	for (size_t i = 0; i < stack->routes.n; i++) {
		const struct ip_route *route = &stack->routes.entries[i];
		n += route->iface == iface && route->origin == ROUTE_ADVERT;
	}
	return n;
}

/* Makes, prolongs or ends a route of a router's; not one that somebody else has made. */
static void set_route(struct weft_iface *iface, const struct ip_addr *network,
		      unsigned bits, const struct ip_addr *gateway, uint64_t expires,
		      uint64_t now)
{
	struct weft_stack *stack = iface->stack;
	struct ip_route *route = routes_find(stack, network, bits, gateway, iface);
	if (route && route->origin != ROUTE_ADVERT)
		return;
	if (route && expires <= now) {
		routes_remove(stack, route);
		return;
	}
	if (route) {
		routes_set_expires(stack, route, expires);
		return;
	}
	if (expires <= now ||
	    count_advertised(stack, iface) == stack->opts.advertised_routes_max)
		return;
	struct ip_route made = {
		.network = *network,
		.bits = (uint8_t)bits,
		.has_gateway = gateway != NULL,
		.origin = ROUTE_ADVERT,
		.iface = iface,
		.expires = expires,
	};
	if (gateway)
		made.gateway = *gateway;
	(void)!routes_add(stack, &made);
}

void slaac_router_gone(struct weft_iface *iface, const struct ip_addr *router)
{
	set_route(iface, &anywhere, 0, router, 0, 0);
}

static void take_prefix(struct weft_iface *iface, const struct nd_prefix *p, uint64_t now)
{
	struct ip_addr prefix = addr_of_ip6(&p->prefix);
	/* IPv4 has its own ways, and link-local is there already. */
	if (addr_is_multicast(&prefix) || addr_is_link_local(&prefix) ||
	    p->prefix_len <= 8 || addr_is_ip4(&prefix))
		return;
	prefix = addr_mask(&prefix, p->prefix_len);
	if (p->on_link)
		set_route(iface, &prefix, p->prefix_len, NULL, end_of(p->valid_s, now),
			  now);
	if (p->autonomous)
		take_autonomous(iface, p, now);
}

static void take_parameters(struct weft_iface *iface, const struct nd_msg *msg)
{
	if (msg->hop_limit)
		iface->hop_limit = msg->hop_limit;
	if (msg->reachable_ms && msg->reachable_ms <= REACHABLE_MS_MAX)
		iface->reachable_ns = msg->reachable_ms * NS_PER_MS;
	if (msg->retrans_ms >= RETRANS_MS_MIN && msg->retrans_ms <= RETRANS_MS_MAX)
		iface->retrans_ns = msg->retrans_ms * NS_PER_MS;
	if (msg->mtu >= IFACE_MTU_MIN && msg->mtu <= iface->mtu &&
	    msg->mtu != iface->mtu_ip6) {
		iface->mtu_ip6 = msg->mtu;
		stack_changed(iface->stack);
	}
}

enum weft_stack_outcome slaac_input(const struct ip_rx *rx, const struct nd_msg *msg,
				    uint64_t now)
{
	struct weft_iface *iface = rx->iface;
	const struct neigh_news news = {
		.mac = msg->source_mac,
		.overrides = true,
		.may_create = true,
	};
	if (!addr_is_link_local(&rx->src))
		return WEFT_STACK_DROP_ND;
	if (iface->opts.no_slaac || iface->stack->opts.forwarding)
		return WEFT_STACK_IGNORED;
	if (msg->lifetime_s > 0) /* 6.3.7: else it is no router that was looked for. */
		wheel_cancel(&iface->stack->wheel, &iface->solicit);
	take_parameters(iface, msg);
	set_route(iface, &anywhere, 0, &rx->src, now + msg->lifetime_s * NS_PER_S, now);
	if (msg->has_source_mac)
		neigh_update(iface, &rx->src, &news, now);
	struct neigh *router = neigh_find(iface, &rx->src);
	if (router)
		router->is_router = true;
	for (unsigned i = 0; i < msg->prefixes_n; i++)
		take_prefix(iface, &msg->prefixes[i], now);
	advice_take(iface, msg, rx->payload, rx->len, now);
	return WEFT_STACK_NOTED;
}
