/* SPDX-License-Identifier: MIT */
/*
 * What a server does with packets of strangers: Retry, version negotiation, stateless reset,
 * limits; and that nothing anybody sends does harm.
 */
#include "../unit.h"
#include "base/array.h"
#include "base/rng.h"
#include "quic/endpoint.h"
#include "quic/quota.h"
#include "quic/world.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

static const struct sim_link lan = { .delay_ns = 1000000 };

static struct quic_endpoint_stats server_stats(const struct world *w)
{
	return quic_endpoint_stats(w->server.endpoint);
}

/* Who comes next has never been there. */
static void become_a_stranger(struct world *w)
{
	w->client.endpoint->tokens = (struct tokens){ 0 };
}

static void retry_validates_the_address(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, 1);
	w.server_opts.always_retry = true;
	sim_set_default_link(w.sim, &lan);
	world_start(&w);
	world_connect(&w);
	assert_true(world_is_open(&w));
	assert_int_equal(server_stats(&w).retries, 1);
	assert_int_equal(world_send(&w.client, 100), 0);
	world_run(&w, 10);
	assert_int_equal(w.server.datagrams, 1);
	world_fini(&w);
}

static void retry_is_demanded_when_many_handshakes_hang(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, 1);
	w.server_opts.handshakes_max = 2;
	sim_set_default_link(w.sim, &lan);
	world_start(&w);
	struct dgram *ours = w.client.socket;
	/* Two clients whose way back is cut: they never finish. */
	sim_set_link(w.server.socket, &(struct sim_link){ .is_down = true });
	world_connect(&w);
	world_connect(&w);
	world_run(&w, 100);
	assert_int_equal(server_stats(&w).retries, 0);
	sim_set_link(w.server.socket, &lan);
	sim_set_link(ours, &(struct sim_link){ .is_down = true });
	world_run(&w, 100);
	sim_set_link(ours, &lan);
	world_connect(&w);
	world_run(&w, 5);
	assert_true(server_stats(&w).retries >= 1);
	world_run(&w, 3000);
	assert_int_equal(w.client.established, 3);
	world_fini(&w);
}

/* Remembers the first Initial with a token that is sent. */
struct capture {
	uint8_t data[1500];
	size_t len;
};

static void capture_token(void *user, const struct dgram_msg *msg)
{
	struct capture *c = user;
	/* Long header, Initial: the token's length follows the two ids. */
	if (c->len > 0 || msg->len < 1200 || (msg->data[0] & 0xf0) != 0xc0)
		return;
	size_t off = 5;
	off += 1u + msg->data[off];
	off += 1u + msg->data[off];
	if (msg->data[off] == 0)
		return;
	c->len = msg->segment_len > 0 ? msg->segment_len : msg->len;
	memcpy(c->data, msg->data, c->len);
}

static void a_token_is_good_only_for_its_address(void **state)
{
	(void)state;
	struct world w;
	struct capture capture = { .len = 0 };
	world_init(&w, 1);
	w.server_opts.always_retry = true;
	sim_set_default_link(w.sim, &lan);
	world_start(&w);
	sim_set_tap(w.sim, capture_token, &capture);
	world_connect(&w);
	assert_true(world_is_open(&w));
	assert_true(capture.len >= 1200);
	uint64_t before = server_stats(&w).drop_unknown;
	sim_inject(w.sim, "10.6.6.6:666", quic_endpoint_addr(w.server.endpoint),
		   capture.data, capture.len);
	world_run(&w, 10);
	/* It belongs to a connection that exists, which ignores the stranger. */
	assert_int_equal(server_stats(&w).drop_unknown, before);
	world_restart_server(&w);
	sim_inject(w.sim, "10.6.6.6:666", quic_endpoint_addr(w.server.endpoint),
		   capture.data, capture.len);
	world_run(&w, 10);
	assert_int_equal(server_stats(&w).drop_unknown, 1);
	assert_int_equal(w.server.established, 1);
	world_fini(&w);
}

/* ---- tokens from earlier connections ----------------------------------------------------- */

#define DAY_MS (24 * 3600 * UINT64_C(1000))

