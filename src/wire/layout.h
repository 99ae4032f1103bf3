/* SPDX-License-Identifier: MIT */
/*
 * Where the headers of one frame lie: what the code that cuts, merges and completes has to
 * know before it touches anything.
 *
 *     0            ip_off       transport_off     payload_off               end      len
 *     | eth | tags | IP | options | TCP | options | payload ... ... ... ... | padding |
 *
 * Everything here is checked against the frame, whoever sent it: no offset lies behind
 * end, and end not behind len.
 */
#ifndef WIRE_LAYOUT_H
#define WIRE_LAYOUT_H

#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct layout {
	uint8_t version; /**< 4, 6, or 0: not IP, all offsets are then that of the payload. */
	uint8_t proto;    /**< Upper layer, behind extension headers: IPPROTO_*. */
	bool is_fragment; /**< Transport headers are not looked for. */
	/** Length of the Ethernet header with its tags; 0 on an IP link. */
	uint16_t ip_off;
	uint16_t transport_off; /**< Of what proto says. */
	uint16_t payload_off;   /**< Of the payload of TCP or UDP; else transport_off. */
	uint32_t end; /**< Of the IP packet; behind it is padding of the link. */
};

/**
 * Finds the headers of the frame data[0..len), a bare IP packet if is_ip. Returns 0, or
 * -EBADMSG when a header does not fit the frame or its own lengths, or when there are more
 * extension headers than ip6_ext_walk follows.
 */
int layout_find(const uint8_t *data, size_t len, bool is_ip,
		struct layout *ret_layout) WEFT_MUST_CHECK;

#endif
