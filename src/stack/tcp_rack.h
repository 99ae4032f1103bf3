/* SPDX-License-Identifier: MIT */
/*
 * RACK and TLP (RFC 8985): what is lost is told by time. If something that was sent later has
 * arrived, then what was sent earlier has arrived, is lost, or has been overtaken; and it is
 * overtaken for a short while only, the reordering window.
 *
 *      sent          1    2    3    4    5
 *                    |    |    |    |    |
 *      arrived       x    x         x              4 has arrived, 3 has not
 *
 *      3 is lost when    now >= sent(3) + RTT + reo_wnd
 *
 * That works for retransmissions as well, which no counting of duplicate ACKs does, and does
 * not take reordered segments for lost once reordering has been seen. When the last segments of
 * a flight are lost, nothing arrives after them: a probe, sent after two round trips, makes the
 * peer tell (TLP, section 7).
 *
 * Peers without SACK get the three duplicate ACKs of RFC 6582 instead (tcp_recovery.c).
 */
#ifndef STACK_TCP_RACK_H
#define STACK_TCP_RACK_H

#include "stack/tcp_sent.h"

#include <stdint.h>

/**
 * RACK_sent_after: what ends at a_end was sent after what ends at b_end. In one burst, the
 * sequence number decides.
 */
bool rack_sent_after(uint64_t a_ns, uint32_t a_end, uint64_t b_ns, uint32_t b_end);

/** A record has arrived (6.2, steps 1 to 3). */
void rack_delivered(struct tcp_conn *conn, const struct tcp_sent *sent,
		    const struct tcp_delivery *d, uint64_t now);

/** A duplicate was reported: the reordering window was too small (6.2, step 4). */
void rack_on_dsack(struct tcp_conn *conn);

/**
 * A fast recovery was a mistake: what was late had been overtaken. Timestamps say so a round trip
 * before the DSACK does, which counts as the same event.
 */
void rack_on_needless(struct tcp_conn *conn);

/**
 * Takes for lost what is late (6.2, step 5), and has itself called again when the next record
 * will be. Returns how many bytes are newly lost.
 */
uint32_t rack_detect(struct tcp_conn *conn, uint64_t now);

/** A recovery has ended. */
void rack_recovered(struct tcp_conn *conn);

/** Has a probe sent two round trips from now, if one makes sense (7.2). */
void tlp_schedule(struct tcp_conn *conn, uint64_t now);

/** Sends the probe: new data if there is some, the last segment again if not (7.3). */
void tlp_send(struct tcp_conn *conn, uint64_t now);

/**
 * Looks at an ACK, which has been booked, for what became of the probe (7.4). Returns true if the
 * probe has repaired a loss that nobody else has seen, which is a reason to slow down.
 */
bool tlp_on_ack(struct tcp_conn *conn, const struct tcp_delivery *d, bool is_duplicate);

#endif
