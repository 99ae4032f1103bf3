/* SPDX-License-Identifier: MIT */
/*
 * Paths that stop to carry large packets (RFC 8899, 4.3): told from other loss, gone around,
 * and tried again.
 */
#include "quic/blackhole.h"

#include "../unit.h"
#include "quic/world.h"

#define SECOND UINT64_C(1000000000)

static const struct sim_link lan = { .delay_ns = 5000000 };
static const struct sim_link narrow = { .delay_ns = 5000000, .payload_max = 1300 };

/* ---- the rule ---------------------------------------------------------------------------- */

/* So many large ones found lost, at even distances within a time. */
static void lose(struct blackhole *b, unsigned n, uint64_t from, uint64_t span)
{
	for (unsigned i = 0; i < n; i++)
		blackhole_on_lost(b, SECOND / 100,
				  from + (n > 1 ? span * i / (n - 1) : 0));
}

static void large_ones_lost_while_small_ones_arrive_are_a_black_hole(void **state)
{
	(void)state;
	struct blackhole b = { 0 };
	lose(&b, 4, SECOND, SECOND);
	blackhole_on_acked(&b, false);
	assert_false(blackhole_is_open(&b, 2 * SECOND));
	lose(&b, 1, 2 * SECOND, 0);
	assert_true(blackhole_is_open(&b, 2 * SECOND));
	assert_true(blackhole_is_open(&b, 2 * SECOND + BLACKHOLE_RAISE_NS - 1));
	assert_false(blackhole_is_open(&b, 2 * SECOND + BLACKHOLE_RAISE_NS));
}

static void a_path_on_which_nothing_arrives_is_not(void **state)
{
	(void)state;
	struct blackhole b = { 0 };
	lose(&b, 100, SECOND, 10 * SECOND);
	assert_false(blackhole_is_open(&b, 11 * SECOND));
}

static void what_is_found_lost_at_once_is_not(void **state)
{
	(void)state;
	struct blackhole b = { 0 };
	lose(&b, 50, SECOND, SECOND / 2);
	blackhole_on_acked(&b, false);
	lose(&b, 50, 3 * SECOND / 2, SECOND / 3);
	assert_false(blackhole_is_open(&b, 2 * SECOND));
}

static void a_long_round_trip_asks_for_a_longer_look(void **state)
{
	(void)state;
	struct blackhole b = { 0 };
	lose(&b, 1, SECOND, 0);
	blackhole_on_acked(&b, false);
	for (unsigned i = 0; i < 9; i++)
		blackhole_on_lost(&b, SECOND, 2 * SECOND + i * SECOND / 4);
	assert_false(blackhole_is_open(&b, 5 * SECOND));
	blackhole_on_lost(&b, SECOND, 5 * SECOND);
	assert_true(blackhole_is_open(&b, 5 * SECOND));
}

static void one_large_one_that_arrives_proves_the_path(void **state)
{
	(void)state;
	struct blackhole b = { 0 };
	lose(&b, 4, SECOND, 2 * SECOND);
	blackhole_on_acked(&b, false);
	blackhole_on_acked(&b, true);
	lose(&b, 4, 3 * SECOND, 2 * SECOND);
	blackhole_on_acked(&b, false);
	assert_false(blackhole_is_open(&b, 5 * SECOND));
	lose(&b, 1, 5 * SECOND, 0);
	assert_true(blackhole_is_open(&b, 5 * SECOND));
	/* It was on its way when the path was given up. */
	blackhole_on_acked(&b, true);
	assert_false(blackhole_is_open(&b, 5 * SECOND));
}

/* Twice as late each time, and sixteen times as late in the end. */
static void each_time_in_vain_the_next_try_is_later(void **state)
{
	(void)state;
	struct blackhole b = { 0 };
	uint64_t now = SECOND;
	for (unsigned i = 0; i < 8; i++) {
		const uint64_t times = UINT64_C(1) << (i < 4 ? i : 4);
		lose(&b, 1, now, 0);
		blackhole_on_acked(&b, false);
		lose(&b, 5, now, 2 * SECOND);
		now += 2 * SECOND;
		assert_true(blackhole_is_open(&b, now));
		now += BLACKHOLE_RAISE_NS * times;
		assert_true(blackhole_is_open(&b, now - 2 * SECOND));
		assert_false(blackhole_is_open(&b, now));
	}
}

static void silence_is_answered_for_a_while(void **state)
{
	(void)state;
	struct blackhole b = { 0 };
	const uint64_t pto = SECOND / 10, end = 2 * SECOND + BLACKHOLE_SILENCE_RAISE_NS;
	blackhole_on_timer(&b, true, pto, SECOND);
	blackhole_on_timer(&b, true, pto, 2 * SECOND - 1);
	assert_false(blackhole_is_open(&b, 2 * SECOND - 1));
	blackhole_on_timer(&b, true, pto, 2 * SECOND);
	assert_true(blackhole_is_open(&b, 2 * SECOND));
	/* Going on, it makes the time no longer. */
	blackhole_on_timer(&b, true, pto, 3 * SECOND);
	assert_false(blackhole_is_open(&b, end));
}

