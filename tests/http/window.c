/* SPDX-License-Identifier: MIT */
/*
 * A window over a path of numbers: a bottleneck with a queue before it, millisecond by millisecond.
 * Whoever sends always has more, and TCP lets so much be under way:
 *
 *     min(window, tcp) --> [ queue ] --> rate --> base round trip --> acked
 *
 * What others have in the queue is taken to stay as long as it is, whatever is sent; and a
 * processor that is late makes each round trip longer.
 */
#include "http/window.h"

#include "../unit.h"

#define MS UINT64_C(1000000)
#define S  UINT64_C(1000000000)

#define MBIT 125000.0 /* bytes per second */

struct path {
	double rate; /* Of the bottleneck, bytes per second. */
	double base_s;
	double late_s;  /* What a processor adds. */
	double others;  /* Bytes in the queue that are not ours. */
	double tcp;     /* What TCP lets be under way, */
	double offered; /* and what there is to send. */
	bool is_losing;
	uint64_t now;
	double acked, rtt_s;
	struct window window;
};

static struct path path_new(double rate, double base_s, double tcp)
{
	return (struct path){ .rate = rate,
			      .base_s = base_s,
			      .tcp = tcp,
			      .offered = 1e9,
			      .now = 1000 * S,
			      .rtt_s = base_s };
}

static double smaller(double a, double b)
{
	return a < b ? a : b;
}

/* A millisecond: what is under way takes its time, by what the path can carry of it. */
static void pass(struct path *p)
{
	const size_t len = window_len(&p->window);
	const double may = smaller(p->tcp, len == WINDOW_NONE ? 1e12 : (double)len);
	const double sent = smaller(may, p->offered);
	const double held = p->rate * p->base_s;
	const double queue = sent + p->others > held ? sent + p->others - held : 0;
	const double rtt_s = p->base_s + p->late_s + queue / p->rate;
	p->rtt_s += (rtt_s - p->rtt_s) / 4;
	p->acked += sent / rtt_s / 1000;
	p->now += MS;
	if (sent >= (double)len)
		window_is_short(&p->window);
	const struct window_path facts = { .acked = (uint64_t)p->acked,
					   .under_way = (size_t)sent,
					   .rtt_ns = (uint64_t)(p->rtt_s * 1e9),
					   .is_losing = p->is_losing };
	if (window_is_due(&p->window, p->now))
		window_look(&p->window, &facts, p->now);
}

static void pass_ms(struct path *p, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		pass(p);
}

/* Returns what share of a rate came through in so many seconds. */
static double share(struct path *p, unsigned seconds, double rate)
{
	const double before = p->acked;
	pass_ms(p, seconds * 1000);
	return (p->acked - before) / (rate * seconds);
}

static double queue_ms(const struct path *p)
{
	return (p->rtt_s - p->base_s) * 1e3;
}

/* TCP would fill 50 ms of queue. */
static struct path filled(double rate, double base_s)
{
	struct path p = path_new(rate, base_s, rate * base_s);
	(void)share(&p, 1, rate);
	p.tcp = rate * (base_s + .05);
	return p;
}

static void without_a_queue_there_is_none(void **state)
{
	(void)state;
	struct path p = path_new(8000 * MBIT, .0003, 8000 * MBIT * .002);
	assert_true(share(&p, 2, p.rate) > .99);
	assert_true(window_len(&p.window) == WINDOW_NONE);
}

static void what_is_fast_has_none(void **state)
{
	(void)state;
	struct path p = filled(8000 * MBIT, .0003);
	assert_true(share(&p, 2, p.rate) > .99);
	assert_true(window_len(&p.window) == WINDOW_NONE);
	p.rate = 200 * MBIT;
	(void)share(&p, 20, p.rate);
	assert_true(queue_ms(&p) < 4);
	p.rate = 8000 * MBIT;
	(void)share(&p, 2, p.rate);
	assert_true(window_len(&p.window) == WINDOW_NONE);
}

static void a_queue_is_kept_short(void **state)
{
	static const double bases_s[] = { .0003, .002, .02, .1 };
	(void)state;
	for (size_t i = 0; i < sizeof(bases_s) / sizeof(*bases_s); i++) {
		struct path p = filled(200 * MBIT, bases_s[i]);
		assert_true(share(&p, 3, p.rate) > .99);
		assert_true(queue_ms(&p) < 3.5 + bases_s[i] * 1e3 / 16);
		assert_true(queue_ms(&p) > 1);
	}
}

static void it_follows_the_rate(void **state)
{
	(void)state;
	struct path p = filled(200 * MBIT, .02);
	(void)share(&p, 2, p.rate);
	p.rate = 400 * MBIT;
	p.tcp = p.rate * .07;
	(void)share(&p, 2, p.rate);
	assert_true(share(&p, 1, p.rate) > .99);
	assert_true(queue_ms(&p) < 6);
	p.rate = 50 * MBIT;
	(void)share(&p, 12, p.rate);
	assert_true(share(&p, 1, p.rate) > .99);
	assert_true(queue_ms(&p) < 12);
}

/* A route that is longer looks like a queue that does not become shorter. */
static void a_longer_way_costs_nothing(void **state)
{
	(void)state;
	struct path p = filled(200 * MBIT, .02);
	(void)share(&p, 2, p.rate);
	p.base_s = .04;
	p.tcp = p.rate * .09;
	(void)share(&p, 2, p.rate);
	assert_true(share(&p, 30, p.rate) > .98);
	p.base_s = .02;
	(void)share(&p, 12, p.rate);
	assert_true(share(&p, 1, p.rate) > .99);
	assert_true(queue_ms(&p) < 6);
}

