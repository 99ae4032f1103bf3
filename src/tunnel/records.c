/* SPDX-License-Identifier: MIT */
/*
 * The buffer is several records long, so that the part that has to be moved to its beginning
 * is small beside what has been delivered.
 */
#include "tunnel/records.h"

#include "wire/tunnel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUF_LEN ((size_t)4 * TUNNEL_RECORD_MAX)

/* Most frames that are delivered at once. */
#define BATCH 64u

struct batch {
	const struct records_sink *sink;
	struct weft_frame frames[BATCH];
	size_t n;
};

static void deliver(struct batch *batch)
{
	size_t n = batch->n;
	batch->n = 0;
	if (n > 0)
		batch->sink->frames(batch->sink->user, batch->frames, n);
}

/* In its order between the frames. */
static void deliver_control(struct batch *batch, const struct weft_frame *text)
{
	deliver(batch);
	batch->sink->control(batch->sink->user, (const char *)text->data, text->len);
}

/* What stands first, unless it is only a part: its length, 0 for a part, or -EBADMSG. */
static int take_unit(struct records *r, uint8_t *data, size_t len, struct batch *batch)
{
	struct tunnel_unit unit;
	switch (tunnel_decode(data, len, batch->sink->is_ip, &unit)) {
	case TUNNEL_MORE:
		return 0;
	case TUNNEL_FRAME:
		batch->frames[batch->n++] = unit.frame;
		break;
	case TUNNEL_CONTROL:
		deliver_control(batch, &unit.frame);
		break;
	case TUNNEL_PING:
		r->pings++;
		break;
	case TUNNEL_BAD:
		r->bad++;
		break;
	case TUNNEL_BROKEN:
		return -EBADMSG;
	}
	if (batch->n == BATCH)
		deliver(batch);
	return (int)unit.len;
}

/* Delivers what is whole and moves what is left to the beginning. */
static int take_whole(struct records *r, const struct records_sink *sink)
{
	struct batch batch = { .sink = sink };
	const uint32_t resets = r->resets;
	size_t off = 0;
	int len = 1;
	while (off < r->len && len > 0) {
		len = take_unit(r, r->buf + off, r->len - off, &batch);
		off += len > 0 ? (size_t)len : 0;
	}
	deliver(&batch);
	if (r->resets != resets)
		return 0;
	r->len -= off;
	memmove(r->buf, r->buf + off, r->len);
	return len < 0 ? len : 0;
}

int records_input(struct records *r, const uint8_t *data, size_t len,
		  const struct records_sink *sink)
{
	const uint32_t resets = r->resets;
	int status = 0;
	if (!r->buf)
		r->buf = malloc(BUF_LEN);
	if (!r->buf)
		return -ENOMEM;
	while (len > 0 && status == 0 && r->resets == resets) {
		size_t room = BUF_LEN - r->len;
		size_t n = len < room ? len : room;
		memcpy(r->buf + r->len, data, n);
		r->len += n;
		data += n;
		len -= n;
		status = take_whole(r, sink);
	}
	return status;
}

/* Whoever is in the middle of input sees by the number that its bytes are another's. */
void records_reset(struct records *r)
{
	r->len = 0;
	r->resets++;
}

void records_trim(struct records *r)
{
	if (r->len > 0)
		return;
	free(r->buf);
	r->buf = NULL;
}

void records_fini(struct records *r)
{
	r->len = 0;
	records_trim(r);
}
