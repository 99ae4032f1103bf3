/* SPDX-License-Identifier: MIT */
/*
 * Records are delivered where they lie in the bytes that have come. Only one that is cut by
 * their end is copied: into the buffer, and what it lacks behind it with the next bytes.
 */
#include "tunnel/records.h"

#include "wire/tunnel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Most frames that are delivered at once. */
#define BATCH 64u

struct batch {
	const struct records_sink *sink;
	uint32_t resets; /* Of the records, when it began. */
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

static bool was_reset(const struct records *r, const struct batch *batch)
{
	return r->resets != batch->resets;
}

/*
 * What was kept gets what it lacks from the beginning of data, and is taken once it is whole.
 * Returns how much of data went there, all of it where it is still a part, or -EBADMSG.
 */
static int take_kept(struct records *r, const uint8_t *data, size_t len,
		     struct batch *batch)
{
	size_t used = 0;
	int unit_len = 0;
	while (unit_len == 0 && used < len) {
		struct tunnel_unit unit;
		(void)tunnel_decode(r->buf, r->len, batch->sink->is_ip, &unit);
		const size_t lacks = unit.len - r->len;
		const size_t n = lacks < len - used ? lacks : len - used;
		memcpy(r->buf + r->len, data + used, n);
		r->len += n;
		used += n;
		unit_len = take_unit(r, r->buf, r->len, batch);
	}
	if (unit_len > 0)
		r->len = 0;
	return unit_len < 0 ? unit_len : (int)used;
}

/* Takes what is whole where it lies. Returns how much that is, or -EBADMSG. */
static int take_whole(struct records *r, uint8_t *data, size_t len, struct batch *batch)
{
	size_t off = 0;
	int unit_len = 1;
	while (off < len && unit_len > 0 && !was_reset(r, batch)) {
		unit_len = take_unit(r, data + off, len - off, batch);
		off += unit_len > 0 ? (size_t)unit_len : 0;
	}
	return unit_len < 0 ? unit_len : (int)off;
}

static int keep(struct records *r, const uint8_t *data, size_t len)
{
	if (len == 0)
		return 0;
	if (!r->buf)
		r->buf = malloc(TUNNEL_RECORD_MAX);
	if (!r->buf)
		return -ENOMEM;
	memcpy(r->buf + r->len, data, len);
	r->len += len;
	return 0;
}

int records_input(struct records *r, uint8_t *data, size_t len,
		  const struct records_sink *sink)
{
	struct batch batch = { .sink = sink, .resets = r->resets };
	int kept = r->len > 0 ? take_kept(r, data, len, &batch) : 0;
	size_t off = kept > 0 ? (size_t)kept : 0;
	int whole = kept < 0 ? kept : take_whole(r, data + off, len - off, &batch);
	deliver(&batch);
	if (was_reset(r, &batch))
		return 0;
	if (whole < 0)
		return whole;
	off += (size_t)whole;
	return keep(r, data + off, len - off);
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
