/* SPDX-License-Identifier: MIT */
/*
 * Fixture of the QUIC tests. Assertions of cmocka are used directly, so that a step that
 * fails is reported with its line.
 */
#include "quic/world.h"

#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#define STREAM_MAX (4u << 20)

static char *cert_pem, *key_pem;

static const uint8_t secret[32] = "the world's endpoints' secret..";

const char *world_cert(void)
{
	if (!cert_pem)
		assert_int_equal(quic_tls_make_identity("weft.test", 1700000000,
							&cert_pem, &key_pem),
				 0);
	return cert_pem;
}

const char *world_key(void)
{
	world_cert();
	return key_pem;
}

static void on_established(void *user, struct quic_conn *conn, uint64_t now)
{
	struct side *side = user;
	side->established++;
	side->conn = conn;
	if (side->on_established)
		side->on_established(side, conn, now);
}

static void on_datagram(void *user, struct quic_conn *conn, const uint8_t *data,
			size_t len, uint64_t now)
{
	struct side *side = user;
	side->datagrams++;
	side->datagram_bytes += len;
	assert_true(len <= sizeof(side->datagram));
	if (len > 0)
		memcpy(side->datagram, data, len);
	side->datagram_len = len;
	if (side->on_datagram)
		side->on_datagram(side, conn, data, len, now);
}

static void on_stream(void *user, struct quic_conn *conn,
		      const struct quic_stream_input *input, uint64_t now)
{
	(void)conn;
	(void)now;
	struct side *side = user;
	assert_true(side->stream_len + input->len <= STREAM_MAX);
	if (input->len > 0)
		memcpy(side->stream + side->stream_len, input->data, input->len);
	side->stream_len += input->len;
	side->fins += input->fin;
	side->last_stream = input->stream;
}

static void on_closed(void *user, struct quic_conn *conn, const struct quic_close *why,
		      uint64_t now)
{
	struct side *side = user;
	side->closed++;
	side->why = *why;
	side->closed_at = now;
	if (side->conn == conn)
		side->conn = NULL;
	if (side->on_closed)
		side->on_closed(side, conn, now);
}

static void on_path(void *user, struct quic_conn *conn, uint64_t now)
{
	(void)conn;
	(void)now;
	struct side *side = user;
	side->path_changes++;
}

static const struct quic_events events = { on_established, on_datagram, on_stream,
					   on_closed, on_path };

static void side_init(struct side *side, struct world *w)
{
	*side = (struct side){ .world = w };
	side->stream = malloc(STREAM_MAX);
	assert_non_null(side->stream);
}

void world_init(struct world *w, uint64_t seed)
{
	memset(w, 0, sizeof(*w));
	w->sim = sim_new(seed);
	w->server_address = WORLD_SERVER;
	w->client_address = WORLD_CLIENT;
	side_init(&w->server, w);
	side_init(&w->client, w);
	struct weft_error err;
	uint8_t pin[QUIC_PIN_LEN];
	assert_int_equal(quic_tls_server_new(world_cert(), world_key(), WORLD_ALPN, &err,
					     &w->server_tls),
			 0);
	quic_tls_pin(w->server_tls, pin);
	assert_int_equal(quic_tls_client_new(pin, NULL, WORLD_ALPN, &err, &w->client_tls),
			 0);
	w->server_opts.is_server = true;
}

static void side_start(struct side *side, struct quic_endpoint_opts *opts,
		       const struct quic_tls *tls, const char *address)
{
	side->socket = sim_socket(side->world->sim, address);
	opts->dgram = side->socket;
	opts->tls = tls;
	opts->events = &events;
	opts->user = side;
	opts->secret = secret;
	assert_int_equal(quic_endpoint_new(opts, &side->endpoint), 0);
	sim_add(side->world->sim, quic_endpoint_task(side->endpoint));
}

void world_start(struct world *w)
{
	side_start(&w->server, &w->server_opts, w->server_tls, w->server_address);
	side_start(&w->client, &w->client_opts, w->client_tls, w->client_address);
}

void world_connect(struct world *w)
{
	assert_int_equal(quic_connect(w->client.endpoint,
				      quic_endpoint_addr(w->server.endpoint), "weft.test",
				      sim_now(w->sim), &w->client.conn),
			 0);
}

static bool both_established(void *user)
{
	struct world *w = user;
	return w->server.established > 0 && w->client.established > 0;
}

bool world_is_open(struct world *w)
{
	return sim_run_until(w->sim, both_established, w,
			     sim_now(w->sim) + sim_ms(10000));
}

void world_open(struct world *w, uint64_t seed, const struct sim_link *link)
{
	world_init(w, seed);
	sim_set_default_link(w->sim, link);
	world_start(w);
	world_connect(w);
	assert_true(world_is_open(w));
}

static void side_stop(struct side *side)
{
	if (side->endpoint)
		sim_remove(side->world->sim, quic_endpoint_task(side->endpoint));
	quic_endpoint_free(side->endpoint);
	side->endpoint = NULL;
	side->conn = NULL;
}

void world_restart_server(struct world *w)
{
	/* The old one dies without a word: nothing that it sends arrives. */
	sim_set_link(w->server.socket, &(struct sim_link){ .is_down = true });
	side_stop(&w->server);
	side_start(&w->server, &w->server_opts, w->server_tls, w->server_address);
}

void world_fini(struct world *w)
{
	side_stop(&w->client);
	side_stop(&w->server);
	quic_tls_free(w->client_tls);
	quic_tls_free(w->server_tls);
	sim_free(w->sim);
	free(w->client.stream);
	free(w->server.stream);
}

void world_run(struct world *w, uint64_t ms)
{
	sim_run(w->sim, sim_now(w->sim) + sim_ms(ms));
}

int world_send(struct side *side, size_t len)
{
	uint8_t bytes[2048];
	assert_true(len <= sizeof(bytes));
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i * 7 + len);
	const struct quic_datagram datagram = { .body = bytes, .body_len = len };
	return quic_conn_send_datagram(side->conn, &datagram, sim_now(side->world->sim));
}
