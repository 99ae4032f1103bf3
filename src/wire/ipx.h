/* SPDX-License-Identifier: MIT */
/*
 * IPX: the header, and the four ways in which it lies in an Ethernet frame.
 *
 *     0          2        4      5      6             18            30
 *     +----------+--------+------+------+-------------+-------------+--------
 *     | checksum | length | hops | type | destination | source      | data
 *     +----------+--------+------+------+-------------+-------------+--------
 *                 with the               network 4, node 6, socket 2
 *                 header
 *
 *     ethernet2   | dst src | 8137   | IPX                              RFC 1132 names these
 *     802.3       | dst src | length | FFFF IPX ("raw": no LLC)
 *     802.2       | dst src | length | E0 E0 03 | IPX
 *     snap        | dst src | length | AA AA 03 00 00 00 81 37 | IPX
 *
 * A checksum of FFFF means that there is none, and as LLC never begins so, it is what tells
 * 802.3 from 802.2: a packet can be framed as 802.3 only without a checksum. On Ethernet a
 * node's number is its MAC.
 */
#ifndef WIRE_IPX_H
#define WIRE_IPX_H

#include <weft/addr.h>
#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IPX_LEN         30u
#define IPX_NO_CHECKSUM 0xffffu

/** Longest header in front of IPX in a frame: Ethernet, LLC and SNAP. */
#define IPX_FRAME_HDR_LEN_MAX 22u

/* Offsets in bytes. */
#define IPX_OFF_CHECKSUM 0u
#define IPX_OFF_LENGTH   2u

/** The socket of the echo protocol, which DOSBox uses to register and to ping. */
#define IPX_SOCKET_ECHO 2u

struct ipx_addr {
	uint32_t network; /**< 0: this one. */
	struct weft_mac node;
	uint16_t socket;
};

struct ipx_hdr {
	uint16_t checksum;
	uint16_t len; /**< Of the whole packet, IPX_LEN at least. */
	uint8_t hops;
	uint8_t type;
	struct ipx_addr dst, src;
};

/**
 * Reads a header. Returns IPX_LEN, or -EBADMSG when data ends before it does or before the
 * packet does; bytes behind the packet are padding.
 */
int ipx_hdr_parse(const uint8_t *data, size_t len,
		  struct ipx_hdr *ret_hdr) WEFT_MUST_CHECK;

/** Writes a header. */
void ipx_hdr_emit(uint8_t buf[IPX_LEN], const struct ipx_hdr *hdr);

enum ipx_framing { IPX_ETHERNET2, IPX_8023, IPX_8022, IPX_SNAP, IPX_FRAMINGS };

/** Where IPX is in an Ethernet frame. */
struct ipx_place {
	enum ipx_framing framing;
	size_t off;         /**< From the frame's start, in bytes. */
	struct ipx_hdr hdr; /**< hdr.len bytes of IPX are there. */
};

/** Finds IPX in a frame. Returns 0, or -EBADMSG if it is none or is cut short. */
int ipx_frame_parse(const uint8_t *data, size_t len,
		    struct ipx_place *ret_place) WEFT_MUST_CHECK;

/** Bytes in front of IPX, the Ethernet header among them. */
size_t ipx_frame_hdr_len(enum ipx_framing framing);

/**
 * Writes what stands in front of the IPX packet that hdr is of, ipx_frame_hdr_len(framing)
 * bytes. For IPX_8023 the packet's checksum must be IPX_NO_CHECKSUM.
 */
void ipx_frame_emit(uint8_t *buf, enum ipx_framing framing, const struct ipx_hdr *hdr);

#endif
