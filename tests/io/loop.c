/* SPDX-License-Identifier: MIT */
/*
 * The loop with pipes and timers. Each test notes what ran in a short text, one letter per
 * run, and compares the text: order counts, absolute times do not. Every test ends by a stop
 * from within; one that does not is ended by meson's time-out.
 */
#include "../unit.h"
#include "base/array.h"
#include "base/container.h"

#include <weft/loop.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define MS ((uint64_t)1000000)

/* What ran, in order. */
struct notes {
	char text[32];
	size_t len;
};

static void note(struct notes *notes, char what)
{
	assert_true(notes->len + 1 < sizeof(notes->text));
	notes->text[notes->len++] = what;
	notes->text[notes->len] = '\0';
}

/* A task that notes its name and then does what the test wants of it. */
struct probe {
	struct weft_task task;
	char name;
	uint64_t deadline; /* Once run, never again, unless act says otherwise. */
	uint64_t ran_at;
	struct notes *notes;
	struct weft_loop *loop;
	void (*act)(struct probe *probe);
	struct probe *other;
};

static uint64_t probe_deadline(const struct weft_task *task)
{
	return container_of_const(task, struct probe, task)->deadline;
}

static void probe_run(struct weft_task *task, uint64_t now)
{
	struct probe *p = container_of(task, struct probe, task);
	note(p->notes, p->name);
	p->ran_at = now;
	p->deadline = WEFT_NEVER;
	if (p->act)
		p->act(p);
}

struct fixture {
	struct weft_loop *loop;
	struct notes notes;
	int fds[2]; /* A pipe: [0] to read from, [1] to write to. */
	struct probe probes[8];
	size_t probe_count;
};

static int set_up(void **state)
{
	static struct fixture f;
	f = (struct fixture){ 0 };
	*state = &f;
	return weft_loop_new(NULL, &f.loop) | pipe2(f.fds, O_CLOEXEC | O_NONBLOCK);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	weft_loop_free(f->loop);
	for (int i = 0; i < 2; i++)
		if (f->fds[i] >= 0)
			close(f->fds[i]);
	return 0;
}

/* Probes belong to the fixture: they must outlive their loop. */
static struct probe *make_probe(struct fixture *f, char name, int fd, unsigned events)
{
	assert_true(f->probe_count < ARRAY_LEN(f->probes));
	struct probe *p = &f->probes[f->probe_count++];
	*p = (struct probe){
		.task = { .fd = fd,
			  .events = events,
			  .run = probe_run,
			  .deadline = probe_deadline },
		.name = name,
		.deadline = WEFT_NEVER,
		.notes = &f->notes,
		.loop = f->loop,
	};
	return p;
}

static struct probe *make_timer(struct fixture *f, char name, uint64_t deadline)
{
	struct probe *p = make_probe(f, name, -1, 0);
	p->deadline = deadline;
	return p;
}

static void add(struct fixture *f, struct probe *p)
{
	assert_int_equal(weft_loop_add(f->loop, &p->task), 0);
}

static void stop(struct probe *p)
{
	weft_loop_stop(p->loop);
}

static void write_byte(struct fixture *f)
{
	assert_int_equal(write(f->fds[1], "x", 1), 1);
}

static void read_byte(struct probe *p)
{
	char c;
	assert_int_equal(read(p->task.fd, &c, 1), 1);
}

/* ---- descriptors ------------------------------------------------------------------------- */

/* Reads one byte of two in each run: the second is found by the next poll. */
static void read_and_stop_at_end(struct probe *p)
{
	read_byte(p);
	if (p->notes->len == 2)
		stop(p);
}

static void descriptors_are_level_triggered(void **state)
{
	struct fixture *f = *state;
	struct probe *p = make_probe(f, 'a', f->fds[0], WEFT_READABLE);
	p->act = read_and_stop_at_end;
	add(f, p);
	write_byte(f);
	write_byte(f);
	assert_int_equal(weft_loop_run(f->loop), 0);
	assert_string_equal(f->notes.text, "aa");
	weft_loop_remove(f->loop, &p->task);
}

static void want_readable(struct probe *p)
{
	p->other->task.events = WEFT_READABLE;
}

static void events_may_change_at_any_time(void **state)
{
	struct fixture *f = *state;
	struct probe *reader = make_probe(f, 'r', f->fds[0], 0);
	struct probe *timer = make_timer(f, 't', weft_loop_now(f->loop) + MS);
	reader->act = stop;
	timer->act = want_readable;
	timer->other = reader;
	add(f, reader);
	add(f, timer);
	write_byte(f);
	weft_loop_run(f->loop);
	assert_string_equal(f->notes.text, "tr");
}

