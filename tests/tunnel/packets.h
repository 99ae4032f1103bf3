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

/**
 * An IPv4 packet of a flow (its addresses), with its number behind the header. ecn: the two bits.
 * len is 28 at least.
 */
static inline struct weft_frame packet_of_flow(uint8_t *buf, uint32_t len, uint16_t flow,
					       uint32_t number, uint8_t ecn)
{
	const uint8_t head[20] = { 0x45,
				   ecn,
				   (uint8_t)(len >> 8),
				   (uint8_t)len,
				   0,
				   0,
				   0,
				   0,
				   64,
				   253,
				   0,
				   0,
				   10,
				   0,
				   (uint8_t)(flow >> 8),
				   (uint8_t)flow,
				   10,
				   1,
				   0,
				   1 };
	memcpy(buf, head, sizeof(head));
	memcpy(buf + 20, &number, sizeof(number));
	return (struct weft_frame){ .data = buf, .len = len };
}

static inline uint16_t packet_flow(const uint8_t *packet)
{
	return (uint16_t)(packet[14] << 8 | packet[15]);
}

static inline uint32_t packet_number(const uint8_t *packet)
{
	uint32_t number;
	memcpy(&number, packet + 20, sizeof(number));
	return number;
}

#endif
