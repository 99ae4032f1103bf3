/* SPDX-License-Identifier: MIT */
/*
 * What the RFC calls "third, check security" has no counterpart: there are no security
 * compartments. Its sixth step, the urgent pointer, is the beginning of the seventh.
 */
#include "stack/tcp_in.h"

#include "base/array.h"
#include "stack/tcp.h"
#include "stack/tcp_ack.h"
#include "stack/tcp_data.h"
#include "stack/tcp_emit.h"
#include "stack/tcp_life.h"
#include "stack/tcp_listen.h"
#include "stack/tcp_options.h"
#include "stack/tcp_out.h"
#include "stack/tcp_recovery.h"
#include "stack/tcp_sent.h"
#include "stack/tcp_timewait.h"

#include <errno.h>

/*
 * Answers what may be an attack with an ACK that says where this side stands (RFC 5961), so
 * that a peer that means it can correct itself; rarely (tcp_may_challenge).
 */
static enum tcp_outcome challenge(struct tcp_conn *conn, enum tcp_outcome outcome,
				  uint64_t now)
{
	if (!tcp_may_challenge(conn->tcp, &conn->challenge_ns, now))
		return TCP_DROP_LIMITED;
	tcp_emit_ack(conn, now);
	return outcome;
}

/* ---- first: the sequence number ---------------------------------------------------------- */

/* RFC 7323, 5.3 R1. A reset counts whatever its timestamp. */
static bool is_old(const struct tcp_conn *conn, const struct tcp_seg *seg, uint64_t now)
{
	return conn->has_timestamps && seg->rx->opts.has_timestamps &&
	       !(seg->flags & TCP_RST) &&
	       tcp_is_old_timestamp(conn, seg->rx->opts.ts_val, now);
}

/*
 * The table of 3.4 (four cases of SEG.LEN and RCV.WND), with two allowances. A segment without
 * data may stand at the right edge: it is the ACK of a peer that has filled the window, or its
 * FIN, for which there is always room. A segment may cover the whole window and more:
 * super-segments do.
 */
static bool is_acceptable(const struct tcp_conn *conn, const struct tcp_seg *seg)
{
	if (seg->len == 0 && !(seg->flags & TCP_SYN))
		return seq_within(seg->seq, conn->rcv_nxt, conn->rcv_edge);
	return seq_after(seg_end(seg), conn->rcv_nxt) &&
	       seq_before(seg->seq, conn->rcv_edge);
}

/* A segment that was received before is reported as such (RFC 2883). */
static void note_duplicate(struct tcp_conn *conn, const struct tcp_seg *seg)
{
	if (seg->len == 0 || !seq_before(seg->seq, conn->rcv_nxt))
		return;
	uint32_t end = seq_min(seg->seq + seg->len, conn->rcv_nxt);
	conn->dsack = (struct tcp_sack){ .left = seg->seq, .right = end };
}

/* An ACK says where this side stands. Empty segments could make two hosts do so for ever. */
static enum tcp_outcome refuse(struct tcp_conn *conn, const struct tcp_seg *seg,
			       enum tcp_outcome outcome, uint64_t now)
{
	if (seg->flags & TCP_RST)
		return TCP_DROP_RESET;
	if (seg->flags & TCP_SYN)
		return challenge(conn, TCP_CHALLENGED_SYN, now);
	note_duplicate(conn, seg);
	if (seg->len == 0 && !(seg->flags & TCP_FIN))
		return challenge(conn, outcome, now);
	conn->want_ack = true;
	return outcome;
}

/* What the SYN says of ECN has been heard, and is no mark (RFC 3168, 6.1.1). */
static void strip_syn(struct tcp_seg *seg)
{
	seg->seq++;
	seg->flags &= (uint16_t) ~(TCP_SYN | TCP_ECE | TCP_CWR);
}

/*
 * When SYNs have crossed, the peer's SYN,ACK repeats the SYN that is known (3.5, figure 8,
 * line 6): what is new is the ACK.
 */
static void strip_known_syn(struct tcp_conn *conn, struct tcp_seg *seg)
{
	bool is_known = conn->state == TCP_SYN_RECEIVED && (seg->flags & TCP_SYN) &&
			seg->seq == conn->irs;
	if (!is_known)
		return;
	if ((seg->flags & (TCP_ECE | TCP_CWR)) != TCP_ECE)
		conn->has_ecn = false;
	strip_syn(seg);
	conn->want_ack = true;
}

static enum tcp_outcome check_sequence(struct tcp_conn *conn, struct tcp_seg *seg,
				       uint64_t now)
{
	strip_known_syn(conn, seg);
	if (conn->has_timestamps && !seg->rx->opts.has_timestamps &&
	    !(seg->flags & TCP_RST))
		return TCP_DROP_NO_TIMESTAMP;
	if (is_old(conn, seg, now))
		return refuse(conn, seg, TCP_REFUSED_PAWS, now);
	if (conn->rcv_edge == conn->rcv_nxt && seg->seq == conn->rcv_nxt &&
	    seg->len > 0) {
		/* A window probe: its data does not fit, its ACK counts (3.4). */
		seg->len = 0;
		seg->flags &= (uint16_t)~TCP_FIN;
		conn->want_ack = true;
	}
	if (!is_acceptable(conn, seg))
		return refuse(conn, seg, TCP_REFUSED_WINDOW, now);
	return TCP_GO_ON;
}

