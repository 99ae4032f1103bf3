/* SPDX-License-Identifier: MIT */
/*
 * The life of a connection. Packets are written in write.c, ngtcp2's callbacks are in
 * callbacks.c, what its user may do is in use.c.
 *
 * A DATAGRAM's largest payload follows from the path's largest UDP payload P by what a short
 * header packet needs at most (RFC 9000, 17.3.1; RFC 9221, 4):
 *
 *   P = 1 flags | peer's cid | 4 packet number | 1 type | 2 length | payload | 16 AEAD tag
 */
#include "quic/conn.h"

#include "quic/compat.h"
#include "quic/endpoint.h"

#include <errno.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <stdlib.h>
#include <string.h>

#define SHORT_HEADER_LEN   (1u + 4u)
#define DATAGRAM_FRAME_LEN (1u + 2u)
#define AEAD_TAG_LEN       16u

/* Length of the id that a client makes up for the server (RFC 9000, 7.2: at least 8). */
#define CLIENT_DCID_LEN 16u

#define STREAMS_BIDI_MAX 16u
#define STREAMS_UNI_MAX  65u /* One of them for tail probes. */

/* A deadline that has come and is still there is looked at again after this. */
#define TIMER_GRAIN_NS 1000u

/* Longest time in which a connection may be stuck, besides three probe time-outs. */
#define STUCK_NS NGTCP2_SECONDS

/* The first one-way stream of each side (RFC 9000, 2.1). */
#define PROBE_STREAM_OF_CLIENT 2
#define PROBE_STREAM_OF_SERVER 3

/* Ids of the peer that are kept ready for migration. */
#define CID_LIMIT 4u

void conn_mark_dirty(struct quic_conn *conn)
{
	if (list_is_empty(&conn->dirty))
		list_push_back(&conn->endpoint->dirty, &conn->dirty);
}

static ngtcp2_conn *get_ngtcp2(ngtcp2_crypto_conn_ref *ref)
{
	struct quic_conn *conn = ref->user_data;
	return conn->ng;
}

static void fill_settings(const struct quic_endpoint *endpoint, ngtcp2_settings *settings)
{
	const struct quic_endpoint_opts *opts = &endpoint->opts;
	ngtcp2_settings_default(settings);
	settings->initial_ts = endpoint->now;
	settings->max_tx_udp_payload_size = opts->udp_payload_max;
	settings->handshake_timeout = opts->handshake_timeout_ns;
	compat_set_cc(settings, opts->cc);
}

static void fill_params(const struct quic_endpoint *endpoint,
			ngtcp2_transport_params *params)
{
	ngtcp2_transport_params_default(params);
	params->initial_max_data = STREAM_WAITING_MAX;
	params->initial_max_stream_data_bidi_local = STREAM_WAITING_MAX;
	params->initial_max_stream_data_bidi_remote = STREAM_WAITING_MAX;
	params->initial_max_stream_data_uni = STREAM_WAITING_MAX;
	params->initial_max_streams_bidi = STREAMS_BIDI_MAX;
	params->initial_max_streams_uni = STREAMS_UNI_MAX;
	params->active_connection_id_limit = CID_LIMIT;
	params->max_idle_timeout = endpoint->opts.idle_timeout_ns;
	params->max_ack_delay = CONN_MAX_ACK_DELAY_NS;
	params->max_datagram_frame_size = UINT16_MAX;
}

/* A connection without ngtcp2's part, on the endpoint's list. */
static int conn_alloc(struct quic_endpoint *endpoint, struct quic_conn **ret_conn)
{
	struct quic_conn *conn = calloc(1, sizeof(*conn));
	if (!conn)
		return -ENOMEM;
	conn->endpoint = endpoint;
	conn->session.ref = (ngtcp2_crypto_conn_ref){ get_ngtcp2, conn };
	list_init(&conn->dirty);
	list_init(&conn->routes);
	queue_init(&conn->queue, &endpoint->pool);
	streams_init(&conn->streams);
	conn->probe_stream = -1;
	conn->timer.deadline = WEFT_NEVER;
	if (heap_insert(&endpoint->timers, &conn->timer) < 0) {
		free(conn);
		return -ENOMEM;
	}
	list_push_back(&endpoint->conns, &conn->node);
	endpoint->conns_count++;
	endpoint->handshakes++;
	*ret_conn = conn;
	return 0;
}

