/* SPDX-License-Identifier: MIT */
/*
 * Only what a duplex and a gate call: whoever needs more of the face has the real one.
 */
#include "fake_http.h"

#include <assert.h>
#include <string.h>

void http_stream_wake(struct http_stream *stream)
{
	stream->is_woken = true;
}

bool http_stream_send(struct http_stream *stream, const struct socket_piece *pieces,
		      size_t n)
{
	assert(n <= HTTP_PIECES_MAX);
	if (!stream->takes_at_once)
		return false;
	stream->sends++;
	for (size_t i = 0; i < n; i++) {
		assert(pieces[i].len <= sizeof(stream->sent) - stream->sent_len);
		memcpy(stream->sent + stream->sent_len, pieces[i].data, pieces[i].len);
		stream->sent_len += pieces[i].len;
	}
	return true;
}

void http_stream_abort(struct http_stream *stream)
{
	stream->is_aborted = true;
}

const char *http_stream_header(const struct http_stream *stream, const char *name)
{
	assert(strcmp(name, "x-forwarded-for") == 0);
	return stream->forwarded_for;
}

const union weft_sockaddr *http_stream_peer(const struct http_stream *stream)
{
	return &stream->peer;
}
