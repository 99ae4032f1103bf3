/* SPDX-License-Identifier: MIT */
/*
 * The body that goes to the peer, straight to the socket: past the library that has made the
 * connection, and without a copy.
 *
 * While a library's transfer is paused, or suspended, between two chunks (RFC 9112, 7.1), it does
 * not write to its socket, and what it will write next begins with another chunk, or with the
 * last one. So whoever writes whole chunks there in between is not noticed by anybody:
 *
 *     head | ..chunk] |  [chunk] [chunk] [chunk]  | [last chunk]
 *      the library's  |  ours, while it is paused |  the library's
 *
 * That is true of HTTP/1.1 alone; where it is encrypted, the chunks are (http/conduit.h). Of a
 * chunk that the socket takes in part only, the rest is kept and goes before anything else, and
 * nothing may be given back to the library before.
 */
#ifndef HTTP_DIRECT_H
#define HTTP_DIRECT_H

#include "base/time.h"
#include "http/conduit.h"
#include "http/window.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Most pieces of a chunk. */
#define DIRECT_PIECES_MAX (SOCKET_PIECES_MAX - 2u)

/** Zero is one that has not begun. */
struct direct {
	struct conduit conduit;
	struct window window; /**< What may be under way to the peer. */
	bool is_open;         /**< The socket is ours. */
	bool is_tight;        /**< It did not take all that it was offered last. */
	uint8_t *rest;        /**< Of a chunk; NULL for none. */
	size_t rest_off, rest_len;
	uint64_t sent; /**< Bytes that the socket, or what encrypts them, has taken. */
};

/** session: what encrypts it, or NULL. */
void direct_open(struct direct *d, int fd, gnutls_session_t session);

/** Forgets a rest that there may be. */
void direct_close(struct direct *d);

/** Whether a rest waits until the socket can be written to. */
bool direct_is_blocked(const struct direct *d);

/**
 * Whether as much is under way as the path carries (http/window.h): nothing more is to be sent for
 * DIRECT_PAUSE_NS, as nothing tells of what is acknowledged.
 */
bool direct_is_full(struct direct *d, uint64_t now);

#define DIRECT_PAUSE_NS NS_PER_MS

/** So many bytes are to be offered at once: what is kept here, nobody can reorder any more. */
size_t direct_room(const struct direct *d);

/**
 * Sends the pieces as a chunk, and keeps what the socket does not take of them; nothing may be
 * kept from before. Returns 0, or -Exxx where the connection is broken, or -ENOMEM.
 */
int direct_send(struct direct *d, const struct socket_piece *pieces,
		size_t n) WEFT_MUST_CHECK;

/** The same, but with -EAGAIN, and nothing is kept, where the socket takes nothing at all. */
int direct_try(struct direct *d, const struct socket_piece *pieces,
	       size_t n) WEFT_MUST_CHECK;

/** Sends what is kept. Returns 0 when that is all sent, -EAGAIN, or -Exxx as above. */
int direct_flush(struct direct *d) WEFT_MUST_CHECK;

#endif