/* From now on it must not run; the timer ends the test. */
static void stop_watching(struct probe *p)
{
	p->task.events = 0;
	p->other->deadline = weft_loop_now(p->loop) + 2 * MS;
}

static void writable_until_told_otherwise(void **state)
{
	struct fixture *f = *state;
	struct probe *writer = make_probe(f, 'w', f->fds[1], WEFT_WRITABLE);
	struct probe *timer = make_timer(f, 't', WEFT_NEVER);
	writer->act = stop_watching;
	writer->other = timer;
	timer->act = stop;
	add(f, writer);
	add(f, timer);
	weft_loop_run(f->loop);
	assert_string_equal(f->notes.text, "wt");
}

static void stop_watching_at_second_run(struct probe *p)
{
	if (p->notes->len == 2)
		stop_watching(p);
}

/* A pipe without readers is in error; its writer is run until it gives up its events. */
static void errors_make_ready(void **state)
{
	struct fixture *f = *state;
	struct probe *writer = make_probe(f, 'w', f->fds[1], WEFT_READABLE);
	struct probe *timer = make_timer(f, 't', WEFT_NEVER);
	writer->act = stop_watching_at_second_run;
	writer->other = timer;
	timer->act = stop;
	add(f, writer);
	add(f, timer);
	close(f->fds[0]);
	f->fds[0] = -1;
	weft_loop_run(f->loop);
	assert_string_equal(f->notes.text, "wwt");
}

/* Runs a task of its own, as an object does that another is a part of, and then stops. */
static void run_other(struct probe *p)
{
	weft_task_run_inner(&p->task, &p->other->task, p->ran_at);
	assert_int_equal(p->other->task.quiet, 0);
	stop(p);
}

static void note_quiet(struct probe *p)
{
	note(p->notes, (char)('0' + p->task.quiet));
}

static void runs_are_told_what_has_not_come(void **state)
{
	struct fixture *f = *state;
	struct probe *outer = make_probe(f, 'o', f->fds[0], WEFT_READABLE);
	struct probe *inner = make_probe(f, 'i', f->fds[0], WEFT_READABLE);
	outer->act = run_other;
	outer->other = inner;
	inner->act = note_quiet;
	add(f, outer);
	outer->deadline = 0;
	weft_loop_run(f->loop);
	assert_string_equal(f->notes.text,
			    "oi3"); /* The deadline alone: neither has come. */
	write_byte(f);
	weft_loop_run(f->loop);
	assert_string_equal(f->notes.text, "oi3oi2"); /* All but WEFT_READABLE. */
	weft_loop_remove(f->loop, &outer->task);
	assert_int_equal(outer->task.quiet, 0);
}

static void add_says_what_is_wrong(void **state)
{
	struct fixture *f = *state;
	struct probe *p = make_probe(f, 'p', f->fds[0], WEFT_READABLE);
	struct probe *bad = make_probe(f, 'b', 1 << 20, WEFT_READABLE);
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	assert_true(file >= 0);
	struct probe *regular = make_probe(f, 'f', file, WEFT_READABLE);
	add(f, p);
	assert_int_equal(weft_loop_add(f->loop, &p->task), -EEXIST);
	assert_int_equal(weft_loop_add(f->loop, &bad->task), -EBADF);
	assert_int_equal(weft_loop_add(f->loop, &regular->task), -EPERM);
	assert_null(regular->task.loop_state);
	weft_loop_remove(f->loop, &regular->task); /* Not in: no-op. */
	close(file);
}

/* ---- deadlines --------------------------------------------------------------------------- */

static void timers_run_by_deadline(void **state)
{
	struct fixture *f = *state;
	uint64_t now = weft_loop_now(f->loop);
	struct probe *c = make_timer(f, 'c', now + 3 * MS);
	struct probe *a = make_timer(f, 'a', now + MS);
	struct probe *b = make_timer(f, 'b', now + 2 * MS);
	c->act = stop;
	add(f, c);
	add(f, a);
	add(f, b);
	weft_loop_run(f->loop);
	assert_string_equal(f->notes.text, "abc");
	assert_true(a->ran_at >= now + MS && c->ran_at >= now + 3 * MS);
}

static void put_off(struct probe *p)
{
	if (p->notes->len < 4)
		p->deadline = p->ran_at + MS / 10;
	else
		stop(p);
}

static void timers_repeat(void **state)
{
	struct fixture *f = *state;
	struct probe *p = make_timer(f, 'p', 0);
	p->act = put_off;
	add(f, p);
	uint64_t begin = weft_loop_now(f->loop);
	weft_loop_run(f->loop);
	assert_string_equal(f->notes.text, "pppp");
	assert_true(p->ran_at >= begin + 3 * (MS / 10));
}

