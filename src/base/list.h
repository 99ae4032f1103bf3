/* SPDX-License-Identifier: MIT */
/*
 * A doubly linked list whose nodes are embedded in the objects on it: no allocation, O(1)
 * insertion and removal.
 *
 *     head <-> a <-> b <-> c <-> head          an empty head points at itself
 *
 * A node that is on no list points at itself too, so removing it twice is harmless and
 * list_is_empty(node) says whether it is on one.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include "base/container.h"

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *prev, *next;
};

/** Makes an empty head, or a node that is on no list. Needed before any other use. */
static inline void list_init(struct list *l)
{
	l->prev = l;
	l->next = l;
}

/** For a head: nothing on it. For a node: on no list. */
static inline bool list_is_empty(const struct list *l)
{
	return l->next == l;
}

/** Puts node, which is on no list, in front of pos. */
static inline void list_insert_before(struct list *pos, struct list *node)
{
	node->prev = pos->prev;
	node->next = pos;
	pos->prev->next = node;
	pos->prev = node;
}

static inline void list_push_back(struct list *head, struct list *node)
{
	list_insert_before(head, node);
}

static inline void list_push_front(struct list *head, struct list *node)
{
	list_insert_before(head->next, node);
}

/** Takes node off whatever list it is on; harmless if it is on none. */
static inline void list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/** The first node, or NULL. */
static inline struct list *list_first(const struct list *head)
{
	return list_is_empty(head) ? NULL : head->next;
}

/** Takes the first node off and returns it, or NULL. */
static inline struct list *list_pop_front(struct list *head)
{
	struct list *node = list_first(head);
	if (node)
		list_remove(node);
	return node;
}

/**
 * Runs the body for each node (struct list *). The body may remove (and free) the present
 * node, and no other.
 */
#define list_for_each(node, head)                                                        \
	for (struct list *node = (head)->next, *list_next_ = node->next; node != (head); \
	     node = list_next_, list_next_ = node->next)

#endif
