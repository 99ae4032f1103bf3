/* SPDX-License-Identifier: MIT */
/*
 * UDP over IPv4 in Ethernet frames, for servers and clients that speak in frames because there
 * is no stack where they stand:
 *
 *     | Ethernet, 14 | IPv4, 20 and options | UDP, 8 | payload |
 */
#ifndef SERVICE_UDP_FRAME_H
#define SERVICE_UDP_FRAME_H

#include "wire/cursor.h"

#include <weft/addr.h>
#include <weft/frame.h>

#include <stdint.h>

/** Who sends to whom, in each layer. */
struct udp_path {
	struct weft_mac src_mac, dst_mac;
	uint32_t src, dst; /**< 192.0.2.1 is 0xc0000201. */
	uint16_t sport, dport;
};

/**
 * Finds the payload of a datagram. Returns 0; -ENOMSG when the frame is not an untagged,
 * unfragmented UDP datagram to dport; -EBADMSG when it is, and its lengths or checksums are
 * wrong. The UDP checksum is not looked at where the sender left it to be filled in, or has
 * verified it.
 */
int udp_frame_parse(const struct weft_frame *frame, uint16_t dport,
		    struct udp_path *ret_path,
		    struct reader *ret_payload) WEFT_MUST_CHECK;

#endif
