/* SPDX-License-Identifier: MIT */
/*
 * The text of a segment and its FIN: the seventh and eighth step of RFC 9293, 3.10.7.4.
 *
 *      in order      goes to the user's queue, with all early blocks that it reaches
 *      early         goes to the reassembly, and is reported by an ACK at once (RFC 5681, 4.2)
 *      old           is cut off
 *
 * When an ACK is due: at once for what is early, fills a gap, or ends the stream; for every
 * second full-sized segment; otherwise after ack_delay_ms (RFC 9293, 3.8.6.3).
 */
#ifndef STACK_TCP_DATA_H
#define STACK_TCP_DATA_H

#include "stack/tcp_in.h"

#include <stdint.h>

/** Takes the text. A step of tcp_in.c. */
enum tcp_outcome tcp_take_text(struct tcp_conn *conn, struct tcp_seg *seg, uint64_t now);

/** Takes the FIN. A step of tcp_in.c. */
enum tcp_outcome tcp_take_fin(struct tcp_conn *conn, struct tcp_seg *seg, uint64_t now);

#endif
