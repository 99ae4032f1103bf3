/* SPDX-License-Identifier: MIT */
/*
 * The reader never looks at a byte twice: while a frame is incomplete its pieces are appended
 * to a buffer that doubles, so the cost of a frame is linear in its length however it is cut.
 */
#include "lan/control.h"

#include "wire/cursor.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Longer than nearly every message, so that a buffer is seldom grown. */
#define ROOM_FIRST 512u

int control_find(const uint8_t *data, size_t len, struct control_body *ret_body)
{
	struct reader r = reader_of(data, len);
	size_t body_len = reader_u32(&r);
	if (r.bad)
		return 0;
	if (body_len == 0)
		return -EBADMSG;
	if (body_len > CONTROL_BODY_MAX)
		return -EMSGSIZE;
	const uint8_t *body = reader_bytes(&r, body_len);
	if (!body)
		return 0;
	*ret_body = (struct control_body){ .data = body, .len = body_len };
	return (int)(CONTROL_HEAD_LEN + body_len);
}

void control_emit_head(uint8_t head[CONTROL_HEAD_LEN], size_t body_len)
{
	assert(body_len > 0 && body_len <= CONTROL_BODY_MAX);
	store_be32(head, (uint32_t)body_len);
}

static void buf_free(struct control_reader *reader)
{
	free(reader->buf);
	reader->buf = NULL;
	reader->len = 0;
	reader->room = 0;
	reader->is_given = false;
}

void control_reader_fini(struct control_reader *reader)
{
	buf_free(reader);
	reader->piece = (struct control_body){ .data = NULL };
}

void control_reader_feed(struct control_reader *reader, const uint8_t *data, size_t len)
{
	assert(reader->piece.len == 0);
	reader->piece = (struct control_body){ .data = data, .len = len };
}

/* Moves up to n bytes from the piece to the buffer. */
static int keep(struct control_reader *reader, size_t n)
{
	size_t room = reader->room ? reader->room : ROOM_FIRST;
	if (n > reader->piece.len)
		n = reader->piece.len;
	if (n == 0)
		return 0;
	while (room < reader->len + n)
		room *= 2;
	if (room > reader->room) {
		uint8_t *buf = realloc(reader->buf, room);
		if (!buf)
			return -ENOMEM;
		reader->buf = buf;
		reader->room = room;
	}
	memcpy(reader->buf + reader->len, reader->piece.data, n);
	reader->len += n;
	reader->piece.data += n;
	reader->piece.len -= n;
	return 0;
}

/* How many bytes the frame that is being kept lacks; of its head first. */
static int lacks(const struct control_reader *reader, size_t *ret_n)
{
	struct control_body body;
	if (reader->len < CONTROL_HEAD_LEN) {
		*ret_n = CONTROL_HEAD_LEN - reader->len;
		return 0;
	}
	int r = control_find(reader->buf, reader->len, &body);
	if (r < 0)
		return r;
	*ret_n = r > 0 ? 0 : CONTROL_HEAD_LEN + load_be32(reader->buf) - reader->len;
	return 0;
}

/* Goes on with a frame whose start is in the buffer. */
static int next_kept(struct control_reader *reader, struct control_body *ret_body)
{
	size_t n;
	int r = lacks(reader, &n);
	while (r == 0 && n > 0 && reader->piece.len > 0) {
		r = keep(reader, n);
		if (r == 0)
			r = lacks(reader, &n);
	}
	if (r < 0 || n > 0)
		return r;
	reader->is_given = true;
	*ret_body = (struct control_body){ .data = reader->buf + CONTROL_HEAD_LEN,
					   .len = reader->len - CONTROL_HEAD_LEN };
	return 1;
}

int control_reader_next(struct control_reader *reader, struct control_body *ret_body)
{
	if (reader->is_given)
		buf_free(reader);
	if (reader->len > 0)
		return next_kept(reader, ret_body);
	int used = control_find(reader->piece.data, reader->piece.len, ret_body);
	if (used <= 0)
		return used < 0 ? used : keep(reader, reader->piece.len);
	reader->piece.data += used;
	reader->piece.len -= (size_t)used;
	return 1;
}
