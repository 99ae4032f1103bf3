/* SPDX-License-Identifier: MIT */
/*
 * A loop that is hosted by another: by poll(2), by an epoll of the host's, by the host's libuv.
 * Each test runs in all three of them. A host sleeps without a time-out until weft_loop_fd is
 * readable; a wake-up that is lost shows as a sleep that only meson's time-out ends, and a
 * descriptor that stays readable as one that is_quiet finds.
 */
#include "../unit.h"
#include "base/array.h"
#include "base/container.h"

#include <weft/loop.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <uv.h>
#ifdef __linux__
#include <sys/epoll.h>
#endif

#define MS    ((uint64_t)1000000)
#define NODES 6

struct fixture;

/* A way to sleep until the loop's descriptor is readable, and to turn the loop then. */
struct host {
	void (*begin)(struct fixture *f);
	void (*next)(struct fixture *f);
	void (*end)(struct fixture *f);
};

/* A task with a pipe. A run reads one byte, if there is one, and clears a deadline that came. */
struct node {
	struct weft_task task;
	struct fixture *fixture;
	int fds[2];
	uint64_t deadline;
	uint64_t ran_at; /* The last time. */
	unsigned runs;
	unsigned urgent;                /* So many more runs are due at once. */
	void (*act)(struct fixture *f); /* What else a run does; may be NULL. */
};

struct fixture {
	struct weft_loop *loop;
	const struct host *host;
	struct node nodes[NODES];
	uv_loop_t uv;
	uv_poll_t poll;
	int epoll;
	unsigned turns;
	unsigned calls; /* Of signals and jobs, */
	int status;     /* and what the last was told. */
};

static void turn(struct fixture *f)
{
	f->turns++;
	(void)weft_loop_turn(f->loop);
}

/* ---- poll(2) ----------------------------------------------------------------------------- */

static bool is_readable(const struct fixture *f)
{
	struct pollfd ready = { .fd = weft_loop_fd(f->loop), .events = POLLIN };
	return poll(&ready, 1, 0) == 1;
}

static void nothing(struct fixture *f)
{
	(void)f;
}

static void next_in_poll(struct fixture *f)
{
	struct pollfd ready = { .fd = weft_loop_fd(f->loop), .events = POLLIN };
	while (poll(&ready, 1, -1) < 0)
		assert_int_equal(errno, EINTR);
	turn(f);
}

static struct host in_poll = { nothing, next_in_poll, nothing };

/* ---- an epoll around the loop's ---------------------------------------------------------- */

#ifdef __linux__
static void begin_epoll(struct fixture *f)
{
	struct epoll_event event = { .events = EPOLLIN };
	f->epoll = epoll_create1(EPOLL_CLOEXEC);
	assert_true(f->epoll >= 0);
	assert_int_equal(
		epoll_ctl(f->epoll, EPOLL_CTL_ADD, weft_loop_fd(f->loop), &event), 0);
}

static void next_in_epoll(struct fixture *f)
{
	struct epoll_event event;
	while (epoll_wait(f->epoll, &event, 1, -1) < 0)
		assert_int_equal(errno, EINTR);
	turn(f);
}

static void end_epoll(struct fixture *f)
{
	close(f->epoll);
}

static struct host in_epoll = { begin_epoll, next_in_epoll, end_epoll };
#else
static struct host in_epoll = { nothing, nothing, nothing };
#endif

/* ---- libuv ------------------------------------------------------------------------------- */

static void on_uv_ready(uv_poll_t *poll, int status, int events)
{
	assert_int_equal(status, 0);
	assert_int_equal(events, UV_READABLE);
	turn(poll->data);
}

static void begin_uv(struct fixture *f)
{
	assert_int_equal(uv_loop_init(&f->uv), 0);
	assert_int_equal(uv_poll_init(&f->uv, &f->poll, weft_loop_fd(f->loop)), 0);
	f->poll.data = f;
	assert_int_equal(uv_poll_start(&f->poll, UV_READABLE, on_uv_ready), 0);
}

