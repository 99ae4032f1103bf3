/* SPDX-License-Identifier: MIT */
/*
 * Neighbour solicitations and advertisements, and redirects. All of them are believed only
 * with a hop limit of 255, which no router lets through: so who speaks is on the link.
 *
 *     solicitation from ::          somebody checks an address (RFC 4862): defend it, or give
 *                                   up our own wish for it
 *     solicitation                  answered; who asks becomes a neighbour
 *     advertisement                 changes a neighbour that is known, and makes none
 *     redirect                      judged (icmp.h)
 */
#include "stack/nd.h"

#include "base/mac.h"
#include "stack/icmp.h"
#include "stack/icmp6.h"
#include "stack/stack.h"

#define MESSAGE_MAX       64u /* Of those that a host sends. */
#define REDIRECT_LEN      40u
#define OPTION_TARGET_MAC 2u

static const struct ip_addr all_nodes = { { 0xff, 0x02, [15] = 1 } };
static const struct ip_addr unspecified;

/* ---- saying ------------------------------------------------------------------------------ */

void nd_send(struct weft_iface *iface, const struct ip_addr *src,
	     const struct ip_addr *dst, const struct nd_msg *msg, uint64_t now)
{
	uint8_t message[MESSAGE_MAX];
	int len = nd_msg_emit(message, sizeof(message), msg);
	if (len > 0)
		icmp6_send_on_link(iface, src, dst, message, (size_t)len, now);
}

void nd_ask(struct weft_iface *iface, const struct ip_addr *addr,
	    const struct weft_mac *to, uint64_t now)
{
	const struct iface_addr *src = iface_choose_src(iface, addr);
	struct ip_addr group = addr_solicited_node(addr);
	const struct nd_msg msg = {
		.type = ICMP6_NEIGHBOR_SOLICIT,
		.target = addr_to_ip6(addr),
		.has_source_mac = true,
		.source_mac = iface->mac,
	};
	if (src)
		nd_send(iface, &src->addr, to ? addr : &group, &msg, now);
}

void nd_probe(struct weft_iface *iface, const struct ip_addr *addr, uint64_t now)
{
	struct ip_addr group = addr_solicited_node(addr);
	const struct nd_msg msg = {
		.type = ICMP6_NEIGHBOR_SOLICIT,
		.target = addr_to_ip6(addr),
	};
	nd_send(iface, &unspecified, &group, &msg, now);
}

static void advertise(struct weft_iface *iface, const struct ip_addr *target,
		      const struct ip_addr *to, uint64_t now)
{
	const struct nd_msg msg = {
		.type = ICMP6_NEIGHBOR_ADVERT,
		.target = addr_to_ip6(target),
		.router = iface->stack->opts.forwarding,
		.solicited = !addr_is_multicast(to),
		.override = true,
		.has_target_mac = true,
		.target_mac = iface->mac,
	};
	nd_send(iface, target, to, &msg, now);
}

void nd_announce(struct weft_iface *iface, const struct ip_addr *addr, uint64_t now)
{
	advertise(iface, addr, &all_nodes, now);
}

/* ---- hearing ----------------------------------------------------------------------------- */

/* RFC 4861, 7.1.1. */
static bool is_solicit_valid(const struct ip_rx *rx, const struct nd_msg *msg)
{
	struct ip_addr target = addr_of_ip6(&msg->target);
	struct ip_addr group = addr_solicited_node(&target);
	if (!addr_is_unspecified(&rx->src))
		return true;
	return addr_equal(&rx->dst, &group) && !msg->has_source_mac;
}

static enum weft_stack_outcome take_solicit(const struct ip_rx *rx,
					    const struct nd_msg *msg, uint64_t now)
{
	struct weft_iface *iface = rx->iface;
	struct ip_addr target = addr_of_ip6(&msg->target);
	struct iface_addr *a = iface_find_addr(iface, &target);
	bool is_probe = addr_is_unspecified(&rx->src);
	if (!is_solicit_valid(rx, msg))
		return WEFT_STACK_DROP_ND;
	if (a && a->state == WEFT_ADDRESS_TENTATIVE && is_probe) {
		iface_addr_conflict(a, now);
		return WEFT_STACK_NOTED;
	}
	if (!a || !iface_addr_is_usable(a))
		return WEFT_STACK_IGNORED;
	const struct neigh_news news = {
		.mac = msg->source_mac,
		.overrides = true,
		.may_create = true,
	};
	if (msg->has_source_mac)
		neigh_update(iface, &rx->src, &news, now);
	advertise(iface, &target, is_probe ? &all_nodes : &rx->src, now);
	return WEFT_STACK_ANSWERED;
}

