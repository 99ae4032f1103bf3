/* SPDX-License-Identifier: MIT */
/*
 * What may be sent now. Three limits hold data back, and each has its own way of being lifted:
 *
 *      the peer's window       SND.UNA + SND.WND        an ACK, or the persist timer's answer
 *      the congestion window   cwnd - in flight         an ACK, or a loss
 *      pacing                  pace_ns                  time
 *
 * and one rule holds back small segments (Nagle, RFC 9293 3.7.4; the sender's side of silly
 * window avoidance, 3.8.6.2.1).
 */
#ifndef STACK_TCP_OUT_H
#define STACK_TCP_OUT_H

#include "stack/tcp_sent.h"

#include <stdbool.h>
#include <stdint.h>

/** Sends what may be sent, an ACK if one is due, and arms the timers for what remains. */
void tcp_output(struct tcp_conn *conn, uint64_t now);

/** Whether data or a FIN waits that has never been sent. */
bool tcp_has_unsent(const struct tcp_conn *conn);

/** Whether what may leave is spread over the round trip. */
bool tcp_is_paced(const struct tcp_conn *conn);

/** Sends one segment of new data, whatever cwnd says, if the window allows. For TLP. */
bool tcp_send_one(struct tcp_conn *conn, uint64_t now);

/** Sends a record again: SYN, data or FIN. */
void tcp_resend(struct tcp_conn *conn, struct tcp_sent *sent, uint64_t now);

/** Sends one byte into a closed window, or as much as one that has opened a little allows. */
void tcp_probe_window(struct tcp_conn *conn, uint64_t now);

/** The window has opened: what the peer had no room for, a probe's byte, goes again at once. */
void tcp_resend_refused(struct tcp_conn *conn, uint64_t now);

#endif
