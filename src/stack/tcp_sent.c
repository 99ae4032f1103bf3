/* SPDX-License-Identifier: MIT */
/*
 * A walk for a SACK begins at SND.UNA. It is short, because what is sacked is one record however
 * much it is: the walk takes as many steps as there are records that have not arrived before
 * the block. What SACKs may cut has a limit (may_cut), and with it how long a walk can get.
 */
#include "stack/tcp_sent.h"

#include "stack/tcp.h"
#include "stack/tcp_emit.h"
#include "stack/tcp_rack.h"

#include <assert.h>
#include <errno.h>

#define RUNS 32u /* More than 2^31 records there are never. */

void board_init(struct tcp_board *board)
{
	*board = (struct tcp_board){ 0 };
	list_init(&board->by_seq);
	list_init(&board->by_time);
	list_init(&board->lost_list);
}

/* Takes a record's bytes out of the sums that its flags stand for. */
static void uncount(struct tcp_board *board, const struct tcp_sent *sent, uint32_t bytes)
{
	if (sent->flags & SENT_SACKED)
		board->sacked -= bytes;
	if (sent->flags & SENT_LOST)
		board->lost -= bytes;
}

/*
 * Whether a SACK may cut one more record. A peer that tells what it has of segments makes a cut
 * per segment at most; twice as many allow for an MSS that has changed meanwhile.
 */
static bool may_cut(const struct tcp_conn *conn)
{
	uint32_t segments = (conn->snd_nxt - conn->snd_una) / conn->cc.mss;
	return conn->active->board.cuts < 2 * segments + conn->tcp->config.cuts_max;
}

static void sent_free(struct tcp_conn *conn, struct tcp_sent *sent)
{
	struct tcp_board *board = &conn->active->board;
	uncount(board, sent, sent_len(sent));
	board->cuts -= sent->flags & SENT_CUT ? 1 : 0;
	list_remove(&sent->of_seq);
	list_remove(&sent->of_time);
	pool_put(&conn->tcp->records, sent);
}

void board_clear(struct tcp_conn *conn)
{
	list_for_each (node, &conn->active->board.by_seq)
		sent_free(conn, sent_of_seq(node));
}

static struct tcp_sent *sent_new(struct tcp_conn *conn, uint32_t start, uint32_t end)
{
	struct tcp_sent *sent = pool_get(&conn->tcp->records);
	if (!sent)
		return NULL;
	*sent = (struct tcp_sent){ .start = start, .end = end };
	list_init(&sent->of_seq);
	list_init(&sent->of_time);
	return sent;
}

int board_push(struct tcp_conn *conn, uint32_t end, uint64_t now)
{
	struct tcp_sent *sent = sent_new(conn, conn->snd_nxt, end);
	if (!sent)
		return -ENOBUFS;
	sent->sent_ns = now;
	list_push_back(&conn->active->board.by_seq, &sent->of_seq);
	list_push_back(&conn->active->board.by_time, &sent->of_time);
	conn->snd_nxt = end;
	return 0;
}

int board_split(struct tcp_conn *conn, struct tcp_sent *sent, uint32_t at)
{
	assert(seq_after(at, sent->start) && seq_before(at, sent->end));
	struct tcp_sent *rest = sent_new(conn, at, sent->end);
	if (!rest) {
		tcp_count(conn->tcp, TCP_COUNT_SPLITS_REFUSED);
		return -ENOBUFS;
	}
	rest->flags = (uint8_t)(sent->flags | SENT_CUT);
	conn->active->board.cuts++;
	rest->sent_ns = sent->sent_ns;
	sent->end = at;
	list_push_front(&sent->of_seq, &rest->of_seq);
	if (!list_is_empty(&sent->of_time))
		list_push_front(&sent->of_time, &rest->of_time);
	return 0;
}

/*
 * How long it took. What was sent twice counts only if the peer echoes the timestamp of the
 * last sending (Karn's rule, and RFC 7323, 4.1 where it need not hold); and what such a segment
 * fills the gap for has arrived long before its ACK, so its time says nothing.
 */
