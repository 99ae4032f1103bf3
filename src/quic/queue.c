/* SPDX-License-Identifier: MIT */
/*
 * Both lists are in order of arrival, so the oldest of each is at its head and ageing never
 * looks further than the first that is young enough.
 */
#include "quic/queue.h"

#include <errno.h>
#include <string.h>

void queue_init(struct datagram_queue *q, struct pool *pool)
{
	*q = (struct datagram_queue){ .pool = pool };
	list_init(&q->small);
	list_init(&q->large);
}

static struct queued *queued_of(struct list *node)
{
	return node ? container_of(node, struct queued, node) : NULL;
}

void queue_pop(struct datagram_queue *q, struct queued *d)
{
	list_remove(&d->node);
	pool_put(q->pool, d);
	q->count--;
}

void queue_clear(struct datagram_queue *q)
{
	struct queued *d;
	while ((d = queue_front(q)))
		queue_pop(q, d);
}

static bool has_place(const struct datagram_queue *q, bool goes_first)
{
	const struct pool *pool = q->pool;
	const size_t kept = goes_first ? 0 : pool->blocks_max / QUIC_QUEUE_KEPT;
	return q->count < QUIC_QUEUE_MAX && pool->in_use + kept < pool->blocks_max;
}

/* A small one takes the place of the oldest large one, if there is no other. */
static struct queued *get_block(struct datagram_queue *q, bool goes_first)
{
	struct list *large = list_first(&q->large);
	if (!has_place(q, goes_first)) {
		if (!goes_first || !large)
			return NULL;
		queue_pop(q, queued_of(large));
		q->drop_full++;
	}
	return pool_get(q->pool);
}

int queue_push(struct datagram_queue *q, const struct quic_datagram *datagram,
	       uint64_t now, uint64_t turn)
{
	const size_t len = datagram->head_len + datagram->body_len;
	const bool goes_first =
		datagram->body_len <= QUIC_SMALL_LEN && !datagram->in_order;
	struct queued *d = get_block(q, goes_first);
	if (!d) {
		q->drop_full++;
		return -ENOBUFS;
	}
	d->since = now;
	d->turn = turn;
	d->len = len;
	d->goes_first = goes_first;
	if (datagram->head_len > 0)
		memcpy(d->data, datagram->head, datagram->head_len);
	if (datagram->body_len > 0)
		memcpy(d->data + datagram->head_len, datagram->body, datagram->body_len);
	list_push_back(goes_first ? &q->small : &q->large, &d->node);
	q->count++;
	return 0;
}

static void age_list(struct datagram_queue *q, struct list *head, uint64_t now,
		     uint64_t turn)
{
	struct queued *d;
	while ((d = queued_of(list_first(head))) && d->turn < turn &&
	       now - d->since > QUIC_QUEUE_NS) {
		queue_pop(q, d);
		q->drop_old++;
	}
}

void queue_age(struct datagram_queue *q, uint64_t now, uint64_t turn)
{
	if (q->count == 0)
		return;
	age_list(q, &q->small, now, turn);
	age_list(q, &q->large, now, turn);
}

struct queued *queue_front(const struct datagram_queue *q)
{
	struct list *node = list_first(&q->small);
	return queued_of(node ? node : list_first(&q->large));
}

struct queued *queue_second(const struct datagram_queue *q)
{
	struct list *node = list_first(&q->small);
	if (!node)
		node = list_first(&q->large);
	else if (node->next == &q->small)
		return queued_of(list_first(&q->large));
	if (!node || node->next == &q->large)
		return NULL;
	return queued_of(node->next);
}
