/* SPDX-License-Identifier: MIT */
/*
 * A loop's waiter by itself. A sleep that nothing would end is seen for what it is by a timer
 * of libuv that ends it (the alarm): what counts is how often the waiter returned before.
 */
#include "io/waiter.h"

#include "../unit.h"

#include <weft/loop.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define MS ((uint64_t)1000000)

/* Longer than any test lasts. */
#define HOUR (3600000 * MS)

struct fixture {
	uv_loop_t uv;
	struct waiter *waiter;
	struct watch *watch; /* Of fds[0]. */
	int fds[2];          /* A pipe: [0] to read from, [1] to write to. */
	unsigned told;       /* Events of the last time, */
	unsigned tellings;   /* and how often. */
	uv_timer_t alarm;
	bool has_rung;
};

static void on_ready(void *user, unsigned events)
{
	struct fixture *f = user;
	f->told = events;
	f->tellings++;
}

static int set_up(void **state)
{
	static struct fixture f;
	f = (struct fixture){ 0 };
	*state = &f;
	return uv_loop_init(&f.uv) | waiter_new(&f.uv, &f.waiter) |
	       uv_timer_init(&f.uv, &f.alarm) | pipe2(f.fds, O_CLOEXEC | O_NONBLOCK) |
	       waiter_add(f.waiter, f.fds[0], on_ready, &f, &f.watch);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	if (f->watch)
		waiter_remove(f->waiter, f->watch);
	waiter_free(f->waiter);
	uv_close((uv_handle_t *)&f->alarm, NULL);
	uv_run(&f->uv, UV_RUN_DEFAULT);
	close(f->fds[0]);
	if (f->fds[1] >= 0)
		close(f->fds[1]);
	return uv_loop_close(&f->uv);
}

static void wait_for(struct fixture *f, uint64_t delay)
{
	uint64_t now = uv_hrtime();
	waiter_wait(f->waiter, now + delay, now);
}

static void ring(uv_timer_t *alarm)
{
	struct fixture *f = alarm->data;
	f->has_rung = true;
	uv_stop(alarm->loop); /* It may ring before the sleep. */
}

/* How often the waiter returns from an endless sleep in a few milliseconds. */
static unsigned count_returns(struct fixture *f)
{
	unsigned returns = 0;
	f->has_rung = false;
	f->alarm.data = f;
	uv_update_time(&f->uv);
	assert_int_equal(uv_timer_start(&f->alarm, ring, 5, 0), 0);
	for (; !f->has_rung; returns++)
		wait_for(f, HOUR);
	return returns;
}

/*
 * Besides the alarm, there may be a deadline of before, milliseconds that are rounded, and what
 * libuv 1.50's io_uring has completed. Who does not sleep returns hundreds of times.
 */
static bool is_quiet(struct fixture *f)
{
	return count_returns(f) <= 10;
}

static void put_byte(struct fixture *f)
{
	assert_int_equal(write(f->fds[1], "x", 1), 1);
}

static void take_byte(struct fixture *f)
{
	char byte;
	assert_int_equal(read(f->fds[0], &byte, 1), 1);
}

static void never_early(void **state)
{
	struct fixture *f = *state;
	uint64_t deadline = uv_hrtime() + 2 * MS;
	waiter_wait(f->waiter, deadline, uv_hrtime());
	assert_true(uv_hrtime() >= deadline);
}

static void a_past_deadline_is_no_sleep(void **state)
{
	struct fixture *f = *state;
	waiter_wait(f->waiter, 0, uv_hrtime());
	waiter_wait(f->waiter, 1, uv_hrtime());
}

static void a_deadline_comes_forward(void **state)
{
	struct fixture *f = *state;
	waiter_set(f->waiter, f->watch, WEFT_READABLE);
	put_byte(f);
	wait_for(f, HOUR); /* The timer is set, and the byte ends the sleep. */
	take_byte(f);
	wait_for(f, 2 * MS);
}

