/* SPDX-License-Identifier: MIT */
/*
 * A server and a client on a simulated network, and a record of all that they are told. The
 * identity is made once per program.
 *
 *     client 10.0.0.2:1000 -------- 10.0.0.1:443 server
 */
#ifndef QUIC_WORLD_H
#define QUIC_WORLD_H

#include "quic/quic.h"
#include "sim/net.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORLD_SERVER "10.0.0.1:443"
#define WORLD_CLIENT "10.0.0.2:1000"
#define WORLD_ALPN   "weft-test"

struct world;

/** What one side has seen. Events of all its connections are added up. */
struct side {
	struct world *world;
	struct quic_endpoint *endpoint;
	struct dgram *socket;
	struct quic_conn *conn; /**< The latest one, NULL after its end. */
	unsigned established, closed, path_changes;
	struct quic_close why;
	uint64_t closed_at;
	uint64_t datagrams, datagram_bytes;
	uint8_t datagram[2048]; /**< The last one. */
	size_t datagram_len;
	uint8_t *stream; /**< Bytes of all streams. */
	size_t stream_len;
	unsigned fins;
	int64_t last_stream;
	uint64_t stream_sum; /**< Of offset-weighted bytes: order matters. */
	/** Called after the record is made; may be NULL. */
	void (*on_established)(struct side *side, struct quic_conn *conn, uint64_t now);
	void (*on_datagram)(struct side *side, struct quic_conn *conn,
			    const uint8_t *data, size_t len, uint64_t now);
	void (*on_closed)(struct side *side, struct quic_conn *conn, uint64_t now);
};

struct world {
	struct sim *sim;
	struct quic_tls *server_tls, *client_tls;
	struct side server, client;
	const char *server_address,
		*client_address; /**< May be set before world_start. */
	struct quic_endpoint_opts server_opts,
		client_opts; /**< Set before world_start. */
};

/** Makes the network and credentials, with the client pinning the server's key. */
void world_init(struct world *w, uint64_t seed);

/** Makes both endpoints. */
void world_start(struct world *w);

/** Starts a connection. */
void world_connect(struct world *w);

/** world_init, world_start and world_connect, and waits until both are established. */
void world_open(struct world *w, uint64_t seed, const struct sim_link *link);

/** Frees everything. */
void world_fini(struct world *w);

/** Runs for so many milliseconds. */
void world_run(struct world *w, uint64_t ms);

/** Runs until both sides are established, at most 10 s; false if they are not. */
bool world_is_open(struct world *w);

/** Replaces the server by a new one with the same secret and address: a restart. */
void world_restart_server(struct world *w);

/** Sends len bytes of a pattern as one datagram. Returns quic_conn_send_datagram's result. */
int world_send(struct side *side, size_t len);

/** The identity of this program's servers, as PEM. */
const char *world_cert(void);
const char *world_key(void);

#endif
