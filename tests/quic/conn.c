/* SPDX-License-Identifier: MIT */
/*
 * Connections from the first packet to the last: datagrams, streams, what may be sent when,
 * and all the ways in which a connection ends.
 */
#include "quic/conn.h"

#include "../unit.h"
#include "quic/world.h"

#include <errno.h>
#include <string.h>

static const struct sim_link lan = { .delay_ns = 100000 };
static const struct sim_link down = { .is_down = true };

static void handshake_completes_on_both_sides(void **state)
{
	(void)state;
	struct world w;
	world_open(&w, 1, &lan);
	assert_int_equal(w.server.established, 1);
	assert_int_equal(w.client.established, 1);
	world_run(&w, 1000);
	assert_int_equal(w.server.closed + w.client.closed, 0);
	world_fini(&w);
}

static void nothing_can_be_sent_before_or_after(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, 1);
	world_start(&w);
	world_connect(&w);
	int64_t id;
	uint8_t key[32];
	struct quic_conn *conn = w.client.conn;
	assert_int_equal(world_send(&w.client, 10), -ENOTCONN);
	assert_int_equal(quic_conn_open_stream(conn, false, &id), -ENOTCONN);
	assert_int_equal(quic_conn_send_stream(conn, 0, key, 1, false), -ENOTCONN);
	assert_int_equal(quic_conn_export(conn, "x", key, sizeof(key)), -ENOTCONN);
	assert_int_equal(quic_conn_datagram_max(conn), 0);
	assert_true(world_is_open(&w));
	assert_int_equal(quic_conn_open_stream(conn, false, &id), 0);
	quic_conn_close(conn, 1, "", sim_now(w.sim));
	assert_int_equal(world_send(&w.client, 10), -ENOTCONN);
	assert_int_equal(quic_conn_send_stream(conn, id, key, 1, false), -ENOTCONN);
	world_fini(&w);
}

static void datagrams_travel_both_ways(void **state)
{
	(void)state;
	struct world w;
	world_open(&w, 1, &lan);
	assert_int_equal(world_send(&w.client, 1000), 0);
	assert_int_equal(world_send(&w.server, 500), 0);
	assert_int_equal(world_send(&w.server, 1), 0);
	assert_int_equal(world_send(&w.server, 0), 0);
	world_run(&w, 1);
	assert_int_equal(w.server.datagrams, 1);
	assert_int_equal(w.server.datagram_len, 1000);
	assert_int_equal(w.server.datagram[3], (uint8_t)(3 * 7 + 1000));
	assert_int_equal(w.client.datagrams, 3);
	assert_int_equal(w.client.datagram_bytes, 501);
	world_fini(&w);
}

static void two_pieces_are_one_datagram(void **state)
{
	(void)state;
	struct world w;
	world_open(&w, 1, &lan);
	const struct quic_datagram d = { (const uint8_t *)"head", 4,
					 (const uint8_t *)"body", 4, false };
	assert_int_equal(quic_conn_send_datagram(w.client.conn, &d, sim_now(w.sim)), 0);
	world_run(&w, 1);
	assert_int_equal(w.server.datagram_len, 8);
	assert_memory_equal(w.server.datagram, "headbody", 8);
	world_fini(&w);
}

/* Who sends has perhaps looked at the clock since the endpoint's last turn. */
static void a_clock_ahead_of_the_turn_makes_no_datagram_old(void **state)
{
	(void)state;
	struct world w;
	world_open(&w, 1, &lan);
	const struct quic_datagram d = { .body = (const uint8_t *)"body", .body_len = 4 };
	assert_int_equal(quic_conn_send_datagram(w.client.conn, &d, sim_now(w.sim) + 1),
			 0);
	world_run(&w, 1);
	assert_int_equal(w.server.datagrams, 1);
	assert_int_equal(quic_conn_stats(w.client.conn).drop_queue_old, 0);
	world_fini(&w);
}

