/* SPDX-License-Identifier: MIT */
/*
 * The tree lies in an array: the children of place i are at 2i and 2i + 1, and no child is
 * earlier than its parent. Each node knows its place, which makes removal from the middle a
 * matter of putting the last node there and letting it rise or sink.
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

static void put_at(struct heap *h, size_t place, struct heap_node *node)
{
	h->nodes[place] = node;
	node->place = place;
}

/* Moves later parents down until node fits at place or above it. */
static void rise(struct heap *h, size_t place, struct heap_node *node)
{
	for (; place > 1 && node->deadline < h->nodes[place / 2]->deadline; place /= 2)
		put_at(h, place, h->nodes[place / 2]);
	put_at(h, place, node);
}

/* Moves earlier children up until node fits at place or below it. */
static void sink(struct heap *h, size_t place, struct heap_node *node)
{
	for (;;) {
		size_t child = 2 * place;
		if (child + 1 <= h->count &&
		    h->nodes[child + 1]->deadline < h->nodes[child]->deadline)
			child++;
		if (child > h->count || node->deadline <= h->nodes[child]->deadline)
			break;
		put_at(h, place, h->nodes[child]);
		place = child;
	}
	put_at(h, place, node);
}

/* Finds the place for node, starting from a place that it may take. */
static void settle(struct heap *h, size_t place, struct heap_node *node)
{
	if (place > 1 && node->deadline < h->nodes[place / 2]->deadline)
		rise(h, place, node);
	else
		sink(h, place, node);
}

void heap_fini(struct heap *h)
{
	for (size_t i = 1; i <= h->count; i++)
		h->nodes[i]->place = 0;
	free(h->nodes);
	*h = (struct heap){ 0 };
}

int heap_insert(struct heap *h, struct heap_node *node)
{
	assert(!heap_holds(node));
	if (h->count + 1 >= h->room) {
		size_t room = h->room > 0 ? 2 * h->room : ROOM_MIN;
		struct heap_node **nodes =
			realloc(h->nodes, room * sizeof(struct heap_node *));
		if (!nodes)
			return -ENOMEM;
		h->nodes = nodes;
		h->room = room;
	}
	h->count++;
	rise(h, h->count, node);
	return 0;
}

void heap_remove(struct heap *h, struct heap_node *node)
{
	if (!heap_holds(node))
		return;
	size_t place = node->place;
	struct heap_node *last = h->nodes[h->count--];
	if (last != node)
		settle(h, place, last);
	node->place = 0;
}

void heap_change(struct heap *h, struct heap_node *node, uint64_t deadline)
{
	assert(heap_holds(node));
	node->deadline = deadline;
	settle(h, node->place, node);
}
