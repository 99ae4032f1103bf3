/* SPDX-License-Identifier: MIT */
/*
 * A short list, looked through from its begin: a hundred names are compared faster than a
 * datagram is sent, and nothing that a server says makes it longer than it may be.
 */
#include "base/time.h"
#include "service/resolver.h"

#include <stdlib.h>

#define TTL_MAX_S      3600u
#define TTL_MAX_NONE_S 60u

struct entry {
	struct list node; /* of resolver->cache */
	struct dns_name name;
	uint16_t type;
	uint64_t until;
	struct name_facts facts;
};

static void forget(struct weft_resolver *r, struct entry *entry)
{
	list_remove(&entry->node);
	r->cache_n--;
	free(entry);
}

static struct entry *find(struct weft_resolver *r, const struct dns_name *name,
			  uint16_t type)
{
	list_for_each (node, &r->cache) {
		struct entry *entry = container_of(node, struct entry, node);
		if (entry->type == type && dns_name_equal(&entry->name, name))
			return entry;
	}
	return NULL;
}

bool name_cache_get(struct weft_resolver *r, const struct dns_name *name, uint16_t type,
		    uint64_t now, struct name_facts *ret_facts)
{
	struct entry *entry = find(r, name, type);
	if (!entry)
		return false;
	if (now >= entry->until) {
		forget(r, entry);
		return false;
	}
	list_remove(&entry->node);
	list_push_front(&r->cache, &entry->node);
	*ret_facts = entry->facts;
	return true;
}

/* An entry that is on no list: that of the question, a new one, or the one used last of all. */
static struct entry *take_entry(struct weft_resolver *r, const struct dns_name *name,
				uint16_t type)
{
	struct entry *entry = find(r, name, type);
	if (!entry && r->cache_n < r->opts.cache_max)
		return malloc(sizeof(*entry));
	if (!entry)
		entry = container_of(r->cache.prev, struct entry, node);
	list_remove(&entry->node);
	r->cache_n--;
	return entry;
}

void name_cache_put(struct weft_resolver *r, const struct dns_name *name, uint16_t type,
		    const struct name_facts *facts, uint32_t ttl_s, uint64_t now)
{
	uint32_t most_s = facts->error ? TTL_MAX_NONE_S : TTL_MAX_S;
	struct entry *entry = ttl_s > 0 ? take_entry(r, name, type) : NULL;
	if (!entry)
		return;
	*entry = (struct entry){ .name = *name,
				 .type = type,
				 .until = now +
					  (ttl_s < most_s ? ttl_s : most_s) * NS_PER_S,
				 .facts = *facts };
	list_push_front(&r->cache, &entry->node);
	r->cache_n++;
}

void name_cache_clear(struct weft_resolver *r)
{
	list_for_each (node, &r->cache)
		forget(r, container_of(node, struct entry, node));
}