/* By then it has not come, as the caller's clock has it; meanwhile it has. */
static void a_deadline_that_passes_on_the_way_to_sleep(void **state)
{
	struct fixture *f = *state;
	const uint64_t now = uv_hrtime(), deadline = now + MS;
	waiter_set(f->waiter, f->watch, WEFT_READABLE);
	put_byte(f);
	waiter_wait(f->waiter, deadline, now); /* The byte ends it. */
	take_byte(f);
	while (uv_hrtime() < deadline + 3 * MS)
		;
	waiter_wait(f->waiter, deadline, now);
}

/* Put off, it may still wake when it was to wake at first, but once. */
static void is_quiet_after_expiry(void **state)
{
	struct fixture *f = *state;
	waiter_set(f->waiter, f->watch, WEFT_READABLE);
	put_byte(f);
	wait_for(f, MS);
	take_byte(f);
	assert_true(is_quiet(f));
	wait_for(f, MS);
	assert_true(is_quiet(f));
}

static void tells_what_has_come(void **state)
{
	struct fixture *f = *state;
	struct watch *writer;
	assert_int_equal(waiter_add(f->waiter, f->fds[1], on_ready, f, &writer), 0);
	waiter_set(f->waiter, writer, WEFT_READABLE | WEFT_WRITABLE);
	wait_for(f, HOUR);
	assert_int_equal(f->told, WEFT_WRITABLE);
	waiter_remove(f->waiter, writer);
	put_byte(f);
	waiter_set(f->waiter, f->watch, WEFT_READABLE);
	wait_for(f, HOUR);
	assert_int_equal(f->told, WEFT_READABLE);
	assert_int_equal(f->tellings, 2);
}

/* Level-triggered: what is left is told of again. */
static void tells_again(void **state)
{
	struct fixture *f = *state;
	put_byte(f);
	waiter_set(f->waiter, f->watch, WEFT_READABLE);
	wait_for(f, HOUR);
	wait_for(f, HOUR);
	assert_int_equal(f->tellings, 2);
}

static void a_hang_up_is_found_by_who_reads(void **state)
{
	struct fixture *f = *state;
	close(f->fds[1]);
	f->fds[1] = -1;
	assert_true(is_quiet(f));
	assert_int_equal(f->tellings, 0);
	waiter_set(f->waiter, f->watch, WEFT_READABLE);
	wait_for(f, HOUR);
	assert_int_equal(f->told, WEFT_READABLE);
	waiter_set(f->waiter, f->watch, 0);
	assert_true(is_quiet(f));
	assert_int_equal(f->tellings, 1);
}

static void refuses_what_cannot_be_watched(void **state)
{
	struct fixture *f = *state;
	struct watch *watch;
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	assert_int_equal(waiter_add(f->waiter, file, on_ready, f, &watch), -EPERM);
	close(file);
	assert_int_equal(waiter_add(f->waiter, file, on_ready, f, &watch), -EBADF);
}

static void on_async(uv_async_t *async)
{
	bool *has_come = async->data;
	*has_come = true;
}

/* A handle of libuv that is started between two sleeps is heard in the next, and closed too. */
static void libuv_has_its_turn(void **state)
{
	struct fixture *f = *state;
	bool has_come = false;
	uv_async_t async;
	assert_true(is_quiet(f));
	assert_int_equal(uv_async_init(&f->uv, &async, on_async), 0);
	async.data = &has_come;
	assert_int_equal(uv_async_send(&async), 0);
	while (!has_come)
		wait_for(f, HOUR);
	assert_true(is_quiet(f));
	uv_close((uv_handle_t *)&async, NULL);
	assert_true(is_quiet(f));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(never_early),
		TEST(a_past_deadline_is_no_sleep),
		TEST(a_deadline_comes_forward),
		TEST(a_deadline_that_passes_on_the_way_to_sleep),
		TEST(is_quiet_after_expiry),
		TEST(tells_what_has_come),
		TEST(tells_again),
		TEST(a_hang_up_is_found_by_who_reads),
		TEST(refuses_what_cannot_be_watched),
		TEST(libuv_has_its_turn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
