/* SPDX-License-Identifier: MIT */
/*
 * One path for all peers: those without SACK are treated as if each duplicate ACK had SACKed
 * one segment (RFC 6582 in the terms of RFC 6675), and the third of them takes the first
 * segment for lost.
 */
#include "stack/tcp_recovery.h"

#include "base/time.h"
#include "stack/tcp.h"
#include "stack/tcp_emit.h"
#include "stack/tcp_out.h"
#include "stack/tcp_rack.h"
#include "stack/tcp_timer.h"

#define DUP_THRESH 3u

void recovery_init(struct tcp_conn *conn)
{
	conn->active->recovery =
		(struct tcp_recovery){ .reo_mult = 1, .fack = conn->snd_una };
}

/* ---- entering and leaving ---------------------------------------------------------------- */

static void begin(struct tcp_conn *conn, enum tcp_phase phase)
{
	struct tcp_recovery *rec = &conn->active->recovery;
	rec->phase = (uint8_t)phase;
	rec->point = conn->snd_nxt;
	rec->undo = (uint8_t)phase;
	rec->undo_by_ts = true;
	rec->undo_ts = 0;
	rec->undo_una = conn->snd_una;
	rec->undo_left = 0;
}

/* RFC 3168, 6.1.2: whatever the reason was. */
static void tell_reduction(struct tcp_conn *conn)
{
	conn->cwr = conn->has_ecn;
}

static uint32_t outstanding(const struct tcp_conn *conn)
{
	return conn->snd_nxt - conn->snd_una;
}

static void enter_recovery(struct tcp_conn *conn, uint32_t flight, uint64_t now)
{
	struct tcp_recovery *rec = &conn->active->recovery;
	begin(conn, TCP_RECOVERY);
	tell_reduction(conn);
	rec->prr_delivered = 0;
	rec->prr_out = 0;
	rec->prr_flight = flight > 0 ? flight : 1;
	conn->cc_ops->lost(&conn->cc, flight, now);
	tcp_count(conn->tcp, TCP_COUNT_RECOVERIES);
}

static void leave(struct tcp_conn *conn)
{
	struct tcp_recovery *rec = &conn->active->recovery;
	if (rec->phase == TCP_RECOVERY)
		conn->cc.cwnd = conn->cc.ssthresh;
	rec->phase = TCP_OPEN;
	rec->dupacks = 0;
	rec->dups_are_old = rec->undo_ts != 0 && conn->snd_una == rec->point;
	rec->reno_sacked = 0;
	rack_recovered(conn);
}

static void undo(struct tcp_conn *conn)
{
	struct tcp_recovery *rec = &conn->active->recovery;
	if (rec->undo == TCP_RECOVERY)
		rack_on_needless(conn);
	if (rec->phase != TCP_OPEN) {
		board_unlose(conn);
		leave(conn);
	}
	conn->cc_ops->undone(&conn->cc);
	conn->cwr = false;
	rec->undo = TCP_OPEN;
	tcp_count(conn->tcp, TCP_COUNT_UNDONE);
}

/* Books the duplicate that the ACK reports. Returns whether all that was sent again is one. */
static bool all_are_duplicates(struct tcp_conn *conn, const struct tcp_delivery *d)
{
	struct tcp_recovery *rec = &conn->active->recovery;
	uint32_t left = seq_max(d->duplicate.left, rec->undo_una);
	uint32_t right = seq_min(d->duplicate.right, conn->snd_nxt);
	if (!d->dsack || rec->undo_left == 0 || !seq_before(left, right))
		return false;
	rec->undo_left -= right - left < rec->undo_left ? right - left : rec->undo_left;
	return rec->undo_left == 0;
}

/* Whether the ACK's timestamp shows that nothing had been lost (RFC 3522, 3.2). */
static bool is_of_original(const struct tcp_conn *conn, const struct tcp_delivery *d)
{
	const struct tcp_recovery *rec = &conn->active->recovery;
	return rec->undo_by_ts && rec->undo_ts != 0 && d->again_acked && d->acked > 0 &&
	       d->ts_ecr != 0 && seq_before(d->ts_ecr, rec->undo_ts);
}

/* RFC 4015, 3.5: the segment that was waited for in vain has come, and may take as long again. */
static void expect_lateness(struct tcp_conn *conn, const struct tcp_delivery *d,
			    uint64_t now)
{
	const struct tcp_rto_limits *limits = &conn->tcp->rto_limits;
	uint64_t us = (tcp_timestamp(conn, now) - d->ts_ecr) * 1000ull;
	if (us >= limits->max_us)
		return; /* It was an echo of something else. */
	rto_widen(&conn->rto, limits, (uint32_t)us);
	if (tcp_is_due(conn, TCP_DUE_RETRANSMIT))
		tcp_postpone_retransmission(conn, now);
}

