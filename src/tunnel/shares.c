/* SPDX-License-Identifier: MIT */
/*
 * A heap has the holder with most entries first. A holder is there for as long as it has entries;
 * after other numbers were given it is not found by its own any more.
 */
#include "tunnel/shares.h"

#include "base/table.h"

#include <errno.h>
#include <stdlib.h>

struct holder {
	struct heap_node rank;
	struct list brief, lasting;
	size_t n;
	uint32_t party;
	bool has_number; /* It is in the table by that. */
};

struct shares {
	struct table *holders;
	struct heap most;
};

int shares_new(size_t parties_max, const uint8_t secret[16], struct shares **ret_shares)
{
	struct shares *s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	if (table_new(sizeof(uint32_t), parties_max, secret, &s->holders) < 0) {
		free(s);
		return -ENOMEM;
	}
	*ret_shares = s;
	return 0;
}

void shares_free(struct shares *s)
{
	struct heap_node *node;
	if (!s)
		return;
	while ((node = heap_min(&s->most))) {
		heap_remove(&s->most, node);
		free(container_of(node, struct holder, rank));
	}
	heap_fini(&s->most);
	table_free(s->holders);
	free(s);
}

/* The earliest is who has most. */
static uint64_t rank_of(const struct holder *h)
{
	return UINT64_MAX - h->n;
}

static void holder_free(struct shares *s, struct holder *h)
{
	if (h->has_number)
		(void)table_remove(s->holders, &h->party);
	heap_remove(&s->most, &h->rank);
	free(h);
}

static int holder_new(struct shares *s, uint32_t party, struct holder **ret_holder)
{
	struct holder *h = calloc(1, sizeof(*h));
	if (!h)
		return -ENOMEM;
	list_init(&h->brief);
	list_init(&h->lasting);
	h->party = party;
	h->rank.deadline = rank_of(h);
	int r = heap_insert(&s->most, &h->rank);
	if (r == 0)
		r = table_set(s->holders, &party, h);
	if (r < 0) {
		holder_free(s, h);
		return r;
	}
	h->has_number = true;
	*ret_holder = h;
	return 0;
}

static void set_n(struct shares *s, struct holder *h, size_t n)
{
	h->n = n;
	heap_change(&s->most, &h->rank, rank_of(h));
}

int shares_add(struct shares *s, struct share *share, uint32_t party)
{
	struct holder *h = table_get(s->holders, &party);
	int r = h ? 0 : holder_new(s, party, &h);
	if (r < 0)
		return r;
	set_n(s, h, h->n + 1);
	share->holder = h;
	list_init(&share->node);
	share_touch(share, false);
	return 0;
}

void shares_remove(struct shares *s, struct share *share)
{
	struct holder *h = share->holder;
	if (!h)
		return;
	list_remove(&share->node);
	share->holder = NULL;
	set_n(s, h, h->n - 1);
	if (h->n == 0)
		holder_free(s, h);
}

void share_touch(struct share *share, bool is_lasting)
{
	struct holder *h = share->holder;
	list_remove(&share->node);
	list_push_back(is_lasting ? &h->lasting : &h->brief, &share->node);
}

struct share *shares_next_to_go(const struct shares *s, uint32_t party)
{
	const struct holder *own = table_get(s->holders, &party);
	const struct heap_node *node = heap_min(&s->most);
	if (!node)
		return NULL;
	const struct holder *most = container_of_const(node, struct holder, rank);
	if (own && own->n == most->n)
		most = own;
	struct list *first = list_first(&most->brief);
	if (!first && most != own)
		first = list_first(&most->lasting);
	return first ? container_of(first, struct share, node) : NULL;
}

void shares_renumber(struct shares *s)
{
	struct table_iter it;
	const void *key;
	void *value;
	table_iter_init(&it, s->holders);
	while (table_iter_next(&it, &key, &value)) {
		struct holder *h = value;
		h->has_number = false;
		(void)table_remove(s->holders, &h->party);
	}
}