/* A client that has been there once, at a server that demands Retry of all, and is closed. */
static void open_and_close(struct world *w)
{
	world_init(w, 1);
	w->server_opts.always_retry = true;
	sim_set_default_link(w->sim, &lan);
	world_start(w);
	world_connect(w);
	assert_true(world_is_open(w));
	assert_int_equal(server_stats(w).retries, 1);
	world_run(w, 100);
	quic_conn_close(w->client.conn, 0, "", sim_now(w->sim));
	world_run(w, 5000);
}

/* Comes back. Returns how many round trips it took until the client was established. */
static unsigned come_back(struct world *w)
{
	const unsigned before = w->client.established;
	unsigned trips = 0;
	world_connect(w);
	while (w->client.established == before && trips++ < 100)
		world_run(w, 2);
	return trips;
}

static void who_was_there_before_needs_no_retry(void **state)
{
	(void)state;
	struct world w;
	open_and_close(&w);
	const unsigned trips = come_back(&w);
	assert_int_equal(server_stats(&w).retries, 1);
	world_run(&w, 100);
	become_a_stranger(&w);
	assert_int_equal(come_back(&w), trips + 1);
	assert_int_equal(server_stats(&w).retries, 2);
	world_fini(&w);
}

static void nor_after_the_servers_restart(void **state)
{
	(void)state;
	struct world w;
	open_and_close(&w);
	world_restart_server(&w);
	(void)come_back(&w);
	assert_int_equal(server_stats(&w).retries, 0);
	assert_int_equal(w.client.established, 2);
	world_fini(&w);
}

/* Nor who gets no answer the first time: a token is good until there is another. */
static void an_attempt_without_answer_uses_none_up(void **state)
{
	(void)state;
	struct world w;
	const struct sim_link down = { .is_down = true };
	open_and_close(&w);
	sim_set_link(w.client.socket, &down);
	world_connect(&w);
	world_run(&w, 20000);
	sim_set_link(w.client.socket, &lan);
	(void)come_back(&w);
	assert_int_equal(server_stats(&w).retries, 1);
	assert_int_equal(w.client.established, 2);
	world_fini(&w);
}

static void they_get_old(void **state)
{
	(void)state;
	struct world w;
	open_and_close(&w);
	world_run(&w, DAY_MS - 10000);
	(void)come_back(&w);
	assert_int_equal(server_stats(&w).retries, 1);
	quic_conn_close(w.client.conn, 0, "", sim_now(w.sim));
	world_run(&w, DAY_MS);
	(void)come_back(&w);
	assert_int_equal(server_stats(&w).retries, 2);
	assert_int_equal(w.client.established, 3);
	world_fini(&w);
}

static void they_are_of_an_address_and_any_port(void **state)
{
	(void)state;
	struct world w;
	open_and_close(&w);
	sim_set_public(w.client.socket, "10.0.0.2:1001");
	(void)come_back(&w);
	assert_int_equal(server_stats(&w).retries, 1);
	quic_conn_close(w.client.conn, 0, "", sim_now(w.sim));
	world_run(&w, 5000);
	sim_set_public(w.client.socket, "10.0.0.3:1000");
	(void)come_back(&w);
	assert_int_equal(server_stats(&w).retries, 2);
	assert_int_equal(w.client.established, 3);
	world_fini(&w);
}

/* It says who is there to whoever watches both networks. */
static void they_are_not_shown_from_another_network(void **state)
{
	(void)state;
	struct world w;
	open_and_close(&w);
	assert_non_null(tokens_find(&w.client.endpoint->tokens,
				    quic_endpoint_addr(w.server.endpoint)));
	sim_remove(w.sim, quic_endpoint_task(w.client.endpoint));
	w.client.socket = sim_socket(w.sim, "10.0.0.4:1000");
	assert_int_equal(
		quic_endpoint_rebind(w.client.endpoint, w.client.socket, sim_now(w.sim)),
		0);
	sim_add(w.sim, quic_endpoint_task(w.client.endpoint));
	assert_null(tokens_find(&w.client.endpoint->tokens,
				quic_endpoint_addr(w.server.endpoint)));
	world_fini(&w);
}

