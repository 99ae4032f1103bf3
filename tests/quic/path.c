/* SPDX-License-Identifier: MIT */
/*
 * Addresses that change under a connection (RFC 9000, 9): the client moves, or a NAT gives
 * it another address behind its back. The connection, and what is on its way, stays.
 */
#include "../unit.h"
#include "base/rng.h"
#include "quic/conn.h"
#include "quic/world.h"

#include <stdio.h>
#include <string.h>

static const struct sim_link lan = { .delay_ns = 1000000 };

static bool has_peer(const struct quic_conn *conn, const char *address)
{
	char text[WEFT_SOCKADDR_TEXT];
	return strcmp(weft_sockaddr_print(quic_conn_peer(conn), text), address) == 0;
}

static void exchange(struct world *w)
{
	uint64_t to_server = w->server.datagrams, to_client = w->client.datagrams;
	assert_int_equal(world_send(&w->client, 700), 0);
	world_run(w, 300);
	assert_int_equal(world_send(&w->server, 700), 0);
	world_run(w, 300);
	assert_true(w->server.datagrams > to_server);
	assert_true(w->client.datagrams > to_client);
	assert_int_equal(w->server.datagram_len, 700);
	assert_int_equal(w->client.datagram_len, 700);
}

static void a_client_moves_to_another_address(void **state)
{
	(void)state;
	struct world w;
	world_open(&w, 1, &lan);
	world_run(&w, 2000);
	exchange(&w);
	assert_true(has_peer(w.server.conn, WORLD_CLIENT));
	unsigned changes = w.server.path_changes;
	w.client.socket = sim_socket(w.sim, "10.9.9.9:2000");
	assert_int_equal(
		quic_endpoint_rebind(w.client.endpoint, w.client.socket, sim_now(w.sim)),
		0);
	exchange(&w);
	assert_true(has_peer(w.server.conn, "10.9.9.9:2000"));
	assert_true(w.server.path_changes > changes);
	assert_true(quic_conn_stats(w.server.conn).migrations > 0);
	exchange(&w);
	/* The new path's MTU is found as well. */
	world_run(&w, 3000);
	assert_true(quic_conn_path_is_settled(w.client.conn));
	assert_true(quic_conn_stats(w.client.conn).udp_payload >= 1444);
	assert_int_equal(w.client.closed + w.server.closed, 0);
	world_fini(&w);
}

static void a_client_moves_again_and_again(void **state)
{
	(void)state;
	struct world w;
	world_open(&w, 1, &lan);
	world_run(&w, 2000);
	for (unsigned i = 0; i < 10; i++) {
		char address[32];
		snprintf(address, sizeof(address), "10.0.1.%u:%u", i + 1, 3000 + i);
		w.client.socket = sim_socket(w.sim, address);
		assert_int_equal(quic_endpoint_rebind(w.client.endpoint, w.client.socket,
						      sim_now(w.sim)),
				 0);
		world_run(&w, 1000);
		exchange(&w);
		assert_true(has_peer(w.server.conn, address));
	}
	assert_int_equal(w.client.closed + w.server.closed, 0);
	world_fini(&w);
}

static void a_move_in_the_middle_of_the_handshake_is_borne(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, 1);
	sim_set_default_link(w.sim, &lan);
	world_start(&w);
	world_connect(&w);
	sim_run(w.sim, sim_now(w.sim) + 1500000);
	assert_int_equal(w.client.established, 0);
	w.client.socket = sim_socket(w.sim, "10.9.9.9:2000");
	assert_int_equal(
		quic_endpoint_rebind(w.client.endpoint, w.client.socket, sim_now(w.sim)),
		0);
	/* RFC 9000, 9 has no such thing; the server drops the packets of the stranger. */
	world_run(&w, 11000);
	assert_int_equal(w.client.established + w.client.closed, 1);
	world_connect(&w);
	world_run(&w, 1000);
	exchange(&w);
	world_fini(&w);
}

static void a_nat_changes_its_mind(void **state)
{
	(void)state;
	struct world w;
	world_open(&w, 1, &lan);
	world_run(&w, 2000);
	exchange(&w);
	sim_set_public(w.client.socket, "10.0.0.77:4000");
	exchange(&w);
	assert_true(has_peer(w.server.conn, "10.0.0.77:4000"));
	/* Only the port, which is the usual case; the path before is still being validated. */
	sim_set_public(w.client.socket, "10.0.0.77:4001");
	exchange(&w);
	assert_true(has_peer(w.server.conn, "10.0.0.77:4001"));
	/* And back, to an address that is known. */
	sim_set_public(w.client.socket, "10.0.0.77:4000");
	exchange(&w);
	assert_true(has_peer(w.server.conn, "10.0.0.77:4000"));
	sim_set_public(w.client.socket, WORLD_CLIENT);
	exchange(&w);
	assert_true(has_peer(w.server.conn, WORLD_CLIENT));
	assert_int_equal(w.client.closed + w.server.closed, 0);
	world_fini(&w);
}

