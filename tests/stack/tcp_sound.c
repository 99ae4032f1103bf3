/* SPDX-License-Identifier: MIT */
/*
 * Asserted by who has an event come to pass, after each one. It reads the connection and changes
 * nothing.
 */
#include "tcp_sound.h"

#include "../unit.h"
#include "stack/tcp_out.h"
#include "stack/tcp_sent.h"
#include "stack/tcp_timer.h"

static void check_records(const struct tcp_conn *conn)
{
	const struct tcp_board *board = &conn->active->board;
	uint32_t at = conn->snd_una, sacked = 0, lost = 0, cuts = 0;
	for (struct list *n = board->by_seq.next; n != &board->by_seq; n = n->next) {
		const struct tcp_sent *sent = sent_of_seq(n);
		assert_int_equal(sent->start, at);
		assert_true(seq_before(sent->start, sent->end));
		assert_false((sent->flags & SENT_SACKED) && (sent->flags & SENT_LOST));
		assert_int_equal(list_is_empty(&sent->of_time),
				 (sent->flags & SENT_SACKED) != 0);
		sacked += sent->flags & SENT_SACKED ? sent_len(sent) : 0;
		lost += sent->flags & SENT_LOST ? sent_len(sent) : 0;
		cuts += sent->flags & SENT_CUT ? 1 : 0;
		at = sent->end;
	}
	assert_int_equal(at, conn->snd_nxt);
	assert_int_equal(sacked, board->sacked);
	assert_int_equal(lost, board->lost);
	assert_int_equal(cuts, board->cuts);
	uint64_t last_ns = 0;
	for (struct list *n = board->by_time.next; n != &board->by_time; n = n->next) {
		const struct tcp_sent *sent = sent_of_time(n);
		assert_false(sent->flags & (SENT_SACKED | SENT_LOST));
		assert_true(sent->sent_ns >= last_ns);
		last_ns = sent->sent_ns;
	}
}

static void check_sending(const struct tcp_conn *conn)
{
	uint32_t sent = conn->snd_nxt - conn->snd_una;
	uint32_t extra = (conn->fin_sent && sent > 0 ? 1u : 0u) +
			 (tcp_state_is_synchronized(conn->state) ? 0u : 1u);
	assert_true(sent <= conn->to_send.len + extra);
	assert_true(board_in_flight(conn) <= sent);
	assert_true(conn->cc.cwnd >= conn->cc.mss);
	assert_true(conn->mss_gross >= 88);
	if (sent > 0)
		assert_true(tcp_is_due(conn, TCP_DUE_RETRANSMIT) ||
			    tcp_is_due(conn, TCP_DUE_PERSIST));
	bool may_be_stuck = tcp_has_unsent(conn);
	if (sent == 0 && may_be_stuck)
		assert_true(tcp_is_due(conn, TCP_DUE_PERSIST) ||
			    tcp_is_due(conn, TCP_DUE_PACE));
	for (unsigned i = 0; i < TCP_DUES; i++)
		assert_true(
			conn->due[i] == TCP_NOT_DUE ||
			(timer_is_armed(&conn->timer) && conn->timer.at <= conn->due[i]));
}

static void check_receiving(const struct tcp_conn *conn)
{
	const struct tcp_reassembly *early = conn->reassembly;
	if (tcp_state_is_synchronized(conn->state))
		assert_false(seq_after(conn->rcv_nxt, conn->rcv_edge));
	if (!early)
		return;
	uint32_t at = conn->rcv_nxt;
	assert_true(early->count > 0 || early->has_fin);
	for (size_t i = 0; i < early->count; i++) {
		assert_true(seq_after(early->blocks[i].start, at));
		assert_int_equal(early->blocks[i].bytes.len,
				 early->blocks[i].end - early->blocks[i].start);
		at = early->blocks[i].end;
	}
	assert_false(seq_after(at, conn->rcv_edge));
	assert_false(early->has_fin && seq_after(at, early->fin_seq));
}

void assert_conn_is_sound(const struct tcp_conn *conn)
{
	check_receiving(conn);
	if (!conn->active) {
		assert_int_equal(conn->snd_una, conn->snd_nxt);
		return;
	}
	check_records(conn);
	check_sending(conn);
}
