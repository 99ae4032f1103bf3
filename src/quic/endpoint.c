/* SPDX-License-Identifier: MIT */
/*
 * How a turn goes:
 *
 *   1. what the socket did not take last time goes first, and nothing new before it;
 *   2. read up to 256 packets, each to its connection (most often to the same as the last),
 *      unless the loop knows that there is none;
 *   3. connections whose deadline has come join those that have something to do;
 *   4. each of those writes, in turns of 64 KiB, into the send buffer;
 *   5. the buffer goes to the socket.
 *
 * Reading all before writing makes one ACK answer many packets, and one clock reading serve
 * them all. Work that is left makes the deadline 0, so that the loop comes back at once.
 */
#include "quic/endpoint.h"

#include "quic/closing.h"
#include "quic/conn.h"

#include <assert.h>
#include <errno.h>
#include <gnutls/crypto.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define MSGS_PER_READ    4u
#define PACKETS_PER_TURN 256u

/*
 * After this many packets or connections the socket is looked at again: ACKs wait there. A frame
 * that is read leaves two connections with something to do, the one it came by and the one it
 * goes by; if not all of those had their turn, a relay that is behind would read more than it
 * sends, and what it has read would grow too old.
 */
#define PACKETS_OUT_PER_TURN 256u
#define FLUSHES_PER_TURN     (2 * PACKETS_PER_TURN)

#define DEFAULT_IDLE_NS        (30 * NGTCP2_SECONDS)
#define DEFAULT_KEEP_ALIVE_NS  (10 * NGTCP2_SECONDS)
#define DEFAULT_HANDSHAKE_NS   (10 * NGTCP2_SECONDS)
#define DEFAULT_CONNS_MAX      4096u
#define DEFAULT_HANDSHAKES_MAX 64u

/*
 * The largest payload that ngtcp2 0.12 probes for. 1.x could find 1,452, but a room whose
 * first member has that would be closed to those who have not.
 */
#define DEFAULT_UDP_PAYLOAD_MAX 1444u

/*
 * Ids per connection: its own, and the client's first. As many connections again may have ended
 * and keep theirs (closing.h).
 */
#define ROUTES_PER_CONN 10u

/* Datagrams waiting on all connections together; 24 MiB. */
#define QUEUED_MAX 16384u

int endpoint_make_cid(ngtcp2_cid *ret_cid, size_t len)
{
	uint8_t data[NGTCP2_MAX_CIDLEN];
	if (gnutls_rnd(GNUTLS_RND_RANDOM, data, len) < 0)
		return -EIO;
	ngtcp2_cid_init(ret_cid, data, len);
	return 0;
}

uint8_t *endpoint_tx_room(struct quic_endpoint *endpoint, size_t len)
{
	uint8_t *room = tx_room(&endpoint->tx, len);
	if (!room && !endpoint->tx.is_blocked && tx_send(&endpoint->tx, endpoint->dgram))
		room = tx_room(&endpoint->tx, len);
	return room;
}

void endpoint_tx_add(struct quic_endpoint *endpoint, const ngtcp2_path *path, size_t len,
		     unsigned ecn)
{
	tx_add(&endpoint->tx, path, len, ecn, endpoint->dgram->segments_max);
}

static struct quic_conn *find_conn(struct quic_endpoint *endpoint,
				   const struct packet *packet)
{
	ngtcp2_version_cid ids = { 0 };
	int r = ngtcp2_pkt_decode_version_cid(&ids, packet->data, packet->len,
					      QUIC_CID_LEN);
	struct route *route = NULL;
	if (r == 0)
		route = route_find(endpoint->routes, ids.dcid, ids.dcidlen);
	if (!route) {
		endpoint_accept(endpoint, packet, &ids, r);
		return NULL;
	}
	if (!route->conn) {
		closing_receive(endpoint, route->closing, packet);
		return NULL;
	}
	if (ids.dcidlen == QUIC_CID_LEN) {
		endpoint->last = route->conn;
		memcpy(endpoint->last_cid, ids.dcid, QUIC_CID_LEN);
	}
	return route->conn;
}

/* Whether a short header carries the same id as the packet before. */
static bool is_same_conn(const struct quic_endpoint *endpoint,
			 const struct packet *packet)
{
	return endpoint->last && packet->len > QUIC_CID_LEN &&
	       !(packet->data[0] & 0x80u) &&
	       memcmp(packet->data + 1, endpoint->last_cid, QUIC_CID_LEN) == 0;
}

static void receive_packet(struct quic_endpoint *endpoint, const struct packet *packet)
{
	struct quic_conn *conn = is_same_conn(endpoint, packet)
					 ? endpoint->last
					 : find_conn(endpoint, packet);
	if (conn)
		conn_receive(conn, &packet->path, packet->ecn, packet->data, packet->len);
}

