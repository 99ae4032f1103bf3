/* SPDX-License-Identifier: MIT */
/*
 * An IPv6 packet is held to the same questions as one of IPv4 (see there), where options are
 * the extension headers. The walk over them (wire/ip6.h) bounds their number and bytes, and the
 * stack's options may do so more tightly; here it is decided what to make of them (RFC 8200, 4.2
 * and 4.4):
 *
 *   unknown option   by its upper two bits: pass over, drop, drop and tell, tell if no group
 *   routing header   passed over when it has nothing left to route; else drop and tell. Type 0
 *                    is nothing special then (RFC 5095)
 *   AH, MH, others   known by their length alone: as any protocol that nobody speaks
 *   fragment         wait for the others; the first must have all headers (RFC 7112), and one
 *                    that is alone is a packet like any other (RFC 6946)
 */
#include "stack/ip6.h"

#include "stack/group.h"
#include "stack/icmp6.h"
#include "stack/output.h"
#include "stack/stack.h"

#include <errno.h>
#include <stdlib.h>

/* RFC 4443, 3.4. */
#define CODE_HEADER_FIELD   0u
#define CODE_NEXT_HEADER    1u
#define CODE_UNKNOWN_OPTION 2u
#define CODE_FIRST_FRAGMENT 3u /* RFC 7112, 5. */

static bool is_martian(const struct iface_rx *rx, const struct ip_rx *ip)
{
	const struct weft_iface *iface = rx->iface;
	/* An IPv4-mapped address is not for the wire: it would pass for IPv4 inside. */
	if (addr_is_ip4(&ip->src) || addr_is_ip4(&ip->dst) ||
	    addr_is_multicast(&ip->src) || addr_is_unspecified(&ip->dst))
		return true;
	if (!iface->link)
		return false;
	if (addr_is_loopback(&ip->src) || addr_is_loopback(&ip->dst))
		return true;
	/* Interface-local and reserved scopes (RFC 4291, 2.7). */
	if (ip->is_group && (ip->dst.octet[1] & 0x0f) <= 1)
		return true;
	return ip_is_own(iface->stack, &ip->src);
}

static bool is_for_us(const struct iface_rx *rx, const struct ip_rx *ip)
{
	const struct weft_iface *iface = rx->iface;
	if (ip->is_group)
		return group_is_joined(iface, &ip->dst);
	if (!iface->link)
		return ip_is_own(iface->stack, &ip->dst);
	if (iface_has_addr(iface, &ip->dst))
		return true;
	return iface->stack->opts.forwarding && !addr_is_link_local(&ip->dst) &&
	       ip_is_own(iface->stack, &ip->dst);
}

/* What is to be done about an option that nobody knows (RFC 8200, 4.2). */
static enum weft_stack_outcome refuse_option(const struct ip_rx *ip, uint8_t type,
					     size_t off, uint64_t now)
{
	unsigned action = type >> 6;
	if (action == 2 || (action == 3 && !ip->is_group))
		icmp6_send_parameter_problem(ip, CODE_UNKNOWN_OPTION, (uint32_t)off, now);
	return WEFT_STACK_DROP_OPTION;
}

/* One hop-by-hop or destination options header, at off of the packet. */
static enum weft_stack_outcome check_options(const struct ip_rx *ip, size_t off,
					     size_t len, uint64_t now)
{
	struct reader r = reader_of(ip->packet + off, len);
	reader_skip(&r, 2);
	while (reader_left(&r) > 0) {
		size_t at = off + r.off;
		uint8_t type = reader_u8(&r);
		if (type == IP6_OPT_PAD1)
			continue;
		reader_skip(&r, reader_u8(&r));
		if (r.bad)
			return WEFT_STACK_DROP_OPTION;
		/* PadN and router alert are 00: passed over like all that may be. */
		if (type >> 6 != 0)
			return refuse_option(ip, type, at, now);
	}
	return WEFT_STACK_DELIVERED;
}

/* Length of the extension header p, one of those that are spoken here. */
static size_t ext_len(uint8_t protocol, const uint8_t *p)
{
	return protocol == IPPROTO_FRAGMENT ? IP6_FRAG_LEN : ((size_t)p[1] + 1) * 8;
}

