/* SPDX-License-Identifier: MIT */
/*
 * Headers are written from the outside in, then the payload, then the one checksum that
 * covers both.
 */
#include "wire/compose.h"

#include "wire/checksum.h"
#include "wire/cursor.h"
#include "wire/ether.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/udp.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#define TTL_DEFAULT 64u

uint32_t compose_pseudo(const struct weft_ip *src, const struct weft_ip *dst,
			uint8_t proto, uint32_t len)
{
	if (src->family == AF_INET6)
		return checksum_pseudo6(src->octet, dst->octet, proto, len);
	if (proto == IPPROTO_ICMP || proto == IPPROTO_IGMP)
		return 0;
	return checksum_pseudo4(src->octet, dst->octet, proto, (uint16_t)len);
}

static int ether_emit(const struct compose *c, uint8_t *buf, size_t len)
{
	const struct ether_hdr ether = {
		.dst = c->dst_mac,
		.src = c->src_mac,
		.type = c->src.family == AF_INET ? ETHER_TYPE_IP4 : ETHER_TYPE_IP6,
	};
	return c->is_ether ? ether_hdr_emit(buf, len, &ether) : 0;
}

static int ip4_emit(const struct compose *c, size_t upper_len, uint8_t *buf, size_t len)
{
	if (upper_len > UINT16_MAX - IP4_LEN)
		return -EMSGSIZE;
	const struct ip4_hdr ip = {
		.tos = c->tos,
		.total_len = (uint16_t)(IP4_LEN + upper_len),
		.id = c->id,
		.df = c->df,
		.ttl = c->ttl ? c->ttl : TTL_DEFAULT,
		.proto = c->proto,
		.src = load_be32(c->src.octet),
		.dst = load_be32(c->dst.octet),
	};
	return ip4_hdr_emit(buf, len, &ip);
}

static int ip6_emit(const struct compose *c, size_t upper_len, uint8_t *buf, size_t len)
{
	if (upper_len > UINT16_MAX)
		return -EMSGSIZE;
	const struct ip6_hdr ip = {
		.tclass = c->tos,
		.payload_len = (uint16_t)upper_len,
		.next = c->proto,
		.hop_limit = c->ttl ? c->ttl : TTL_DEFAULT,
		.src = ip6_addr_load(c->src.octet),
		.dst = ip6_addr_load(c->dst.octet),
	};
	return ip6_hdr_emit(buf, len, &ip);
}

/*
 * Writes Ethernet and IP for upper_len bytes, for which it makes sure that there is room.
 * Returns the offset at which they are to stand, or -Exxx.
 */
static int headers_emit(const struct compose *c, size_t upper_len, uint8_t *buf,
			size_t len)
{
	bool is_pair = c->src.family == c->dst.family &&
		       (c->src.family == AF_INET || c->src.family == AF_INET6);
	if (!is_pair)
		return -EINVAL;
	int ether = ether_emit(c, buf, len);
	if (ether < 0)
		return ether;
	uint8_t *ip = buf + ether;
	size_t left = len - (size_t)ether;
	int n = c->src.family == AF_INET ? ip4_emit(c, upper_len, ip, left)
					 : ip6_emit(c, upper_len, ip, left);
	if (n < 0)
		return n;
	return upper_len > left - (size_t)n ? -ENOBUFS : ether + n;
}

int compose_ip(const struct compose *c, const void *payload, size_t payload_len,
	       uint8_t *buf, size_t len)
{
	size_t at = c->csum_offset;
	if (at > 0 && (payload_len < 2 || at > payload_len - 2))
		return -EINVAL;
	int off = headers_emit(c, payload_len, buf, len);
	if (off < 0)
		return off;
	uint8_t *upper = buf + off;
	if (payload_len > 0)
		memcpy(upper, payload, payload_len);
	if (at > 0) {
		uint32_t sum =
			compose_pseudo(&c->src, &c->dst, c->proto, (uint32_t)payload_len);
		store_be16(upper + at, 0);
		store_be16(upper + at,
			   checksum_finish(checksum_add(sum, upper, payload_len)));
	}
	return off + (int)payload_len;
}

int compose_udp(const struct compose *c, const void *payload, size_t payload_len,
		uint8_t *buf, size_t len)
{
	struct compose udp_in_ip = *c;
	udp_in_ip.proto = IPPROTO_UDP;
	if (payload_len > UINT16_MAX - UDP_LEN)
		return -EMSGSIZE;
	uint16_t udp_len = (uint16_t)(UDP_LEN + payload_len);
	int off = headers_emit(&udp_in_ip, udp_len, buf, len);
	if (off < 0)
		return off;
	uint8_t *upper = buf + off;
	const struct udp_hdr udp = { .sport = c->sport,
				     .dport = c->dport,
				     .len = udp_len };
	int n = udp_hdr_emit(upper, udp_len, &udp);
	if (n < 0)
		return n;
	if (payload_len > 0)
		memcpy(upper + n, payload, payload_len);
	uint32_t sum = compose_pseudo(&c->src, &c->dst, IPPROTO_UDP, udp_len);
	store_be16(upper + UDP_OFF_CSUM,
		   checksum_finish_udp(checksum_add(sum, upper, udp_len)));
	return off + udp_len;
}

void compose_arp(const struct weft_mac *dst, const struct arp_hdr *arp,
		 uint8_t buf[COMPOSE_ARP_LEN])
{
	static_assert(COMPOSE_ARP_LEN == ETHER_LEN + ARP_LEN, "a frame without tags");
	static const struct weft_mac everybody = { { 0xff, 0xff, 0xff, 0xff, 0xff,
						     0xff } };
	const struct ether_hdr ether = {
		.dst = dst ? *dst : everybody,
		.src = arp->sender_mac,
		.type = ETHER_TYPE_ARP,
	};
	int head = ether_hdr_emit(buf, ETHER_LEN, &ether);
	int body = arp_hdr_emit(buf + ETHER_LEN, ARP_LEN, arp);
	assert(head == (int)ETHER_LEN && body == (int)ARP_LEN);
	(void)head, (void)body;
}
