/* SPDX-License-Identifier: MIT */
/*
 * A table of networks, IPv4 and IPv6, each with a value, and the longest of them that an
 * address lies in: a path-compressed binary trie (Patricia; Knuth 6.3, RFC 1812 5.2.4.3 for
 * what it is used for).
 *
 *     10.0.0.0/8 --+-- 0 -- 10.1.0.0/16                  each node: a prefix, and two below
 *                  |                                     it that begin with it and go on with
 *                  '-- 1 -- (10.128.0.0/9) --+-- 0 ...   a 0 or a 1; in brackets: a fork
 *                                            '-- 1 ...   without a value of its own
 *
 * A walk down compares one prefix per node and remembers the last one that has a value. A
 * fork has always two below it, so n networks make less than 2n nodes; a walk visits at most
 * as many nodes as there are networks within each other and forks between them: some 15 for
 * ten thousand routes. Nodes lie in one array and name each other by number, so that they are
 * small (40 bytes) and the array may move when it grows.
 */
#ifndef BRIDGE_PREFIX_H
#define BRIDGE_PREFIX_H

#include <weft/addr.h>
#include <weft/frame.h>

#include <stdbool.h>
#include <stdint.h>

/** A network, or a plain address with all its bits. The bits behind it are zero. */
struct prefix {
	uint64_t hi, lo; /**< As numbers, the first bit on top; IPv4 fills the top 32. */
	uint8_t bits;    /**< 0..32 or 0..128. */
	bool is_ip6;
};

/** Takes ip as a network: bits behind the prefix are masked. Returns 0 or -EINVAL. */
int prefix_of(const struct weft_ip *ip, struct prefix *ret_prefix) WEFT_MUST_CHECK;

/** An IPv4 address as a number. */
struct prefix prefix_of_ip4(uint32_t addr);

/** An IPv6 address in wire order. */
struct prefix prefix_of_ip6(const uint8_t octets[16]);

/** The way back. */
struct weft_ip prefix_ip(const struct prefix *p);

static inline bool prefix_equal(const struct prefix *a, const struct prefix *b)
{
	return a->hi == b->hi && a->lo == b->lo && a->bits == b->bits &&
	       a->is_ip6 == b->is_ip6;
}

/** Whether inner, a network or an address, lies in outer. */
bool prefix_holds(const struct prefix *outer, const struct prefix *inner);

struct prefix_node;

struct prefix_table {
	struct prefix_node *nodes; /**< Number 0 is nobody. */
	uint32_t nodes_len;        /**< Of the array. */
	uint32_t nodes_n;          /**< Used so far; those given back are in free_list. */
	uint32_t free_list;
	uint32_t free_n;  /**< How many are in it. */
	uint32_t root[2]; /**< Of IPv4 and of IPv6. */
	uint32_t count, count_max;
};

/** Begins an empty table of at most count_max networks, at most 2^30. */
void prefix_table_init(struct prefix_table *t, uint32_t count_max);

/** Frees the table, not what the values point to. */
void prefix_table_fini(struct prefix_table *t);

/**
 * Makes room for so many networks in all: as long as there are no more, adding one takes no
 * memory. Returns 0 or -ENOMEM, and then nothing has changed.
 */
int prefix_reserve(struct prefix_table *t, uint32_t count) WEFT_MUST_CHECK;

/**
 * Adds a network with a value that is not NULL. Returns 0, -EEXIST if it is there (its value
 * stays), -ENOSPC at count_max, -ENOMEM.
 */
int prefix_add(struct prefix_table *t, const struct prefix *p,
	       void *value) WEFT_MUST_CHECK;

/** Takes a network out and returns its value, or NULL if it was not there. */
void *prefix_remove(struct prefix_table *t, const struct prefix *p);

/** Takes out every network that has the value. Looks at each node once. */
void prefix_remove_all(struct prefix_table *t, const void *value);

/** The value of exactly this network, or NULL. */
void *prefix_get(const struct prefix_table *t, const struct prefix *p);

/**
 * The value of the longest network that the address lies in and whose value is not except
 * (which may be NULL); NULL for none. ret_network may be NULL.
 */
void *prefix_lookup(const struct prefix_table *t, const struct prefix *addr,
		    const void *except, struct prefix *ret_network);

#endif
