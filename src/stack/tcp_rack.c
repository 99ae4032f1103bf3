/* SPDX-License-Identifier: MIT */
/*
 * The names are those of RFC 8985: xmit_ts is rack_xmit_ns, end_seq is rack_end. Its Min_RTT
 * is the least of the connection and not of a sliding window, and of what SND.UNA has passed: what
 * a SACK tells of may have overtaken the rest by a shorter way, and a window of a quarter of its
 * time would take all of the rest for lost.
 */
#include "stack/tcp_rack.h"

#include "base/time.h"
#include "stack/tcp.h"
#include "stack/tcp_emit.h"
#include "stack/tcp_out.h"
#include "stack/tcp_timer.h"

#define REO_PERSIST     16u /* RACK.reo_wnd_persist: recoveries that a wider window lasts. */
#define REO_MULT_MAX    64u
#define DUP_THRESH      3u
/*
 * A peer has a single segment wait for 40 ms, as a rule, and counts them in ticks of up to 10 ms.
 * However near it is, a probe before that is needless.
 */
#define SINGLE_LEAST_US 60000u

bool rack_sent_after(uint64_t a_ns, uint32_t a_end, uint64_t b_ns, uint32_t b_end)
{
	return a_ns > b_ns || (a_ns == b_ns && seq_after(a_end, b_end));
}

/* 6.2 step 2: an ACK of something sent twice may be for the first sending. */
static bool is_of_first_sending(const struct tcp_conn *conn, const struct tcp_sent *sent,
				const struct tcp_delivery *d, uint32_t rtt_us)
{
	if (!(sent->flags & SENT_AGAIN))
		return false;
	if (d->ts_ecr != 0 && seq_before(d->ts_ecr, tcp_timestamp(conn, sent->sent_ns)))
		return true;
	return rtt_us < conn->active->recovery.min_rtt_us;
}

void rack_delivered(struct tcp_conn *conn, const struct tcp_sent *sent,
		    const struct tcp_delivery *d, uint64_t now)
{
	struct tcp_recovery *rec = &conn->active->recovery;
	uint64_t us = (now - sent->sent_ns) / NS_PER_US;
	uint32_t rtt_us = us == 0 ? 1 : us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
	if (!(sent->flags & SENT_AGAIN) && !d->by_sack &&
	    (rec->min_rtt_us == 0 || rtt_us < rec->min_rtt_us))
		rec->min_rtt_us = rtt_us;
	if (is_of_first_sending(conn, sent, d, rtt_us))
		return;
	if (seq_after(sent->end, rec->fack))
		rec->fack = sent->end;
	else if (seq_before(sent->end, rec->fack) && !(sent->flags & SENT_AGAIN))
		rec->reordering_seen = true;
	if (!rack_sent_after(sent->sent_ns, sent->end, rec->rack_xmit_ns, rec->rack_end))
		return;
	rec->rack_rtt_us = rtt_us;
	rec->rack_xmit_ns = sent->sent_ns;
	rec->rack_end = sent->end;
}

void rack_on_dsack(struct tcp_conn *conn)
{
	struct tcp_recovery *rec = &conn->active->recovery;
	if (rec->dsack_seen && seq_before(conn->snd_una, rec->dsack_round))
		return;
	rec->dsack_seen = true;
	rec->dsack_round = conn->snd_nxt;
	if (rec->reo_mult < REO_MULT_MAX)
		rec->reo_mult++;
	rec->reo_persist = REO_PERSIST;
}

void rack_on_needless(struct tcp_conn *conn)
{
	conn->active->recovery.reordering_seen = true;
	rack_on_dsack(conn);
}

void rack_recovered(struct tcp_conn *conn)
{
	struct tcp_recovery *rec = &conn->active->recovery;
	if (rec->reo_persist > 0 && --rec->reo_persist == 0)
		rec->reo_mult = 1;
}

/* RACK_update_reo_wnd, in ns. */
static uint64_t reordering_window(const struct tcp_conn *conn)
{
	const struct tcp_recovery *rec = &conn->active->recovery;
	bool is_evident = rec->phase != TCP_OPEN ||
			  conn->active->board.sacked >= DUP_THRESH * conn->cc.mss;
	if (!rec->reordering_seen && is_evident)
		return 0;
	uint64_t us = (uint64_t)rec->reo_mult * rec->min_rtt_us / 4;
	if (us > conn->rto.srtt_us)
		us = conn->rto.srtt_us;
	return us * NS_PER_US;
}

