/* SPDX-License-Identifier: MIT */
/*
 * Two TCPs with each other, over networks that are good, bad and impossible. Whatever the
 * network does, what is read is what was written, and in the end nothing is left.
 */
#include "../unit.h"
#include "tcp_world.h"

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
	unsigned n = rounds ? (unsigned)atoi(rounds) : 100;
	for (unsigned i = 0; i < n; i++) {
		if (rounds)
			print_message("# %llu\n", (unsigned long long)(seed + i));
		converse(seed + i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_handshake_data_both_ways_and_an_end),
		cmocka_unit_test(what_is_read_is_what_was_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