/* Where others have the processor, the turn that a datagram waits for is late. */
static void a_late_turn_makes_no_datagram_old(void **state)
{
	(void)state;
	struct world w;
	world_open(&w, 1, &lan);
	struct weft_task *task = quic_endpoint_task(w.client.endpoint);
	assert_int_equal(world_send(&w.client, 100), 0);
	task->run(task, sim_now(w.sim) + 2 * QUIC_QUEUE_NS);
	world_run(&w, 50);
	assert_int_equal(w.server.datagrams, 1);
	assert_int_equal(quic_conn_stats(w.client.conn).drop_queue_old, 0);
	world_fini(&w);
}

static void the_largest_datagram_fits_and_one_more_byte_does_not(void **state)
{
	(void)state;
	struct world w;
	world_open(&w, 1, &lan);
	for (unsigned i = 0; i < 3; i++) {
		size_t max = quic_conn_datagram_max(w.client.conn);
		assert_int_equal(world_send(&w.client, max), 0);
		assert_int_equal(world_send(&w.client, max + 1), -EMSGSIZE);
		world_run(&w, 500);
		assert_int_equal(w.server.datagrams, i + 1);
		assert_int_equal(w.server.datagram_len, max);
	}
	assert_int_equal(quic_conn_stats(w.client.conn).drop_too_long, 3);
	world_fini(&w);
}

/* Packets that the network carries, by tap. */
static void count_packets(void *user, const struct dgram_msg *msg)
{
	unsigned *count = user;
	size_t step = msg->segment_len > 0 ? msg->segment_len : msg->len;
	*count += (unsigned)((msg->len + step - 1) / step);
}

static void small_datagrams_share_packets(void **state)
{
	(void)state;
	struct world w;
	unsigned packets = 0;
	world_open(&w, 1, &lan);
	world_run(&w, 2000);
	sim_set_tap(w.sim, count_packets, &packets);
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(world_send(&w.client, 100), 0);
	sim_run(w.sim, sim_now(w.sim) + 150000);
	assert_int_equal(w.server.datagrams, 50);
	/* 50 x 103 bytes: four packets of 1,400, and one or two acknowledgements. */
	assert_in_range(packets, 4, 6);
	world_fini(&w);
}

static void a_burst_goes_out_in_few_calls(void **state)
{
	(void)state;
	struct world w;
	world_open(&w, 1, &lan);
	world_run(&w, 2000);
	struct quic_endpoint_stats before = quic_endpoint_stats(w.client.endpoint);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(world_send(&w.client, 1100), 0);
	world_run(&w, 1);
	struct quic_endpoint_stats after = quic_endpoint_stats(w.client.endpoint);
	assert_int_equal(w.server.datagrams, 8);
	assert_true(after.tx_packets - before.tx_packets >= 8);
	assert_true(after.tx_batches - before.tx_batches <= 2);
	world_fini(&w);
}

static void waiting_datagrams_grow_old(void **state)
{
	(void)state;
	struct world w;
	world_open(&w, 1, &lan);
	world_run(&w, 2000);
	sim_set_full(w.client.socket, true);
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(world_send(&w.client, 1000), 0);
	world_run(&w, 50);
	sim_set_full(w.client.socket, false);
	world_run(&w, 50);
	struct quic_conn_stats stats = quic_conn_stats(w.client.conn);
	assert_true(stats.drop_queue_old > 100);
	assert_int_equal(stats.drop_queue_old + stats.datagrams_tx, 200);
	/* What had been packed when the socket filled up has arrived. */
	assert_int_equal(w.server.datagrams, stats.datagrams_tx);
	world_fini(&w);
}

static void the_queue_is_bounded(void **state)
{
	(void)state;
	struct world w;
	world_open(&w, 1, &lan);
	world_run(&w, 2000);
	sim_set_full(w.client.socket, true);
	int r = 0;
	unsigned taken = 0;
	while ((r = world_send(&w.client, 400)) == 0)
		assert_true(++taken < 10000);
	assert_int_equal(r, -ENOBUFS);
	assert_int_equal(taken, QUIC_QUEUE_MAX);
	assert_int_equal(quic_conn_stats(w.client.conn).drop_queue_full, 1);
	world_fini(&w);
}

