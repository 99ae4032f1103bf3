/* SPDX-License-Identifier: MIT */
/*
 * The ports of a bridge or a router, which may be removed at any time: sending can end in code
 * that takes off the port that a batch came in on, the one it goes to, or any other on the way
 * of a flood. While somebody sends (busy), a port that is removed stays on the list as an empty
 * place, which everyone steps over; the last one out frees it.
 */
#ifndef BRIDGE_PORT_LIST_H
#define BRIDGE_PORT_LIST_H

#include "base/list.h"

#include <stdbool.h>
#include <stdint.h>

/** Embedded in a port. */
struct port_entry {
	struct list node; /**< Of port_list.entries. */
	bool is_gone;     /**< An empty place. */
};

struct port_list {
	struct list entries; /**< struct port_entry.node, in the order of their coming. */
	uint32_t n;          /**< Without the empty places. */
	uint32_t max;
	unsigned busy; /**< How many send; more than one where a send leads back here. */
	bool has_gone; /**< There are empty places. */
	void (*free)(struct port_entry *entry); /**< Frees what the entry is part of. */
};

/** Begins an empty one for at most max entries, each of which ends with free. */
void port_list_init(struct port_list *list, uint32_t max,
		    void (*free)(struct port_entry *entry));

static inline bool port_list_is_full(const struct port_list *list)
{
	return list->n >= list->max;
}

/** Adds an entry, for which there is room; it is the list's to free. */
void port_list_add(struct port_list *list, struct port_entry *entry);

/** Takes an entry off. It is freed now, or when nobody sends any more. */
void port_list_remove(struct port_list *list, struct port_entry *entry);

/** Frees the empty places. Nobody may be sending. */
void port_list_sweep(struct port_list *list);

/** Begins to send: entries that are removed stay as empty places until port_list_leave. */
static inline void port_list_enter(struct port_list *list)
{
	list->busy++;
}

/** Ends it. The last one out frees what was removed meanwhile. */
static inline void port_list_leave(struct port_list *list)
{
	if (--list->busy == 0 && list->has_gone)
		port_list_sweep(list);
}

#endif
