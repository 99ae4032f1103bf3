/* SPDX-License-Identifier: MIT */
/*
 * Two links in memory, back to back. Each end owns the queue of what is on its way to it:
 *
 *      a.send --> [ | | | ] queue of b --> b.run --> receiver of b
 *
 * A slot of a queue keeps its buffer, which grows to the longest frame that it has held: in
 * the steady state nothing is allocated. Frames stay in their slots while the receiver has
 * them, so that it may send into either end meanwhile.
 */
#include "link/link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct slot {
	struct weft_frame frame;
	uint8_t *buf;
	size_t buf_len;
};

struct pair_end {
	struct weft_link link;
	struct pair_end *peer; /* NULL once it is freed. */
	struct slot *slots;
	size_t slots_len;
	size_t head;  /* The oldest frame. */
	size_t count; /* Frames in the queue. */
};

static struct pair_end *pair_end(struct weft_link *link)
{
	return (struct pair_end *)(void *)link;
}

static int slot_fill(struct slot *slot, const struct weft_frame *frame)
{
	size_t needed = WEFT_HEADROOM + (size_t)frame->len;
	if (slot->buf_len < needed) {
		uint8_t *buf = realloc(slot->buf, needed);
		if (!buf)
			return -ENOMEM;
		slot->buf = buf;
		slot->buf_len = needed;
	}
	slot->frame = *frame;
	slot->frame.data = slot->buf + WEFT_HEADROOM;
	slot->frame.headroom = WEFT_HEADROOM;
	if (frame->len > 0)
		memcpy(slot->frame.data, frame->data, frame->len);
	return 0;
}

static int pair_push(struct pair_end *end, const struct weft_frame *frame)
{
	if (end->count == end->slots_len)
		return -ENOBUFS;
	int r = slot_fill(&end->slots[(end->head + end->count) % end->slots_len], frame);
	if (r == 0)
		end->count++;
	return r;
}

static size_t pair_send(struct weft_link *link, const struct weft_frame *frames, size_t n,
			uint64_t now)
{
	struct pair_end *peer = pair_end(link)->peer;
	(void)now;
	for (size_t i = 0; i < n; i++) {
		if (!peer || pair_push(peer, &frames[i]) < 0)
			return i;
	}
	return n;
}

static void pair_run(struct weft_link *link, uint64_t now)
{
	struct pair_end *end = pair_end(link);
	struct weft_frame frames[LINK_BATCH];
	size_t n = end->count < LINK_BATCH ? end->count : LINK_BATCH;

	for (size_t i = 0; i < n; i++)
		frames[i] = end->slots[(end->head + i) % end->slots_len].frame;
	link_deliver(link, frames, n, now);
	end->head = (end->head + n) % end->slots_len;
	end->count -= n;
	if (!end->peer && end->count == 0)
		link_set_down(link);
}

static uint64_t pair_deadline(const struct weft_link *link)
{
	const struct pair_end *end = (const struct pair_end *)(const void *)link;
	bool has_ended = !end->peer && !link->is_down;
	return end->count > 0 || has_ended ? 0 : WEFT_NEVER;
}

static void pair_free(struct weft_link *link)
{
	struct pair_end *end = pair_end(link);
	if (end->peer)
		end->peer->peer = NULL;
	link_fini(link);
	for (size_t i = 0; end->slots && i < end->slots_len; i++)
		free(end->slots[i].buf);
	free(end->slots);
	free(end);
}

static const struct link_ops pair_ops = {
	.run = pair_run,
	.deadline = pair_deadline,
	.send = pair_send,
	.free = pair_free,
};

static struct pair_end *pair_end_new(unsigned queue_len, unsigned kind, const char *name)
{
	const struct weft_link_caps caps = {
		.flags = kind | WEFT_LINK_CSUM | WEFT_LINK_TSO4 | WEFT_LINK_TSO6 |
			 WEFT_LINK_USO,
		.frame_len_max = WEFT_FRAME_LEN_MAX,
	};
	struct pair_end *end = calloc(1, sizeof(*end));
	if (!end)
		return NULL;
	link_init(&end->link, &pair_ops, name, -1, caps);
	end->slots_len = queue_len;
	end->slots = calloc(queue_len, sizeof(*end->slots));
	if (!end->slots) {
		pair_free(&end->link);
		return NULL;
	}
	return end;
}

/* kind: WEFT_LINK_IP, or 0 for Ethernet. */
static int pair_new(unsigned queue_len, unsigned kind, struct weft_link **ret_a,
		    struct weft_link **ret_b)
{
	if (queue_len == 0)
		return -EINVAL;
	struct pair_end *a = pair_end_new(queue_len, kind, "pair-a");
	struct pair_end *b = pair_end_new(queue_len, kind, "pair-b");
	if (!a || !b) {
		weft_link_free(a ? &a->link : NULL);
		weft_link_free(b ? &b->link : NULL);
		return -ENOMEM;
	}
	a->peer = b;
	b->peer = a;
	*ret_a = &a->link;
	*ret_b = &b->link;
	return 0;
}

int weft_link_pair(unsigned queue_len, struct weft_link **ret_a, struct weft_link **ret_b)
{
	return pair_new(queue_len, 0, ret_a, ret_b);
}

int weft_link_ip_pair(unsigned queue_len, struct weft_link **ret_a,
		      struct weft_link **ret_b)
{
	return pair_new(queue_len, WEFT_LINK_IP, ret_a, ret_b);
}