/* Splits a message into its datagrams. Returns how many. */
static size_t receive_message(struct quic_endpoint *endpoint, struct dgram_msg *msg)
{
	/*
	 * A client has one socket and lets the kernel choose the source: its side of the path
	 * is what the socket is bound to. A server must answer from where it was asked.
	 */
	union weft_sockaddr *local = &msg->local;
	if (!endpoint->opts.is_server || weft_sockaddr_len(local) == 0)
		local = &endpoint->dgram->bound;
	struct packet packet = {
		.ecn = msg->ecn,
		.path = { .local = { &local->sa, weft_sockaddr_len(local) },
			  .remote = { &msg->peer.sa, weft_sockaddr_len(&msg->peer) } },
	};
	size_t step = msg->segment_len > 0 ? msg->segment_len : msg->len;
	size_t n = 0;
	for (size_t off = 0; off < msg->len; off += step, n++) {
		packet.data = msg->data + off;
		packet.len = step < msg->len - off ? step : msg->len - off;
		receive_packet(endpoint, &packet);
	}
	return n;
}

static void receive_all(struct quic_endpoint *endpoint)
{
	struct dgram_msg msgs[MSGS_PER_READ];
	size_t packets = 0;
	/* A batch that is not full was the last; should another come now, the loop sees it. */
	int n = (int)MSGS_PER_READ;
	while (packets < PACKETS_PER_TURN && n == (int)MSGS_PER_READ) {
		n = dgram_recv(endpoint->dgram, msgs, MSGS_PER_READ);
		endpoint->stats.rx_batches += n > 0;
		for (int i = 0; i < n; i++)
			packets += receive_message(endpoint, &msgs[i]);
	}
	endpoint->stats.rx_packets += packets;
}

static void collect_due(struct quic_endpoint *endpoint)
{
	struct heap_node *node;
	while ((node = heap_min(&endpoint->timers)) && node->deadline <= endpoint->now) {
		struct quic_conn *conn = container_of(node, struct quic_conn, timer);
		heap_change(&endpoint->timers, node, WEFT_NEVER);
		conn_mark_dirty(conn);
	}
	closing_expire(endpoint, endpoint->now);
}

static void flush_all(struct quic_endpoint *endpoint)
{
	const uint64_t packets_max = endpoint->tx.packets + PACKETS_OUT_PER_TURN;
	unsigned flushes = 0;
	struct list *node;
	while (!endpoint->tx.is_blocked && endpoint->tx.packets < packets_max &&
	       flushes++ < FLUSHES_PER_TURN &&
	       (node = list_pop_front(&endpoint->dirty))) {
		struct quic_conn *conn = container_of(node, struct quic_conn, dirty);
		if (conn_flush(conn))
			conn_mark_dirty(conn);
	}
	endpoint->is_behind = !list_is_empty(&endpoint->dirty);
	if (!endpoint->tx.is_blocked)
		tx_send(&endpoint->tx, endpoint->dgram);
}

static void endpoint_run(struct weft_task *task, uint64_t now)
{
	struct quic_endpoint *endpoint = container_of(task, struct quic_endpoint, task);
	endpoint_set_now(endpoint, now);
	if (endpoint->tx.is_blocked)
		tx_send(&endpoint->tx, endpoint->dgram);
	if (!(task->quiet & WEFT_READABLE) || endpoint->is_behind)
		receive_all(endpoint);
	collect_due(endpoint);
	flush_all(endpoint);
	endpoint->turns++;
	task->events = WEFT_READABLE | (endpoint->tx.is_blocked ? WEFT_WRITABLE : 0u);
}

static uint64_t endpoint_deadline(const struct weft_task *task)
{
	const struct quic_endpoint *endpoint =
		container_of_const(task, struct quic_endpoint, task);
	/* Nothing can be done until the socket takes more, and the loop watches for that. */
	if (endpoint->tx.is_blocked)
		return WEFT_NEVER;
	if (!list_is_empty(&endpoint->dirty))
		return 0;
	const struct heap_node *timer = heap_min(&endpoint->timers);
	const struct heap_node *closing = heap_min(&endpoint->closings);
	uint64_t deadline = timer ? timer->deadline : WEFT_NEVER;
	if (closing && closing->deadline < deadline)
		deadline = closing->deadline;
	return deadline;
}

static void set_defaults(struct quic_endpoint_opts *opts)
{
	if (opts->idle_timeout_ns == 0)
		opts->idle_timeout_ns = DEFAULT_IDLE_NS;
	if (opts->keep_alive_ns == 0)
		opts->keep_alive_ns = DEFAULT_KEEP_ALIVE_NS;
	if (opts->handshake_timeout_ns == 0)
		opts->handshake_timeout_ns = DEFAULT_HANDSHAKE_NS;
	if (opts->conns_max == 0)
		opts->conns_max = DEFAULT_CONNS_MAX;
	if (opts->handshakes_max == 0)
		opts->handshakes_max = DEFAULT_HANDSHAKES_MAX;
	if (opts->udp_payload_max == 0)
		opts->udp_payload_max = DEFAULT_UDP_PAYLOAD_MAX;
	if (opts->udp_payload_max < NGTCP2_MAX_UDP_PAYLOAD_SIZE)
		opts->udp_payload_max = NGTCP2_MAX_UDP_PAYLOAD_SIZE;
}

