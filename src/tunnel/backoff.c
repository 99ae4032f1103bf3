/* SPDX-License-Identifier: MIT */
/*
 * A table by address, and a list in the order of the last wrong token.
 */
#include "tunnel/backoff.h"

#include "base/container.h"
#include "base/list.h"
#include "base/table.h"
#include "base/time.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SILENCE_LOG2 6u /* the longest silence: 2^6 s, cut to 60 s */
#define SILENCE_MAX  (60 * NS_PER_S)

/* The family, and the bytes of the address that count. */
struct key {
	uint8_t bytes[9];
};

struct place {
	struct list node;
	struct key key;
	unsigned wrong;
	uint64_t until;
};

struct backoff {
	struct table *table;
	struct list places; /* the one that was wrong longest ago first */
};

static struct key key_of(const struct weft_ip *from)
{
	struct key key = { { from->family } };
	memcpy(key.bytes + 1, from->octet, from->family == AF_INET ? 4 : 8);
	return key;
}

int backoff_new(const uint8_t secret[16], struct backoff **ret_backoff)
{
	struct backoff *b = calloc(1, sizeof(*b));
	if (!b)
		return -ENOMEM;
	list_init(&b->places);
	if (table_new(sizeof(struct key), BACKOFF_PLACES_MAX, secret, &b->table) < 0) {
		free(b);
		return -ENOMEM;
	}
	*ret_backoff = b;
	return 0;
}

static void forget(struct backoff *b, struct place *place)
{
	list_remove(&place->node);
	(void)table_remove(b->table, &place->key);
	free(place);
}

void backoff_free(struct backoff *b)
{
	if (!b)
		return;
	list_for_each (node, &b->places)
		forget(b, container_of(node, struct place, node));
	table_free(b->table);
	free(b);
}

bool backoff_is_silent(const struct backoff *b, const struct weft_ip *from, uint64_t now)
{
	const struct key key = key_of(from);
	const struct place *place = table_get(b->table, &key);
	return place && now < place->until;
}

/* NULL without memory: then this one is not held against anybody. */
static struct place *place_new(struct backoff *b, const struct key *key)
{
	struct list *oldest = list_first(&b->places);
	if (oldest && table_count(b->table) == BACKOFF_PLACES_MAX)
		forget(b, container_of(oldest, struct place, node));
	struct place *place = calloc(1, sizeof(*place));
	if (!place)
		return NULL;
	place->key = *key;
	list_init(&place->node);
	if (table_set(b->table, key, place) < 0) {
		free(place);
		return NULL;
	}
	return place;
}

static uint64_t silence_after(unsigned wrong)
{
	if (wrong <= BACKOFF_FREE)
		return 0;
	unsigned log2 = wrong - BACKOFF_FREE - 1;
	return log2 < SILENCE_LOG2 ? NS_PER_S << log2 : SILENCE_MAX;
}

void backoff_wrong(struct backoff *b, const struct weft_ip *from, uint64_t now)
{
	const struct key key = key_of(from);
	struct place *place = table_get(b->table, &key);
	if (!place)
		place = place_new(b, &key);
	if (!place)
		return;
	place->wrong++;
	place->until = now + silence_after(place->wrong);
	list_remove(&place->node);
	list_push_back(&b->places, &place->node);
}

void backoff_right(struct backoff *b, const struct weft_ip *from)
{
	const struct key key = key_of(from);
	struct place *place = table_get(b->table, &key);
	if (place)
		forget(b, place);
}
