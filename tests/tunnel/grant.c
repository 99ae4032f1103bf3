/* SPDX-License-Identifier: MIT */
/*
 * What a stream is given at once, by what it has carried.
 */
#include "tunnel/grant.h"

#include "../unit.h"
#include "packets.h"

#define START (100 * S)

/* Gives bytes in every millisecond of 20. */
static size_t after(size_t per_ms)
{
	struct grant g = { .since = START };
	for (uint64_t t = 1; t <= 20; t++)
		grant_gave(&g, per_ms, START + t * MS);
	return grant_len(&g);
}

static void it_is_what_goes_in_half_a_millisecond(void **state)
{
	(void)state;
	assert_int_equal(after(50000), 25000);
	assert_int_equal(after(125000), 62500);
}

static void it_has_bounds(void **state)
{
	(void)state;
	const struct grant unknown = { .since = 0 };
	assert_int_equal(grant_len(&unknown), GRANT_MIN);
	assert_int_equal(after(10), GRANT_MIN);
	assert_int_equal(after(10000000), GRANT_MAX);
}

static void nothing_is_as_long_as_what_a_shaper_saves_up_for(void **state)
{
	(void)state;
	assert_int_equal(after(25000), GRANT_MIN);
	assert_int_equal(after(2 * GRANT_CUT - 10), GRANT_MIN);
	assert_int_equal(after(2 * GRANT_CUT), GRANT_CUT);
}

static void a_pause_makes_it_careful(void **state)
{
	(void)state;
	struct grant g = { .since = START };
	for (uint64_t t = 1; t <= 20; t++)
		grant_gave(&g, 1000000, START + t * MS);
	assert_int_equal(grant_len(&g), GRANT_MAX);
	grant_gave(&g, 1000000, START + 10 * S);
	assert_int_equal(grant_len(&g), GRANT_MIN);
}

static void clocks_jump(void **state)
{
	(void)state;
	struct grant g = { .since = START };
	grant_gave(&g, SIZE_MAX / 4000000, START + 1000000 * S);
	assert_in_range(grant_len(&g), GRANT_MIN, GRANT_MAX);
	grant_gave(&g, 1000, START);
	assert_in_range(grant_len(&g), GRANT_MIN, GRANT_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_what_goes_in_half_a_millisecond),
		cmocka_unit_test(it_has_bounds),
		cmocka_unit_test(nothing_is_as_long_as_what_a_shaper_saves_up_for),
		cmocka_unit_test(a_pause_makes_it_careful),
		cmocka_unit_test(clocks_jump),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
