/* SPDX-License-Identifier: MIT */
/*
 * Recovery: what follows from a loss. Three phases, and the reasons to go from one to another:
 *
 *                    something is lost                      SND.UNA reaches point
 *           .------------------------------> RECOVERY ------------------.
 *         OPEN <--------------------------------------------------------'
 *           '------------------------------> LOSS ----------------------'
 *                    the timer has fired                    likewise
 *
 *  RECOVERY   cwnd follows what is delivered, so that as much leaves as arrives, until it is
 *             down at ssthresh: Proportional Rate Reduction (RFC 6937, with the safe-ACK rule
 *             of RFC 9937).
 *  LOSS       all that is under way is taken for lost, and sent again in slow start.
 *
 * A reduction that turns out to have been for nothing is undone: because the peer's timestamp
 * says that it is the original that arrived (Eifel, RFC 3522 and 4015), or because it reports
 * each byte that was sent again as a duplicate (RFC 2883, 3708). The last report of those comes
 * after the recovery as a rule: what was late has ended it, a round trip before what was sent again
 * arrives. So a reduction can be undone until there is another.
 */
#ifndef STACK_TCP_RECOVERY_H
#define STACK_TCP_RECOVERY_H

#include "stack/tcp_sent.h"

#include <stdbool.h>
#include <stdint.h>

/** Nothing is under way, and nothing has been learnt. */
void recovery_init(struct tcp_conn *conn);

/** An ACK has been booked: d says what it told, is_duplicate that it told nothing. */
void recovery_on_ack(struct tcp_conn *conn, struct tcp_delivery *d, bool is_duplicate,
		     uint64_t now);

/** RACK's timer: what was only late is lost by now. */
void recovery_on_reorder_due(struct tcp_conn *conn, uint64_t now);

/** The retransmission timer has fired. */
void recovery_on_timeout(struct tcp_conn *conn, uint64_t now);

/**
 * The network has marked a segment (RFC 3168): reduce once per round trip. acked: bytes that were
 * under way until the ACK that tells of it.
 */
void recovery_on_mark(struct tcp_conn *conn, uint32_t acked, uint64_t now);

/** The path carries less than what is under way: it is sent again, and no sign of congestion. */
void recovery_on_smaller_mss(struct tcp_conn *conn);

/** Something has been sent, new or again. */
void recovery_on_sent(struct tcp_conn *conn, uint32_t bytes, bool is_again, uint64_t now);

#endif
