/* SPDX-License-Identifier: MIT */
/*
 * Work on threads: the loop goes on meanwhile, hears of the end once, and need not wait for it.
 * A test holds the thread by a pipe, so nothing here depends on who is quicker.
 */
#include "io/work.h"

#include "../unit.h"
#include "base/container.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>

struct fixture {
	struct weft_loop *loop;
	int may_end[2];  /* The thread waits for a byte, */
	int is_freed[2]; /* and who frees the data writes one. */
	unsigned runs, dones;
	bool has_own_thread;
	pthread_t thread;
};

static int set_up(void **state)
{
	static struct fixture f;
	f = (struct fixture){ .thread = pthread_self() };
	*state = &f;
	return weft_loop_new(NULL, &f.loop) | pipe2(f.may_end, O_CLOEXEC) |
	       pipe2(f.is_freed, O_CLOEXEC);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	weft_loop_free(f->loop);
	for (unsigned i = 0; i < 2; i++) {
		close(f->may_end[i]);
		close(f->is_freed[i]);
	}
	return 0;
}

static void run(void *data)
{
	struct fixture *f = data;
	char byte;
	__atomic_store_n(&f->has_own_thread, !pthread_equal(pthread_self(), f->thread),
			 __ATOMIC_SEQ_CST);
	if (read(f->may_end[0], &byte, 1) == 1)
		(void)__atomic_add_fetch(&f->runs, 1, __ATOMIC_SEQ_CST);
}

static void done(void *data)
{
	struct fixture *f = data;
	f->dones++;
	weft_loop_stop(f->loop);
}

static void let_go(void *data)
{
	const struct fixture *f = data;
	ssize_t n = write(f->is_freed[1], "x", 1);
	(void)n;
}

static const struct work_ops ops = { run, done, let_go };

static void let_end(const struct fixture *f)
{
	assert_int_equal(write(f->may_end[1], "x", 1), 1);
}

static void await_freed(const struct fixture *f)
{
	char byte;
	assert_int_equal(read(f->is_freed[0], &byte, 1), 1);
}

/* A task that is due at once, and lets the thread end. */
struct letting {
	struct weft_task task;
	const struct fixture *fixture;
	bool is_over;
};

static void letting_run(struct weft_task *task, uint64_t now)
{
	struct letting *l = container_of(task, struct letting, task);
	(void)now;
	l->is_over = true;
	let_end(l->fixture);
}

static uint64_t letting_deadline(const struct weft_task *task)
{
	const struct letting *l = container_of_const(task, struct letting, task);
	return l->is_over ? WEFT_NEVER : 0;
}

/* It is a task that lets the thread end: so tasks are run while it works. */
static void the_loop_goes_on_meanwhile(void **state)
{
	struct fixture *f = *state;
	struct letting letting = {
		.task = { .fd = -1, .run = letting_run, .deadline = letting_deadline },
		.fixture = f,
	};
	assert_int_equal(work_start(f->loop, &ops, f, NULL), 0);
	assert_int_equal(weft_loop_add(f->loop, &letting.task), 0);
	weft_loop_run(f->loop);
	weft_loop_remove(f->loop, &letting.task);
	assert_int_equal(f->dones, 1);
	assert_int_equal(f->runs, 1);
	assert_true(f->has_own_thread);
	await_freed(f);
}

static void who_cancels_is_not_called_and_does_not_wait(void **state)
{
	struct fixture *f = *state;
	struct weft_job *job;
	assert_int_equal(work_start(f->loop, &ops, f, &job), 0);
	weft_job_cancel(job);
	weft_loop_turn(f->loop);
	assert_int_equal(f->dones, 0);
	let_end(f);
	await_freed(f);
	weft_loop_turn(f->loop);
	assert_int_equal(f->dones, 0);
	assert_int_equal(f->runs, 1);
}

static void a_loop_may_go_before_its_work(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(work_start(f->loop, &ops, f, NULL), 0);
	weft_loop_free(f->loop);
	f->loop = NULL;
	let_end(f);
	await_freed(f);
	assert_int_equal(f->dones, 0);
}

static void several_work_at_a_time(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(work_start(f->loop, &ops, f, NULL), 0);
	for (unsigned i = 0; i < 5; i++)
		let_end(f);
	while (f->dones < 5)
		weft_loop_run(f->loop);
	for (unsigned i = 0; i < 5; i++)
		await_freed(f);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_loop_goes_on_meanwhile),
		TEST(who_cancels_is_not_called_and_does_not_wait),
		TEST(a_loop_may_go_before_its_work),
		TEST(several_work_at_a_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
