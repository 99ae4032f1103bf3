/* SPDX-License-Identifier: MIT */
/*
 * The list, the pool and the generator.
 */
#include "../unit.h"
#include "base/array.h"
#include "base/list.h"
#include "base/pool.h"
#include "base/rng.h"

#include <stdint.h>
#include <string.h>

struct item {
	char name;
	struct list node;
};

static void join_names(const struct list *head, char *out)
{
	list_for_each (node, head)
		*out++ = container_of(node, struct item, node)->name;
	*out = '\0';
}

static void list_keeps_order(void **state)
{
	(void)state;
	struct list head;
	struct item items[] = { { .name = 'a' }, { .name = 'b' }, { .name = 'c' } };
	char names[8];
	list_init(&head);
	assert_null(list_first(&head));
	list_push_back(&head, &items[1].node);
	list_push_back(&head, &items[2].node);
	list_push_front(&head, &items[0].node);
	join_names(&head, names);
	assert_string_equal(names, "abc");
	list_remove(&items[1].node);
	list_remove(&items[1].node); /* Twice is harmless. */
	assert_true(list_is_empty(&items[1].node));
	join_names(&head, names);
	assert_string_equal(names, "ac");
	assert_ptr_equal(list_pop_front(&head), &items[0].node);
	assert_ptr_equal(list_pop_front(&head), &items[2].node);
	assert_null(list_pop_front(&head));
}

static void list_walk_with_removal(void **state)
{
	(void)state;
	struct list head;
	struct item items[] = { { .name = 'a' }, { .name = 'b' }, { .name = 'c' } };
	char names[8];
	list_init(&head);
	for (size_t i = 0; i < ARRAY_LEN(items); i++)
		list_push_back(&head, &items[i].node);
	list_for_each (node, &head)
		if (container_of(node, struct item, node)->name != 'b')
			list_remove(node);
	join_names(&head, names);
	assert_string_equal(names, "b");
}

/* Blocks are apart from each other, the limit holds, and what is put back comes again. */
static void pool_holds_its_limit(void **state)
{
	(void)state;
	enum { LEN = 1000, MAX = 200 };
	struct pool pool;
	unsigned char *blocks[MAX];
	pool_init(&pool, LEN, MAX);
	for (unsigned i = 0; i < MAX; i++) {
		blocks[i] = pool_get(&pool);
		assert_non_null(blocks[i]);
		assert_int_equal((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
		memset(blocks[i], (int)i, LEN);
	}
	assert_null(pool_get(&pool));
	assert_int_equal(pool.in_use, MAX);
	for (unsigned i = 0; i < MAX; i++)
		for (unsigned j = 0; j < LEN; j++)
			assert_int_equal(blocks[i][j], i);
	pool_put(&pool, NULL);
	pool_put(&pool, blocks[7]);
	assert_ptr_equal(pool_get(&pool), blocks[7]);
	pool_fini(&pool);
	assert_non_null(pool_get(&pool)); /* Empty, and as good as new. */
	pool_fini(&pool);
}

static void pool_takes_large_blocks(void **state)
{
	(void)state;
	struct pool pool;
	pool_init(&pool, 200000, 2);
	void *a = pool_get(&pool), *b = pool_get(&pool);
	assert_true(a && b && a != b);
	assert_null(pool_get(&pool));
	pool_fini(&pool);
}

static void rng_is_the_published_one(void **state)
{
	(void)state;
	struct rng rng = { { 1, 2, 3, 4 } };
	/* xoshiro256++ from state 1, 2, 3, 4, worked out from its reference code. */
	static const uint64_t want[] = { 41943041, 58720359, 3588806011781223 };
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		assert_int_equal(rng_u64(&rng), want[i]);
}

static void rng_is_seeded_and_even(void **state)
{
	(void)state;
	struct rng a, b, c;
	rng_init(&a, 1);
	rng_init(&b, 1);
	rng_init(&c, 2);
	assert_int_equal(rng_u64(&a), rng_u64(&b));
	assert_int_not_equal(rng_u64(&a), rng_u64(&c));
	unsigned counts[10] = { 0 };
	double sum = 0;
	for (unsigned i = 0; i < 100000; i++) {
		counts[rng_below(&a, 10)]++;
		double x = rng_double(&a);
		assert_true(x >= 0 && x < 1);
		sum += x;
	}
	/* The seed is fixed, so these bounds (5 sigma and wider) hold always or never. */
	for (unsigned i = 0; i < 10; i++)
		assert_in_range(counts[i], 9500, 10500);
	assert_float_equal(sum / 100000, 0.5, 0.005);
	assert_int_equal(rng_below(&a, 1), 0);
	/* Taken modulo 3 * 2^62, the lowest third of 64 bits would come up half of the time. */
	unsigned low = 0;
	for (unsigned i = 0; i < 10000; i++)
		low += rng_below(&a, (uint64_t)3 << 62) < (uint64_t)1 << 62;
	assert_in_range(low, 3000, 3700);
	assert_true(rng_below(&a, UINT64_MAX) < UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(list_keeps_order),
		cmocka_unit_test(list_walk_with_removal),
		cmocka_unit_test(pool_holds_its_limit),
		cmocka_unit_test(pool_takes_large_blocks),
		cmocka_unit_test(rng_is_the_published_one),
		cmocka_unit_test(rng_is_seeded_and_even),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
