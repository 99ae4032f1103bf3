/* SPDX-License-Identifier: MIT */
/*
 * From a connection's queues into packets. Each call of ngtcp2 makes one packet in place, in
 * the endpoint's send buffer; what it takes along besides (ACKs, retransmissions, probes) is
 * its own affair. In order:
 *
 *   0. small DATAGRAMs that the pacer would hold back (quic/pace.h);
 *   1. a tail probe and stream bytes, because control is rare and short;
 *   2. DATAGRAMs, several in a packet where they are small;
 *   3. what ngtcp2 has to say on its own, only when 1 and 2 had nothing: that call counts
 *      as "the application has no more", and BBR measures no bandwidth while it is so.
 *
 * A return of 0 with something left to send means that the congestion window or the pacer
 * says wait; an ACK or the deadline will come.
 */
#include "base/time.h"
#include "quic/compat.h"
#include "quic/conn.h"
#include "quic/endpoint.h"

#include <assert.h>

#define VECS_MAX 8u

/* Most bytes for one connection before the next has its turn: a full super-datagram. */
#define TURN_LEN 65536u

/* One packet less than the smallest congestion window (RFC 9002, 7.2). */
#define PROBE_FLIGHT_LEN 1452u

/* What one turn may put into the window without a DATAGRAM: four PATH_RESPONSEs. */
#define PROBE_ROOM_LEN (4 * UINT64_C(1452))

/* A datagram's frame header in bytes (RFC 9221, 4). */
#define DATAGRAM_FRAME_LEN 3u

/*
 * How long the ACK of a lone packet may wait for something to travel with, of the time that we
 * announce as max_ack_delay (RFC 9000, 13.2.1). ngtcp2 itself would send it after an eighth of
 * the round trip: on a short path a packet, and a wake-up at both ends, for each frame of a
 * game. Games send 20 to 60 a second: so long that the next frame comes first, and one ACK
 * answers both.
 */
#define ACK_PATIENCE_NS (60 * NS_PER_MS)
static_assert(ACK_PATIENCE_NS < CONN_MAX_ACK_DELAY_NS, "what was announced holds");

/* ngtcp2 waits no longer than this of its own accord. */
#define ACK_DELAY_NS (25 * NS_PER_MS)

/* How long anything else waits that is no more than bookkeeping. */
#define QUIET_PATIENCE_NS (15 * NS_PER_MS)

/* Where one packet goes. */
struct writer {
	struct quic_conn *conn;
	ngtcp2_path_storage ps;
	ngtcp2_pkt_info pi;
	uint8_t *buf;
	size_t len;
	uint64_t now;
	bool is_ahead; /* Of the pacer: only DATAGRAMs that go first. */
};

/*
 * If all that is in flight is lost, only a probe time-out can tell (RFC 9002, 6.2); where it
 * is not armed for DATAGRAMs and PATH_RESPONSEs, a window full of lost ones would stay full
 * for ever. So one byte of a stream goes along with each flight that is larger than the
 * smallest window, or that leaves little of the window: one per round trip at most, and none
 * where there is little traffic. Asked before each packet, for a flight of PATH_RESPONSEs can
 * fill a small window in one turn.
 */
static bool is_probe_due(const struct quic_conn *conn)
{
	if (!COMPAT_NEEDS_TAIL_PROBE || conn->probe_is_out || !conn->is_established)
		return false;
	if (conn->queue.count > 1)
		return true;
	struct quic_conn_stats stats;
	compat_stats(conn->ng, &stats);
	return stats.bytes_in_flight >= PROBE_FLIGHT_LEN ||
	       (stats.bytes_in_flight > 0 &&
		stats.bytes_in_flight + PROBE_ROOM_LEN >= stats.cwnd);
}

static ngtcp2_ssize write_probe(struct writer *w)
{
	static uint8_t byte;
	struct quic_conn *conn = w->conn;
	ngtcp2_vec vec = { .base = &byte, .len = 1 };
	ngtcp2_ssize taken = -1;
	if (conn_open_probe_stream(conn) < 0)
		return 0;
	ngtcp2_ssize len = ngtcp2_conn_writev_stream(
		conn->ng, &w->ps.path, &w->pi, w->buf, w->len, &taken,
		NGTCP2_WRITE_STREAM_FLAG_NONE, conn->probe_stream, &vec, 1, w->now);
	conn->probe_is_out = taken == 1;
	return len == NGTCP2_ERR_STREAM_DATA_BLOCKED ? 0 : len;
}

