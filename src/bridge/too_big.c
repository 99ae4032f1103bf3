/* SPDX-License-Identifier: MIT */
/*
 * The packet is quoted from its first byte: of IPv4 so much that the answer has 576 bytes (RFC
 * 1812, 4.3.2.3), of IPv6 so much that it has 1,280 (RFC 4443, 3.2).
 */
#include "bridge/too_big.h"

#include "base/mac.h"
#include "wire/compose.h"
#include "wire/cursor.h"
#include "wire/ether.h"
#include "wire/icmp.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/layout.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#define IP4_ANSWER_MAX 576u
#define IP6_MTU_MIN    1280u

/* What the answer is about. */
struct subject {
	const struct weft_frame *frame;
	struct layout at;
	struct weft_ip src, dst;
};

static bool is_icmp_error(const struct subject *s)
{
	if (s->at.transport_off >= s->at.end)
		return false;
	const uint8_t type = s->frame->data[s->at.transport_off];
	return (s->at.proto == IPPROTO_ICMP && icmp4_is_error(type)) ||
	       (s->at.proto == IPPROTO_ICMPV6 && icmp6_is_error(type));
}

/* Whether there is one host to tell, and one that the packet was for. */
static bool is_between_hosts(const struct subject *s)
{
	const uint8_t *src = s->src.octet, *dst = s->dst.octet;
	static const struct ip6_addr none;
	if (mac_is_group(mac_load(s->frame->data + ETHER_OFF_DST)) ||
	    mac_is_group(mac_load(s->frame->data + ETHER_OFF_SRC)))
		return false;
	if (s->src.family == AF_INET)
		return src[0] != 0 && src[0] != 127 && src[0] < 224 && dst[0] < 224;
	return src[0] != 0xff && dst[0] != 0xff &&
	       memcmp(src, none.octet, sizeof(none.octet)) != 0;
}

/* Reads what the frame is; false if its sender is to be told nothing. */
static bool read_ip4(struct subject *s, const uint8_t *packet)
{
	struct ip4_hdr ip;
	if (ip4_hdr_parse(packet, s->at.end - s->at.ip_off, &ip) < 0 || !ip.df ||
	    ip.frag_off > 0)
		return false;
	s->src = (struct weft_ip){ .family = AF_INET, .prefix = 32 };
	s->dst = s->src;
	store_be32(s->src.octet, ip.src);
	store_be32(s->dst.octet, ip.dst);
	return true;
}

static bool read_ip6(struct subject *s, const uint8_t *packet)
{
	s->src = (struct weft_ip){ .family = AF_INET6, .prefix = 128 };
	s->dst = s->src;
	memcpy(s->src.octet, packet + IP6_OFF_SRC, IP6_ADDR_LEN);
	memcpy(s->dst.octet, packet + IP6_OFF_DST, IP6_ADDR_LEN);
	return true;
}

static bool read_subject(const struct weft_frame *frame, unsigned mtu, struct subject *s)
{
	s->frame = frame;
	if (layout_find(frame->data, frame->len, false, &s->at) < 0 ||
	    s->at.ip_off != ETHER_LEN || s->at.end - s->at.ip_off <= mtu)
		return false;
	const uint8_t *packet = frame->data + s->at.ip_off;
	if (s->at.version == 4)
		return read_ip4(s, packet) && is_between_hosts(s) && !is_icmp_error(s);
	return s->at.version == 6 && mtu >= IP6_MTU_MIN && read_ip6(s, packet) &&
	       is_between_hosts(s) && !is_icmp_error(s);
}

size_t too_big_answer(const struct weft_frame *frame, unsigned mtu,
		      uint8_t buf[TOO_BIG_FRAME_MAX])
{
	uint8_t icmp[IP6_MTU_MIN];
	struct subject s;
	if (!read_subject(frame, mtu, &s))
		return 0;
	const bool is_4 = s.at.version == 4;
	const size_t quote_max = is_4 ? IP4_ANSWER_MAX - IP4_LEN - ICMP_LEN
				      : IP6_MTU_MIN - IP6_LEN - ICMP_LEN;
	const size_t packet_len = s.at.end - s.at.ip_off;
	const size_t quote_len = packet_len < quote_max ? packet_len : quote_max;
	const struct icmp_hdr hdr = {
		.type = is_4 ? (uint8_t)ICMP4_UNREACHABLE : (uint8_t)ICMP6_PACKET_TOO_BIG,
		.code = is_4 ? ICMP4_CODE_FRAG_NEEDED : 0,
		.rest = mtu,
	};
	const struct compose packet = {
		.is_ether = true,
		.dst_mac = mac_load(frame->data + ETHER_OFF_SRC),
		.src_mac = mac_load(frame->data + ETHER_OFF_DST),
		.src = s.dst,
		.dst = s.src,
		.proto = is_4 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
		.csum_offset = ICMP_OFF_CSUM,
	};
	if (icmp_hdr_emit(icmp, sizeof(icmp), &hdr) < 0)
		return 0;
	memcpy(icmp + ICMP_LEN, frame->data + s.at.ip_off, quote_len);
	int len = compose_ip(&packet, icmp, ICMP_LEN + quote_len, buf, TOO_BIG_FRAME_MAX);
	return len > 0 ? (size_t)len : 0;
}
