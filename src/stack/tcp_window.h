/* SPDX-License-Identifier: MIT */
/*
 * The receive window: how much the peer may send. Its right edge moves with what the user reads,
 * never to the left, and only by steps that are worth a segment (RFC 9293, 3.8.6.2.2):
 *
 *               |<------------------- buffer ------------------->|
 *        read   | waits to be read |       may come        |     |  a step: not told yet
 *               '------------------|-----------------------|-----'
 *                               RCV.NXT                rcv_edge
 *
 * The buffer grows with the connection (autotuning): twice of what the user has read in a round
 * trip has to fit, and several times more while that becomes more, or the window and not the
 * network would be what limits the sender.
 */
#ifndef STACK_TCP_WINDOW_H
#define STACK_TCP_WINDOW_H

#include "stack/tcp_conn.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The window field of the next segment; the right edge moves to what it says. */
uint16_t tcp_window_field(struct tcp_conn *conn);

/** The window field of a SYN, which is never scaled. */
uint16_t tcp_window_of_syn(struct tcp_conn *conn);

/** Whether the user has read so much that the peer should be told without a reason. */
bool tcp_window_update_is_due(const struct tcp_conn *conn);

/** The shift that lets the window field express a buffer of max bytes (RFC 7323, 2.3). */
uint8_t tcp_wscale_for(uint32_t max);

/** The user has read n bytes: perhaps the buffer should grow. */
void tcp_window_on_read(struct tcp_conn *conn, size_t n, uint64_t now);

/** Data has come, in order, with those options. */
void tcp_window_on_data(struct tcp_conn *conn, const struct tcp_opts *opts, uint64_t now);

/** Begins with what the configuration says. */
void tcp_window_init(struct tcp_conn *conn);

/** The MSS option of a path: what one packet holds without IP and TCP headers (RFC 6691). */
uint16_t tcp_mss_of_path(const struct ip_path *path, const struct tcp_flow *flow);

#endif