static ngtcp2_ssize write_stream(struct writer *w, struct stream *s)
{
	ngtcp2_vec vecs[VECS_MAX];
	size_t n = stream_unsent(s, vecs, VECS_MAX);
	size_t offered = 0;
	for (size_t i = 0; i < n; i++)
		offered += vecs[i].len;
	bool is_rest = s->sent + offered == s->end;
	uint32_t flags = s->has_fin && is_rest ? NGTCP2_WRITE_STREAM_FLAG_FIN
					       : NGTCP2_WRITE_STREAM_FLAG_NONE;
	ngtcp2_ssize taken = -1;
	ngtcp2_ssize len =
		ngtcp2_conn_writev_stream(w->conn->ng, &w->ps.path, &w->pi, w->buf,
					  w->len, &taken, flags, s->id, vecs, n, w->now);
	if (taken >= 0)
		stream_on_sent(s, (size_t)taken);
	switch (len) {
	case NGTCP2_ERR_STREAM_DATA_BLOCKED:
		s->is_blocked = true;
		return 0;
	case NGTCP2_ERR_STREAM_SHUT_WR:
	case NGTCP2_ERR_STREAM_NOT_FOUND:
		stream_on_stop(s);
		return 0;
	default:
		return len;
	}
}

/* Returns the packet's length, 0 when no stream could be written, or a library error. */
static ngtcp2_ssize write_streams(struct writer *w, bool *ret_had_some)
{
	list_for_each (node, &w->conn->streams.list) {
		struct stream *s = container_of(node, struct stream, node);
		if (!stream_is_ready(s))
			continue;
		ngtcp2_ssize len = write_stream(w, s);
		*ret_had_some |= stream_is_ready(s);
		if (len != 0)
			return len;
	}
	return 0;
}

/* used: bytes of the packet that DATAGRAMs take, with this one. */
static int write_datagram(struct writer *w, struct queued *d, size_t used, uint32_t flags,
			  ngtcp2_ssize *ret_len)
{
	int accepted = 0;
	/* ngtcp2 0.12 takes an empty datagram only as no vector, not as an empty one. */
	ngtcp2_vec vec = { .base = d->data, .len = d->len };
	size_t vecs = d->len > 0 ? 1 : 0;
	uint64_t id =
		used > BLACKHOLE_BASE_LEN ? CONN_DATAGRAM_LARGE : CONN_DATAGRAM_SMALL;
	*ret_len = ngtcp2_conn_writev_datagram(w->conn->ng, &w->ps.path, &w->pi, w->buf,
					       w->len, &accepted, flags, id, &vec, vecs,
					       w->now);
	return accepted;
}

/* Fills one packet with DATAGRAMs from the queue, which is not empty. */
static ngtcp2_ssize write_datagrams(struct writer *w)
{
	struct quic_conn *conn = w->conn;
	size_t used = 0;
	struct queued *d;
	ngtcp2_ssize len = 0;
	while ((d = queue_front(&conn->queue))) {
		struct queued *next = queue_second(&conn->queue);
		used += d->len + DATAGRAM_FRAME_LEN;
		bool more = next && (next->goes_first || !w->is_ahead) &&
			    used + next->len <= conn->datagram_max;
		uint32_t flags = more ? NGTCP2_WRITE_DATAGRAM_FLAG_MORE
				      : NGTCP2_WRITE_DATAGRAM_FLAG_NONE;
		if (write_datagram(w, d, used, flags, &len)) {
			queue_pop(&conn->queue, d);
			conn->datagrams_tx++;
			if (!w->is_ahead)
				conn->pace.ahead = 0;
		}
		if (len != NGTCP2_ERR_WRITE_MORE)
			break;
	}
	return len;
}

/* The path may have shrunk since a datagram was queued; ngtcp2 would keep it for ever. */
static void drop_too_long(struct quic_conn *conn)
{
	struct queued *d;
	while ((d = queue_front(&conn->queue)) && d->len > conn->datagram_max) {
		queue_pop(&conn->queue, d);
		conn->drop_too_long++;
	}
}

static ngtcp2_ssize write_packet(struct writer *w)
{
	bool had_some = false;
	ngtcp2_ssize len = is_probe_due(w->conn) ? write_probe(w) : 0;
	if (len == 0)
		len = write_streams(w, &had_some);
	if (len != 0)
		return len;
	if (w->conn->queue.count > 0)
		drop_too_long(w->conn);
	if (w->conn->queue.count > 0)
		return write_datagrams(w);
	if (had_some)
		return 0;
	return ngtcp2_conn_write_pkt(w->conn->ng, &w->ps.path, &w->pi, w->buf, w->len,
				     w->now);
}

static void add_packet(struct writer *w, size_t len)
{
	compat_path_reveal(&w->ps.path);
	endpoint_tx_add(w->conn->endpoint, &w->ps.path, len, w->pi.ecn);
	w->conn->pace.unpaid += len;
}

