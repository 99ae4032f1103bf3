/* SPDX-License-Identifier: MIT */
/*
 * An IPv4 packet is held to these questions, in this order:
 *
 *   header        version, IHL, total length, checksum (RFC 1122, 3.2.1.1 and 3.2.1.2)
 *   addresses     can it come from there, and be for there? (3.2.1.3; RFC 1812, 5.3.7)
 *   options       no source route is obeyed (RFC 7126); their lengths add up
 *   destination   ours, a group of ours, a broadcast here; else forwarded, or not ours
 *   fragment      wait for the others
 *   protocol      who takes it
 *
 * Options other than source routes are passed over: a host that answers has no duty to record
 * routes or times.
 */
#include "stack/ip4.h"

#include "stack/group.h"
#include "stack/output.h"
#include "stack/stack.h"
#include "wire/checksum.h"
#include "wire/ip4.h"

#include <stdlib.h>

#define OPTION_LSRR 131u
#define OPTION_SSRR 137u

/* What addresses say without knowing any interface. */
static bool is_possible_src(uint32_t src)
{
	bool is_this_network = src >> 24 == 0 && src != 0;
	return src >> 28 < 0xe && !is_this_network;
}

/* Whether a packet can come in here from src to dst. */
static bool is_martian(const struct iface_rx *rx, const struct ip_rx *ip)
{
	const struct weft_iface *iface = rx->iface;
	if (!iface->link)
		return false;
	if (!is_possible_src(addr_to_ip4(&ip->src)) || addr_is_loopback(&ip->src) ||
	    addr_is_loopback(&ip->dst) || ip_is_broadcast(iface->stack, &ip->src))
		return true;
	/* 0.0.0.0 is who has no address yet: to all, and to nobody alone (3.2.1.3 (a)). */
	if (addr_is_unspecified(&ip->src) && !ip->is_group)
		return true;
	/* To all on the link, but to one host in IP: RFC 1122, 3.3.6. */
	if (rx->is_link_group && !ip->is_group)
		return true;
	return addr_is_unspecified(&ip->dst) || ip_is_own(iface->stack, &ip->src);
}

/* Whether the options add up and ask for nothing that is not done. */
static bool are_options_good(const struct ip4_hdr *hdr)
{
	struct reader r = reader_of(hdr->options, hdr->options_len);
	while (reader_left(&r) > 0) {
		uint8_t type = reader_u8(&r);
		if (type == IP4_OPT_END)
			return true;
		if (type == IP4_OPT_NOP)
			continue;
		uint8_t len = reader_u8(&r);
		if (r.bad || len < 2 || type == OPTION_LSRR || type == OPTION_SSRR)
			return false;
		reader_skip(&r, len - 2u);
	}
	return !r.bad;
}

static bool is_for_us(const struct iface_rx *rx, const struct ip_rx *ip)
{
	const struct weft_iface *iface = rx->iface;
	struct weft_stack *stack = iface->stack;
	if (ip->is_group)
		return !addr_is_multicast(&ip->dst) || group_is_joined(iface, &ip->dst);
	/* Strong host (RFC 1122, 3.3.4.2), but for loopback and routers. */
	if (!iface->link || stack->opts.forwarding)
		return ip_is_own(stack, &ip->dst);
	return iface_has_addr(iface, &ip->dst);
}

/*
 * Whether the addresses were let in before. What is asked about them hangs on them and on the
 * addresses of this host alone, and packets come in trains from the same to the same.
 */
static bool is_known_pair(const struct iface_rx *rx, const struct ip4_hdr *hdr)
{
	const struct ip4_pair *known = &rx->iface->known4;
	return known->src == hdr->src && known->dst == hdr->dst &&
	       known->generation == rx->iface->stack->generation && !rx->is_link_group;
}