/* ---- what is lost ------------------------------------------------------------------------ */

/* Takes the first segment for lost, for peers that do not say what has arrived. */
static void lose_first(struct tcp_conn *conn)
{
	struct tcp_sent *first = board_first(conn);
	if (!first || (first->flags & SENT_LOST))
		return;
	if (sent_len(first) > conn->cc.mss &&
	    board_split(conn, first, first->start + conn->cc.mss) < 0)
		return;
	board_lose(conn, first);
}

/* No more can have arrived than was sent and is not lost. */
static void reno_limit(struct tcp_conn *conn)
{
	uint32_t most = conn->snd_nxt - conn->snd_una - conn->active->board.lost;
	if (conn->active->recovery.reno_sacked > most)
		conn->active->recovery.reno_sacked = most;
}

static void reno_on_duplicate(struct tcp_conn *conn, struct tcp_delivery *d)
{
	struct tcp_recovery *rec = &conn->active->recovery;
	uint32_t most = outstanding(conn) - conn->active->board.lost;
	uint32_t sacked = rec->reno_sacked + conn->cc.mss;
	if (rec->dups_are_old)
		return; /* RFC 6582, 3.2 step 2: they have to go beyond its point. */
	if (rec->dupacks < UINT8_MAX)
		rec->dupacks++;
	/* The segment that is missing has not arrived, so not all can have. */
	if (sacked + conn->cc.mss <= most) {
		rec->reno_sacked = sacked;
		d->delivered += conn->cc.mss;
	}
	if (rec->dupacks == DUP_THRESH && rec->phase == TCP_OPEN)
		lose_first(conn);
	reno_limit(conn);
}

static void reno_on_new(struct tcp_conn *conn, struct tcp_delivery *d)
{
	struct tcp_recovery *rec = &conn->active->recovery;
	/* Beyond the segment that was missing, the ACK covers what duplicates stood for. */
	uint32_t covered = d->acked > conn->cc.mss ? d->acked - conn->cc.mss : 0;
	if (covered > rec->reno_sacked)
		covered = rec->reno_sacked;
	rec->reno_sacked -= covered;
	d->delivered -= covered < d->delivered ? covered : d->delivered;
	rec->dupacks = 0;
	rec->dups_are_old = false;
	if (rec->phase == TCP_RECOVERY && seq_before(conn->snd_una, rec->point))
		lose_first(conn); /* A partial ACK: RFC 6582, 3.2 step 3. */
	reno_limit(conn);
}

static void find_losses(struct tcp_conn *conn, struct tcp_delivery *d, bool is_duplicate,
			uint64_t now)
{
	uint32_t lost = conn->active->board.lost;
	if (conn->has_sack)
		(void)rack_detect(conn, now);
	else if (is_duplicate && outstanding(conn) > 0)
		reno_on_duplicate(conn, d);
	else if (d->acked > 0)
		reno_on_new(conn, d);
	d->fresh_lost =
		conn->active->board.lost > lost ? conn->active->board.lost - lost : 0;
}

/* ---- how much may leave ------------------------------------------------------------------ */

/* RFC 6937, 3.1; the choice between the two bounds is that of RFC 9937, 6.2. */
static void reduce_proportionally(struct tcp_conn *conn, const struct tcp_delivery *d)
{
	struct tcp_recovery *rec = &conn->active->recovery;
	uint64_t ssthresh = conn->cc.ssthresh, pipe = board_in_flight(conn);
	int64_t quota;
	rec->prr_delivered += d->delivered;
	if (pipe > ssthresh) {
		uint64_t due = (rec->prr_delivered * ssthresh + rec->prr_flight - 1) /
			       rec->prr_flight;
		quota = (int64_t)due - rec->prr_out;
	} else {
		bool is_safe = d->acked > 0 && d->fresh_lost == 0;
		int64_t limit = (int64_t)rec->prr_delivered - rec->prr_out;
		if (limit < (int64_t)d->delivered)
			limit = (int64_t)d->delivered;
		if (is_safe)
			limit += conn->cc.mss;
		quota = (int64_t)(ssthresh - pipe);
		if (quota > limit)
			quota = limit;
	}
	/* The fast retransmission itself always leaves. */
	int64_t least = rec->prr_out == 0 ? conn->cc.mss : 0;
	uint64_t cwnd = pipe + (uint64_t)(quota > least ? quota : least);
	conn->cc.cwnd = cwnd > conn->cc.mss ? (uint32_t)cwnd : conn->cc.mss;
}

