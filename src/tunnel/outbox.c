/* SPDX-License-Identifier: MIT */
/*
 * Each packet is one block of memory with its record in it, so that putting out is copying.
 * Ages are looked at when something is pushed or put out: between the two nobody can tell.
 */
#include "tunnel/outbox.h"

#include "wire/tunnel.h"

#include <stdlib.h>
#include <string.h>

struct outbox_packet {
	struct outbox_packet *next;
	uint64_t since; /* when it was pushed */
	size_t len;
	uint8_t record[];
};

/* Takes the packet off that stands behind another, or, behind none, at the head. */
static void take_off(struct outbox *q, struct outbox_packet *before,
		     struct outbox_packet *packet)
{
	if (before)
		before->next = packet->next;
	else
		q->head = packet->next;
	if (q->tail == packet)
		q->tail = before;
	q->len -= packet->len;
	free(packet);
}

void outbox_fini(struct outbox *q)
{
	while (q->head)
		take_off(q, NULL, q->head);
	q->head_off = 0;
}

/* They are in the order of their age: the first that is young enough ends it. */
static void drop_old(struct outbox *q, uint64_t now)
{
	if (!q->head)
		return;
	while (q->head->next && now - q->head->next->since > OUTBOX_AGE_NS) {
		take_off(q, q->head, q->head->next);
		q->dropped_old++;
	}
}

bool outbox_push(struct outbox *q, const struct weft_frame *packet, uint64_t now)
{
	size_t len = TUNNEL_LEN + packet->len;
	drop_old(q, now);
	struct outbox_packet *copy =
		q->len + len <= OUTBOX_LEN_MAX ? malloc(sizeof(*copy) + len) : NULL;
	if (!copy) {
		q->dropped_full++;
		return false;
	}
	if (tunnel_emit(copy->record, len, packet) < 0) {
		q->dropped_length++;
		free(copy);
		return false;
	}
	copy->since = now;
	copy->len = len;
	copy->next = NULL;
	if (q->tail)
		q->tail->next = copy;
	else
		q->head = copy;
	q->tail = copy;
	q->len += len;
	return true;
}

/* Returns how many bytes of the head went, and takes it off once all have. */
static size_t put_head(struct outbox *q, uint8_t *buf, size_t len)
{
	size_t left = q->head->len - q->head_off;
	size_t n = len < left ? len : left;
	memcpy(buf, q->head->record + q->head_off, n);
	q->head_off += n;
	if (n < left)
		return n;
	q->head_off = 0;
	take_off(q, NULL, q->head);
	return n;
}

size_t outbox_put(struct outbox *q, uint8_t *buf, size_t len, uint64_t now)
{
	size_t off = 0;
	drop_old(q, now);
	while (off < len && q->head)
		off += put_head(q, buf + off, len - off);
	return off;
}

void outbox_cut(struct outbox *q)
{
	if (!q->head || q->head_off == 0)
		return;
	q->head_off = 0;
	take_off(q, NULL, q->head);
	q->dropped_cut++;
}
