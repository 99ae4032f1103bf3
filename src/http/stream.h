/* SPDX-License-Identifier: MIT */
/*
 * What the streams of both sides have in common; each side's own struct begins with it.
 */
#ifndef HTTP_STREAM_H
#define HTTP_STREAM_H

#include "http/chunks.h"
#include "http/direct.h"
#include "http/http.h"

/** What differs: how a side does what http.h promises. */
struct stream_ops {
	void (*wake)(struct http_stream *stream);
	/** As http_stream_send. */
	bool (*send)(struct http_stream *stream, const struct socket_piece *pieces,
		     size_t n);
	/** is_reading has changed. */
	void (*read)(struct http_stream *stream);
	/** is_aborted has become true. */
	void (*abort)(struct http_stream *stream);
	/** As http_stream_ask; NULL for the client's side. */
	void (*ask)(struct http_stream *stream);
	const char *(*header)(const struct http_stream *stream, const char *name);
};

struct http_stream {
	const struct stream_ops *ops;
	const struct http_stream_events *events; /* NULL: there is nobody to tell. */
	void *user;
	union weft_sockaddr peer;
	unsigned version; /* 0 before the response. */
	bool is_reading;
	bool is_aborted;
};

/** Tells of bytes from the peer. */
void stream_input(struct http_stream *stream, uint8_t *data, size_t len, uint64_t now);

/**
 * The same of a body in chunks, where it lies. Returns 1 at the body's end, 0 before it, -ECANCELED
 * when who was told has aborted the stream, or another -Exxx as chunks_next.
 */
int stream_input_chunks(struct http_stream *stream, struct chunks *chunks, uint8_t *data,
			size_t len, uint64_t now) WEFT_MUST_CHECK;

/** Asks for at most HTTP_OUTPUT_MAX bytes, as output in http_stream_events. */
int stream_output(struct http_stream *stream, uint8_t *buf, size_t len, uint64_t now);

/** Asks for the answer to a PUT, as finish in http_stream_events, which is not NULL. */
size_t stream_finish(struct http_stream *stream, char *buf, size_t len, uint64_t now);

/** To be called again at once, so that others have a turn before; */
#define STREAM_AGAIN 1
/** or after DIRECT_PAUSE_NS, for the path carries as much as it can. */
#define STREAM_FULL  2

/**
 * Sends what is kept, then asks for output and sends that. scratch: HTTP_OUTPUT_MAX bytes
 * of memory for it. Returns STREAM_AGAIN or STREAM_FULL; 0 when there is no more, or the socket
 * takes no more; or what is the end of it: -EPIPE for a body that is whole, any other -Exxx for
 * one that is broken off.
 */
int stream_put_out(struct http_stream *stream, struct direct *direct, uint8_t *scratch,
		   uint64_t now);

/** Tells of the end, and has nobody be told of anything after it. */
void stream_closed(struct http_stream *stream, enum http_end end,
		   const struct weft_error *err, uint64_t now);

#endif