/* The queue, in ms, `after_ms` after a processor on the way was late for so long. */
static double queue_after_late(struct path *p, unsigned late_ms, unsigned after_ms)
{
	p->late_s = .008;
	pass_ms(p, late_ms);
	p->late_s = 0;
	pass_ms(p, after_ms);
	return queue_ms(p);
}

static void what_is_late_for_a_moment_says_nothing(void **state)
{
	(void)state;
	for (unsigned late_ms = 10; late_ms <= 50; late_ms += 4) {
		struct path p = filled(200 * MBIT, .004);
		(void)share(&p, 2, p.rate);
		assert_true(queue_after_late(&p, late_ms, 60) < 4);
	}
}

/* That is a longer way, for as long as it lasts. */
static void what_was_late_is_soon_forgotten(void **state)
{
	(void)state;
	struct path p = filled(200 * MBIT, .004);
	(void)share(&p, 2, p.rate);
	for (unsigned i = 0; i < 20; i++) {
		assert_true(queue_after_late(&p, 100, 400) < 4);
		(void)share(&p, 1, p.rate);
	}
}

/* Where processors are what is waited for, less under way is less that is carried. */
static void what_is_late_all_the_time_is_believed(void **state)
{
	(void)state;
	struct path p = filled(200 * MBIT, .004);
	(void)share(&p, 2, p.rate);
	const double before = p.acked;
	for (unsigned i = 0; i < 100; i++)
		(void)queue_after_late(&p, 100, 100);
	assert_true((p.acked - before) / (p.rate * 20) > .82);
}

/* It takes some round trips to find that out again. */
static void a_much_longer_way_costs_little(void **state)
{
	(void)state;
	struct path p = filled(200 * MBIT, .15);
	(void)share(&p, 5, p.rate);
	p.base_s = .3;
	p.tcp = p.rate * .35;
	(void)share(&p, 5, p.rate);
	assert_true(share(&p, 60, p.rate) > .95);
}

/* Whose connection fills the queue, whatever others do, does not get all of the path. */
static void who_fills_the_queue_leaves_a_share(void **state)
{
	(void)state;
	struct path p = path_new(200 * MBIT, .02, 200 * MBIT * .02);
	(void)share(&p, 1, p.rate);
	p.others = p.tcp = p.rate * .035;
	(void)share(&p, 1, p.rate);
	const double without_a_window = p.tcp / (p.rate * .07);
	assert_true(share(&p, 60, p.rate) > .95 * without_a_window);
	p.others = 0;
	(void)share(&p, 12, p.rate);
	assert_true(share(&p, 1, p.rate) > .99);
	assert_true(queue_ms(&p) < 6);
}

static void what_does_not_fill_it_leaves_it(void **state)
{
	(void)state;
	struct path p = filled(200 * MBIT, .02);
	(void)share(&p, 2, p.rate);
	const size_t len = window_len(&p.window);
	p.offered = 3000;
	(void)share(&p, 30, p.rate);
	assert_int_equal(window_len(&p.window), len);
	p.others = p.rate * .05;
	(void)share(&p, 30, p.rate);
	assert_int_equal(window_len(&p.window), len);
}

static void a_loss_says_nothing(void **state)
{
	(void)state;
	struct path p = filled(200 * MBIT, .02);
	p.is_losing = true;
	(void)share(&p, 2, p.rate);
	assert_true(window_len(&p.window) == WINDOW_NONE);
}

static void a_path_that_says_nothing_has_none(void **state)
{
	(void)state;
	struct window w = { .len = 0 };
	const struct window_path nothing = { .under_way = 10000000 };
	for (uint64_t t = 1; t < 1000; t++)
		window_look(&w, &nothing, t * MS);
	assert_true(window_len(&w) == WINDOW_NONE);
}

static void whatever_is_said_there_is_a_smallest(void **state)
{
	(void)state;
	struct window w = { .len = 0 };
	uint64_t now = S, acked = 0;
	srand((unsigned)test_seed());
	for (unsigned i = 0; i < 200000; i++) {
		now += 1 + (uint64_t)rand() % (rand() % 100 == 0 ? 3 * S : 3 * MS);
		acked += (uint64_t)rand() % (1u << rand() % 30);
		const struct window_path facts = {
			.acked = acked,
			.under_way = (size_t)rand() % ((size_t)1 << rand() % 31),
			.rtt_ns = (uint64_t)rand() % (UINT64_C(1) << rand() % 40),
			.is_losing = rand() % 8 == 0,
		};
		if (rand() % 2)
			window_is_short(&w);
		if (window_is_due(&w, now))
			window_look(&w, &facts, now);
		assert_true(window_len(&w) >= WINDOW_MIN);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_queue_there_is_none),
		cmocka_unit_test(what_is_fast_has_none),
		cmocka_unit_test(a_queue_is_kept_short),
		cmocka_unit_test(it_follows_the_rate),
		cmocka_unit_test(a_longer_way_costs_nothing),
		cmocka_unit_test(what_is_late_for_a_moment_says_nothing),
		cmocka_unit_test(what_was_late_is_soon_forgotten),
		cmocka_unit_test(what_is_late_all_the_time_is_believed),
		cmocka_unit_test(a_much_longer_way_costs_little),
		cmocka_unit_test(who_fills_the_queue_leaves_a_share),
		cmocka_unit_test(what_does_not_fill_it_leaves_it),
		cmocka_unit_test(a_loss_says_nothing),
		cmocka_unit_test(a_path_that_says_nothing_has_none),
		cmocka_unit_test(whatever_is_said_there_is_a_smallest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
