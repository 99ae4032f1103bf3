/* SPDX-License-Identifier: MIT */
/*
 * Lost segments go first, then new ones. Both leave as super-segments of up to 64 KiB, which
 * the link, or the code in front of it, cuts: so a connection's work per byte is small. How
 * long one may be is also bounded by pacing: about a millisecond's worth.
 */
#include "stack/tcp_out.h"

#include "base/time.h"
#include "stack/tcp.h"
#include "stack/tcp_emit.h"
#include "stack/tcp_options.h"
#include "stack/tcp_rack.h"
#include "stack/tcp_recovery.h"
#include "stack/tcp_timer.h"
#include "stack/tcp_window.h"

#include <assert.h>

#define SUPER_MAX  64000u /* Bytes of data: with all headers below 65,536. */
#define PACE_AHEAD NS_PER_MS
#define PACE_LEAST 2u /* Segments: a super-segment is not made smaller than this. */

/* ---- what waits -------------------------------------------------------------------------- */

static uint32_t unsent_data(const struct tcp_conn *conn)
{
	uint32_t sent = conn->snd_nxt - conn->snd_una - (conn->fin_sent ? 1u : 0u);
	if (!tcp_state_may_send(conn->state) || conn->fin_sent)
		return 0;
	return (uint32_t)conn->to_send.len - sent;
}

static bool has_unsent_fin(const struct tcp_conn *conn)
{
	return conn->fin_asked && !conn->fin_sent && tcp_state_may_send(conn->state);
}

bool tcp_has_unsent(const struct tcp_conn *conn)
{
	return unsent_data(conn) > 0 || has_unsent_fin(conn);
}

/* ---- what may leave ---------------------------------------------------------------------- */

/* The usable window, U of 3.8.6.2.1. */
static uint32_t usable_window(const struct tcp_conn *conn)
{
	int32_t left = seq_diff(conn->snd_una + conn->snd_wnd, conn->snd_nxt);
	return left > 0 ? (uint32_t)left : 0;
}

static uint32_t usable_cwnd(const struct tcp_conn *conn)
{
	uint32_t in_flight = board_in_flight(conn);
	return conn->cc.cwnd > in_flight ? conn->cc.cwnd - in_flight : 0;
}

/* Bytes per second at which the connection is paced: somewhat more than cwnd per round trip. */
static uint64_t pacing_rate(const struct tcp_conn *conn)
{
	assert(conn->rto.srtt_us > 0);
	uint64_t percent = cc_is_slow_start(&conn->cc) ? 200 : 120;
	return (uint64_t)conn->cc.cwnd * percent * 10000 / conn->rto.srtt_us;
}

bool tcp_is_paced(const struct tcp_conn *conn)
{
	return !conn->tcp->config.no_pacing && conn->rto.srtt_us != 0;
}

/* Whether something may leave now; if not, it is tried again in time. */
static bool is_its_turn(struct tcp_conn *conn, uint64_t now)
{
	if (!tcp_is_paced(conn) || conn->active->pace_ns <= now + PACE_AHEAD)
		return true;
	tcp_due_set(conn, TCP_DUE_PACE, conn->active->pace_ns - PACE_AHEAD);
	return false;
}

static void pace(struct tcp_conn *conn, uint32_t bytes, uint64_t now)
{
	if (!tcp_is_paced(conn))
		return;
	uint64_t rate = pacing_rate(conn);
	if (conn->active->pace_ns < now)
		conn->active->pace_ns = now;
	conn->active->pace_ns += rate > 0 ? (uint64_t)bytes * NS_PER_S / rate : 0;
}

/* The longest super-segment, a multiple of mss. */
static uint32_t super_max(const struct tcp_conn *conn, uint32_t mss)
{
	uint64_t most = SUPER_MAX;
	assert(mss > 0);
	if (tcp_is_paced(conn)) {
		uint64_t per_ms = pacing_rate(conn) / 1000;
		uint64_t least = (uint64_t)PACE_LEAST * mss;
		most = per_ms < least ? least : per_ms < most ? per_ms : most;
	}
	return most > mss ? (uint32_t)(most - most % mss) : mss;
}

/*
 * 3.8.6.2.1, for less than a segment: D bytes wait, and len is min(D, U). All that the user has
 * written counts as pushed; with a cork, only what waited when NODELAY was set.
 */
