/* SPDX-License-Identifier: MIT */
/*
 * How control messages are framed on a stream: each is its length and its JSON text, one
 * behind the other.
 *
 *     0                                                             31
 *     +---------------------------------------------------------------+
 *     |              length of the body in bytes, 1..65536            |
 *     +---------------------------------------------------------------+
 *     |              body: one JSON object in UTF-8 ...
 *     +---------------------------------------------------------------+
 *     |              the next length ...
 *
 * Bytes arrive in pieces of any size. A frame that comes whole, which is the rule, is used
 * where it lies; only the pieces of one that does not are copied together. Memory grows with
 * what has arrived and not with what a length promises, and is given back with the frame.
 *
 *     control_reader_feed(&reader, data, len);
 *     while ((r = control_reader_next(&reader, &body)) > 0)
 *             ... use body ...
 */
#ifndef LAN_CONTROL_H
#define LAN_CONTROL_H

#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONTROL_HEAD_LEN 4u
#define CONTROL_BODY_MAX 65536u

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

/** Finds the frames of one stream. All zero: nothing has arrived. */
struct control_reader {
	struct control_body piece; /**< What was fed and not looked at yet. */
	uint8_t *buf;              /**< Start of a frame that is not complete. */
	size_t len, room;
	bool is_given; /**< The frame in buf is complete and was given out. */
};

/** Forgets what is kept. */
void control_reader_fini(struct control_reader *reader);

/** Hands over the next piece of the stream, borrowed until control_reader_next returns 0. */
void control_reader_feed(struct control_reader *reader, const uint8_t *data, size_t len);

/**
 * The next complete frame. Returns 1 and its body, borrowed until the next call; 0 when
 * there is none yet; or as control_find (the stream is of no use any more), or -ENOMEM.
 */
int control_reader_next(struct control_reader *reader,
			struct control_body *ret_body) WEFT_MUST_CHECK;

#endif
