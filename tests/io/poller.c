/* SPDX-License-Identifier: MIT */
/*
 * Tasks behind one descriptor, with pipes: who runs when, and that the descriptor is readable
 * exactly while somebody has reason to run.
 */
#include "io/poller.h"

#include "../unit.h"
#include "base/container.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

struct probe {
	struct weft_task task;
	struct poller *poller;
	struct weft_task *other; /* Taken out by the run, if there is one. */
	uint64_t due;
	unsigned runs;
};

static struct poller *poller;

static void probe_run(struct weft_task *task, uint64_t now)
{
	struct probe *p = container_of(task, struct probe, task);
	(void)now;
	p->runs++;
	p->due = WEFT_NEVER;
	if (p->other)
		poller_remove(p->poller, p->other);
}

static uint64_t probe_deadline(const struct weft_task *task)
{
	return container_of_const(task, struct probe, task)->due;
}

static struct probe probe_of(int fd, unsigned events)
{
	return (struct probe){
		.task = { .fd = fd,
			  .events = events,
			  .run = probe_run,
			  .deadline = probe_deadline },
		.poller = poller,
		.due = WEFT_NEVER,
	};
}

static bool is_readable(void)
{
	struct pollfd p = { .fd = poller_fd(poller), .events = POLLIN };
	return poll(&p, 1, 0) == 1;
}

static int setup(void **state)
{
	(void)state;
	return poller_new(&poller);
}

static int teardown(void **state)
{
	(void)state;
	poller_free(poller);
	return 0;
}

static void who_is_ready_runs(void **state)
{
	int a[2], b[2];
	char byte;
	(void)state;
	assert_int_equal(pipe(a), 0);
	assert_int_equal(pipe(b), 0);
	struct probe pa = probe_of(a[0], WEFT_READABLE);
	struct probe pb = probe_of(b[0], WEFT_READABLE);
	assert_int_equal(poller_add(poller, &pa.task), 0);
	assert_int_equal(poller_add(poller, &pb.task), 0);
	assert_int_equal(poller_add(poller, &pa.task), -EEXIST);
	assert_false(is_readable());
	assert_int_equal(write(b[1], "x", 1), 1);
	assert_true(is_readable());
	poller_run(poller, 1);
	assert_int_equal(pa.runs, 0);
	assert_int_equal(pb.runs, 1);
	assert_true(is_readable()); /* It has not read. */
	assert_int_equal(read(b[0], &byte, 1), 1);
	assert_false(is_readable());

	/* Who waits for nothing is not woken, not even by an end. */
	pb.task.events = 0;
	poller_watch(poller);
	(void)close(b[1]);
	assert_false(is_readable());
	pb.task.events = WEFT_READABLE;
	poller_watch(poller);
	assert_true(is_readable());
	poller_remove(poller, &pb.task);
	assert_false(is_readable());
	poller_remove(poller, &pb.task);
	poller_remove(poller, &pa.task);
	(void)close(a[0]);
	(void)close(a[1]);
	(void)close(b[0]);
}

static void room_is_waited_for(void **state)
{
	int fds[2];
	(void)state;
	assert_int_equal(pipe(fds), 0);
	struct probe p = probe_of(fds[1], 0);
	assert_int_equal(poller_add(poller, &p.task), 0);
	assert_false(is_readable());
	p.task.events = WEFT_WRITABLE;
	poller_watch(poller);
	poller_run(poller, 1);
	assert_int_equal(p.runs, 1);
	poller_remove(poller, &p.task);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

/* The kernel may lack memory; that the descriptor is away is a failure that can be had. */
static void what_cannot_be_watched_is_tried_again(void **state)
{
	int fds[2];
	(void)state;
	assert_int_equal(pipe(fds), 0);
	struct probe p = probe_of(fds[1], 0);
	assert_int_equal(poller_add(poller, &p.task), 0);
	int kept = dup(fds[1]);
	assert_int_equal(close(fds[1]), 0);
	p.task.events = WEFT_WRITABLE;
	poller_watch(poller);
	assert_false(is_readable());
	assert_int_equal(dup2(kept, fds[1]), fds[1]);
	poller_watch(poller);
	assert_true(is_readable());
	poller_remove(poller, &p.task);
	(void)close(fds[0]);
	(void)close(fds[1]);
	(void)close(kept);
}

static void deadlines_come(void **state)
{
	struct probe a, b;
	(void)state;
	a = probe_of(-1, 0);
	b = probe_of(-1, 0);
	a.due = 50;
	b.due = 70;
	assert_true(poller_deadline(poller) == WEFT_NEVER);
	assert_int_equal(poller_add(poller, &a.task), 0);
	assert_int_equal(poller_add(poller, &b.task), 0);
	assert_int_equal(poller_deadline(poller), 50);
	poller_run(poller, 49);
	assert_int_equal(a.runs, 0);
	poller_run(poller, 50);
	assert_int_equal(a.runs, 1);
	assert_int_equal(b.runs, 0);
	assert_int_equal(poller_deadline(poller), 70);
	poller_remove(poller, &a.task);
	poller_remove(poller, &b.task);
}

static void a_run_may_take_another_out(void **state)
{
	struct probe a, b;
	(void)state;
	a = probe_of(-1, 0);
	b = probe_of(-1, 0);
	a.due = b.due = 1;
	a.other = &b.task;
	b.other = &a.task;
	assert_int_equal(poller_add(poller, &a.task), 0);
	assert_int_equal(poller_add(poller, &b.task), 0);
	poller_run(poller, 1);
	assert_int_equal(a.runs + b.runs, 1);
	assert_null(b.task.loop_state);
	/* And itself. */
	a.other = &a.task;
	a.due = 2;
	poller_run(poller, 2);
	assert_int_equal(a.runs, 2);
	assert_null(a.task.loop_state);
}

static void a_file_is_always_ready(void **state)
{
	char path[] = "/tmp/weft-poller-XXXXXX";
	(void)state;
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	(void)unlink(path);
	struct probe p = probe_of(fd, WEFT_READABLE);
	assert_int_equal(poller_add(poller, &p.task), 0);
	assert_int_equal(poller_deadline(poller), 0);
	poller_run(poller, 1);
	assert_int_equal(p.runs, 1);
	p.task.events = 0;
	assert_true(poller_deadline(poller) == WEFT_NEVER);
	poller_remove(poller, &p.task);
	(void)close(fd);
}

static void a_closed_descriptor_is_refused(void **state)
{
	struct probe p;
	(void)state;
	p = probe_of(999, WEFT_READABLE);
	assert_int_equal(poller_add(poller, &p.task), -EBADF);
	assert_null(p.task.loop_state);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_is_ready_runs),
		TEST(room_is_waited_for),
		TEST(what_cannot_be_watched_is_tried_again),
		TEST(deadlines_come),
		TEST(a_run_may_take_another_out),
		TEST(a_file_is_always_ready),
		TEST(a_closed_descriptor_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
