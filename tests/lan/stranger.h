/* SPDX-License-Identifier: MIT */
/*
 * Someone who speaks QUIC to the relay but no more of our protocol than he is made to say: a
 * bare connection, with helpers to say the right thing up to the point where it is to be wrong.
 * Nothing here waits: visit.h does that for tests in virtual time.
 */
#ifndef LAN_STRANGER_H
#define LAN_STRANGER_H

#include "lan/control.h"
#include "lan/message.h"
#include "muffle.h"
#include "quic/quic.h"
#include "venue.h"

struct stranger {
	struct venue *venue;
	struct quic_tls *tls;
	struct quic_endpoint *endpoint;
	struct muffle *socket;  /**< The endpoint's. */
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

/** Begins to connect from the venue's socket of that number. */
void stranger_dials(struct stranger *stranger, struct venue *venue, uint8_t number);

/** Ends without a word. */
void stranger_fini(struct stranger *stranger);

/** A right hello of a client with MAC number, or of the gateway for 0. */
struct hello stranger_hello(const struct stranger *stranger);

/** Opens stream 0 and sends bytes on it (or goes on). Returns 0, or as quic_conn_send_stream. */
int stranger_writes(struct stranger *stranger, const void *data, size_t len);

/** The same with a JSON text, framed. */
int stranger_writes_json(struct stranger *stranger, const char *json);

/** Sends a DATAGRAM. Returns 0, or as quic_conn_send_datagram. */
int stranger_throws(struct stranger *stranger, const uint8_t *data, size_t len);

#endif
