/* SPDX-License-Identifier: MIT */
/*
 * The reassembly exists only while something is early.
 */
#include "stack/tcp_data.h"

#include "stack/tcp.h"
#include "stack/tcp_emit.h"
#include "stack/tcp_life.h"
#include "stack/tcp_options.h"
#include "stack/tcp_timewait.h"
#include "stack/tcp_urgent.h"
#include "stack/tcp_window.h"

#include <errno.h>
#include <stdlib.h>

/* Less is copied at once: a chunk of its own would cost more, in time and in memory. */
#define BORROW_MIN 4096u

/* Cuts off what is behind a FIN that has come, also another FIN (RFC 9293, 3.10.7.4). */
static void trim_at_fin(const struct tcp_conn *conn, struct tcp_seg *seg)
{
	const struct tcp_reassembly *early = conn->reassembly;
	if (!early || !early->has_fin || seg->seq + seg->len == early->fin_seq)
		return;
	seg->flags &= (uint16_t)~TCP_FIN;
	if (seq_after(seg->seq + seg->len, early->fin_seq))
		seg->len = seq_max(early->fin_seq, seg->seq) - seg->seq;
}

/* Cuts off what is before RCV.NXT, beyond the window or behind the FIN. */
static void trim(struct tcp_conn *conn, struct tcp_seg *seg)
{
	if (seq_before(seg->seq, conn->rcv_nxt)) {
		uint32_t old = conn->rcv_nxt - seg->seq;
		conn->want_ack = true;
		if (old > seg->len)
			old = seg->len;
		conn->dsack =
			(struct tcp_sack){ .left = seg->seq, .right = seg->seq + old };
		seg->seq += old;
		seg->data += old;
		seg->len -= old;
	}
	uint32_t room = conn->rcv_edge - seg->seq;
	if (seg->len > room) {
		seg->len = room;
		seg->flags &= (uint16_t)~TCP_FIN;
		conn->want_ack = true;
	}
	trim_at_fin(conn, seg);
}

/* The first FIN that comes holds: trim lets no other pass. */
static void note_fin(struct tcp_conn *conn, const struct tcp_seg *seg)
{
	struct tcp_reassembly *early = conn->reassembly;
	if ((seg->flags & TCP_FIN) && !early->has_fin)
		early_end(early, &conn->tcp->budget, seg->seq + seg->len);
}

/* ---- in order ---------------------------------------------------------------------------- */

/* Nothing may be early any more, or of what came nothing was left, or there was no room. */
static void drop_empty(struct tcp_conn *conn)
{
	struct tcp_reassembly *early = conn->reassembly;
	if (early->count > 0 || early->has_fin)
		return;
	early_fini(early, &conn->tcp->budget);
	free(early);
	conn->reassembly = NULL;
}

static void take_early(struct tcp_conn *conn)
{
	conn->rcv_nxt += (uint32_t)early_take(conn->reassembly, &conn->tcp->budget,
					      conn->rcv_nxt, &conn->to_read);
	drop_empty(conn);
}

/*
 * How long segments are. Messages aside, two of a length in a row that are shorter than before say
 * that the path has become narrower: if the longest ever counted, what such a path brings would
 * wait for the late ACK.
 */
static inline void note_size(struct tcp_conn *conn, const struct tcp_seg *seg)
{
	uint32_t size = seg->rx->gso_size ? seg->rx->gso_size : seg->len;
	bool is_message = size + seg->rx->hdr.options_len < TCP_MSS_IP4;
	if ((is_message && size <= conn->rcv_mss) || size > UINT16_MAX)
		return;
	bool is_again = size == conn->rcv_size;
	conn->rcv_size = (uint16_t)size;
	if (size > conn->rcv_mss || is_again)
		conn->rcv_mss = (uint16_t)size;
}

/* A large segment is copied only if the user has not read it by the end of the batch. */
static int queue_text(struct tcp_conn *conn, const struct tcp_seg *seg)
{
	struct tcp_budget *budget = &conn->tcp->budget;
	if (seg->rx->stays && seg->len >= BORROW_MIN)
		return chain_borrow(&conn->to_read, budget, seg->data, seg->len);
	return chain_append(&conn->to_read, budget, seg->data, seg->len);
}

static enum tcp_outcome take_in_order(struct tcp_conn *conn, const struct tcp_seg *seg,
				      uint64_t now)
{
	if (queue_text(conn, seg) < 0)
		return TCP_DROP_MEMORY;
	conn->rcv_nxt += seg->len;
	note_size(conn, seg);
	tcp_window_on_data(conn, &seg->rx->opts, now);
	if (conn->reassembly) {
		note_fin(conn, seg);
		take_early(conn);
		conn->want_ack = true;
	}
	if (conn->rcv_nxt - conn->rcv_acked >= 2u * conn->rcv_mss)
		conn->want_ack = true;
	conn->want_ack_late = true;
	tcp_tell(conn, TCP_TELL_READABLE);
	return TCP_GO_ON;
}