static void stream_bytes_arrive_in_order(void **state)
{
	(void)state;
	struct world w;
	world_open(&w, 1, &lan);
	int64_t id;
	struct quic_conn *conn = w.client.conn;
	assert_int_equal(quic_conn_open_stream(conn, false, &id), 0);
	assert_int_equal(
		quic_conn_send_stream(conn, id, (const uint8_t *)"hello ", 6, false), 0);
	assert_int_equal(
		quic_conn_send_stream(conn, id, (const uint8_t *)"world", 5, true), 0);
	assert_int_equal(quic_conn_send_stream(conn, id, (const uint8_t *)"!", 1, true),
			 -EPIPE);
	world_run(&w, 5);
	assert_int_equal(w.server.stream_len, 11);
	assert_memory_equal(w.server.stream, "hello world", 11);
	assert_int_equal(w.server.fins, 1);
	conn = w.server.conn;
	assert_int_equal(
		quic_conn_send_stream(conn, id, (const uint8_t *)"back", 4, true), 0);
	world_run(&w, 50);
	assert_memory_equal(w.client.stream, "back", 4);
	assert_int_equal(w.client.fins, 1);
	/* Both ends have ended it: it is gone. */
	assert_int_equal(quic_conn_send_stream(conn, id, (const uint8_t *)"x", 1, true),
			 -ENOENT);
	world_fini(&w);
}

static void a_stream_of_the_peer_that_is_one_way_cannot_be_answered(void **state)
{
	(void)state;
	struct world w;
	world_open(&w, 1, &lan);
	int64_t id;
	assert_int_equal(quic_conn_open_stream(w.client.conn, true, &id), 0);
	assert_int_equal(
		quic_conn_send_stream(w.client.conn, id, (const uint8_t *)"a", 1, false),
		0);
	world_run(&w, 5);
	assert_int_equal(w.server.last_stream, id);
	assert_int_equal(
		quic_conn_send_stream(w.server.conn, id, (const uint8_t *)"b", 1, false),
		-ENOENT);
	world_fini(&w);
}

/* Opens streams and ends them until no more may be opened. Returns how many. */
static unsigned open_all(struct world *w, bool is_uni)
{
	int64_t id;
	unsigned open = 0;
	while (quic_conn_open_stream(w->client.conn, is_uni, &id) == 0) {
		assert_int_equal(quic_conn_send_stream(w->client.conn, id,
						       (const uint8_t *)"x", 1, true),
				 0);
		assert_true(++open < 1000);
	}
	assert_int_equal(quic_conn_open_stream(w->client.conn, is_uni, &id), -EAGAIN);
	return open;
}

static void streams_are_limited_and_given_back(void **state)
{
	(void)state;
	struct world w;
	world_open(&w, 1, &lan);
	assert_int_equal(open_all(&w, false), 16);
	world_run(&w, 100);
	assert_int_equal(w.server.fins, 16);
	/* The server has not ended its half of any, so that none is given back. */
	assert_int_equal(open_all(&w, false), 0);
	for (int64_t id = 0; id < 4 * 4; id += 4)
		assert_int_equal(quic_conn_send_stream(w.server.conn, id, NULL, 0, true),
				 0);
	world_run(&w, 100);
	assert_int_equal(open_all(&w, false), 4);
	world_fini(&w);
}

/* Ends a direction of a stream at once, as only a peer that is none of ours does. */
static void break_off(struct side *side, int64_t id, bool is_write)
{
	ngtcp2_conn *ng = side->conn->ng;
#if NGTCP2_VERSION_NUM >= 0x010000
	int r = is_write ? ngtcp2_conn_shutdown_stream_write(ng, 0, id, 7)
			 : ngtcp2_conn_shutdown_stream_read(ng, 0, id, 7);
#else
	int r = is_write ? ngtcp2_conn_shutdown_stream_write(ng, id, 7)
			 : ngtcp2_conn_shutdown_stream_read(ng, id, 7);
#endif
	assert_int_equal(r, 0);
	conn_mark_dirty(side->conn);
	world_run(side->world, 10);
}

