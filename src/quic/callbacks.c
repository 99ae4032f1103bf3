/* SPDX-License-Identifier: MIT */
/*
 * What ngtcp2 tells a connection while it reads or writes packets. Events go straight on to
 * the user, who may call back into quic_conn_*: see conn.h for why that is safe. After the
 * user has closed, nothing more is told.
 *
 * Flow control: what has been delivered has been consumed, so windows are extended by each
 * byte at once (RFC 9000, 4.2), and the peer may open a stream for each that has ended.
 */
#include "quic/compat.h"
#include "quic/conn.h"
#include "quic/endpoint.h"

#include <gnutls/crypto.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <string.h>

/* How long path MTU discovery may take before its result so far counts as final. */
#define SETTLE_NS NGTCP2_SECONDS

static const struct quic_events *events_of(const struct quic_conn *conn)
{
	return conn->endpoint->opts.events;
}

static void *user_of(const struct quic_conn *conn)
{
	return conn->endpoint->opts.user;
}

/*
 * After the handshake TLS has nothing more to say in QUIC but session tickets (RFC 9001, 4.4
 * and 6), which nobody here offers: whatever comes is not read.
 */
static int on_crypto_data(ngtcp2_conn *ng, compat_level level, uint64_t offset,
			  const uint8_t *data, size_t len, void *user_data)
{
	const struct quic_conn *conn = user_data;
	if (!conn->session.gnutls)
		return 0;
	return ngtcp2_crypto_recv_crypto_data_cb(ng, level, offset, data, len, user_data);
}

static int on_handshake_completed(ngtcp2_conn *ng, void *user_data)
{
	struct quic_conn *conn = user_data;
	struct quic_endpoint *endpoint = conn->endpoint;
	if (tls_session_complete(&conn->session) < 0)
		return NGTCP2_ERR_CALLBACK_FAILURE;
	conn->is_established = true;
	conn_charge(conn);
	conn->settle_at = endpoint->now + SETTLE_NS;
	endpoint->handshakes--;
	conn_update_path(conn);
	if (endpoint->opts.is_server)
		compat_give_token(ng, endpoint->token_secret, &conn->peer, endpoint->now);
	if (!conn->is_closing)
		events_of(conn)->established(user_of(conn), conn, endpoint->now);
	return 0;
}

static int on_datagram(ngtcp2_conn *ng, uint32_t flags, const uint8_t *data, size_t len,
		       void *user_data)
{
	(void)ng;
	(void)flags;
	struct quic_conn *conn = user_data;
	conn->datagrams_rx++;
	if (!conn->is_closing)
		events_of(conn)->datagram(user_of(conn), conn, data, len,
					  conn->endpoint->now);
	return 0;
}

static int on_datagram_acked(ngtcp2_conn *ng, uint64_t id, void *user_data)
{
	(void)ng;
	struct quic_conn *conn = user_data;
	blackhole_on_acked(&conn->blackhole, id == CONN_DATAGRAM_LARGE);
	return 0;
}

static int on_datagram_lost(ngtcp2_conn *ng, uint64_t id, void *user_data)
{
	struct quic_conn *conn = user_data;
	uint64_t latest_ns, smoothed_ns;
	conn->datagrams_lost++;
	if (id != CONN_DATAGRAM_LARGE)
		return 0;
	compat_trips(ng, &latest_ns, &smoothed_ns);
	blackhole_on_lost(&conn->blackhole, smoothed_ns, conn->endpoint->now);
	return 0;
}

static int on_stream_open(ngtcp2_conn *ng, int64_t id, void *user_data)
{
	struct quic_conn *conn = user_data;
	struct stream *s;
	if (conn_is_peer_probe_stream(conn, id))
		return 0;
	if (stream_new(&conn->streams, &s) < 0)
		return NGTCP2_ERR_CALLBACK_FAILURE;
	s->id = id;
	return ngtcp2_conn_set_stream_user_data(ng, id, s);
}

/* NOLINTNEXTLINE(readability-function-size): ngtcp2 decides the parameters. */
static int on_stream_data(ngtcp2_conn *ng, uint32_t flags, int64_t id, uint64_t offset,
			  const uint8_t *data, size_t len, void *user_data,
			  void *stream_user_data)
{
	(void)offset;
	(void)stream_user_data;
	struct quic_conn *conn = user_data;
	const struct quic_stream_input input = {
		.stream = id,
		.data = data,
		.len = len,
		.fin = (flags & NGTCP2_STREAM_DATA_FLAG_FIN) != 0,
	};
	conn->owes_stream_ack = true;
	if (!conn->is_closing && !conn_is_peer_probe_stream(conn, id))
		events_of(conn)->stream(user_of(conn), conn, &input, conn->endpoint->now);
	ngtcp2_conn_extend_max_offset(ng, len);
	return ngtcp2_conn_extend_max_stream_offset(ng, id, len);
}

static int on_stream_reset(ngtcp2_conn *ng, int64_t id, uint64_t final_size,
			   uint64_t code, void *user_data, void *stream_user_data)
{
	(void)ng;
	(void)final_size;
	(void)code;
	(void)stream_user_data;
	struct quic_conn *conn = user_data;
	const struct quic_stream_input end = { .stream = id, .fin = true };
	if (!conn->is_closing && !conn_is_peer_probe_stream(conn, id))
		events_of(conn)->stream(user_of(conn), conn, &end, conn->endpoint->now);
	return 0;
}

