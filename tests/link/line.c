/* SPDX-License-Identifier: MIT */
/*
 * Times are exact: a frame comes out in the nanosecond that its options say, as long as the
 * line is run when its deadline asks for it. Chance is tested by its statistics: of MANY
 * frames, the number that meets a fate lies within five standard deviations of its part.
 */
#include "link/line.h"

#include "../unit.h"
#include "inbox.h"

#include <weft/loop.h>

#include <errno.h>
#include <math.h>

#define MS   UINT64_C(1000000)
#define MANY 4000u
#define LEN  UINT64_C(1000) /* Bytes of a frame: 8,000 bits, 8 ms at 1 Mbit/s. */

static struct inbox box;
static struct line line;

static void emit(void *user, const struct weft_frame *frames, size_t n, uint64_t now)
{
	inbox_receive(user, NULL, frames, n, now);
}

static void start(struct line_opts opts)
{
	opts.emit = emit;
	opts.user = &box;
	line_init(&line, &opts);
}

static int teardown(void **state)
{
	(void)state;
	line_fini(&line);
	inbox_clear(&box);
	return 0;
}

static int push(uint32_t number, uint64_t now)
{
	uint8_t buf[LEN];
	struct weft_frame frame = numbered_frame(buf, sizeof(buf), number);
	return line_push(&line, &frame, now);
}

/* Does what a loop would do up to the given time. */
static void run_until(uint64_t end)
{
	while (line_deadline(&line) <= end)
		line_run(&line, line_deadline(&line));
}

static void assert_arrival(size_t i, uint32_t number, uint64_t time)
{
	assert_true(i < box.n);
	assert_int_equal(frame_number(&box.frames[i]), number);
	assert_int_equal(box.times[i], time);
}

/* n comes of MANY draws at the given part. */
static void assert_part(size_t n, double part)
{
	double expected = MANY * part;
	double deviation = sqrt(MANY * part * (1 - part));
	if (fabs((double)n - expected) > 5 * deviation)
		fail_msg("%zu of %u, expected about %.0f", n, MANY, expected);
}

static void a_perfect_line_holds_nothing(void **state)
{
	(void)state;
	start((struct line_opts){ 0 });
	assert_int_equal(push(1, 5), 0);
	assert_arrival(0, 1, 5);
	assert_true(line_deadline(&line) == WEFT_NEVER);
}

static void delay_is_exact(void **state)
{
	(void)state;
	start((struct line_opts){ .delay_ns = 20 * MS });
	assert_int_equal(push(1, 3), 0);
	assert_int_equal(push(2, 4), 0);
	assert_int_equal(push(3, 4), 0);
	assert_int_equal(line_deadline(&line), 3 + 20 * MS);
	line_run(&line, 2 + 20 * MS);
	assert_int_equal(box.n, 0);
	run_until(WEFT_NEVER - 1);
	assert_arrival(0, 1, 3 + 20 * MS);
	assert_arrival(1, 2, 4 + 20 * MS);
	assert_arrival(2, 3, 4 + 20 * MS);
	assert_int_equal(box.n, 3);
}

static void rate_spaces_frames_out(void **state)
{
	(void)state;
	start((struct line_opts){ .rate_bps = 1000000, .delay_ns = 5 * MS });
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(push(i, 100), 0);
	run_until(40 * MS);
	assert_arrival(0, 0, 100 + (8 + 5) * MS);
	assert_arrival(1, 1, 100 + (16 + 5) * MS);
	assert_arrival(2, 2, 100 + (24 + 5) * MS);
	/* The bottleneck has been idle since 24 ms: the next one does not wait. */
	assert_int_equal(push(3, 40 * MS), 0);
	run_until(100 * MS);
	assert_arrival(3, 3, (40 + 8 + 5) * MS);
}

/* Nobody ran the line for a second; what it computes does not depend on that. */
static void a_late_run_does_not_move_the_bottleneck(void **state)
{
	(void)state;
	start((struct line_opts){ .rate_bps = 1000000 });
	assert_int_equal(push(1, 0), 0);
	assert_int_equal(push(2, 12 * MS), 0);
	assert_int_equal(line_deadline(&line), 8 * MS);
	line_run(&line, 19 * MS);
	assert_int_equal(box.n, 1);
	assert_int_equal(line_deadline(&line), 20 * MS);
}

