/* SPDX-License-Identifier: MIT */
/*
 * Bad paths: loss, reordering, duplication, small MTU. What was sent on a stream arrives
 * whole; path MTU discovery finds what fits and says when it is done.
 */
#include "../unit.h"
#include "quic/world.h"

#include <string.h>

#define BYTES 150000u

/* Sends a known pattern both ways on streams, and compares. */
static void streams_survive(struct sim_link link, uint64_t seed)
{
	static uint8_t bytes[BYTES];
	for (size_t i = 0; i < BYTES; i++)
		bytes[i] = (uint8_t)(i * 31 + i / 251);
	struct world w;
	world_open(&w, seed, &(struct sim_link){ .delay_ns = 10000000 });
	sim_set_link(w.client.socket, &link);
	sim_set_link(w.server.socket, &link);
	int64_t ours, theirs;
	assert_int_equal(quic_conn_open_stream(w.client.conn, false, &ours), 0);
	assert_int_equal(quic_conn_send_stream(w.client.conn, ours, bytes, BYTES, true),
			 0);
	assert_int_equal(quic_conn_open_stream(w.server.conn, true, &theirs), 0);
	assert_int_equal(quic_conn_send_stream(w.server.conn, theirs, bytes, BYTES, true),
			 0);
	world_run(&w, 60000);
	assert_int_equal(w.server.stream_len, BYTES);
	assert_memory_equal(w.server.stream, bytes, BYTES);
	assert_int_equal(w.server.fins, 1);
	assert_int_equal(w.client.stream_len, BYTES);
	assert_memory_equal(w.client.stream, bytes, BYTES);
	assert_int_equal(w.client.fins, 1);
	assert_int_equal(w.client.closed + w.server.closed, 0);
	world_fini(&w);
}

/* The tries of one are few, so that now and then all of them are lost. */
static void most_handshakes_survive_20_percent(void **state)
{
	(void)state;
	unsigned opened = 0;
	for (uint64_t seed = test_seed(), n = 0; n < 20; n++) {
		struct world w;
		world_init(&w, seed + n);
		sim_set_default_link(
			w.sim, &(struct sim_link){ .delay_ns = 10000000, .loss = 0.2 });
		world_start(&w);
		world_connect(&w);
		opened += world_is_open(&w);
		world_fini(&w);
	}
	assert_in_range(opened, 15, 20);
}

static void streams_survive_5_percent(void **state)
{
	(void)state;
	const struct sim_link link = { .delay_ns = 10000000, .loss = 0.05 };
	for (uint64_t seed = test_seed(), n = 0; n < 4; n++)
		streams_survive(link, seed + n);
}

static void streams_survive_20_percent(void **state)
{
	(void)state;
	const struct sim_link link = { .delay_ns = 10000000, .loss = 0.2 };
	for (uint64_t seed = test_seed(), n = 0; n < 4; n++)
		streams_survive(link, seed + n);
}

static void streams_survive_disorder(void **state)
{
	(void)state;
	const struct sim_link link = { .delay_ns = 1000000,
				       .jitter_ns = 20000000,
				       .duplication = 0.1,
				       .loss = 0.01 };
	for (uint64_t seed = test_seed(), n = 0; n < 4; n++)
		streams_survive(link, seed + n);
}

static void a_narrow_path_drops_and_recovers(void **state)
{
	(void)state;
	const struct sim_link link = { .delay_ns = 5000000,
				       .rate_bps = 2000000,
				       .queue_len = 10000 };
	streams_survive(link, test_seed());
}

static void lost_datagrams_are_counted_and_not_repeated(void **state)
{
	(void)state;
	struct world w;
	world_open(&w, 7, &(struct sim_link){ .delay_ns = 1000000, .loss = 0.1 });
	for (unsigned i = 0; i < 500; i++) {
		assert_int_equal(world_send(&w.client, 500), 0);
		world_run(&w, 2);
	}
	world_run(&w, 2000);
	struct quic_conn_stats stats = quic_conn_stats(w.client.conn);
	assert_int_equal(stats.datagrams_tx + stats.drop_queue_old, 500);
	assert_in_range(w.server.datagrams, 350, 499);
	/* Loss of an acknowledgement can make one count that has arrived. */
	assert_in_range(stats.datagrams_lost,
			500 - w.server.datagrams - stats.drop_queue_old, 150);
	world_fini(&w);
}

/*
 * Everything in flight is lost at once, and nothing but datagrams was in flight. ngtcp2 arms
 * no probe time-out for those: without the tail probe the congestion window would stay full
 * of them for ever.
 */
static void an_outage_is_survived(void **state)
{
	(void)state;
	const struct sim_link link = { .delay_ns = 10000000, .rate_bps = 50000000 };
	struct world w;
	world_open(&w, 1, &link);
	world_run(&w, 2000);
	for (unsigned i = 0; i < 200; i++) {
		if (i == 50)
			sim_set_link(w.client.socket,
				     &(struct sim_link){ .is_down = true });
		if (i == 100)
			sim_set_link(w.client.socket, &link);
		for (unsigned n = 0; n < 64; n++)
			assert_int_equal(world_send(&w.client, 1100), 0);
		world_run(&w, 10);
	}
	world_run(&w, 2000);
	uint64_t before = w.server.datagrams;
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(world_send(&w.client, 1100), 0);
	world_run(&w, 100);
	assert_int_equal(w.server.datagrams, before + 10);
	world_fini(&w);
}

