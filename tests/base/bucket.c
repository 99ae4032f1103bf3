/* SPDX-License-Identifier: MIT */
/*
 * Token buckets: so many at once, then one per interval, and never more saved up; whatever the
 * clock says when they begin.
 */
#include "base/bucket.h"

#include "../unit.h"
#include "base/time.h"

static unsigned take_all(struct bucket *b, uint64_t now)
{
	unsigned n = 0;
	while (n < 1000 && bucket_take(b, 1, now))
		n++;
	return n;
}

static void gives_what_has_been_saved(void **state)
{
	(void)state;
	const uint64_t beginnings[] = { 0, 1, NS_PER_S, 1000000 * NS_PER_S };
	for (unsigned i = 0; i < 4; i++) {
		uint64_t now = beginnings[i];
		struct bucket b = bucket_of(10, 3);
		assert_int_equal(take_all(&b, now), 3);
		assert_false(bucket_take(&b, 1, now + NS_PER_S / 10 - 1));
		assert_true(bucket_take(&b, 1, now + NS_PER_S / 10));
		assert_false(bucket_take(&b, 1, now + NS_PER_S / 10));
		assert_int_equal(take_all(&b, now + 3600 * NS_PER_S), 3);
	}
}

static void several_at_once_or_none(void **state)
{
	(void)state;
	struct bucket b = bucket_of(1000, 1500);
	assert_false(bucket_take(&b, 1501, 0));
	assert_true(bucket_take(&b, 1500, 0));
	assert_false(bucket_take(&b, 1000, NS_PER_S - 1));
	assert_true(bucket_take(&b, 1000, NS_PER_S));
}

static void without_a_limit(void **state)
{
	(void)state;
	struct bucket none = bucket_of(0, 0), zero = { 0 };
	assert_int_equal(take_all(&none, 0), 1000);
	assert_int_equal(take_all(&zero, 0), 1000);
	assert_true(bucket_take(&none, UINT32_MAX, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_what_has_been_saved),
		cmocka_unit_test(several_at_once_or_none),
		cmocka_unit_test(without_a_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
