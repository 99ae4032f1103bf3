/* SPDX-License-Identifier: MIT */
/*
 * The timer wheel against a naive model: an array of times that is searched.
 */
#include "stack/wheel.h"

#include "../unit.h"
#include "base/array.h"
#include "base/rng.h"

#include <weft/loop.h>

#define MS       UINT64_C(1000000)
#define TIMERS   200u
#define RUNS     4000u
#define TIMES_OF 44u /* Bits of the farthest times: 5 hours. */

struct alarm {
	struct timer timer;
	uint64_t due; /* What the model thinks; 0 for not armed. */
	uint64_t fired_at;
	unsigned fired;
	struct alarm *rearm; /* Armed from the callback, at rearm_at. */
	uint64_t rearm_at;
	struct alarm *cancel;
};

static void ring(struct timer *timer, void *user, uint64_t now)
{
	struct alarm *alarm = container_of(timer, struct alarm, timer);
	assert_false(timer_is_armed(timer));
	alarm->fired++;
	alarm->fired_at = now;
	alarm->due = 0;
	if (alarm->rearm)
		wheel_arm(user, &alarm->rearm->timer, alarm->rearm_at);
	if (alarm->cancel)
		wheel_cancel(user, &alarm->cancel->timer);
}

static void fires_to_the_nanosecond(void **state)
{
	(void)state;
	struct wheel w;
	wheel_init(&w, &w, 5 * MS);
	struct alarm a = { .timer = { .fire = ring } };
	assert_true(wheel_next(&w) == WEFT_NEVER);
	const uint64_t times[] = { 5 * MS + 1,           5 * MS + 4095,
				   6 * MS + 77,          100 * MS + 1,
				   7 * 3600 * 1000 * MS, 300 * UINT64_C(86400000) * MS };
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		a.fired = 0;
		wheel_arm(&w, &a.timer, times[i]);
		uint64_t next = 0;
		unsigned turns = 0;
		while ((next = wheel_next(&w)) < times[i]) {
			wheel_run(&w, next);
			assert_int_equal(a.fired, 0);
			assert_true(++turns <= WHEEL_LEVELS);
		}
		assert_true(next == times[i]);
		wheel_run(&w, times[i] - 1);
		assert_int_equal(a.fired, 0);
		wheel_run(&w, times[i]);
		assert_int_equal(a.fired, 1);
		assert_true(wheel_next(&w) == WEFT_NEVER);
	}
}

static void is_due_at_once_when_armed_in_the_past(void **state)
{
	(void)state;
	struct wheel w;
	wheel_init(&w, &w, 1000 * MS);
	struct alarm a = { .timer = { .fire = ring } };
	wheel_arm(&w, &a.timer, 3);
	assert_true(wheel_next(&w) <= 1000 * MS);
	wheel_run(&w, 1000 * MS);
	assert_int_equal(a.fired, 1);
}

static void callbacks_may_arm_and_cancel(void **state)
{
	(void)state;
	struct wheel w;
	wheel_init(&w, &w, 0);
	struct alarm a = { .timer = { .fire = ring } };
	struct alarm b = { .timer = { .fire = ring } };
	/* Both are due; the first cancels the second and arms itself for at once. */
	a.rearm = &a;
	a.rearm_at = 0;
	a.cancel = &b;
	wheel_arm(&w, &a.timer, 10 * MS);
	wheel_arm(&w, &b.timer, 11 * MS);
	wheel_run(&w, 20 * MS);
	assert_int_equal(a.fired, 1);
	assert_int_equal(b.fired, 0);
	assert_true(wheel_next(&w) <= 20 * MS);
	a.rearm = NULL;
	wheel_run(&w, 20 * MS);
	assert_int_equal(a.fired, 2);
	assert_true(wheel_next(&w) == WEFT_NEVER);
	wheel_cancel(&w, &a.timer);
}

/* Everything that the model has due by now has fired at now, and nothing else. */
static void compare(struct alarm *alarms, uint64_t now, const uint64_t *due_before)
{
	for (size_t i = 0; i < TIMERS; i++) {
		bool is_due = due_before[i] != 0 && due_before[i] <= now;
		assert_int_equal(alarms[i].fired, is_due);
		assert_int_equal(timer_is_armed(&alarms[i].timer), alarms[i].due != 0);
		if (is_due)
			assert_true(alarms[i].fired_at == now);
		alarms[i].fired = 0;
	}
}

static uint64_t earliest(const struct alarm *alarms)
{
	uint64_t at = WEFT_NEVER;
	for (size_t i = 0; i < TIMERS; i++) {
		if (alarms[i].due && alarms[i].due < at)
			at = alarms[i].due;
	}
	return at;
}

static void behaves_as_the_model(void **state)
{
	(void)state;
	static struct alarm alarms[TIMERS];
	struct rng rng;
	struct wheel w;
	uint64_t now = 123456789;
	rng_init(&rng, test_seed());
	wheel_init(&w, &w, now);
	for (size_t i = 0; i < TIMERS; i++)
		alarms[i] = (struct alarm){ .timer = { .fire = ring } };
	for (unsigned run = 0; run < RUNS; run++) {
		uint64_t due[TIMERS];
		for (unsigned n = 0; n < 8; n++) {
			struct alarm *a = &alarms[rng_below(&rng, TIMERS)];
			if (rng_below(&rng, 4) == 0) {
				wheel_cancel(&w, &a->timer);
				a->due = 0;
				continue;
			}
			a->due =
				now +
				rng_below(&rng, UINT64_C(1) << rng_below(&rng, TIMES_OF));
			wheel_arm(&w, &a->timer, a->due);
		}
		for (size_t i = 0; i < TIMERS; i++)
			due[i] = alarms[i].due;
		uint64_t next = wheel_next(&w);
		assert_true(next <= earliest(alarms));
		if (next != WEFT_NEVER && next > now && rng_below(&rng, 2))
			now = next;
		else
			now += rng_below(&rng, UINT64_C(1) << rng_below(&rng, TIMES_OF));
		wheel_run(&w, now);
		compare(alarms, now, due);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fires_to_the_nanosecond),
		cmocka_unit_test(is_due_at_once_when_armed_in_the_past),
		cmocka_unit_test(callbacks_may_arm_and_cancel),
		cmocka_unit_test(behaves_as_the_model),
	};
	return cmocka_run_group_tests_name("wheel", tests, NULL, NULL);
}
