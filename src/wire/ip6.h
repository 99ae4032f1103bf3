/* SPDX-License-Identifier: MIT */
/*
 * The IPv6 header and its extension headers (RFC 8200).
 *
 *     0       4              12      16              24              31
 *     +-------+---------------+---------------------------------------+
 *     |   6   | traffic class |              flow label               |
 *     +-------+---------------+-------+---------------+---------------+
 *     |        payload length         |  next header  |   hop limit   |
 *     +-------------------------------+---------------+---------------+
 *     |                    source address, 16 bytes                   |
 *     |                  destination address, 16 bytes                |
 *     +---------------------------------------------------------------+
 *
 * Extension headers form a chain that a sender can make as long as it likes, so the walk
 * has a limit on how many there are and on their bytes together (RFC 8504, 5.3 grants both).
 */
#ifndef WIRE_IP6_H
#define WIRE_IP6_H

#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define IP6_LEN           40u /**< Header in bytes. */
#define IP6_ADDR_LEN      16u
#define IP6_EXT_COUNT_MAX 8u   /**< Most extension headers in one packet. */
#define IP6_EXT_LEN_MAX   512u /**< Most bytes of all extension headers together. */
#define IP6_FRAG_LEN      8u   /**< Fragment header in bytes. */

/* Offsets in bytes. */
#define IP6_OFF_FLOW        0u /**< Version, traffic class and flow label. */
#define IP6_OFF_PAYLOAD_LEN 4u
#define IP6_OFF_NEXT        6u
#define IP6_OFF_HOP_LIMIT   7u
#define IP6_OFF_SRC         8u
#define IP6_OFF_DST         24u

/* Types of options in a hop-by-hop or destination header (RFC 8200, 4.2; RFC 2711). */
#define IP6_OPT_PAD1         0u
#define IP6_OPT_ROUTER_ALERT 5u

struct ip6_addr {
	uint8_t octet[IP6_ADDR_LEN]; /**< Wire order. */
};

struct ip6_hdr {
	uint8_t tclass;       /**< DSCP 6 bits, ECN 2 bits. */
	uint32_t flow;        /**< Flow label, 20 bits. */
	uint16_t payload_len; /**< All that follows the 40 bytes. */
	uint8_t next;         /**< IPPROTO_* of what follows. */
	uint8_t hop_limit;
	struct ip6_addr src, dst;
};

/**
 * Reads the fixed header of a whole packet. Returns 40, or -EBADMSG: shorter, not version 6,
 * or the payload longer than what is there. Bytes behind the payload are link padding.
 */
int ip6_hdr_parse(const uint8_t *data, size_t len,
		  struct ip6_hdr *ret_hdr) WEFT_MUST_CHECK;

/** As ip6_hdr_parse, but the packet may be cut short: quoted by ICMPv6, or captured in part. */
int ip6_hdr_peek(const uint8_t *data, size_t len,
		 struct ip6_hdr *ret_hdr) WEFT_MUST_CHECK;

/** Writes the fixed header; returns 40, or -ENOBUFS. */
int ip6_hdr_emit(uint8_t *buf, size_t len, const struct ip6_hdr *hdr) WEFT_MUST_CHECK;

/** A fragment header (RFC 8200, 4.5). */
struct ip6_frag {
	uint8_t next;
	uint16_t off; /**< In bytes, a multiple of 8. */
	bool more;
	uint32_t id;
};

/** Reads a fragment header; returns 8, or -EBADMSG. */
int ip6_frag_parse(const uint8_t *data, size_t len,
		   struct ip6_frag *ret_frag) WEFT_MUST_CHECK;

/** Writes a fragment header; returns 8, -ENOBUFS, or -EINVAL for an off that is no multiple. */
int ip6_frag_emit(uint8_t *buf, size_t len, const struct ip6_frag *frag) WEFT_MUST_CHECK;

/** What a walk over the extension headers found. */
struct ip6_ext {
	uint8_t proto; /**< Upper layer: IPPROTO_*; IPPROTO_NONE where nothing follows. */
	uint8_t count; /**< Extension headers passed. */
	bool is_fragment; /**< There is a fragment header; frag tells of it. */
	bool has_routing; /**< There is a routing header; the next two tell of the last. */
	uint8_t routing_type;  /**< 0 is deprecated and must not be obeyed (RFC 5095). */
	uint8_t segments_left; /**< Not 0: dst is not the final destination. */
	struct ip6_frag frag;
	uint16_t frag_hdr_off; /**< From the packet's start, in bytes. */
};

/**
 * Walks from the header (which has been parsed) to the upper layer of the packet at data.
 * Returns the upper layer's offset from data, at most len. A walk ends early at a fragment
 * that is not the first (what follows is the middle of something) and at ESP.
 * -EBADMSG: a header ends past the packet, hop-by-hop is not the first (RFC 8200, 4.1), or
 * there are two fragment headers. -E2BIG: one of the limits above.
 */
int ip6_ext_walk(const uint8_t *data, size_t len, uint8_t next,
		 struct ip6_ext *ret_ext) WEFT_MUST_CHECK;

/** Sixteen bytes as an address. The caller has checked that they are there. */
static inline struct ip6_addr ip6_addr_load(const uint8_t *p)
{
	struct ip6_addr addr;
	memcpy(addr.octet, p, sizeof(addr.octet));
	return addr;
}

static inline bool ip6_addr_equal(const struct ip6_addr *a, const struct ip6_addr *b)
{
	return memcmp(a->octet, b->octet, sizeof(a->octet)) == 0;
}

/** ff00::/8. */
static inline bool ip6_addr_is_multicast(const struct ip6_addr *addr)
{
	return addr->octet[0] == 0xff;
}

#endif
