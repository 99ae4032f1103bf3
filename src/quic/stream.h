/* SPDX-License-Identifier: MIT */
/*
 * What one side still has to say on its streams. ngtcp2 sends and resends straight from the
 * sender's memory, so bytes stay where they are until the peer has acknowledged them:
 *
 *        acked            sent             end
 *   -------|////////////////|................|          offsets in the stream
 *          [ chunk ][ chunk ][ chunk ][chunk ]          one per quic_conn_send_stream
 */
#ifndef QUIC_STREAM_H
#define QUIC_STREAM_H

#include "base/list.h"

#include <weft/frame.h>

#include <ngtcp2/ngtcp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Most bytes not yet acknowledged on all streams of a connection. */
#define STREAM_WAITING_MAX 262144u

struct stream {
	struct list node; /**< In struct streams. */
	struct list chunks;
	int64_t id;
	uint64_t start;  /**< Offset of the first byte of the first chunk. */
	uint64_t sent;   /**< Offset of the first byte that ngtcp2 has not taken. */
	uint64_t end;    /**< Offset behind the last byte. */
	bool has_fin;    /**< The stream ends at end ... */
	bool fin_sent;   /**< ... and ngtcp2 knows. */
	bool is_blocked; /**< By the peer's flow control. */
};

/** All streams of a connection. */
struct streams {
	struct list list;
	size_t waiting; /**< Bytes kept. */
};

void streams_init(struct streams *all);

/** Frees all of them. */
void streams_fini(struct streams *all);

/** Adds a stream. Returns 0 or -ENOMEM. */
int stream_new(struct streams *all, struct stream **ret_stream) WEFT_MUST_CHECK;

/** Removes and frees it with all bytes. NULL is allowed. */
void stream_free(struct streams *all, struct stream *s);

/** The stream with this id, or NULL. */
struct stream *stream_find(const struct streams *all, int64_t id);

/**
 * Appends a copy of bytes. Returns 0, -ENOBUFS above STREAM_WAITING_MAX, -ENOMEM, or -EPIPE
 * behind the end.
 */
int stream_append(struct streams *all, struct stream *s, const uint8_t *data, size_t len,
		  bool fin) WEFT_MUST_CHECK;

/** Whether there is something that ngtcp2 could take now. */
bool stream_is_ready(const struct stream *s);

/** Points vecs at what has not been sent. Returns how many, at most n. */
size_t stream_unsent(const struct stream *s, ngtcp2_vec *vecs, size_t n);

/** ngtcp2 has taken len more bytes, and the end if all have been taken. */
void stream_on_sent(struct stream *s, size_t len);

/** Everything before offset has arrived: its memory is freed. */
void stream_on_acked(struct streams *all, struct stream *s, uint64_t offset);

/** Nothing more can be sent (the peer does not want it). */
void stream_on_stop(struct stream *s);

#endif
