/* SPDX-License-Identifier: MIT */
/*
 * What waits for its time in a queue of those that all wait equally long: who came first is due
 * first, so that a queue is kept in order by nothing but putting each at its end.
 */
#ifndef HTTP_DUE_H
#define HTTP_DUE_H

#include "base/list.h"

#include <weft/loop.h>

#include <stdbool.h>
#include <stdint.h>

/** Embedded in who waits; a queue's head is a plain struct list. */
struct due {
	struct list node; /**< First. */
	uint64_t at;
};

/** Needed before any other use. */
static inline void due_init(struct due *due)
{
	*due = (struct due){ .at = 0 };
	list_init(&due->node);
}

/** Waits in queue until at, which is no earlier than that of anybody there. */
static inline void due_wait(struct due *due, struct list *queue, uint64_t at)
{
	due->at = at;
	list_push_back(queue, &due->node);
}

static inline bool due_is_waiting(const struct due *due)
{
	return !list_is_empty(&due->node);
}

/** Harmless for one that waits nowhere. */
static inline void due_cancel(struct due *due)
{
	list_remove(&due->node);
}

/** When the first of a queue is due; WEFT_NEVER for an empty one. */
static inline uint64_t due_deadline(const struct list *queue)
{
	const struct list *first = list_first(queue);
	return first ? container_of_const(first, struct due, node)->at : WEFT_NEVER;
}

/** Takes the first of a queue whose time has come; NULL for none. */
static inline struct due *due_take(struct list *queue, uint64_t now)
{
	if (list_is_empty(queue) || due_deadline(queue) > now)
		return NULL;
	return container_of(list_pop_front(queue), struct due, node);
}

#endif
