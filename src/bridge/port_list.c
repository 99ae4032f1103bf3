/* SPDX-License-Identifier: MIT */
/*
 * Coming and going. Nothing here is on the way of a frame but what the header has inline.
 */
#include "bridge/port_list.h"

#include <assert.h>

void port_list_init(struct port_list *list, uint32_t max,
		    void (*free)(struct port_entry *entry))
{
	*list = (struct port_list){ .max = max, .free = free };
	list_init(&list->entries);
}

void port_list_add(struct port_list *list, struct port_entry *entry)
{
	assert(!port_list_is_full(list));
	entry->is_gone = false;
	list_push_back(&list->entries, &entry->node);
	list->n++;
}

void port_list_sweep(struct port_list *list)
{
	assert(list->busy == 0);
	list_for_each (node, &list->entries) {
		struct port_entry *entry = container_of(node, struct port_entry, node);
		if (!entry->is_gone)
			continue;
		list_remove(&entry->node);
		list->free(entry);
	}
	list->has_gone = false;
}

void port_list_remove(struct port_list *list, struct port_entry *entry)
{
	assert(!entry->is_gone);
	entry->is_gone = true;
	list->n--;
	list->has_gone = true;
	if (list->busy == 0)
		port_list_sweep(list);
}
