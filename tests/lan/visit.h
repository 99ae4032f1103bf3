/* SPDX-License-Identifier: MIT */
/*
 * A stranger at a party in memory: he says something, and time passes until it must have been
 * heard and answered.
 */
#ifndef LAN_VISIT_H
#define LAN_VISIT_H

#include "party.h"
#include "stranger.h"

/** Dials, and waits until the handshake is done. */
void stranger_connect(struct stranger *stranger, struct party *party, uint8_t number);

/** stranger_connect, a right hello, and waits for the welcome. */
void stranger_joins(struct stranger *stranger, struct party *party, uint8_t number);

/** Opens stream 0 and sends bytes on it (or goes on), then lets 200 ms pass. */
void stranger_says_bytes(struct stranger *stranger, const void *data, size_t len);

/** The same with a JSON text, framed. */
void stranger_says_json(struct stranger *stranger, const char *json);

/** The same with a message. */
void stranger_says(struct stranger *stranger, const struct message *message);

/** Sends a DATAGRAM and lets 50 ms pass. */
void stranger_sends(struct stranger *stranger, const uint8_t *data, size_t len);

/** The same with another time. */
void stranger_sends_for(struct stranger *stranger, const uint8_t *data, size_t len,
			uint64_t ms);

/** The connection was closed by the relay with that code. */
void assert_closed(const struct stranger *stranger, enum close_code code);

#endif