/* ---- second: RST ------------------------------------------------------------------------- */

static enum tcp_outcome check_reset(struct tcp_conn *conn, struct tcp_seg *seg,
				    uint64_t now)
{
	if (!(seg->flags & TCP_RST))
		return TCP_GO_ON;
	if (seg->seq != conn->rcv_nxt)
		return challenge(conn, TCP_CHALLENGED_RESET, now);
	bool is_refusal = conn->state == TCP_SYN_RECEIVED;
	bool is_over = conn->state == TCP_CLOSING || conn->state == TCP_LAST_ACK;
	tcp_end(conn, is_over ? 0 : is_refusal ? -ECONNREFUSED : -ECONNRESET);
	return TCP_TOOK_RESET;
}

/* ---- fourth: SYN ------------------------------------------------------------------------- */

static enum tcp_outcome check_syn(struct tcp_conn *conn, struct tcp_seg *seg,
				  uint64_t now)
{
	if (!(seg->flags & TCP_SYN))
		return TCP_GO_ON;
	return challenge(conn, TCP_CHALLENGED_SYN, now);
}

/* ---- fifth: ACK -------------------------------------------------------------------------- */

static enum tcp_outcome check_ack(struct tcp_conn *conn, struct tcp_seg *seg,
				  uint64_t now)
{
	if (!(seg->flags & TCP_ACK))
		return TCP_DROP_NO_FLAG;
	if (conn->state == TCP_SYN_RECEIVED) {
		if (seg->ack == conn->iss + 1)
			return TCP_GO_ON;
		tcp_emit_refusal(conn->tcp, seg->rx, conn->tos, conn->ttl, now);
		return TCP_REFUSED_ACK;
	}
	/* RFC 5961, 5.2: who does not know how far we are is not the peer. */
	if (!seq_within(seg->ack, conn->snd_una - conn->snd_wnd_max, conn->snd_nxt))
		return challenge(conn, TCP_CHALLENGED_ACK, now);
	return TCP_GO_ON;
}

/* The peer is there (RFC 9293, 3.8.4 and 3.8.6.1). */
static void hear(struct tcp_conn *conn, uint64_t now)
{
	conn->heard_ns = now;
	conn->keep_probes = 0;
}

/*
 * All that is believed of a segment, whatever it brings: that the peer is there, and what time it
 * has, if the next ACK is about this segment (RFC 7323, 4.3). Not before all checks: somebody blind
 * could keep a dead connection, or make all that the peer sends too old.
 */
static enum tcp_outcome hear_peer(struct tcp_conn *conn, struct tcp_seg *seg,
				  uint64_t now)
{
	hear(conn, now);
	if (conn->has_timestamps && !seq_after(seg->seq, conn->rcv_acked))
		tcp_note_timestamp(conn, seg->rx->opts.ts_val, now);
	return TCP_GO_ON;
}

/*
 * A SYN that was sent again may only have been late, so the first time-out is too short (RFC 6298,
 * 5.7). Two say that the network is full (RFC 6928, 2).
 */
static void begin_sending(struct tcp_conn *conn)
{
	const unsigned again = conn->rto.backoff;
	conn->cc.cwnd = again > 1 ? conn->cc.mss : cc_initial_window(conn->cc.mss);
	if (again > 0)
		conn->rto.rto_us = TCP_RTO_SYN_LOST_US;
}

static void establish(struct tcp_conn *conn, const struct tcp_seg *seg)
{
	tcp_set_state(conn, TCP_ESTABLISHED);
	if (conn->fin_asked)
		tcp_set_state(conn, TCP_FIN_WAIT_1); /* The FIN was queued (3.10.4). */
	conn->snd_wnd = conn->snd_wnd_max = seg->wnd;
	conn->snd_wl1 = seg->seq;
	conn->snd_wl2 = seg->ack;
	begin_sending(conn);
	recovery_init(conn); /* What became of the SYN says nothing of what follows. */
	if (conn->listener)
		tcp_listener_ready(conn);
	else
		tcp_tell(conn, TCP_TELL_CONNECTED);
}

/* What our FIN's acknowledgment leads to. */
static void on_fin_acked(struct tcp_conn *conn, uint64_t now)
{
	switch (conn->state) {
	case TCP_FIN_WAIT_1:
		tcp_set_state(conn, TCP_FIN_WAIT_2);
		break;
	case TCP_CLOSING:
		tcp_enter_time_wait(conn, now);
		break;
	case TCP_LAST_ACK:
		tcp_end(conn, 0);
		break;
	default:
		break;
	}
}

