/* SPDX-License-Identifier: MIT */
/*
 * One address type for both families: every address is 16 bytes, and an IPv4 address is
 * its IPv4-mapped form (RFC 4291, 2.5.5.2).
 *
 *     10.0.0.1         ::ffff:10.0.0.1      00 .. 00 ff ff 0a 00 00 01
 *     10.0.0.0/24      prefix of 96 + 24 = 120 bits
 *
 * So routes, neighbours, fragments and sockets have one table and one code for both, keys
 * have one length, and 0.0.0.0 and :: remain different. On the wire the mapped form must not
 * be seen in an IPv6 header; ip6_input drops it, or a peer could pretend to be on IPv4.
 */
#ifndef STACK_ADDR_H
#define STACK_ADDR_H

#include "wire/cursor.h"
#include "wire/ip6.h"

#include <weft/addr.h>

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ADDR_BITS     128u
#define ADDR_IP4_BITS 96u /**< Bits in front of an IPv4 address. */

struct ip_addr {
	uint8_t octet[16]; /**< Wire order. */
};

static inline struct ip_addr addr_of_ip4(uint32_t ip)
{
	struct ip_addr a = { { [10] = 0xff, [11] = 0xff } };
	store_be32(a.octet + 12, ip);
	return a;
}

static inline struct ip_addr addr_of_ip6(const struct ip6_addr *ip)
{
	struct ip_addr a;
	memcpy(a.octet, ip->octet, sizeof(a.octet));
	return a;
}

static inline struct ip6_addr addr_to_ip6(const struct ip_addr *a)
{
	return ip6_addr_load(a->octet);
}

/** The last 32 bits: an IPv4 address as a number (192.0.2.1 is 0xc0000201). */
static inline uint32_t addr_to_ip4(const struct ip_addr *a)
{
	return load_be32(a->octet + 12);
}

static inline bool addr_is_ip4(const struct ip_addr *a)
{
	return load_be64(a->octet) == 0 && load_be32(a->octet + 8) == 0xffff;
}

/** The unspecified address (0.0.0.0, ::) of the same family. */
static inline struct ip_addr addr_any_like(const struct ip_addr *a)
{
	return addr_is_ip4(a) ? addr_of_ip4(0) : (struct ip_addr){ 0 };
}

static inline bool addr_equal(const struct ip_addr *a, const struct ip_addr *b)
{
	return memcmp(a->octet, b->octet, sizeof(a->octet)) == 0;
}

/** 0.0.0.0 or ::. */
static inline bool addr_is_unspecified(const struct ip_addr *a)
{
	bool is_high_zero = load_be64(a->octet) == 0;
	uint64_t low = load_be64(a->octet + 8);
	return is_high_zero && (low == 0 || low == 0xffff00000000u);
}

/** 224.0.0.0/4 or ff00::/8. */
static inline bool addr_is_multicast(const struct ip_addr *a)
{
	return addr_is_ip4(a) ? a->octet[12] >> 4 == 0xe : a->octet[0] == 0xff;
}

/** 255.255.255.255. Broadcasts of a network are known to its interface only. */
static inline bool addr_is_limited_broadcast(const struct ip_addr *a)
{
	return addr_is_ip4(a) && addr_to_ip4(a) == 0xffffffffu;
}

/** 127.0.0.0/8 or ::1. */
static inline bool addr_is_loopback(const struct ip_addr *a)
{
	if (addr_is_ip4(a))
		return a->octet[12] == 127;
	return load_be64(a->octet) == 0 && load_be64(a->octet + 8) == 1;
}

/** fe80::/10: names a host only together with a link (RFC 4007). */
static inline bool addr_needs_scope(const struct ip_addr *a)
{
	return a->octet[0] == 0xfe && (a->octet[1] & 0xc0) == 0x80;
}

/** fe80::/10 or 169.254.0.0/16: good on one link only. */
static inline bool addr_is_link_local(const struct ip_addr *a)
{
	return addr_is_ip4(a) ? addr_to_ip4(a) >> 16 == 0xa9fe : addr_needs_scope(a);
}

/** How many bits the two have in common from the front, 0..128. */
unsigned addr_common_bits(const struct ip_addr *a, const struct ip_addr *b);

/** Whether a lies in the network of that many bits (0..128). */
static inline bool addr_is_in(const struct ip_addr *a, const struct ip_addr *network,
			      unsigned bits)
{
	return addr_common_bits(a, network) >= bits;
}

/** The address with all bits behind the first ones cleared. */
struct ip_addr addr_mask(const struct ip_addr *a, unsigned bits);

/** ff02::1:ffXX:XXXX: where a host is asked for by Neighbour Discovery (RFC 4291, 2.7.1). */
struct ip_addr addr_solicited_node(const struct ip_addr *a);

/**
 * From the public form. ret_bits: its prefix, counted as here (0..128). False for one of no
 * family, with too long a prefix, or an IPv4-mapped address that says it is IPv6.
 */
bool addr_of_ip(const struct weft_ip *ip, struct ip_addr *ret_addr, unsigned *ret_bits);

/** The public form with a prefix of bits (0..128, counted as in struct ip_addr). */
struct weft_ip addr_to_ip(const struct ip_addr *a, unsigned bits);

/** From a socket address; false for one of no family. ret_port in host order. */
bool addr_of_sockaddr(const union weft_sockaddr *sa, struct ip_addr *ret_addr,
		      uint16_t *ret_port);

/** The scope that a socket address names; 0 for none. */
static inline uint32_t addr_scope_of(const union weft_sockaddr *sa)
{
	return sa->sa.sa_family == AF_INET6 ? sa->in6.sin6_scope_id : 0;
}

/** A socket address of the address' own family. scope: see sin6_scope_id, for link-local. */
union weft_sockaddr addr_to_sockaddr(const struct ip_addr *a, uint16_t port,
				     uint32_t scope);

#endif
