/* SPDX-License-Identifier: MIT */
/*
 * What a question says of its sender twice, in the frame and in the packet, has to be the
 * same: who answers for another host must not be talked into answering a third.
 */
#include "bridge/suppress.h"

#include "base/mac.h"
#include "wire/arp.h"
#include "wire/checksum.h"
#include "wire/compose.h"
#include "wire/cursor.h"
#include "wire/ether.h"
#include "wire/ip6.h"
#include "wire/nd.h"

#include <assert.h>
#include <netinet/in.h>
#include <string.h>

const char *suppress_action_name(enum suppress_action action)
{
	static const char *const names[] = {
		[SUPPRESS_PASS] = "neighbour-passed",
		[SUPPRESS_ANSWER] = "neighbour-answered",
		[SUPPRESS_DIRECT] = "neighbour-directed",
		[SUPPRESS_LOCAL] = "neighbour-local",
	};
	static_assert(sizeof(names) / sizeof(names[0]) == SUPPRESS_ACTIONS,
		      "each action has a name");
	return action < SUPPRESS_ACTIONS ? names[action] : "unknown";
}

/* ---- questions --------------------------------------------------------------------------- */

static struct weft_ip ip4_of(uint32_t number)
{
	struct weft_ip ip = { .family = AF_INET, .prefix = 32 };
	store_be32(ip.octet, number);
	return ip;
}

static struct weft_ip ip6_of(const struct ip6_addr *addr)
{
	struct weft_ip ip = { .family = AF_INET6, .prefix = 128 };
	memcpy(ip.octet, addr->octet, sizeof(addr->octet));
	return ip;
}

/* No probe, which has no sender; no announcement, which asks for its own sender. */
static bool parse_arp(const uint8_t *data, size_t len, struct suppress_question *question)
{
	struct arp_hdr arp;
	if (arp_hdr_parse(data, len, &arp) < 0 || arp.op != ARP_OP_REQUEST ||
	    arp.sender_ip == 0 || arp.sender_ip == arp.target_ip ||
	    !mac_equal(arp.sender_mac, question->asker_mac))
		return false;
	question->asker = ip4_of(arp.sender_ip);
	question->target = ip4_of(arp.target_ip);
	return true;
}

static bool icmp6_is_right(const struct ip6_hdr *ip, const uint8_t *icmp)
{
	const uint32_t pseudo = checksum_pseudo6(ip->src.octet, ip->dst.octet,
						 IPPROTO_ICMPV6, ip->payload_len);
	return checksum_is_right(pseudo, icmp, ip->payload_len);
}

/* A solicitation with extension headers is nobody's habit, and goes to everyone. */
static bool parse_nd(const uint8_t *data, size_t len, struct suppress_question *question)
{
	static const struct ip6_addr none;
	struct ip6_hdr ip;
	struct nd_msg nd;
	if (ip6_hdr_parse(data, len, &ip) < 0 || ip.next != IPPROTO_ICMPV6 ||
	    ip.hop_limit != ND_HOP_LIMIT || ip6_addr_equal(&ip.src, &none) ||
	    nd_msg_parse(data + IP6_LEN, ip.payload_len, &nd) < 0 ||
	    nd.type != ICMP6_NEIGHBOR_SOLICIT || ip6_addr_equal(&ip.src, &nd.target) ||
	    !nd.has_source_mac || !mac_equal(nd.source_mac, question->asker_mac) ||
	    !icmp6_is_right(&ip, data + IP6_LEN))
		return false;
	question->asker = ip6_of(&ip.src);
	question->target = ip6_of(&nd.target);
	return true;
}

bool suppress_parse(const struct weft_frame *frame,
		    struct suppress_question *ret_question)
{
	if (frame->len < ETHER_LEN || frame->len > SUPPRESS_FRAME_MAX ||
	    !mac_is_group(mac_load(frame->data)))
		return false;
	struct suppress_question question = { .asker_mac = mac_load(frame->data +
								    ETHER_OFF_SRC) };
	const uint8_t *data = frame->data + ETHER_LEN;
	const size_t len = frame->len - ETHER_LEN;
	const uint16_t type = load_be16(frame->data + ETHER_OFF_TYPE);
	const bool is_one = (type == ETHER_TYPE_ARP && parse_arp(data, len, &question)) ||
			    (type == ETHER_TYPE_IP6 && parse_nd(data, len, &question));
	if (is_one)
		*ret_question = question;
	return is_one;
}

/* The LAN behind a gateway changes without our seeing it, so it answers for itself. */
enum suppress_action suppress_decide(const struct suppress_question *question,
				     const struct filter_member *asker,
				     const struct filter_binding *binding)
{
	const bool has_flags =
		question->target.family == AF_INET || binding->is_advertised;
	if (binding->member == asker)
		return binding->is_fresh ? SUPPRESS_LOCAL : SUPPRESS_PASS;
	if (binding->is_fresh && has_flags && !binding->member->is_gateway)
		return SUPPRESS_ANSWER;
	return binding->may_direct ? SUPPRESS_DIRECT : SUPPRESS_PASS;
}

/* ---- answers ----------------------------------------------------------------------------- */

static size_t answer_arp(const struct suppress_question *question, struct weft_mac mac,
			 uint8_t buf[SUPPRESS_FRAME_MAX])
{
	const struct arp_hdr arp = { .op = ARP_OP_REPLY,
				     .sender_mac = mac,
				     .sender_ip = load_be32(question->target.octet),
				     .target_mac = question->asker_mac,
				     .target_ip = load_be32(question->asker.octet) };
	compose_arp(&question->asker_mac, &arp, buf);
	return COMPOSE_ARP_LEN;
}

static size_t answer_nd(const struct suppress_question *question,
			const struct filter_binding *binding,
			uint8_t buf[SUPPRESS_FRAME_MAX])
{
	uint8_t icmp[SUPPRESS_FRAME_MAX];
	const struct nd_msg nd = { .type = ICMP6_NEIGHBOR_ADVERT,
				   .target = ip6_addr_load(question->target.octet),
				   .router = binding->is_router,
				   .solicited = true,
				   .has_target_mac = true,
				   .target_mac = binding->mac };
	const struct compose packet = { .is_ether = true,
					.dst_mac = question->asker_mac,
					.src_mac = binding->mac,
					.src = question->target,
					.dst = question->asker,
					.proto = IPPROTO_ICMPV6,
					.ttl = ND_HOP_LIMIT,
					.csum_offset = ICMP_OFF_CSUM };
	int len = nd_msg_emit(icmp, sizeof(icmp), &nd);
	if (len > 0)
		len = compose_ip(&packet, icmp, (size_t)len, buf, SUPPRESS_FRAME_MAX);
	return len > 0 ? (size_t)len : 0;
}

size_t suppress_answer(const struct suppress_question *question,
		       const struct filter_binding *binding,
		       uint8_t buf[SUPPRESS_FRAME_MAX])
{
	return question->target.family == AF_INET
		       ? answer_arp(question, binding->mac, buf)
		       : answer_nd(question, binding, buf);
}

size_t suppress_direct(const struct weft_frame *frame,
		       const struct filter_binding *binding,
		       uint8_t buf[SUPPRESS_FRAME_MAX])
{
	assert(frame->len <= SUPPRESS_FRAME_MAX);
	memcpy(buf, frame->data, frame->len);
	mac_store(buf + ETHER_OFF_DST, binding->mac);
	return frame->len;
}
