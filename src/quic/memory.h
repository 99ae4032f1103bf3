/* SPDX-License-Identifier: MIT */
/*
 * Memory for ngtcp2, which takes blocks of 4 to 16 KiB for each of its lists and then uses
 * the first few hundred bytes of most. malloc would lay them over pages that a handshake has
 * dirtied before; here each large block begins a page, and pages that are never touched cost
 * nothing:
 *
 *   slab    | block: 3 pages      | block: 3 pages      |        one size per slab
 *           |####    .      .     |#       .      .     |        # touched
 *
 * An idle end with ngtcp2 0.12 and one stream has 57 KiB resident so, instead of 69.
 *
 * Of such a first page most is never used. So two blocks of a connection, which are as long as
 * no others, begin late in theirs, and what is small lies in cells before them, in their lead:
 *
 *   slab    |ccc cc c ###  .      .      .     |ccc c    #  .        c cell
 *
 * An idle member costs a relay 5 KiB less so. What finds no place there comes from malloc.
 *
 * A handshake takes more blocks than what comes after it. A few are kept for the next one; if
 * many come at once, the pages of the others go back to the system, or a crowd would cost for
 * ever what it cost on arrival:
 *
 *   malloc <---- free, as they were (warm) <---- free
 *          <---- free, without their pages <---- free, when there are many of the former
 *          <---- fresh
 */
#ifndef QUIC_MEMORY_H
#define QUIC_MEMORY_H

#include "base/list.h"

#include <weft/frame.h>

#include <ngtcp2/ngtcp2.h>
#include <stddef.h>
#include <stdint.h>

/** Largest block in pages that comes from slabs. */
#define MEMORY_PAGES_MAX 12u

/** Largest cell in steps of 64 bytes: a whole lead, of three quarters of a page. */
#define MEMORY_STEPS_MAX 48u

struct memory_slab;
struct memory_cell;

/** Blocks of one size. */
struct memory_class {
	struct list warm;  /**< Free, and they have their pages still ... */
	size_t warm_count; /**< ... and how many they are. */
	void **cold;       /**< Free, without pages. */
	size_t cold_count, cold_max;
	uint8_t *fresh;    /**< The next one that was never used ... */
	size_t fresh_left; /**< ... and how many there are. */
};

struct memory {
	ngtcp2_mem mem; /**< What ngtcp2 is given. */
	struct memory_slab *slabs;
	struct memory_class classes[MEMORY_PAGES_MAX + 1]; /**< By pages. */
	struct list leads; /**< Free ones, of blocks in use; the oldest first. */
	uint8_t *lead;     /**< What is left of the one that cells are made of ... */
	size_t lead_left;  /**< ... and how much that is. */
	struct memory_cell *cells[MEMORY_STEPS_MAX + 1]; /**< Free, by steps. */
};

/** Begins without memory. m must not move afterwards. */
void memory_init(struct memory *m);

/** Frees all slabs; nothing that came from m may be used any more. */
void memory_fini(struct memory *m);

#endif
