/* SPDX-License-Identifier: MIT */
/*
 * One DHCP message as a whole Ethernet frame, for hosts that have no address yet:
 *
 *     | Ethernet, 14 | IPv4, 20 | UDP, 8 | DHCP, 300 or more |
 */
#ifndef SERVICE_DHCP_FRAME_H
#define SERVICE_DHCP_FRAME_H

#include "wire/dhcp.h"

#include <weft/addr.h>
#include <weft/frame.h>

#include <stddef.h>
#include <stdint.h>

/** Longest frame that dhcp_frame_emit makes, in bytes. */
#define DHCP_FRAME_LEN_MAX (14u + 20u + 8u + DHCP_LEN_MAX)

/** Who sends to whom, in each layer. */
struct dhcp_path {
	struct weft_mac src_mac, dst_mac;
	uint32_t src, dst; /**< 192.0.2.1 is 0xc0000201. */
	uint16_t sport, dport;
};

/**
 * Writes the frame with all checksums. Returns its length in bytes, -ENOBUFS when buf is too
 * small, -EINVAL when msg cannot be written.
 */
int dhcp_frame_emit(uint8_t *buf, size_t len, const struct dhcp_path *path,
		    const struct dhcp_msg *msg) WEFT_MUST_CHECK;

/**
 * Reads a frame. Returns 0; -ENOMSG when it is not an untagged, unfragmented UDP datagram to
 * dport; -EBADMSG when it is, and its lengths, checksums or options are wrong. The UDP
 * checksum is not looked at where the sender left it to be filled in, or has verified it.
 */
int dhcp_frame_parse(const struct weft_frame *frame, uint16_t dport,
		     struct dhcp_path *ret_path,
		     struct dhcp_msg *ret_msg) WEFT_MUST_CHECK;

#endif
