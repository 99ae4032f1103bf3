/* SPDX-License-Identifier: MIT */
/*
 * The heap of deadlines against a naive model: a linear search for the smallest.
 */
#include "base/heap.h"

#include "../unit.h"
#include "base/rng.h"

#include <stdio.h>

#define NODES 100u

static uint64_t model_min(const struct heap_node *nodes)
{
	uint64_t min = UINT64_MAX;
	for (size_t i = 0; i < NODES; i++)
		if (heap_holds(&nodes[i]) && nodes[i].deadline < min)
			min = nodes[i].deadline;
	return min;
}

/* No node is earlier than its parent, and each knows its place. */
static void is_in_order(const struct heap *h)
{
	for (size_t i = 1; i <= h->count; i++) {
		const struct heap_entry *entry = &h->entries[i];
		assert_int_equal(entry->node->place, i);
		assert_int_equal(entry->node->deadline, entry->deadline);
		if (i > 1)
			assert_true(h->entries[i / 2].deadline <= entry->deadline);
	}
}

static void agrees_with_model(void **state)
{
	(void)state;
	struct rng rng;
	rng_init(&rng, test_seed());
	struct heap_node nodes[NODES] = { 0 };
	struct heap h = { 0 };
	for (unsigned i = 0; i < 20000; i++) {
		struct heap_node *node = &nodes[rng_below(&rng, NODES)];
		uint64_t deadline = rng_below(&rng, 1000);
		if (!heap_holds(node)) {
			node->deadline = deadline;
			assert_int_equal(heap_insert(&h, node), 0);
		} else if (rng_below(&rng, 2) == 0) {
			heap_remove(&h, node);
			assert_false(heap_holds(node));
		} else {
			heap_change(&h, node, deadline);
		}
		is_in_order(&h);
		const struct heap_node *min = heap_min(&h);
		assert_int_equal(min ? min->deadline : UINT64_MAX, model_min(nodes));
	}
	heap_fini(&h);
	for (size_t i = 0; i < NODES; i++)
		assert_false(heap_holds(&nodes[i]));
}

static void comes_out_sorted(void **state)
{
	(void)state;
	struct rng rng;
	rng_init(&rng, test_seed());
	struct heap_node nodes[NODES] = { 0 };
	struct heap h = { 0 };
	for (size_t i = 0; i < NODES; i++) {
		nodes[i].deadline = rng_u64(&rng);
		assert_int_equal(heap_insert(&h, &nodes[i]), 0);
	}
	uint64_t last = 0;
	for (size_t i = 0; i < NODES; i++) {
		struct heap_node *min = heap_min(&h);
		uint64_t deadline = min ? min->deadline : 0;
		assert_true(deadline >= last);
		last = deadline;
		heap_remove(&h, min);
		heap_remove(&h, min); /* Twice is harmless. */
	}
	assert_null(heap_min(&h));
	heap_fini(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_model),
		cmocka_unit_test(comes_out_sorted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
