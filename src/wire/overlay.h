/* SPDX-License-Identifier: MIT */
/*
 * The overlay header: what stands in front of each Ethernet frame in a QUIC DATAGRAM
 * (RFC 9221) between a member and its relay.
 *
 *     0       4       8              16                              31
 *     +---------------+-------+-------+-------------------------------+
 *     |  magic 0x57   | ver 1 | type  |  number of the frame, or zero |
 *     +---------------+-------+-------+-------------------------------+
 *     |            room id            |            peer id            |
 *     +-------------------------------+-------------------------------+
 *     |              Ethernet frame without FCS, or a part of one ...
 *
 * Eight bytes keep the frame's IP header aligned as it was. A frame that does not fit one
 * datagram of its path travels in two, of types FIRST and LAST, that have the same number. The
 * number of a whole frame is zero.
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
#define OVERLAY_OFF_NUMBER  2u
#define OVERLAY_OFF_ROOM    4u
#define OVERLAY_OFF_PEER    6u

enum overlay_type {
	OVERLAY_ETHERNET = 1, /**< One Ethernet frame follows. */
	OVERLAY_FIRST = 2,    /**< The beginning of one, */
	OVERLAY_LAST = 3,     /**< and the rest. */
};

struct overlay_hdr {
	uint8_t type;    /**< enum overlay_type. */
	uint16_t number; /**< Which frame it is a part of; 0 for OVERLAY_ETHERNET. */
	uint16_t room;
	uint16_t peer; /**< The member whose session it is, in both directions. */
};

/**
 * Reads a header. Returns its length, 8, or -EBADMSG: shorter, another magic or version, an
 * unknown type, or a whole frame with a number.
 */
int overlay_hdr_parse(const uint8_t *data, size_t len,
		      struct overlay_hdr *ret_hdr) WEFT_MUST_CHECK;

/** Writes a header; it always fits. */
void overlay_hdr_emit(uint8_t buf[OVERLAY_LEN], const struct overlay_hdr *hdr);

#endif
