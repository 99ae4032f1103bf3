/* SPDX-License-Identifier: MIT */
/*
 * The socket of a connection that a library has made, with its TLS session if it has one: what
 * goes through here goes past the library, which is at rest meanwhile.
 *
 *     plain   pieces ------------------------------------------> socket
 *     TLS     pieces --> records of 16 KiB --> GnuTLS -- all --> socket
 *
 * The library has told GnuTLS how to read and write, by functions that may only be called from
 * within its own. A conduit puts others in their place, which need the descriptor alone whenever
 * the library may call them: nothing has to be undone, whatever becomes of either.
 */
#ifndef HTTP_CONDUIT_H
#define HTTP_CONDUIT_H

#include "io/socket.h"

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Which ways of a session are taken from its library. */
enum conduit_ways {
	CONDUIT_OUT,  /**< What is sent; the library goes on reading. */
	CONDUIT_BOTH, /**< What is read as well, and so all. */
};

struct conduit {
	int fd;
	gnutls_session_t session; /**< NULL: nothing encrypts what goes through. */
	uint8_t *
		sealed; /**< Records, from off to len of which have yet to go; NULL for none. */
	size_t room, off, len;
};

/** session: of that socket, its handshake done; or NULL. Both remain the library's. */
void conduit_open(struct conduit *c, int fd, gnutls_session_t session,
		  enum conduit_ways ways);

/** Forgets what is pending. The session should not be used for sending then. */
void conduit_close(struct conduit *c);

/**
 * Sends the pieces one behind the other, without waiting. Returns how many bytes have been taken,
 * some of which may be pending; -EAGAIN for none now, or -Exxx where the connection is broken.
 */
int conduit_send(struct conduit *c, const struct socket_piece *pieces,
		 size_t n) WEFT_MUST_CHECK;

/** Whether something has been taken and has yet to go. */
bool conduit_is_pending(const struct conduit *c);

/** Sends what is pending. Returns 0 when nothing is any more, -EAGAIN, or -Exxx as above. */
int conduit_flush(struct conduit *c) WEFT_MUST_CHECK;

/**
 * Reads without waiting. Returns how much, 0 at the end, -EAGAIN for nothing now, or -Exxx. With
 * TLS, len should be CONDUIT_RECORD at least: what stays behind, the socket does not tell of.
 */
int conduit_recv(const struct conduit *c, uint8_t *buf, size_t len) WEFT_MUST_CHECK;

/** Most bytes of a TLS record (RFC 8446, 5.1). */
#define CONDUIT_RECORD 16384u

#endif
