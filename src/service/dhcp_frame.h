/* SPDX-License-Identifier: MIT */
/*
 * One DHCP message as a whole Ethernet frame, for hosts that have no address yet:
 *
 *     | Ethernet, 14 | IPv4, 20 | UDP, 8 | DHCP, 300 or more |
 */
#ifndef SERVICE_DHCP_FRAME_H
#define SERVICE_DHCP_FRAME_H

#include "service/udp_frame.h"
#include "wire/dhcp.h"

#include <weft/addr.h>
#include <weft/frame.h>

#include <stddef.h>
#include <stdint.h>

/** Longest frame that dhcp_frame_emit makes, in bytes. */
#define DHCP_FRAME_LEN_MAX (14u + 20u + 8u + DHCP_LEN_MAX)

/**
 * Writes the frame with all checksums. Returns its length in bytes, -ENOBUFS when buf is too
 * small, -EINVAL when msg cannot be written.
 */
int dhcp_frame_emit(uint8_t *buf, size_t len, const struct udp_path *path,
		    const struct dhcp_msg *msg) WEFT_MUST_CHECK;

/** Reads a frame. Returns what udp_frame_parse does, or -EBADMSG for options that are wrong. */
int dhcp_frame_parse(const struct weft_frame *frame, uint16_t dport,
		     struct udp_path *ret_path, struct dhcp_msg *ret_msg) WEFT_MUST_CHECK;

#endif