static void a_stream_that_is_reset_has_ended(void **state)
{
	(void)state;
	struct world w;
	int64_t id;
	world_open(&w, 1, &lan);
	assert_int_equal(quic_conn_open_stream(w.client.conn, false, &id), 0);
	assert_int_equal(
		quic_conn_send_stream(w.client.conn, id, (const uint8_t *)"a", 1, false),
		0);
	world_run(&w, 10);
	assert_int_equal(w.server.fins, 0);
	break_off(&w.client, id, true);
	assert_int_equal(w.server.fins, 1);
	assert_int_equal(w.server.stream_len, 1);
	assert_int_equal(w.server.closed, 0);
	world_fini(&w);
}

/* Who is to read no more is told nothing more, and what waits does not wait for ever. */
static void a_stream_that_is_not_read_takes_nothing_more(void **state)
{
	(void)state;
	struct world w;
	int64_t id;
	world_open(&w, 1, &lan);
	assert_int_equal(quic_conn_open_stream(w.client.conn, false, &id), 0);
	assert_int_equal(
		quic_conn_send_stream(w.client.conn, id, (const uint8_t *)"a", 1, false),
		0);
	world_run(&w, 10);
	break_off(&w.client, id, false);
	assert_int_equal(
		quic_conn_send_stream(w.server.conn, id, (const uint8_t *)"b", 1, false),
		0);
	world_run(&w, 10);
	assert_int_equal(
		quic_conn_send_stream(w.server.conn, id, (const uint8_t *)"c", 1, false),
		-EPIPE);
	assert_int_equal(w.client.stream_len, 0);
	assert_int_equal(world_send(&w.server, 100), 0);
	world_run(&w, 10);
	assert_int_equal(w.client.datagrams, 1);
	assert_int_equal(w.server.closed, 0);
	world_fini(&w);
}

/* A datagram that waits while its path becomes smaller goes, and holds up nobody. */
static void what_fits_no_more_is_dropped(void **state)
{
	(void)state;
	struct world w;
	world_open(&w, 1, &lan);
	assert_int_equal(world_send(&w.client, 1000), 0);
	assert_int_equal(world_send(&w.client, 900), 0);
	w.client.conn->datagram_max = 900;
	world_run(&w, 10);
	assert_int_equal(w.server.datagrams, 1);
	assert_int_equal(w.server.datagram_len, 900);
	assert_int_equal(w.client.conn->drop_too_long, 1);
	world_fini(&w);
}

static void one_way_streams_are_limited(void **state)
{
	(void)state;
	struct world w;
	world_open(&w, 1, &lan);
	assert_int_equal(open_all(&w, true), 64);
	world_run(&w, 100);
	assert_int_equal(w.server.fins, 64);
	/* ngtcp2 0.12 never counts a one-way stream of its peer as closed. */
	assert_int_equal(open_all(&w, true), NGTCP2_VERSION_NUM >= 0x010000 ? 64 : 0);
	world_fini(&w);
}

static void unacknowledged_bytes_are_bounded(void **state)
{
	(void)state;
	static uint8_t bytes[100000];
	struct world w;
	world_open(&w, 1, &lan);
	int64_t id;
	struct quic_conn *conn = w.client.conn;
	assert_int_equal(quic_conn_open_stream(conn, false, &id), 0);
	assert_int_equal(quic_conn_send_stream(conn, id, bytes, sizeof(bytes), false), 0);
	assert_int_equal(quic_conn_send_stream(conn, id, bytes, sizeof(bytes), false), 0);
	assert_int_equal(quic_conn_send_stream(conn, id, bytes, sizeof(bytes), false),
			 -ENOBUFS);
	world_run(&w, 1000);
	assert_int_equal(w.server.stream_len, 200000);
	assert_int_equal(quic_conn_send_stream(conn, id, bytes, sizeof(bytes), false), 0);
	world_run(&w, 1000);
	assert_int_equal(w.server.stream_len, 300000);
	world_fini(&w);
}

