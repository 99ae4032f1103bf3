/* SPDX-License-Identifier: MIT */
/*
 * Every segment leaves through transmit, which puts the options into bytes. What a segment of a
 * connection says about the other direction (ACK, window, SACK, timestamp) is filled in by
 * header_of, which is also where a waiting acknowledgment counts as sent.
 */
#include "stack/tcp_emit.h"

#include "stack/tcp.h"
#include "stack/tcp_timer.h"
#include "stack/tcp_urgent.h"
#include "stack/tcp_window.h"

#include <assert.h>

#define SLICES_MAX     32u
#define TIMESTAMPS_LEN 12u /* With its two NOPs. */

static void transmit(struct tcp *tcp, struct tcp_tx *tx, const struct tcp_opts *opts,
		     uint64_t now)
{
	uint8_t bytes[TCP_OPTIONS_MAX];
	int len = tcp_opts_emit(bytes, opts);
	assert(len >= 0);
	tx->hdr.options = bytes;
	tx->hdr.options_len = (uint8_t)len;
	tx->hdr.sport = tx->flow->lport;
	tx->hdr.dport = tx->flow->rport;
	tcp->ops->emit(tcp->user, tx, now);
}

/* ---- what a segment says of the other direction ------------------------------------------ */

/* How many blocks there are room for beside the timestamps, and something to tell of in. */
static size_t sacks_n(const struct tcp_conn *conn)
{
	size_t max = conn->has_timestamps ? TCP_SACKS_MAX - 1 : TCP_SACKS_MAX, n = 0;
	if (!conn->has_sack)
		return 0;
	if (conn->dsack.left != conn->dsack.right)
		n++;
	if (conn->reassembly)
		n += conn->reassembly->count;
	return n < max ? n : max;
}

/* A duplicate first (RFC 2883, 4), then what is early. */
static void fill_sacks(const struct tcp_conn *conn, struct tcp_opts *opts)
{
	size_t n = 0;
	if (conn->dsack.left != conn->dsack.right)
		opts->sacks[n++] = conn->dsack;
	if (conn->reassembly)
		n += early_sacks(conn->reassembly, opts->sacks + n, opts->sacks_n - n);
	opts->sacks_n = (uint8_t)n;
}

uint32_t tcp_mss_now(const struct tcp_conn *conn)
{
	uint32_t n = (uint32_t)sacks_n(conn);
	uint32_t options = conn->has_timestamps ? TIMESTAMPS_LEN : 0;
	if (n > 0)
		options += 4u + 8u * n;
	return conn->mss_gross - options;
}

static struct tcp_opts options_of(struct tcp_conn *conn, uint64_t now)
{
	struct tcp_opts opts = { 0 };
	if (conn->has_timestamps) {
		opts.has_timestamps = true;
		opts.ts_val = tcp_timestamp(conn, now);
		opts.ts_ecr = conn->ts_recent;
	}
	opts.sacks_n = (uint8_t)sacks_n(conn);
	if (opts.sacks_n > 0)
		fill_sacks(conn, &opts);
	return opts;
}

/* The header of a segment that acknowledges. What waited to be acknowledged has been now. */
static struct tcp_hdr header_of(struct tcp_conn *conn, uint32_t seq, uint16_t flags)
{
	conn->want_ack = false;
	conn->want_ack_late = false;
	conn->rcv_acked = conn->rcv_nxt;
	tcp_due_clear(conn, TCP_DUE_ACK);
	return (struct tcp_hdr){
		.seq = seq,
		.ack = conn->rcv_nxt,
		.flags = (uint16_t)(flags | TCP_ACK),
		.window = tcp_window_field(conn),
	};
}

/* What few segments say. */
static void mark(const struct tcp_conn *conn, struct tcp_hdr *hdr)
{
	if (conn->ece)
		hdr->flags |= TCP_ECE;
	if (conn->snd_urgent)
		tcp_mark_urgent(conn, hdr);
}

static void send_segment(struct tcp_conn *conn, struct tcp_tx *tx, uint64_t now)
{
	struct tcp_opts opts = options_of(conn, now);
	if (conn->ece || conn->snd_urgent)
		mark(conn, &tx->hdr);
	conn->dsack = (struct tcp_sack){ 0 };
	tx->flow = &conn->node.flow;
	tx->path = &conn->active->path;
	tx->tos |= conn->tos;
	tx->ttl = conn->ttl;
	transmit(conn->tcp, tx, &opts, now);
}

/* ---- segments of a connection ------------------------------------------------------------ */

bool tcp_asks_ecn(const struct tcp_conn *conn)
{
	return conn->tcp->config.ecn && conn->rto.backoff == 0;
}