static void expect_retry(struct world *w, const struct token *token)
{
	const uint64_t retries = server_stats(w).retries;
	const unsigned established = w->client.established;
	tokens_keep(&w->client.endpoint->tokens, &token->peer, token->data, token->len);
	(void)come_back(w);
	assert_int_equal(server_stats(w).retries, retries + 1);
	assert_int_equal(w->client.established, established + 1);
	quic_conn_close(w->client.conn, 0, "", sim_now(w->sim));
	world_run(w, 5000);
}

/* Changed in a bit, cut, or with something behind it: as good as none, and no harm. */
static void wrong_ones_are_as_good_as_none(void **state)
{
	(void)state;
	struct world w;
	open_and_close(&w);
	const struct token good = *tokens_find(&w.client.endpoint->tokens,
					       quic_endpoint_addr(w.server.endpoint));
	for (size_t i = 0; i < good.len; i++) {
		struct token bad = good;
		bad.data[i] ^= 1;
		expect_retry(&w, &bad);
	}
	for (size_t len = 1; len <= TOKEN_LEN_MAX; len++) {
		struct token bad = good;
		bad.len = len;
		if (len != good.len)
			expect_retry(&w, &bad);
	}
	world_fini(&w);
}

/* A machine's clock begins anew when it starts: what it made before is of the future. */
static void they_are_not_of_the_future(void **state)
{
	(void)state;
	struct world w, earlier;
	open_and_close(&earlier);
	world_run(&earlier, 3600 * 1000);
	(void)come_back(&earlier);
	world_run(&earlier, 100);
	const struct token late =
		*tokens_find(&earlier.client.endpoint->tokens,
			     quic_endpoint_addr(earlier.server.endpoint));
	open_and_close(&w);
	expect_retry(&w, &late);
	world_run(&w, 3600 * 1000);
	tokens_keep(&w.client.endpoint->tokens, &late.peer, late.data, late.len);
	(void)come_back(&w);
	assert_int_equal(server_stats(&w).retries, 2);
	world_fini(&earlier);
	world_fini(&w);
}

static void what_is_too_long_is_not_kept(void **state)
{
	(void)state;
	static const uint8_t data[TOKEN_LEN_MAX + 1] = { 7 };
	struct tokens tokens = { .next = 0 };
	union weft_sockaddr peers[TOKENS_MAX + 1];
	for (size_t i = 0; i < ARRAY_LEN(peers); i++) {
		char address[32];
		(void)snprintf(address, sizeof(address), "10.0.0.1:%zu", i + 1);
		assert_int_equal(weft_listen_parse(address, &peers[i]), 0);
	}
	tokens_keep(&tokens, &peers[0], data, sizeof(data));
	assert_null(tokens_find(&tokens, &peers[0]));
	for (size_t i = 0; i < ARRAY_LEN(peers); i++)
		tokens_keep(&tokens, &peers[i], data, TOKEN_LEN_MAX);
	assert_null(tokens_find(&tokens, &peers[0]));
	for (size_t i = 1; i < ARRAY_LEN(peers); i++)
		assert_int_equal(tokens_find(&tokens, &peers[i])->len, TOKEN_LEN_MAX);
	tokens_keep(&tokens, &peers[2], data, 5);
	assert_int_equal(tokens_find(&tokens, &peers[2])->len, 5);
	assert_int_equal(tokens_find(&tokens, &peers[1])->len, TOKEN_LEN_MAX);
	tokens_keep(&tokens, &peers[2], data, sizeof(data));
	assert_int_equal(tokens_find(&tokens, &peers[2])->len, 5);
}

static void a_restarted_server_resets_old_connections(void **state)
{
	(void)state;
	struct world w;
	world_open(&w, 1, &lan);
	world_run(&w, 2000);
	world_restart_server(&w);
	assert_int_equal(world_send(&w.client, 500), 0);
	world_run(&w, 10);
	assert_int_equal(w.client.closed, 1);
	assert_int_equal(w.client.why.kind, QUIC_CLOSE_RESET);
	assert_int_equal(server_stats(&w).resets, 1);
	world_connect(&w);
	world_run(&w, 100);
	assert_int_equal(w.client.established, 2);
	world_fini(&w);
}

