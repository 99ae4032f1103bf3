/* SPDX-License-Identifier: MIT */
/*
 * ARP for IPv4 on Ethernet (RFC 826): the only pair of address kinds that is met.
 *
 *     0                               16                              31
 *     +-------------------------------+-------------------------------+
 *     |     hardware 1 (Ethernet)     |     protocol 0x0800 (IPv4)    |
 *     +---------------+---------------+-------------------------------+
 *     | hw length 6   | proto length 4|           operation           |
 *     +---------------+---------------+-------------------------------+
 *     | sender MAC, 6 | sender IP, 4  | target MAC, 6 | target IP, 4  |
 *     +---------------------------------------------------------------+
 *
 * Hardware 6 (IEEE 802, RFC 1042) is read as 1, as Linux and BSD do.
 */
#ifndef WIRE_ARP_H
#define WIRE_ARP_H

#include <weft/addr.h>
#include <weft/frame.h>

#include <stddef.h>
#include <stdint.h>

#define ARP_LEN 28u /**< In bytes; Ethernet pads it to 46. */

/* Offsets in bytes. */
#define ARP_OFF_HTYPE      0u
#define ARP_OFF_PTYPE      2u
#define ARP_OFF_HLEN       4u
#define ARP_OFF_PLEN       5u
#define ARP_OFF_OP         6u
#define ARP_OFF_SENDER_MAC 8u
#define ARP_OFF_SENDER_IP  14u
#define ARP_OFF_TARGET_MAC 18u
#define ARP_OFF_TARGET_IP  24u

enum arp_op {
	ARP_OP_REQUEST = 1,
	ARP_OP_REPLY = 2,
};

struct arp_hdr {
	uint16_t op; /**< enum arp_op; others pass. */
	struct weft_mac sender_mac, target_mac;
	uint32_t sender_ip, target_ip; /**< 192.0.2.1 is 0xc0000201. */
};

/**
 * Reads a packet. Returns its length, 28; -EBADMSG when it is shorter; -EPROTONOSUPPORT for
 * anything but IPv4 on Ethernet.
 */
int arp_hdr_parse(const uint8_t *data, size_t len,
		  struct arp_hdr *ret_hdr) WEFT_MUST_CHECK;

/** Writes a packet; returns 28, or -ENOBUFS. */
int arp_hdr_emit(uint8_t *buf, size_t len, const struct arp_hdr *hdr) WEFT_MUST_CHECK;

#endif
