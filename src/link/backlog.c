/* SPDX-License-Identifier: MIT */
/*
 * A ring of records. One that becomes empty starts at the front again, so that a peer that is
 * slow now and then stays within a few pages.
 */
#include "link/backlog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HDR_LEN sizeof(uint32_t)

/* In place of a length: the next record is at the front. */
#define WRAP UINT32_MAX

void backlog_init(struct backlog *b, size_t len)
{
	*b = (struct backlog){ .len = len / HDR_LEN * HDR_LEN };
}

void backlog_fini(struct backlog *b)
{
	free(b->block);
}

/* Bytes of a record; records stay aligned. */
static size_t record_len(size_t packet_len)
{
	return HDR_LEN + (packet_len + HDR_LEN - 1) / HDR_LEN * HDR_LEN;
}

static uint32_t mark_at(const struct backlog *b, size_t off)
{
	uint32_t mark;
	memcpy(&mark, b->block + off, sizeof(mark));
	return mark;
}

static void mark_set(struct backlog *b, size_t off, uint32_t mark)
{
	memcpy(b->block + off, &mark, sizeof(mark));
}

/* Where the record at off really begins. */
static size_t record_at(const struct backlog *b, size_t off)
{
	return off == b->len || mark_at(b, off) == WRAP ? 0 : off;
}

/* A place for needed bytes, or -ENOBUFS. */
static int backlog_place(struct backlog *b, size_t needed, size_t *ret_off)
{
	bool wrapped = b->n > 0 && b->tail <= b->head;
	size_t end = wrapped ? b->head : b->len;

	if (needed <= end - b->tail) {
		*ret_off = b->tail;
		return 0;
	}
	if (wrapped || needed > b->head)
		return -ENOBUFS;
	if (b->tail < b->len)
		mark_set(b, b->tail, WRAP);
	*ret_off = 0;
	return 0;
}

int backlog_push(struct backlog *b, struct backlog_packet prefix,
		 struct backlog_packet body)
{
	size_t packet_len = prefix.len + body.len;
	size_t off;

	if (packet_len >= WRAP)
		return -ENOBUFS;
	if (!b->block)
		b->block = malloc(b->len ? b->len : 1);
	if (!b->block)
		return -ENOMEM;
	int r = backlog_place(b, record_len(packet_len), &off);
	if (r < 0)
		return r;
	uint8_t *data = b->block + off + HDR_LEN;
	mark_set(b, off, (uint32_t)packet_len);
	if (prefix.len > 0)
		memcpy(data, prefix.data, prefix.len);
	if (body.len > 0)
		memcpy(data + prefix.len, body.data, body.len);
	b->tail = off + record_len(packet_len);
	b->n++;
	return 0;
}

size_t backlog_peek(const struct backlog *b, struct backlog_packet *ret_packets, size_t n)
{
	size_t off = b->head;

	if (n > b->n)
		n = b->n;
	for (size_t i = 0; i < n; i++) {
		off = record_at(b, off);
		ret_packets[i].data = b->block + off + HDR_LEN;
		ret_packets[i].len = mark_at(b, off);
		off += record_len(ret_packets[i].len);
	}
	return n;
}

void backlog_pop(struct backlog *b, size_t n)
{
	for (; n > 0 && b->n > 0; n--, b->n--) {
		b->head = record_at(b, b->head);
		b->head += record_len(mark_at(b, b->head));
	}
	if (b->n == 0)
		b->head = b->tail = 0;
}
