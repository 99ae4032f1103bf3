/* SPDX-License-Identifier: MIT */
/*
 * Jitter and loss of a path, from what QUIC knows of it.
 */
#include "quic/quality.h"

#include "../unit.h"

#define MS UINT64_C(1000000)
#define S  (1000 * MS)

/* A sender that smooths as RFC 9002, 5.3 has it, and is looked at after each sample. */
struct sender {
	struct quality q;
	uint64_t smoothed_ns;
};

static void measure(struct sender *s, uint64_t sample_ns, uint64_t held_back_ns)
{
	s->smoothed_ns =
		s->smoothed_ns ? (s->smoothed_ns * 7 + sample_ns) / 8 : sample_ns;
	quality_on_trip(&s->q, sample_ns + held_back_ns, s->smoothed_ns);
}

static void a_steady_path_has_no_jitter(void **state)
{
	struct sender s = { .smoothed_ns = 0 };
	(void)state;
	for (unsigned i = 0; i < 100; i++)
		measure(&s, 20 * MS, 0);
	assert_in_range(quality_jitter_ns(&s.q), 0, 10);
}

static void what_the_peer_holds_back_is_no_jitter(void **state)
{
	struct sender s = { .smoothed_ns = 0 };
	(void)state;
	for (unsigned i = 0; i < 100; i++)
		measure(&s, 20 * MS, i % 2 ? 25 * MS : 0);
	assert_in_range(quality_jitter_ns(&s.q), 0, 10);
}

static void trips_that_differ_by_so_much_have_that_jitter(void **state)
{
	struct sender s = { .smoothed_ns = 0 };
	(void)state;
	for (unsigned i = 0; i < 200; i++)
		measure(&s, i % 2 ? 24 * MS : 20 * MS, 0);
	assert_in_range(quality_jitter_ns(&s.q), 39 * MS / 10, 41 * MS / 10);
}

static void one_outlier_counts_a_sixteenth_twice(void **state)
{
	struct sender s = { .smoothed_ns = 0 };
	(void)state;
	measure(&s, 20 * MS, 0);
	measure(&s, 20 * MS, 1);
	measure(&s, 36 * MS, 0);
	assert_in_range(quality_jitter_ns(&s.q), MS - 10, MS + 10);
	measure(&s, 20 * MS, 0);
	assert_in_range(quality_jitter_ns(&s.q), 2 * MS - MS / 16 - 10, 2 * MS);
}

static void the_same_look_twice_is_one_sample(void **state)
{
	struct quality q = { 0 };
	(void)state;
	quality_on_trip(&q, 20 * MS, 20 * MS);
	quality_on_trip(&q, 28 * MS, 21 * MS);
	const uint64_t jitter_ns = quality_jitter_ns(&q);
	for (unsigned i = 0; i < 100; i++)
		quality_on_trip(&q, 28 * MS, 21 * MS);
	assert_int_equal(jitter_ns, 8 * MS / 16);
	assert_int_equal(quality_jitter_ns(&q), jitter_ns);
}

static void a_new_path_is_no_jitter_of_the_old_one(void **state)
{
	struct quality q = { 0 };
	(void)state;
	quality_on_trip(&q, 20 * MS, 20 * MS);
	quality_on_trip(&q, 0, 333 * MS);
	quality_on_trip(&q, 120 * MS, 120 * MS);
	assert_int_equal(quality_jitter_ns(&q), 0);
}

static void loss_is_that_of_late(void **state)
{
	struct quality q = { 0 };
	(void)state;
	quality_on_counts(&q, 0, 0, S);
	quality_on_counts(&q, 1000, 100, 20 * S);
	assert_int_equal(quality_sent(&q), 1000);
	assert_int_equal(quality_lost(&q), 100);
	quality_on_counts(&q, 2000, 100, 31 * S);
	assert_int_equal(quality_lost(&q), 100);
	quality_on_counts(&q, 3000, 100, 61 * S);
	assert_int_equal(quality_sent(&q), 1000);
	assert_int_equal(quality_lost(&q), 0);
}

static void never_more_is_lost_than_was_sent(void **state)
{
	struct quality q = { 0 };
	(void)state;
	quality_on_counts(&q, 1000, 0, S);
	quality_on_counts(&q, 1000, 0, 40 * S);
	quality_on_counts(&q, 1000, 0, 80 * S);
	quality_on_counts(&q, 1002, 30, 81 * S);
	assert_int_equal(quality_sent(&q), 2);
	assert_int_equal(quality_lost(&q), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_steady_path_has_no_jitter),
		cmocka_unit_test(what_the_peer_holds_back_is_no_jitter),
		cmocka_unit_test(trips_that_differ_by_so_much_have_that_jitter),
		cmocka_unit_test(one_outlier_counts_a_sixteenth_twice),
		cmocka_unit_test(the_same_look_twice_is_one_sample),
		cmocka_unit_test(a_new_path_is_no_jitter_of_the_old_one),
		cmocka_unit_test(loss_is_that_of_late),
		cmocka_unit_test(never_more_is_lost_than_was_sent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