static int on_stream_acked(ngtcp2_conn *ng, int64_t id, uint64_t offset, uint64_t len,
			   void *user_data, void *stream_user_data)
{
	(void)ng;
	struct quic_conn *conn = user_data;
	struct stream *s = stream_user_data;
	if (id == conn->probe_stream)
		conn->probe_is_out = false;
	if (s)
		stream_on_acked(&conn->streams, s, offset + len);
	blackhole_on_acked(&conn->blackhole, false);
	return 0;
}

static int on_stream_window(ngtcp2_conn *ng, int64_t id, uint64_t max_data,
			    void *user_data, void *stream_user_data)
{
	(void)ng;
	(void)id;
	(void)max_data;
	(void)user_data;
	struct stream *s = stream_user_data;
	if (s)
		s->is_blocked = false;
	return 0;
}

static int on_stream_close(ngtcp2_conn *ng, uint32_t flags, int64_t id, uint64_t code,
			   void *user_data, void *stream_user_data)
{
	(void)flags;
	(void)code;
	struct quic_conn *conn = user_data;
	stream_free(&conn->streams, stream_user_data);
	if (ngtcp2_conn_is_local_stream(ng, id))
		return 0;
	if (ngtcp2_is_bidi_stream(id))
		ngtcp2_conn_extend_max_streams_bidi(ng, 1);
	else
		ngtcp2_conn_extend_max_streams_uni(ng, 1);
	return 0;
}

static int on_stateless_reset(ngtcp2_conn *ng, const ngtcp2_pkt_stateless_reset *reset,
			      void *user_data)
{
	(void)ng;
	(void)reset;
	struct quic_conn *conn = user_data;
	conn->was_reset = true;
	return 0;
}

/* For packet numbers and congestion control; nothing secret hangs on it. */
static void on_rand(uint8_t *dest, size_t len, const ngtcp2_rand_ctx *ctx)
{
	(void)ctx;
	if (gnutls_rnd(GNUTLS_RND_NONCE, dest, len) < 0)
		memset(dest, 0, len);
}

static int on_new_cid(ngtcp2_conn *ng, ngtcp2_cid *cid, uint8_t *token, size_t len,
		      void *user_data)
{
	(void)ng;
	struct quic_conn *conn = user_data;
	struct quic_endpoint *endpoint = conn->endpoint;
	if (endpoint_make_cid(cid, len) < 0 ||
	    ngtcp2_crypto_generate_stateless_reset_token(token, endpoint->reset_secret,
							 QUIC_SECRET_LEN, cid) != 0 ||
	    route_add(endpoint->routes, cid, conn, &conn->routes) < 0)
		return NGTCP2_ERR_CALLBACK_FAILURE;
	return 0;
}

static int on_retired_cid(ngtcp2_conn *ng, const ngtcp2_cid *cid, void *user_data)
{
	(void)ng;
	struct quic_conn *conn = user_data;
	struct quic_endpoint *endpoint = conn->endpoint;
	struct route *route = route_find(endpoint->routes, cid->data, cid->datalen);
	if (endpoint->last == conn)
		endpoint->last = NULL;
	if (route)
		route_remove(endpoint->routes, route);
	return 0;
}

void conn_on_path_validated(struct quic_conn *conn, bool is_good)
{
	conn->migrations += is_good;
	/* The new path's MTU is not known yet. */
	conn->is_settled = false;
	conn->settle_at = conn->endpoint->now + SETTLE_NS;
}

const ngtcp2_callbacks *conn_callbacks(void)
{
	static const ngtcp2_callbacks callbacks = {
		.client_initial = ngtcp2_crypto_client_initial_cb,
		.recv_client_initial = ngtcp2_crypto_recv_client_initial_cb,
		.recv_crypto_data = on_crypto_data,
		.handshake_completed = on_handshake_completed,
		.encrypt = ngtcp2_crypto_encrypt_cb,
		.decrypt = ngtcp2_crypto_decrypt_cb,
		.hp_mask = ngtcp2_crypto_hp_mask_cb,
		.recv_stream_data = on_stream_data,
		.acked_stream_data_offset = on_stream_acked,
		.stream_open = on_stream_open,
		.stream_close = on_stream_close,
		.recv_stateless_reset = on_stateless_reset,
		.recv_retry = ngtcp2_crypto_recv_retry_cb,
		.recv_new_token = compat_on_token,
		.rand = on_rand,
		.get_new_connection_id = on_new_cid,
		.remove_connection_id = on_retired_cid,
		.update_key = ngtcp2_crypto_update_key_cb,
		.path_validation = compat_on_path_validated,
		.stream_reset = on_stream_reset,
		.extend_max_stream_data = on_stream_window,
		.delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb,
		.delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb,
		.dcid_status = compat_on_dcid_status,
		.recv_datagram = on_datagram,
		.ack_datagram = on_datagram_acked,
		.lost_datagram = on_datagram_lost,
		.get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb,
		.version_negotiation = ngtcp2_crypto_version_negotiation_cb,
	};
	return &callbacks;
}
