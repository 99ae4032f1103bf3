/* SPDX-License-Identifier: MIT */
/*
 * A free block holds the pointer to the next free one. Slabs are chained by a header in
 * front of their blocks, only so that pool_fini finds them.
 */
#include "base/pool.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>

#define SLAB_LEN 65536u

struct pool_slab {
	alignas(max_align_t) struct pool_slab *next;
};

struct pool_block {
	struct pool_block *next;
};

void pool_init(struct pool *p, size_t block_len, size_t blocks_max)
{
	const size_t align = alignof(max_align_t);
	*p = (struct pool){
		.block_len = (block_len + align - 1) / align * align,
		.blocks_max = blocks_max,
	};
	assert(p->block_len >= sizeof(struct pool_block));
}

void pool_fini(struct pool *p)
{
	while (p->slabs) {
		struct pool_slab *next = p->slabs->next;
		free(p->slabs);
		p->slabs = next;
	}
	*p = (struct pool){ .block_len = p->block_len, .blocks_max = p->blocks_max };
}

static void push_free(struct pool *p, void *block)
{
	struct pool_block *b = block;
	b->next = p->free_blocks;
	p->free_blocks = b;
}

/* Adds one slab's worth of free blocks, as far as the limit and the memory allow. */
static void grow(struct pool *p)
{
	size_t n = SLAB_LEN / p->block_len;
	if (n == 0)
		n = 1;
	if (n > p->blocks_max - p->blocks)
		n = p->blocks_max - p->blocks;
	if (n == 0)
		return;
	struct pool_slab *slab = malloc(sizeof(*slab) + n * p->block_len);
	if (!slab)
		return;
	slab->next = p->slabs;
	p->slabs = slab;
	p->blocks += n;
	char *block = (char *)(slab + 1) + n * p->block_len;
	while (n-- > 0) {
		block -= p->block_len;
		push_free(p, block);
	}
}

void *pool_get(struct pool *p)
{
	if (!p->free_blocks)
		grow(p);
	struct pool_block *block = p->free_blocks;
	if (!block)
		return NULL;
	p->free_blocks = block->next;
	p->in_use++;
	return block;
}

void pool_put(struct pool *p, void *block)
{
	if (!block)
		return;
	push_free(p, block);
	p->in_use--;
}
