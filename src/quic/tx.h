/* SPDX-License-Identifier: MIT */
/*
 * Packets on their way out: written back to back into one buffer and sent with as few calls
 * as possible. Packets of one path and one length become one message (UDP_SEGMENT); a
 * shorter one may end it, anything else begins the next:
 *
 *   buf   | 1444 | 1444 | 1444 | 730 | 1444 | 1444 | 60 |
 *   msgs  '------- 3 x 1444 + 730 ---'------ 2 x 1444 + 60
 *
 * Nothing is ever copied. When the socket is full, what has not been sent stays here and
 * nothing more is written until it has gone.
 */
#ifndef QUIC_TX_H
#define QUIC_TX_H

#include "io/dgram.h"

#include <weft/frame.h>

#include <ngtcp2/ngtcp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TX_MSGS_MAX 64u

struct tx {
	uint8_t *buf;
	size_t len;      /**< Bytes used. */
	size_t count;    /**< Messages filled. */
	size_t sent;     /**< Messages that the socket has taken. */
	size_t segments; /**< Datagrams in the last message; 0 when it takes no more. */
	bool any_source; /**< The kernel chooses the source address: path->local is no such. */
	bool is_blocked;           /**< The socket was full. */
	uint64_t packets, batches; /**< All that were sent. */
	struct dgram_msg msgs[TX_MSGS_MAX];
};

/** Returns 0 or -ENOMEM. */
int tx_init(struct tx *tx) WEFT_MUST_CHECK;
void tx_fini(struct tx *tx);

/** Room for one packet of up to len bytes, or NULL when the batch is full. */
uint8_t *tx_room(struct tx *tx, size_t len);

/** Adds the packet of len bytes that was written at tx_room, in order. */
void tx_add(struct tx *tx, const ngtcp2_path *path, size_t len, unsigned ecn,
	    unsigned segments_max);

/** Sends what is there. True when all of it has gone, and the buffer is empty again. */
bool tx_send(struct tx *tx, struct dgram *dgram);

#endif
