/* SPDX-License-Identifier: MIT */
/*
 * Reports are of version 3 over IPv4, and of MLDv2 over IPv6.
 */
#include "groups.h"

#include "../unit.h"
#include "wire/compose.h"
#include "wire/cursor.h"
#include "wire/igmp.h"

#include <netinet/in.h>
#include <string.h>

static struct weft_ip ip_of(const char *text)
{
	struct weft_ip ip;
	assert_int_equal(weft_ip_parse(text, &ip), 0);
	return ip;
}

/* The MAC of a group (RFC 1112 6.4, RFC 2464 7). */
static struct weft_mac mac_of_group(const struct weft_ip *ip)
{
	if (ip->family == AF_INET)
		return (struct weft_mac){ { 0x01, 0x00, 0x5e, ip->octet[1] & 0x7f,
					    ip->octet[2], ip->octet[3] } };
	return (struct weft_mac){ { 0x33, 0x33, ip->octet[12], ip->octet[13],
				    ip->octet[14], ip->octet[15] } };
}

static struct compose packet_to(const struct weft_ip *dst, unsigned src)
{
	return (struct compose){ .is_ether = true,
				 .dst_mac = mac_of_group(dst),
				 .src_mac = { { 2, 0, 0, 0, 0, (uint8_t)src } },
				 .src = ip_of(dst->family == AF_INET ? "10.0.0.9"
								     : "fe80::9"),
				 .dst = *dst,
				 .ttl = 1 };
}

static struct weft_frame frame_of(uint8_t *buf, int len)
{
	assert_true(len > 0);
	return (struct weft_frame){ .data = buf, .len = (uint32_t)len };
}

static struct weft_frame report4(uint8_t *buf, unsigned src, const struct weft_ip *group,
				 bool is_member)
{
	const struct weft_ip to = ip_of("224.0.0.22");
	uint8_t igmp[16] = { IGMP_TYPE_REPORT3, [7] = 1, [8] = is_member ? 4 : 3 };
	struct compose c = packet_to(&to, src);
	memcpy(igmp + 12, group->octet, 4);
	c.proto = IPPROTO_IGMP;
	c.csum_offset = 2;
	return frame_of(buf, compose_ip(&c, igmp, sizeof(igmp), buf, GROUP_FRAME_MAX));
}

/* compose_ip counts no hop-by-hop header, so the sum of ICMPv6 is made here. */
static struct weft_frame report6(uint8_t *buf, unsigned src, const struct weft_ip *group,
				 bool is_member)
{
	const struct weft_ip to = ip_of("ff02::16");
	uint8_t hops[8 + 28] = { IPPROTO_ICMPV6, 0, 5, 2, 0, 0, 1, 0, 143 };
	struct compose c = packet_to(&to, src);
	uint8_t *mld = hops + 8;
	mld[7] = 1;
	mld[8] = is_member ? 4 : 3;
	memcpy(mld + 12, group->octet, 16);
	uint32_t sum = compose_pseudo(&c.src, &c.dst, IPPROTO_ICMPV6, 28);
	for (size_t i = 0; i < 28; i += 2)
		sum += load_be16(mld + i);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	store_be16(mld + 2, (uint16_t)~sum);
	c.proto = IPPROTO_HOPOPTS;
	return frame_of(buf, compose_ip(&c, hops, sizeof(hops), buf, GROUP_FRAME_MAX));
}

struct weft_frame group_report(uint8_t buf[GROUP_FRAME_MAX], unsigned src,
			       const char *group, bool is_member)
{
	const struct weft_ip ip = ip_of(group);
	return ip.family == AF_INET ? report4(buf, src, &ip, is_member)
				    : report6(buf, src, &ip, is_member);
}

struct weft_frame group_query(uint8_t buf[GROUP_FRAME_MAX], unsigned src, bool is_ip6)
{
	const struct igmp_querier querier = { .mac = { { 2, 0, 0, 0, 0, (uint8_t)src } },
					      .ip4 = 0x0a000001,
					      .interval_s = 125,
					      .answer_ms = 10000 };
	return frame_of(buf,
			(int)igmp_query_emit(buf, is_ip6 ? AF_INET6 : AF_INET, &querier));
}

struct weft_frame group_data(uint8_t buf[GROUP_FRAME_MAX], unsigned src,
			     const char *group)
{
	const struct weft_ip dst = ip_of(group);
	struct compose c = packet_to(&dst, src);
	c.sport = c.dport = 5004;
	return frame_of(buf, compose_udp(&c, "0123456789", 10, buf, GROUP_FRAME_MAX));
}