void conn_free(struct quic_conn *conn)
{
	struct quic_endpoint *endpoint = conn->endpoint;
	if (endpoint->last == conn)
		endpoint->last = NULL;
	if (!conn->is_established)
		endpoint->handshakes--;
	endpoint->conns_count--;
	if (conn->is_counted)
		quota_give_back(&endpoint->quota, &conn->quota, endpoint->now);
	heap_remove(&endpoint->timers, &conn->timer);
	list_remove(&conn->node);
	list_remove(&conn->dirty);
	route_remove_all(endpoint->routes, &conn->routes);
	queue_clear(&conn->queue);
	if (conn->ng)
		ngtcp2_conn_del(conn->ng);
	tls_session_fini(&conn->session);
	streams_fini(&conn->streams);
	free(conn);
}

/* What both sides do once ngtcp2's part is there. */
static int conn_start(struct quic_conn *conn, const ngtcp2_cid *scid,
		      const char *server_name)
{
	struct quic_endpoint *endpoint = conn->endpoint;
	int r = route_add(endpoint->routes, scid, conn, &conn->routes);
	if (r == 0)
		r = tls_session_init(&conn->session, endpoint->opts.tls, server_name);
	if (r < 0)
		return r;
	ngtcp2_conn_set_tls_native_handle(conn->ng, conn->session.gnutls);
	compat_set_keep_alive(conn->ng, endpoint->opts.keep_alive_ns);
	conn_mark_dirty(conn);
	return 0;
}

static int start_client(struct quic_conn *conn, const char *server_name)
{
	struct quic_endpoint *endpoint = conn->endpoint;
	ngtcp2_cid dcid, scid;
	if (endpoint_make_cid(&dcid, CLIENT_DCID_LEN) < 0 ||
	    endpoint_make_cid(&scid, QUIC_CID_LEN) < 0)
		return -EIO;
	ngtcp2_settings settings;
	ngtcp2_transport_params params;
	uint16_t probes[COMPAT_PROBES_MAX];
	fill_settings(endpoint, &settings);
	fill_params(endpoint, &params);
	conn->probe_max = compat_set_probes(&settings, probes);
	const struct token *token = tokens_find(&endpoint->tokens, &conn->peer);
	if (token)
		compat_set_token(&settings, token->data, token->len, COMPAT_TOKEN_NEW);
	union weft_sockaddr local = endpoint->dgram->bound;
	ngtcp2_path path = {
		.local = { &local.sa, weft_sockaddr_len(&local) },
		.remote = { &conn->peer.sa, weft_sockaddr_len(&conn->peer) },
	};
	if (ngtcp2_conn_client_new(&conn->ng, &dcid, &scid, &path, NGTCP2_PROTO_VER_V1,
				   conn_callbacks(), &settings, &params,
				   &endpoint->memory.mem, conn) != 0)
		return -ENOMEM;
	return conn_start(conn, &scid, server_name);
}

int conn_new_client(struct quic_endpoint *endpoint, const union weft_sockaddr *peer,
		    const char *server_name, struct quic_conn **ret_conn)
{
	struct quic_conn *conn;
	int r = conn_alloc(endpoint, &conn);
	if (r < 0)
		return r;
	conn->peer = *peer;
	r = start_client(conn, server_name);
	if (r < 0) {
		conn_free(conn);
		return r;
	}
	*ret_conn = conn;
	return 0;
}

/* The parameters by which a client checks that nobody has meddled with its first packets. */
static int fill_server_params(const struct quic_conn *conn,
			      const struct conn_initial *initial, const ngtcp2_cid *scid,
			      ngtcp2_transport_params *params)
{
	fill_params(conn->endpoint, params);
	compat_set_original_dcid(params,
				 initial->odcid ? initial->odcid : &initial->hd->dcid);
	if (initial->odcid) {
		params->retry_scid = initial->hd->dcid;
		params->retry_scid_present = 1;
	}
	params->stateless_reset_token_present = 1;
	int r = ngtcp2_crypto_generate_stateless_reset_token(
		params->stateless_reset_token, conn->endpoint->reset_secret,
		QUIC_SECRET_LEN, scid);
	return r == 0 ? 0 : -EINVAL;
}

static int start_server(struct quic_conn *conn, const struct conn_initial *initial)
{
	struct quic_endpoint *endpoint = conn->endpoint;
	const ngtcp2_pkt_hd *hd = initial->hd;
	size_t token_len;
	ngtcp2_cid scid;
	ngtcp2_settings settings;
	ngtcp2_transport_params params;
	uint16_t probes[COMPAT_PROBES_MAX];
	if (endpoint_make_cid(&scid, QUIC_CID_LEN) < 0 ||
	    fill_server_params(conn, initial, &scid, &params) < 0)
		return -EINVAL;
	fill_settings(endpoint, &settings);
	conn->probe_max = compat_set_probes(&settings, probes);
	const uint8_t *token = compat_token(hd, &token_len);
	if (initial->odcid || initial->is_known)
		compat_set_token(&settings, token, token_len,
				 initial->odcid ? COMPAT_TOKEN_RETRY : COMPAT_TOKEN_NEW);
	union weft_sockaddr peer = conn->peer;
	compat_path_hide(&peer);
	const ngtcp2_path path = {
		.local = initial->path->local,
		.remote = { &peer.sa, weft_sockaddr_len(&peer) },
	};
	if (ngtcp2_conn_server_new(&conn->ng, &hd->scid, &scid, &path, hd->version,
				   conn_callbacks(), &settings, &params,
				   &endpoint->memory.mem, conn) != 0)
		return -ENOMEM;
	/* The client uses the id it made up until it has seen ours. */
	int r = route_add(endpoint->routes, &hd->dcid, conn, &conn->routes);
	return r < 0 ? r : conn_start(conn, &scid, NULL);
}