static void a_reset_is_shorter_than_its_cause(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, 1);
	world_start(&w);
	uint8_t packet[100] = { 0x40, 1, 2, 3 };
	const union weft_sockaddr *to = quic_endpoint_addr(w.server.endpoint);
	sim_inject(w.sim, WORLD_CLIENT, to, packet, 20);
	world_run(&w, 10);
	assert_int_equal(server_stats(&w).resets, 0);
	sim_inject(w.sim, WORLD_CLIENT, to, packet, 40);
	world_run(&w, 10);
	assert_int_equal(server_stats(&w).resets, 1);
	/* The client knows no such connection, and does not answer the answer. */
	assert_int_equal(quic_endpoint_stats(w.client.endpoint).drop_unknown, 1);
	assert_int_equal(quic_endpoint_stats(w.client.endpoint).tx_packets, 0);
	world_fini(&w);
}

static void resets_are_limited(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, 1);
	world_start(&w);
	uint8_t packet[100] = { 0x40, 1, 2, 3 };
	const union weft_sockaddr *to = quic_endpoint_addr(w.server.endpoint);
	for (unsigned i = 0; i < 500; i++)
		sim_inject(w.sim, WORLD_CLIENT, to, packet, sizeof(packet));
	world_run(&w, 10);
	assert_int_equal(server_stats(&w).drop_unknown, 500);
	assert_int_equal(server_stats(&w).resets, 100);
	world_run(&w, 1000);
	sim_inject(w.sim, WORLD_CLIENT, to, packet, sizeof(packet));
	world_run(&w, 10);
	assert_int_equal(server_stats(&w).resets, 101);
	world_fini(&w);
}

static void unknown_versions_are_negotiated(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, 1);
	world_start(&w);
	uint8_t packet[1200] = { 0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 8, 1, 2,
				 3,    4,    5,    6,    7,    8, 0 };
	const union weft_sockaddr *to = quic_endpoint_addr(w.server.endpoint);
	sim_inject(w.sim, WORLD_CLIENT, to, packet, sizeof(packet));
	sim_inject(w.sim, WORLD_CLIENT, to, packet, 300);
	world_run(&w, 10);
	assert_int_equal(server_stats(&w).version_negotiations, 1);
	world_fini(&w);
}

static void connections_are_limited(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, 1);
	w.server_opts.conns_max = 3;
	sim_set_default_link(w.sim, &lan);
	world_start(&w);
	for (unsigned i = 0; i < 5; i++)
		world_connect(&w);
	world_run(&w, 500);
	assert_int_equal(w.server.established, 3);
	assert_int_equal(server_stats(&w).drop_limit, 2);
	assert_int_equal(w.client.closed, 2);
	assert_string_equal(w.client.why.reason, "there is no room for more connections");
	quic_conn_close(w.server.conn, 1, "make room", sim_now(w.sim));
	world_run(&w, 100);
	world_connect(&w);
	world_run(&w, 500);
	assert_int_equal(w.server.established, 4);
	world_fini(&w);
}

/* Who does not hear that it is over is told again, but more and more seldom. */
static void a_farewell_is_no_echo(void **state)
{
	(void)state;
	struct world w;
	world_open(&w, 1, &lan);
	world_run(&w, 1000);
	sim_set_link(w.server.socket, &(struct sim_link){ .is_down = true });
	quic_conn_close(w.server.conn, 1, "over", sim_now(w.sim));
	world_run(&w, 1);
	const uint64_t before = server_stats(&w).tx_packets;
	for (unsigned i = 0; i < 64; i++) {
		assert_int_equal(world_send(&w.client, 100), 0);
		sim_run(w.sim, sim_now(w.sim) + 20000);
	}
	world_run(&w, 1);
	assert_int_equal(w.client.closed, 0);
	assert_in_range(server_stats(&w).tx_packets - before, 6, 8);
	world_fini(&w);
}

/* One that has ended keeps its ids for a while; those who came after it need theirs. */
static void who_has_gone_takes_nobodys_ids(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, 1);
	w.server_opts.conns_max = 1;
	sim_set_default_link(w.sim, &lan);
	world_start(&w);
	world_connect(&w);
	world_run(&w, 500);
	quic_conn_close(w.server.conn, 1, "make room", sim_now(w.sim));
	world_run(&w, 2);
	world_connect(&w);
	world_run(&w, 5);
	assert_int_equal(w.server.established, 2);
	for (unsigned i = 0; i < 3; i++) {
		char address[32];
		(void)snprintf(address, sizeof(address), "10.0.1.%u:3000", i + 1);
		w.client.socket = sim_socket(w.sim, address);
		assert_int_equal(quic_endpoint_rebind(w.client.endpoint, w.client.socket,
						      sim_now(w.sim)),
				 0);
		world_run(&w, 5);
	}
	assert_int_equal(w.server.closed, 1);
	world_fini(&w);
}