static bool goes_ahead(const struct writer *w)
{
	const struct queued *front = queue_front(&w->conn->queue);
	return front && front->goes_first && w->conn->pace.ahead < PACE_AHEAD_LEN;
}

static ngtcp2_ssize write_packet_ahead(struct writer *w)
{
	ngtcp2_ssize len = is_probe_due(w->conn) ? write_probe(w) : 0;
	return len != 0 ? len : write_datagrams(w);
}

/* What goes first does not wait for the pacer. Returns as write_packets. */
static int write_ahead(struct writer *w)
{
	struct pace *pace = &w->conn->pace;
	ngtcp2_ssize n = 0;
	w->buf = endpoint_tx_room(w->conn->endpoint, w->len);
	if (!w->buf || !goes_ahead(w) || !pace_open(pace, w->conn->ng, w->now))
		return w->buf ? 0 : 1;
	w->is_ahead = true;
	while (w->buf && goes_ahead(w) && (n = write_packet_ahead(w)) > 0) {
		add_packet(w, (size_t)n);
		pace->ahead += (size_t)n;
		w->buf = endpoint_tx_room(w->conn->endpoint, w->len);
	}
	w->is_ahead = false;
	pace_tell(pace, w->conn->ng, w->now);
	return n < 0 ? (int)n : !w->buf;
}

/* Writes packets until there is no more (0), a bound is reached (1), or an error. */
static int write_packets(struct writer *w)
{
	struct pace *pace = &w->conn->pace;
	size_t written = 0;
	while (written < TURN_LEN) {
		w->buf = endpoint_tx_room(w->conn->endpoint, w->len);
		if (!w->buf)
			return 1;
		ngtcp2_ssize n = write_packet(w);
		if (n <= 0)
			return (int)n;
		add_packet(w, (size_t)n);
		written += (size_t)n;
		if (pace->unpaid >= pace_slice(pace, w->conn->ng))
			pace_tell(pace, w->conn->ng, w->now);
	}
	return 1;
}

static bool has_more(const struct quic_conn *conn)
{
	if (conn->queue.count > 0)
		return true;
	list_for_each (node, &conn->streams.list)
		if (stream_is_ready(container_of(node, struct stream, node)))
			return true;
	return false;
}

/*
 * True when nothing that is due soon can be more than an ACK (ngtcp2 1.x sends it apart even
 * if a packet has just left) or the loss of datagrams, which nobody sends again.
 */
static bool is_quiet(const struct quic_conn *conn)
{
	return conn->is_settled && conn->streams.waiting == 0;
}

/*
 * True when a lone packet is all there is to answer: something is due soon, which after a packet
 * is its ACK, and the timer that ends the wait has not fired yet.
 */
static bool may_wait(const struct quic_conn *conn)
{
	return is_quiet(conn) && conn->unanswered == 1 &&
	       conn->timer.deadline != WEFT_NEVER && !has_more(conn) &&
	       ngtcp2_conn_get_expiry(conn->ng) < conn->endpoint->now + ACK_DELAY_NS;
}

/* Probes for a larger MTU need room above what is known of the path, unless that is a trap. */
static size_t packet_room(const struct quic_conn *conn)
{
	return blackhole_is_open(&conn->blackhole, conn->endpoint->now)
		       ? BLACKHOLE_BASE_LEN
		       : conn->endpoint->opts.udp_payload_max;
}

int conn_write(struct quic_conn *conn)
{
	uint64_t patience = conn->endpoint->now + QUIET_PATIENCE_NS;
	if (may_wait(conn)) {
		if (!conn->owes_stream_ack)
			patience = conn->endpoint->now + ACK_PATIENCE_NS;
		if (patience < conn->timer.deadline)
			conn_set_deadline(conn, patience);
		return 0;
	}
	conn->unanswered = 0;
	conn->owes_stream_ack = false;
	struct writer w = {
		.conn = conn,
		.len = packet_room(conn),
		.now = conn->endpoint->now,
	};
	ngtcp2_path_storage_zero(&w.ps);
	queue_age(&conn->queue, w.now, conn->endpoint->turns);
	int r = write_ahead(&w);
	if (r == 0)
		r = write_packets(&w);
	if (r < 0)
		return r;
	compat_set_keep_alive(conn->ng, conn->endpoint->opts.keep_alive_ns);
	/*
	 * The pacer's deadline is of interest only to who has more to send; for others it
	 * would be a wake-up for nothing after each packet. So it is asked for before.
	 */
	uint64_t deadline = ngtcp2_conn_get_expiry(conn->ng);
	pace_tell(&conn->pace, conn->ng, w.now);
	if (has_more(conn))
		deadline = ngtcp2_conn_get_expiry(conn->ng);
	else if (is_quiet(conn) && deadline < patience)
		deadline = patience;
	conn_set_deadline(conn, deadline);
	return r;
}
