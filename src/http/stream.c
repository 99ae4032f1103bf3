/* SPDX-License-Identifier: MIT */
/*
 * A stream in the hands of its user: each call is handed on to the side that the stream is of.
 */
#include "http/stream.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* A stream is asked so often before others have a turn. */
#define OUTPUTS_MAX 4u

void http_stream_wake(struct http_stream *stream)
{
	stream->ops->wake(stream);
}

bool http_stream_send(struct http_stream *stream, const struct socket_piece *pieces,
		      size_t n)
{
	return !stream->is_aborted && stream->ops->send(stream, pieces, n);
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

void http_stream_ask(struct http_stream *stream)
{
	stream->ops->ask(stream);
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

/* ---- for the sides ----------------------------------------------------------------------- */

void stream_input(struct http_stream *stream, uint8_t *data, size_t len, uint64_t now)
{
	if (stream->events && stream->events->input)
		stream->events->input(stream->user, stream, data, len, now);
}

int stream_input_chunks(struct http_stream *stream, struct chunks *chunks, uint8_t *data,
			size_t len, uint64_t now)
{
	int r = 0;
	for (size_t off = 0; off < len && r == 0;) {
		struct chunks_part part;
		r = chunks_next(chunks, data + off, len - off, &part);
		if (r < 0)
			return r;
		if (part.len > 0)
			stream_input(stream, data + off + part.skip, part.len, now);
		if (stream->is_aborted)
			return -ECANCELED;
		off += part.skip + part.len;
	}
	return r;
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

size_t stream_finish(struct http_stream *stream, char *buf, size_t len, uint64_t now)
{
	size_t n = stream->events->finish(stream->user, stream, buf, len, now);
	assert(n <= len);
	return n;
}

/* Returns how much there was to send; 0 for nothing; or -Exxx. */
static int ask_and_send(struct http_stream *stream, struct direct *direct,
			uint8_t *scratch, uint64_t now)
{
	int len = stream_output(stream, scratch, direct_room(direct), now);
	if (len <= 0)
		return len;
	const struct socket_piece piece = { scratch, (size_t)len };
	int r = direct_send(direct, &piece, 1);
	return r < 0 ? -ECONNRESET : len;
}

int stream_put_out(struct http_stream *stream, struct direct *direct, uint8_t *scratch,
		   uint64_t now)
{
	int r = direct_flush(direct);
	if (r < 0)
		return r == -EAGAIN ? 0 : -ECONNRESET;
	for (unsigned i = 0; i < OUTPUTS_MAX; i++) {
		if (direct_is_full(direct, now))
			return STREAM_FULL;
		r = ask_and_send(stream, direct, scratch, now);
		if (r <= 0 || stream->is_aborted)
			return stream->is_aborted ? -ECANCELED : r;
		if (direct_is_blocked(direct))
			return 0;
	}
	return STREAM_AGAIN;
}

int http_check_congestion(const char *congestion, struct weft_error *err)
{
	char names[128];
	int r = congestion ? socket_try_congestion(congestion) : 0;
	switch (r) {
	case 0:
		return 0;
	case -ENOENT:
		socket_congestions(names, sizeof(names));
		return weft_error_set(
			err, r,
			"this system has no congestion control \"%s\", but %s; "
			"others are modules (`sudo modprobe tcp_%s`)",
			congestion, names, congestion);
	case -EPERM:
		return weft_error_set(
			err, r,
			"congestion control \"%s\" needs CAP_NET_ADMIN, or "
			"its name in net.ipv4.tcp_allowed_congestion_control",
			congestion);
	default:
		return weft_error_set(err, r, "congestion control \"%s\": %s", congestion,
				      strerror(-r));
	}
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