static enum tcp_outcome take_ack(struct tcp_conn *conn, struct tcp_seg *seg, uint64_t now)
{
	if (conn->state == TCP_SYN_RECEIVED)
		establish(conn, seg);
	tcp_on_ack(conn, seg, now);
	if (conn->fin_sent && conn->snd_una == conn->snd_nxt)
		on_fin_acked(conn, now);
	return conn->is_dead ? TCP_TOOK_ACK : TCP_GO_ON;
}

/* ---- SYN-SENT ---------------------------------------------------------------------------- */

static void note_peer_syn(struct tcp_conn *conn, const struct tcp_seg *seg, uint64_t now)
{
	const uint16_t flags = seg->flags & (TCP_ECE | TCP_CWR);
	const uint16_t agrees = seg->flags & TCP_ACK ? TCP_ECE : TCP_ECE | TCP_CWR;
	conn->irs = seg->seq;
	conn->rcv_nxt = conn->rcv_acked = seg->seq + 1;
	conn->rcv_edge += conn->rcv_nxt; /* It was the window's length so far. */
	hear(conn, now);
	tcp_agree(conn, &seg->rx->opts, now);
	conn->has_ecn = tcp_asks_ecn(conn) && flags == agrees;
}

/* 3.10.7.3, from "first check the ACK bit" to "fourth, check the SYN bit". */
static enum tcp_outcome syn_sent_input(struct tcp_conn *conn, struct tcp_seg *seg,
				       uint64_t now)
{
	bool has_ack = seg->flags & TCP_ACK;
	bool is_ours = has_ack && seg->ack == conn->iss + 1;
	if (has_ack && !is_ours) {
		if (seg->flags & TCP_RST)
			return TCP_DROP_RESET;
		tcp_emit_refusal(conn->tcp, seg->rx, conn->tos, conn->ttl, now);
		return TCP_REFUSED_ACK;
	}
	if (seg->flags & TCP_RST) {
		if (!is_ours)
			return TCP_DROP_RESET;
		tcp_end(conn, -ECONNREFUSED);
		return TCP_TOOK_RESET;
	}
	if (!(seg->flags & TCP_SYN))
		return TCP_DROP_NO_FLAG;
	note_peer_syn(conn, seg, now);
	if (!is_ours) {
		/* Both have opened at once (3.5, figure 8). */
		tcp_set_state(conn, TCP_SYN_RECEIVED);
		tcp_resend(conn, board_first(conn), now);
		return TCP_TOOK_SYN;
	}
	strip_syn(seg);
	establish(conn, seg);
	tcp_on_ack(conn, seg, now);
	conn->want_ack = true;
	return TCP_GO_ON;
}

void tcp_begin_passive(struct tcp_conn *conn, uint32_t irs, const struct tcp_opts *opts,
		       uint64_t now)
{
	tcp_set_state(conn, TCP_SYN_RECEIVED);
	conn->irs = irs;
	conn->rcv_nxt = conn->rcv_acked = irs + 1;
	tcp_agree(conn, opts, now);
}

/* ---- all steps --------------------------------------------------------------------------- */

typedef enum tcp_outcome step(struct tcp_conn *conn, struct tcp_seg *seg, uint64_t now);

static enum tcp_outcome run(struct tcp_conn *conn, struct tcp_seg *seg, uint64_t now,
			    step *const *steps, size_t n)
{
	enum tcp_outcome outcome = TCP_GO_ON;
	for (size_t i = 0; i < n && outcome == TCP_GO_ON; i++)
		outcome = steps[i](conn, seg, now);
	return outcome == TCP_GO_ON ? TCP_TOOK_ACK : outcome;
}

enum tcp_outcome tcp_conn_input(struct tcp_conn *conn, const struct tcp_rx *rx,
				uint64_t now)
{
	static step *const opening[] = { syn_sent_input, tcp_take_text, tcp_take_fin };
	static step *const open[] = { check_sequence, check_reset, check_syn,
				      check_ack,      hear_peer,   take_ack,
				      tcp_take_text,  tcp_take_fin };
	bool is_scaled = !(rx->hdr.flags & TCP_SYN);
	struct tcp_seg seg = {
		.seq = rx->hdr.seq,
		.ack = rx->hdr.ack,
		.wnd = (uint32_t)rx->hdr.window << (is_scaled ? conn->snd_wscale : 0),
		.len = (uint32_t)rx->len,
		.data = rx->payload,
		.flags = rx->hdr.flags,
		.rx = rx,
	};
	if (!tcp_wake(conn, now))
		return TCP_DROP_MEMORY;
	tcp_touch(conn);
	if (conn->state == TCP_SYN_SENT)
		return run(conn, &seg, now, opening, ARRAY_LEN(opening));
	return run(conn, &seg, now, open, ARRAY_LEN(open));
}
