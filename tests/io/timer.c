/* SPDX-License-Identifier: MIT */
/*
 * The loop's timer by itself. libuv's descriptor (uv_backend_fd) is readable when uv_run
 * would wake, which is how the tests see that a timer is quiet.
 */
#include "io/timer.h"

#include "../unit.h"

#include <weft/loop.h>

#include <poll.h>

#define MS ((uint64_t)1000000)

/* Longer than any test lasts. */
#define HOUR (3600000 * MS)

struct fixture {
	uv_loop_t uv;
	struct timer *timer;
};

static int set_up(void **state)
{
	static struct fixture f;
	*state = &f;
	return uv_loop_init(&f.uv) | timer_new(&f.uv, &f.timer);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	timer_free(f->timer);
	uv_run(&f->uv, UV_RUN_DEFAULT);
	return uv_loop_close(&f->uv);
}

static void arm_in(struct fixture *f, uint64_t delay)
{
	uint64_t now = uv_hrtime();
	timer_arm(f->timer, now + delay, now);
}

/* Whether libuv would wake within the time, which may be 0. */
static bool wakes_within(struct fixture *f, int ms)
{
	uv_run(&f->uv, UV_RUN_NOWAIT); /* Tells the kernel what to watch. */
	struct pollfd backend = { .fd = uv_backend_fd(&f->uv), .events = POLLIN };
	return poll(&backend, 1, ms) == 1;
}

static void never_early(void **state)
{
	struct fixture *f = *state;
	uint64_t deadline = uv_hrtime() + 2 * MS;
	timer_arm(f->timer, deadline, uv_hrtime());
	uv_run(&f->uv, UV_RUN_ONCE);
	assert_true(uv_hrtime() >= deadline);
}

static void past_deadlines_wake_at_once(void **state)
{
	struct fixture *f = *state;
	timer_arm(f->timer, 1, uv_hrtime());
	uv_run(&f->uv, UV_RUN_ONCE);
}

static void comes_forward(void **state)
{
	struct fixture *f = *state;
	arm_in(f, HOUR);
	assert_false(wakes_within(f, 0));
	arm_in(f, 2 * MS);
	assert_true(wakes_within(f, 5000));
}

/* Put off, it still wakes when it was to wake at first; and then for what it was put off to. */
static void is_quiet_after_expiry(void **state)
{
	struct fixture *f = *state;
	arm_in(f, MS);
	arm_in(f, HOUR);
	uv_run(&f->uv, UV_RUN_ONCE);
	arm_in(f, HOUR);
	assert_false(wakes_within(f, 0));
	arm_in(f, MS);
	uv_run(&f->uv, UV_RUN_ONCE);
	timer_arm(f->timer, WEFT_NEVER, uv_hrtime());
	assert_false(wakes_within(f, 0));
	arm_in(f, MS);
	assert_true(wakes_within(f, 5000));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(never_early),
		TEST(past_deadlines_wake_at_once),
		TEST(comes_forward),
		TEST(is_quiet_after_expiry),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
