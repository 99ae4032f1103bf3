/* SPDX-License-Identifier: MIT */
/*
 * A body in chunks (RFC 9112, 7.1), taken apart where it lies.
 *
 *     1000c;ext CR LF | 1000c bytes | CR LF | ... | 0 CR LF | trailers CR LF | CR LF
 *
 * Extensions and trailers are passed over.
 */
#ifndef HTTP_CHUNKS_H
#define HTTP_CHUNKS_H

#include <weft/frame.h>

#include <stddef.h>
#include <stdint.h>

/** Zero stands at the beginning of a body. */
struct chunks {
	enum chunks_state {
		CHUNKS_SIZE,
		CHUNKS_EXTENSION,
		CHUNKS_SIZE_END, /* LF is to come. */
		CHUNKS_BYTES,
		CHUNKS_BYTES_END, /* CR LF is to come, */
		CHUNKS_BYTES_LF,  /* or LF alone. */
		CHUNKS_LINE,      /* A trailer, or the empty line behind them, begins; */
		CHUNKS_LAST_LF,   /* that one has begun; */
		CHUNKS_TRAILER,   /* that was a trailer. */
		CHUNKS_END,
	} state;
	uint64_t left;   /**< Of the chunk's bytes; its size, while that is read. */
	unsigned digits; /**< Of its size. */
	unsigned passed; /**< Bytes of its extensions, or of the trailers. */
};

/** What stands next. */
struct chunks_part {
	size_t skip; /**< Bytes that are none of the body; */
	size_t len;  /**< behind them, bytes of the body. */
};

/**
 * Reads on in data. Returns 1 at the end of the body, 0 before it, or -EBADMSG for what are no
 * chunks. After 0, all of data has been used when ret_part ends there.
 */
int chunks_next(struct chunks *c, const uint8_t *data, size_t len,
		struct chunks_part *ret_part) WEFT_MUST_CHECK;

#endif
