/* SPDX-License-Identifier: MIT */
/*
 * The control messages of one connection: stream 0, the first bidirectional stream that a
 * client opens (RFC 9000 2.1), open as long as the connection is.
 *
 *     member ---> hello, then stats, disconnect           ---> relay
 *     member <--- welcome or reject, then peer-joined ...  <--- relay
 *
 * One stream keeps the messages in order, so that what a member knows of its room is always
 * what was true at some moment. A stream for each message would not only give that up: ngtcp2
 * 0.12 never forgets a receive-only stream, so that a peer could make the other side grow.
 *
 * Sending never waits. What the peer does not take is kept by QUIC up to a limit, and a peer
 * that has reached it is not worth keeping.
 */
#ifndef LAN_CHANNEL_H
#define LAN_CHANNEL_H

#include "lan/control.h"
#include "lan/message.h"
#include "quic/quic.h"

#include <weft/error.h>

#include <stdbool.h>
#include <stdint.h>

/** The stream of all control messages. */
#define CHANNEL_STREAM 0

struct channel {
	struct quic_conn *conn;
	struct control_reader reader;
};

/** Begins the channel of a connection. Needs channel_fini. */
void channel_init(struct channel *channel, struct quic_conn *conn);

/** Forgets what is incomplete. */
void channel_fini(struct channel *channel);

/**
 * Takes what came on a stream; its bytes are borrowed until channel_next has returned less than
 * 1. Returns 0, or -EPROTO with ret_error for a stream that the protocol has no use for.
 */
int channel_feed(struct channel *channel, const struct quic_stream_input *input,
		 struct weft_error *ret_error) WEFT_MUST_CHECK;

/**
 * The next message that is complete. Returns 1 and a message for message_fini, 0 when there
 * is none, or with one sentence in ret_error: -EPROTO where the peer breaks the protocol,
 * -ENOMEM. What is fed but not asked for is forgotten by channel_fini.
 */
int channel_next(struct channel *channel, struct message *ret_message,
		 struct weft_error *ret_error) WEFT_MUST_CHECK;

/** A member's first message, its hello: opens the stream. Returns 0 or as channel_send. */
int channel_open(struct channel *channel, const struct message *message) WEFT_MUST_CHECK;

/**
 * Sends a message. Returns 0, -ENOBUFS when the peer has taken too little for too long,
 * -ENOMEM, -EMSGSIZE, -ENOTCONN, -ENOENT when there is no stream yet.
 */
int channel_send(struct channel *channel, const struct message *message) WEFT_MUST_CHECK;

#endif
