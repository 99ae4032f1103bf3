/* SPDX-License-Identifier: MIT */
/*
 * The order: first everything that the segment tells is put into the records, then it is decided
 * what that means (tcp_recovery.c). An ACK that is older than SND.UNA was overtaken; it moves
 * nothing, but its SACKs are still true.
 */
#include "stack/tcp_ack.h"

#include "base/time.h"
#include "stack/tcp.h"
#include "stack/tcp_life.h"
#include "stack/tcp_out.h"
#include "stack/tcp_rack.h"
#include "stack/tcp_recovery.h"
#include "stack/tcp_sent.h"
#include "stack/tcp_timer.h"
#include "stack/tcp_urgent.h"

/* ---- the window -------------------------------------------------------------------------- */

/*
 * SND.WL1 and SND.WL2 keep an old segment from taking back what a newer one has said. Returns
 * whether a window that was closed has opened.
 */
static bool update_window(struct tcp_conn *conn, const struct tcp_seg *seg)
{
	bool is_newer =
		seq_before(conn->snd_wl1, seg->seq) ||
		(conn->snd_wl1 == seg->seq && !seq_after(conn->snd_wl2, seg->ack));
	if (seq_before(seg->ack, conn->snd_una) || !is_newer)
		return false;
	bool was_closed = conn->snd_wnd == 0;
	conn->snd_wnd = seg->wnd;
	conn->snd_wl1 = seg->seq;
	conn->snd_wl2 = seg->ack;
	if (seg->wnd > conn->snd_wnd_max)
		conn->snd_wnd_max = seg->wnd;
	if (!was_closed || seg->wnd == 0)
		return false;
	tcp_due_clear(conn, TCP_DUE_PERSIST);
	conn->rto.backoff = 0;
	return true;
}

/* ---- SACK -------------------------------------------------------------------------------- */

/* RFC 2883, 4: a block below the ACK, or inside the block that follows it. */
static bool is_dsack(const struct tcp_seg *seg)
{
	const struct tcp_opts *opts = &seg->rx->opts;
	const struct tcp_sack *first = &opts->sacks[0], *second = &opts->sacks[1];
	if (opts->sacks_n == 0 || !seq_before(first->left, first->right))
		return false;
	if (!seq_after(first->right, seg->ack))
		return true;
	return opts->sacks_n > 1 && !seq_before(first->left, second->left) &&
	       !seq_after(first->right, second->right);
}

/* Blocks that lie, or are old, are passed over. */
static void take_sacks(struct tcp_conn *conn, const struct tcp_seg *seg,
		       struct tcp_delivery *d, uint64_t now)
{
	const struct tcp_opts *opts = &seg->rx->opts;
	d->dsack = is_dsack(seg);
	if (d->dsack)
		d->duplicate = opts->sacks[0];
	d->by_sack = true;
	for (size_t i = d->dsack ? 1 : 0; i < opts->sacks_n; i++) {
		uint32_t left = opts->sacks[i].left, right = opts->sacks[i].right;
		bool is_sane = seq_before(left, right) &&
			       seq_after(left, conn->snd_una) &&
			       !seq_after(right, conn->snd_nxt);
		if (is_sane)
			board_sack(conn, left, right, d, now);
	}
}

/* ---- the acknowledgment ------------------------------------------------------------------ */

/* The queue gives up what the peer has, and the user may have room again. */
static void drop_acked(struct tcp_conn *conn, uint32_t acked, bool was_syn)
{
	uint32_t bytes = acked - (was_syn ? 1u : 0u);
	if (bytes > conn->to_send.len)
		bytes = (uint32_t)conn->to_send.len; /* The rest is the FIN. */
	chain_drop(&conn->to_send, &conn->tcp->budget, bytes);
	if (bytes > 0)
		tcp_tell_room(conn);
}

static void sample_rtt(struct tcp_conn *conn, const struct tcp_delivery *d)
{
	const struct tcp_rto_limits *limits = &conn->tcp->rto_limits;
	uint64_t us = d->rtt_ns / NS_PER_US;
	if (d->rtt_ns != 0 && us < limits->max_us)
		rto_sample(&conn->rto, limits, (uint32_t)us);
}

/* RFC 5681, 2: what a receiver sends that has received something early, or twice. */
static bool is_duplicate(const struct tcp_conn *conn, const struct tcp_seg *seg,
			 uint32_t window_before)
{
	return seg->ack == conn->snd_una && seg->len == 0 &&
	       !(seg->flags & (TCP_SYN | TCP_FIN)) && seg->wnd == window_before;
}

static void on_progress(struct tcp_conn *conn, const struct tcp_delivery *d, bool was_syn,
			uint64_t now)
{
	const struct tcp *tcp = conn->tcp;
	drop_acked(conn, d->acked, was_syn);
	conn->rto.backoff = 0;
	conn->soft_error = 0;
	if (conn->snd_urgent)
		tcp_urgent_on_ack(conn);
	tcp_restart_retransmission(conn, now);
	tcp->ops->confirm(tcp->user, &conn->active->path, now);
}

void tcp_on_ack(struct tcp_conn *conn, const struct tcp_seg *seg, uint64_t now)
{
	struct tcp_delivery d = { 0 };
	uint32_t window_before = conn->snd_wnd;
	bool was_syn = conn->snd_una == conn->iss && board_first(conn) &&
		       board_first(conn)->start == conn->iss;
	bool is_dup = is_duplicate(conn, seg, window_before);
	if (conn->has_timestamps)
		d.ts_ecr = seg->rx->opts.ts_ecr;
	bool has_opened = update_window(conn, seg);
	if (seq_after(seg->ack, conn->snd_una))
		board_ack(conn, seg->ack, &d, now);
	if (conn->has_sack)
		take_sacks(conn, seg, &d, now);
	sample_rtt(conn, &d);
	if (d.acked > 0)
		on_progress(conn, &d, was_syn, now);
	if (has_opened)
		tcp_resend_refused(conn, now);
	recovery_on_ack(conn, &d, is_dup, now);
	if (conn->has_ecn && (seg->flags & TCP_ECE))
		recovery_on_mark(conn, d.acked, now);
	if (d.acked > 0 || d.sacked)
		tlp_schedule(conn, now);
}
