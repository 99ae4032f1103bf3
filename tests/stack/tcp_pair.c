/* SPDX-License-Identifier: MIT */
/*
 * Two TCPs with each other, over networks that are good, bad and impossible. Whatever the
 * network does, what is read is what was written, and in the end nothing is left.
 */
#include "../unit.h"
#include "tcp_world.h"

#include <inttypes.h>

static void a_handshake_data_both_ways_and_an_end(void **state)
{
	(void)state;
	struct world w;
	struct net net = { .delay_ns = MS(10) };
	world_init(&w, 1, &net, NULL, NULL);
	w.host[0].to_write = 100000;
	w.host[1].to_write = 50000;
	w.host[0].closes = w.host[1].closes = true;
	world_connect(&w);
	assert_int_equal(w.host[0].conn->state, TCP_SYN_SENT);
	world_finish(&w, S(5));
	assert_int_equal(w.host[0].error, 0);
	assert_int_equal(w.host[1].error, 0);
	assert_true(w.now < S(1000) + MS(500));
	world_fini(&w);
}

/* One conversation over a network that is drawn at random. */
static void converse(uint64_t seed)
{
	struct world w;
	struct rng rng;
	rng_init(&rng, seed);
	struct net net = {
		.loss = rng_double(&rng) * (rng_below(&rng, 4) ? 0.05 : 0.3),
		.duplicate = rng_below(&rng, 2) ? rng_double(&rng) * 0.1 : 0,
		.mark = rng_below(&rng, 4) ? 0 : rng_double(&rng) * 0.05,
		.delay_ns = rng_below(&rng, MS(50)),
		.jitter_ns = rng_below(&rng, 2) ? rng_below(&rng, MS(20)) : 0,
		.rate_bps =
			rng_below(&rng, 2) ? 1000000 + rng_below(&rng, 1000000000) : 0,
		.queue_bytes =
			rng_below(&rng, 2) ? (uint32_t)rng_below(&rng, 100000) + 3000 : 0,
		.mtu = rng_below(&rng, 3) ? 1500 : 576 + (uint32_t)rng_below(&rng, 8000),
		.whole = rng_below(&rng, 2),
	};
	struct tcp_config config[2];
	for (size_t i = 0; i < 2; i++) {
		config[i] = (struct tcp_config){
			.cc = rng_below(&rng, 2) ? &tcp_cubic_ops : &tcp_newreno_ops,
			.no_timestamps = rng_below(&rng, 4) == 0,
			.no_sack = rng_below(&rng, 4) == 0,
			.no_wscale = rng_below(&rng, 4) == 0,
			.no_pacing = rng_below(&rng, 2) == 0,
			.ecn = rng_below(&rng, 2) == 0,
			.receive_first =
				rng_below(&rng, 2)
					? 0
					: 2000 + (uint32_t)rng_below(&rng, 100000),
			.send_max = rng_below(&rng, 2)
					    ? 0
					    : 2000 + (uint32_t)rng_below(&rng, 100000),
			.time_wait_ms = 1000,
			/* Ten tries in a row may fail where three packets of ten are lost. */
			.user_timeout_ms = 3600000,
		};
	}
	world_init(&w, seed, &net, &config[0], &config[1]);
	w.host[0].to_write = rng_below(&rng, 400000);
	w.host[1].to_write = rng_below(&rng, 4) ? 0 : rng_below(&rng, 400000);
	w.host[0].closes = w.host[1].closes = true;
	world_connect(&w);
	world_finish(&w, S(20000));
	assert_int_equal(w.host[0].error, 0);
	assert_int_equal(w.host[1].error, 0);
	world_fini(&w);
}

static void what_is_read_is_what_was_written(void **state)
{
	(void)state;
	uint64_t seed = test_seed();
	const char *rounds = getenv("TEST_ROUNDS");
	uint64_t n = rounds ? strtoull(rounds, NULL, 10) : 100;
	for (uint64_t i = 0; i < n; i++) {
		if (rounds)
			print_message("# %" PRIu64 "\n", seed + i);
		converse(seed + i);
	}
}

/* ---- how fast ---------------------------------------------------------------------------- */

struct transfer {
	double loss;
	uint64_t rate_bps, bytes;
	const struct tcp_cc_ops *cc;
};

