/* SPDX-License-Identifier: MIT */
/*
 * Packets for tests: bytes behind an IPv4 version nibble, that tell one from the other.
 */
#ifndef TESTS_TUNNEL_PACKETS_H
#define TESTS_TUNNEL_PACKETS_H

#include <weft/frame.h>

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MS UINT64_C(1000000)
#define S  UINT64_C(1000000000)

/** A packet of len bytes that begins with 0x45 and is filled with its number. */
static inline struct weft_frame packet_make(uint8_t *buf, uint32_t len, uint8_t number)
{
	memset(buf, number, len);
	buf[0] = 0x45;
	return (struct weft_frame){ .data = buf, .len = len };
}

#endif