static void bring_forward(struct probe *p)
{
	p->other->deadline = weft_loop_now(p->loop) + MS;
}

/* A deadline that comes to be earlier than the one the loop sleeps for. */
static void deadlines_may_come_forward(void **state)
{
	struct fixture *f = *state;
	const uint64_t now = weft_loop_now(f->loop), hour = 3600000 * MS;
	struct probe *late = make_timer(f, 'l', now + hour);
	struct probe *timer = make_timer(f, 't', now + MS);
	late->act = stop;
	timer->act = bring_forward;
	timer->other = late;
	add(f, late);
	add(f, timer);
	weft_loop_run(f->loop);
	assert_string_equal(f->notes.text, "tl");
}

static void give_work(struct probe *p)
{
	read_byte(p);
	p->other->deadline = 0;
}

static void work_is_flushed_in_the_same_turn(void **state)
{
	struct fixture *f = *state;
	struct probe *reader = make_probe(f, 'r', f->fds[0], WEFT_READABLE);
	struct probe *sender = make_timer(f, 's', WEFT_NEVER);
	reader->act = give_work;
	reader->other = sender;
	sender->act = stop;
	add(f, sender);
	add(f, reader);
	write_byte(f);
	write_byte(f); /* Still readable: a second turn would run the reader first. */
	weft_loop_run(f->loop);
	assert_string_equal(f->notes.text, "rs");
}

static void stay_due(struct probe *p)
{
	p->deadline = 0;
	p->notes->len = 0;
}

/* One that is always due must not starve the descriptors. */
static void rounds_are_bounded(void **state)
{
	struct fixture *f = *state;
	struct probe *busy = make_timer(f, 'b', 0);
	struct probe *reader = make_probe(f, 'r', f->fds[0], WEFT_READABLE);
	struct notes elsewhere = { 0 };
	busy->act = stay_due;
	busy->notes = &elsewhere;
	reader->act = stop;
	add(f, busy);
	add(f, reader);
	write_byte(f);
	weft_loop_run(f->loop);
	assert_string_equal(f->notes.text, "r");
}

/* ---- removal ----------------------------------------------------------------------------- */

static void remove_self(struct probe *p)
{
	weft_loop_remove(p->loop, &p->task);
	weft_loop_remove(p->loop, &p->task); /* Twice is harmless. */
	memset(&p->task, 0xff, sizeof(p->task));
}

static void remove_other(struct probe *p)
{
	weft_loop_remove(p->loop, &p->other->task);
	memset(&p->other->task, 0xff, sizeof(p->other->task));
}

static void removal_of_self_while_due(void **state)
{
	struct fixture *f = *state;
	struct probe *a = make_timer(f, 'a', 1), *b = make_timer(f, 'b', 2);
	a->act = remove_self;
	b->act = stop;
	add(f, a);
	add(f, b);
	weft_loop_run(f->loop);
	assert_string_equal(f->notes.text, "ab");
}

/* Whoever is removed is not run any more, although it was due in the same round. */
static void removal_of_others_while_due(void **state)
{
	struct fixture *f = *state;
	struct probe *a = make_timer(f, 'a', 1), *b = make_timer(f, 'b', 2);
	struct probe *c = make_timer(f, 'c', 3), *d = make_timer(f, 'd', 4);
	b->act = remove_other;
	b->other = c;
	d->act = remove_other;
	d->other = a;
	add(f, c);
	add(f, b);
	add(f, a);
	add(f, d);
	struct probe *end = make_timer(f, 'e', 5);
	end->act = stop;
	add(f, end);
	weft_loop_run(f->loop);
	assert_string_equal(f->notes.text, "abde");
}

/* Two descriptors are ready at once; whoever runs first closes the other's. */
static void remove_and_close_other(struct probe *p)
{
	int fd = p->other->task.fd;
	remove_other(p);
	close(fd);
	stop(p);
}

static void removal_of_ready_descriptors(void **state)
{
	struct fixture *f = *state;
	int more[2];
	assert_int_equal(pipe2(more, O_CLOEXEC | O_NONBLOCK), 0);
	struct probe *a = make_probe(f, 'x', f->fds[0], WEFT_READABLE);
	struct probe *b = make_probe(f, 'x', more[0], WEFT_READABLE);
	a->act = b->act = remove_and_close_other;
	a->other = b;
	b->other = a;
	add(f, a);
	add(f, b);
	write_byte(f);
	assert_int_equal(write(more[1], "x", 1), 1);
	weft_loop_run(f->loop);
	assert_string_equal(f->notes.text, "x");
	if (a->ran_at)
		f->fds[0] = a->task.fd;
	else
		f->fds[0] = b->task.fd;
	close(more[1]);
}

