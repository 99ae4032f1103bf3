/* SPDX-License-Identifier: MIT */
/*
 * PPP in HDLC-like framing over a byte stream (RFC 1662): what a modem carries.
 *
 *     +------+---------+---------+---------------------------+---------+------+
 *     | flag | address | control | PPP: protocol, information|   FCS   | flag |
 *     |  7E  |   FF    |   03    | ...                       | 16 bits |  7E  |
 *     +------+---------+---------+---------------------------+---------+------+
 *            |<------------- escaped: 7D, octet ^ 20 ------->|<------->|
 *
 * Escaped are 7E and 7D, always, and those octets below 20 whose bit is set in the async
 * control character map (ACCM) that the receiver asked for. A receiver takes an escaped
 * octet whatever it is. A flag may end one frame and begin the next.
 *
 * What this module gives and takes is the middle: protocol and information. Address and
 * control may be missing in what comes in (RFC 1662, 3.2: compressed).
 */
#ifndef WIRE_HDLC_H
#define WIRE_HDLC_H

#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HDLC_FLAG 0x7eu

/** Escape all control characters: until the receiver has asked for less (RFC 1662, 7.1). */
#define HDLC_ACCM_ALL UINT32_MAX

/** Longest content that is taken in, in bytes: an MRU of 1500 and room to spare. */
#define HDLC_CONTENT_MAX 2048u

/** Most bytes that a content of n bytes becomes: both flags, and each octet escaped. */
#define HDLC_ENCODED_MAX(n) (((n) + 4u) * 2u + 2u)

/** How what stands between two flags can end. Each is counted. */
enum hdlc_outcome {
	HDLC_TAKEN,         /**< A frame. */
	HDLC_DROP_ABORTED,  /**< The sender gave it up: 7D 7E (RFC 1662, 4.3). */
	HDLC_DROP_FCS,      /**< Damaged, or no frame at all. */
	HDLC_DROP_ADDRESS,  /**< Address FF without control 03. */
	HDLC_DROP_RUNT,     /**< No room for an FCS and an octet before it. */
	HDLC_DROP_TOO_LONG, /**< More than HDLC_CONTENT_MAX. */
	HDLC_OUTCOMES
};

/** "drop-fcs" and the like. */
const char *hdlc_outcome_name(enum hdlc_outcome outcome);

/** A frame under way. All zero: before the first flag, where everything is passed over. */
struct hdlc_decoder {
	bool begun;    /**< There has been a flag. */
	bool escaped;  /**< The last octet was 7D. */
	bool too_long; /**< What comes before the next flag does not count. */
	size_t len;    /**< Octets of buf, FCS included. */
	uint8_t buf[HDLC_CONTENT_MAX + 4];
	uint64_t counts[HDLC_OUTCOMES];
};

/** Content of one frame: protocol and information, in the decoder's buffer. */
struct hdlc_content {
	const uint8_t *data; /**< NULL where no frame has ended. */
	size_t len;
};

/**
 * Takes octets up to the end of a frame. Returns how many it took, which is len when no
 * frame has ended; ret_content is valid until the next call.
 */
size_t hdlc_decode(struct hdlc_decoder *d, const uint8_t *data, size_t len,
		   struct hdlc_content *ret_content);

/**
 * Writes a whole frame, both flags included. accm is the receiver's. Returns its length, or
 * -ENOBUFS.
 */
int hdlc_emit(uint8_t *buf, size_t len, const struct hdlc_content *content,
	      uint32_t accm) WEFT_MUST_CHECK;

/** FCS-16 of RFC 1662, C.2, as a number whose lower octet is sent first. */
uint16_t hdlc_fcs(const uint8_t *data, size_t len);

#endif
