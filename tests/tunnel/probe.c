/* SPDX-License-Identifier: MIT */
/*
 * Questions in virtual time: when they are asked, and what their answers come to.
 */
#include "tunnel/probe.h"

#include "../unit.h"
#include "packets.h"

#define START (100 * S)

/* Asks, and is answered after rtt; 0: never. Returns when it was asked. */
static uint64_t ask(struct probe *p, uint64_t rtt)
{
	uint64_t now = p->due > START ? p->due : START;
	uint32_t id;
	assert_true(probe_ask(p, now, &id));
	assert_int_not_equal(id, 0);
	if (rtt > 0)
		assert_true(probe_answer(p, id, now + rtt));
	return now;
}

static void five_each_second_then_each_ten(void **state)
{
	(void)state;
	static const uint64_t due_s[] = { 0, 1, 2, 3, 4, 14, 24, 34 };
	struct probe p = { .due = 0 };
	size_t n = 0;
	uint32_t id;
	for (uint64_t s = 0; s < 40; s++) {
		if (!probe_ask(&p, START + s * S, &id))
			continue;
		assert_true(n < 8);
		assert_int_equal(s, due_s[n]);
		n++;
		assert_int_equal(id, n);
	}
	assert_int_equal(n, 8);
}

static void nothing_is_known_before_an_answer(void **state)
{
	(void)state;
	struct probe p = { .due = 0 };
	uint64_t now = ask(&p, 0);
	assert_false(probe_result(&p, now).is_measured);
	assert_int_equal(probe_result(&p, now + 5 * S).loss_permille, 0);
	assert_int_equal(probe_result(&p, now + 5 * S + 1).loss_permille, 1000);
}

static void the_mean_is_that_of_the_best_six(void **state)
{
	(void)state;
	static const uint64_t ms[] = { 900, 10, 20, 30, 40, 50, 60, 800 };
	struct probe p = { .due = 0 };
	uint64_t now = 0;
	for (size_t i = 0; i < 8; i++)
		now = ask(&p, ms[i] * MS);
	struct probe_result r = probe_result(&p, now + S);
	assert_true(r.is_measured);
	assert_int_equal(r.rtt_ns, 35 * MS);
	assert_int_equal(r.loss_permille, 0);
	(void)ask(&p, 4 * MS); /* takes the place of the first, 900 ms */
	assert_int_equal(probe_result(&p, now).rtt_ns,
			 (4 + 10 + 20 + 30 + 40 + 50) * MS / 6);
}

static void a_few_answers_will_do(void **state)
{
	(void)state;
	struct probe p = { .due = 0 };
	(void)ask(&p, 10 * MS);
	uint64_t now = ask(&p, 30 * MS);
	assert_int_equal(probe_result(&p, now).rtt_ns, 20 * MS);
}

static void what_is_late_is_lost(void **state)
{
	(void)state;
	struct probe p = { .due = 0 };
	(void)ask(&p, 10 * MS);
	uint64_t now = ask(&p, 0);
	assert_false(probe_answer(&p, 2, now + 5 * S + 1));
	struct probe_result r = probe_result(&p, now + 6 * S);
	assert_int_equal(r.loss_permille, 500);
	assert_int_equal(r.rtt_ns, 10 * MS);
}

static void only_an_answer_that_waits_is_one(void **state)
{
	(void)state;
	struct probe p = { .due = 0 };
	uint64_t now = ask(&p, 10 * MS);
	assert_false(probe_answer(&p, 1, now + 20 * MS)); /* a second time */
	assert_false(probe_answer(&p, 0, now));
	assert_false(probe_answer(&p, 9, now)); /* the same place as 1 */
	assert_false(probe_answer(&p, UINT32_MAX, now));
	assert_int_equal(probe_result(&p, now).rtt_ns, 10 * MS);
}

/* Back: no answer has a time. Far ahead: one question is lost, and the next is asked. */
static void clocks_jump(void **state)
{
	(void)state;
	struct probe p = { .due = 0 };
	uint64_t now = ask(&p, 0);
	uint32_t id;
	assert_false(probe_answer(&p, 1, now - 50 * S));
	assert_false(probe_result(&p, now - 50 * S).is_measured);
	assert_int_equal(probe_result(&p, 0).loss_permille, 0);
	now += 1000000 * S;
	assert_true(probe_ask(&p, now, &id));
	assert_true(probe_answer(&p, id, now + MS));
	assert_int_equal(probe_result(&p, now).loss_permille, 500);
	assert_int_equal(probe_result(&p, now).rtt_ns, MS);
}

static void numbers_begin_anew_without_zero(void **state)
{
	(void)state;
	struct probe p = { .last_id = PROBE_ID_MAX };
	uint32_t id;
	assert_true(probe_ask(&p, START, &id));
	assert_int_equal(id, 1);
}

/* A late answer is one as well: the way is slow, and not dead. */
static void what_goes_unanswered_is_counted_from_the_first(void **state)
{
	(void)state;
	struct probe p = { .due = 0 };
	assert_int_equal(probe_unanswered(&p, START), 0);
	assert_int_equal(ask(&p, 0), START);
	assert_int_equal(ask(&p, 0), START + S);
	assert_int_equal(probe_unanswered(&p, START + 70 * S), 70 * S);
	assert_int_equal(probe_unanswered(&p, START - S), 0);
	assert_false(probe_answer(&p, 0, START + 70 * S));
	assert_false(probe_answer(&p, 3, START + 70 * S)); /* nobody asked that */
	assert_int_equal(probe_unanswered(&p, START + 70 * S), 70 * S);
	assert_false(probe_answer(&p, 1, START + 70 * S));
	assert_int_equal(probe_unanswered(&p, START + 70 * S), 0);
	assert_int_equal(ask(&p, 0), START + 2 * S);
	assert_int_equal(probe_unanswered(&p, START + 90 * S), 88 * S);
	probe_forgive(&p);
	assert_int_equal(probe_unanswered(&p, START + 90 * S), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(five_each_second_then_each_ten),
		cmocka_unit_test(nothing_is_known_before_an_answer),
		cmocka_unit_test(the_mean_is_that_of_the_best_six),
		cmocka_unit_test(a_few_answers_will_do),
		cmocka_unit_test(what_is_late_is_lost),
		cmocka_unit_test(only_an_answer_that_waits_is_one),
		cmocka_unit_test(clocks_jump),
		cmocka_unit_test(numbers_begin_anew_without_zero),
		cmocka_unit_test(what_goes_unanswered_is_counted_from_the_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
