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
	bool is_apart; /**< What is sent shares no segment with what follows. */
	/** Records that GnuTLS has made; those from off to len have yet to go. */
	uint8_t *sealed;
	size_t room, off, len;
	/** Bytes that have been read; GnuTLS has yet to take those from ahead_off to ahead_len. */
	uint8_t *ahead;
	size_t ahead_off, ahead_len;
};

/** session: of that socket, its handshake done; or NULL. Both remain the library's. */
void conduit_open(struct conduit *c, int fd, gnutls_session_t session,
		  enum conduit_ways ways);

/** Forgets what is pending or was read ahead; after that the session is of no use. */
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
 * Reads without waiting. Returns how much, 0 at the end, -EAGAIN for nothing now, or -Exxx. len
 * must be CONDUIT_RECORD at least with TLS, where more may have been read than there is room for
 * (conduit_has_ahead); what is left of that is lost for the library.
 */
int conduit_recv(struct conduit *c, uint8_t *buf, size_t len) WEFT_MUST_CHECK;

/** Whether conduit_recv has more, of which the socket does not tell any more. */
bool conduit_has_ahead(const struct conduit *c);

/** Most bytes of a TLS record (RFC 8446, 5.1). */
#define CONDUIT_RECORD 16384u

#endif
