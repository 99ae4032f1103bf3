/* SPDX-License-Identifier: MIT */
/*
 * The checksum of IPv4's header is updated and not made anew: one that was wrong stays wrong.
 */
#include "wire/ecn.h"

#include "wire/checksum.h"
#include "wire/cursor.h"
#include "wire/ip4.h"
#include "wire/layout.h"

/* In IPv6 the traffic class lies across two octets; its last two bits are these of the second. */
#define IP6_OFF_ECN  1u
#define IP6_ECN_MASK 0x30u
#define IP4_ECN_MASK 0x03u

static bool mark_ip4(uint8_t *ip)
{
	const uint16_t from = load_be16(ip);
	if ((ip[IP4_OFF_TOS] & IP4_ECN_MASK) == 0)
		return false;
	ip[IP4_OFF_TOS] |= IP4_ECN_MASK;
	store_be16(ip + IP4_OFF_CSUM,
		   checksum_update(load_be16(ip + IP4_OFF_CSUM), from, load_be16(ip)));
	return true;
}

static bool mark_ip6(uint8_t *ip)
{
	if ((ip[IP6_OFF_ECN] & IP6_ECN_MASK) == 0)
		return false;
	ip[IP6_OFF_ECN] |= IP6_ECN_MASK;
	return true;
}

bool ecn_mark(uint8_t *data, size_t len, bool is_ip)
{
	struct layout at;
	if (layout_find(data, len, is_ip, &at) < 0 || at.version == 0)
		return false;
	return at.version == 4 ? mark_ip4(data + at.ip_off) : mark_ip6(data + at.ip_off);
}