uint32_t rack_detect(struct tcp_conn *conn, uint64_t now)
{
	struct tcp_recovery *rec = &conn->active->recovery;
	uint64_t allowed =
		(uint64_t)rec->rack_rtt_us * NS_PER_US + reordering_window(conn);
	uint32_t lost = 0;
	uint64_t next = TCP_NOT_DUE;
	list_for_each (node, &conn->active->board.by_time) {
		struct tcp_sent *sent = sent_of_time(node);
		if (!rack_sent_after(rec->rack_xmit_ns, rec->rack_end, sent->sent_ns,
				     sent->end))
			break;
		if (now >= sent->sent_ns + allowed) {
			lost += sent_len(sent);
			board_lose(conn, sent);
		} else if (next == TCP_NOT_DUE) {
			next = sent->sent_ns + allowed;
		}
	}
	tcp_due_set(conn, TCP_DUE_REORDER, next);
	return lost;
}

/* The PTO of 7.2, in ns. */
static uint64_t probe_timeout(const struct tcp_conn *conn)
{
	uint64_t us = conn->rto.srtt_us ? 2ull * conn->rto.srtt_us : TCP_RTO_FIRST_US;
	if (conn->snd_nxt - conn->snd_una <= conn->cc.mss) {
		us += conn->tcp->config.ack_delay_ms * 1000ull;
		us = us < SINGLE_LEAST_US ? SINGLE_LEAST_US : us;
	}
	return us * NS_PER_US;
}

void tlp_schedule(struct tcp_conn *conn, uint64_t now)
{
	const struct tcp_recovery *rec = &conn->active->recovery;
	/* A closed window is asked by a timer of its own, which backs off. */
	bool is_useful = conn->has_sack && conn->snd_wnd != 0 && rec->phase == TCP_OPEN &&
			 !rec->probe_out && conn->active->board.sacked == 0 &&
			 conn->snd_una != conn->snd_nxt && conn->rto.srtt_us != 0 &&
			 tcp_state_is_synchronized(conn->state);
	if (!is_useful) {
		tcp_due_clear(conn, TCP_DUE_PROBE);
		return;
	}
	uint64_t at = now + probe_timeout(conn);
	if (at < conn->due[TCP_DUE_RETRANSMIT])
		tcp_due_set(conn, TCP_DUE_PROBE, at);
	else
		tcp_due_clear(conn, TCP_DUE_PROBE);
}

/* Sends the last segment's worth of what is under way again. False if there is nothing. */
static bool resend_last(struct tcp_conn *conn, uint64_t now)
{
	struct list *last = conn->active->board.by_seq.prev;
	if (last == &conn->active->board.by_seq)
		return false;
	struct tcp_sent *sent = sent_of_seq(last);
	uint32_t mss = tcp_mss_now(conn);
	if (sent_len(sent) > mss) {
		if (board_split(conn, sent, sent->end - mss) < 0)
			return false;
		sent = sent_of_seq(sent->of_seq.next);
	}
	tcp_resend(conn, sent, now);
	return true;
}

void tlp_send(struct tcp_conn *conn, uint64_t now)
{
	struct tcp_recovery *rec = &conn->active->recovery;
	bool is_new = tcp_send_one(conn, now);
	if (!is_new && !resend_last(conn, now))
		return;
	rec->probe_out = true;
	rec->probe_again = !is_new;
	rec->probe_end = conn->snd_nxt;
	tcp_count(conn->tcp, TCP_COUNT_PROBES);
}

bool tlp_on_ack(struct tcp_conn *conn, const struct tcp_delivery *d, bool is_duplicate)
{
	struct tcp_recovery *rec = &conn->active->recovery;
	if (!rec->probe_out || seq_before(conn->snd_una, rec->probe_end))
		return false;
	/* Both the original and the probe have arrived, or the probe was no repetition. */
	bool was_no_loss = !rec->probe_again || d->dsack || (is_duplicate && !d->sacked);
	if (!was_no_loss && conn->snd_una == rec->probe_end)
		return false; /* The ACK of one of them: of which, the next will tell. */
	rec->probe_out = false;
	return !was_no_loss;
}