/* Bits per second over a path of 20 ms with a queue of that length. The same in each run. */
static double throughput(const struct transfer *t)
{
	struct world w;
	struct net net = {
		.loss = t->loss,
		.delay_ns = MS(10),
		.rate_bps = t->rate_bps,
		.queue_bytes = (uint32_t)(t->rate_bps / 8 / 50),
	};
	struct tcp_config config = { .cc = t->cc };
	world_init(&w, 1, &net, &config, NULL);
	w.host[0].to_write = t->bytes;
	world_connect(&w);
	uint64_t begin = w.now;
	while (w.host[1].read < t->bytes)
		assert_true(world_step(&w));
	double bps = (double)t->bytes * 8e9 / (double)(w.now - begin);
	const uint64_t *counts = w.host[0].tcp.counts;
	print_message(
		"# %s, loss %.3f: %.2f Mbit/s, %llu recoveries, %llu segments again, "
		"%llu time-outs\n",
		t->cc->name, t->loss, bps / 1e6,
		(unsigned long long)counts[TCP_COUNT_RECOVERIES],
		(unsigned long long)counts[TCP_COUNT_RETRANSMITS],
		(unsigned long long)counts[TCP_COUNT_TIMEOUTS]);
	world_fini(&w);
	return bps;
}

/* 1.22 MSS / (RTT sqrt(p)), an ideal Reno: Mathis et al., 1997. */
static double formula(double loss)
{
	static const double root_of_1_percent = 0.1;
	assert_true(loss == 0.01);
	return 1.2247 * 1448 * 8 / (0.020 * root_of_1_percent);
}

static void loss_is_survived_better_than_by_the_formula(void **state)
{
	(void)state;
	struct transfer cubic = { 0.01, 1000000000, 8000000, &tcp_cubic_ops };
	struct transfer newreno = { 0.01, 1000000000, 8000000, &tcp_newreno_ops };
	assert_true(throughput(&cubic) > formula(0.01));
	assert_true(throughput(&newreno) > formula(0.01));
}

/* Slow start, pacing and the growing windows leave most of the link to the data. */
static void a_link_is_filled(void **state)
{
	(void)state;
	struct transfer cubic = { 0, 100000000, 20000000, &tcp_cubic_ops };
	struct transfer newreno = { 0, 100000000, 20000000, &tcp_newreno_ops };
	assert_true(throughput(&cubic) > 85e6);
	assert_true(throughput(&newreno) > 85e6);
}

/* 2.5 MB fit into this path: twenty times what the receiver offers at first. */
static void windows_grow(void **state)
{
	(void)state;
	struct transfer fat = { 0, 1000000000, 60000000, &tcp_cubic_ops };
	assert_true(throughput(&fat) > 400e6);
}

/* Segments that a first slow start loses where four times what the path holds fits its queue. */
static uint64_t lost_in_slow_start(const struct tcp_cc_ops *cc)
{
	struct world w;
	struct net net = { .delay_ns = MS(50), .rate_bps = 20000000 };
	struct tcp_config config = { .cc = cc, .receive_first = 8u << 20 };
	net.queue_bytes = 1000000;
	config.receive_max = config.receive_first;
	world_init(&w, 1, &net, &config, &config);
	w.host[0].to_write = 10000000;
	world_connect(&w);
	while (w.host[1].read < w.host[0].to_write)
		assert_true(world_step(&w));
	uint64_t again = w.host[0].tcp.counts[TCP_COUNT_RETRANSMITS];
	world_fini(&w);
	return again;
}

/* HyStart++ against plain slow start. */
static void slow_start_does_not_wait_for_loss(void **state)
{
	(void)state;
	uint64_t cubic = lost_in_slow_start(&tcp_cubic_ops);
	uint64_t newreno = lost_in_slow_start(&tcp_newreno_ops);
	print_message("# lost by cubic %" PRIu64 ", by newreno %" PRIu64 "\n", cubic,
		      newreno);
	assert_true(newreno > 0);
	assert_true(cubic < newreno / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_handshake_data_both_ways_and_an_end),
		cmocka_unit_test(what_is_read_is_what_was_written),
		cmocka_unit_test(loss_is_survived_better_than_by_the_formula),
		cmocka_unit_test(a_link_is_filled),
		cmocka_unit_test(windows_grow),
		cmocka_unit_test(slow_start_does_not_wait_for_loss),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