static bool small_may_leave(const struct tcp_conn *conn, uint32_t len, uint32_t unsent)
{
	bool is_last = len == unsent;
	if (is_last && (conn->fin_asked || conn->snd_urgent))
		return true;
	if (conn->cork && !conn->pushed)
		return false;
	bool nothing_waits = conn->snd_nxt == conn->snd_una || conn->nodelay;
	if (nothing_waits && is_last)
		return true;
	return nothing_waits && len >= conn->snd_wnd_max / 2;
}

/* How much new data may leave as one super-segment; 0 for none. */
static uint32_t choose_length(struct tcp_conn *conn, uint32_t mss)
{
	uint32_t unsent = unsent_data(conn);
	uint32_t window = usable_window(conn), cwnd = usable_cwnd(conn);
	uint32_t len = unsent < window ? unsent : window;
	assert(mss > 0);
	if (len == 0)
		return 0;
	if (cwnd < len && cwnd < mss) {
		conn->cwnd_limited = true;
		return 0;
	}
	if (cwnd < len) {
		conn->cwnd_limited = true;
		len = cwnd;
	}
	if (len >= mss) {
		uint32_t max = super_max(conn, mss);
		return len < max ? len - len % mss : max;
	}
	return small_may_leave(conn, len, unsent) ? len : 0;
}

/* ---- sending ----------------------------------------------------------------------------- */

/*
 * Sends [SND.NXT, end) as new. Returns false where there is no record for it. Nobody notices the
 * loss of a window probe: it is neither to be marked nor to carry CWR (RFC 3168, 6.1.6).
 */
static bool send_new(struct tcp_conn *conn, uint32_t end, bool is_probe, uint64_t now)
{
	const struct tcp_range range = {
		.start = conn->snd_nxt,
		.end = end,
		.flags = conn->cwr && !is_probe ? TCP_CWR : 0,
		.is_ect = conn->has_ecn && !is_probe,
	};
	uint32_t len = end - conn->snd_nxt;
	if (board_push(conn, end, now) < 0)
		return false;
	conn->cwr = conn->cwr && is_probe;
	conn->fin_sent =
		conn->fin_asked && end - conn->snd_una > (uint32_t)conn->to_send.len;
	tcp_emit_range(conn, &range, now);
	conn->active->sent_ns = now;
	recovery_on_sent(conn, len, false, now);
	pace(conn, len, now);
	tlp_schedule(conn, now);
	/* In slow start a window that is half full counts as full (RFC 7661, 4.3). */
	if (cc_is_slow_start(&conn->cc) && 2 * board_in_flight(conn) >= conn->cc.cwnd)
		conn->cwnd_limited = true;
	return true;
}

static bool send_next(struct tcp_conn *conn, uint64_t now)
{
	if (!tcp_has_unsent(conn))
		return false;
	uint32_t mss = tcp_mss_now(conn);
	uint32_t len = choose_length(conn, mss);
	bool with_fin = has_unsent_fin(conn) && len == unsent_data(conn) &&
			len < usable_window(conn);
	if (len == 0 && !with_fin)
		return false;
	return is_its_turn(conn, now) &&
	       send_new(conn, conn->snd_nxt + len + (with_fin ? 1u : 0u), false, now);
}

bool tcp_send_one(struct tcp_conn *conn, uint64_t now)
{
	uint32_t unsent = unsent_data(conn), window = usable_window(conn);
	uint32_t len = unsent < window ? unsent : window, mss = tcp_mss_now(conn);
	if (len == 0)
		return false;
	return send_new(conn, conn->snd_nxt + (len < mss ? len : mss), false, now);
}

void tcp_resend(struct tcp_conn *conn, struct tcp_sent *sent, uint64_t now)
{
	/* Not to be marked, and without CWR: RFC 3168, 6.1.5. */
	const struct tcp_range range = { .start = sent->start, .end = sent->end };
	bool is_syn = sent->start == conn->iss && !tcp_state_is_synchronized(conn->state);
	board_resent(conn, sent, now);
	conn->active->sent_ns = now;
	recovery_on_sent(conn, sent_len(sent), true, now);
	if (is_syn)
		tcp_emit_syn(conn, now);
	else
		tcp_emit_range(conn, &range, now);
}