/* The client is somewhere else for a while, in which it sends one small datagram. */
static void be_away(struct world *w, const char *address, uint64_t ns)
{
	sim_set_public(w->client.socket, address);
	assert_int_equal(world_send(&w->client, 20), 0);
	sim_run(w->sim, sim_now(w->sim) + ns);
	sim_set_public(w->client.socket, WORLD_CLIENT);
}

/*
 * The way back leads through every state that the validation of the other path can be in.
 * ngtcp2 0.12 has an assertion on it.
 */
static void a_nat_comes_back_at_any_moment(void **state)
{
	(void)state;
	for (uint64_t us = 0; us < 12000; us += 200) {
		struct world w;
		world_open(&w, 1, &lan);
		world_run(&w, 100);
		be_away(&w, "10.0.0.77:4000", us * 1000);
		exchange(&w);
		assert_true(has_peer(w.server.conn, WORLD_CLIENT));
		world_run(&w, 10000);
		exchange(&w);
		assert_int_equal(w.client.closed + w.server.closed, 0);
		world_fini(&w);
	}
}

/*
 * A rebinding by the NAT, and then the client itself moves, which brings new connection ids
 * into use. Here, too, ngtcp2 0.12 has an assertion.
 */
static void a_client_moves_after_its_nat(void **state)
{
	(void)state;
	for (uint64_t us = 0; us < 12000; us += 200) {
		struct world w;
		world_open(&w, 1, &lan);
		world_run(&w, 100);
		sim_set_public(w.client.socket, "10.0.0.77:4000");
		assert_int_equal(world_send(&w.client, 20), 0);
		sim_run(w.sim, sim_now(w.sim) + us * 1000);
		w.client.socket = sim_socket(w.sim, "10.9.9.9:2000");
		assert_int_equal(quic_endpoint_rebind(w.client.endpoint, w.client.socket,
						      sim_now(w.sim)),
				 0);
		exchange(&w);
		assert_true(has_peer(w.server.conn, "10.9.9.9:2000"));
		world_run(&w, 10000);
		exchange(&w);
		assert_int_equal(w.client.closed + w.server.closed, 0);
		world_fini(&w);
	}
}

/* Steps at random times, with traffic both ways, between three addresses of the client. */
static void flap(struct world *w, const char *const address[3], struct rng *rng)
{
	for (unsigned i = 0; i < 2000; i++) {
		sim_set_public(w->client.socket, address[rng_below(rng, 3)]);
		assert_int_equal(w->client.closed + w->server.closed, 0);
		assert_int_equal(world_send(&w->client, 1 + rng_below(rng, 1000)), 0);
		assert_int_equal(world_send(&w->server, 1 + rng_below(rng, 1000)), 0);
		sim_run(w->sim, sim_now(w->sim) + rng_below(rng, 40000000));
	}
	world_run(w, 3000);
	exchange(w);
	assert_int_equal(w->client.closed + w->server.closed, 0);
}

static void a_nat_that_flaps_does_no_harm(void **state)
{
	(void)state;
	static const char *const address[] = { WORLD_CLIENT, "10.0.0.77:4000",
					       "10.0.0.77:4001" };
	struct world w;
	struct rng rng;
	rng_init(&rng, test_seed());
	world_open(&w, 1, &lan);
	flap(&w, address, &rng);
	world_fini(&w);
}

static void a_flapping_address_may_be_ipv6(void **state)
{
	(void)state;
	static const char *const address[] = { "[2001:db8::2]:1000",
					       "[2001:db8::77]:4000",
					       "[2001:db8::77]:4001" };
	struct world w;
	struct rng rng;
	rng_init(&rng, test_seed());
	world_init(&w, 1);
	w.server_address = "[2001:db8::1]:443";
	w.client_address = address[0];
	sim_set_default_link(w.sim, &lan);
	world_start(&w);
	world_connect(&w);
	assert_true(world_is_open(&w));
	flap(&w, address, &rng);
	world_fini(&w);
}

