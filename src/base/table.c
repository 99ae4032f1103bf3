/* SPDX-License-Identifier: MIT */
/*
 * Slots and keys are two arrays of the same length, a power of two; a slot is free when its
 * value is NULL. The hash is kept beside the value: growing needs no rehash, removal finds
 * the home of each neighbour, and most unequal keys are told apart without reading them.
 *
 * Why the walk goes downwards: removal only moves entries to lower slots, into the one that
 * was freed. Who goes downwards has already seen those. It begins below a free slot, which
 * no run of entries spans, so the wrap from slot 0 to the last one breaks nothing.
 */
#include "base/table.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN 16u

struct slot {
	uint64_t hash;
	void *value;
};

struct table {
	struct slot *slots;
	uint8_t *keys;
	size_t mask; /* Number of slots - 1. */
	size_t count;
	size_t entries_max;
	size_t key_len;
	uint8_t secret[HASH_SECRET_LEN];
};

static void *key_at(const struct table *t, size_t i)
{
	return t->keys + i * t->key_len;
}

static int alloc_slots(struct table *t, size_t n)
{
	t->slots = calloc(n, sizeof(*t->slots));
	t->keys = calloc(n, t->key_len);
	t->mask = n - 1;
	if (t->slots && t->keys)
		return 0;
	free(t->slots);
	free(t->keys);
	return -ENOMEM;
}

int table_new(size_t key_len, size_t entries_max, const uint8_t secret[HASH_SECRET_LEN],
	      struct table **ret_table)
{
	assert(key_len > 0);
	struct table *t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->key_len = key_len;
	t->entries_max = entries_max;
	memcpy(t->secret, secret, sizeof(t->secret));
	if (alloc_slots(t, SLOTS_MIN) < 0) {
		free(t);
		return -ENOMEM;
	}
	*ret_table = t;
	return 0;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	free(t->slots);
	free(t->keys);
	free(t);
}

size_t table_count(const struct table *t)
{
	return t->count;
}

/* The slot of the key, or the free slot where it would go. One slot is always free. */
static size_t find_slot(const struct table *t, uint64_t hash, const void *key)
{
	size_t i = hash & t->mask;
	while (t->slots[i].value &&
	       (t->slots[i].hash != hash || memcmp(key_at(t, i), key, t->key_len) != 0))
		i = (i + 1) & t->mask;
	return i;
}

static void fill_slot(struct table *t, size_t i, uint64_t hash, const void *key,
		      void *value)
{
	t->slots[i] = (struct slot){ .hash = hash, .value = value };
	memcpy(key_at(t, i), key, t->key_len);
}

/* Moves all entries into twice as many slots. */
static int grow(struct table *t)
{
	struct table old = *t;
	if (alloc_slots(t, 2 * (old.mask + 1)) < 0) {
		*t = old;
		return -ENOMEM;
	}
	for (size_t i = 0; i <= old.mask; i++) {
		const struct slot *s = &old.slots[i];
		const void *key = key_at(&old, i);
		if (s->value)
			fill_slot(t, find_slot(t, s->hash, key), s->hash, key, s->value);
	}
	free(old.slots);
	free(old.keys);
	return 0;
}

void *table_get(const struct table *t, const void *key)
{
	return t->slots[find_slot(t, hash_bytes(t->secret, key, t->key_len), key)].value;
}

int table_set(struct table *t, const void *key, void *value)
{
	assert(value);
	uint64_t hash = hash_bytes(t->secret, key, t->key_len);
	size_t i = find_slot(t, hash, key);
	if (t->slots[i].value) {
		t->slots[i].value = value;
		return 0;
	}
	if (t->count >= t->entries_max)
		return -ENOSPC;
	if (t->count + 1 > (t->mask + 1) / 4 * 3) {
		if (grow(t) < 0)
			return -ENOMEM;
		i = find_slot(t, hash, key);
	}
	fill_slot(t, i, hash, key, value);
	t->count++;
	return 1;
}

/*
 * Frees slot gap and moves later entries of the run back into it. An entry at i may move to
 * the gap unless its home lies after the gap: then its distance from home is smaller than
 * its distance from the gap.
 */
static void close_gap(struct table *t, size_t gap)
{
	for (size_t i = (gap + 1) & t->mask; t->slots[i].value; i = (i + 1) & t->mask) {
		size_t from_home = (i - (size_t)t->slots[i].hash) & t->mask;
		if (from_home < ((i - gap) & t->mask))
			continue;
		fill_slot(t, gap, t->slots[i].hash, key_at(t, i), t->slots[i].value);
		gap = i;
	}
	t->slots[gap] = (struct slot){ 0 };
}

void *table_remove(struct table *t, const void *key)
{
	size_t i = find_slot(t, hash_bytes(t->secret, key, t->key_len), key);
	void *value = t->slots[i].value;
	if (!value)
		return NULL;
	close_gap(t, i);
	t->count--;
	return value;
}

void table_iter_init(struct table_iter *it, const struct table *t)
{
	size_t start = 0;
	while (t->slots[start].value)
		start++;
	*it = (struct table_iter){ .table = t, .slot = start, .left = t->mask };
}

bool table_iter_next(struct table_iter *it, const void **ret_key, void **ret_value)
{
	const struct table *t = it->table;
	while (it->left > 0) {
		it->slot = (it->slot - 1) & t->mask;
		it->left--;
		if (!t->slots[it->slot].value)
			continue;
		*ret_key = key_at(t, it->slot);
		*ret_value = t->slots[it->slot].value;
		return true;
	}
	return false;
}
