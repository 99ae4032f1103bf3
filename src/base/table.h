/* SPDX-License-Identifier: MIT */
/*
 * A hash table with keys of one fixed size and a pointer as value, for everything that peers
 * can make grow: the hash is keyed with a secret, and the number of entries has a limit.
 *
 * Open addressing with linear probing. An entry stands at its hash's slot ("home") or in the
 * first free slot after it, so the entries between a home and its entry are never interrupted
 * by a gap:
 *
 *     slot      4     5     6     7     8     9
 *     home      4     4     5           8
 *              [a]   [b]   [c]   [ ]   [d]   [ ]        removing a moves b and c back by one
 *
 * Removal closes the gap it makes (Knuth 6.4 algorithm R), so that no tombstones pile up and
 * a table that was full once is as fast as a new one. Memory is doubled at 3/4 load and is
 * kept until the table is freed.
 */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include "base/hash.h"

#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table;

/** Makes an empty table for keys of key_len bytes and at most entries_max. 0 or -ENOMEM. */
int table_new(size_t key_len, size_t entries_max, const uint8_t secret[HASH_SECRET_LEN],
	      struct table **ret_table) WEFT_MUST_CHECK;

/** Frees the table, not what the values point to. NULL is allowed. */
void table_free(struct table *t);

/** The value of the key, or NULL. */
void *table_get(const struct table *t, const void *key);

/**
 * Sets the key's value, which must not be NULL; the key is copied. Returns 1 if the key is
 * new, 0 if it had a value (now replaced), -ENOSPC at entries_max, -ENOMEM.
 */
int table_set(struct table *t, const void *key, void *value) WEFT_MUST_CHECK;

/** Removes the key and returns the value that it had, or NULL. */
void *table_remove(struct table *t, const void *key);

/** How many entries there are. */
size_t table_count(const struct table *t);

/** A walk over all entries, in no order. */
struct table_iter {
	const struct table *table;
	size_t slot; /**< Where the walk stands. */
	size_t left; /**< Slots still to be seen. */
};

/**
 * Begins a walk. During it the present entry may be removed, and each entry is still seen
 * exactly once. Where others are removed, none is missed but some may be seen twice. No
 * key may be added.
 */
void table_iter_init(struct table_iter *it, const struct table *t);

/** Steps to the next entry; false at the end. The key is valid until the table changes. */
bool table_iter_next(struct table_iter *it, const void **ret_key, void **ret_value);

#endif