void conn_charge(struct quic_conn *conn)
{
	if (!conn->is_counted || conn->is_charged)
		return;
	conn->is_charged = true;
	quota_charge(&conn->endpoint->quota, &conn->quota, conn->endpoint->now);
}

int conn_new_server(struct quic_endpoint *endpoint, const struct conn_initial *initial,
		    struct quic_conn **ret_conn)
{
	struct quic_conn *conn;
	int r = conn_alloc(endpoint, &conn);
	if (r < 0)
		return r;
	memcpy(&conn->peer, initial->path->remote.addr, initial->path->remote.addrlen);
	conn->quota = quota_key_of(&conn->peer);
	r = quota_take(&endpoint->quota, &conn->quota, endpoint->now);
	conn->is_counted = r == 0;
	if (initial->odcid)
		conn_charge(conn);
	if (r == 0)
		r = start_server(conn, initial);
	if (r < 0) {
		conn_free(conn);
		return r;
	}
	*ret_conn = conn;
	return 0;
}

size_t conn_payload_max(const struct quic_conn *conn)
{
	size_t max = ngtcp2_conn_get_path_max_tx_udp_payload_size(conn->ng);
	bool is_open = blackhole_is_open(&conn->blackhole, conn->endpoint->now);
	return is_open && max > BLACKHOLE_BASE_LEN ? BLACKHOLE_BASE_LEN : max;
}

static size_t datagram_max_of(const struct quic_conn *conn)
{
	const ngtcp2_transport_params *params =
		ngtcp2_conn_get_remote_transport_params(conn->ng);
	if (!conn->is_established || !params ||
	    params->max_datagram_frame_size <= DATAGRAM_FRAME_LEN)
		return 0;
	size_t max = conn_payload_max(conn) - SHORT_HEADER_LEN -
		     ngtcp2_conn_get_dcid(conn->ng)->datalen - DATAGRAM_FRAME_LEN -
		     AEAD_TAG_LEN;
	size_t peer_max = (size_t)params->max_datagram_frame_size - DATAGRAM_FRAME_LEN;
	return max < peer_max ? max : peer_max;
}

bool conn_update_path(struct quic_conn *conn)
{
	bool changed = false;
	const union weft_sockaddr peer = compat_path_peer(conn->ng);
	if (!weft_sockaddr_equal(&conn->peer, &peer)) {
		conn->peer = peer;
		conn->blackhole = (struct blackhole){ 0 };
		changed = true;
	}
	size_t datagram_max = datagram_max_of(conn);
	changed |= datagram_max != conn->datagram_max;
	conn->datagram_max = datagram_max;
	if (!conn->is_settled && conn->is_established) {
		size_t payload = ngtcp2_conn_get_path_max_tx_udp_payload_size(conn->ng);
		conn->is_settled = payload >= conn->probe_max ||
				   conn->endpoint->now >= conn->settle_at;
		changed |= conn->is_settled;
	}
	return changed;
}

void conn_migrate(struct quic_conn *conn, const union weft_sockaddr *local)
{
	union weft_sockaddr from = *local;
	ngtcp2_path path = {
		.local = { &from.sa, weft_sockaddr_len(&from) },
		.remote = { &conn->peer.sa, weft_sockaddr_len(&conn->peer) },
	};
	int r = ngtcp2_conn_initiate_immediate_migration(conn->ng, &path,
							 conn->endpoint->now);
	/* Before the handshake is confirmed, or without a spare id, the server is left to
	 * find out by itself, as it would behind a NAT. */
	if (r != 0)
		ngtcp2_conn_set_local_addr(conn->ng, &path.local);
	conn->blackhole = (struct blackhole){ 0 };
	conn->is_settled = false;
	conn_mark_dirty(conn);
}

