/* SPDX-License-Identifier: MIT */
/*
 * The IPv4 header (RFC 791, 3.1).
 *
 *     0       4       8              16                              31
 *     +-------+-------+---------------+-------------------------------+
 *     |   4   |  IHL  |  TOS (DS,ECN) |         total length          |
 *     +-------+-------+---------------+-----+-------------------------+
 *     |        identification         |0 D M|    fragment offset / 8  |
 *     +---------------+---------------+-----+-------------------------+
 *     |      TTL      |    protocol   |        header checksum        |
 *     +---------------+---------------+-------------------------------+
 *     |                         source address                        |
 *     |                      destination address                      |
 *     |                 options, 0 to 40 bytes                        |
 *     +---------------------------------------------------------------+
 *
 * Addresses are numbers: 192.0.2.1 is 0xc0000201.
 */
#ifndef WIRE_IP4_H
#define WIRE_IP4_H

#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IP4_LEN         20u /**< Header without options, in bytes. */
#define IP4_OPTIONS_MAX 40u /**< Most bytes of options. */

/* Offsets in bytes. */
#define IP4_OFF_VERSION   0u /**< Version and IHL. */
#define IP4_OFF_TOS       1u
#define IP4_OFF_TOTAL_LEN 2u
#define IP4_OFF_ID        4u
#define IP4_OFF_FRAG      6u /**< Flags and fragment offset. */
#define IP4_OFF_TTL       8u
#define IP4_OFF_PROTO     9u
#define IP4_OFF_CSUM      10u
#define IP4_OFF_SRC       12u
#define IP4_OFF_DST       16u

#define IP4_NO_OPTIONS 0x45u /**< At IP4_OFF_VERSION: version 4, 5 words of header. */

/* Types of options (RFC 791, 3.1). */
#define IP4_OPT_END    0u
#define IP4_OPT_NOP    1u
#define IP4_OPT_COPIED 0x80u /**< The bit of those that each fragment has. */

#define IP4_FRAG_DF       0x4000u
#define IP4_FRAG_MF       0x2000u
#define IP4_FRAG_OFF_MASK 0x1fffu

struct ip4_hdr {
	uint8_t tos;        /**< DSCP 6 bits, ECN 2 bits. */
	uint16_t total_len; /**< Header and payload, in bytes. */
	uint16_t id;
	bool df, mf;
	uint16_t frag_off; /**< In bytes, a multiple of 8. */
	uint8_t ttl;
	uint8_t proto; /**< IPPROTO_*. */
	uint16_t csum; /**< As received; ignored by emit, which makes its own. */
	uint32_t src, dst;
	/** Borrowed from the packet; may be NULL if options_len is 0. */
	const uint8_t *options;
	uint8_t options_len; /**< In bytes, a multiple of 4. */
};

/**
 * Reads the header of a whole packet. Returns its length with options (20..60), or -EBADMSG:
 * not version 4, IHL below 5 or past the end, total length below the header's or past the
 * end. Bytes of data behind total_len are link padding. The checksum is not looked at
 * (checksum_is_right does).
 */
int ip4_hdr_parse(const uint8_t *data, size_t len,
		  struct ip4_hdr *ret_hdr) WEFT_MUST_CHECK;

/** As ip4_hdr_parse, but the packet may be cut short: quoted by ICMP, or captured in part. */
int ip4_hdr_peek(const uint8_t *data, size_t len,
		 struct ip4_hdr *ret_hdr) WEFT_MUST_CHECK;

/**
 * Writes the header with its checksum and returns its length. -ENOBUFS when buf is too
 * small; -EINVAL when options_len or frag_off cannot be said in a header.
 */
int ip4_hdr_emit(uint8_t *buf, size_t len, const struct ip4_hdr *hdr) WEFT_MUST_CHECK;

/** Any fragment, the first one included. */
static inline bool ip4_is_fragment(const struct ip4_hdr *hdr)
{
	return hdr->mf || hdr->frag_off > 0;
}

/** 224.0.0.0/4. */
static inline bool ip4_is_multicast(uint32_t addr)
{
	return addr >> 28 == 0xe;
}

#endif
