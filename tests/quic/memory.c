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
	static const size_t lens[] = { 1,    100,  1000, 3030, 3999,  4000,  4080,
				       4081, 8176, 8177, 9990, 12184, 16384, 49000 };
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

static uint8_t *page_of(const void *block)
{
	return (uint8_t *)((uintptr_t)block & ~(uintptr_t)4095);
}

static bool is_resident(const void *block)
{
	unsigned char page;
	assert_int_equal(mincore(page_of(block), 1, &page), 0);
	return page & 1;
}

static void small_blocks_lie_before_the_longest(void **state)
{
	(void)state;
	struct memory m;
	memory_init(&m);
	uint8_t *large = m.mem.malloc(12184, m.mem.user_data);
	uint8_t *a = m.mem.malloc(1000, m.mem.user_data);
	uint8_t *b = m.mem.calloc(1, 1900, m.mem.user_data);
	assert_ptr_equal(page_of(a), page_of(large));
	assert_ptr_equal(page_of(b), page_of(large));
	assert_true(a + 1000 <= b && b + 1900 <= large);
	m.mem.free(a, m.mem.user_data);
	assert_ptr_equal(m.mem.malloc(960, m.mem.user_data), a);

	uint8_t *elsewhere = m.mem.malloc(1000, m.mem.user_data);
	assert_ptr_not_equal(page_of(elsewhere), page_of(large));
	m.mem.free(elsewhere, m.mem.user_data);
	memory_fini(&m);
}

/* Those before which small ones lie keep the page of these, and no other. */
static void small_blocks_stay_when_large_ones_go(void **state)
{
	(void)state;
	struct memory m;
	uint8_t *large[200], *small[200];
	const size_t n = sizeof(large) / sizeof(large[0]);
	memory_init(&m);
	for (size_t i = 0; i < n; i++) {
		large[i] = m.mem.malloc(12184, m.mem.user_data);
		small[i] = m.mem.malloc(3000, m.mem.user_data);
		assert_ptr_equal(page_of(small[i]), page_of(large[i]));
		memset(large[i], 1, 12184);
		memset(small[i], (int)i, 3000);
	}
	size_t resident = 0;
	for (size_t i = 0; i < n; i++)
		m.mem.free(large[i], m.mem.user_data);
	for (size_t i = 0; i < n; i++) {
		check(&(struct kept){ small[i], 3000, (uint8_t)i });
		resident += is_resident(large[i] + 4096) ? 1 : 0;
	}
	assert_in_range(resident, 1, 100);

	/* They come back without a lead to give, for it is in use. */
	for (size_t i = 0; i < n; i++)
		large[i] = m.mem.malloc(12184, m.mem.user_data);
	uint8_t *elsewhere = m.mem.malloc(3000, m.mem.user_data);
	memset(elsewhere, 0xff, 3000);
	for (size_t i = 0; i < n; i++)
		check(&(struct kept){ small[i], 3000, (uint8_t)i });
	m.mem.free(elsewhere, m.mem.user_data);
	memory_fini(&m);
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
		cmocka_unit_test(small_blocks_lie_before_the_longest),
		cmocka_unit_test(small_blocks_stay_when_large_ones_go),
		cmocka_unit_test(many_free_blocks_give_their_pages_back),
		cmocka_unit_test(what_cannot_be_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
