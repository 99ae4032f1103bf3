/* SPDX-License-Identifier: MIT */
/*
 * Connections from the first packet to the last: handshake, identity, datagrams, streams.
 */
#include "quic/conn.h"

#include "quic/world.h"

#include <cmocka.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const struct sim_link lan = { .delay_ns = 100000 };

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

static void datagrams_travel_both_ways(void **state)
{
	(void)state;
	struct world w;
	world_open(&w, 1, &lan);
	assert_int_equal(world_send(&w.client, 1000), 0);
	assert_int_equal(world_send(&w.server, 500), 0);
	assert_int_equal(world_send(&w.server, 1), 0);
	world_run(&w, 1);
	assert_int_equal(w.server.datagrams, 1);
	assert_int_equal(w.server.datagram_len, 1000);
	assert_int_equal(w.server.datagram[3], (uint8_t)(3 * 7 + 1000));
	assert_int_equal(w.client.datagrams, 2);
	assert_int_equal(w.client.datagram_bytes, 501);
	world_fini(&w);
}

static void stream_bytes_arrive_in_order(void **state)
{
	(void)state;
	struct world w;
	world_open(&w, 1, &lan);
	int64_t id;
	assert_int_equal(quic_conn_open_stream(w.client.conn, false, &id), 0);
	assert_int_equal(quic_conn_send_stream(w.client.conn, id,
					       (const uint8_t *)"hello ", 6, false),
			 0);
	assert_int_equal(quic_conn_send_stream(w.client.conn, id,
					       (const uint8_t *)"world", 5, true),
			 0);
	world_run(&w, 5);
	assert_int_equal(w.server.stream_len, 11);
	assert_memory_equal(w.server.stream, "hello world", 11);
	assert_int_equal(w.server.fins, 1);
	assert_int_equal(quic_conn_send_stream(w.server.conn, id, (const uint8_t *)"back",
					       4, true),
			 0);
	world_run(&w, 5);
	assert_memory_equal(w.client.stream, "back", 4);
	assert_int_equal(w.client.fins, 1);
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(handshake_completes_on_both_sides),
		cmocka_unit_test(datagrams_travel_both_ways),
		cmocka_unit_test(stream_bytes_arrive_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
