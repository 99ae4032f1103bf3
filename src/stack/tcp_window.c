/* SPDX-License-Identifier: MIT */
/*
 * Rounding: with window scaling the field counts units of 2^shift bytes. An edge between two
 * units is rounded down, unless that would take back what has been promised (RFC 7323, 2.4);
 * then up.
 */
#include "stack/tcp_window.h"

#include "base/time.h"
#include "stack/tcp.h"
#include "stack/tcp_emit.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

#define FIELD_MAX   65535u
#define RTT_MOST_MS 60000u /* More was an echo of something else. */

/*
 * Batches make time coarse: a window may come all at once, and only over many of them there is
 * such a thing as a rate.
 */
#define RTT_LEAST_US 500u
#define MEASURE_US   10000u

void tcp_window_init(struct tcp_conn *conn)
{
	conn->rcv_buffer = conn->tcp->config.receive_first;
	conn->rcv_wscale = tcp_wscale_for(conn->tcp->config.receive_max);
}

uint8_t tcp_wscale_for(uint32_t max)
{
	uint8_t shift = 0;
	while (shift < TCP_WSCALE_MAX && max >> shift > FIELD_MAX)
		shift++;
	return shift;
}

uint16_t tcp_mss_of_path(const struct ip_path *path, const struct tcp_flow *flow)
{
	uint32_t headers = (addr_is_ip4(&flow->remote) ? IP4_LEN : IP6_LEN) + TCP_LEN;
	uint32_t mtu = path->mtu < FIELD_MAX ? path->mtu : FIELD_MAX;
	return (uint16_t)(mtu - headers);
}

/* Bytes that could be offered from RCV.NXT on, if it were worth telling. */
static uint32_t room(const struct tcp_conn *conn)
{
	uint32_t unread = (uint32_t)conn->to_read.len;
	uint32_t most = FIELD_MAX << (conn->has_wscale ? conn->rcv_wscale : 0);
	uint32_t left = conn->rcv_buffer > unread ? conn->rcv_buffer - unread : 0;
	return left < most ? left : most;
}

/* The step of 3.8.6.2.2: min(half of the buffer, a segment). */
static uint32_t step(const struct tcp_conn *conn)
{
	uint32_t half = conn->rcv_buffer / 2;
	return half < conn->mss_gross ? half : conn->mss_gross;
}

uint16_t tcp_window_field(struct tcp_conn *conn)
{
	uint8_t shift = conn->has_wscale ? conn->rcv_wscale : 0;
	uint32_t offered = conn->rcv_edge - conn->rcv_nxt;
	uint32_t window = offered;
	if (room(conn) > offered && room(conn) - offered >= step(conn))
		window = room(conn);
	uint32_t field = window >> shift;
	if (field << shift < offered)
		field++;
	if (field > FIELD_MAX)
		field = FIELD_MAX;
	if (field << shift >= offered)
		conn->rcv_edge = conn->rcv_nxt + (field << shift);
	conn->want_window = false;
	return (uint16_t)field;
}

uint16_t tcp_window_of_syn(struct tcp_conn *conn)
{
	uint32_t window = room(conn) < FIELD_MAX ? room(conn) : FIELD_MAX;
	conn->rcv_edge = conn->rcv_nxt + window;
	return (uint16_t)window;
}

bool tcp_window_update_is_due(const struct tcp_conn *conn)
{
	uint32_t offered = conn->rcv_edge - conn->rcv_nxt;
	uint32_t now = room(conn);
	if (!conn->want_window || !tcp_state_may_receive(conn->state) || now <= offered)
		return false;
	/* Early enough for the peer not to run dry, and at once when it has. */
	return now - offered >= conn->rcv_buffer / 4 ||
	       (offered < step(conn) && now - offered >= step(conn));
}

/* ---- autotuning -------------------------------------------------------------------------- */

static void sample_rtt(struct tcp_tuning *t, uint64_t us)
{
	if (t->rtt_us == 0 || us < t->rtt_us)
		t->rtt_us = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

/*
 * The round trip of a peer without timestamps: a window is used up in one, at the least, so the
 * shortest time that one has taken is not far above it. But not if something was lost: what
 * fills a gap brings a window's worth in a moment.
 */
static void measure_round(struct tcp_conn *conn, uint64_t now)
{
	struct tcp_tuning *t = &conn->active->tuning;
	if (conn->reassembly)
		t->round_ns = 0;
	if (t->round_ns != 0 && seq_before(conn->rcv_nxt, t->round_seq))
		return;
	if (t->round_ns != 0)
		sample_rtt(t, (now - t->round_ns) / NS_PER_US + 1);
	t->round_ns = conn->reassembly ? 0 : now;
	t->round_seq = conn->rcv_edge;
}

/*
 * The receiver's round trip. Data echoes the timestamp of the last ACK that its sender has seen:
 * that is a round trip ago, or longer if there was nothing to send. It counts in milliseconds,
 * rounded up. The sender's estimate may be as old as the handshake, and counts only until there
 * is one of these.
 */
void tcp_window_on_data(struct tcp_conn *conn, const struct tcp_opts *opts, uint64_t now)
{
	uint32_t ms = tcp_timestamp(conn, now) - opts->ts_ecr;
	if (!conn->has_timestamps || opts->ts_ecr == 0)
		measure_round(conn, now);
	else if (ms < RTT_MOST_MS)
		sample_rtt(&conn->active->tuning, (ms + 1) * 1000ull);
}

/*
 * So much was read in a round trip, of what was sent in the one before, or earlier where something
 * was lost; and it takes another half until the sender knows of a wider window. One that doubles
 * what it sends each time is then at six times of what was read: twice, and eight times the half
 * that it has grown by.
 */
static void widen(struct tcp_conn *conn, uint32_t share)
{
	struct tcp_tuning *t = &conn->active->tuning;
	uint32_t more = share > t->most ? share - t->most : 0;
	uint64_t wanted = 2ull * share + 8ull * more + 16ull * conn->rcv_mss;
	t->most += more;
	if (wanted > conn->tcp->config.receive_max)
		wanted = conn->tcp->config.receive_max;
	if (wanted > conn->rcv_buffer)
		conn->rcv_buffer = (uint32_t)wanted;
}

void tcp_window_on_read(struct tcp_conn *conn, size_t n, uint64_t now)
{
	struct tcp_tuning *t = &conn->active->tuning;
	uint32_t rtt_us = t->rtt_us ? t->rtt_us : conn->rto.srtt_us;
	if (rtt_us != 0 && rtt_us < RTT_LEAST_US)
		rtt_us = RTT_LEAST_US;
	conn->want_window = true;
	t->copied += (uint32_t)n;
	uint64_t measured = rtt_us > MEASURE_US ? rtt_us : MEASURE_US;
	if (rtt_us == 0 || now - t->copied_ns < measured * NS_PER_US)
		return;
	/* Of what was read in more than one round trip, a round trip's share counts. */
	uint64_t share = (uint64_t)t->copied * rtt_us * NS_PER_US / (now - t->copied_ns);
	if (t->copied_ns)
		widen(conn, (uint32_t)share);
	t->copied = 0;
	t->copied_ns = now;
}
