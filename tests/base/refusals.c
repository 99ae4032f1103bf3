/* SPDX-License-Identifier: MIT */
/*
 * However many are refused, what is told of them has a limit, and none is left out.
 */
#include "base/refusals.h"

#include "../unit.h"

#define START  (100 * NS_PER_S)
#define MINUTE REFUSALS_MINUTE_NS

static unsigned told(struct refusals *r, unsigned n, uint64_t now)
{
	unsigned told = 0;
	for (unsigned i = 0; i < n; i++)
		told += refusals_tell(r, now);
	return told;
}

static void a_few_are_told_one_by_one(void **state)
{
	struct refusals r = { 0 };
	(void)state;
	assert_int_equal(told(&r, REFUSALS_TOLD, START), REFUSALS_TOLD);
	assert_int_equal(refusals_rest(&r, START + MINUTE), 0);
}

static void of_many_the_number_is_told_once_a_minute(void **state)
{
	struct refusals r = { 0 };
	(void)state;
	assert_int_equal(told(&r, 5000, START), REFUSALS_TOLD);
	assert_int_equal(told(&r, 1000, START + MINUTE - 1), 0);
	assert_int_equal(refusals_rest(&r, START + MINUTE - 1), 0);
	assert_int_equal(refusals_rest(&r, START + MINUTE), 6000 - REFUSALS_TOLD);
	assert_int_equal(refusals_rest(&r, START + MINUTE), 0);
	assert_int_equal(told(&r, 20, START + MINUTE), REFUSALS_TOLD);
}

static void what_nobody_asked_for_in_time_is_not_lost(void **state)
{
	struct refusals r = { 0 };
	(void)state;
	(void)told(&r, REFUSALS_TOLD + 3, START);
	(void)told(&r, REFUSALS_TOLD + 4, START + MINUTE);
	assert_int_equal(refusals_rest(&r, START + 2 * MINUTE), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_few_are_told_one_by_one),
		cmocka_unit_test(of_many_the_number_is_told_once_a_minute),
		cmocka_unit_test(what_nobody_asked_for_in_time_is_not_lost),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
