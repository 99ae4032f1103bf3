/* SPDX-License-Identifier: MIT */
/*
 * The control messages of one connection, over its streams.
 *
 *     stream 0     member -> relay: hello;  relay -> member: welcome or reject
 *     any other    one direction, one message
 *
 * Stream 0 is the first bidirectional stream that a client opens (RFC 9000 2.1). Messages on
 * streams of their own do not wait for each other when a packet is lost, and may therefore
 * arrive in another order than they were sent in.
 *
 * Sending never waits: what the peer does not yet allow a stream for is kept, in order, up to
 * a limit, and channel_flush tries again. A peer that takes nothing until the limit is reached
 * is not worth keeping.
 */
#ifndef LAN_CHANNEL_H
#define LAN_CHANNEL_H

#include "base/list.h"
#include "lan/message.h"
#include "quic/quic.h"

#include <weft/error.h>

#include <stdbool.h>
#include <stdint.h>

/** The stream on which a member says hello. */
#define CHANNEL_FIRST 0

/** Most streams with an incomplete message at a time. */
#define CHANNEL_INCOMING_MAX 16u

/** Most bytes that wait for a stream. */
#define CHANNEL_WAITING_MAX 65536u

/** How long to wait before channel_flush is worth another try. */
#define CHANNEL_RETRY_NS 20000000u

struct channel {
	struct quic_conn *conn;
	bool is_relay;
	struct list
		incoming; /**< Streams whose message is incomplete, or that have not ended. */
	uint32_t incoming_n;
	struct list waiting; /**< Frames for which no stream could be opened. */
	size_t waiting_len;  /**< In bytes. */
};

/** Begins the channel of a connection that is_relay's side of the protocol speaks on. */
void channel_init(struct channel *channel, struct quic_conn *conn, bool is_relay);

/** Forgets what is incomplete and what waits. */
void channel_fini(struct channel *channel);

/** Bytes that came on a stream. */
struct channel_input {
	int64_t stream;
	const uint8_t *data;
	size_t len;
	bool fin;
};

/**
 * Takes bytes. Returns 1 and a message for message_fini, 0 when none is complete, or with one
 * sentence in ret_error: -EPROTO where the peer breaks the protocol, -ENOMEM.
 */
int channel_input(struct channel *channel, const struct channel_input *input,
		  struct message *ret_message,
		  struct weft_error *ret_error) WEFT_MUST_CHECK;

/** Sends a message on a stream of its own. Returns 0, -ENOBUFS, -ENOMEM, -EMSGSIZE, -ENOTCONN. */
int channel_send(struct channel *channel, const struct message *message) WEFT_MUST_CHECK;

/** A member's hello: opens the first stream. Returns 0 or as channel_send. */
int channel_open(struct channel *channel, const struct message *message) WEFT_MUST_CHECK;

/** A relay's answer on the first stream. Returns 0 or as channel_send. */
int channel_answer(struct channel *channel,
		   const struct message *message) WEFT_MUST_CHECK;

/** Sends what waits, as far as that is possible. Returns 0 or as channel_send. */
int channel_flush(struct channel *channel) WEFT_MUST_CHECK;

/** True while messages wait for streams. */
static inline bool channel_is_waiting(const struct channel *channel)
{
	return !list_is_empty(&channel->waiting);
}

#endif
