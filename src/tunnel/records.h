/* SPDX-License-Identifier: MIT */
/*
 * The records of a stream that comes in pieces, cut anywhere, put together again.
 *
 *     input: ..ord][record][record][rec
 *            |     '---- where they lie ----> delivered
 *            '-> | part of a record | -'      one buffer, for what the ends of inputs cut
 */
#ifndef TUNNEL_RECORDS_H
#define TUNNEL_RECORDS_H

#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct records {
	uint8_t *buf; /**< A record's length, or NULL until it is needed. */
	size_t len;   /**< Bytes of a part of a record in it. */
	uint32_t resets;
	uint64_t pings;
	uint64_t bad; /**< Whole records whose header is not true: passed over. */
};

/** Who gets what is whole; borrowed. The heads of records are the frames' headroom. */
struct records_sink {
	bool is_ip; /**< Packets, not Ethernet frames. */
	void (*frames)(void *user, const struct weft_frame *frames, size_t n);
	void (*control)(void *user, const char *text, size_t len);
	void *user;
};

/**
 * Takes the next bytes of the stream and tells the sink, in order, what is whole. The sink may
 * reset the records, and then hears nothing more of these bytes; it must not trim or end them.
 * Returns 0, -EBADMSG where the stream has lost its place, or -ENOMEM: after both it is of no
 * more use.
 */
int records_input(struct records *r, uint8_t *data, size_t len,
		  const struct records_sink *sink) WEFT_MUST_CHECK;

/** Another stream begins. */
void records_reset(struct records *r);

/** Gives memory back while there is no part of a record to keep. */
void records_trim(struct records *r);

void records_fini(struct records *r);

#endif
