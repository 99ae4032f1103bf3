/* SPDX-License-Identifier: MIT */
/*
 * What the user of a connection may do with it: send, close, ask. Nothing goes out here; the
 * connection is marked, and the endpoint writes in its next turn.
 */
#include "quic/compat.h"
#include "quic/conn.h"
#include "quic/endpoint.h"

#include <errno.h>
#include <string.h>

void quic_conn_set_user(struct quic_conn *conn, void *user)
{
	conn->user = user;
}

void *quic_conn_user(const struct quic_conn *conn)
{
	return conn->user;
}

const union weft_sockaddr *quic_conn_peer(const struct quic_conn *conn)
{
	return &conn->peer;
}

void quic_conn_close(struct quic_conn *conn, uint64_t code, const char *reason,
		     uint64_t now)
{
	if (conn->is_closing)
		return;
	endpoint_set_now(conn->endpoint, now);
	conn->is_closing = true;
	conn->close = (struct quic_close){ .kind = QUIC_CLOSE_LOCAL, .code = code };
	conn_set_reason(&conn->close, reason, strlen(reason));
	conn_mark_dirty(conn);
}

static bool can_send(const struct quic_conn *conn)
{
	return conn->is_established && !conn->is_closing;
}

size_t quic_conn_datagram_max(const struct quic_conn *conn)
{
	return conn->datagram_max;
}

bool quic_conn_path_is_settled(const struct quic_conn *conn)
{
	return conn->is_settled;
}

int quic_conn_send_datagram(struct quic_conn *conn, const struct quic_datagram *datagram,
			    uint64_t now)
{
	if (!can_send(conn))
		return -ENOTCONN;
	if (datagram->head_len + datagram->body_len > conn->datagram_max) {
		conn->drop_too_long++;
		return -EMSGSIZE;
	}
	endpoint_set_now(conn->endpoint, now);
	int r = queue_push(&conn->queue, datagram, conn->endpoint->now,
			   conn->endpoint->turns);
	if (r == 0)
		conn_mark_dirty(conn);
	return r;
}

int quic_conn_open_stream(struct quic_conn *conn, bool is_uni, int64_t *ret_stream)
{
	if (!can_send(conn))
		return -ENOTCONN;
	int r = is_uni ? conn_open_probe_stream(conn) : 0;
	if (r < 0)
		return r;
	struct stream *s;
	r = stream_new(&conn->streams, &s);
	if (r < 0)
		return r;
	r = is_uni ? ngtcp2_conn_open_uni_stream(conn->ng, &s->id, s)
		   : ngtcp2_conn_open_bidi_stream(conn->ng, &s->id, s);
	if (r != 0) {
		stream_free(&conn->streams, s);
		return r == NGTCP2_ERR_STREAM_ID_BLOCKED ? -EAGAIN : -ENOMEM;
	}
	*ret_stream = s->id;
	return 0;
}

int quic_conn_send_stream(struct quic_conn *conn, int64_t stream, const uint8_t *data,
			  size_t len, bool fin)
{
	if (!can_send(conn))
		return -ENOTCONN;
	bool is_ours = ngtcp2_is_bidi_stream(stream) ||
		       ngtcp2_conn_is_local_stream(conn->ng, stream);
	struct stream *s = is_ours ? stream_find(&conn->streams, stream) : NULL;
	if (!s)
		return -ENOENT;
	int r = stream_append(&conn->streams, s, data, len, fin);
	if (r == 0)
		conn_mark_dirty(conn);
	return r;
}

int quic_conn_export(const struct quic_conn *conn, const char *label, uint8_t *out,
		     size_t len)
{
	if (!conn->is_established)
		return -ENOTCONN;
	tls_session_export(&conn->session, label, out, len);
	return 0;
}

struct quic_conn_stats quic_conn_stats(const struct quic_conn *conn)
{
	struct quic_conn_stats stats = {
		.datagrams_rx = conn->datagrams_rx,
		.datagrams_tx = conn->datagrams_tx,
		.datagrams_lost = conn->datagrams_lost,
		.jitter_ns = quality_jitter_ns(&conn->quality),
		.recent_tx = quality_sent(&conn->quality),
		.recent_lost = quality_lost(&conn->quality),
		.drop_queue_full = conn->queue.drop_full,
		.drop_queue_old = conn->queue.drop_old,
		.drop_too_long = conn->drop_too_long,
		.migrations = conn->migrations,
		.udp_payload = (uint16_t)conn_payload_max(conn),
	};
	compat_stats(conn->ng, &stats);
	return stats;
}