static void sample(const struct tcp_conn *conn, const struct tcp_sent *sent,
		   struct tcp_delivery *d, uint64_t now)
{
	bool is_again = sent->flags & SENT_AGAIN;
	bool is_echoed = d->ts_ecr != 0 &&
			 !seq_before(d->ts_ecr, tcp_timestamp(conn, sent->sent_ns));
	if (is_again)
		d->rtt_ns = is_echoed ? now - sent->sent_ns : 0;
	else if (!d->again_acked)
		d->rtt_ns = now - sent->sent_ns;
	d->again_acked |= is_again;
}

/* The record has arrived: what that says about time and order. */
static void delivered(struct tcp_conn *conn, const struct tcp_sent *sent,
		      struct tcp_delivery *d, uint64_t now)
{
	d->delivered += sent_len(sent);
	sample(conn, sent, d, now);
	rack_delivered(conn, sent, d, now);
}

void board_ack(struct tcp_conn *conn, uint32_t ack, struct tcp_delivery *d, uint64_t now)
{
	list_for_each (node, &conn->active->board.by_seq) {
		struct tcp_sent *sent = sent_of_seq(node);
		if (!seq_before(sent->start, ack))
			break;
		struct tcp_sent part = *sent;
		part.end = seq_min(sent->end, ack);
		if (!(sent->flags & SENT_SACKED))
			delivered(conn, &part, d, now);
		if (seq_after(sent->end, ack)) {
			uncount(&conn->active->board, sent, sent_len(&part));
			sent->start = ack;
			break;
		}
		sent_free(conn, sent);
	}
	d->acked = ack - conn->snd_una;
	conn->snd_una = ack;
}

/* Joins a sacked record to the one before it, if that is sacked as well. */
static struct tcp_sent *join_before(struct tcp_conn *conn, struct tcp_sent *sent)
{
	if (sent->of_seq.prev == &conn->active->board.by_seq)
		return sent;
	struct tcp_sent *before = sent_of_seq(sent->of_seq.prev);
	if (!(before->flags & SENT_SACKED))
		return sent;
	before->end = sent->end;
	before->flags |= sent->flags & SENT_AGAIN;
	conn->active->board.sacked +=
		sent_len(sent); /* sent_free takes off what is now before's. */
	sent_free(conn, sent);
	return before;
}

static void join_neighbours(struct tcp_conn *conn, struct tcp_sent *sent)
{
	sent = join_before(conn, sent);
	if (sent->of_seq.next == &conn->active->board.by_seq)
		return;
	struct tcp_sent *next = sent_of_seq(sent->of_seq.next);
	if (next->flags & SENT_SACKED)
		(void)join_before(conn, next);
}

static void mark_sacked(struct tcp_conn *conn, struct tcp_sent *sent,
			struct tcp_delivery *d, uint64_t now)
{
	delivered(conn, sent, d, now);
	uncount(&conn->active->board, sent, sent_len(sent));
	list_remove(&sent->of_time);
	sent->flags = (uint8_t)((sent->flags & ~SENT_LOST) | SENT_SACKED);
	conn->active->board.sacked += sent_len(sent);
	d->sacked = true;
	join_neighbours(conn, sent);
}

/* Cuts at the edge of a SACK. False if the record has to stay as it is. */
static bool cut(struct tcp_conn *conn, struct tcp_sent *sent, uint32_t at)
{
	if (!may_cut(conn)) {
		tcp_count(conn->tcp, TCP_COUNT_SPLITS_REFUSED);
		return false;
	}
	return board_split(conn, sent, at) == 0;
}

/* Cuts the record down to what lies in [left, right). False if that cannot be done. */
static bool narrow(struct tcp_conn *conn, struct tcp_sent **sent, uint32_t left,
		   uint32_t right)
{
	if (seq_before((*sent)->start, left)) {
		if (!cut(conn, *sent, left))
			return false;
		*sent = sent_of_seq((*sent)->of_seq.next);
	}
	return !seq_after((*sent)->end, right) || cut(conn, *sent, right);
}

