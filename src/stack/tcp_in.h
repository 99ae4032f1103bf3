/* SPDX-License-Identifier: MIT */
/*
 * "SEGMENT ARRIVES" (RFC 9293, 3.10.7) for a connection: a row of steps in the RFC's order, each
 * of which either decides how the segment ends or lets it go on to the next.
 *
 *      check_sequence  ->  check_reset  ->  check_syn  ->  check_ack
 *         window, PAWS       RFC 5961       RFC 5961       RFC 5961
 *
 *      ->  hear_peer  ->  take_ack  ->  text  ->  FIN
 *          RFC 7323       tcp_ack.c     tcp_data.c
 *
 * The order is what makes it safe: nothing is believed of a segment whose sequence number does
 * not fit, and nothing of its contents before its acknowledgment fits, too.
 */
#ifndef STACK_TCP_IN_H
#define STACK_TCP_IN_H

#include "stack/tcp_conn.h"
#include "stack/tcp_outcome.h"
#include "stack/tcp_seam.h"

#include <stdbool.h>
#include <stdint.h>

/** A segment in the RFC's terms. Its front and end are cut off as the steps find them old. */
struct tcp_seg {
	uint32_t seq, ack;
	uint32_t wnd; /**< SEG.WND in bytes: scaled, but in a SYN. */
	uint32_t len; /**< Of data in bytes, without SYN and FIN. */
	const uint8_t *data;
	uint16_t flags;
	const struct tcp_rx *rx; /**< Options, ECN. */
};

/** The sequence number behind the segment: SEG.SEQ + SEG.LEN of the RFC. */
static inline uint32_t seg_end(const struct tcp_seg *seg)
{
	return seg->seq + seg->len + !!(seg->flags & TCP_SYN) + !!(seg->flags & TCP_FIN);
}

/** A segment for a connection in any state. */
enum tcp_outcome tcp_conn_input(struct tcp_conn *conn, const struct tcp_rx *rx,
				uint64_t now);

/** The peer's SYN has come to a passive open: SYN-RECEIVED. */
void tcp_begin_passive(struct tcp_conn *conn, uint32_t irs, const struct tcp_opts *opts,
		       uint64_t now);

#endif