static void next_in_uv(struct fixture *f)
{
	for (unsigned before = f->turns; f->turns == before;)
		(void)uv_run(&f->uv, UV_RUN_ONCE);
}

static void end_uv(struct fixture *f)
{
	uv_close((uv_handle_t *)&f->poll, NULL);
	(void)uv_run(&f->uv, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&f->uv), 0);
}

static struct host in_uv = { begin_uv, next_in_uv, end_uv };

/* ---- the fixture ------------------------------------------------------------------------- */

static unsigned bytes_waiting(const struct node *node)
{
	int n = 0;
	assert_int_equal(ioctl(node->fds[0], FIONREAD, &n), 0);
	return (unsigned)n;
}

static uint64_t node_deadline(const struct weft_task *task)
{
	const struct node *node = container_of_const(task, struct node, task);
	return node->urgent ? 0 : node->deadline;
}

static void node_run(struct weft_task *task, uint64_t now)
{
	struct node *node = container_of(task, struct node, task);
	char byte;
	node->runs++;
	node->ran_at = now;
	if (node->urgent)
		node->urgent--;
	if (node->deadline <= now)
		node->deadline = WEFT_NEVER;
	if (!(task->quiet & WEFT_READABLE))
		(void)!read(task->fd, &byte, 1);
	if (node->act)
		node->act(node->fixture);
}

static int set_up(void **state)
{
	static struct fixture f;
	f = (struct fixture){ .host = *state };
	*state = &f;
	int r = weft_loop_new(NULL, &f.loop);
	for (size_t i = 0; i < NODES && r == 0; i++) {
		struct node *node = &f.nodes[i];
		r = pipe2(node->fds, O_CLOEXEC | O_NONBLOCK);
		node->fixture = &f;
		node->deadline = WEFT_NEVER;
		node->task = (struct weft_task){ .fd = node->fds[0],
						 .events = WEFT_READABLE,
						 .run = node_run,
						 .deadline = node_deadline };
	}
	if (r == 0)
		f.host->begin(&f);
	return r;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	f->host->end(f);
	weft_loop_free(f->loop);
	for (size_t i = 0; i < NODES; i++) {
		close(f->nodes[i].fds[0]);
		close(f->nodes[i].fds[1]);
	}
	return 0;
}

static void add(struct node *node)
{
	assert_int_equal(weft_loop_add(node->fixture->loop, &node->task), 0);
}

static void put_byte(const struct node *node)
{
	assert_int_equal(write(node->fds[1], "x", 1), 1);
}

static void next(struct fixture *f)
{
	f->host->next(f);
}

static void wait_for_runs(struct fixture *f, const struct node *node, unsigned runs)
{
	while (node->runs < runs)
		next(f);
}

/* A timer that was set for somebody who has gone, and libuv, may wake the host in vain: once. */
static bool is_quiet(struct fixture *f)
{
	for (unsigned i = 0; i < 4 && is_readable(f); i++)
		turn(f);
	return !is_readable(f);
}

/* ---- deadlines --------------------------------------------------------------------------- */

static void deadlines_come_and_never_early(void **state)
{
	struct fixture *f = *state;
	struct node *node = &f->nodes[0];
	add(node);
	for (unsigned i = 1; i <= 4; i++) {
		uint64_t deadline = weft_loop_now(f->loop) + 2 * MS;
		node->deadline = deadline;
		uint64_t wanted = weft_loop_turn(f->loop);
		assert_true(wanted <= deadline || node->runs == i); /* It has come. */
		wait_for_runs(f, node, i);
		assert_int_equal(node->runs, i);
		assert_true(node->ran_at >= deadline);
	}
	assert_true(is_quiet(f));
}

static void deadlines_come_forward(void **state)
{
	struct fixture *f = *state;
	struct node *node = &f->nodes[0];
	node->deadline = weft_loop_now(f->loop) + 3600000 * MS;
	add(node);
	turn(f);
	assert_true(is_quiet(f));
	node->deadline = weft_loop_now(f->loop) + MS;
	turn(f);
	wait_for_runs(f, node, 1);
}

