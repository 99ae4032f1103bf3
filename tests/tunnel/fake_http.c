/* SPDX-License-Identifier: MIT */
/*
 * Only what a duplex calls: whoever needs more of the face has the real one.
 */
#include "fake_http.h"

void http_stream_wake(struct http_stream *stream)
{
	stream->is_woken = true;
}

void http_stream_abort(struct http_stream *stream)
{
	stream->is_aborted = true;
}
