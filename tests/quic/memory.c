/* SPDX-License-Identifier: MIT */
/*
 * The allocator behind ngtcp2, compared with what was written into each block.
 */
#include "quic/memory.h"

#include "../unit.h"
#include "base/rng.h"

#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#define BLOCKS 200u

struct kept {
	uint8_t *ptr;
	size_t len;
	uint8_t mark;
};

static void check(const struct kept *k)
{
	for (size_t i = 0; i < k->len; i++)
		assert_int_equal(k->ptr[i], k->mark);
}

static size_t random_len(struct rng *rng)
{
	static const size_t lens[] = { 1,    100,  3999, 4000,  4080,
				       4081, 8176, 8177, 16384, 49000 };
	return lens[rng_below(rng, sizeof(lens) / sizeof(lens[0]))] + rng_below(rng, 50);
}

static void blocks_keep_what_is_written(void **state)
{
	(void)state;
	struct rng rng;
	struct memory m;
	struct kept kept[BLOCKS] = { { 0 } };
	rng_init(&rng, test_seed());
	memory_init(&m);
	for (unsigned i = 0; i < 5000; i++) {
		struct kept *k = &kept[rng_below(&rng, BLOCKS)];
		check(k);
		switch (rng_below(&rng, 3)) {
		case 0:
			m.mem.free(k->ptr, m.mem.user_data);
			*k = (struct kept){ .ptr = NULL };
			break;
		case 1: {
			size_t len = random_len(&rng);
			uint8_t *ptr = m.mem.realloc(k->ptr, len, m.mem.user_data);
			assert_non_null(ptr);
			size_t same = len < k->len ? len : k->len;
			*k = (struct kept){ .ptr = ptr, .len = same, .mark = k->mark };
			check(k);
			k->len = len;
			k->mark = (uint8_t)i;
			memset(ptr, k->mark, len);
			break;
		}
		default:
			m.mem.free(k->ptr, m.mem.user_data);
			k->len = random_len(&rng);
			k->mark = 0;
			k->ptr = m.mem.calloc(1, k->len, m.mem.user_data);
			assert_non_null(k->ptr);
			check(k);
		}
	}
	for (unsigned i = 0; i < BLOCKS; i++) {
		check(&kept[i]);
		m.mem.free(kept[i].ptr, m.mem.user_data);
	}
	memory_fini(&m);
}

static void blocks_are_aligned_and_used_again(void **state)
{
	(void)state;
	struct memory m;
	memory_init(&m);
	void *a = m.mem.malloc(5000, m.mem.user_data);
	void *b = m.mem.malloc(5000, m.mem.user_data);
	assert_int_equal((uintptr_t)a % 16, 0);
	assert_int_equal((uintptr_t)b - (uintptr_t)a, 8192);
	m.mem.free(a, m.mem.user_data);
	assert_ptr_equal(m.mem.malloc(6000, m.mem.user_data), a);
	m.mem.free(NULL, m.mem.user_data);
	memory_fini(&m);
}

static bool is_resident(const void *block)
{
	unsigned char page;
	uint8_t *start = (uint8_t *)((uintptr_t)block & ~(uintptr_t)4095);
	assert_int_equal(mincore(start, 1, &page), 0);
	return page & 1;
}

/* A crowd goes, and leaves room for a few. What comes back finds its old blocks. */
static void many_free_blocks_give_their_pages_back(void **state)
{
	(void)state;
	struct memory m;
	void *blocks[500];
	const size_t n = sizeof(blocks) / sizeof(blocks[0]);
	memory_init(&m);
	for (size_t i = 0; i < n; i++) {
		blocks[i] = m.mem.malloc(5000, m.mem.user_data);
		memset(blocks[i], 1, 5000);
	}
	for (size_t i = 0; i < n; i++)
		m.mem.free(blocks[i], m.mem.user_data);
	size_t resident = 0;
	for (size_t i = 0; i < n; i++)
		resident += is_resident(blocks[i]) ? 1 : 0;
	assert_in_range(resident, 1, 100);
	for (size_t i = 0; i < n; i++) {
		uint8_t *block = m.mem.malloc(5000, m.mem.user_data);
		size_t k = 0;
		while (k < n && blocks[k] != block)
			k++;
		assert_in_range(k, 0, n - 1);
		blocks[k] = NULL;
		memset(block, 2, 5000);
	}
	memory_fini(&m);
}

static void what_cannot_be_is_refused(void **state)
{
	(void)state;
	struct memory m;
	memory_init(&m);
	assert_null(m.mem.malloc(SIZE_MAX - 8, m.mem.user_data));
	assert_null(m.mem.calloc(SIZE_MAX / 2, 3, m.mem.user_data));
	memory_fini(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_keep_what_is_written),
		cmocka_unit_test(blocks_are_aligned_and_used_again),
		cmocka_unit_test(many_free_blocks_give_their_pages_back),
		cmocka_unit_test(what_cannot_be_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