static void silence_is_none_with_an_answer_or_without_a_question(void **state)
{
	(void)state;
	struct blackhole b = { 0 };
	for (unsigned i = 2; i < 40; i++) {
		blackhole_on_timer(&b, true, SECOND / 10, i * SECOND / 2);
		if (i % 2 > 0)
			blackhole_on_acked(&b, false);
		assert_false(blackhole_is_open(&b, i * SECOND / 2));
	}
	for (unsigned i = 0; i <= 40; i++) {
		blackhole_on_timer(&b, i % 2 > 0, SECOND / 10, (40 + i) * SECOND);
		assert_false(blackhole_is_open(&b, (40 + i) * SECOND));
	}
	/* A probe time-out of 2 s asks for 8. */
	blackhole_on_timer(&b, true, 2 * SECOND, 100 * SECOND);
	blackhole_on_timer(&b, true, 2 * SECOND, 108 * SECOND - 1);
	assert_false(blackhole_is_open(&b, 108 * SECOND - 1));
	blackhole_on_timer(&b, true, 2 * SECOND, 108 * SECOND);
	assert_true(blackhole_is_open(&b, 108 * SECOND));
}

/* ---- connections ------------------------------------------------------------------------- */

/* A large and a small datagram each 50 ms, as of a flow that tries again and again. */
static void talk(struct world *w, unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		(void)world_send(&w->client, quic_conn_datagram_max(w->client.conn));
		(void)world_send(&w->client, 60);
		world_run(w, 50);
	}
}

static void open_settled(struct world *w)
{
	world_open(w, 1, &lan);
	world_run(w, 3000);
	assert_true(quic_conn_path_is_settled(w->client.conn));
	assert_true(quic_conn_datagram_max(w->client.conn) > 1300);
}

/* The client has found that its way carries less than it did. */
static void open_trapped(struct world *w)
{
	open_settled(w);
	sim_set_link(w->client.socket, &narrow);
	talk(w, 60);
	assert_true(quic_conn_datagram_max(w->client.conn) < 1200);
}

static void a_connection_goes_on_with_smaller_packets(void **state)
{
	(void)state;
	struct world w;
	open_settled(&w);
	sim_set_link(w.client.socket, &narrow);
	unsigned changes = w.client.path_changes;
	talk(&w, 60);
	size_t max = quic_conn_datagram_max(w.client.conn);
	assert_in_range(max, 1100, 1200);
	assert_true(w.client.path_changes > changes);
	assert_int_equal(quic_conn_stats(w.client.conn).udp_payload, 1200);
	/* The other direction is as it was. */
	assert_true(quic_conn_datagram_max(w.server.conn) > 1300);
	uint64_t arrived = w.server.datagrams;
	talk(&w, 20);
	assert_int_equal(w.server.datagrams, arrived + 40);
	assert_int_equal(w.client.closed + w.server.closed, 0);
	world_fini(&w);
}

static void long_control_messages_come_through_as_well(void **state)
{
	(void)state;
	struct world w;
	int64_t stream;
	static uint8_t bytes[20000];
	open_settled(&w);
	sim_set_link(w.client.socket, &narrow);
	assert_int_equal(quic_conn_open_stream(w.client.conn, false, &stream), 0);
	assert_int_equal(
		quic_conn_send_stream(w.client.conn, stream, bytes, sizeof(bytes), false),
		0);
	talk(&w, 200);
	assert_int_equal(w.server.stream_len, sizeof(bytes));
	world_fini(&w);
}

static void the_path_is_tried_again(void **state)
{
	(void)state;
	struct world w;
	open_trapped(&w);
	sim_set_link(w.client.socket, &lan);
	world_run(&w, BLACKHOLE_RAISE_NS / 1000000);
	talk(&w, 20);
	assert_true(quic_conn_datagram_max(w.client.conn) > 1300);
	uint64_t arrived = w.server.datagrams;
	talk(&w, 60);
	assert_int_equal(w.server.datagrams, arrived + 120);
	world_fini(&w);
}

static void another_path_begins_anew(void **state)
{
	(void)state;
	struct world w;
	open_trapped(&w);
	w.client.socket = sim_socket(w.sim, "10.9.9.9:2000");
	assert_int_equal(
		quic_endpoint_rebind(w.client.endpoint, w.client.socket, sim_now(w.sim)),
		0);
	talk(&w, 60);
	assert_true(quic_conn_datagram_max(w.client.conn) > 1300);
	world_fini(&w);
}

static void heavy_loss_alone_is_no_black_hole(void **state)
{
	(void)state;
	const struct sim_link lossy = { .delay_ns = 5000000, .loss = 0.3 };
	struct world w;
	open_settled(&w);
	sim_set_link(w.client.socket, &lossy);
	for (unsigned i = 0; i < 40; i++) {
		talk(&w, 20);
		assert_true(quic_conn_datagram_max(w.client.conn) > 1300);
	}
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			large_ones_lost_while_small_ones_arrive_are_a_black_hole),
		cmocka_unit_test(a_path_on_which_nothing_arrives_is_not),
		cmocka_unit_test(what_is_found_lost_at_once_is_not),
		cmocka_unit_test(a_long_round_trip_asks_for_a_longer_look),
		cmocka_unit_test(one_large_one_that_arrives_proves_the_path),
		cmocka_unit_test(each_time_in_vain_the_next_try_is_later),
		cmocka_unit_test(silence_is_answered_for_a_while),
		cmocka_unit_test(silence_is_none_with_an_answer_or_without_a_question),
		cmocka_unit_test(a_connection_goes_on_with_smaller_packets),
		cmocka_unit_test(long_control_messages_come_through_as_well),
		cmocka_unit_test(the_path_is_tried_again),
		cmocka_unit_test(another_path_begins_anew),
		cmocka_unit_test(heavy_loss_alone_is_no_black_hole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