/* One more from there is told why, and may come when another has left. */
static void connections_of_an_address_are_limited(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, 1);
	w.server_opts.conns_per_peer_max = 2;
	sim_set_default_link(w.sim, &lan);
	world_start(&w);
	for (unsigned i = 0; i < 3; i++)
		world_connect(&w);
	world_run(&w, 500);
	assert_int_equal(w.server.established, 2);
	assert_int_equal(server_stats(&w).refusals, 1);
	assert_int_equal(w.client.closed, 1);
	assert_string_equal(w.client.why.reason,
			    "there are too many connections from this address");
	quic_conn_close(w.server.conn, 1, "make room", sim_now(w.sim));
	world_run(&w, 100);
	world_connect(&w);
	world_run(&w, 500);
	assert_int_equal(w.server.established, 3);
	world_fini(&w);
}

/* One after the other: twice as many as it may have at once, and then one a second. */
static void who_comes_and_goes_is_limited_too(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, 1);
	w.server_opts.conns_per_peer_max = 2;
	sim_set_default_link(w.sim, &lan);
	world_start(&w);
	for (unsigned i = 0; i < 5; i++) {
		world_connect(&w);
		world_run(&w, 50);
		if (w.server.conn)
			quic_conn_close(w.server.conn, 1, "next", sim_now(w.sim));
		world_run(&w, 50);
	}
	assert_int_equal(w.server.established, 4);
	assert_int_equal(server_stats(&w).refusals, 1);
	assert_string_equal(w.client.why.reason,
			    "this address has begun too many connections of late");
	world_run(&w, 1000);
	world_connect(&w);
	world_run(&w, 50);
	assert_int_equal(w.server.established, 5);
	world_fini(&w);
}

static struct quota_key key_of_number(unsigned number)
{
	union weft_sockaddr addr;
	char text[32];
	(void)snprintf(text, sizeof(text), "192.0.2.%u:1", number);
	assert_int_equal(weft_listen_parse(text, &addr), 0);
	return quota_key_of(&addr);
}

/* Beginnings under an address that has not proved itself are not held against it. */
static void who_is_forged_may_come(void **state)
{
	(void)state;
	static const uint8_t secret[HASH_SECRET_LEN] = { 1 };
	const struct quota_key key = key_of_number(1);
	struct quota quota;
	assert_int_equal(quota_init(&quota, 2, 4, secret), 0);
	for (unsigned i = 0; i < 100; i++) {
		assert_null(quota_refuses(&quota, &key, 1));
		assert_int_equal(quota_take(&quota, &key, 1), 0);
		quota_give_back(&quota, &key, 1);
	}
	assert_int_equal(table_count(quota.counts), 0);
	quota_fini(&quota);
}

/* Those who have gone are remembered no longer than there is room for them. */
static void who_has_gone_gives_way(void **state)
{
	(void)state;
	static const uint8_t secret[HASH_SECRET_LEN] = { 1 };
	const uint64_t s = 1000000000;
	struct quota quota;
	assert_int_equal(quota_init(&quota, 2, 4, secret), 0);
	for (unsigned i = 0; i < 8; i++) {
		const struct quota_key key = key_of_number(i);
		assert_int_equal(quota_take(&quota, &key, 10 * s), 0);
		quota_charge(&quota, &key, 10 * s);
		quota_give_back(&quota, &key, 10 * s);
	}
	const struct quota_key late = key_of_number(8);
	assert_int_equal(quota_take(&quota, &late, 10 * s), -ENOSPC);
	assert_int_equal(quota_take(&quota, &late, 12 * s), 0);
	assert_int_equal(table_count(quota.counts), 1);
	quota_give_back(&quota, &late, 14 * s);
	assert_int_equal(table_count(quota.counts), 0);
	quota_fini(&quota);
}

