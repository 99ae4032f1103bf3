/* SPDX-License-Identifier: MIT */
/*
 * What an acceptable acknowledgment says: what has arrived, how long that took, how much the
 * peer can take. The fifth step of RFC 9293, 3.10.7.4, and the part of TCP that has grown most
 * since it was written; the connection's state does not matter here.
 */
#ifndef STACK_TCP_ACK_H
#define STACK_TCP_ACK_H

#include "stack/tcp_in.h"

#include <stdint.h>

/** Books the segment's ACK, SACKs and window. SND.UNA - window <= SEG.ACK <= SND.NXT. */
void tcp_on_ack(struct tcp_conn *conn, const struct tcp_seg *seg, uint64_t now);

#endif