static void add_again(struct probe *p)
{
	weft_loop_remove(p->loop, &p->task);
	assert_int_equal(weft_loop_add(p->loop, &p->task), 0);
	if (p->notes->len == 2)
		stop(p);
}

static void removed_tasks_may_come_back(void **state)
{
	struct fixture *f = *state;
	struct probe *p = make_probe(f, 'p', f->fds[0], WEFT_READABLE);
	p->act = add_again;
	add(f, p);
	write_byte(f);
	weft_loop_run(f->loop);
	assert_string_equal(f->notes.text, "pp");
}

static void add_other(struct probe *p)
{
	assert_int_equal(weft_loop_add(p->loop, &p->other->task), 0);
}

static void tasks_may_be_added_from_a_run(void **state)
{
	struct fixture *f = *state;
	struct probe *a = make_timer(f, 'a', 0), *b = make_timer(f, 'b', 0);
	a->act = add_other;
	a->other = b;
	b->act = stop;
	add(f, a);
	weft_loop_run(f->loop);
	assert_string_equal(f->notes.text, "ab");
}

/* ---- stop, free, busy poll --------------------------------------------------------------- */

static void stop_before_run_counts(void **state)
{
	struct fixture *f = *state;
	struct probe *p = make_timer(f, 'p', 0);
	add(f, p);
	weft_loop_stop(f->loop);
	weft_loop_run(f->loop);
	assert_string_equal(f->notes.text, "");
	p->act = stop;
	weft_loop_run(f->loop);
	assert_string_equal(f->notes.text, "p");
}

static void give_work_and_stop(struct probe *p)
{
	give_work(p);
	stop(p);
}

/* What was handed over before the stop is still sent: a farewell, for one. */
static void stop_ends_the_turn_first(void **state)
{
	struct fixture *f = *state;
	struct probe *reader = make_probe(f, 'r', f->fds[0], WEFT_READABLE);
	struct probe *due = make_timer(f, 'd', 0);
	reader->act = give_work_and_stop;
	reader->other = due;
	due->deadline = WEFT_NEVER;
	add(f, due);
	add(f, reader);
	write_byte(f);
	weft_loop_run(f->loop);
	assert_string_equal(f->notes.text, "rd");
}

static void free_takes_tasks_out(void **state)
{
	struct fixture *f = *state;
	struct weft_loop *other;
	struct probe *p = make_probe(f, 'p', f->fds[0], WEFT_READABLE);
	assert_int_equal(weft_loop_new(NULL, &other), 0);
	assert_int_equal(weft_loop_add(other, &p->task), 0);
	weft_loop_free(other);
	assert_null(p->task.loop_state);
	add(f, p);
	weft_loop_free(NULL);
}

static void busy_poll_does_the_same(void **state)
{
	struct fixture *f = *state;
	const struct weft_loop_opts opts = { .busy_poll = true };
	weft_loop_free(f->loop);
	assert_int_equal(weft_loop_new(&opts, &f->loop), 0);
	struct probe *reader = make_probe(f, 'r', f->fds[0], WEFT_READABLE);
	struct probe *timer = make_timer(f, 't', weft_loop_now(f->loop) + MS);
	reader->act = read_byte;
	timer->act = stop;
	add(f, timer);
	add(f, reader);
	write_byte(f);
	weft_loop_run(f->loop);
	assert_string_equal(f->notes.text, "rt");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return 1;
	const struct CMUnitTest tests[] = {
		TEST(descriptors_are_level_triggered),
		TEST(events_may_change_at_any_time),
		TEST(writable_until_told_otherwise),
		TEST(errors_make_ready),
		TEST(runs_are_told_what_has_not_come),
		TEST(add_says_what_is_wrong),
		TEST(timers_run_by_deadline),
		TEST(timers_repeat),
		TEST(deadlines_may_come_forward),
		TEST(work_is_flushed_in_the_same_turn),
		TEST(rounds_are_bounded),
		TEST(removal_of_self_while_due),
		TEST(removal_of_others_while_due),
		TEST(removal_of_ready_descriptors),
		TEST(removed_tasks_may_come_back),
		TEST(tasks_may_be_added_from_a_run),
		TEST(stop_before_run_counts),
		TEST(stop_ends_the_turn_first),
		TEST(free_takes_tasks_out),
		TEST(busy_poll_does_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