static void both_sides_export_the_same_key(void **state)
{
	(void)state;
	struct world w;
	uint8_t a[32], b[32], other[32];
	world_open(&w, 1, &lan);
	assert_int_equal(quic_conn_export(w.client.conn, "weft room", a, sizeof(a)), 0);
	assert_int_equal(quic_conn_export(w.server.conn, "weft room", b, sizeof(b)), 0);
	assert_int_equal(
		quic_conn_export(w.server.conn, "weft other", other, sizeof(other)), 0);
	assert_memory_equal(a, b, sizeof(a));
	assert_memory_not_equal(a, other, sizeof(a));
	world_fini(&w);
	/* Another connection has another key. */
	world_open(&w, 1, &lan);
	assert_int_equal(quic_conn_export(w.client.conn, "weft room", b, sizeof(b)), 0);
	assert_memory_not_equal(a, b, sizeof(a));
	world_fini(&w);
}

static void the_reason_of_a_close_arrives(void **state)
{
	(void)state;
	struct world w;
	world_open(&w, 1, &lan);
	quic_conn_close(w.server.conn, 42, "room is\nfull", sim_now(w.sim));
	quic_conn_close(w.server.conn, 43, "again", sim_now(w.sim));
	world_run(&w, 10);
	assert_int_equal(w.server.closed, 1);
	assert_int_equal(w.server.why.kind, QUIC_CLOSE_LOCAL);
	assert_int_equal(w.server.why.code, 42);
	assert_int_equal(w.client.closed, 1);
	assert_int_equal(w.client.why.kind, QUIC_CLOSE_PEER_APP);
	assert_int_equal(w.client.why.code, 42);
	assert_string_equal(w.client.why.reason, "room is?full");
	world_fini(&w);
}

static void a_reason_that_is_no_text_is_made_one(void **state)
{
	(void)state;
	struct world w;
	world_open(&w, 1, &lan);
	quic_conn_close(w.server.conn, 42, "", sim_now(w.sim));
	(void)strcpy(w.server.conn->close.reason, " a\x1b[1m~\x7f\xff\xc3\xa4\xc2\x9b");
	world_run(&w, 10);
	assert_string_equal(w.client.why.reason, " a?[1m~??????");
	world_fini(&w);
}

static void a_close_that_is_lost_is_said_again(void **state)
{
	(void)state;
	struct world w;
	world_open(&w, 1, &lan);
	sim_set_link(w.server.socket, &down);
	quic_conn_close(w.server.conn, 7, "bye", sim_now(w.sim));
	world_run(&w, 2);
	assert_int_equal(w.server.closed, 1);
	assert_int_equal(w.client.closed, 0);
	sim_set_link(w.server.socket, &lan);
	/* The 1st, 2nd, 4th, 8th packet for it is answered. */
	for (unsigned i = 0; i < 8 && w.client.conn; i++) {
		assert_int_equal(world_send(&w.client, 100), 0);
		world_run(&w, 1);
	}
	assert_int_equal(w.client.closed, 1);
	assert_int_equal(w.client.why.kind, QUIC_CLOSE_PEER_APP);
	assert_int_equal(w.client.why.code, 7);
	world_fini(&w);
}

static void close_in_established(struct side *side, struct quic_conn *conn, uint64_t now)
{
	(void)side;
	quic_conn_close(conn, 9, "not today", now);
}

static void a_server_may_refuse_at_once(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, 1);
	w.server.on_established = close_in_established;
	world_start(&w);
	world_connect(&w);
	world_run(&w, 100);
	assert_int_equal(w.server.closed, 1);
	assert_int_equal(w.client.closed, 1);
	assert_int_equal(w.client.why.kind, QUIC_CLOSE_PEER_APP);
	assert_string_equal(w.client.why.reason, "not today");
	world_fini(&w);
}

static void close_on_datagram(struct side *side, struct quic_conn *conn,
			      const uint8_t *data, size_t len, uint64_t now)
{
	(void)side;
	(void)data;
	(void)len;
	quic_conn_close(conn, 1, "heard enough", now);
}

