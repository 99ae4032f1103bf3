/* SPDX-License-Identifier: MIT */
/*
 * Every block has a header in front of what ngtcp2 sees: its length, and where it came from.
 * Slabs and the cells in their leads are kept until the end; blocks and cells are used again,
 * the last one freed first.
 */
#include "quic/memory.h"

#include "io/pages.h"

#include <assert.h>
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

/*
 * Blocks from this length on have a lead: those of streams and of packets that are out. They stay
 * as long as their connection, where many others are of its handshake, and the page of a lead
 * that is taken is never given back.
 */
#define LED_LEN_MIN 10000u

/* All blocks of a class have a lead, or none. */
#define LED_PAGES_MIN 4u

#define STEP_LEN ((size_t)64)
#define LEAD_LEN (MEMORY_STEPS_MAX * STEP_LEN)

struct memory_slab {
	struct memory_slab *next;
	uint8_t *pages;
};

struct header {
	alignas(max_align_t) size_t len;
	uint32_t pages; /* Of a large block, its lead among them; else 0. */
	uint32_t steps; /* Of a cell; 0 for what malloc gave. */
};

struct memory_block {
	struct list node;   /* In use: of those with a lead to give. Free: of the warm. */
	bool lead_is_taken; /* For cells, and for ever. */
	struct header header;
};

struct memory_cell {
	struct header header;
	struct memory_cell *next; /* While it is free. */
};

#define UNLED_LEN_MAX ((LED_PAGES_MIN - 1) * PAGE_LEN)
static_assert(LED_LEN_MIN + sizeof(struct memory_block) <= UNLED_LEN_MAX &&
		      LEAD_LEN + LED_LEN_MIN > UNLED_LEN_MAX,
	      "what has a lead is of another class than what has none");

static size_t lead_len_of(size_t pages)
{
	return pages >= LED_PAGES_MIN ? LEAD_LEN : 0;
}

/* Where the pages of a block begin. */
static uint8_t *start_of(struct memory_block *block)
{
	return (uint8_t *)block - lead_len_of(block->header.pages);
}

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

static struct memory_block *take_fresh(struct memory *m, size_t pages)
{
	struct memory_class *class = &m->classes[pages];
	if (class->fresh_left == 0 && add_slab(m, pages) < 0)
		return NULL;
	void *fresh = class->fresh + lead_len_of(pages);
	struct memory_block *block = fresh;
	class->fresh += pages * PAGE_LEN;
	class->fresh_left--;
	block->lead_is_taken = false;
	return block;
}

static struct memory_block *take_free(struct memory *m, size_t pages)
{
	struct memory_class *class = &m->classes[pages];
	struct list *warm = list_pop_front(&class->warm);
	if (!warm)
		return class->cold_count > 0 ? class->cold[--class->cold_count]
					     : take_fresh(m, pages);
	class->warm_count--;
	return container_of(warm, struct memory_block, node);
}

static struct header *take_block(struct memory *m, size_t pages)
{
	struct memory_block *block = take_free(m, pages);
	if (!block)
		return NULL;
	list_init(&block->node);
	if (pages >= LED_PAGES_MIN && !block->lead_is_taken)
		list_push_back(&m->leads, &block->node);
	block->header = (struct header){ .pages = (uint32_t)pages };
	return &block->header;
}

static size_t pages_of(size_t len)
{
	const size_t lead_len = len >= LED_LEN_MIN ? LEAD_LEN : 0;
	const size_t all = lead_len + sizeof(struct memory_block) + len;
	const size_t pages = (all + PAGE_LEN - 1) / PAGE_LEN;
	return len >= BLOCK_LEN_MIN && pages <= MEMORY_PAGES_MAX ? pages : 0;
}

static void give_cell(struct memory *m, struct memory_cell *cell)
{
	struct memory_cell **cells = &m->cells[cell->header.steps];
	cell->next = *cells;
	*cells = cell;
}

/* Goes on in the lead that is there for longest: its block is likely to stay. */
static bool next_lead(struct memory *m)
{
	struct list *node = list_pop_front(&m->leads);
	if (!node)
		return false;
	struct memory_block *block = container_of(node, struct memory_block, node);
	block->lead_is_taken = true;
	m->lead = start_of(block);
	m->lead_left = LEAD_LEN;
	return true;
}

static struct memory_cell *take_fresh_cell(struct memory *m, size_t steps)
{
	const size_t len = steps * STEP_LEN;
	if (m->lead_left < len && !next_lead(m))
		return NULL;
	void *cell = m->lead;
	m->lead += len;
	m->lead_left -= len;
	return cell;
}

static struct header *take_cell(struct memory *m, size_t steps)
{
	struct memory_cell *cell = m->cells[steps];
	if (cell)
		m->cells[steps] = cell->next;
	else
		cell = take_fresh_cell(m, steps);
	if (!cell)
		return NULL;
	cell->header = (struct header){ .steps = (uint32_t)steps };
	return &cell->header;
}

static size_t steps_of(size_t len)
{
	const size_t steps = (sizeof(struct header) + len + STEP_LEN - 1) / STEP_LEN;
	return steps <= MEMORY_STEPS_MAX ? steps : 0;
}

static struct header *take_malloc(size_t len)
{
	struct header *h = malloc(sizeof(*h) + len);
	if (h)
		*h = (struct header){ 0 };
	return h;
}

static struct header *take(struct memory *m, size_t len, size_t pages)
{
	if (pages > 0)
		return take_block(m, pages);
	const size_t steps = steps_of(len);
	struct header *h = steps > 0 ? take_cell(m, steps) : NULL;
	return h ? h : take_malloc(len);
}

static void *allocate(struct memory *m, size_t len, size_t pages)
{
	struct header *h = len <= SIZE_MAX / 2 ? take(m, len, pages) : NULL;
	if (!h)
		return NULL;
	h->len = len;
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

/* Gives the pages back, but for one with cells. What else is read of it, lead_is_taken, is 0. */
static void discard(struct memory_block *block)
{
	const size_t kept = block->lead_is_taken ? PAGE_LEN : 0;
	pages_discard(start_of(block) + kept, block->header.pages * PAGE_LEN - kept);
}

static void give_block(struct memory *m, struct memory_block *block)
{
	struct memory_class *class = &m->classes[block->header.pages];
	list_remove(&block->node);
	if (class->warm_count >= WARM_MAX && has_cold_room(class)) {
		discard(block);
		class->cold[class->cold_count++] = block;
		return;
	}
	list_push_front(&class->warm, &block->node);
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
	if (h->pages > 0)
		give_block(m, container_of(h, struct memory_block, header));
	else if (h->steps > 0)
		give_cell(m, container_of(h, struct memory_cell, header));
	else
		free(h);
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
	list_init(&m->leads);
	for (size_t i = 0; i <= MEMORY_PAGES_MAX; i++)
		list_init(&m->classes[i].warm);
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