/* One extension header of len bytes, at off of the packet. */
static enum weft_stack_outcome check_header(const struct ip_rx *ip, uint8_t header,
					    size_t off, size_t len, uint64_t now)
{
	switch (header) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_DSTOPTS:
		return check_options(ip, off, len, now);
	case IPPROTO_FRAGMENT:
		return WEFT_STACK_DELIVERED;
	case IPPROTO_ROUTING:
		if (ip->packet[off + 3] == 0)
			return WEFT_STACK_DELIVERED;
		icmp6_send_parameter_problem(ip, CODE_HEADER_FIELD, (uint32_t)off + 2,
					     now);
		return WEFT_STACK_DROP_OPTION;
	default:
		icmp6_send_parameter_problem(ip, CODE_NEXT_HEADER,
					     (uint32_t)ip6_next_field(ip->packet, off),
					     now);
		return WEFT_STACK_DROP_NO_PROTOCOL;
	}
}

/* All headers up to end, which the walk has checked. DELIVERED if nothing is wrong. */
static enum weft_stack_outcome check_headers(const struct ip_rx *ip, uint8_t next,
					     size_t end, uint64_t now)
{
	size_t off = IP6_LEN;
	while (off < end) {
		size_t len = ext_len(next, ip->packet + off);
		enum weft_stack_outcome outcome = check_header(ip, next, off, len, now);
		if (outcome != WEFT_STACK_DELIVERED)
			return outcome;
		next = ip->packet[off];
		off += len;
	}
	return WEFT_STACK_DELIVERED;
}

/* Whether a first fragment has its upper layer's header (RFC 7112). */
static bool has_upper_header(const struct ip6_ext *ext, size_t len)
{
	switch (ext->proto) {
	case IPPROTO_TCP:
		return len >= 20;
	case IPPROTO_UDP:
	case IPPROTO_ICMPV6:
		return len >= 8;
	case IPPROTO_NONE:
		return true;
	default:
		return len > 0;
	}
}

static enum weft_stack_outcome deliver_whole(const struct iface_rx *rx,
					     struct frag_whole *whole, uint64_t now)
{
	/* The header in front of the fragment header now names what that named. */
	store_be16(whole->packet + IP6_OFF_PAYLOAD_LEN, (uint16_t)(whole->len - IP6_LEN));
	whole->packet[1] =
		(uint8_t)((whole->packet[1] & 0xcfu) | (unsigned)whole->ecn << 4);
	const struct iface_rx all = {
		.iface = rx->iface,
		.packet = whole->packet,
		.len = whole->len,
		.src = rx->src,
		.is_link_group = rx->is_link_group,
	};
	enum weft_stack_outcome outcome = ip6_input(&all, now);
	free(whole->packet);
	return outcome;
}

size_t ip6_next_field(const uint8_t *packet, size_t frag_off)
{
	size_t at = IP6_OFF_NEXT, off = IP6_LEN;
	uint8_t next = packet[at];
	while (off < frag_off) {
		size_t len = ext_len(next, packet + off);
		at = off;
		next = packet[off];
		off += len;
	}
	return at;
}

static enum weft_stack_outcome take_fragment(const struct iface_rx *rx,
					     const struct ip_rx *ip,
					     const struct ip6_ext *ext, uint64_t now)
{
	size_t frag_off = ext->frag_hdr_off;
	size_t data_off = frag_off + IP6_FRAG_LEN;
	size_t packet_len = (size_t)(ip->payload - ip->packet) + ip->len;
	size_t len = packet_len - data_off;
	uint8_t header[IP6_LEN + IP6_EXT_LEN_MAX];
	if (!rx->frame) /* Fragments in fragments. */
		return WEFT_STACK_DROP_FRAGMENT;
	if (ext->frag.off == 0 && !has_upper_header(ext, ip->len)) {
		icmp6_send_parameter_problem(ip, CODE_FIRST_FRAGMENT, 0, now);
		return WEFT_STACK_DROP_FRAGMENT;
	}
	if (ext->frag.more && len % 8 != 0) {
		icmp6_send_parameter_problem(ip, CODE_HEADER_FIELD, IP6_OFF_PAYLOAD_LEN,
					     now);
		return WEFT_STACK_DROP_FRAGMENT;
	}
	memcpy(header, ip->packet, frag_off);
	header[ip6_next_field(ip->packet, frag_off)] = ext->frag.next;
	const struct frag_piece piece = {
		.key = { .src = ip->src,
			 .dst = ip->dst,
			 .id = ext->frag.id,
			 .iface = rx->iface->index },
		.header = header,
		.header_len = frag_off,
		.off = ext->frag.off,
		.more = ext->frag.more,
		.data = ip->packet + data_off,
		.len = len,
		.ecn = ip->tos & IP_ECN_MASK,
	};
	struct frag_whole whole;
	enum weft_stack_outcome outcome =
		frag_add(rx->iface->stack, rx->iface, &piece, now, &whole);
	return outcome == WEFT_STACK_DELIVERED ? deliver_whole(rx, &whole, now) : outcome;
}