/* By itself, or through a NAT: a client that moves all the time is served all the time. */
static void moves_of_both_kinds_mix(void **state)
{
	(void)state;
	struct world w;
	struct rng rng;
	rng_init(&rng, test_seed());
	world_open(&w, 1, &lan);
	for (unsigned i = 0; i < 300; i++) {
		char address[32];
		snprintf(address, sizeof(address), "10.0.1.%u:%u",
			 (unsigned)rng_below(&rng, 3) + 1, 3000 + i);
		if (rng_below(&rng, 2) == 0) {
			sim_set_public(w.client.socket, address);
		} else {
			w.client.socket = sim_socket(w.sim, address);
			assert_int_equal(quic_endpoint_rebind(w.client.endpoint,
							      w.client.socket,
							      sim_now(w.sim)),
					 0);
		}
		assert_int_equal(world_send(&w.client, 1 + rng_below(&rng, 1000)), 0);
		assert_int_equal(world_send(&w.server, 1 + rng_below(&rng, 1000)), 0);
		sim_run(w.sim, sim_now(w.sim) + rng_below(&rng, 400000000));
		assert_int_equal(w.client.closed + w.server.closed, 0);
	}
	world_run(&w, 3000);
	exchange(&w);
	assert_int_equal(w.client.closed + w.server.closed, 0);
	world_fini(&w);
}

/*
 * ngtcp2 0.12 is shown each change of path under a number of its own, and those end one day.
 * Then the connection ends, too, and the client may come again.
 */
static void changes_without_end_are_borne(void **state)
{
	(void)state;
	const unsigned left = 200;
	struct world w;
	world_open(&w, 1, &lan);
	w.server.conn->paths.count = (uint16_t)(UINT16_MAX - left);
	for (unsigned i = 0; i < 2 * left && w.client.conn; i++) {
		sim_set_public(w.client.socket,
			       i % 2 == 0 ? "10.0.0.77:4000" : WORLD_CLIENT);
		assert_int_equal(world_send(&w.client, 20), 0);
		world_run(&w, 20);
		assert_true(w.client.conn || i >= left);
	}
	if (!w.client.conn) {
		assert_int_equal(w.server.closed, 1);
		world_connect(&w);
		world_run(&w, 1000);
	}
	exchange(&w);
	world_fini(&w);
}

static void an_old_address_gets_no_answer_to_forged_packets(void **state)
{
	(void)state;
	struct world w;
	world_open(&w, 1, &lan);
	world_run(&w, 2000);
	/* Bytes that are no packet of the connection do not move it. */
	uint8_t junk[200] = { 0x40 };
	for (unsigned i = 0; i < 20; i++)
		sim_inject(w.sim, "10.6.6.6:666", quic_endpoint_addr(w.server.endpoint),
			   junk, sizeof(junk));
	exchange(&w);
	assert_true(has_peer(w.server.conn, WORLD_CLIENT));
	world_fini(&w);
}

static void a_stream_survives_a_move(void **state)
{
	(void)state;
	static uint8_t bytes[200000];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 131 >> 3);
	struct world w;
	world_open(&w, 1,
		   &(struct sim_link){ .delay_ns = 20000000, .rate_bps = 5000000 });
	world_run(&w, 2000);
	int64_t id;
	assert_int_equal(quic_conn_open_stream(w.client.conn, false, &id), 0);
	assert_int_equal(
		quic_conn_send_stream(w.client.conn, id, bytes, sizeof(bytes), true), 0);
	world_run(&w, 100);
	assert_true(w.server.stream_len < sizeof(bytes));
	w.client.socket = sim_socket(w.sim, "10.9.9.9:2000");
	assert_int_equal(
		quic_endpoint_rebind(w.client.endpoint, w.client.socket, sim_now(w.sim)),
		0);
	world_run(&w, 10000);
	assert_int_equal(w.server.stream_len, sizeof(bytes));
	assert_memory_equal(w.server.stream, bytes, sizeof(bytes));
	world_fini(&w);
}

static void a_server_cannot_be_rebound(void **state)
{
	(void)state;
	struct world w;
	world_open(&w, 1, &lan);
	struct dgram *socket = sim_socket(w.sim, "10.0.0.1:444");
	assert_true(quic_endpoint_rebind(w.server.endpoint, socket, sim_now(w.sim)) < 0);
	dgram_free(socket);
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_moves_to_another_address),
		cmocka_unit_test(a_client_moves_again_and_again),
		cmocka_unit_test(a_move_in_the_middle_of_the_handshake_is_borne),
		cmocka_unit_test(a_nat_changes_its_mind),
		cmocka_unit_test(a_nat_comes_back_at_any_moment),
		cmocka_unit_test(a_client_moves_after_its_nat),
		cmocka_unit_test(a_nat_that_flaps_does_no_harm),
		cmocka_unit_test(a_flapping_address_may_be_ipv6),
		cmocka_unit_test(moves_of_both_kinds_mix),
		cmocka_unit_test(changes_without_end_are_borne),
		cmocka_unit_test(an_old_address_gets_no_answer_to_forged_packets),
		cmocka_unit_test(a_stream_survives_a_move),
		cmocka_unit_test(a_server_cannot_be_rebound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
