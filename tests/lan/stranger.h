/* SPDX-License-Identifier: MIT */
/*
 * Someone who speaks QUIC to the relay but no more of our protocol than the test makes him
 * say: a bare connection, with helpers to say the right thing up to the point where it is to
 * be wrong.
 */
#ifndef LAN_STRANGER_H
#define LAN_STRANGER_H

#include "lan/control.h"
#include "lan/message.h"
#include "party.h"
#include "quic/quic.h"

struct stranger {
	struct party *party;
	struct quic_tls *tls;
	struct quic_endpoint *endpoint;
	struct dgram *socket;   /**< The endpoint's. */
	struct quic_conn *conn; /**< NULL after its end. */
	struct quic_close why;  /**< Of the end. */
	bool is_established;
	uint8_t number;
	struct control_reader reader;
	unsigned heard[MESSAGE_TYPES];
	struct welcome welcome; /**< Without the list. */
	struct reject reject;
	uint64_t datagrams;
};

/** Begins to connect from 10.0.2.number, and lets no time pass. */
void stranger_dials(struct stranger *stranger, struct party *party, uint8_t number);

/** stranger_dials, and waits until the handshake is done. */
void stranger_connect(struct stranger *stranger, struct party *party, uint8_t number);

/** Ends without a word. */
void stranger_fini(struct stranger *stranger);

/** A right hello of a client with MAC number, or of the gateway for 0. */
struct hello stranger_hello(const struct stranger *stranger);

/**
 * Opens stream 0 and sends bytes on it (or goes on), and lets no time pass. Returns 0, or what
 * quic_conn_send_stream does.
 */
int stranger_writes(struct stranger *stranger, const void *data, size_t len);

/** Opens stream 0 and sends bytes on it (or goes on), then lets 200 ms pass. */
void stranger_says_bytes(struct stranger *stranger, const void *data, size_t len);

/** The same with a JSON text, framed. */
void stranger_says_json(struct stranger *stranger, const char *json);

/** The same with a message. */
void stranger_says(struct stranger *stranger, const struct message *message);

/** stranger_connect, a right hello, and waits for the welcome. */
void stranger_joins(struct stranger *stranger, struct party *party, uint8_t number);

/** Sends a DATAGRAM and lets 50 ms pass. */
void stranger_sends(struct stranger *stranger, const uint8_t *data, size_t len);

/** The same with another time. */
void stranger_sends_for(struct stranger *stranger, const uint8_t *data, size_t len,
			uint64_t ms);

/** The connection was closed by the relay with that code. */
void assert_closed(const struct stranger *stranger, enum close_code code);

#endif
