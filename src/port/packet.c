/* SPDX-License-Identifier: MIT */
/*
 * What handlers ask of a packet, and how they answer it.
 */
#include "base/mac.h"
#include "port/port.h"
#include "wire/arp.h"
#include "wire/checksum.h"
#include "wire/compose.h"
#include "wire/cursor.h"
#include "wire/icmp.h"
#include "wire/tcp.h"
#include "wire/udp.h"

#include <errno.h>
#include <netinet/in.h>

/* ---- asking ------------------------------------------------------------------------------ */

static bool is_udp_intact(const struct weft_packet *packet)
{
	const struct weft_ip_header *ip = packet->ip;
	struct udp_hdr udp;
	if (udp_hdr_parse(packet->data, packet->len, &udp) < 0)
		return false;
	uint32_t pseudo = compose_pseudo(&ip->src, &ip->dst, ip->proto, udp.len);
	return checksum_udp_is_right(pseudo, packet->data, udp.len, ip->version == 6);
}

/* The shortest header of a protocol whose sum goes over all of it; 0 if there is no sum. */
static size_t summed_len_min(const struct weft_ip_header *ip)
{
	bool is_ip4 = ip->version == 4;
	switch (ip->proto) {
	case IPPROTO_TCP:
		return TCP_LEN;
	case IPPROTO_ICMP:
	case IPPROTO_IGMP: /* As long (RFC 3376 4). */
		return is_ip4 ? ICMP_LEN : 0;
	case IPPROTO_ICMPV6:
		return is_ip4 ? 0 : ICMP_LEN;
	default:
		return 0;
	}
}

bool weft_packet_is_intact(const struct weft_packet *packet)
{
	const struct weft_ip_header *ip = packet->ip;
	if (!ip || packet->partial || ip->more_fragments || ip->fragment_offset > 0)
		return false;
	if (ip->proto == IPPROTO_UDP)
		return is_udp_intact(packet);
	size_t len_min = summed_len_min(ip);
	if (len_min == 0)
		return true;
	if (packet->len < len_min)
		return false;
	uint32_t pseudo =
		compose_pseudo(&ip->src, &ip->dst, ip->proto, (uint32_t)packet->len);
	return checksum_is_right(pseudo, packet->data, packet->len);
}

static struct weft_ip ip4_addr(uint32_t addr)
{
	struct weft_ip ip = { .family = AF_INET, .prefix = 32 };
	store_be32(ip.octet, addr);
	return ip;
}

int weft_arp_parse(const struct weft_packet *packet, struct weft_arp *ret_arp)
{
	struct arp_hdr arp;
	int r = arp_hdr_parse(packet->data, packet->len, &arp);
	if (r < 0)
		return r;
	*ret_arp = (struct weft_arp){
		.op = arp.op,
		.sender_mac = arp.sender_mac,
		.target_mac = arp.target_mac,
		.sender_ip = ip4_addr(arp.sender_ip),
		.target_ip = ip4_addr(arp.target_ip),
	};
	return 0;
}

/* ---- making ------------------------------------------------------------------------------ */

static struct compose compose_of(const struct weft_headers *headers)
{
	const struct weft_ethernet_header none = { .type = 0 };
	const struct weft_ethernet_header *ethernet =
		headers->ethernet ? headers->ethernet : &none;
	return (struct compose){
		.is_ether = headers->ethernet != NULL,
		.dst_mac = ethernet->dst,
		.src_mac = ethernet->src,
		.src = headers->src,
		.dst = headers->dst,
		.sport = headers->src_port,
		.dport = headers->dst_port,
		.proto = headers->proto,
		.ttl = headers->ttl,
		.tos = headers->tos,
		.csum_offset = headers->csum_offset,
	};
}

int weft_udp_build(const struct weft_headers *headers, const void *payload,
		   size_t payload_len, uint8_t *buf, size_t len)
{
	const struct compose c = compose_of(headers);
	return compose_udp(&c, payload, payload_len, buf, len);
}

int weft_ip_build(const struct weft_headers *headers, const void *payload,
		  size_t payload_len, uint8_t *buf, size_t len)
{
	const struct compose c = compose_of(headers);
	return compose_ip(&c, payload, payload_len, buf, len);
}

/* ---- answering --------------------------------------------------------------------------- */

/* One station: neither a group nor nobody. */
static bool is_station(const struct weft_ip *ip)
{
	static const struct weft_ip zero;
	bool is_ip4 = ip->family == AF_INET;
	size_t len = is_ip4 ? 4 : 16;
	if (memcmp(ip->octet, zero.octet, len) == 0)
		return false;
	return is_ip4 ? ip->octet[0] < 224 : ip->octet[0] != 0xff;
}

/* The headers of the answer. Returns 0, or -EINVAL where there can be none. */
static int turn_round(const struct weft_packet *packet, struct compose *ret_headers)
{
	const struct weft_ethernet_header *ethernet = packet->ethernet;
	const struct weft_ip_header *ip = packet->ip;
	if (!packet->port || !ip || !is_station(&ip->src) || !is_station(&ip->dst))
		return -EINVAL;
	struct compose headers = { .src = ip->dst, .dst = ip->src, .proto = ip->proto };
	if (ethernet) {
		if (mac_is_group(ethernet->src) || mac_is_group(ethernet->dst))
			return -EINVAL;
		headers.is_ether = true;
		headers.src_mac = ethernet->dst;
		headers.dst_mac = ethernet->src;
	}
	*ret_headers = headers;
	return 0;
}

int weft_udp_reply(const struct weft_packet *packet, const void *payload, size_t len)
{
	struct compose headers;
	int r = packet->udp ? turn_round(packet, &headers) : -EINVAL;
	if (r < 0)
		return r;
	headers.sport = packet->udp->dst_port;
	headers.dport = packet->udp->src_port;
	uint8_t *buf = port_scratch(packet->port);
	if (!buf)
		return -ENOMEM;
	r = compose_udp(&headers, payload, len, buf, PORT_SCRATCH_LEN);
	return r < 0 ? r : weft_port_write(packet->port, buf, (size_t)r);
}

int weft_ip_reply(const struct weft_packet *packet, const void *payload, size_t len,
		  uint8_t csum_offset)
{
	struct compose headers;
	int r = turn_round(packet, &headers);
	if (r < 0)
		return r;
	headers.csum_offset = csum_offset;
	uint8_t *buf = port_scratch(packet->port);
	if (!buf)
		return -ENOMEM;
	r = compose_ip(&headers, payload, len, buf, PORT_SCRATCH_LEN);
	return r < 0 ? r : weft_port_write(packet->port, buf, (size_t)r);
}
