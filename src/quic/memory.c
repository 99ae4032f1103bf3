/* SPDX-License-Identifier: MIT */
/*
 * Every block has a header in front of what ngtcp2 sees: its length, and how many pages it
 * has, 0 for what malloc gave. Slabs are kept until the end; their blocks are used again,
 * the last one freed first.
 */
#include "quic/memory.h"

#include "io/pages.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_LEN ((size_t)4096)

/* Large enough that malloc takes it fresh from the system, untouched. */
#define SLAB_LEN (256 * PAGE_LEN)

/* So many free blocks of a size keep their pages: enough for a few handshakes. */
#define WARM_MAX 64u

/* Smaller blocks are not worth a page of their own. */
#define BLOCK_LEN_MIN 4000u

struct memory_slab {
	struct memory_slab *next;
	uint8_t *pages;
};

struct header {
	alignas(max_align_t) size_t len;
	size_t pages;
};

struct memory_block {
	struct header header;
	struct memory_block *next; /**< While it is warm. */
};

/* Gives a class a slab to take fresh blocks from. */
static int add_slab(struct memory *m, size_t pages)
{
	struct memory_slab *slab = malloc(sizeof(*slab));
	if (!slab)
		return -1;
	slab->pages = aligned_alloc(PAGE_LEN, SLAB_LEN);
	if (!slab->pages) {
		free(slab);
		return -1;
	}
	slab->next = m->slabs;
	m->slabs = slab;
	m->classes[pages].fresh = slab->pages;
	m->classes[pages].fresh_left = SLAB_LEN / (pages * PAGE_LEN);
	return 0;
}

static void *take_block(struct memory *m, size_t pages)
{
	struct memory_class *class = &m->classes[pages];
	struct memory_block *block = class->warm;
	if (block) {
		class->warm = block->next;
		class->warm_count--;
		return block;
	}
	if (class->cold_count > 0)
		return class->cold[--class->cold_count];
	if (class->fresh_left == 0 && add_slab(m, pages) < 0)
		return NULL;
	void *fresh = class->fresh;
	class->fresh += pages * PAGE_LEN;
	class->fresh_left--;
	return fresh;
}

static size_t pages_of(size_t len)
{
	size_t pages = (len + sizeof(struct header) + PAGE_LEN - 1) / PAGE_LEN;
	return len >= BLOCK_LEN_MIN && pages <= MEMORY_PAGES_MAX ? pages : 0;
}

static void *allocate(struct memory *m, size_t len, size_t pages)
{
	if (len > SIZE_MAX / 2)
		return NULL;
	struct header *h = pages > 0 ? take_block(m, pages) : malloc(sizeof(*h) + len);
	if (!h)
		return NULL;
	*h = (struct header){ .len = len, .pages = pages };
	return h + 1;
}

/* Room for one more in the list of the cold, which cannot be kept in their own pages. */
static bool has_cold_room(struct memory_class *class)
{
	if (class->cold_count < class->cold_max)
		return true;
	size_t max = class->cold_max > 0 ? 2 * class->cold_max : WARM_MAX;
	void **cold = realloc(class->cold, max * sizeof(*cold));
	if (!cold)
		return false;
	class->cold = cold;
	class->cold_max = max;
	return true;
}

static void give_block(struct memory_class *class, struct header *h)
{
	if (class->warm_count >= WARM_MAX && has_cold_room(class)) {
		pages_discard(h, h->pages * PAGE_LEN);
		class->cold[class->cold_count++] = h;
		return;
	}
	struct memory_block *block = (struct memory_block *)(void *)h;
	block->next = class->warm;
	class->warm = block;
	class->warm_count++;
}

static void *memory_malloc(size_t len, void *user_data)
{
	return allocate(user_data, len, pages_of(len));
}

static void memory_free(void *ptr, void *user_data)
{
	if (!ptr)
		return;
	struct memory *m = user_data;
	struct header *h = (struct header *)ptr - 1;
	if (h->pages == 0)
		free(h);
	else
		give_block(&m->classes[h->pages], h);
}

static void *memory_calloc(size_t n, size_t len, void *user_data)
{
	size_t total;
	if (__builtin_mul_overflow(n, len, &total))
		return NULL;
	/* What is cleared is touched: nothing is won by slabs. */
	void *ptr = allocate(user_data, total, 0);
	if (ptr)
		memset(ptr, 0, total);
	return ptr;
}

static void *memory_realloc(void *ptr, size_t len, void *user_data)
{
	void *moved = memory_malloc(len, user_data);
	if (!moved || !ptr)
		return moved;
	const struct header *h = (const struct header *)ptr - 1;
	memcpy(moved, ptr, h->len < len ? h->len : len);
	memory_free(ptr, user_data);
	return moved;
}

void memory_init(struct memory *m)
{
	*m = (struct memory){ .mem = { .user_data = m,
				       .malloc = memory_malloc,
				       .free = memory_free,
				       .calloc = memory_calloc,
				       .realloc = memory_realloc } };
}

void memory_fini(struct memory *m)
{
	while (m->slabs) {
		struct memory_slab *next = m->slabs->next;
		free(m->slabs->pages);
		free(m->slabs);
		m->slabs = next;
	}
	for (size_t i = 0; i <= MEMORY_PAGES_MAX; i++)
		free(m->classes[i].cold);
}
