/* SPDX-License-Identifier: MIT */
/*
 * Addresses of both families as one type: prefixes, and the ways from and to the public forms.
 */
#include "stack/addr.h"

#include <netinet/in.h>

#define FULL4 32u
#define FULL6 128u

unsigned addr_common_bits(const struct ip_addr *a, const struct ip_addr *b)
{
	uint64_t high = load_be64(a->octet) ^ load_be64(b->octet);
	uint64_t low = load_be64(a->octet + 8) ^ load_be64(b->octet + 8);
	if (high)
		return (unsigned)__builtin_clzll(high);
	return low ? 64u + (unsigned)__builtin_clzll(low) : ADDR_BITS;
}

/* The first bits of 64 set. */
static uint64_t high_bits(unsigned bits)
{
	return bits == 0 ? 0 : bits >= 64 ? UINT64_MAX : ~(UINT64_MAX >> bits);
}

struct ip_addr addr_mask(const struct ip_addr *a, unsigned bits)
{
	struct ip_addr masked;
	store_be64(masked.octet, load_be64(a->octet) & high_bits(bits));
	store_be64(masked.octet + 8,
		   load_be64(a->octet + 8) & high_bits(bits > 64 ? bits - 64 : 0));
	return masked;
}

struct ip_addr addr_solicited_node(const struct ip_addr *a)
{
	struct ip_addr group = { { 0xff, 0x02, [11] = 0x01, [12] = 0xff } };
	memcpy(group.octet + 13, a->octet + 13, 3);
	return group;
}

bool addr_of_ip(const struct weft_ip *ip, struct ip_addr *ret_addr, unsigned *ret_bits)
{
	if (ip->family == AF_INET && ip->prefix <= FULL4) {
		*ret_addr = addr_of_ip4(load_be32(ip->octet));
		*ret_bits = ADDR_IP4_BITS + ip->prefix;
		return true;
	}
	if (ip->family != AF_INET6 || ip->prefix > FULL6)
		return false;
	memcpy(ret_addr->octet, ip->octet, sizeof(ret_addr->octet));
	*ret_bits = ip->prefix;
	return !addr_is_ip4(ret_addr);
}

struct weft_ip addr_to_ip(const struct ip_addr *a, unsigned bits)
{
	struct weft_ip ip = { .family = AF_INET6, .prefix = (uint8_t)bits };
	if (addr_is_ip4(a)) {
		ip.family = AF_INET;
		ip.prefix = (uint8_t)(bits - ADDR_IP4_BITS);
		memcpy(ip.octet, a->octet + 12, 4);
		return ip;
	}
	memcpy(ip.octet, a->octet, sizeof(ip.octet));
	return ip;
}

bool addr_of_sockaddr(const union weft_sockaddr *sa, struct ip_addr *ret_addr,
		      uint16_t *ret_port)
{
	if (sa->sa.sa_family == AF_INET)
		*ret_addr =
			addr_of_ip4(load_be32((const uint8_t *)&sa->in.sin_addr.s_addr));
	else if (sa->sa.sa_family == AF_INET6)
		memcpy(ret_addr->octet, &sa->in6.sin6_addr, sizeof(ret_addr->octet));
	else
		return false;
	*ret_port = weft_sockaddr_port(sa);
	return true;
}

union weft_sockaddr addr_to_sockaddr(const struct ip_addr *a, uint16_t port,
				     uint32_t scope)
{
	union weft_sockaddr sa = { .in6 = { .sin6_family = AF_INET6 } };
	if (addr_is_ip4(a)) {
		sa.in = (struct sockaddr_in){ .sin_family = AF_INET };
		memcpy(&sa.in.sin_addr, a->octet + 12, 4);
		store_be16((uint8_t *)&sa.in.sin_port, port);
		return sa;
	}
	memcpy(&sa.in6.sin6_addr, a->octet, sizeof(a->octet));
	store_be16((uint8_t *)&sa.in6.sin6_port, port);
	sa.in6.sin6_scope_id = addr_is_link_local(a) ? scope : 0;
	return sa;
}
