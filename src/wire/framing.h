/* SPDX-License-Identifier: MIT */
/*
 * How frames follow each other in a stream of bytes: what local sockets speak.
 *
 *     | length | frame         | length | frame   ...      a length in front
 *     | frame         | frame  | frame  ...                bare: sized by its own headers
 *
 * A framing looks at the bytes at hand and says what stands first: a whole frame, the
 * beginning of one, or something to be passed over. It never copies and never waits. A
 * length that is too long for us is passed over byte for byte, so that what follows is
 * understood; one that no peer who speaks this dialect would send ends the stream.
 *
 * To send, a framing writes a header in front of a frame; bare frames have none.
 */
#ifndef WIRE_FRAMING_H
#define WIRE_FRAMING_H

#include <weft/frame.h>

#include <stddef.h>
#include <stdint.h>

/** Longest header that a framing puts in front of a frame. */
#define FRAMING_HDR_MAX 8u

enum framing_outcome {
	FRAMING_MORE,   /**< The unit goes on behind what is at hand. */
	FRAMING_FRAME,  /**< A whole frame. */
	FRAMING_PAD,    /**< Bytes that mean nothing; they are passed over. */
	FRAMING_BAD,    /**< No frame for us: passed over and counted. */
	FRAMING_BROKEN, /**< Nothing from here on can be made sense of; why says so. */
};

/** What stands first in a stream. */
struct framing_unit {
	size_t len; /**< Of the unit in bytes. Of FRAMING_BAD it may be more than is at hand. */
	size_t frame_off; /**< Where in the unit the frame begins. */
	uint32_t frame_len;
};

struct framing;

struct framing_ops {
	/** Bytes in front of each frame that is sent, at most FRAMING_HDR_MAX. */
	uint32_t hdr_len;
	/**
	 * Looks at data[0..len), len >= 1. Writes ret_unit unless it returns FRAMING_MORE or
	 * FRAMING_BROKEN. May change the bytes of a unit that it returns (to unescape).
	 */
	enum framing_outcome (*decode)(struct framing *f, uint8_t *data, size_t len,
				       struct framing_unit *ret_unit);
	/** Writes the header of a frame of len bytes; NULL where hdr_len is 0. */
	void (*encode)(uint8_t *hdr, uint32_t len);
};

/** One stream's framing. Filled in by framing_of and the like, then changed by decode. */
struct framing {
	const struct framing_ops *ops;
	uint32_t frame_len_min; /**< Shorter ones are FRAMING_BAD. */
	uint32_t frame_len_max; /**< And longer ones; at most WEFT_FRAME_LEN_MAX. */
	uint32_t pad_max;       /**< Bare: padding that may follow the last frame. */
	char why[160];          /**< Of FRAMING_BROKEN: a sentence for people. */
};

/** u16 little-endian length: tapserver, Dolphin, VPNKit, gvproxy. */
extern const struct framing_ops framing_u16_le;
/** u16 big-endian length: vde_plug. */
extern const struct framing_ops framing_u16_be;
/** u32 big-endian length: QEMU, passt, socket_vmnet, libkrun. */
extern const struct framing_ops framing_u32_be;
/** Nothing between the frames (wire/frame_size.h): tapserver without --use-framed-protocol. */
extern const struct framing_ops framing_bare;

/** A framing for Ethernet frames of at most frame_len_max bytes. */
static inline struct framing framing_of(const struct framing_ops *ops,
					uint32_t frame_len_max)
{
	return (struct framing){
		.ops = ops,
		.frame_len_min = 14,
		.frame_len_max = frame_len_max,
	};
}

/** What stands first in data[0..len), len >= 1. */
static inline enum framing_outcome framing_decode(struct framing *f, uint8_t *data,
						  size_t len,
						  struct framing_unit *ret_unit)
{
	return f->ops->decode(f, data, len, ret_unit);
}

#endif