static void grow(struct tcp_conn *conn, const struct tcp_delivery *d, uint64_t now)
{
	struct tcp_cc_ack ack = {
		.acked = d->acked,
		.una = conn->snd_una,
		.nxt = conn->snd_nxt,
		.srtt_us = conn->rto.srtt_us,
		.rtt_us = (uint32_t)(d->rtt_ns / NS_PER_US),
		.is_paced = tcp_is_paced(conn),
		.now = now,
	};
	if (d->acked > 0 && conn->cwnd_limited)
		conn->cc_ops->acked(&conn->cc, &ack);
	if (d->acked > 0)
		conn->cwnd_limited = false;
}

/* ---- events ------------------------------------------------------------------------------ */

void recovery_on_ack(struct tcp_conn *conn, struct tcp_delivery *d, bool is_duplicate,
		     uint64_t now)
{
	struct tcp_recovery *rec = &conn->active->recovery;
	bool was_reducing = rec->phase == TCP_RECOVERY;
	bool was_reported = all_are_duplicates(conn, d);
	bool was_late = is_of_original(conn, d);
	if (d->dsack)
		rack_on_dsack(conn);
	if (tlp_on_ack(conn, d, is_duplicate) && rec->phase == TCP_OPEN) {
		conn->cc_ops->lost(&conn->cc, conn->cc.cwnd, now);
		conn->cc.cwnd = conn->cc.ssthresh;
		rec->undo = TCP_OPEN;
		tell_reduction(conn);
	}
	find_losses(conn, d, is_duplicate, now);
	if (rec->undo == TCP_LOSS && was_late)
		expect_lateness(conn, d, now);
	if (rec->undo != TCP_OPEN && (was_reported || was_late))
		undo(conn);
	if (rec->phase != TCP_OPEN && !seq_before(conn->snd_una, rec->point))
		leave(conn);
	if (rec->phase == TCP_OPEN && conn->active->board.lost > 0)
		enter_recovery(conn, outstanding(conn), now);
	if (rec->phase == TCP_RECOVERY)
		reduce_proportionally(conn, d);
	else if (!was_reducing)
		grow(conn, d, now);
	/* Later ones echo later timestamps. */
	if (d->again_acked && d->acked > 0 && d->ts_ecr != 0)
		rec->undo_by_ts = false;
}

void recovery_on_reorder_due(struct tcp_conn *conn, uint64_t now)
{
	struct tcp_delivery nothing = { .fresh_lost = rack_detect(conn, now) };
	if (nothing.fresh_lost == 0)
		return;
	if (conn->active->recovery.phase == TCP_OPEN)
		enter_recovery(conn, outstanding(conn), now);
	if (conn->active->recovery.phase == TCP_RECOVERY)
		reduce_proportionally(conn, &nothing);
}

void recovery_on_timeout(struct tcp_conn *conn, uint64_t now)
{
	struct tcp_recovery *rec = &conn->active->recovery;
	struct tcp_sent *first = board_first(conn);
	bool is_first = rec->phase != TCP_LOSS || !seq_before(conn->snd_una, rec->point);
	/* RFC 5681, 3.1: ssthresh once, however often the same segment is sent again. */
	if (is_first && conn->rto.backoff == 0)
		conn->cc_ops->timed_out(&conn->cc, outstanding(conn), now);
	conn->cc.cwnd = conn->cc.mss;
	begin(conn, TCP_LOSS);
	tell_reduction(conn);
	rec->probe_out = false;
	rec->reno_sacked = 0;
	/* A peer that has not kept what it SACKed (RFC 2018, 8) is one whose first is missing. */
	board_lose_all(conn, first && (first->flags & SENT_SACKED));
	tcp_count(conn->tcp, TCP_COUNT_TIMEOUTS);
}

/* RFC 1191, 6.5: this loss says nothing about congestion. */
void recovery_on_smaller_mss(struct tcp_conn *conn)
{
	begin(conn, TCP_LOSS);
	conn->active->recovery.undo = TCP_OPEN;
	conn->active->recovery.probe_out = false;
	conn->active->recovery.reno_sacked = 0;
	board_lose_all(conn, false);
}

void recovery_on_mark(struct tcp_conn *conn, uint32_t acked, uint64_t now)
{
	if (conn->active->recovery.phase != TCP_OPEN)
		return;
	enter_recovery(conn, outstanding(conn) + acked, now);
	conn->active->recovery.undo = TCP_OPEN;
	if (outstanding(conn) == 0)
		leave(conn);
}

void recovery_on_sent(struct tcp_conn *conn, uint32_t bytes, bool is_again, uint64_t now)
{
	struct tcp_recovery *rec = &conn->active->recovery;
	rec->prr_out += bytes;
	if (!is_again)
		return;
	if (rec->undo_ts == 0)
		rec->undo_ts = tcp_timestamp(conn, now);
	rec->undo_left += bytes;
	tcp_count(conn->tcp, TCP_COUNT_RETRANSMITS);
}
