/* SPDX-License-Identifier: MIT */
/*
 * The tree lies in an array: the children of place i are at 2i and 2i + 1, and no child is
 * earlier than its parent. Each node knows its place, which makes removal from the middle a
 * matter of putting the last node there and letting it rise or sink. The deadlines lie in the
 * array as well: the nodes are in objects that are cold, and none is looked into on the way.
 *
 *              1
 *          2       3
 *        4   5   6   7
 */
#include "base/heap.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define ROOM_MIN 16u

static void put_at(struct heap *h, size_t place, struct heap_entry entry)
{
	h->entries[place] = entry;
	entry.node->place = place;
}

/* Moves later parents down until entry fits at place or above it. */
static void rise(struct heap *h, size_t place, struct heap_entry entry)
{
	for (; place > 1 && entry.deadline < h->entries[place / 2].deadline; place /= 2)
		put_at(h, place, h->entries[place / 2]);
	put_at(h, place, entry);
}

/* Moves earlier children up until entry fits at place or below it. */
static void sink(struct heap *h, size_t place, struct heap_entry entry)
{
	for (;;) {
		size_t child = 2 * place;
		if (child + 1 <= h->count &&
		    h->entries[child + 1].deadline < h->entries[child].deadline)
			child++;
		if (child > h->count || entry.deadline <= h->entries[child].deadline)
			break;
		put_at(h, place, h->entries[child]);
		place = child;
	}
	put_at(h, place, entry);
}

/* Finds the place for entry, starting from a place that it may take. */
static void settle(struct heap *h, size_t place, struct heap_entry entry)
{
	if (place > 1 && entry.deadline < h->entries[place / 2].deadline)
		rise(h, place, entry);
	else
		sink(h, place, entry);
}

void heap_fini(struct heap *h)
{
	for (size_t i = 1; i <= h->count; i++)
		h->entries[i].node->place = 0;
	free(h->entries);
	*h = (struct heap){ 0 };
}

int heap_insert(struct heap *h, struct heap_node *node)
{
	assert(!heap_holds(node));
	if (h->count + 1 >= h->room) {
		size_t room = h->room > 0 ? 2 * h->room : ROOM_MIN;
		struct heap_entry *entries = realloc(h->entries, room * sizeof(*entries));
		if (!entries)
			return -ENOMEM;
		h->entries = entries;
		h->room = room;
	}
	h->count++;
	rise(h, h->count, (struct heap_entry){ node->deadline, node });
	return 0;
}

void heap_remove(struct heap *h, struct heap_node *node)
{
	if (!heap_holds(node))
		return;
	size_t place = node->place;
	struct heap_entry last = h->entries[h->count--];
	if (last.node != node)
		settle(h, place, last);
	node->place = 0;
}

void heap_change(struct heap *h, struct heap_node *node, uint64_t deadline)
{
	assert(heap_holds(node));
	node->deadline = deadline;
	settle(h, node->place, (struct heap_entry){ deadline, node });
}
