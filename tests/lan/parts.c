/* SPDX-License-Identifier: MIT */
/*
 * Frames in two parts: any order, any mixture, what is lost, what comes twice; and against
 * a model that forgets nothing.
 */
#include "lan/parts.h"

#include "../unit.h"
#include "base/rng.h"

#include <errno.h>
#include <string.h>

#define MS UINT64_C(1000000)

static uint8_t bytes[2048];
static uint8_t whole[PARTS_FRAME_MAX]; /* of the last take that gave one */

static int take(struct parts *parts, enum overlay_type type, uint16_t number, size_t off,
		size_t len, uint64_t now)
{
	const struct overlay_hdr hdr = { .type = (uint8_t)type, .number = number };
	return parts_take(parts, &hdr, bytes + off, len, now, whole);
}

static void in_order_or_not(void **state)
{
	(void)state;
	struct parts parts = { 0 };
	assert_int_equal(take(&parts, OVERLAY_FIRST, 1, 0, 1000, 0), 0);
	assert_int_equal(take(&parts, OVERLAY_LAST, 1, 1000, 518, 0), 1518);
	assert_memory_equal(whole, bytes, 1518);
	memset(whole, 0, sizeof(whole));
	assert_int_equal(take(&parts, OVERLAY_LAST, 2, 1000, 518, 0), 0);
	assert_int_equal(take(&parts, OVERLAY_FIRST, 2, 0, 1000, 0), 1518);
	assert_memory_equal(whole, bytes, 1518);
	assert_int_equal(parts.n, 0);
	assert_int_equal(parts.lost, 0);
}

static void what_is_late_is_lost(void **state)
{
	(void)state;
	struct parts parts = { 0 };
	assert_int_equal(take(&parts, OVERLAY_FIRST, 1, 0, 100, 0), 0);
	assert_int_equal(take(&parts, OVERLAY_FIRST, 2, 0, 100, 10 * MS), 0);
	assert_int_equal(take(&parts, OVERLAY_LAST, 1, 100, 1, 51 * MS), 0);
	assert_int_equal(take(&parts, OVERLAY_LAST, 2, 100, 1, 51 * MS), 101);
	assert_int_equal(parts.lost, 1);
	assert_int_equal(parts.n, 1);
	assert_int_equal(take(&parts, OVERLAY_FIRST, 3, 0, 100, 102 * MS), 0);
	assert_int_equal(parts.n, 1);
	assert_int_equal(parts.lost, 2);
	parts_fini(&parts);
}

static void the_same_part_again_begins_anew(void **state)
{
	(void)state;
	struct parts parts = { 0 };
	assert_int_equal(take(&parts, OVERLAY_FIRST, 1, 7, 100, 0), 0);
	assert_int_equal(take(&parts, OVERLAY_FIRST, 1, 0, 50, 0), 0);
	assert_int_equal(parts.n, 1);
	assert_int_equal(parts.lost, 1);
	assert_int_equal(take(&parts, OVERLAY_LAST, 1, 50, 50, 0), 100);
	assert_memory_equal(whole, bytes, 100);
}

static void only_so_many_wait(void **state)
{
	(void)state;
	struct parts parts = { 0 };
	for (uint16_t i = 0; i <= PARTS_MAX; i++)
		assert_int_equal(take(&parts, OVERLAY_FIRST, i, 0, 100, 0), 0);
	assert_int_equal(parts.n, PARTS_MAX);
	assert_int_equal(parts.lost, 1);
	assert_int_equal(take(&parts, OVERLAY_LAST, 1, 100, 1, 0), 101);
	assert_int_equal(take(&parts, OVERLAY_LAST, 0, 100, 1, 0), 0);
	parts_fini(&parts);
	assert_int_equal(parts.n, 0);
}

static void too_long_together(void **state)
{
	(void)state;
	struct parts parts = { 0 };
	assert_int_equal(take(&parts, OVERLAY_FIRST, 1, 0, PARTS_FRAME_MAX + 1, 0),
			 -EMSGSIZE);
	assert_int_equal(parts.n, 0);
	assert_int_equal(take(&parts, OVERLAY_FIRST, 1, 0, PARTS_FRAME_MAX - 1, 0), 0);
	assert_int_equal(take(&parts, OVERLAY_LAST, 1, 0, 2, 0), -EMSGSIZE);
	assert_int_equal(parts.n, 0);
	assert_int_equal(take(&parts, OVERLAY_FIRST, 2, 0, PARTS_FRAME_MAX - 1, 0), 0);
	assert_int_equal(take(&parts, OVERLAY_LAST, 2, 0, 1, 0), PARTS_FRAME_MAX);
}

/* Few frames under way, in any order: each is whole exactly when its second part comes. */
static void any_order(void **state)
{
	(void)state;
	struct parts parts = { 0 };
	struct rng rng;
	unsigned came[PARTS_MAX] = { 0 }; /* 1: the first, 2: the last */
	rng_init(&rng, test_seed());
	for (unsigned n = 0; n < 100000; n++) {
		uint16_t i = (uint16_t)rng_below(&rng, PARTS_MAX);
		unsigned part = came[i] ? 3 - came[i] : 1 + (unsigned)rng_below(&rng, 2);
		size_t cut = 700 + i;
		int r = part == 1 ? take(&parts, OVERLAY_FIRST, i, i, cut, n)
				  : take(&parts, OVERLAY_LAST, i, i + cut, 500, n);
		assert_int_equal(r, came[i] ? cut + 500 : 0);
		if (came[i])
			assert_memory_equal(whole, bytes + i, cut + 500);
		came[i] = came[i] ? 0 : part;
	}
	assert_int_equal(parts.lost, 0);
	parts_fini(&parts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_order_or_not),
		cmocka_unit_test(what_is_late_is_lost),
		cmocka_unit_test(the_same_part_again_begins_anew),
		cmocka_unit_test(only_so_many_wait),
		cmocka_unit_test(too_long_together),
		cmocka_unit_test(any_order),
	};
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
