/* SPDX-License-Identifier: MIT */
/*
 * Ethernet II with 802.1Q and 802.1ad tags, and 802.3 frames with LLC and SNAP.
 *
 *     0             6             12     14
 *     +-------------+-------------+------+----------------
 *     | destination | source      | type | payload              Ethernet II
 *     +-------------+-------------+------+----------------
 *     +-------------+-------------+------+-----+------+---
 *     | destination | source      | 8100 | TCI | type | ...    802.1Q: PCP 3, DEI 1, VID 12
 *     +-------------+-------------+------+-----+------+---
 *
 * A type below 0x0600 is no type but the payload's length in bytes (802.3 3.2.6), and the
 * payload begins with LLC (802.2). There is no FCS: no link of weft carries one.
 */
#ifndef WIRE_ETHER_H
#define WIRE_ETHER_H

#include <weft/addr.h>
#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ETHER_LEN      14u /**< Header without tags, in bytes. */
#define ETHER_TAG_LEN  4u  /**< TPID and TCI, in bytes. */
#define ETHER_TAGS_MAX 2u  /**< Tags that are looked behind: 802.1ad around 802.1Q. */
#define ETHER_VID_MASK 0x0fffu

/* Offsets in bytes. */
#define ETHER_OFF_DST  0u
#define ETHER_OFF_SRC  6u
#define ETHER_OFF_TYPE 12u

enum ether_type {
	ETHER_TYPE_FIRST = 0x0600, /**< Anything less is a length. */
	ETHER_TYPE_IP4 = 0x0800,
	ETHER_TYPE_ARP = 0x0806,
	ETHER_TYPE_VLAN = 0x8100, /**< 802.1Q customer tag. */
	ETHER_TYPE_IPX = 0x8137,
	ETHER_TYPE_IP6 = 0x86dd,
	ETHER_TYPE_SLOW = 0x8809, /**< LACP and other slow protocols (802.3 57A). */
	ETHER_TYPE_PPPOE_DISCOVERY = 0x8863,
	ETHER_TYPE_PPPOE_SESSION = 0x8864,
	ETHER_TYPE_EAPOL = 0x888e,
	ETHER_TYPE_QINQ = 0x88a8,             /**< 802.1ad service tag. */
	ETHER_TYPE_LOCAL_EXPERIMENT = 0x88b5, /**< IEEE 802 clause 9.2.4. */
	ETHER_TYPE_LLDP = 0x88cc,
	ETHER_TYPE_QINQ_OLD = 0x9100, /**< Service tag of before 802.1ad. */
};

struct ether_tag {
	uint16_t tpid; /**< Of which ether_type_is_tag is true. */
	uint16_t tci;  /**< PCP 3 bits, DEI 1 bit, VID 12 bits. */
};

struct ether_hdr {
	struct weft_mac dst, src;
	struct ether_tag tags[ETHER_TAGS_MAX]; /**< Outermost first. */
	uint8_t tags_n;
	/** Behind the tags: EtherType, or a length below ETHER_TYPE_FIRST. */
	uint16_t type;
};

/**
 * Reads a header with up to ETHER_TAGS_MAX tags (a deeper tag is left in the payload, type is
 * then its TPID). Returns the header's length, or -EBADMSG when data ends before it does.
 */
int ether_hdr_parse(const uint8_t *data, size_t len,
		    struct ether_hdr *ret_hdr) WEFT_MUST_CHECK;

/** Writes a header; returns its length, or -ENOBUFS. */
int ether_hdr_emit(uint8_t *buf, size_t len, const struct ether_hdr *hdr) WEFT_MUST_CHECK;

/** LLC and, where there is one, SNAP (802.2; 802 clause 9). */
struct llc_hdr {
	uint8_t dsap, ssap;
	uint8_t control; /**< First byte of it: 3 is an unnumbered information frame. */
	bool is_snap;
	uint32_t oui;  /**< With SNAP: 24 bits that say whose type it is. */
	uint16_t type; /**< With SNAP. */
};

#define LLC_LEN        3u
#define LLC_SNAP_LEN   8u
#define LLC_SAP_STP    0x42u
#define LLC_SAP_SNAP   0xaau
#define LLC_SAP_IPX    0xe0u
#define LLC_CONTROL_UI 0x03u

/* Whose SNAP types are EtherTypes. */
#define LLC_OUI_ETHER  0x000000u /**< RFC 1042. */
#define LLC_OUI_BRIDGE 0x0000f8u /**< 802.1H, of bridges. */

/** Reads the payload of an 802.3 frame. Returns 3 or 8 (SNAP) bytes, or -EBADMSG. */
int llc_hdr_parse(const uint8_t *data, size_t len,
		  struct llc_hdr *ret_hdr) WEFT_MUST_CHECK;

/** Writes LLC, and SNAP if is_snap; returns its length, or -ENOBUFS. */
int llc_hdr_emit(uint8_t *buf, size_t len, const struct llc_hdr *hdr) WEFT_MUST_CHECK;

static inline bool ether_type_is_tag(uint16_t type)
{
	return type == ETHER_TYPE_VLAN || type == ETHER_TYPE_QINQ ||
	       type == ETHER_TYPE_QINQ_OLD;
}

#endif