/* What is due at once is run by the turn that is called for it. */
static void work_from_outside_is_done(void **state)
{
	struct fixture *f = *state;
	struct node *node = &f->nodes[0];
	add(node);
	turn(f);
	node->urgent = 1;
	assert_int_equal(weft_loop_turn(f->loop), WEFT_NEVER);
	assert_int_equal(node->runs, 1);
	assert_true(is_quiet(f));
}

/* A turn is bounded, and the next one then comes at once. */
static void more_work_than_a_turn_does(void **state)
{
	struct fixture *f = *state;
	struct node *node = &f->nodes[0];
	add(node);
	node->urgent = 1000;
	assert_int_equal(weft_loop_turn(f->loop), 0);
	assert_true(node->runs < 1000);
	assert_true(is_readable(f));
	wait_for_runs(f, node, 1000);
	assert_true(is_quiet(f));
}

/* ---- descriptors ------------------------------------------------------------------------- */

static void descriptors_are_level_triggered(void **state)
{
	struct fixture *f = *state;
	struct node *node = &f->nodes[0];
	add(node);
	turn(f);
	put_byte(node);
	put_byte(node);
	assert_true(is_readable(f));
	wait_for_runs(f, node, 2);
	assert_int_equal(bytes_waiting(node), 0);
	assert_true(is_quiet(f));
}

static void events_change_between_turns(void **state)
{
	struct fixture *f = *state;
	struct node *node = &f->nodes[0];
	add(node);
	put_byte(node);
	node->task.events = 0;
	turn(f);
	assert_true(is_quiet(f));
	node->task.events = WEFT_READABLE;
	turn(f);
	wait_for_runs(f, node, 1);
	node->task.events = WEFT_WRITABLE; /* The reading end never is. */
	turn(f);
	put_byte(node);
	assert_true(is_quiet(f));
}

static void tasks_come_and_go_between_turns(void **state)
{
	struct fixture *f = *state;
	struct node *stays = &f->nodes[0], *goes = &f->nodes[1];
	turn(f);
	put_byte(goes);
	add(goes);
	add(stays);
	turn(f);
	wait_for_runs(f, goes, 1);
	put_byte(goes);
	goes->deadline = weft_loop_now(f->loop);
	weft_loop_remove(f->loop, &goes->task);
	assert_true(is_quiet(f));
	assert_int_equal(goes->runs, 1);
	put_byte(stays);
	wait_for_runs(f, stays, 1);
}

static void change_others(struct fixture *f)
{
	f->nodes[1].task.events = WEFT_READABLE;
	add(&f->nodes[2]);
}

/* By a run for a deadline, after which nobody looks at the descriptors in the same turn. */
static void events_change_within_a_turn(void **state)
{
	struct fixture *f = *state;
	f->nodes[0].urgent = 1;
	f->nodes[0].act = change_others;
	f->nodes[1].task.events = 0;
	put_byte(&f->nodes[1]);
	put_byte(&f->nodes[2]);
	add(&f->nodes[0]);
	add(&f->nodes[1]);
	turn(f);
	assert_int_equal(f->nodes[0].runs, 1);
	wait_for_runs(f, &f->nodes[1], 1);
	wait_for_runs(f, &f->nodes[2], 1);
}

/* More descriptors than one wait tells of, and a deadline among them. */
static void many_are_ready(void **state)
{
	struct fixture *f = *state;
	struct node extra[100];
	for (size_t i = 0; i < ARRAY_LEN(extra); i++) {
		extra[i] = f->nodes[0];
		extra[i].task.fd = dup(f->nodes[0].fds[0]);
		assert_true(extra[i].task.fd >= 0);
		add(&extra[i]);
		put_byte(&f->nodes[0]);
	}
	f->nodes[1].deadline = weft_loop_now(f->loop) + MS;
	add(&f->nodes[1]);
	turn(f);
	while (bytes_waiting(&f->nodes[0]) > 0)
		next(f);
	wait_for_runs(f, &f->nodes[1], 1);
	for (size_t i = 0; i < ARRAY_LEN(extra); i++) {
		weft_loop_remove(f->loop, &extra[i].task);
		close(extra[i].task.fd);
	}
}

