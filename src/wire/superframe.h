/* SPDX-License-Identifier: MIT */
/*
 * One super-frame in the making: what may be put at its end, and what its headers say when it
 * leaves. Which of several are made at a time, and when they leave, is coalesce.h's.
 *
 *     | eth | ip | tcp | payload of the first | of the next | ... | of the last |
 *     '--- as the first segment had it -------'
 */
#ifndef WIRE_SUPERFRAME_H
#define WIRE_SUPERFRAME_H

#include "wire/layout.h"

/** Most segments in one super-frame (UDP_GRO_CNT_MAX of Linux, and what its TAP takes). */
#define SUPERFRAME_SEGMENTS_MAX 64u

/** Longest IP packet, as its header can say it; the header is counted for IPv6, too. */
#define SUPERFRAME_IP_LEN_MAX 65535u

/** A frame of TCP or UDP, and where its parts lie. */
struct superframe_segment {
	const struct weft_frame *frame;
	const uint8_t *ip; /**< In the frame, as the next. */
	const uint8_t *transport;
	struct layout at;
	uint32_t payload_len;
};

struct superframe {
	struct layout at;
	struct weft_offload offload; /**< Of the first segment. */
	uint32_t addr_sum;           /**< Pseudo header without the length. */
	uint32_t len;                /**< Of the frame so far. */
	uint32_t count;              /**< Segments in it. */
	uint16_t gso_size;
	uint16_t next_id;
	uint32_t next_seq;
	uint8_t *buf; /**< WEFT_HEADROOM, then the frame. */
};

/** Memory for one, of 64 KiB; NULL if there is none. */
struct superframe *superframe_new(void);

/** NULL is allowed. */
void superframe_free(struct superframe *super);

/**
 * Begins it anew with a segment, of which no offload is left to do, and no byte lies behind the
 * payload. False if that is damaged: its checksum is wrong.
 */
bool superframe_begin(struct superframe *super, const struct superframe_segment *seg);

/** True if the segment may not overtake it: same addresses, protocol and ports. */
bool superframe_is_of_flow(const struct superframe *super,
			   const struct superframe_segment *seg);

/**
 * Puts a segment of its flow at its end; the same is asked of that as of the first. False, and
 * the super-frame as it was, if that is not what comes next in it, or is damaged.
 */
bool superframe_append(struct superframe *super, const struct superframe_segment *seg);

/** True if no segment can follow this one in a super-frame, whatever that holds. */
bool superframe_is_last(const struct superframe_segment *seg);

/** True if nothing can follow last, the segment that was put at its end just now. */
bool superframe_is_whole(const struct superframe *super,
			 const struct superframe_segment *last);

/** The frame that it has become, in its memory: of one segment, that segment as it came. */
struct weft_frame superframe_finish(const struct superframe *super);

#endif
