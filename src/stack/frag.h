/* SPDX-License-Identifier: MIT */
/*
 * Fragments, put together (RFC 791 3.2, RFC 815, RFC 8200 4.5).
 *
 *     packet (src, dst, protocol, id)      0......1480   1480...2960             4440..5000
 *                                          [fragment] -> [fragment] ->  hole  -> [the last]
 *
 * Memory is what has come, never what a fragment says about the rest. Everything is bounded:
 * packets, fragments per packet, bytes of all, time. A fragment that overlaps another and is
 * not its double ends its packet: in IPv6 it must (RFC 5722), in IPv4 nothing honest sends it
 * (RFC 1858, teardrop). What is left of such a packet stays until its time is over, so that
 * its other fragments do not begin a new one.
 */
#ifndef STACK_FRAG_H
#define STACK_FRAG_H

#include "base/list.h"
#include "base/table.h"
#include "stack/addr.h"
#include "stack/iface.h"

#include <weft/stack.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct frag_cache {
	struct table *table; /**< By struct frag_key. */
	struct list oldest;  /**< Packets in pieces, in the order in which they began. */
	size_t bytes;        /**< Of all fragments. */
};

/** Which packet a fragment is of. All bytes count: no padding. */
struct frag_key {
	struct ip_addr src, dst;
	uint32_t id;
	uint32_t protocol; /**< IPv4; 0 for IPv6. */
	uint64_t iface;    /**< Index. */
};

/** One fragment, borrowed. */
struct frag_piece {
	struct frag_key key;
	/** Of the packet: what is in front of the fragment's part. */
	const uint8_t *header;
	size_t header_len; /**< Of the first fragment, it is put in front of the whole. */
	uint32_t off;      /**< In bytes. */
	bool more;
	const uint8_t *data;
	size_t len;
	uint8_t ecn;
};

/** A packet that is whole: header of the first fragment, then the data. */
struct frag_whole {
	uint8_t *packet; /**< For free(3). */
	size_t header_len;
	size_t len;  /**< With the header. */
	uint8_t ecn; /**< RFC 3168, 5.3: CE if any fragment had it. */
};

int frag_init(struct weft_stack *stack) WEFT_MUST_CHECK;
void frag_fini(struct weft_stack *stack);

/**
 * Takes a fragment. Returns WEFT_STACK_DELIVERED with the whole packet, which is the caller's,
 * when none is missing; or HELD, IGNORED (a double), DROP_FRAGMENT, DROP_FRAGMENT_LIMIT.
 */
enum weft_stack_outcome frag_add(struct weft_stack *stack, struct weft_iface *iface,
				 const struct frag_piece *f, uint64_t now,
				 struct frag_whole *ret_whole);

/** Forgets what came in on an interface. */
void frag_remove_all(struct weft_stack *stack, const struct weft_iface *iface);

#endif
