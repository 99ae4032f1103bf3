/* SPDX-License-Identifier: MIT */
/*
 * The hash table against a naive model: an array indexed by the key. Keys are few, so that
 * sets, replacements and removals meet each other often, and probe runs wrap around.
 */
#include "base/table.h"

#include "../unit.h"
#include "base/rng.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define KEYS 300u
#define MAX  200u

static const uint8_t secret[HASH_SECRET_LEN] = "a table's secret";

struct key {
	uint8_t bytes[7];
};

static struct key make_key(size_t i)
{
	struct key key = { { 0 } };
	memcpy(key.bytes + 1, &i, 4);
	return key;
}

static size_t key_index(const void *key)
{
	size_t i = 0;
	memcpy(&i, (const char *)key + 1, 4);
	return i;
}

static void same_as_model(const struct table *t, void *const model[KEYS])
{
	size_t count = 0, walked = 0;
	for (size_t i = 0; i < KEYS; i++) {
		struct key key = make_key(i);
		assert_ptr_equal(table_get(t, &key), model[i]);
		count += model[i] != NULL;
	}
	assert_int_equal(table_count(t), count);
	struct table_iter it;
	const void *key;
	void *value;
	for (table_iter_init(&it, t); table_iter_next(&it, &key, &value); walked++)
		assert_ptr_equal(value, model[key_index(key)]);
	assert_int_equal(walked, count);
}

/* One random step on both; what the table answers must follow from the model. */
static void step(struct table *t, void *model[KEYS], struct rng *rng)
{
	static char values[8];
	size_t i = rng_below(rng, KEYS);
	struct key key = make_key(i);
	if (rng_below(rng, 2) == 0) {
		assert_ptr_equal(table_remove(t, &key), model[i]);
		model[i] = NULL;
		return;
	}
	void *value = &values[rng_below(rng, 8)];
	int want = model[i] ? 0 : table_count(t) == MAX ? -ENOSPC : 1;
	assert_int_equal(table_set(t, &key, value), want);
	if (want >= 0)
		model[i] = value;
}

static void agrees_with_model(void **state)
{
	(void)state;
	struct rng rng;
	rng_init(&rng, test_seed());
	void *model[KEYS] = { 0 };
	struct table *t;
	assert_int_equal(table_new(sizeof(struct key), MAX, secret, &t), 0);
	for (unsigned i = 0; i < 20000; i++) {
		step(t, model, &rng);
		if (i % 100 == 0)
			same_as_model(t, model);
	}
	same_as_model(t, model);
	table_free(t);
}

static void holds_its_limit(void **state)
{
	(void)state;
	struct table *t;
	int value;
	assert_int_equal(table_new(sizeof(struct key), 12, secret, &t), 0);
	for (size_t i = 0; i < 12; i++) {
		struct key key = make_key(i);
		assert_int_equal(table_set(t, &key, &value), 1);
	}
	struct key one_more = make_key(12), known = make_key(3);
	assert_int_equal(table_set(t, &one_more, &value), -ENOSPC);
	assert_int_equal(table_set(t, &known, &value), 0);
	assert_ptr_equal(table_remove(t, &known), &value);
	assert_null(table_remove(t, &known));
	assert_int_equal(table_set(t, &one_more, &value), 1);
	table_free(t);
}

static struct table *filled_table(size_t n, struct rng *rng)
{
	static int value;
	struct table *t;
	uint8_t round_secret[HASH_SECRET_LEN] = { (uint8_t)rng_u64(rng) };
	assert_int_equal(table_new(sizeof(struct key), KEYS, round_secret, &t), 0);
	for (size_t i = 0; i < n; i++) {
		struct key key = make_key(i);
		assert_int_equal(table_set(t, &key, &value), 1);
	}
	return t;
}

/* Walks over t and removes two entries of three, each while it is the present one. */
static size_t walk_and_remove(struct table *t, struct rng *rng, unsigned seen[KEYS])
{
	struct table_iter it;
	const void *key;
	void *value;
	size_t removed = 0;
	for (table_iter_init(&it, t); table_iter_next(&it, &key, &value);) {
		struct key copy;
		memcpy(&copy, key, sizeof(copy));
		seen[key_index(key)]++;
		if (rng_below(rng, 3) > 0)
			removed += table_remove(t, &copy) == value;
	}
	return removed;
}

/* Each entry is seen exactly once, although the walk removes some. */
static void walk_with_removal(void **state)
{
	(void)state;
	struct rng rng;
	rng_init(&rng, test_seed());
	for (unsigned round = 0; round < 300; round++) {
		unsigned seen[KEYS] = { 0 };
		size_t n = rng_below(&rng, KEYS + 1);
		struct table *t = filled_table(n, &rng);
		size_t removed = walk_and_remove(t, &rng, seen);
		for (size_t i = 0; i < KEYS; i++)
			assert_int_equal(seen[i], i < n ? 1 : 0);
		assert_int_equal(table_count(t), n - removed);
		table_free(t);
	}
}

/* SipHash-2-4 of 00 01 .. 0e under key 00 01 .. 0f, from the authors' paper, appendix A. */
static void hash_is_siphash(void **state)
{
	(void)state;
	uint8_t key[HASH_SECRET_LEN], data[15];
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	memcpy(data, key, sizeof(data));
	static const uint8_t want[] = { 0xe5, 0x45, 0xbe, 0x49, 0x61, 0xca, 0x29, 0xa1 };
	uint64_t hash = hash_bytes(key, data, sizeof(data));
	assert_memory_equal(&hash, want, sizeof(want));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_model),
		cmocka_unit_test(holds_its_limit),
		cmocka_unit_test(walk_with_removal),
		cmocka_unit_test(hash_is_siphash),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