/* ---- signals and jobs -------------------------------------------------------------------- */

static void on_status(void *user, int status)
{
	struct fixture *f = user;
	f->calls++;
	f->status = status;
}

static void on_answer(void *user, int status, const union weft_sockaddr *addrs, size_t n)
{
	(void)addrs;
	assert_int_equal(n, status == 0 ? 1 : 0);
	on_status(user, status);
}

static void wait_for_calls(struct fixture *f, unsigned calls)
{
	while (f->calls < calls)
		next(f);
}

static void signals_arrive(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(weft_loop_on_signal(f->loop, SIGUSR1, on_status, f), 0);
	turn(f);
	for (unsigned i = 1; i <= 3; i++) {
		assert_true(is_quiet(f));
		assert_int_equal(raise(SIGUSR1), 0);
		wait_for_calls(f, i);
	}
	assert_int_equal(f->status, SIGUSR1);
}

static void ask(struct fixture *f)
{
	assert_int_equal(weft_loop_resolve(f->loop, "192.0.2.1", 1, on_answer, f, NULL),
			 0);
}

static void answers_arrive(void **state)
{
	struct fixture *f = *state;
	struct weft_job *job;
	ask(f);
	turn(f);
	wait_for_calls(f, 1);
	assert_int_equal(f->status, 0);
	assert_int_equal(weft_loop_resolve(f->loop, "192.0.2.1", 1, on_answer, f, &job),
			 0);
	weft_job_cancel(job);
	turn(f);
	assert_true(is_quiet(f));
	assert_int_equal(f->calls, 1);
}

/* The first that libuv has to do, and that is begun after it has had its part of the turn. */
static void answers_to_a_run_arrive(void **state)
{
	struct fixture *f = *state;
	f->nodes[0].urgent = 1;
	f->nodes[0].act = ask;
	add(&f->nodes[0]);
	turn(f);
	wait_for_calls(f, 1);
	assert_true(is_quiet(f));
}

static void start_shell(struct fixture *f, char *script, void (*fn)(void *, int),
			struct weft_job **ret_job)
{
	char sh[] = "sh", c[] = "-c", *argv[] = { sh, c, script, NULL };
	assert_int_equal(weft_loop_spawn(f->loop, argv, NULL, fn, f, ret_job), 0);
}

static void on_first_end(void *user, int status)
{
	char script[] = "exit 8";
	on_status(user, status);
	start_shell(user, script, on_status, NULL);
}

/* The first is begun between turns, the second within one. */
static void programs_end(void **state)
{
	struct fixture *f = *state;
	char script[] = "exit 7";
	start_shell(f, script, on_first_end, NULL);
	turn(f);
	wait_for_calls(f, 1);
	assert_int_equal(f->status, 7);
	wait_for_calls(f, 2);
	assert_int_equal(f->status, 8);
	assert_true(is_quiet(f));
}

/*
 * A program that ignores SIGTERM holds the writing end of a pipe; it says so by a byte, and its
 * end by the end of the file, which comes after the second that libuv's timer gives it.
 */
static void stubborn_programs_are_ended(void **state)
{
	struct fixture *f = *state;
	struct node *node = &f->nodes[0];
	struct weft_job *job;
	char script[80];
	assert_int_equal(fcntl(node->fds[1], F_SETFD, 0), 0);
	snprintf(script, sizeof(script),
		 "trap '' TERM; echo >/proc/self/fd/%d; exec sleep 100", node->fds[1]);
	add(node);
	start_shell(f, script, on_status, &job);
	turn(f);
	close(node->fds[1]);
	node->fds[1] = -1;
	wait_for_runs(f, node, 1);
	assert_int_equal(f->calls, 0);
	weft_job_cancel(job);
	turn(f);
	wait_for_runs(f, node, 2);
	assert_int_equal(f->calls, 0);
}

/* ---- by chance --------------------------------------------------------------------------- */