/* One secret comes in; each use gets a key of its own. */
static int derive_keys(struct quic_endpoint *endpoint, const uint8_t *secret,
		       uint8_t *hash_secret)
{
	static const char context[crypto_kdf_CONTEXTBYTES] = { 'w', 'e', 'f', 't',
							       'q', 'u', 'i', 'c' };
	static_assert(crypto_kdf_KEYBYTES == QUIC_SECRET_LEN, "the secret is the key");
	if (crypto_kdf_derive_from_key(endpoint->reset_secret, QUIC_SECRET_LEN, 1,
				       context, secret) != 0 ||
	    crypto_kdf_derive_from_key(endpoint->token_secret, QUIC_SECRET_LEN, 2,
				       context, secret) != 0 ||
	    crypto_kdf_derive_from_key(hash_secret, HASH_SECRET_LEN, 3, context,
				       secret) != 0)
		return -EINVAL;
	return 0;
}

static int endpoint_init(struct quic_endpoint *endpoint)
{
	uint8_t hash_secret[HASH_SECRET_LEN];
	int r = derive_keys(endpoint, endpoint->opts.secret, hash_secret);
	if (r == 0)
		r = table_new(ROUTE_KEY_LEN,
			      2 * (size_t)endpoint->opts.conns_max * ROUTES_PER_CONN,
			      hash_secret, &endpoint->routes);
	if (r == 0)
		r = quota_init(&endpoint->quota, endpoint->opts.conns_per_peer_max,
			       endpoint->opts.conns_max, hash_secret);
	if (r == 0)
		r = tx_init(&endpoint->tx);
	endpoint->opts.secret = NULL;
	return r;
}

int quic_endpoint_new(const struct quic_endpoint_opts *opts,
		      struct quic_endpoint **ret_endpoint)
{
	struct quic_endpoint *endpoint = calloc(1, sizeof(*endpoint));
	if (!endpoint)
		return -ENOMEM;
	endpoint->opts = *opts;
	set_defaults(&endpoint->opts);
	list_init(&endpoint->conns);
	list_init(&endpoint->dirty);
	endpoint->initials = bucket_of(opts->handshake_rate, opts->handshake_rate);
	memory_init(&endpoint->memory);
	pool_init(&endpoint->pool, sizeof(struct queued) + endpoint->opts.udp_payload_max,
		  QUEUED_MAX);
	int r = endpoint_init(endpoint);
	if (r < 0) {
		quic_endpoint_free(endpoint);
		return r;
	}
	endpoint->dgram = opts->dgram;
	endpoint->tx.any_source = !opts->is_server;
	endpoint->task = (struct weft_task){
		.fd = opts->dgram->fd,
		.events = WEFT_READABLE,
		.run = endpoint_run,
		.deadline = endpoint_deadline,
	};
	*ret_endpoint = endpoint;
	return 0;
}

void quic_endpoint_free(struct quic_endpoint *endpoint)
{
	if (!endpoint)
		return;
	list_for_each (node, &endpoint->conns)
		conn_abandon(container_of(node, struct quic_conn, node));
	if (endpoint->dgram)
		tx_send(&endpoint->tx, endpoint->dgram);
	closing_free_all(endpoint);
	heap_fini(&endpoint->timers);
	tx_fini(&endpoint->tx);
	pool_fini(&endpoint->pool);
	memory_fini(&endpoint->memory);
	table_free(endpoint->routes);
	quota_fini(&endpoint->quota);
	dgram_free(endpoint->dgram);
	free(endpoint);
}

struct weft_task *quic_endpoint_task(struct quic_endpoint *endpoint)
{
	return &endpoint->task;
}

const union weft_sockaddr *quic_endpoint_addr(const struct quic_endpoint *endpoint)
{
	return &endpoint->dgram->bound;
}

struct quic_endpoint_stats quic_endpoint_stats(const struct quic_endpoint *endpoint)
{
	struct quic_endpoint_stats stats = endpoint->stats;
	stats.tx_packets = endpoint->tx.packets;
	stats.tx_batches = endpoint->tx.batches;
	stats.tx_taken = endpoint->dgram->taken;
	stats.tx_refusal = endpoint->dgram->refusal;
	return stats;
}

int quic_connect(struct quic_endpoint *endpoint, const union weft_sockaddr *peer,
		 const char *server_name, uint64_t now, struct quic_conn **ret_conn)
{
	endpoint_set_now(endpoint, now);
	if (endpoint->opts.is_server)
		return -EINVAL;
	if (endpoint->conns_count >= endpoint->opts.conns_max)
		return -ENOSPC;
	return conn_new_client(endpoint, peer, server_name, ret_conn);
}

int quic_endpoint_rebind(struct quic_endpoint *endpoint, struct dgram *dgram,
			 uint64_t now)
{
	if (endpoint->opts.is_server)
		return -EINVAL;
	endpoint_set_now(endpoint, now);
	dgram_free(endpoint->dgram);
	endpoint->dgram = dgram;
	endpoint->task.fd = dgram->fd;
	endpoint->tx.is_blocked = false;
	endpoint->tokens = (struct tokens){ 0 };
	list_for_each (node, &endpoint->conns)
		conn_migrate(container_of(node, struct quic_conn, node), &dgram->bound);
	return 0;
}