static void take_offload(const struct iface_rx *rx, struct ip_rx *ip)
{
	if (!rx->frame)
		return;
	const struct weft_offload *offload = &rx->frame->offload;
	ip->is_checksum_right =
		(offload->flags & (WEFT_OFFLOAD_NEEDS_CSUM | WEFT_OFFLOAD_CSUM_VALID)) !=
		0;
	ip->gso = offload->gso;
	ip->gso_size = offload->gso_size;
	ip->stays = true;
}

static bool is_too_much(const struct weft_stack *stack, const struct ip6_ext *ext,
			size_t bytes)
{
	return ext->count > stack->opts.extension_headers_max ||
	       bytes > stack->opts.extension_bytes_max;
}

/* A packet for this host: its extension headers, then what they lead to. */
static enum weft_stack_outcome take(const struct iface_rx *rx, const struct ip6_hdr *hdr,
				    struct ip_rx *ip, uint64_t now)
{
	size_t packet_len = IP6_LEN + (size_t)hdr->payload_len;
	struct ip6_ext ext;
	int off = ip6_ext_walk(rx->packet, packet_len, hdr->next, &ext);
	if (off < 0 || is_too_much(rx->iface->stack, &ext, (size_t)off - IP6_LEN))
		return WEFT_STACK_DROP_IP_HEADER;
	ip->protocol = ext.proto;
	ip->payload = rx->packet + off;
	ip->len = packet_len - (size_t)off;
	enum weft_stack_outcome outcome = check_headers(ip, hdr->next, (size_t)off, now);
	if (outcome != WEFT_STACK_DELIVERED)
		return outcome;
	bool is_atomic = ext.frag.off == 0 && !ext.frag.more;
	if (ext.is_fragment && !is_atomic)
		return take_fragment(rx, ip, &ext, now);
	if (ext.proto == IPPROTO_NONE)
		return WEFT_STACK_IGNORED;
	take_offload(rx, ip);
	return ip_deliver(ip, now);
}

enum weft_stack_outcome ip6_input(const struct iface_rx *rx, uint64_t now)
{
	struct ip6_hdr hdr;
	if (rx->iface->opts.no_ip6)
		return WEFT_STACK_DROP_ETHERTYPE;
	if (ip6_hdr_parse(rx->packet, rx->len, &hdr) < 0)
		return WEFT_STACK_DROP_IP_HEADER;
	struct ip_rx ip = {
		.iface = rx->iface,
		.src = addr_of_ip6(&hdr.src),
		.dst = addr_of_ip6(&hdr.dst),
		.protocol = hdr.next,
		.tos = hdr.tclass,
		.ttl = hdr.hop_limit,
		.packet = rx->packet,
		.payload = rx->packet + IP6_LEN,
		.len = hdr.payload_len,
	};
	ip.is_group = addr_is_multicast(&ip.dst);
	if (is_martian(rx, &ip))
		return WEFT_STACK_DROP_MARTIAN;
	if (!is_for_us(rx, &ip))
		return ip_forward(rx, &ip, IP6_LEN + (size_t)hdr.payload_len, now);
	ip.is_group = ip.is_group || rx->is_link_group;
	return take(rx, &hdr, &ip, now);
}