static bool is_pending(const struct fixture *f)
{
	for (size_t i = 0; i < NODES; i++) {
		const struct node *node = &f->nodes[i];
		if (!node->task.loop_state)
			continue;
		if (node->urgent || node->deadline != WEFT_NEVER)
			return true;
		if (node->task.events && bytes_waiting(node) > 0)
			return true;
	}
	return false;
}

static void disturb(struct node *node, unsigned how)
{
	struct weft_loop *loop = node->fixture->loop;
	switch (how % 7) {
	case 0:
		weft_loop_remove(loop, &node->task);
		break;
	case 1:
		node->deadline = weft_loop_now(loop) + (how >> 8) % (2 * MS);
		break;
	case 2:
		node->urgent += (how >> 8) % 40;
		break;
	case 3:
		node->task.events ^= WEFT_READABLE;
		break;
	case 4:
		if (!node->task.loop_state)
			add(node);
		break;
	default:
		if (bytes_waiting(node) < 100)
			put_byte(node);
	}
}

static void no_wake_up_is_lost(void **state)
{
	struct fixture *f = *state;
	uint64_t seed = test_seed();
	for (unsigned step = 0; step < 4000; step++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		unsigned chance = (unsigned)(seed >> 32);
		disturb(&f->nodes[chance % NODES], chance / NODES);
		/* Nobody has to say so that the pipe got a byte. */
		turn(f);
		if (chance >> 30 == 0)
			while (is_pending(f))
				next(f);
	}
	while (is_pending(f))
		next(f);
	assert_true(is_quiet(f));
}

/* ---- without a descriptor ---------------------------------------------------------------- */

/* Where there is no descriptor, a host that turns the loop again and again still can. */
static void turns_alone_suffice(void **state)
{
	struct fixture *f = *state;
	struct node *reads = &f->nodes[0], *waits = &f->nodes[1];
	waits->deadline = weft_loop_now(f->loop) + 2 * MS;
	add(reads);
	add(waits);
	put_byte(reads);
	char script[] = "exit 7";
	start_shell(f, script, on_status, NULL);
	while (f->calls < 1 || reads->runs < 1 || waits->runs < 1)
		(void)weft_loop_turn(f->loop);
	assert_int_equal(f->status, 7);
	waits->deadline = 1;
	weft_loop_remove(f->loop, &reads->task);
	assert_true(weft_loop_turn(f->loop) > weft_loop_now(f->loop));
	assert_int_equal(waits->runs, 2);
}

static struct host nowhere = { nothing, nothing, nothing };

#define TEST(fn, host)                                        \
	{                                                     \
#fn "_" #host, fn, set_up, tear_down, &(host) \
	}
#define TEST_IN_ALL(fn) TEST(fn, in_poll), TEST(fn, in_epoll), TEST(fn, in_uv)

static int test_without_descriptor(void)
{
	const struct CMUnitTest tests[] = { TEST(turns_alone_suffice, nowhere) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

static int test_in_hosts(void)
{
	const struct CMUnitTest tests[] = {
		TEST(turns_alone_suffice, nowhere),
		TEST_IN_ALL(deadlines_come_and_never_early),
		TEST_IN_ALL(deadlines_come_forward),
		TEST_IN_ALL(work_from_outside_is_done),
		TEST_IN_ALL(more_work_than_a_turn_does),
		TEST_IN_ALL(descriptors_are_level_triggered),
		TEST_IN_ALL(events_change_between_turns),
		TEST_IN_ALL(tasks_come_and_go_between_turns),
		TEST_IN_ALL(events_change_within_a_turn),
		TEST_IN_ALL(many_are_ready),
		TEST_IN_ALL(signals_arrive),
		TEST_IN_ALL(answers_arrive),
		TEST_IN_ALL(answers_to_a_run_arrive),
		TEST_IN_ALL(programs_end),
		TEST(stubborn_programs_are_ended, in_poll),
		TEST_IN_ALL(no_wake_up_is_lost),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	struct weft_loop *loop;
	if (weft_loop_new(NULL, &loop) < 0)
		return 1;
	int fd = weft_loop_fd(loop);
	weft_loop_free(loop);
	return fd == -ENOTSUP ? test_without_descriptor() : test_in_hosts();
}