static void an_address_is_a_household(void **state)
{
	(void)state;
	static const char *const one[] = { "192.0.2.1:1", "192.0.2.1:2",
					   "[2001:db8:0:1::1]:1",
					   "[2001:db8:0:1:f::2]:1" };
	static const char *const other[] = { "192.0.2.2:1", "[2001:db8:0:2::1]:1",
					     "[::192.0.2.1]:1" };
	static const uint8_t secret[HASH_SECRET_LEN] = { 1 };
	struct quota quota;
	union weft_sockaddr addr;
	assert_int_equal(quota_init(&quota, 2, 100, secret), 0);
	for (unsigned i = 0; i < ARRAY_LEN(one); i++) {
		assert_int_equal(weft_listen_parse(one[i], &addr), 0);
		const struct quota_key key = quota_key_of(&addr);
		assert_null(quota_refuses(&quota, &key, 1));
		assert_int_equal(quota_take(&quota, &key, 1), 0);
		assert_int_equal(quota_refuses(&quota, &key, 1) != NULL, i % 2);
	}
	for (unsigned i = 0; i < ARRAY_LEN(other); i++) {
		assert_int_equal(weft_listen_parse(other[i], &addr), 0);
		const struct quota_key key = quota_key_of(&addr);
		assert_null(quota_refuses(&quota, &key, 1));
	}
	quota_fini(&quota);
}

/* Ten a second are let in as they are; of the eleventh the address is asked. */
static void retry_is_demanded_when_many_come(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, 1);
	w.server_opts.handshake_rate = 10;
	sim_set_default_link(w.sim, &lan);
	world_start(&w);
	for (unsigned i = 0; i < 10; i++)
		world_connect(&w);
	world_run(&w, 20);
	assert_int_equal(server_stats(&w).retries, 0);
	become_a_stranger(&w);
	for (unsigned i = 0; i < 3; i++)
		world_connect(&w);
	world_run(&w, 20);
	assert_int_equal(server_stats(&w).retries, 3);
	assert_int_equal(w.server.established, 13);
	world_run(&w, 1000);
	world_connect(&w);
	world_run(&w, 20);
	assert_int_equal(server_stats(&w).retries, 3);
	world_fini(&w);
}

static void garbage_does_nothing(void **state)
{
	(void)state;
	struct world w;
	struct rng rng;
	rng_init(&rng, test_seed());
	world_open(&w, 1, &lan);
	const union weft_sockaddr *to = quic_endpoint_addr(w.server.endpoint);
	for (unsigned i = 0; i < 20000; i++) {
		uint8_t bytes[1500];
		size_t len =
			1 + rng_below(&rng, rng_below(&rng, 4) == 0 ? sizeof(bytes) : 64);
		for (size_t n = 0; n < len; n++)
			bytes[n] = (uint8_t)rng_u64(&rng);
		/* Often with the version that gets further. */
		if (len > 5 && rng_below(&rng, 2) == 0)
			memcpy(bytes + 1, "\0\0\0\1", 4);
		sim_inject(w.sim, "10.6.6.6:666", to, bytes, len);
		if (i % 64 == 0)
			world_run(&w, 1);
	}
	world_run(&w, 15000);
	assert_int_equal(w.server.established, 1);
	assert_int_equal(w.client.closed + w.server.closed, 0);
	assert_int_equal(world_send(&w.client, 100), 0);
	world_run(&w, 10);
	assert_int_equal(w.server.datagrams, 1);
	world_fini(&w);
}

/* Flips bits of what the server and the client really send. */
struct damage {
	struct rng rng;
	unsigned one_in;
};

static void flip(void *user, const struct dgram_msg *msg)
{
	struct damage *d = user;
	if (rng_below(&d->rng, d->one_in) != 0)
		return;
	msg->data[rng_below(&d->rng, msg->len)] ^= (uint8_t)(1u << rng_below(&d->rng, 8));
}

/* A handshake has an end, and may be unlucky until then: whoever begins anew gets in. */
static void open_damaged(struct world *w, struct damage *damage)
{
	for (unsigned tries = 0; tries < 5; tries++) {
		world_init(w, 1);
		sim_set_default_link(w->sim, &lan);
		sim_set_tap(w->sim, flip, damage);
		world_start(w);
		world_connect(w);
		if (world_is_open(w))
			return;
		world_fini(w);
	}
	fail_msg("five handshakes in a row were not finished");
}