/* Groups are not remembered: they can be left without that an address changes. */
static void remember_pair(const struct iface_rx *rx, const struct ip4_hdr *hdr,
			  const struct ip_rx *ip)
{
	if (!ip->is_group && !rx->is_link_group)
		rx->iface->known4 = (struct ip4_pair){
			.generation = rx->iface->stack->generation,
			.src = hdr->src,
			.dst = hdr->dst,
		};
}

static enum weft_stack_outcome take_fragment(const struct iface_rx *rx,
					     const struct ip4_hdr *hdr,
					     const struct ip_rx *ip, uint64_t now)
{
	struct weft_iface *iface = rx->iface;
	const struct frag_piece piece = {
		.key = { .src = ip->src,
			 .dst = ip->dst,
			 .id = hdr->id,
			 .protocol = hdr->proto,
			 .iface = iface->index },
		.header = rx->packet,
		.header_len = IP4_LEN + hdr->options_len,
		.off = hdr->frag_off,
		.more = hdr->mf,
		.data = ip->payload,
		.len = ip->len,
		.ecn = hdr->tos & IP_ECN_MASK,
	};
	struct frag_whole whole;
	enum weft_stack_outcome outcome =
		frag_add(iface->stack, iface, &piece, now, &whole);
	if (outcome != WEFT_STACK_DELIVERED)
		return outcome;
	store_be16(whole.packet + IP4_OFF_TOTAL_LEN, (uint16_t)whole.len);
	store_be16(whole.packet + IP4_OFF_FRAG, 0);
	struct ip_rx all = *ip;
	all.packet = whole.packet;
	all.payload = whole.packet + whole.header_len;
	all.len = whole.len - whole.header_len;
	all.tos = (uint8_t)((ip->tos & ~IP_ECN_MASK) | whole.ecn);
	outcome = ip_deliver(&all, now);
	free(whole.packet);
	return outcome;
}

static void take_offload(const struct iface_rx *rx, struct ip_rx *ip)
{
	const struct weft_offload *offload = &rx->frame->offload;
	ip->is_checksum_right =
		(offload->flags & (WEFT_OFFLOAD_NEEDS_CSUM | WEFT_OFFLOAD_CSUM_VALID)) !=
		0;
	ip->gso = offload->gso;
	ip->gso_size = offload->gso_size;
	ip->stays = true;
}

enum weft_stack_outcome ip4_input(const struct iface_rx *rx, uint64_t now)
{
	struct ip4_hdr hdr;
	int hdr_len = ip4_hdr_parse(rx->packet, rx->len, &hdr);
	if (hdr_len < 0)
		return WEFT_STACK_DROP_IP_HEADER;
	if (!checksum_is_right(0, rx->packet, (size_t)hdr_len))
		return WEFT_STACK_DROP_IP_CHECKSUM;
	struct ip_rx ip = {
		.iface = rx->iface,
		.src = addr_of_ip4(hdr.src),
		.dst = addr_of_ip4(hdr.dst),
		.protocol = hdr.proto,
		.tos = hdr.tos,
		.ttl = hdr.ttl,
		.packet = rx->packet,
		.payload = rx->packet + hdr_len,
		.len = hdr.total_len - (size_t)hdr_len,
	};
	bool is_known = is_known_pair(rx, &hdr);
	ip.is_group = !is_known && (addr_is_multicast(&ip.dst) ||
				    iface_is_broadcast(rx->iface, &ip.dst));
	if (!is_known && is_martian(rx, &ip))
		return WEFT_STACK_DROP_MARTIAN;
	if (hdr.options_len > 0 && !are_options_good(&hdr))
		return WEFT_STACK_DROP_OPTION;
	if (!is_known && !is_for_us(rx, &ip))
		return ip_forward(rx, &ip, hdr.total_len, now);
	if (!is_known)
		remember_pair(rx, &hdr, &ip);
	if (ip4_is_fragment(&hdr))
		return take_fragment(rx, &hdr, &ip, now);
	take_offload(rx, &ip);
	return ip_deliver(&ip, now);
}
