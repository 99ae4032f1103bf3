/* SPDX-License-Identifier: MIT */
/*
 * A whole packet around a payload: UDP, IPv4 or IPv6, and Ethernet where there is one, with
 * all lengths and checksums filled in. The way out for programs that answer packets.
 *
 *     | Ethernet, 14 | IP, 20 or 40 | UDP, 8 | payload |
 *     '- if .ether --'              '- _udp -'
 */
#ifndef WIRE_COMPOSE_H
#define WIRE_COMPOSE_H

#include "wire/arp.h"

#include <weft/addr.h>
#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Headers of one packet. Both addresses are of one family, prefixes are not looked at. */
struct compose {
	bool is_ether;           /**< An Ethernet header stands before the packet. */
	struct weft_mac dst_mac; /**< With is_ether. */
	struct weft_mac src_mac;
	struct weft_ip src, dst;
	uint16_t sport, dport; /**< Of compose_udp. */
	uint8_t proto;         /**< IPPROTO_*; compose_udp sets its own. */
	uint8_t ttl;           /**< Or hop limit; 0 means 64. */
	uint8_t tos;           /**< Or traffic class. */
	uint16_t id;           /**< IPv4 only, as is df. */
	bool df;
	/**
	 * Not 0: the offset in bytes of the payload's 16-bit checksum, which is to be filled
	 * in: 2 for ICMP and ICMPv6, 16 for TCP. The pseudo header counts where the protocol
	 * has one, which ICMP and IGMP over IPv4 have not.
	 */
	uint8_t csum_offset;
};

/**
 * Writes the packet and returns its length in bytes. -EINVAL: the addresses are no pair, or
 * csum_offset lies outside of the payload; -EMSGSIZE: longer than IP can say; -ENOBUFS.
 * payload may be NULL if payload_len is 0, and must not overlap buf.
 */
int compose_ip(const struct compose *c, const void *payload, size_t payload_len,
	       uint8_t *buf, size_t len) WEFT_MUST_CHECK;

/** The same with a UDP header around the payload. */
int compose_udp(const struct compose *c, const void *payload, size_t payload_len,
		uint8_t *buf, size_t len) WEFT_MUST_CHECK;

/** A frame with an ARP packet, in bytes; it is not padded. */
#define COMPOSE_ARP_LEN 42u

/** Writes an ARP packet to dst, or to everybody if that is NULL, from its sender's MAC. */
void compose_arp(const struct weft_mac *dst, const struct arp_hdr *arp,
		 uint8_t buf[COMPOSE_ARP_LEN]);

/**
 * Sum of the pseudo header of an upper-layer packet of len bytes; 0 for the protocols that
 * have none. Both addresses are of one family.
 */
uint32_t compose_pseudo(const struct weft_ip *src, const struct weft_ip *dst,
			uint8_t proto, uint32_t len);

#endif