/* Sends the first of what is lost again, as far as cwnd allows. */
static bool resend_next(struct tcp_conn *conn, uint64_t now)
{
	struct tcp_sent *sent = board_first_lost(conn);
	if (!sent || !is_its_turn(conn, now))
		return false;
	uint32_t mss = tcp_mss_now(conn), cwnd = usable_cwnd(conn);
	assert(mss > 0);
	uint32_t most = super_max(conn, mss);
	if (cwnd < sent_len(sent))
		conn->cwnd_limited = true;
	if (cwnd < most)
		most = cwnd >= mss ? cwnd - cwnd % mss : cwnd;
	if (sent_len(sent) > most &&
	    (most < mss || board_split(conn, sent, sent->start + most) < 0))
		return false;
	uint32_t len = sent_len(sent);
	tcp_resend(conn, sent, now);
	pace(conn, len, now);
	if (sent == board_first(conn))
		tcp_postpone_retransmission(conn, now);
	return true;
}

void tcp_probe_window(struct tcp_conn *conn, uint64_t now)
{
	struct tcp_sent *first = board_first(conn);
	uint32_t window = usable_window(conn);
	if (!first && tcp_has_unsent(conn)) {
		uint32_t unsent = unsent_data(conn) > 0 ? unsent_data(conn) : 1;
		uint32_t most = tcp_mss_now(conn);
		uint32_t len = window > 0 ? window : 1;
		len = len < most ? len : most;
		len = len < unsent ? len : unsent;
		(void)send_new(conn, conn->snd_nxt + len, true, now);
	} else if (first) {
		if (sent_len(first) > 1 && board_split(conn, first, first->start + 1) < 0)
			return;
		tcp_resend(conn, first, now);
	}
}

void tcp_resend_refused(struct tcp_conn *conn, uint64_t now)
{
	struct tcp_sent *first = board_first(conn);
	uint32_t mss = tcp_mss_now(conn);
	uint32_t most = conn->snd_wnd < mss ? conn->snd_wnd : mss;
	if (!first || (first->flags & SENT_SACKED))
		return;
	if (sent_len(first) > most && board_split(conn, first, first->start + most) < 0)
		return;
	tcp_resend(conn, first, now);
}

static void send_ack(struct tcp_conn *conn, uint64_t now)
{
	if (conn->want_ack || tcp_window_update_is_due(conn))
		tcp_emit_ack(conn, now);
	else if (conn->want_ack_late && !tcp_is_due(conn, TCP_DUE_ACK))
		tcp_due_set(conn, TCP_DUE_ACK,
			    now + (uint64_t)conn->tcp->config.ack_delay_ms * NS_PER_MS);
}

/* RFC 9293 3.7.2 and RFC 8961: the way may have changed, and with it the MTU. */
static void check_path(struct tcp_conn *conn, uint64_t now)
{
	const struct tcp *tcp = conn->tcp;
	const struct tcp_flow *flow = &conn->node.flow;
	struct ip_path path;
	if (tcp->ops->path_is_current(tcp->user, &conn->active->path) ||
	    tcp->ops->find_path(tcp->user, flow, now, &path) < 0)
		return;
	uint16_t before = conn->mss_gross;
	conn->active->path = path;
	tcp_set_mss(conn);
	if (conn->mss_gross < before && conn->snd_una != conn->snd_nxt)
		recovery_on_smaller_mss(conn);
}

/*
 * RFC 5681, 4.1: after a pause the window is not what the network carries. What has come in
 * meanwhile does not matter: it says nothing of this direction.
 */
static void restart_after_idle(struct tcp_conn *conn, uint64_t now)
{
	uint32_t initial = cc_initial_window(conn->cc.mss);
	uint64_t rto = (uint64_t)conn->rto.rto_us * NS_PER_US;
	bool is_idle =
		conn->snd_una == conn->snd_nxt && now - conn->active->sent_ns > rto;
	if (!is_idle || !tcp_has_unsent(conn))
		return;
	if (conn->cc.cwnd > initial)
		conn->cc.cwnd = initial;
	conn->cc_ops->paused(&conn->cc);
	/* What was before is too old to go back to. */
	conn->active->recovery.undo = TCP_OPEN;
}

void tcp_output(struct tcp_conn *conn, uint64_t now)
{
	if (tcp_state_may_send(conn->state)) {
		check_path(conn, now);
		restart_after_idle(conn, now);
		while (resend_next(conn, now))
			;
		while (!board_first_lost(conn) && send_next(conn, now))
			;
	}
	if (tcp_state_is_synchronized(conn->state))
		send_ack(conn, now);
	tcp_arm_retransmission(conn, now);
	tcp_arm_quiet(conn, now);
	tcp_due_settle(conn);
}