/* An acknowledgement is a packet that comes, so after each one there may be something new. */
static void measure(struct quic_conn *conn)
{
	uint64_t latest_ns, smoothed_ns;
	compat_trips(conn->ng, &latest_ns, &smoothed_ns);
	quality_on_trip(&conn->quality, latest_ns, smoothed_ns);
	quality_on_counts(&conn->quality, conn->datagrams_tx, conn->datagrams_lost,
			  conn->endpoint->now);
}

void conn_receive(struct quic_conn *conn, const ngtcp2_path *path, unsigned ecn,
		  const uint8_t *packet, size_t len)
{
	struct quic_endpoint *endpoint = conn->endpoint;
	const ngtcp2_pkt_info pi = { .ecn = (uint8_t)ecn };
	const struct compat_packet p = { path, pi, packet, len, endpoint->now };
	int r = endpoint->opts.is_server
			? compat_server_read(&conn->paths, conn->ng, &p)
			: ngtcp2_conn_read_pkt(conn->ng, path, &pi, packet, len, p.now);
	conn->unanswered++;
	if (r != 0) {
		conn_fail(conn, r);
		return;
	}
	measure(conn);
	conn_mark_dirty(conn);
}

void conn_set_deadline(struct quic_conn *conn, uint64_t deadline)
{
	/* Some timers of ngtcp2 are over only after their time, not at it: never spin. */
	if (deadline <= conn->endpoint->now)
		deadline = conn->endpoint->now + TIMER_GRAIN_NS;
	if (conn->is_established && !conn->is_settled && conn->settle_at < deadline)
		deadline = conn->settle_at;
	if (deadline != conn->timer.deadline)
		heap_change(&conn->endpoint->timers, &conn->timer, deadline);
}

/* Whether a connection has been stuck for longer than any acknowledgement can take. */
static bool is_lost(struct quic_conn *conn)
{
	uint64_t now = conn->endpoint->now;
	if (!compat_is_stuck(conn->ng)) {
		conn->stuck_since = 0;
		return false;
	}
	if (conn->stuck_since == 0)
		conn->stuck_since = now;
	uint64_t until = conn->stuck_since + STUCK_NS + 3 * ngtcp2_conn_get_pto(conn->ng);
	if (until < conn->timer.deadline)
		conn_set_deadline(conn, until);
	return now >= until;
}

static int handle_expiry(struct quic_conn *conn)
{
	const uint64_t now = conn->endpoint->now;
	struct quic_conn_stats stats;
	compat_stats(conn->ng, &stats);
	blackhole_on_timer(&conn->blackhole, stats.bytes_in_flight > 0,
			   ngtcp2_conn_get_pto(conn->ng), now);
	return ngtcp2_conn_handle_expiry(conn->ng, now);
}

bool conn_flush(struct quic_conn *conn)
{
	struct quic_endpoint *endpoint = conn->endpoint;
	if (conn->is_closing) {
		conn_close_now(conn);
		return false;
	}
	if (conn->is_established && conn->session.gnutls) {
		ngtcp2_conn_set_tls_native_handle(conn->ng, NULL);
		tls_session_release(&conn->session);
	}
	int r = ngtcp2_conn_get_expiry(conn->ng) <= endpoint->now ? handle_expiry(conn)
								  : 0;
	if (r == 0)
		r = conn_write(conn);
	if (r < 0) {
		conn_fail(conn, r);
		return false;
	}
	if (is_lost(conn)) {
		conn_give_up(conn);
		return false;
	}
	if (conn_update_path(conn) && conn->is_established && endpoint->opts.events->path)
		endpoint->opts.events->path(endpoint->opts.user, conn, endpoint->now);
	return r > 0 || conn->is_closing;
}

void conn_on_token(struct quic_conn *conn, const uint8_t *token, size_t len)
{
	tokens_keep(&conn->endpoint->tokens, &conn->peer, token, len);
}

void conn_set_reason(struct quic_close *close, const void *text, size_t len)
{
	const unsigned char *bytes = text;
	size_t n = len < sizeof(close->reason) ? len : sizeof(close->reason) - 1;
	for (size_t i = 0; i < n; i++)
		close->reason[i] =
			(char)(bytes[i] < ' ' || bytes[i] > '~' ? '?' : bytes[i]);
	close->reason[n] = '\0';
}

int conn_open_probe_stream(struct quic_conn *conn)
{
	if (conn->probe_stream >= 0)
		return 0;
	int64_t stream;
	if (ngtcp2_conn_open_uni_stream(conn->ng, &stream, NULL) != 0)
		return -EAGAIN;
	conn->probe_stream = stream;
	return 0;
}

bool conn_is_peer_probe_stream(const struct quic_conn *conn, int64_t stream)
{
	return stream == (conn->endpoint->opts.is_server ? PROBE_STREAM_OF_CLIENT
							 : PROBE_STREAM_OF_SERVER);
}