/*
 * A PING that is lost is followed by others long before the next is due, so that one of them
 * arrives when the path is back shortly before the end. ngtcp2 0.12 does not do that itself.
 */
static void lost_keep_alives_are_repeated(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, 1);
	w.client_opts.keep_alive_ns = sim_ms(2500);
	w.client_opts.idle_timeout_ns = sim_ms(12500);
	sim_set_default_link(w.sim, &(struct sim_link){ .delay_ns = 10000000 });
	world_start(&w);
	world_connect(&w);
	assert_true(world_is_open(&w));
	world_run(&w, 2000);
	for (unsigned i = 0; i < 5; i++) {
		/* Every PING of the period, at 2.5, 5, 7.5 and 10 s, is lost. */
		assert_int_equal(world_send(&w.client, 100), 0);
		world_run(&w, 2000);
		sim_set_link(w.client.socket, &(struct sim_link){ .is_down = true });
		world_run(&w, 9000);
		sim_set_link(w.client.socket, &(struct sim_link){ 0 });
		world_run(&w, 3000);
		assert_int_equal(w.client.closed + w.server.closed, 0);
	}
	world_fini(&w);
}

/*
 * An idle connection sends a PING in each period, and answers those of the peer: 40 and, where
 * ours do not put off the peer's (ngtcp2 1.x), 20.
 */
static void keep_alives_are_few(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, 1);
	w.client_opts.keep_alive_ns = sim_ms(2500);
	w.server_opts.keep_alive_ns = sim_ms(5000);
	sim_set_default_link(w.sim, &(struct sim_link){ .delay_ns = 10000000 });
	world_start(&w);
	world_connect(&w);
	assert_true(world_is_open(&w));
	world_run(&w, 10000);
	uint64_t before = quic_endpoint_stats(w.client.endpoint).tx_packets;
	world_run(&w, 100000);
	uint64_t pings = quic_endpoint_stats(w.client.endpoint).tx_packets - before;
	assert_in_range(pings, 38, 62);
	world_fini(&w);
}

/* Opens over a path of this MTU (IPv4), waits, and gives what was found. */
static struct quic_conn_stats discover(size_t mtu, uint64_t delay_ns, unsigned ms,
				       bool *ret_settled, size_t *ret_max)
{
	struct world w;
	world_open(&w, 1,
		   &(struct sim_link){ .delay_ns = delay_ns, .payload_max = mtu - 28 });
	assert_false(quic_conn_path_is_settled(w.client.conn));
	assert_int_equal(quic_conn_datagram_max(w.client.conn), 1200 - 32);
	unsigned changes = w.client.path_changes;
	world_run(&w, ms);
	struct quic_conn_stats stats = quic_conn_stats(w.client.conn);
	*ret_settled = quic_conn_path_is_settled(w.client.conn);
	*ret_max = quic_conn_datagram_max(w.client.conn);
	assert_true(!*ret_settled || w.client.path_changes > changes);
	assert_int_equal(*ret_max, stats.udp_payload - 32);
	/* And it really fits. */
	assert_int_equal(world_send(&w.client, *ret_max), 0);
	world_run(&w, 1000);
	assert_int_equal(w.server.datagram_len, *ret_max);
	world_fini(&w);
	return stats;
}

static void ethernet_settles_in_a_few_round_trips(void **state)
{
	(void)state;
	bool settled;
	size_t max;
	struct quic_conn_stats stats = discover(1500, 100000, 100, &settled, &max);
	assert_true(settled);
	assert_true(stats.udp_payload >= 1444);
}

static void a_tunnel_below_settles_within_a_second(void **state)
{
	(void)state;
	bool settled;
	size_t max;
	struct quic_conn_stats stats = discover(1300, 100000, 1100, &settled, &max);
	assert_true(settled);
	assert_in_range(stats.udp_payload, 1232, 1300 - 28);
}

static void a_minimal_path_stays_at_1200(void **state)
{
	(void)state;
	bool settled;
	size_t max;
	struct quic_conn_stats stats = discover(1228, 100000, 1100, &settled, &max);
	assert_true(settled);
	assert_int_equal(stats.udp_payload, 1200);
}

static void a_limit_is_kept(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, 1);
	w.client_opts.udp_payload_max = 1300;
	world_start(&w);
	world_connect(&w);
	assert_true(world_is_open(&w));
	world_run(&w, 3000);
	assert_true(quic_conn_path_is_settled(w.client.conn));
	assert_in_range(quic_conn_stats(w.client.conn).udp_payload, 1232, 1300);
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(most_handshakes_survive_20_percent),
		cmocka_unit_test(streams_survive_5_percent),
		cmocka_unit_test(streams_survive_20_percent),
		cmocka_unit_test(streams_survive_disorder),
		cmocka_unit_test(a_narrow_path_drops_and_recovers),
		cmocka_unit_test(lost_datagrams_are_counted_and_not_repeated),
		cmocka_unit_test(an_outage_is_survived),
		cmocka_unit_test(lost_keep_alives_are_repeated),
		cmocka_unit_test(keep_alives_are_few),
		cmocka_unit_test(ethernet_settles_in_a_few_round_trips),
		cmocka_unit_test(a_tunnel_below_settles_within_a_second),
		cmocka_unit_test(a_minimal_path_stays_at_1200),
		cmocka_unit_test(a_limit_is_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
