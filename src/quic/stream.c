/* SPDX-License-Identifier: MIT */
/*
 * Streams carry control messages: few, small, seldom. Lists and malloc are good enough, and
 * STREAM_WAITING_MAX is what a peer that never acknowledges can cost.
 */
#include "quic/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct chunk {
	struct list node;
	size_t len;
	uint8_t data[];
};

static struct stream *stream_of(struct list *node)
{
	return container_of(node, struct stream, node);
}

static struct chunk *chunk_of(struct list *node)
{
	return container_of(node, struct chunk, node);
}

void streams_init(struct streams *all)
{
	list_init(&all->list);
	all->waiting = 0;
}

void streams_fini(struct streams *all)
{
	list_for_each (node, &all->list)
		stream_free(all, stream_of(node));
}

int stream_new(struct streams *all, struct stream **ret_stream)
{
	struct stream *s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	list_init(&s->chunks);
	list_push_back(&all->list, &s->node);
	*ret_stream = s;
	return 0;
}

static void drop_chunk(struct streams *all, struct stream *s, struct chunk *c)
{
	list_remove(&c->node);
	s->start += c->len;
	all->waiting -= c->len;
	free(c);
}

void stream_free(struct streams *all, struct stream *s)
{
	if (!s)
		return;
	list_for_each (node, &s->chunks)
		drop_chunk(all, s, chunk_of(node));
	list_remove(&s->node);
	free(s);
}

struct stream *stream_find(const struct streams *all, int64_t id)
{
	list_for_each (node, &all->list)
		if (stream_of(node)->id == id)
			return stream_of(node);
	return NULL;
}

int stream_append(struct streams *all, struct stream *s, const uint8_t *data, size_t len,
		  bool fin)
{
	if (s->has_fin)
		return -EPIPE;
	if (len > STREAM_WAITING_MAX - all->waiting)
		return -ENOBUFS;
	if (len > 0) {
		struct chunk *c = malloc(sizeof(*c) + len);
		if (!c)
			return -ENOMEM;
		c->len = len;
		memcpy(c->data, data, len);
		list_push_back(&s->chunks, &c->node);
		s->end += len;
		all->waiting += len;
	}
	s->has_fin = fin;
	return 0;
}

bool stream_is_ready(const struct stream *s)
{
	return !s->is_blocked && (s->sent < s->end || (s->has_fin && !s->fin_sent));
}

size_t stream_unsent(const struct stream *s, ngtcp2_vec *vecs, size_t n)
{
	size_t filled = 0;
	uint64_t offset = s->start;
	list_for_each (node, &s->chunks) {
		struct chunk *c = chunk_of(node);
		size_t skip = s->sent > offset ? (size_t)(s->sent - offset) : 0;
		offset += c->len;
		if (skip >= c->len)
			continue;
		if (filled == n)
			break;
		vecs[filled++] =
			(ngtcp2_vec){ .base = c->data + skip, .len = c->len - skip };
	}
	return filled;
}

void stream_on_sent(struct stream *s, size_t len)
{
	s->sent += len;
	s->fin_sent = s->has_fin && s->sent == s->end;
}

void stream_on_acked(struct streams *all, struct stream *s, uint64_t offset)
{
	list_for_each (node, &s->chunks) {
		if (s->start + chunk_of(node)->len > offset)
			return;
		drop_chunk(all, s, chunk_of(node));
	}
}

void stream_on_stop(struct stream *s)
{
	s->sent = s->end;
	s->has_fin = true;
	s->fin_sent = true;
}