static void damaged_packets_are_only_lost(void **state)
{
	(void)state;
	struct damage damage = { .one_in = 5 };
	rng_init(&damage.rng, test_seed());
	for (unsigned i = 0; i < 10; i++) {
		struct world w;
		open_damaged(&w, &damage);
		for (unsigned n = 0; n < 100; n++) {
			assert_int_equal(world_send(&w.client, 300), 0);
			world_run(&w, 5);
		}
		assert_true(w.server.datagrams > 50);
		assert_int_equal(w.client.closed + w.server.closed, 0);
		world_fini(&w);
	}
}

#define MANY 1000u

/* Bytes of this process that are in memory, 0 where the system does not tell. */
static size_t resident(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	if (!f)
		return 0;
	if (fscanf(f, "%*u %lu", &pages) != 1)
		pages = 0;
	fclose(f);
	return pages * 4096;
}

static void say_hello(struct quic_conn *conn)
{
	int64_t id;
	assert_int_equal(quic_conn_open_stream(conn, false, &id), 0);
	assert_int_equal(
		quic_conn_send_stream(conn, id, (const uint8_t *)"hello", 5, false), 0);
}

static void a_thousand_connections_are_small(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, 1);
	w.server_opts.handshakes_max = MANY;
	sim_set_default_link(w.sim, &lan);
	world_start(&w);
	size_t resident_before = resident(), allocated_before = mallinfo2().uordblks;
	for (unsigned i = 0; i < MANY; i++) {
		world_connect(&w);
		world_run(&w, 20);
		say_hello(w.client.conn);
	}
	world_run(&w, 60000);
	size_t per_end = (resident() - resident_before) / (2 * MANY);
	bool is_sanitized = mallinfo2().uordblks == allocated_before;
	assert_int_equal(w.server.established, MANY);
	assert_int_equal(w.client.established, MANY);
	assert_int_equal(w.server.stream_len, 5 * MANY);
	assert_int_equal(w.server.closed + w.client.closed, 0);
	print_message("# %zu bytes resident for each idle end\n", per_end);
	assert_true(per_end < 65536 || is_sanitized);
	assert_int_equal(world_send(&w.client, 100), 0);
	world_run(&w, 10);
	assert_int_equal(w.server.datagrams, 1);
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(retry_validates_the_address),
		cmocka_unit_test(retry_is_demanded_when_many_handshakes_hang),
		cmocka_unit_test(a_token_is_good_only_for_its_address),
		cmocka_unit_test(who_was_there_before_needs_no_retry),
		cmocka_unit_test(nor_after_the_servers_restart),
		cmocka_unit_test(an_attempt_without_answer_uses_none_up),
		cmocka_unit_test(they_get_old),
		cmocka_unit_test(they_are_of_an_address_and_any_port),
		cmocka_unit_test(they_are_not_shown_from_another_network),
		cmocka_unit_test(wrong_ones_are_as_good_as_none),
		cmocka_unit_test(they_are_not_of_the_future),
		cmocka_unit_test(what_is_too_long_is_not_kept),
		cmocka_unit_test(a_restarted_server_resets_old_connections),
		cmocka_unit_test(a_reset_is_shorter_than_its_cause),
		cmocka_unit_test(resets_are_limited),
		cmocka_unit_test(unknown_versions_are_negotiated),
		cmocka_unit_test(connections_are_limited),
		cmocka_unit_test(a_farewell_is_no_echo),
		cmocka_unit_test(who_has_gone_takes_nobodys_ids),
		cmocka_unit_test(connections_of_an_address_are_limited),
		cmocka_unit_test(who_comes_and_goes_is_limited_too),
		cmocka_unit_test(who_is_forged_may_come),
		cmocka_unit_test(who_has_gone_gives_way),
		cmocka_unit_test(an_address_is_a_household),
		cmocka_unit_test(retry_is_demanded_when_many_come),
		cmocka_unit_test(garbage_does_nothing),
		cmocka_unit_test(damaged_packets_are_only_lost),
		cmocka_unit_test(a_thousand_connections_are_small),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