static void the_queue_is_bounded_in_frames(void **state)
{
	(void)state;
	start((struct line_opts){ .rate_bps = 1000000, .limit_frames = 3 });
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(push(i, 0), 0);
	assert_int_equal(push(3, 0), -ENOBUFS);
	assert_int_equal(push(4, 8 * MS - 1), -ENOBUFS);
	assert_int_equal(push(5, 8 * MS), 0);
	run_until(100 * MS);
	assert_int_equal(box.n, 4);
	assert_arrival(3, 5, 32 * MS);
}

static void the_queue_is_bounded_in_bytes(void **state)
{
	(void)state;
	start((struct line_opts){ .rate_bps = 1000000, .limit_bytes = 2 * LEN });
	assert_int_equal(push(0, 0), 0);
	assert_int_equal(push(1, 0), 0);
	assert_int_equal(push(2, 0), -ENOBUFS);
	run_until(100 * MS);
	assert_int_equal(box.n, 2);
}

/* What is under way is not in the queue: limit does not bound it. */
static void limit_is_not_for_the_delay(void **state)
{
	(void)state;
	start((struct line_opts){ .delay_ns = 1000 * MS, .limit_frames = 1 });
	for (uint32_t i = 0; i < 500; i++)
		assert_int_equal(push(i, i), 0);
	run_until(2000 * MS);
	assert_int_equal(box.n, 500);
}

static void memory_is_bounded_all_the_same(void **state)
{
	uint32_t taken = 0;
	(void)state;
	start((struct line_opts){ .delay_ns = 1000 * MS });
	while (push(taken, 0) == 0)
		taken++;
	assert_int_equal(taken, LINE_BYTES_MAX / LEN);
}

static void loss_takes_its_part(void **state)
{
	(void)state;
	start((struct line_opts){ .loss = 0.1, .seed = 7 });
	size_t lost = 0;
	for (uint32_t i = 0; i < MANY; i++)
		lost += push(i, i) < 0;
	assert_part(lost, 0.1);
	assert_int_equal(box.n, MANY - lost);
}

static void all_or_nothing_is_exact(void **state)
{
	(void)state;
	start((struct line_opts){ .loss = 1.0 });
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(push(i, i), -ENOBUFS);
	assert_int_equal(box.n, 0);
}

static void duplicates_come_at_the_same_time(void **state)
{
	(void)state;
	start((struct line_opts){ .duplicate = 1.0, .delay_ns = MS });
	assert_int_equal(push(1, 0), 0);
	run_until(10 * MS);
	assert_int_equal(box.n, 2);
	assert_arrival(0, 1, MS);
	assert_arrival(1, 1, MS);
}

static void jitter_stays_in_its_bounds_and_keeps_order(void **state)
{
	uint64_t least = UINT64_MAX, most = 0;
	(void)state;
	start((struct line_opts){ .delay_ns = 20 * MS, .jitter_ns = 5 * MS, .seed = 3 });
	for (uint32_t i = 0; i < MANY; i++) {
		run_until((uint64_t)i * 50 * MS);
		assert_int_equal(push(i, (uint64_t)i * 50 * MS), 0);
	}
	run_until(WEFT_NEVER - 1);
	assert_int_equal(box.n, MANY);
	for (uint32_t i = 0; i < MANY; i++) {
		uint64_t delay = box.times[i] - (uint64_t)i * 50 * MS;
		assert_int_equal(frame_number(&box.frames[i]), i);
		least = delay < least ? delay : least;
		most = delay > most ? delay : most;
	}
	assert_in_range(least, 15 * MS, 15 * MS + MS / 10);
	assert_in_range(most, 25 * MS - MS / 10, 25 * MS);
}

/* Frames closer together than the jitter would overtake each other, and do not. */
static void jitter_never_reorders(void **state)
{
	(void)state;
	start((struct line_opts){ .delay_ns = 20 * MS, .jitter_ns = 20 * MS, .seed = 3 });
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(push(i, i * UINT64_C(1000)), 0);
	run_until(WEFT_NEVER - 1);
	assert_int_equal(box.n, 1000);
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(frame_number(&box.frames[i]), i);
}

