/* SPDX-License-Identifier: MIT */
/*
 * Every entry stands in the table and on its port's list, a learned one in the heap as well.
 * entry_make and entry_drop are the only places that put entries there and take them away,
 * so that the three and the counters cannot come apart.
 */
#include "bridge/fdb.h"

#include "base/mac.h"
#include "base/time.h"

#include <weft/loop.h>

#include <errno.h>
#include <stdlib.h>

#define FDB_MAX_DEFAULT   4096u
#define AGEING_NS_DEFAULT (300 * NS_PER_S) /* 300 s: 802.1Q table 8-6. */

int fdb_init(struct fdb *fdb, const struct weft_bridge_opts *opts)
{
	static const uint8_t zeros[HASH_SECRET_LEN];
	*fdb = (struct fdb){
		.ageing_ns = opts->ageing_ns ? opts->ageing_ns : AGEING_NS_DEFAULT,
		.generation = 1,
		.entries_max = opts->fdb_max ? opts->fdb_max : FDB_MAX_DEFAULT,
	};
	return table_new(MAC_LEN, 2 * (size_t)fdb->entries_max,
			 opts->secret ? opts->secret : zeros, &fdb->entries);
}

void fdb_fini(struct fdb *fdb)
{
	struct table_iter it;
	const void *key;
	void *entry;
	heap_fini(&fdb->looks);
	table_iter_init(&it, fdb->entries);
	while (table_iter_next(&it, &key, &entry))
		free(entry);
	table_free(fdb->entries);
}

void fdb_port_init(struct fdb_port *port, uint32_t learned_max)
{
	*port = (struct fdb_port){ .learned_max = learned_max };
	list_init(&port->entries);
}

/* When an entry that was heard at seen_ns has expired. */
static uint64_t expiry(const struct fdb *fdb, uint64_t seen_ns)
{
	return seen_ns < WEFT_NEVER - fdb->ageing_ns ? seen_ns + fdb->ageing_ns
						     : WEFT_NEVER;
}

/* Frees an entry that stands nowhere but, perhaps, in the heap. */
static void entry_free(struct fdb *fdb, struct fdb_entry *entry)
{
	heap_remove(&fdb->looks, &entry->look);
	free(entry);
}

/* Makes an entry that is learned at now, or bound. NULL when memory is out. */
static struct fdb_entry *entry_make(struct fdb *fdb, struct weft_mac mac,
				    struct fdb_port *port, bool bound, uint64_t now)
{
	struct fdb_entry *entry = malloc(sizeof(*entry));
	if (!entry)
		return NULL;
	*entry = (struct fdb_entry){
		.look.deadline = expiry(fdb, now),
		.port = port,
		.seen_ns = now,
		.mac = mac,
		.bound = bound,
	};
	if ((!bound && heap_insert(&fdb->looks, &entry->look) < 0) ||
	    table_set(fdb->entries, mac.octet, entry) < 0) {
		entry_free(fdb, entry);
		return NULL;
	}
	list_push_back(&port->entries, &entry->of_port);
	if (bound) {
		fdb->stats.bound++;
	} else {
		fdb->stats.learned++;
		port->learned++;
	}
	fdb->generation++;
	return entry;
}

static void entry_drop(struct fdb *fdb, struct fdb_entry *entry)
{
	if (entry->bound) {
		fdb->stats.bound--;
	} else {
		fdb->stats.learned--;
		entry->port->learned--;
	}
	list_remove(&entry->of_port);
	(void)table_remove(fdb->entries, entry->mac.octet);
	entry_free(fdb, entry);
	fdb->generation++;
}

void fdb_port_fini(struct fdb *fdb, struct fdb_port *port)
{
	list_for_each (node, &port->entries)
		entry_drop(fdb, container_of(node, struct fdb_entry, of_port));
}

struct fdb_entry *fdb_lookup(const struct fdb *fdb, struct weft_mac mac)
{
	return table_get(fdb->entries, mac.octet);
}

static bool port_is_full(const struct fdb_port *port)
{
	return port->learned_max && port->learned >= port->learned_max;
}

static struct fdb_entry *learn_new(struct fdb *fdb, struct weft_mac mac,
				   struct fdb_port *port, uint64_t now)
{
	struct fdb_entry *entry = NULL;
	if (fdb->stats.learned < fdb->entries_max && !port_is_full(port))
		entry = entry_make(fdb, mac, port, false, now);
	if (!entry)
		fdb->stats.refused++;
	return entry;
}

/* A learned address has shown up behind another port. */
static struct fdb_entry *learn_move(struct fdb *fdb, struct fdb_entry *entry,
				    struct fdb_port *port, uint64_t now)
{
	if (port_is_full(port)) {
		fdb->stats.refused++;
		return NULL;
	}
	entry->port->learned--;
	port->learned++;
	list_remove(&entry->of_port);
	list_push_back(&port->entries, &entry->of_port);
	entry->port = port;
	entry->seen_ns = now;
	fdb->stats.moved++;
	fdb->generation++;
	return entry;
}

struct fdb_entry *fdb_learn(struct fdb *fdb, struct weft_mac mac, struct fdb_port *port,
			    uint64_t now)
{
	struct fdb_entry *entry = fdb_lookup(fdb, mac);
	if (!entry)
		return learn_new(fdb, mac, port, now);
	if (entry->port != port)
		return learn_move(fdb, entry, port, now);
	entry->seen_ns = now;
	return entry;
}

int fdb_bind(struct fdb *fdb, struct weft_mac mac, struct fdb_port *port)
{
	struct fdb_entry *entry = fdb_lookup(fdb, mac);
	if (entry && entry->bound)
		return entry->port == port ? 0 : -EEXIST;
	if (fdb->stats.bound >= fdb->entries_max)
		return -ENOSPC;
	if (entry)
		entry_drop(fdb, entry);
	return entry_make(fdb, mac, port, true, 0) ? 0 : -ENOMEM;
}

void fdb_unbind(struct fdb *fdb, struct weft_mac mac)
{
	struct fdb_entry *entry = fdb_lookup(fdb, mac);
	if (entry && entry->bound)
		entry_drop(fdb, entry);
}

void fdb_age(struct fdb *fdb, uint64_t now, unsigned looks_max)
{
	for (unsigned i = 0; i < looks_max; i++) {
		struct heap_node *first = heap_min(&fdb->looks);
		if (!first || first->deadline > now)
			return;
		struct fdb_entry *entry = container_of(first, struct fdb_entry, look);
		uint64_t expires = expiry(fdb, entry->seen_ns);
		if (expires > now) {
			heap_change(&fdb->looks, first, expires);
			continue;
		}
		entry_drop(fdb, entry);
		fdb->stats.aged++;
	}
}

uint64_t fdb_deadline(const struct fdb *fdb)
{
	const struct heap_node *first = heap_min(&fdb->looks);
	return first ? first->deadline : WEFT_NEVER;
}