/* ---- early ------------------------------------------------------------------------------- */

static struct tcp_reassembly *reassembly_of(struct tcp_conn *conn)
{
	if (!conn->reassembly) {
		conn->reassembly = malloc(sizeof(struct tcp_reassembly));
		if (conn->reassembly)
			early_init(conn->reassembly, conn->tcp->config.blocks_max);
	}
	return conn->reassembly;
}

/*
 * A gap is told at once, and by each segment to a peer without SACK, who counts. Others learn
 * with the batch how far the blocks have grown: that is one ACK instead of many, and says as much.
 */
static enum tcp_outcome take_early_segment(struct tcp_conn *conn,
					   const struct tcp_seg *seg, uint64_t now)
{
	struct tcp_reassembly *early = reassembly_of(conn);
	if (!early)
		return TCP_DROP_MEMORY;
	uint16_t count = early->count;
	const struct tcp_sack twice = early_twice(early, seg->seq, seg->len);
	if (twice.left != twice.right)
		conn->dsack = twice;
	int fresh =
		early_insert(early, &conn->tcp->budget, seg->seq, seg->data, seg->len);
	if (fresh >= 0)
		note_fin(conn, seg);
	note_size(conn, seg);
	const bool has_gap_more = early->count > count;
	drop_empty(conn);
	if (conn->has_sack && fresh > 0 && !has_gap_more)
		conn->want_ack = true;
	else
		tcp_emit_ack(conn, now);
	return fresh < 0 ? TCP_DROP_MEMORY : TCP_TOOK_EARLY;
}

/* The user has closed, or shut both directions: nobody reads, and the peer should know (3.6). */
static bool is_for_nobody(const struct tcp_conn *conn)
{
	return conn->is_orphan || (conn->read_shut && conn->fin_asked);
}

enum tcp_outcome tcp_take_text(struct tcp_conn *conn, struct tcp_seg *seg, uint64_t now)
{
	bool has_fin = seg->flags & TCP_FIN;
	if (seg->flags & TCP_URG)
		tcp_take_urgent(conn, seg);
	if ((seg->flags & TCP_CWR) && conn->has_ecn)
		conn->ece = false;
	if (conn->has_ecn && (seg->rx->tos & IP_ECN_MASK) == IP_ECN_CE && seg->len > 0) {
		conn->ece = true;
		conn->want_ack = true;
	}
	if ((seg->len == 0 && !has_fin) || !tcp_state_may_receive(conn->state))
		return TCP_GO_ON;
	trim(conn, seg);
	if (is_for_nobody(conn) && seg->len > 0) {
		tcp_abort(conn, -ECONNRESET, now);
		return TCP_REFUSED_DATA;
	}
	if (seg->seq != conn->rcv_nxt)
		return take_early_segment(conn, seg, now);
	return seg->len > 0 ? take_in_order(conn, seg, now) : TCP_GO_ON;
}

/* ---- FIN --------------------------------------------------------------------------------- */

static void on_fin(struct tcp_conn *conn, uint64_t now)
{
	conn->rcv_nxt++;
	if (seq_before(conn->rcv_edge, conn->rcv_nxt))
		conn->rcv_edge = conn->rcv_nxt;
	conn->fin_received = true;
	conn->want_ack = true;
	tcp_tell(conn, TCP_TELL_READABLE);
	switch (conn->state) {
	case TCP_ESTABLISHED:
		tcp_set_state(conn, TCP_CLOSE_WAIT);
		break;
	case TCP_FIN_WAIT_1:
		/* Our FIN is not acknowledged: take_ack would have made it FIN-WAIT-2. */
		tcp_set_state(conn, TCP_CLOSING);
		break;
	case TCP_FIN_WAIT_2:
		tcp_enter_time_wait(conn, now);
		break;
	default:
		break;
	}
}

enum tcp_outcome tcp_take_fin(struct tcp_conn *conn, struct tcp_seg *seg, uint64_t now)
{
	struct tcp_reassembly *early = conn->reassembly;
	bool is_early = early && early->has_fin && early->fin_seq == conn->rcv_nxt;
	bool is_here = (seg->flags & TCP_FIN) && seg->seq + seg->len == conn->rcv_nxt;
	bool has_data = seg->len > 0;
	if ((is_early || is_here) && tcp_state_may_receive(conn->state)) {
		if (early) {
			early_fini(early, &conn->tcp->budget);
			free(early);
			conn->reassembly = NULL;
		}
		on_fin(conn, now);
		has_data = true;
	}
	return has_data ? TCP_TOOK_DATA : TCP_TOOK_ACK;
}