static void note_router(struct neigh *n, bool is_router)
{
	if (n->is_router && !is_router)
		slaac_router_gone(n->iface, &n->addr);
	n->is_router = is_router;
}

static enum weft_stack_outcome take_advert(const struct ip_rx *rx,
					   const struct nd_msg *msg, uint64_t now)
{
	struct weft_iface *iface = rx->iface;
	struct ip_addr target = addr_of_ip6(&msg->target);
	struct iface_addr *own = iface_find_addr(iface, &target);
	struct neigh *n = neigh_find(iface, &target);
	if (addr_is_multicast(&rx->dst) && msg->solicited)
		return WEFT_STACK_DROP_ND;
	if (own) {
		iface_addr_conflict(own, now);
		return WEFT_STACK_NOTED;
	}
	if (!n || (!neigh_is_known(n) && !msg->has_target_mac))
		return WEFT_STACK_IGNORED;
	const struct neigh_news news = {
		.mac = msg->has_target_mac ? msg->target_mac : n->mac,
		.is_solicited = msg->solicited,
		.overrides = msg->override,
	};
	neigh_update(iface, &target, &news, now);
	/* Of another MAC than the one that is believed, the rest is not believed either. */
	if (mac_equal(n->mac, news.mac))
		note_router(n, msg->router);
	return WEFT_STACK_NOTED;
}

/* The options of a redirect, of which only the target's MAC counts. False: malformed. */
static bool read_redirect_options(struct reader *r, struct neigh_news *news,
				  bool *ret_has_mac)
{
	struct nd_option option;
	while (nd_option_next(r, &option)) {
		const size_t mac_len = sizeof(news->mac.octet);
		if (option.type != OPTION_TARGET_MAC || option.value.len != mac_len)
			continue;
		reader_copy(&option.value, news->mac.octet, mac_len);
		*ret_has_mac = true;
	}
	return !r->bad;
}

static enum weft_stack_outcome take_redirect(const struct ip_rx *rx, uint64_t now)
{
	struct reader r = reader_of(rx->payload, rx->len);
	struct neigh_news news = { .overrides = true, .may_create = true };
	struct ip_addr gateway = unspecified, target = unspecified;
	bool has_mac = false;
	if (rx->len < REDIRECT_LEN || rx->payload[ICMP_OFF_CODE] != 0 ||
	    !addr_is_link_local(&rx->src))
		return WEFT_STACK_DROP_ND;
	reader_skip(&r, ICMP_LEN);
	reader_copy(&r, gateway.octet, sizeof(gateway.octet));
	reader_copy(&r, target.octet, sizeof(target.octet));
	if (!read_redirect_options(&r, &news, &has_mac))
		return WEFT_STACK_DROP_ND;
	if (!addr_is_link_local(&gateway) && !addr_equal(&gateway, &target))
		return WEFT_STACK_DROP_ND;
	enum weft_stack_outcome outcome = icmp_take_redirect(rx, &target, &gateway, now);
	if (outcome == WEFT_STACK_NOTED && has_mac)
		neigh_update(rx->iface, &gateway, &news, now);
	return outcome;
}

enum weft_stack_outcome nd_input(const struct ip_rx *rx, uint64_t now)
{
	struct nd_msg msg;
	if (rx->ttl != ND_HOP_LIMIT || !rx->iface->is_ethernet)
		return WEFT_STACK_DROP_ND;
	if (rx->payload[ICMP_OFF_TYPE] == ICMP6_REDIRECT)
		return take_redirect(rx, now);
	if (nd_msg_parse(rx->payload, rx->len, &msg) < 0)
		return WEFT_STACK_DROP_ND;
	switch (msg.type) {
	case ICMP6_NEIGHBOR_SOLICIT:
		return take_solicit(rx, &msg, now);
	case ICMP6_NEIGHBOR_ADVERT:
		return take_advert(rx, &msg, now);
	case ICMP6_ROUTER_ADVERT:
		return slaac_input(rx, &msg, now);
	default: /* Solicitations are for routers that advertise, which this is not. */
		return WEFT_STACK_IGNORED;
	}
}
