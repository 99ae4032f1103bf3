/* SPDX-License-Identifier: MIT */
/*
 * The overlay header: what stands in front of each Ethernet frame in a QUIC DATAGRAM
 * (RFC 9221) between a member and its relay.
 *
 *     0       4       8              16                              31
 *     +---------------+-------+-------+-------------------------------+
 *     |  magic 0x57   | ver 1 | type  |        flags, all zero        |
 *     +---------------+-------+-------+-------------------------------+
 *     |            room id            |            peer id            |
 *     +-------------------------------+-------------------------------+
 *     |              Ethernet frame without FCS ...
 *
 * Eight bytes keep the frame's IP header aligned as it was. Flags are for later: who sets
 * them expects something that this version cannot do, so such a datagram is refused.
 */
#ifndef WIRE_OVERLAY_H
#define WIRE_OVERLAY_H

#include <weft/frame.h>

#include <stddef.h>
#include <stdint.h>

#define OVERLAY_LEN     8u /**< Header in bytes. */
#define OVERLAY_MAGIC   0x57u
#define OVERLAY_VERSION 1u

/* Offsets in bytes. */
#define OVERLAY_OFF_MAGIC   0u
#define OVERLAY_OFF_VERSION 1u /**< Version in the upper, type in the lower 4 bits. */
#define OVERLAY_OFF_FLAGS   2u
#define OVERLAY_OFF_ROOM    4u
#define OVERLAY_OFF_PEER    6u

enum overlay_type {
	OVERLAY_ETHERNET = 1, /**< One Ethernet frame follows. */
};

struct overlay_hdr {
	uint8_t type; /**< enum overlay_type. */
	uint16_t room;
	uint16_t peer; /**< The member whose session it is, in both directions. */
};

/**
 * Reads a header. Returns its length, 8, or -EBADMSG: shorter, another magic or version, an
 * unknown type, or flags that are not zero.
 */
int overlay_hdr_parse(const uint8_t *data, size_t len,
		      struct overlay_hdr *ret_hdr) WEFT_MUST_CHECK;

/** Writes a header; it always fits. */
void overlay_hdr_emit(uint8_t buf[OVERLAY_LEN], const struct overlay_hdr *hdr);

#endif
