/* SPDX-License-Identifier: MIT */
/*
 * A stream in the hands of its user: each call is handed on to the side that the stream is of.
 */
#include "http/stream.h"

#include <assert.h>
#include <errno.h>

void http_stream_wake(struct http_stream *stream)
{
	stream->ops->wake(stream);
}

void http_stream_read(struct http_stream *stream, bool on)
{
	if (stream->is_reading == on)
		return;
	stream->is_reading = on;
	stream->ops->read(stream);
}

void http_stream_abort(struct http_stream *stream)
{
	if (stream->is_aborted)
		return;
	stream->is_aborted = true;
	stream->ops->abort(stream);
}

const char *http_stream_header(const struct http_stream *stream, const char *name)
{
	return stream->ops->header(stream, name);
}

unsigned http_stream_version(const struct http_stream *stream)
{
	return stream->version;
}

const union weft_sockaddr *http_stream_peer(const struct http_stream *stream)
{
	return &stream->peer;
}

/* ---- For the sides ---- */

void stream_input(struct http_stream *stream, const uint8_t *data, size_t len,
		  uint64_t now)
{
	if (stream->events && stream->events->input)
		stream->events->input(stream->user, stream, data, len, now);
}

int stream_output(struct http_stream *stream, uint8_t *buf, size_t len, uint64_t now)
{
	if (!stream->events || !stream->events->output)
		return -EPIPE;
	if (len > HTTP_OUTPUT_MAX)
		len = HTTP_OUTPUT_MAX;
	int r = stream->events->output(stream->user, stream, buf, len, now);
	assert(r <= (int)len);
	return r;
}

void stream_closed(struct http_stream *stream, enum http_end end,
		   const struct weft_error *err, uint64_t now)
{
	const struct http_stream_events *events = stream->events;
	const struct weft_error none = { .text = "" };
	stream->events = NULL;
	if (events && events->closed)
		events->closed(stream->user, stream, end, err ? err : &none, now);
}
