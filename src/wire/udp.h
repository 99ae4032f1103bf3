/* SPDX-License-Identifier: MIT */
/*
 * The UDP header (RFC 768).
 *
 *     0               2               4               6               8
 *     +---------------+---------------+---------------+---------------+
 *     |  source port  |   dest port   |    length     |   checksum    |
 *     +---------------+---------------+---------------+---------------+
 *
 * The length counts these 8 bytes. A checksum of 0 says that there is none, which IPv6
 * forbids (RFC 8200, 8.1).
 */
#ifndef WIRE_UDP_H
#define WIRE_UDP_H

#include <weft/frame.h>

#include <stddef.h>
#include <stdint.h>

#define UDP_LEN 8u /**< Header in bytes. */

/* Offsets in bytes. */
#define UDP_OFF_SPORT 0u
#define UDP_OFF_DPORT 2u
#define UDP_OFF_LEN   4u
#define UDP_OFF_CSUM  6u

struct udp_hdr {
	uint16_t sport, dport;
	uint16_t len; /**< Header and payload, in bytes. */
	uint16_t csum;
};

/**
 * Reads the header of a whole datagram. Returns 8, or -EBADMSG: shorter, or a length below 8
 * or past the end. The checksum is not looked at.
 */
int udp_hdr_parse(const uint8_t *data, size_t len,
		  struct udp_hdr *ret_hdr) WEFT_MUST_CHECK;

/**
 * As udp_hdr_parse, but the length may go past the end: a first fragment, a quote in an ICMP
 * message, a capture in part.
 */
int udp_hdr_peek(const uint8_t *data, size_t len,
		 struct udp_hdr *ret_hdr) WEFT_MUST_CHECK;

/** Writes the header with csum as it is given; returns 8, or -ENOBUFS. */
int udp_hdr_emit(uint8_t *buf, size_t len, const struct udp_hdr *hdr) WEFT_MUST_CHECK;

#endif
