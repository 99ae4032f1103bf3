/* SPDX-License-Identifier: MIT */
/*
 * One peer's two streams, one each way, as a link of IP packets: the same on a server and on a
 * client.
 *
 *     weft_link_send --> outbox -->  duplex_output --> tx stream (GET of a server,
 *                                                                PUT of a client)
 *     receiver <-- records <-- duplex_input <--- rx stream (the other one)
 *
 * Either stream can be missing, end at any byte, or be replaced by a new one, which begins with
 * a whole record: nothing of what was half sent or half read is kept. Who opens streams, and
 * when, is the business of the server or the client around it.
 */
#ifndef TUNNEL_DUPLEX_H
#define TUNNEL_DUPLEX_H

#include "http/http.h"
#include "link/link.h"
#include "tunnel/outbox.h"
#include "tunnel/records.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DUPLEX_NS_PER_S UINT64_C(1000000000)

/** A ping goes out after so long without anything else. */
#define DUPLEX_PING_NS (55 * DUPLEX_NS_PER_S)

/**
 * When the stream from the peer has ended, pings go out for so long: if the peer is gone, and
 * not only its stream, nothing else would show it before the next packet.
 */
#define DUPLEX_PROBE_NS (3 * DUPLEX_NS_PER_S)

/** A stream to the peer that is older than this ends as soon as nothing waits. */
#define DUPLEX_LIFE_NS (3600 * DUPLEX_NS_PER_S)

struct duplex {
	struct weft_link link; /* first: a duplex is a link */
	struct outbox outbox;
	struct records records;
	struct http_stream *tx, *rx; /**< NULL while there is none. */
	uint64_t tx_at, rx_at;       /**< When bytes went or came last, or it began. */
	uint64_t tx_ends;            /**< When tx is to end. */
	uint64_t probe_until;        /**< Pings go out each second until then. */
	bool wants_ping;
	bool is_broken; /**< rx cannot be made sense of any more, and has been broken off. */
	uint64_t tx_pings;
	uint64_t broken; /**< How often that was so. */
};

/** name is for people. */
void duplex_init(struct duplex *s, const char *name);

/** Frees what it holds. Its streams must be gone, or go without another call. */
void duplex_fini(struct duplex *s);

/**
 * The stream to the peer from now on, for life_ns at least. One that was there before gets its
 * end.
 */
void duplex_set_tx(struct duplex *s, struct http_stream *stream, uint64_t life_ns,
		   uint64_t now);

/** The stream from the peer from now on. One that was there before is broken off. */
void duplex_set_rx(struct duplex *s, struct http_stream *stream, uint64_t now);

/** For output of http_stream_events, of any stream that was ever set as tx. */
int duplex_output(struct duplex *s, const struct http_stream *stream, uint8_t *buf,
		  size_t len, uint64_t now);

/** For input, of any stream that was ever set as rx. */
void duplex_input(struct duplex *s, struct http_stream *stream, const uint8_t *data,
		  size_t len, uint64_t now);

/** For closed. Returns whether the stream was one in use, and not one replaced. */
bool duplex_closed(struct duplex *s, const struct http_stream *stream, uint64_t now);

/** Sees to pings and to the stream's age; to be called each second or so. */
void duplex_tick(struct duplex *s, uint64_t now);

#endif
