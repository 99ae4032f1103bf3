/* SPDX-License-Identifier: MIT */
/*
 * Of the special addresses (RFC 6890) only those are unusable that no interface can have or
 * that nobody else could reach.
 */
#include "base/net.h"

#include <string.h>

unsigned net_bits(unsigned family)
{
	return family == AF_INET ? 32 : 128;
}

/* The bits of octet i that belong to a prefix. */
static uint8_t mask_octet(unsigned prefix, size_t i)
{
	unsigned begin = (unsigned)i * 8;
	if (prefix >= begin + 8)
		return 0xff;
	if (prefix <= begin)
		return 0;
	return (uint8_t)(0xff00u >> (prefix - begin));
}

struct weft_ip net_of(const struct weft_ip *ip)
{
	struct weft_ip net = *ip;
	for (size_t i = 0; i < sizeof(net.octet); i++)
		net.octet[i] = (uint8_t)(net.octet[i] & mask_octet(ip->prefix, i));
	return net;
}

bool net_is_network(const struct weft_ip *ip)
{
	const struct weft_ip net = net_of(ip);
	return memcmp(net.octet, ip->octet, net_bits(ip->family) / 8) == 0;
}

/* Point-to-point links have none (RFC 3021). */
bool net_is_broadcast(const struct weft_ip *ip)
{
	if (ip->family != AF_INET || ip->prefix > 30)
		return false;
	for (size_t i = 0; i < 4; i++)
		if ((ip->octet[i] | mask_octet(ip->prefix, i)) != 0xff)
			return false;
	return true;
}

bool net_is_same(const struct weft_ip *a, const struct weft_ip *b)
{
	return a->family == b->family && a->prefix == b->prefix &&
	       memcmp(a->octet, b->octet, net_bits(a->family) / 8) == 0;
}

bool net_contains(const struct weft_ip *outer, const struct weft_ip *inner)
{
	if (outer->family != inner->family || outer->prefix > inner->prefix)
		return false;
	for (size_t i = 0; i < net_bits(outer->family) / 8; i++)
		if ((outer->octet[i] ^ inner->octet[i]) & mask_octet(outer->prefix, i))
			return false;
	return true;
}

struct weft_ip net_host(const struct weft_ip *ip)
{
	struct weft_ip host = *ip;
	host.prefix = (uint8_t)net_bits(ip->family);
	return host;
}

bool net_is_usable(const struct weft_ip *ip)
{
	static const struct weft_ip local6 = { AF_INET6, 127, { 0 } }; /* :: and ::1 */
	if (ip->family == AF_INET)
		return ip->octet[0] != 0 && ip->octet[0] != 127 && ip->octet[0] < 224;
	const struct weft_ip host = net_host(ip);
	return ip->octet[0] != 0xff && !net_contains(&local6, &host);
}

struct weft_ip net_address(const union weft_sockaddr *addr)
{
	struct weft_ip ip = { .family = (uint8_t)addr->sa.sa_family };
	if (ip.family != AF_INET && ip.family != AF_INET6)
		return (struct weft_ip){ .family = 0 };
	if (ip.family == AF_INET) {
		ip.prefix = 32;
		memcpy(ip.octet, &addr->in.sin_addr, 4);
		return ip;
	}
	ip.prefix = 128;
	memcpy(ip.octet, &addr->in6.sin6_addr, 16);
	if (!IN6_IS_ADDR_V4MAPPED(&addr->in6.sin6_addr))
		return ip;
	struct weft_ip ip4 = { .family = AF_INET, .prefix = 32 };
	memcpy(ip4.octet, ip.octet + 12, 4);
	return ip4;
}