void board_sack(struct tcp_conn *conn, uint32_t left, uint32_t right,
		struct tcp_delivery *d, uint64_t now)
{
	struct list *head = &conn->active->board.by_seq, *node = head->next;
	while (node != head && seq_before(sent_of_seq(node)->start, right)) {
		struct tcp_sent *sent = sent_of_seq(node);
		if (!seq_after(sent->end, left) || (sent->flags & SENT_SACKED)) {
			node = node->next;
			continue;
		}
		if (!narrow(conn, &sent, left, right)) {
			/* The next one may lie in the block whole. */
			node = sent->of_seq.next;
			continue;
		}
		left = sent->end;
		node = sent->of_seq.prev; /* The record may have been joined to others. */
		mark_sacked(conn, sent, d, now);
		node = node == head ? head->next : node;
	}
}

void board_lose(struct tcp_conn *conn, struct tcp_sent *sent)
{
	sent->flags |= SENT_LOST;
	conn->active->board.lost += sent_len(sent);
	list_remove(&sent->of_time);
	list_push_back(&conn->active->board.lost_list, &sent->of_time);
}

void board_lose_all(struct tcp_conn *conn, bool with_sacked)
{
	struct tcp_board *board = &conn->active->board;
	list_for_each (node, &board->by_seq) {
		struct tcp_sent *sent = sent_of_seq(node);
		if ((sent->flags & SENT_SACKED) && !with_sacked)
			continue;
		uncount(board, sent, sent_len(sent));
		sent->flags &= (uint8_t) ~(SENT_SACKED | SENT_LOST);
		board_lose(conn, sent);
	}
}

static bool is_sent_after(struct list *a, struct list *b)
{
	const struct tcp_sent *x = sent_of_time(a), *y = sent_of_time(b);
	return rack_sent_after(x->sent_ns, x->end, y->sent_ns, y->end);
}

/* Moves all from one list into another, both in the order of sending. One walk over each. */
static void merge_by_time(struct list *into, struct list *from)
{
	struct list *pos = into->next, *node;
	while ((node = list_pop_front(from)) != NULL) {
		while (pos != into && !is_sent_after(pos, node))
			pos = pos->next;
		list_insert_before(pos, node);
	}
}

/*
 * Puts a list into the order of sending. It may be in any: a time-out takes segments for lost by
 * their numbers, however often each was sent. So it is merged in runs that grow as a binary
 * counter does, n log n steps for n records; each run has its place among runs by its length.
 */
static void sort_by_time(struct list *records)
{
	struct list runs[RUNS], single, *node;
	for (unsigned i = 0; i < RUNS; i++)
		list_init(&runs[i]);
	list_init(&single);
	while ((node = list_pop_front(records)) != NULL) {
		struct list *carry = &single;
		bool was_empty = false;
		list_push_back(carry, node);
		for (unsigned i = 0; i < RUNS && !was_empty; carry = &runs[i++]) {
			was_empty = list_is_empty(&runs[i]);
			merge_by_time(&runs[i], carry);
		}
	}
	for (unsigned i = 0; i < RUNS; i++)
		merge_by_time(records, &runs[i]);
}

void board_unlose(struct tcp_conn *conn)
{
	struct tcp_board *board = &conn->active->board;
	for (struct list *node = board->lost_list.next; node != &board->lost_list;
	     node = node->next) {
		struct tcp_sent *sent = sent_of_time(node);
		uncount(board, sent, sent_len(sent));
		sent->flags &= (uint8_t)~SENT_LOST;
	}
	sort_by_time(&board->lost_list);
	merge_by_time(&board->by_time, &board->lost_list);
}

void board_resent(struct tcp_conn *conn, struct tcp_sent *sent, uint64_t now)
{
	uncount(&conn->active->board, sent, sent_len(sent));
	sent->flags = (uint8_t)((sent->flags & ~(SENT_LOST | SENT_SACKED)) | SENT_AGAIN);
	sent->sent_ns = now;
	list_remove(&sent->of_time);
	list_push_back(&conn->active->board.by_time, &sent->of_time);
}
