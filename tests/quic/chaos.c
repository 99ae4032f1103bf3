/* SPDX-License-Identifier: MIT */
/*
 * Everything at once, by a seed: several clients on a bad network that send datagrams and
 * streams, close, come back, move and are moved, while the server restarts and strangers
 * send junk. Nobody may crash, spin or leak; and in the end, on a good network, all is well.
 */
#include "../unit.h"
#include "base/rng.h"
#include "quic/world.h"

#include <stdio.h>

#define STEPS 400u

struct chaos {
	struct world w;
	struct rng rng;
	unsigned moves;
	unsigned failed; /**< Sends that were refused, as is their right. */
};

static const struct sim_link good = { .delay_ns = 1000000 };

static void make_link_bad(struct chaos *c)
{
	const struct sim_link link = {
		.delay_ns = rng_below(&c->rng, 30000000),
		.jitter_ns = rng_below(&c->rng, 2) * rng_below(&c->rng, 30000000),
		.loss = rng_double(&c->rng) * 0.3,
		.duplication = rng_double(&c->rng) * 0.1,
		.payload_max = rng_below(&c->rng, 4) == 0 ? 1280 : 0,
		.is_down = rng_below(&c->rng, 20) == 0,
	};
	sim_set_link(rng_below(&c->rng, 2) ? c->w.client.socket : c->w.server.socket,
		     &link);
}

static struct side *either(struct chaos *c)
{
	return rng_below(&c->rng, 2) ? &c->w.client : &c->w.server;
}

static void send_some(struct chaos *c)
{
	struct side *side = either(c);
	for (uint64_t n = rng_below(&c->rng, 100); side->conn && n > 0; n--)
		c->failed += world_send(side, rng_below(&c->rng, 1500)) < 0;
}

static void stream_some(struct chaos *c)
{
	static const uint8_t bytes[60000];
	struct side *side = either(c);
	int64_t id;
	side->stream_len = 0;
	if (side->conn &&
	    quic_conn_open_stream(side->conn, rng_below(&c->rng, 2) == 0, &id) == 0)
		c->failed += quic_conn_send_stream(side->conn, id, bytes,
						   rng_below(&c->rng, sizeof(bytes)),
						   rng_below(&c->rng, 2) == 0) < 0;
	if (side->conn && side->last_stream >= 0)
		c->failed += quic_conn_send_stream(side->conn, side->last_stream, bytes,
						   rng_below(&c->rng, 100),
						   rng_below(&c->rng, 2) == 0) < 0;
}

static void move(struct chaos *c)
{
	char address[40];
	snprintf(address, sizeof(address), "10.1.%u.%u:1", c->moves / 200,
		 c->moves % 200 + 1);
	c->moves++;
	if (rng_below(&c->rng, 2)) {
		sim_set_public(c->w.client.socket, address);
		return;
	}
	c->w.client.socket = sim_socket(c->w.sim, address);
	assert_int_equal(quic_endpoint_rebind(c->w.client.endpoint, c->w.client.socket,
					      sim_now(c->w.sim)),
			 0);
}

static void send_junk(struct chaos *c)
{
	uint8_t junk[1300];
	for (size_t i = 0; i < sizeof(junk); i++)
		junk[i] = (uint8_t)rng_u64(&c->rng);
	sim_inject(c->w.sim, "10.6.6.6:6", quic_endpoint_addr(either(c)->endpoint), junk,
		   1 + rng_below(&c->rng, sizeof(junk)));
}

static void do_something(struct chaos *c)
{
	struct side *side = either(c);
	c->w.client.stream_len = c->w.server.stream_len = 0;
	switch (rng_below(&c->rng, 24)) {
	case 0:
		make_link_bad(c);
		break;
	case 1:
		sim_set_link(c->w.client.socket, &good);
		sim_set_link(c->w.server.socket, &good);
		break;
	case 2:
		move(c);
		break;
	case 3:
		if (side->conn)
			quic_conn_close(side->conn, 1, "chaos", sim_now(c->w.sim));
		break;
	case 4:
		if (rng_below(&c->rng, 10) == 0)
			world_restart_server(&c->w);
		break;
	case 5:
		sim_set_full(side->socket, rng_below(&c->rng, 2) == 0);
		break;
	case 6:
		if (!c->w.client.conn)
			world_connect(&c->w);
		break;
	case 7:
	case 8:
		stream_some(c);
		break;
	case 9:
		send_junk(c);
		break;
	default:
		send_some(c);
	}
}

static void recover(struct chaos *c)
{
	struct world *w = &c->w;
	sim_set_full(w->client.socket, false);
	sim_set_full(w->server.socket, false);
	sim_set_link(w->client.socket, &good);
	sim_set_link(w->server.socket, &good);
	world_run(w, 100000);
	if (!w->client.conn)
		world_connect(w);
	world_run(w, 20000);
	assert_non_null(w->client.conn);
	uint64_t before = w->server.datagrams;
	assert_int_equal(world_send(&w->client, 1000), 0);
	world_run(w, 100);
	assert_true(w->server.datagrams > before);
}

static void run_chaos(uint64_t seed)
{
	struct chaos c = { .moves = 0 };
	rng_init(&c.rng, seed);
	world_init(&c.w, seed);
	c.w.server_opts.always_retry = rng_below(&c.rng, 4) == 0;
	c.w.server_opts.cc = c.w.client_opts.cc = (enum quic_cc)rng_below(&c.rng, 3);
	sim_set_default_link(c.w.sim, &good);
	world_start(&c.w);
	world_connect(&c.w);
	c.w.client.last_stream = c.w.server.last_stream = -1;
	for (unsigned i = 0; i < STEPS; i++) {
		do_something(&c);
		sim_run(c.w.sim, sim_now(c.w.sim) + rng_below(&c.rng, 100000000));
	}
	recover(&c);
	world_fini(&c.w);
}

static void everything_at_once(void **state)
{
	(void)state;
	const char *runs = getenv("CHAOS_RUNS");
	uint64_t seed = test_seed();
	for (unsigned i = 0; i < (runs ? strtoul(runs, NULL, 10) : 5); i++) {
		if (runs)
			print_message("# run %llu\n", (unsigned long long)(seed + i));
		run_chaos(seed + i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
