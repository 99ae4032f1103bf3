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

void control_reader_fini(struct control_reader *reader)
{
	free(reader->buf);
	*reader = (struct control_reader){ 0 };
}

static int append(struct control_reader *reader, const struct control_body *piece)
{
	if (piece->len > CONTROL_FRAME_MAX - reader->len)
		return -EMSGSIZE;
	size_t room = reader->room ? reader->room : ROOM_FIRST;
	while (room < reader->len + piece->len)
		room *= 2;
	if (room > reader->room) {
		uint8_t *buf = realloc(reader->buf, room);
		if (!buf)
			return -ENOMEM;
		reader->buf = buf;
		reader->room = room;
	}
	memcpy(reader->buf + reader->len, piece->data, piece->len);
	reader->len += piece->len;
	return 0;
}

int control_reader_feed(struct control_reader *reader, const struct control_body *piece,
			bool fin, struct control_body *ret_body)
{
	struct control_body all = *piece;
	if (reader->is_done)
		return piece->len > 0 ? -EBADMSG : 0;
	if (reader->len > 0 && piece->len > 0) {
		int r = append(reader, piece);
		if (r < 0)
			return r;
	}
	if (reader->len > 0)
		all = (struct control_body){ .data = reader->buf, .len = reader->len };

	struct control_body body;
	int used = control_find(all.data, all.len, &body);
	if (used < 0)
		return used;
	if (used == 0) {
		if (fin)
			return -EBADMSG;
		return reader->len > 0 || piece->len == 0 ? 0 : append(reader, piece);
	}
	if ((size_t)used != all.len)
		return -EBADMSG;
	reader->is_done = true;
	*ret_body = body;
	return 1;
}
