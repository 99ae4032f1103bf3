/* SPDX-License-Identifier: MIT */
/*
 * How a control message is framed on a QUIC stream: its length, then its JSON text.
 *
 *     0                                                             31
 *     +---------------------------------------------------------------+
 *     |              length of the body in bytes, 1..65536            |
 *     +---------------------------------------------------------------+
 *     |              body: one JSON object in UTF-8 ...
 *
 * A stream carries one frame in each direction and ends with it (fin). Bytes of it arrive in
 * pieces of any size: a frame that comes whole, which is the rule, is used where it lies; only
 * the pieces of one that does not are copied together. Memory grows with what has arrived and
 * not with what a length promises.
 */
#ifndef LAN_CONTROL_H
#define LAN_CONTROL_H

#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONTROL_HEAD_LEN 4u
#define CONTROL_BODY_MAX 65536u

/** What may arrive of one stream: a frame and nothing else. */
#define CONTROL_FRAME_MAX (CONTROL_HEAD_LEN + CONTROL_BODY_MAX)

/** A body, borrowed from where the frame lies. */
struct control_body {
	const uint8_t *data;
	size_t len;
};

/**
 * Looks for one frame at the start of data. Returns its whole length, 0 while more bytes are
 * needed, -EBADMSG for an empty body, or -EMSGSIZE for one longer than CONTROL_BODY_MAX.
 */
int control_find(const uint8_t *data, size_t len,
		 struct control_body *ret_body) WEFT_MUST_CHECK;

/** Writes the head of a frame whose body is body_len bytes, 1..CONTROL_BODY_MAX. */
void control_emit_head(uint8_t head[CONTROL_HEAD_LEN], size_t body_len);

/** Puts the pieces of one stream together. All zero: nothing has arrived. */
struct control_reader {
	uint8_t *buf; /**< NULL while nothing is kept. */
	size_t len, room;
	bool is_done; /**< The frame has been given out; nothing may follow. */
};

/** Forgets what is kept, and may be used for another stream then. */
void control_reader_fini(struct control_reader *reader);

/**
 * Takes the next bytes of a stream; fin says that they are its last. Returns 1 and the body
 * when the frame is complete (borrowed from data or the reader, until either changes), 0
 * while it is not or when the stream ends as it should, or
 *   -EBADMSG  an empty body, a stream that ends inside its frame, or bytes behind the frame
 *   -EMSGSIZE a length above CONTROL_BODY_MAX
 *   -ENOMEM
 */
int control_reader_feed(struct control_reader *reader, const struct control_body *piece,
			bool fin, struct control_body *ret_body) WEFT_MUST_CHECK;

#endif
