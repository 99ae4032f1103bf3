/* SPDX-License-Identifier: MIT */
/*
 * What the users of a library that opens its own sockets have to do with these all the same.
 */
#ifndef IO_SOCKET_H
#define IO_SOCKET_H

#include <weft/addr.h>
#include <weft/frame.h>

#include <stddef.h>
#include <stdint.h>

/** Bytes that lie somewhere; borrowed for the call. */
struct socket_piece {
	const uint8_t *data;
	size_t len;
};

/** Most pieces that go at once. */
#define SOCKET_PIECES_MAX 72u

/** Where a socket is bound. Returns 0 or -Exxx. */
int socket_addr(int fd, union weft_sockaddr *ret_addr) WEFT_MUST_CHECK;

/** Why no TCP socket can be bound there: -Exxx; 0 if one can. */
int socket_why_not(const union weft_sockaddr *addr);

/** Whether the peer has ended its way of a connection, or all of it is broken. */
bool socket_has_ended(int fd);

/**
 * Sends the pieces one behind the other, without waiting. Returns how many bytes the socket has
 * taken, -EAGAIN for none now, or -Exxx where the connection is broken.
 */
int socket_send(int fd, const struct socket_piece *pieces, size_t n) WEFT_MUST_CHECK;

/** Ends a connection both ways, and leaves fd open: whoever watches it finds it at its end. */
void socket_break(int fd);

#endif