static void nothing_is_told_after_close(void **state)
{
	(void)state;
	struct world w;
	world_open(&w, 1, &lan);
	world_run(&w, 2000);
	w.server.on_datagram = close_on_datagram;
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(world_send(&w.client, 1000), 0);
	world_run(&w, 10);
	assert_int_equal(w.server.datagrams, 1);
	assert_int_equal(w.server.closed, 1);
	assert_int_equal(w.client.closed, 1);
	world_fini(&w);
}

static void echo(struct side *side, struct quic_conn *conn, const uint8_t *data,
		 size_t len, uint64_t now)
{
	(void)side;
	const struct quic_datagram d = { .body = data, .body_len = len };
	assert_int_equal(quic_conn_send_datagram(conn, &d, now), 0);
}

static void an_answer_from_within_an_event_leaves_at_once(void **state)
{
	(void)state;
	struct world w;
	world_open(&w, 1, &lan);
	world_run(&w, 1000);
	w.server.on_datagram = echo;
	assert_int_equal(world_send(&w.client, 100), 0);
	sim_run(w.sim, sim_now(w.sim) + 201000);
	assert_int_equal(w.client.datagrams, 1);
	world_fini(&w);
}

static void reconnect(struct side *side, struct quic_conn *conn, uint64_t now)
{
	(void)conn;
	struct world *w = side->world;
	side->on_closed = NULL;
	assert_int_equal(quic_connect(side->endpoint,
				      quic_endpoint_addr(w->server.endpoint), NULL, now,
				      &side->conn),
			 0);
}

static void a_new_connection_may_begin_in_the_end_of_the_old(void **state)
{
	(void)state;
	struct world w;
	world_open(&w, 1, &lan);
	w.client.on_closed = reconnect;
	quic_conn_close(w.server.conn, 1, "restart", sim_now(w.sim));
	world_run(&w, 50);
	assert_int_equal(w.client.established, 2);
	assert_int_equal(w.server.established, 2);
	world_fini(&w);
}

static void keep_alive_keeps_it_alive(void **state)
{
	(void)state;
	struct world w;
	world_open(&w, 1, &lan);
	world_run(&w, 120000);
	assert_int_equal(w.server.closed + w.client.closed, 0);
	world_fini(&w);
}

static void silence_ends_it(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, 1);
	w.server_opts.keep_alive_ns = w.client_opts.keep_alive_ns = UINT64_MAX / 4;
	world_start(&w);
	world_connect(&w);
	assert_true(world_is_open(&w));
	world_run(&w, 20000);
	assert_int_equal(w.server.closed + w.client.closed, 0);
	world_run(&w, 20000);
	assert_int_equal(w.server.closed, 1);
	assert_int_equal(w.client.closed, 1);
	assert_int_equal(w.client.why.kind, QUIC_CLOSE_TIMEOUT);
	world_fini(&w);
}

static void a_peer_that_vanishes_is_noticed(void **state)
{
	(void)state;
	struct world w;
	world_open(&w, 1, &lan);
	sim_set_link(w.client.socket, &down);
	uint64_t since = sim_now(w.sim);
	world_run(&w, 60000);
	assert_int_equal(w.server.closed, 1);
	assert_int_equal(w.server.why.kind, QUIC_CLOSE_TIMEOUT);
	assert_string_equal(w.server.why.reason,
			    "nothing was heard from the peer for too long");
	assert_in_range(w.server.closed_at - since, sim_ms(25000), sim_ms(45000));
	world_fini(&w);
}

static void a_server_that_is_not_there_is_noticed(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, 1);
	sim_set_default_link(w.sim, &down);
	world_start(&w);
	world_connect(&w);
	world_run(&w, 9000);
	assert_int_equal(w.client.closed, 0);
	world_run(&w, 2000);
	assert_int_equal(w.client.closed, 1);
	assert_int_equal(w.client.why.kind, QUIC_CLOSE_TIMEOUT);
	assert_string_equal(w.client.why.reason,
			    "the handshake was not finished in time");
	world_fini(&w);
}

