/* SPDX-License-Identifier: MIT */
/*
 * Blocks of one size, with a limit on their number, handed out and taken back in O(1): for
 * packets and queue entries. Memory is taken in slabs of about 64 KiB when first needed and
 * is kept until the pool ends. Blocks are aligned for any type and not cleared.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>

struct pool_slab;
struct pool_block;

struct pool {
	struct pool_block *free_blocks;
	struct pool_slab *slabs;
	size_t block_len;  /**< In bytes, rounded up for alignment. */
	size_t blocks;     /**< In slabs, free or in use. */
	size_t blocks_max; /**< Limit of blocks. */
	size_t in_use;
};

/** Begins an empty pool of blocks_max blocks of block_len bytes. Allocates nothing. */
void pool_init(struct pool *p, size_t block_len, size_t blocks_max);

/** Frees all memory; no block may be used any more. */
void pool_fini(struct pool *p);

/** A block, or NULL when the limit is reached or memory is out. */
void *pool_get(struct pool *p);

/** Takes back a block that pool_get gave. NULL is allowed. */
void pool_put(struct pool *p, void *block);

#endif