static void reordered_frames_skip_the_delay(void **state)
{
	size_t early = 0;
	(void)state;
	start((struct line_opts){ .delay_ns = 20 * MS, .reorder = 0.25, .seed = 11 });
	for (uint32_t i = 0; i < MANY; i++) {
		run_until((uint64_t)i * MS);
		assert_int_equal(push(i, (uint64_t)i * MS), 0);
	}
	run_until(WEFT_NEVER - 1);
	assert_int_equal(box.n, MANY);
	for (uint32_t i = 0; i < MANY; i++) {
		uint64_t sent = (uint64_t)frame_number(&box.frames[i]) * MS;
		early += box.times[i] == sent;
		if (box.times[i] != sent)
			assert_int_equal(box.times[i], sent + 20 * MS);
	}
	assert_part(early, 0.25);
}

/* With a rate, what overtakes still takes its turn at the bottleneck. */
static void reordered_frames_do_not_skip_the_rate(void **state)
{
	(void)state;
	start((struct line_opts){
		.rate_bps = 1000000, .delay_ns = 50 * MS, .reorder = 1.0 });
	assert_int_equal(push(1, 0), 0);
	assert_int_equal(push(2, 0), 0);
	run_until(1000 * MS);
	assert_arrival(0, 1, 8 * MS);
	assert_arrival(1, 2, 16 * MS);
}

static void the_same_seed_is_the_same_run(void **state)
{
	const struct line_opts opts = {
		.loss = 0.1,
		.duplicate = 0.1,
		.delay_ns = 20 * MS,
		.jitter_ns = 10 * MS,
		.reorder = 0.1,
		.seed = 42,
	};
	static uint64_t times[2][1000];
	size_t counts[2];
	(void)state;
	for (size_t run = 0; run < 2; run++) {
		start(opts);
		for (uint32_t i = 0; i < 500; i++)
			(void)!push(i, i * UINT64_C(100));
		run_until(WEFT_NEVER - 1);
		counts[run] = box.n;
		for (size_t i = 0; i < box.n; i++)
			times[run][i] = box.times[i] << 10 | frame_number(&box.frames[i]);
		teardown(state);
	}
	assert_int_equal(counts[0], counts[1]);
	assert_memory_equal(times[0], times[1], counts[0] * sizeof(times[0][0]));
}

static void a_run_is_bounded(void **state)
{
	(void)state;
	start((struct line_opts){ .delay_ns = MS });
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(push(i, 0), 0);
	line_run(&line, 2 * MS);
	assert_int_equal(box.n, LINK_BATCH);
	assert_int_equal(line_deadline(&line), MS);
	line_run(&line, 2 * MS);
	assert_int_equal(box.n, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_perfect_line_holds_nothing, teardown),
		cmocka_unit_test_teardown(delay_is_exact, teardown),
		cmocka_unit_test_teardown(rate_spaces_frames_out, teardown),
		cmocka_unit_test_teardown(a_late_run_does_not_move_the_bottleneck,
					  teardown),
		cmocka_unit_test_teardown(the_queue_is_bounded_in_frames, teardown),
		cmocka_unit_test_teardown(the_queue_is_bounded_in_bytes, teardown),
		cmocka_unit_test_teardown(limit_is_not_for_the_delay, teardown),
		cmocka_unit_test_teardown(memory_is_bounded_all_the_same, teardown),
		cmocka_unit_test_teardown(loss_takes_its_part, teardown),
		cmocka_unit_test_teardown(all_or_nothing_is_exact, teardown),
		cmocka_unit_test_teardown(duplicates_come_at_the_same_time, teardown),
		cmocka_unit_test_teardown(jitter_stays_in_its_bounds_and_keeps_order,
					  teardown),
		cmocka_unit_test_teardown(jitter_never_reorders, teardown),
		cmocka_unit_test_teardown(reordered_frames_skip_the_delay, teardown),
		cmocka_unit_test_teardown(reordered_frames_do_not_skip_the_rate,
					  teardown),
		cmocka_unit_test_teardown(the_same_seed_is_the_same_run, teardown),
		cmocka_unit_test_teardown(a_run_is_bounded, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
