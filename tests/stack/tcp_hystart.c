/* SPDX-License-Identifier: MIT */
/*
 * HyStart++, round trip by round trip: when the first slow start ends, and when it does not.
 */
#include "../unit.h"
#include "stack/tcp_cc.h"
#include "stack/tcp_conn.h"

#define MSS 1000u

struct path {
	struct tcp_cc cc;
	uint32_t una;
	uint32_t round_end; /* SND.NXT when the round before was over. */
	uint32_t per_ack;   /* Segments that one ACK acknowledges. */
	bool is_burst;      /* The sender does not pace. */
};

static struct path begin(void)
{
	struct path p = { .cc = { .mss = MSS, .ssthresh = TCP_SSTHRESH_NONE },
			  .per_ack = 1 };
	p.cc.cwnd = 10 * MSS;
	tcp_cubic_ops.start(&p.cc);
	/* Sequence numbers close their circle on the way. */
	p.una = (uint32_t)-15000;
	p.round_end = p.una + MSS + p.cc.cwnd; /* As the first ACK will find it. */
	return p;
}

/* A window's ACKs, each of which took rtt_us; the window after it leaves meanwhile. */
static void round_trip(struct path *p, uint32_t rtt_us)
{
	uint32_t end = p->round_end;
	while (p->una != end) {
		struct tcp_cc_ack ack = {
			.acked = p->per_ack * MSS,
			.rtt_us = rtt_us,
			.srtt_us = rtt_us,
			.is_paced = !p->is_burst,
			.now = 1,
		};
		if (ack.acked > end - p->una)
			ack.acked = end - p->una;
		p->una += ack.acked;
		ack.una = p->una;
		ack.nxt = p->una + p->cc.cwnd / MSS * MSS;
		p->round_end = ack.nxt;
		tcp_cubic_ops.acked(&p->cc, &ack);
	}
}

/* How much cwnd grows in a round trip, in percent of what that acknowledges. */
static uint32_t growth(struct path *p, uint32_t rtt_us)
{
	uint32_t cwnd = p->cc.cwnd, una = p->una;
	round_trip(p, rtt_us);
	return (p->cc.cwnd - cwnd) * 100 / (p->una - una);
}

static bool has_ended(const struct path *p)
{
	return p->cc.ssthresh != TCP_SSTHRESH_NONE;
}

/* Doubles; then a queue shows, cwnd grows a quarter as fast for five rounds, and is enough. */
static void a_queue_ends_slow_start(void **state)
{
	(void)state;
	struct path p = begin();
	assert_int_equal(growth(&p, 20000), 100);
	assert_int_equal(growth(&p, 20000), 100);
	/* The first seven samples of the round do not count yet. */
	assert_in_range(growth(&p, 24000), 30, 50);
	for (unsigned i = 0; i < 4; i++) {
		assert_false(has_ended(&p));
		assert_int_equal(growth(&p, 24000), 25);
	}
	assert_int_equal(p.cc.ssthresh, p.cc.cwnd);
	assert_true(growth(&p, 24000) < 5);
}

/* What looked like a queue was none: the way back to doubling. */
static void a_queue_that_goes_was_none(void **state)
{
	(void)state;
	struct path p = begin();
	round_trip(&p, 20000);
	round_trip(&p, 30000);
	assert_int_equal(growth(&p, 30000), 25);
	/* Eight ACKs until it is believed. */
	assert_in_range(growth(&p, 29000), 70, 90);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(growth(&p, 29000), 100);
	assert_false(has_ended(&p));
	/* And can be taken for one again. */
	round_trip(&p, 40000);
	assert_int_equal(growth(&p, 40000), 25);
}

/* RttThresh: an eighth, but not below 4 ms nor above 16 ms. */
static void how_much_is_a_queue(void **state)
{
	(void)state;
	static const struct {
		uint32_t rtt_us, rise_us;
	} cases[] = {
		{ 500, 4000 }, { 20000, 4000 }, { 80000, 10000 }, { 400000, 16000 }
	};
	for (size_t i = 0; i < 4; i++) {
		struct path less = begin(), enough = begin();
		round_trip(&less, cases[i].rtt_us);
		round_trip(&less, cases[i].rtt_us + cases[i].rise_us - 1);
		assert_int_equal(growth(&less, cases[i].rtt_us + cases[i].rise_us - 1),
				 100);
		round_trip(&enough, cases[i].rtt_us);
		round_trip(&enough, cases[i].rtt_us + cases[i].rise_us);
		assert_int_equal(growth(&enough, cases[i].rtt_us + cases[i].rise_us), 25);
	}
}

/* Seven ACKs of a round say nothing, and an ACK without a time even less. */
static void few_samples_say_nothing(void **state)
{
	(void)state;
	struct path p = begin();
	for (unsigned i = 0; i < 8; i++) {
		p.per_ack = (p.cc.cwnd / MSS + 6) / 7;
		assert_int_equal(growth(&p, 20000 + 10000 * i), 100);
	}
	p.per_ack = 1;
	round_trip(&p, 0);
	assert_int_equal(growth(&p, 0), 100);
	assert_false(has_ended(&p));
}

/* L: who does not pace grows by eight segments for an ACK at most. */
static void without_pacing_a_large_ack_counts_in_part(void **state)
{
	(void)state;
	struct path p = begin();
	p.per_ack = 11;
	p.is_burst = true;
	assert_int_equal(growth(&p, 20000), 8 * 100 / 11);
	p.is_burst = false;
	p.round_end = p.una + p.cc.cwnd;
	assert_int_equal(growth(&p, 20000), 100);
}

/* After a loss slow start ends at ssthresh; what a round trip takes does not matter. */
static void later_slow_starts_know_where_to_end(void **state)
{
	(void)state;
	struct path p = begin();
	tcp_cubic_ops.timed_out(&p.cc, 400 * MSS, 1);
	assert_int_equal(p.cc.ssthresh, 7 * MSS);
	p.cc.ssthresh = 300 * MSS;
	p.cc.cwnd = 16 * MSS;
	p.round_end = p.una + p.cc.cwnd;
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(growth(&p, 20000 + 20000 * i), 100);
}

/* What was measured before a pause is not compared with what comes after it. */
static void a_pause_begins_anew(void **state)
{
	(void)state;
	struct path p = begin();
	round_trip(&p, 20000);
	round_trip(&p, 20000);
	p.cc.cwnd = 10 * MSS;
	tcp_cubic_ops.paused(&p.cc);
	p.round_end = p.una + p.cc.cwnd;
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(growth(&p, 90000), 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_queue_ends_slow_start),
		cmocka_unit_test(a_queue_that_goes_was_none),
		cmocka_unit_test(how_much_is_a_queue),
		cmocka_unit_test(few_samples_say_nothing),
		cmocka_unit_test(without_pacing_a_large_ack_counts_in_part),
		cmocka_unit_test(later_slow_starts_know_where_to_end),
		cmocka_unit_test(a_pause_begins_anew),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
