/* SPDX-License-Identifier: MIT */
/*
 * CoDel's answers, packet by packet, against the pseudo code of RFC 8289 as it stands there,
 * with a queue and in floating point.
 */
#include "tunnel/codel.h"

#include "../unit.h"
#include "base/rng.h"
#include "packets.h"

#define TARGET   CODEL_TARGET_NS
#define INTERVAL CODEL_INTERVAL_NS
#define LEN_MAX  4096u
#define PACKETS  40000u

/* ---- the model --------------------------------------------------------------------------- */

/* A queue of times: when each packet was put in. */
struct model {
	uint64_t since[LEN_MAX];
	size_t head, n;
	uint64_t first_above, drop_next;
	uint32_t count, lastcount;
	bool dropping;
	unsigned drops;
};

struct taken {
	bool is_there, ok_to_drop;
};

/* The square root, by Newton: no library is needed for it. */
static double root(double x)
{
	double r = x;
	for (unsigned i = 0; i < 60; i++)
		r = (r + x / r) / 2;
	return r;
}

static uint64_t control_law(uint64_t t, uint32_t count)
{
	return t + (uint64_t)((double)INTERVAL / root(count));
}

static struct taken do_dequeue(struct model *q, uint64_t now)
{
	struct taken r = { false, false };
	if (q->n == 0) {
		q->first_above = 0;
		return r;
	}
	uint64_t sojourn = now - q->since[q->head];
	q->head = (q->head + 1) % LEN_MAX;
	q->n--;
	r.is_there = true;
	if (sojourn < TARGET || q->n == 0) {
		q->first_above = 0;
	} else if (q->first_above == 0) {
		q->first_above = now + INTERVAL;
	} else if (now >= q->first_above) {
		r.ok_to_drop = true;
	}
	return r;
}

/* RFC 8289, 5.5: returns whether there was a packet to send. */
static bool dequeue(struct model *q, uint64_t now)
{
	struct taken r = do_dequeue(q, now);
	if (q->dropping) {
		if (!r.ok_to_drop)
			q->dropping = false;
		while (now >= q->drop_next && q->dropping) {
			q->drops++;
			q->count++;
			r = do_dequeue(q, now);
			if (!r.ok_to_drop)
				q->dropping = false;
			else
				q->drop_next = control_law(q->drop_next, q->count);
		}
	} else if (r.ok_to_drop) {
		q->drops++;
		r = do_dequeue(q, now);
		q->dropping = true;
		uint32_t delta = q->count - q->lastcount;
		q->count = 1;
		if (delta > 1 && (int64_t)(now - q->drop_next) < (int64_t)(16 * INTERVAL))
			q->count = delta;
		q->drop_next = control_law(now, q->count);
		q->lastcount = q->count;
	}
	return r.is_there;
}

static void enqueue(struct model *q, uint64_t now)
{
	assert_true(q->n < LEN_MAX);
	q->since[(q->head + q->n) % LEN_MAX] = now;
	q->n++;
}

/* ---- ours, over a queue of the same kind ------------------------------------------------- */

struct ours {
	struct codel codel;
	uint64_t since[LEN_MAX];
	size_t head, n;
	unsigned drops;
};

static bool ours_dequeue(struct ours *q, uint64_t now)
{
	while (q->n > 0) {
		uint64_t sojourn = now - q->since[q->head];
		q->head = (q->head + 1) % LEN_MAX;
		q->n--;
		if (!codel_drops(&q->codel, sojourn, q->n == 0, now))
			return true;
		q->drops++;
	}
	codel_empty(&q->codel);
	return false;
}

/* ---- tests ------------------------------------------------------------------------------- */

/* A sender whose rate wanders about what the line takes, so that queues come and go. */
static void decides_as_the_rfc(void **state)
{
	(void)state;
	static struct model model;
	static struct ours ours;
	struct rng rng;
	uint64_t now = 1 * S, rate = 10;
	rng_init(&rng, test_seed());
	for (unsigned i = 0; i < PACKETS; i++) {
		now += 1 * MS + rng_below(&rng, 100000);
		if (i % 500 == 0)
			rate = 7 + rng_below(&rng, 6);
		for (uint64_t n = rng_below(&rng, rate); n > 4 && model.n < 3000; n--) {
			enqueue(&model, now);
			ours.since[(ours.head + ours.n++) % LEN_MAX] = now;
		}
		assert_int_equal(dequeue(&model, now), ours_dequeue(&ours, now));
		assert_int_equal(model.drops, ours.drops);
		assert_int_equal(model.n, ours.n);
	}
	assert_true(ours.drops > 20);
}

static void a_burst_is_left_alone(void **state)
{
	(void)state;
	struct codel c = { 0 };
	for (uint64_t t = 0; t < 99 * MS; t += MS)
		assert_false(codel_drops(&c, 50 * MS, false, 1 * S + t));
	assert_false(codel_drops(&c, 4 * MS, false, 1 * S + 99 * MS));
	assert_false(codel_drops(&c, 50 * MS, false, 1 * S + 100 * MS));
	assert_false(codel_drops(&c, 50 * MS, false, 1 * S + 199 * MS));
	assert_true(codel_drops(&c, 50 * MS, false, 1 * S + 200 * MS));
}

static void what_is_short_is_no_queue(void **state)
{
	(void)state;
	struct codel c = { 0 };
	for (uint64_t t = 0; t < 10 * S; t += MS)
		assert_false(codel_drops(&c, 90 * MS, true, 1 * S + t));
}

/* The times between drops: 100 ms, then divided by the roots of 2, 3, 4. */
static void drops_come_closer_together(void **state)
{
	(void)state;
	static const uint64_t at_us[] = { 100000, 200000, 270711, 328446, 378446 };
	struct codel c = { 0 };
	size_t n = 0;
	for (uint64_t us = 0; us < 380000; us++) {
		if (!codel_drops(&c, 50 * MS, false, 1 * S + us * 1000))
			continue;
		assert_true(n < 5);
		assert_in_range(us, at_us[n] - 1, at_us[n] + 1);
		n++;
	}
	assert_int_equal(n, 5);
}

/* A clock that jumps by years costs one packet, not a loop of them. */
static void a_clock_may_jump(void **state)
{
	(void)state;
	struct codel c = { 0 };
	unsigned drops = 0;
	for (uint64_t t = 0; t < 400; t++)
		drops += codel_drops(&c, 50 * MS, false, 1 * S + t * MS);
	assert_in_range(drops, 4, 6);
	drops = 0;
	for (unsigned i = 0; i < 1000; i++)
		drops += codel_drops(&c, 0, false, 1000000000 * S);
	assert_int_equal(drops, 0);
	for (unsigned i = 0; i < 1000; i++)
		drops += codel_drops(&c, 50 * MS, false, 1 * S);
	assert_int_equal(drops, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decides_as_the_rfc),
		cmocka_unit_test(a_burst_is_left_alone),
		cmocka_unit_test(what_is_short_is_no_queue),
		cmocka_unit_test(drops_come_closer_together),
		cmocka_unit_test(a_clock_may_jump),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
