/* SPDX-License-Identifier: MIT */
/*
 * The records of a stream that comes in pieces, cut anywhere, put together again.
 *
 *     input: ..ord][record][rec    -->  | part of a record | what comes |   one buffer
 *                                          whole records are delivered, the part stays
 */
#ifndef TUNNEL_RECORDS_H
#define TUNNEL_RECORDS_H

#include <weft/frame.h>

#include <stddef.h>
#include <stdint.h>

struct records {
	uint8_t *buf; /**< NULL until it is needed. */
	size_t len;   /**< Bytes of a part of a record at its beginning. */
	uint64_t pings;
	uint64_t bad; /**< Whole records whose header is not true: passed over. */
};

/** A batch of packets; borrowed. */
typedef void records_fn(void *user, const struct weft_frame *packets, size_t n);

/**
 * Takes the next bytes of the stream and calls fn for the packets that are whole. Returns 0,
 * -EBADMSG where the stream has lost its place, or -ENOMEM: after both it is of no more use.
 */
int records_input(struct records *r, const uint8_t *data, size_t len, records_fn *fn,
		  void *user) WEFT_MUST_CHECK;

/** Another stream begins. */
void records_reset(struct records *r);

/** Gives memory back while there is no part of a record to keep. */
void records_trim(struct records *r);

void records_fini(struct records *r);

#endif
