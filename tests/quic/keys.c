/* SPDX-License-Identifier: MIT */
/*
 * Packet protection keys that change under way (RFC 9001, 6). Either end may begin; the face has no
 * call for it, because ngtcp2 does it by itself before a key is worn out, after 2^23 packets and
 * more. So the tests ask ngtcp2.
 */
#include "../unit.h"
#include "quic/conn.h"
#include "quic/world.h"

#include <ngtcp2/ngtcp2.h>

/* After an update of keys three probe time-outs pass before the next one (RFC 9001, 6.5). */
#define SETTLED_MS 2000u

static int update(struct side *side)
{
	const uint64_t now = sim_now(side->world->sim);
	return ngtcp2_conn_initiate_key_update(side->conn->ng, now);
}

/* Datagrams and stream bytes both ways, all of which arrive. */
static void exchange(struct world *w, int64_t stream, unsigned round)
{
	static const uint8_t bytes[3000];
	const struct side *sides[] = { &w->client, &w->server };
	const uint64_t before[] = { w->client.datagrams, w->server.datagrams };
	const size_t streamed = w->server.stream_len;
	assert_int_equal(quic_conn_send_stream(w->client.conn, stream, bytes,
					       sizeof(bytes), false),
			 0);
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(world_send(&w->client, 1000 + round), 0);
		assert_int_equal(world_send(&w->server, 100 + round), 0);
		world_run(w, 20);
	}
	world_run(w, SETTLED_MS);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(sides[i]->datagrams - before[i], 10);
	assert_int_equal(w->server.stream_len - streamed, sizeof(bytes));
	assert_int_equal(w->client.closed + w->server.closed, 0);
}

static void keys_change_and_traffic_goes_on(void **state)
{
	(void)state;
	struct world w;
	int64_t stream;
	world_open(&w, 1, &(struct sim_link){ .delay_ns = 10000000 });
	assert_int_equal(quic_conn_open_stream(w.client.conn, false, &stream), 0);
	world_run(&w, SETTLED_MS);
	for (unsigned round = 0; round < 4; round++) {
		struct side *side = round % 2 == 0 ? &w.client : &w.server;
		assert_int_equal(update(side), 0);
		/* Under way: another one has to wait until the peer has answered with it. */
		assert_int_equal(update(side), NGTCP2_ERR_INVALID_STATE);
		exchange(&w, stream, round);
	}
	world_fini(&w);
}

/* What is on its way with the old keys while the new ones come is still read. */
static void both_may_begin_at_once(void **state)
{
	(void)state;
	struct world w;
	int64_t stream;
	world_open(&w, 2, &(struct sim_link){ .delay_ns = 10000000 });
	assert_int_equal(quic_conn_open_stream(w.client.conn, false, &stream), 0);
	world_run(&w, SETTLED_MS);
	assert_int_equal(world_send(&w.client, 500), 0);
	world_run(&w, 5);
	assert_int_equal(update(&w.client), 0);
	assert_int_equal(update(&w.server), 0);
	world_run(&w, 100);
	assert_int_equal(w.server.datagrams, 1);
	exchange(&w, stream, 0);
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_change_and_traffic_goes_on),
		cmocka_unit_test(both_may_begin_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
