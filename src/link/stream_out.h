/* SPDX-License-Identifier: MIT */
/*
 * What goes out over a stream of bytes, a socket or a pipe that does not block:
 *
 *     frames --> headers into their headroom --> one message --sendmsg--> socket
 *                                      what does not fit --> backlog --when writable--'
 *
 * A message has whole frames only. What the socket takes of it in part is remembered, so that
 * the peer never sees half a frame without its rest right behind it.
 */
#ifndef LINK_STREAM_OUT_H
#define LINK_STREAM_OUT_H

#include "link/backlog.h"
#include "wire/framing.h"

#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Embedded in a link, which owns the descriptor. */
struct stream_out {
	const struct framing_ops *framing;
	int fd;
	bool is_socket; /**< A pipe knows no sendmsg(2). */
	bool is_broken; /**< The peer reads no more; what it has sent may still be read. */
	struct backlog backlog;
	size_t head_sent; /**< Of the backlog's oldest packet, bytes that are out. */
};

/** Begins to write to fd, with a backlog of about queue_len bytes: more than a frame has. */
void stream_out_init(struct stream_out *out, int fd, const struct framing_ops *framing,
		     size_t queue_len);

/** Forgets what waits. The descriptor stays open. */
void stream_out_fini(struct stream_out *out);

/**
 * Sends what goes out at once, and lets the rest wait as far as there is room. Every frame has
 * a byte at least. Returns how many of the n frames are sent or wait; or -ENOMEM when the rest
 * of a frame that is out in part could not be kept: the stream is of no use any more.
 */
int stream_out_send(struct stream_out *out, const struct weft_frame *frames,
		    size_t n) WEFT_MUST_CHECK;

/**
 * Lets bytes that are no frame wait, until stream_out_flush. Returns 0, -ENOBUFS when there is
 * no room, or -ENOMEM.
 */
int stream_out_say(struct stream_out *out, const uint8_t *bytes,
		   size_t n) WEFT_MUST_CHECK;

/** Sends of what waits as much as the descriptor takes. */
void stream_out_flush(struct stream_out *out);

/** True if something has not been sent, be there a reader or not. */
static inline bool stream_out_has_rest(const struct stream_out *out)
{
	return !backlog_is_empty(&out->backlog);
}

/** True if it is of use to flush once the descriptor is writable. */
static inline bool stream_out_waits(const struct stream_out *out)
{
	return stream_out_has_rest(out) && !out->is_broken;
}

#endif
