/* SPDX-License-Identifier: MIT */
/*
 * The packet says what the sender believes; RFC 826 merges that into the table first and looks
 * at the operation afterwards. Here a packet that was not asked for changes only an entry that
 * exists, and only one that asks for us makes a new one: so a flood of replies fills nothing.
 *
 *     sender IP is ours, sender MAC is not        conflict (RFC 5227, 2.4)
 *     probe (sender IP 0) for our tentative one   conflict (2.1.1), else answered
 *     request for us                              noted, answered
 *     reply to us                                 noted as solicited if it was asked for
 *     anything else                               noted if the sender is known
 */
#include "stack/arp.h"

#include "base/mac.h"
#include "stack/stack.h"
#include "wire/arp.h"

static const struct weft_mac mac_broadcast = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

static void send_arp(struct weft_iface *iface, struct weft_mac dst,
		     const struct arp_hdr *arp, uint64_t now)
{
	struct weft_frame *frame = iface_frame(iface, ARP_LEN, now);
	if (!frame || arp_hdr_emit(frame->data, ARP_LEN, arp) < 0)
		return;
	iface_send(iface, frame, dst, ETHER_TYPE_ARP);
}

void arp_ask(struct weft_iface *iface, const struct ip_addr *addr,
	     const struct weft_mac *to, uint64_t now)
{
	const struct iface_addr *src = iface_choose_src(iface, addr);
	if (!src) /* Asking would look like a probe. */
		return;
	const struct arp_hdr arp = {
		.op = ARP_OP_REQUEST,
		.sender_mac = iface->mac,
		.sender_ip = addr_to_ip4(&src->addr),
		.target_ip = addr_to_ip4(addr),
	};
	send_arp(iface, to ? *to : mac_broadcast, &arp, now);
}

void arp_probe(struct weft_iface *iface, const struct ip_addr *addr, uint64_t now)
{
	const struct arp_hdr arp = {
		.op = ARP_OP_REQUEST,
		.sender_mac = iface->mac,
		.target_ip = addr_to_ip4(addr),
	};
	send_arp(iface, mac_broadcast, &arp, now);
}

void arp_announce(struct weft_iface *iface, const struct ip_addr *addr, uint64_t now)
{
	const struct arp_hdr arp = {
		.op = ARP_OP_REQUEST,
		.sender_mac = iface->mac,
		.sender_ip = addr_to_ip4(addr),
		.target_ip = addr_to_ip4(addr),
	};
	send_arp(iface, mac_broadcast, &arp, now);
}

static void answer(struct weft_iface *iface, const struct arp_hdr *request, uint64_t now)
{
	const struct arp_hdr reply = {
		.op = ARP_OP_REPLY,
		.sender_mac = iface->mac,
		.sender_ip = request->target_ip,
		.target_mac = request->sender_mac,
		.target_ip = request->sender_ip,
	};
	send_arp(iface, request->sender_mac, &reply, now);
}

/* A sender that can be one host. Its MAC need not be the one on the frame. */
static bool is_sane(const struct iface_rx *rx, const struct arp_hdr *arp)
{
	struct ip_addr sender = addr_of_ip4(arp->sender_ip);
	if (arp->op != ARP_OP_REQUEST && arp->op != ARP_OP_REPLY)
		return false;
	if (mac_is_group(arp->sender_mac) || mac_is_zero(arp->sender_mac))
		return false;
	if (arp->sender_ip == 0)
		return arp->op == ARP_OP_REQUEST;
	return !addr_is_multicast(&sender) && !addr_is_loopback(&sender) &&
	       !iface_is_broadcast(rx->iface, &sender);
}

/* A probe, ours or not, for an address that we have, or would like to have. */
static enum weft_stack_outcome take_probe(struct weft_iface *iface,
					  const struct arp_hdr *arp,
					  struct iface_addr *wanted, uint64_t now)
{
	if (wanted && wanted->state == WEFT_ADDRESS_TENTATIVE) {
		iface_addr_conflict(wanted, now);
		return WEFT_STACK_NOTED;
	}
	if (!wanted || !iface_addr_is_usable(wanted))
		return WEFT_STACK_IGNORED;
	answer(iface, arp, now);
	return WEFT_STACK_ANSWERED;
}

enum weft_stack_outcome arp_input(const struct iface_rx *rx, uint64_t now)
{
	struct weft_iface *iface = rx->iface;
	struct arp_hdr arp;
	if (arp_hdr_parse(rx->packet, rx->len, &arp) < 0 || !is_sane(rx, &arp))
		return WEFT_STACK_DROP_ARP;
	struct ip_addr sender = addr_of_ip4(arp.sender_ip);
	struct ip_addr target = addr_of_ip4(arp.target_ip);
	struct iface_addr *own = iface_find_addr(iface, &sender);
	struct iface_addr *wanted = iface_find_addr(iface, &target);
	if (mac_equal(arp.sender_mac, iface->mac))
		return WEFT_STACK_IGNORED;
	if (own) {
		iface_addr_conflict(own, now);
		return WEFT_STACK_NOTED;
	}
	if (arp.sender_ip == 0)
		return take_probe(iface, &arp, wanted, now);

	bool is_for_us = wanted && iface_addr_is_usable(wanted);
	bool is_request = arp.op == ARP_OP_REQUEST;
	const struct neigh_news news = {
		.mac = arp.sender_mac,
		.is_solicited = is_for_us && !is_request && !rx->is_link_group,
		.overrides = true,
		.may_create = is_for_us && is_request,
	};
	neigh_update(iface, &sender, &news, now);
	if (!is_for_us || !is_request)
		return WEFT_STACK_NOTED;
	answer(iface, &arp, now);
	return WEFT_STACK_ANSWERED;
}
