/* SPDX-License-Identifier: MIT */
/*
 * Deadlines in a binary min-heap: the earliest at hand, insertion and removal in O(log n).
 * Nodes are embedded in the objects that have deadlines; the heap holds pointers to them.
 *
 *     struct heap heap = { 0 };
 *     conn->timer.deadline = now + timeout_ns;
 *     r = heap_insert(&heap, &conn->timer);
 *     ...
 *     struct heap_node *node = heap_min(&heap);      // container_of(node, struct conn, timer)
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** All zero: in no heap. Must not move in memory while it is in one. */
struct heap_node {
	uint64_t deadline; /**< Changed only by heap_change while in a heap. */
	size_t place;      /**< The heap's own: 1-based place in the array, 0 for none. */
};

/** A node's place in the array, with a copy of its deadline. */
struct heap_entry {
	uint64_t deadline;
	struct heap_node *node;
};

/** All zero: an empty heap. */
struct heap {
	struct heap_entry *entries; /**< [1] is the earliest; [0] is not used. */
	size_t count;
	size_t room; /**< Length of entries. */
};

/** Forgets all nodes and frees the heap's memory, so that it is empty again. */
void heap_fini(struct heap *h);

/** Puts in a node that is in no heap; its deadline is set. Returns 0 or -ENOMEM. */
int heap_insert(struct heap *h, struct heap_node *node) WEFT_MUST_CHECK;

/** Takes a node out; harmless if it is not in. */
void heap_remove(struct heap *h, struct heap_node *node);

/** Gives a node that is in the heap another deadline. */
void heap_change(struct heap *h, struct heap_node *node, uint64_t deadline);

/** The node with the earliest deadline, or NULL. */
static inline struct heap_node *heap_min(const struct heap *h)
{
	return h->count > 0 ? h->entries[1].node : NULL;
}

/** Whether the node is in a heap. */
static inline bool heap_holds(const struct heap_node *node)
{
	return node->place != 0;
}

#endif
