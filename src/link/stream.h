/* SPDX-License-Identifier: MIT */
/*
 * A link over a stream of bytes: a connected SOCK_STREAM socket, or two pipes, and a
 * framing (wire/framing.h) that divides the stream into frames.
 *
 *     socket --read--> | rest | bytes ...            | --framing--> frames[LINK_BATCH] --> receiver
 *                      '-- one buffer, no copy ------'
 *
 *     frames --> headers into their headroom --> iovec --sendmsg--> socket
 *                                       what does not fit --> backlog --when writable--'
 *
 * One run reads once, as much as there is, and delivers every frame that is whole. What is
 * sent goes out at once, in messages of whole frames of up to 32 KiB: on a UNIX socket such
 * a message enters the socket as one piece or not at all, so that a peer who reads a length
 * and then the frame in one read each (Dolphin of 2020 does) always finds both.
 *
 * A peer that does not read costs its backlog, and then its frames. Its end is noticed when
 * everything that it sent has been read; the link then goes down with a reason.
 */
#ifndef LINK_STREAM_H
#define LINK_STREAM_H

#include "link/link.h"
#include "link/local.h"
#include "wire/framing.h"

#include <stddef.h>
#include <stdint.h>

/** Longest header that a peer can be greeted with before there are frames. */
#define STREAM_FIRST_MAX 512u

struct stream_greeting;

struct stream_greeting_ops {
	/** The stream has begun: says what the peer is to hear unasked. NULL for nothing. */
	void (*begin)(struct stream_greeting *greeting, struct weft_link *link);
	/**
	 * Takes bytes from the beginning of what the peer said, as many as a message of the
	 * greeting has. Returns how many; 0 to be asked again when there are more. Ends the
	 * greeting with stream_link_greeted, or the link with link_end.
	 */
	size_t (*input)(struct stream_greeting *greeting, struct weft_link *link,
			const uint8_t *data, size_t len);
	void (*free)(struct stream_greeting *greeting);
};

/** What goes before the first frame. Embedded in the dialect's own. */
struct stream_greeting {
	const struct stream_greeting_ops *ops;
	uint64_t patience_ns; /**< From the first run on until the link is given up. */
};

struct stream_opts {
	const char *kind; /**< The dialect, for people. */
	struct framing framing;
	uint32_t frame_len_max;           /**< Longest frame that is sent. */
	size_t queue_len;                 /**< Of the backlog in bytes. */
	struct stream_greeting *greeting; /**< NULL for none; goes over to the link. */
	const uint8_t *first; /**< Bytes that were read from the peer already. */
	size_t first_len;     /**< At most STREAM_FIRST_MAX. */
};

/**
 * Makes a link of connected descriptors, which it takes over when it succeeds.
 * Returns 0, -ENOMEM or -Exxx of the poller that pipes need.
 */
int stream_link_new(const struct stream_opts *opts, const struct local_ends *ends,
		    struct weft_link **ret_link) WEFT_MUST_CHECK;

/** Sends bytes that are no frame, as part of a greeting. */
void stream_link_say(struct weft_link *link, const uint8_t *bytes, size_t n);

/** The greeting is over: frames follow, none longer than frame_len_max. */
void stream_link_greeted(struct weft_link *link, uint32_t frame_len_max);

#endif
