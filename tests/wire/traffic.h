/* SPDX-License-Identifier: MIT */
/*
 * Frames for tests: TCP segments and UDP datagrams, whole or as super-frames, described by
 * a few fields. Their checksums are made by the plainest code there is, two bytes at a time,
 * so that what is under test is never its own judge.
 */
#ifndef TESTS_WIRE_TRAFFIC_H
#define TESTS_WIRE_TRAFFIC_H

#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Large enough for any frame with its headroom. */
#define TRAFFIC_BUF_LEN (WEFT_HEADROOM + WEFT_FRAME_LEN_MAX)

/** One frame. All zero: an empty TCP segment over IPv4 in untagged Ethernet. */
struct traffic {
	bool is_ip;      /**< No Ethernet header. */
	bool is_udp;     /**< Instead of TCP. */
	bool is_ip6;     /**< Instead of IPv4. */
	unsigned tags_n; /**< VLAN tags, 0..2. */
	uint8_t ext_len; /**< IPv6 destination options in bytes, a multiple of 8. */

	uint8_t tos; /**< Or traffic class. */
	uint8_t ttl; /**< Or hop limit. */
	uint16_t id;
	bool df;
	uint32_t flow_label;

	uint8_t host; /**< Last byte of the source address. */
	uint16_t sport;
	uint32_t seq, ack;
	uint16_t flags, window, urgent;
	uint8_t options_len; /**< Of TCP, in bytes, a multiple of 4. */
	uint8_t options_fill;

	uint32_t payload_at; /**< Which part of the endless payload begins here. */
	uint32_t payload_len;
	/** Not 0: a super-frame, with its checksum still to be made. */
	uint16_t gso_size;
};

/** Byte of the endless payload at a place: looks random, is always the same. */
uint8_t traffic_byte(uint32_t at);

/** Makes the frame in buf, behind headroom. */
struct weft_frame traffic_frame(const struct traffic *t, uint8_t buf[TRAFFIC_BUF_LEN]);

/** Segment i of the super-frame that t describes, as the standards want it. */
struct traffic traffic_segment(const struct traffic *t, uint32_t i);

/** How many segments that super-frame has. */
uint32_t traffic_segments(const struct traffic *t);

/** Any frame at all, from a seed that it moves on; at most one super-frame long. */
struct traffic traffic_random(uint64_t *seed);

/** A number below n from a seed that it moves on. */
uint32_t traffic_below(uint64_t *seed, uint32_t n);

/** The Internet checksum, not complemented, added to sum; plain. */
uint16_t traffic_sum(uint16_t sum, const uint8_t *data, size_t len);

#endif
