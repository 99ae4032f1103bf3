/* SPDX-License-Identifier: MIT */
/*
 * The Internet checksum (RFC 1071) and its incremental update (RFC 1624).
 *
 * A sum under way is a uint32_t: 16-bit words of the wire, read in network order, added up
 * without folding. So a header field that is known as a host integer is added with a plain
 * `+`, and bytes are added with checksum_add:
 *
 *     uint32_t sum = checksum_pseudo4(ip->src, ip->dst, IP_PROTO_UDP, udp_len);
 *     sum = checksum_add(sum, udp, udp_len);
 *     store_be16(udp + UDP_CHECKSUM, checksum_finish_udp(sum));
 *
 * There is room for 32,768 additions (each adds at most 0x1fffe) before the top would be
 * lost; nobody adds more than a handful. Pieces follow each other in any order, as long as
 * each begins at an even offset of what is summed: only the last may have an odd length.
 *
 * Two words that look like details and are not (RFC 1071 1, RFC 768): the sum that goes into
 * a header is the complement, and a sum over data that contains its own right checksum
 * comes to 0xffff. In UDP a field of 0 says "no checksum", so a checksum that comes to 0 is
 * sent as 0xffff, which is the same number in ones' complement.
 */
#ifndef WIRE_CHECKSUM_H
#define WIRE_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Adds len bytes (at most 2^31) to sum; an odd last byte counts as if a zero followed. */
uint32_t checksum_add(uint32_t sum, const void *data, size_t len);

/** Copies len bytes from src to dst, which do not overlap, and adds them in the same pass. */
uint32_t checksum_copy(uint32_t sum, void *restrict dst, const void *restrict src,
		       size_t len);

/** Sum of the pseudo header of TCP, UDP and the like over IPv4 (RFC 9293 3.1). */
uint32_t checksum_pseudo4(const uint8_t src[4], const uint8_t dst[4], uint8_t proto,
			  uint16_t len);

/** The same over IPv6, ICMPv6 included (RFC 8200 8.1). len: upper-layer packet in bytes. */
uint32_t checksum_pseudo6(const uint8_t src[16], const uint8_t dst[16], uint8_t proto,
			  uint32_t len);

/** Folds a sum into 16 bits, not complemented: what NEEDS_CSUM leaves in the field. */
static inline uint16_t checksum_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)(sum + (sum >> 16));
}

/** The checksum to put into a header, as a host integer. */
static inline uint16_t checksum_finish(uint32_t sum)
{
	return (uint16_t)~checksum_fold(sum);
}

/** The same for UDP, which never sends 0 (RFC 768). */
static inline uint16_t checksum_finish_udp(uint32_t sum)
{
	uint16_t check = checksum_finish(sum);

	return check ? check : 0xffff;
}

/** The checksum of len bytes: IPv4 header, ICMP. */
static inline uint16_t checksum(const void *data, size_t len)
{
	return checksum_finish(checksum_add(0, data, len));
}

/**
 * True if len bytes that contain their checksum add up. sum is the pseudo header's for TCP
 * and ICMPv6, 0 for an IPv4 header, ICMP and IGMP.
 */
static inline bool checksum_is_right(uint32_t sum, const void *data, size_t len)
{
	return checksum_fold(checksum_add(sum, data, len)) == 0xffff;
}

/**
 * The same for UDP with its header, len >= 8. A field of 0 is right over IPv4 (the sender
 * made none, RFC 768) and wrong over IPv6 (RFC 8200 8.1).
 */
bool checksum_udp_is_right(uint32_t pseudo, const uint8_t *udp, size_t len, bool is_ip6);

/**
 * A checksum after one 16-bit word under it changed: HC' = ~(~HC + ~m + m'), equation 3 of
 * RFC 1624, which unlike that of RFC 1141 is right where the result is 0.
 */
static inline uint16_t checksum_update(uint16_t check, uint16_t from, uint16_t to)
{
	return checksum_finish((uint32_t)(uint16_t)~check + (uint16_t)~from + to);
}

#endif
