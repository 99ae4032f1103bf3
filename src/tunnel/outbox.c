/* SPDX-License-Identifier: MIT */
/*
 * Each packet is one block of memory with its record in it, so that putting out is copying.
 * Ages are looked at when something is pushed or put out: between the two nobody can tell.
 */
#include "tunnel/outbox.h"

#include "base/container.h"
#include "wire/tunnel.h"

#include <stdlib.h>
#include <string.h>

struct packet {
	struct list node;
	uint64_t since; /* when it was pushed */
	size_t len;
	uint8_t record[];
};

static struct packet *packet_of(struct list *node)
{
	return container_of(node, struct packet, node);
}

static void drop(struct outbox *q, struct packet *packet, uint64_t *counter)
{
	list_remove(&packet->node);
	q->len -= packet->len;
	(*counter)++;
	free(packet);
}

void outbox_init(struct outbox *q)
{
	*q = (struct outbox){ .len = 0 };
	list_init(&q->packets);
}

void outbox_fini(struct outbox *q)
{
	list_for_each (node, &q->packets) {
		list_remove(node);
		free(packet_of(node));
	}
	q->len = 0;
	q->head_off = 0;
}

/* They are in the order of their age: the first that is young enough ends it. */
static void drop_old(struct outbox *q, uint64_t now)
{
	struct list *head = list_first(&q->packets);
	while (head && head->next != &q->packets) {
		struct packet *next = packet_of(head->next);
		if (now - next->since <= OUTBOX_AGE_NS)
			return;
		drop(q, next, &q->dropped_old);
	}
}

bool outbox_push(struct outbox *q, const struct weft_frame *packet, uint64_t now)
{
	size_t len = TUNNEL_LEN + packet->len;
	drop_old(q, now);
	struct packet *copy =
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
	list_push_back(&q->packets, &copy->node);
	q->len += len;
	return true;
}

/* Returns how many bytes of the head went, and takes it off once all have. */
static size_t put_head(struct outbox *q, struct packet *head, uint8_t *buf, size_t len)
{
	size_t left = head->len - q->head_off;
	size_t n = len < left ? len : left;
	memcpy(buf, head->record + q->head_off, n);
	q->head_off += n;
	if (n < left)
		return n;
	list_remove(&head->node);
	q->len -= head->len;
	q->head_off = 0;
	free(head);
	return n;
}

size_t outbox_put(struct outbox *q, uint8_t *buf, size_t len, uint64_t now)
{
	struct list *head;
	size_t off = 0;
	drop_old(q, now);
	while (off < len && (head = list_first(&q->packets)))
		off += put_head(q, packet_of(head), buf + off, len - off);
	return off;
}

void outbox_cut(struct outbox *q)
{
	struct list *head = list_first(&q->packets);
	if (head && q->head_off > 0)
		drop(q, packet_of(head), &q->dropped_cut);
	q->head_off = 0;
}
