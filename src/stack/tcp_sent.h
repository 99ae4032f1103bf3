/* SPDX-License-Identifier: MIT */
/*
 * The scoreboard: a record for each segment or super-segment that has been sent and not been
 * acknowledged.
 *
 *      SND.UNA                                                        SND.NXT
 *         | under way |  lost   |   sacked   | under way | under way  |
 *         '-----------'---------'------------'-----------'------------'
 *
 *      under way    on by_time, in the order of sending; sent_ns says when
 *      lost         on lost_list, to be sent again
 *      sacked       has arrived out of order; neighbours are joined into one record
 *
 * Records cover [SND.UNA, SND.NXT) without gaps. One is cut in two where an ACK or SACK ends
 * in its middle, which a super-segment of 64 KiB must allow for. A peer who SACKs every second
 * byte (CVE-2019-11477 and -11478) costs a known amount of memory and of walking, and no more,
 * and of its own connection only: SACKs may make twice as many cuts as there are segments under
 * way, and a few. Then a record of which a part has arrived counts as not arrived.
 */
#ifndef STACK_TCP_SENT_H
#define STACK_TCP_SENT_H

#include "stack/tcp_conn.h"

#include <weft/frame.h>

#include <stdbool.h>
#include <stdint.h>

#define SENT_SACKED 0x1u /**< The peer has it. */
#define SENT_LOST   0x2u /**< Taken for lost. */
#define SENT_AGAIN  0x4u /**< Has been sent more than once. */
#define SENT_CUT    0x8u /**< Was cut off the end of another; counted in cuts. */

struct tcp_sent {
	struct list of_seq;
	struct list of_time; /**< On by_time or lost_list, or by itself if sacked. */
	uint64_t sent_ns;    /**< The last time. */
	uint32_t start, end;
	uint8_t flags;
};

/** What an ACK has told: the sums over all records that it has settled. */
struct tcp_delivery {
	uint32_t acked; /**< Bytes that SND.UNA moved on. */
	/** Bytes that are known to have arrived since the last ACK. */
	uint32_t delivered;
	uint32_t fresh_lost; /**< Bytes newly taken for lost. */
	uint64_t rtt_ns;     /**< Of the latest segment of which it is known; 0: none. */
	uint32_t ts_ecr;     /**< Of the ACK; 0: none. */
	bool by_sack;        /**< What is being settled lies beyond what is missing. */
	bool sacked;         /**< A SACK told something new. */
	bool dsack;          /**< The ACK reports a duplicate (RFC 2883), ... */
	struct tcp_sack duplicate; /**< ... which is this. */
	bool again_acked;          /**< Something that was sent twice has arrived. */
};

void board_init(struct tcp_board *board);

/** Frees all records. */
void board_clear(struct tcp_conn *conn);

/** Adds [SND.NXT, end) as sent at now, and moves SND.NXT. Returns 0 or -ENOBUFS. */
int board_push(struct tcp_conn *conn, uint32_t end, uint64_t now) WEFT_MUST_CHECK;

/** Settles all before ack, and moves SND.UNA. */
void board_ack(struct tcp_conn *conn, uint32_t ack, struct tcp_delivery *d, uint64_t now);

/** Settles [left, right) as far as it is not, and records can be cut at its edges. */
void board_sack(struct tcp_conn *conn, uint32_t left, uint32_t right,
		struct tcp_delivery *d, uint64_t now);

/** Takes a record that is under way for lost. */
void board_lose(struct tcp_conn *conn, struct tcp_sent *sent);

/** Takes all for lost, also what was sacked if the peer may have forgotten it. */
void board_lose_all(struct tcp_conn *conn, bool with_sacked);

/** Nothing is lost after all: it goes back to being under way. */
void board_unlose(struct tcp_conn *conn);

/** Cuts the record, so that it ends at the given number. Returns 0 or -ENOBUFS. */
int board_split(struct tcp_conn *conn, struct tcp_sent *sent,
		uint32_t at) WEFT_MUST_CHECK;

/** The record has been sent again at now; if it was sacked, the peer had not kept it. */
void board_resent(struct tcp_conn *conn, struct tcp_sent *sent, uint64_t now);

static inline struct tcp_sent *sent_of_seq(struct list *node)
{
	return container_of(node, struct tcp_sent, of_seq);
}

static inline struct tcp_sent *sent_of_time(struct list *node)
{
	return container_of(node, struct tcp_sent, of_time);
}

/** What is to be sent again next, or NULL. */
static inline struct tcp_sent *board_first_lost(const struct tcp_conn *conn)
{
	struct list *node = list_first(&conn->active->board.lost_list);
	return node ? sent_of_time(node) : NULL;
}

/** The record at SND.UNA, or NULL. */
static inline struct tcp_sent *board_first(const struct tcp_conn *conn)
{
	struct list *node = list_first(&conn->active->board.by_seq);
	return node ? sent_of_seq(node) : NULL;
}

static inline uint32_t sent_len(const struct tcp_sent *sent)
{
	return sent->end - sent->start;
}

/** Bytes that are believed to be in the network ("pipe", RFC 6675). */
static inline uint32_t board_in_flight(const struct tcp_conn *conn)
{
	return conn->snd_nxt - conn->snd_una - conn->active->board.sacked -
	       conn->active->board.lost - conn->active->recovery.reno_sacked;
}

#endif
