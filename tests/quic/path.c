/* SPDX-License-Identifier: MIT */
/*
 * Addresses that change under a connection (RFC 9000, 9): the client moves, or a NAT gives
 * it another address behind its back. The connection, and what is on its way, stays.
 */
#include "../unit.h"
#include "base/rng.h"
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
	assert_int_equal(w->server.datagrams, to_server + 1);
	assert_int_equal(w->client.datagrams, to_client + 1);
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
	/*
	 * Only the port, which is the usual case. With ngtcp2 0.12 a server does not listen to
	 * a third address as long as the second may still be under validation.
	 */
	sim_set_public(w.client.socket, "10.0.0.77:4001");
	for (unsigned i = 0; i < 60 && !has_peer(w.server.conn, "10.0.0.77:4001"); i++) {
		assert_int_equal(world_send(&w.client, 100), 0);
		world_run(&w, 100);
	}
	exchange(&w);
	assert_true(has_peer(w.server.conn, "10.0.0.77:4001"));
	exchange(&w);
	assert_int_equal(w.client.closed + w.server.closed, 0);
	world_fini(&w);
}

/*
 * Nothing that a NAT does may end the process (ngtcp2 0.12 has assertions on this way). The
 * connection may end, as members come back by themselves; the server goes on.
 */
static void a_nat_that_flaps_does_no_harm(void **state)
{
	(void)state;
	struct world w;
	struct rng rng;
	rng_init(&rng, test_seed());
	world_open(&w, 1, &lan);
	for (unsigned i = 0; i < 2000 && w.client.closed + w.server.closed == 0; i++) {
		static const char *const address[] = { WORLD_CLIENT, "10.0.0.77:4000",
						       "10.0.0.77:4001" };
		sim_set_public(w.client.socket, address[rng_below(&rng, 3)]);
		assert_int_equal(world_send(&w.client, 1 + rng_below(&rng, 1000)), 0);
		assert_int_equal(world_send(&w.server, 1 + rng_below(&rng, 1000)), 0);
		sim_run(w.sim, sim_now(w.sim) + rng_below(&rng, 40000000));
	}
	sim_set_public(w.client.socket, WORLD_CLIENT);
	world_run(&w, 60000);
	world_connect(&w);
	world_run(&w, 2000);
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
		cmocka_unit_test(a_nat_that_flaps_does_no_harm),
		cmocka_unit_test(an_old_address_gets_no_answer_to_forged_packets),
		cmocka_unit_test(a_stream_survives_a_move),
		cmocka_unit_test(a_server_cannot_be_rebound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