static void an_endpoint_says_goodbye_when_freed(void **state)
{
	(void)state;
	struct world w;
	world_open(&w, 1, &lan);
	sim_remove(w.sim, quic_endpoint_task(w.client.endpoint));
	quic_endpoint_free(w.client.endpoint);
	w.client.endpoint = NULL;
	world_run(&w, 10);
	assert_int_equal(w.server.closed, 1);
	assert_int_equal(w.server.why.kind, QUIC_CLOSE_PEER_APP);
	world_fini(&w);
}

static void a_full_socket_only_delays(void **state)
{
	(void)state;
	struct world w;
	world_open(&w, 1, &lan);
	int64_t id;
	static uint8_t bytes[50000];
	assert_int_equal(quic_conn_open_stream(w.client.conn, false, &id), 0);
	sim_set_full(w.client.socket, true);
	assert_int_equal(
		quic_conn_send_stream(w.client.conn, id, bytes, sizeof(bytes), true), 0);
	world_run(&w, 500);
	assert_int_equal(w.server.stream_len, 0);
	sim_set_full(w.client.socket, false);
	world_run(&w, 500);
	assert_int_equal(w.server.stream_len, sizeof(bytes));
	world_fini(&w);
}

static void statistics_tell_the_round_trip(void **state)
{
	(void)state;
	struct world w;
	world_open(&w, 1, &(struct sim_link){ .delay_ns = 5000000 });
	world_run(&w, 3000);
	struct quic_conn_stats stats = quic_conn_stats(w.client.conn);
	assert_in_range(stats.min_rtt_ns, 10000000, 10100000);
	assert_in_range(stats.srtt_ns, 10000000, 15000000);
	assert_true(stats.cwnd > 10000);
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(handshake_completes_on_both_sides),
		cmocka_unit_test(nothing_can_be_sent_before_or_after),
		cmocka_unit_test(datagrams_travel_both_ways),
		cmocka_unit_test(two_pieces_are_one_datagram),
		cmocka_unit_test(a_clock_ahead_of_the_turn_makes_no_datagram_old),
		cmocka_unit_test(a_late_turn_makes_no_datagram_old),
		cmocka_unit_test(the_largest_datagram_fits_and_one_more_byte_does_not),
		cmocka_unit_test(small_datagrams_share_packets),
		cmocka_unit_test(a_burst_goes_out_in_few_calls),
		cmocka_unit_test(waiting_datagrams_grow_old),
		cmocka_unit_test(the_queue_is_bounded),
		cmocka_unit_test(stream_bytes_arrive_in_order),
		cmocka_unit_test(a_stream_of_the_peer_that_is_one_way_cannot_be_answered),
		cmocka_unit_test(streams_are_limited_and_given_back),
		cmocka_unit_test(a_stream_that_is_reset_has_ended),
		cmocka_unit_test(a_stream_that_is_not_read_takes_nothing_more),
		cmocka_unit_test(what_fits_no_more_is_dropped),
		cmocka_unit_test(one_way_streams_are_limited),
		cmocka_unit_test(unacknowledged_bytes_are_bounded),
		cmocka_unit_test(both_sides_export_the_same_key),
		cmocka_unit_test(the_reason_of_a_close_arrives),
		cmocka_unit_test(a_reason_that_is_no_text_is_made_one),
		cmocka_unit_test(a_close_that_is_lost_is_said_again),
		cmocka_unit_test(a_server_may_refuse_at_once),
		cmocka_unit_test(nothing_is_told_after_close),
		cmocka_unit_test(an_answer_from_within_an_event_leaves_at_once),
		cmocka_unit_test(a_new_connection_may_begin_in_the_end_of_the_old),
		cmocka_unit_test(keep_alive_keeps_it_alive),
		cmocka_unit_test(silence_ends_it),
		cmocka_unit_test(a_peer_that_vanishes_is_noticed),
		cmocka_unit_test(a_server_that_is_not_there_is_noticed),
		cmocka_unit_test(an_endpoint_says_goodbye_when_freed),
		cmocka_unit_test(a_full_socket_only_delays),
		cmocka_unit_test(statistics_tell_the_round_trip),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