void tcp_emit_syn(struct tcp_conn *conn, uint64_t now)
{
	const struct tcp_config *config = &conn->tcp->config;
	bool is_answer = conn->state == TCP_SYN_RECEIVED;
	struct tcp_opts opts = {
		.has_mss = true,
		.mss = tcp_mss_of_path(&conn->active->path, &conn->node.flow),
		.has_wscale = is_answer ? conn->has_wscale : !config->no_wscale,
		.wscale = conn->rcv_wscale,
		.sack_permitted = is_answer ? conn->has_sack : !config->no_sack,
		.has_timestamps =
			is_answer ? conn->has_timestamps : !config->no_timestamps,
		.ts_val = tcp_timestamp(conn, now),
		.ts_ecr = is_answer ? conn->ts_recent : 0,
	};
	uint16_t ecn = is_answer            ? (conn->has_ecn ? TCP_ECE : 0)
		       : tcp_asks_ecn(conn) ? TCP_ECE | TCP_CWR
					    : 0;
	struct tcp_tx tx = {
		.flow = &conn->node.flow,
		.path = &conn->active->path,
		.hdr = { .seq = conn->iss,
			 .ack = is_answer ? conn->rcv_nxt : 0,
			 .flags = (uint16_t)(TCP_SYN | (is_answer ? TCP_ACK : 0) | ecn),
			 .window = tcp_window_of_syn(conn) },
		.tos = conn->tos,
		.ttl = conn->ttl,
	};
	conn->want_ack = false;
	transmit(conn->tcp, &tx, &opts, now);
}

/* Where the sequence number is in the send queue. */
static uint32_t queue_offset(const struct tcp_conn *conn, uint32_t seq)
{
	return seq - conn->snd_una;
}

/*
 * The pointer counts from each segment's own number, and who cuts a super-segment copies it: while
 * there is one to be sent, there are none.
 */
void tcp_emit_range(struct tcp_conn *conn, const struct tcp_range *range, uint64_t now)
{
	struct ip_slice slices[SLICES_MAX];
	uint32_t queue_end = conn->snd_una + (uint32_t)conn->to_send.len;
	bool has_fin = seq_after(range->end, queue_end);
	uint32_t start = range->start, data_end = has_fin ? queue_end : range->end;
	uint32_t mss = tcp_mss_now(conn);
	do {
		size_t len = 0;
		uint32_t left = data_end - start;
		if (conn->snd_urgent && left > mss)
			left = mss;
		size_t n = chain_slices(&conn->to_send, queue_offset(conn, start), left,
					slices, SLICES_MAX, &len);
		bool is_last = start + (uint32_t)len == data_end;
		uint16_t flags = start == range->start ? range->flags : 0;
		if (is_last && has_fin)
			flags |= TCP_FIN;
		if (is_last && len > 0 && data_end == queue_end)
			flags |= TCP_PSH;
		struct tcp_tx tx = {
			.flow = &conn->node.flow,
			.path = &conn->active->path,
			.hdr = header_of(conn, start, flags),
			.tos = range->is_ect ? IP_ECN_ECT0 : 0,
			.slices = slices,
			.slices_n = n,
			.len = len,
			.gso_size = len > mss ? (uint16_t)mss : 0,
		};
		start += (uint32_t)len;
		send_segment(conn, &tx, now);
	} while (start != data_end);
}

void tcp_emit_ack(struct tcp_conn *conn, uint64_t now)
{
	struct tcp_tx tx = { .hdr = header_of(conn, conn->snd_nxt, 0) };
	send_segment(conn, &tx, now);
}

void tcp_emit_keepalive(struct tcp_conn *conn, uint64_t now)
{
	struct tcp_tx tx = { .hdr = header_of(conn, conn->snd_una - 1, 0) };
	send_segment(conn, &tx, now);
}

void tcp_emit_reset(struct tcp_conn *conn, uint64_t now)
{
	bool acks = conn->state != TCP_SYN_SENT;
	struct tcp_tx tx = {
		.flow = &conn->node.flow,
		.path = &conn->active->path,
		.hdr = { .seq = conn->snd_nxt,
			 .ack = acks ? conn->rcv_nxt : 0,
			 .flags = (uint16_t)(TCP_RST | (acks ? TCP_ACK : 0)) },
		.tos = conn->tos,
		.ttl = conn->ttl,
	};
	tcp_count(conn->tcp, TCP_COUNT_RESETS_SENT);
	transmit(conn->tcp, &tx, &(struct tcp_opts){ 0 }, now);
}

/* ---- segments of none -------------------------------------------------------------------- */

void tcp_emit_bare(struct tcp *tcp, const struct tcp_bare *bare, uint64_t now)
{
	static const struct tcp_opts none;
	struct tcp_tx tx = {
		.flow = bare->flow,
		.hdr = { .seq = bare->seq,
			 .ack = bare->ack,
			 .flags = bare->flags,
			 .window = bare->window },
		.tos = bare->tos,
		.ttl = bare->ttl,
	};
	transmit(tcp, &tx, bare->opts ? bare->opts : &none, now);
}

void tcp_emit_refusal(struct tcp *tcp, const struct tcp_rx *rx, uint8_t tos, uint8_t ttl,
		      uint64_t now)
{
	const struct tcp_hdr *hdr = &rx->hdr;
	struct tcp_bare bare = {
		.flow = &rx->flow,
		.flags = TCP_RST,
		.tos = tos,
		.ttl = ttl,
	};
	if (hdr->flags & TCP_ACK) {
		bare.seq = hdr->ack;
	} else {
		uint32_t len = (uint32_t)rx->len + !!(hdr->flags & TCP_SYN) +
			       !!(hdr->flags & TCP_FIN);
		bare.ack = hdr->seq + len;
		bare.flags |= TCP_ACK;
	}
	tcp_count(tcp, TCP_COUNT_RESETS_SENT);
	tcp_emit_bare(tcp, &bare, now);
}
