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

/** Whether the peer has ended its way of a connection, or all of it is broken. */
bool socket_has_ended(int fd);

/**
 * Most bytes that wait in a socket behind those that are on their way: more is a queue that
 * nobody can look after; less would leave gaps between one call and the next. In bytes.
 */
#define SOCKET_NOTSENT_MAX 32768

/** A peer that has acknowledged nothing for so long has gone. */
#define SOCKET_SILENCE_MS 60000

/**
 * Makes a TCP connection, or a listener and all that it accepts, one for long streams: what is
 * sent goes at once, little waits in the socket, and a peer that has gone is noticed.
 * congestion: the control that it has (tcp(7), TCP_CONGESTION), NULL for the system's. Returns 0,
 * or, where this cannot be chosen and all else is done: -ENOENT when there is no such one, -EPERM
 * when it is not for everybody, -ENOTSUP.
 */
int socket_tune(int fd, const char *congestion);

/** Bytes of the name of a congestion control, with NUL. */
#define SOCKET_CONGESTION_LEN 16u

/** Whether a connection could have that control; returns as socket_tune. */
int socket_try_congestion(const char *congestion) WEFT_MUST_CHECK;

/**
 * Gives a connection, or a listener and what it accepts from here on, another control: NULL for the
 * system's. What it cannot have leaves it as it is.
 */
void socket_change_congestion(int fd, const char *congestion);

/** From here on what is sent goes at once, whatever was said before. */
void socket_push(int fd);

/** The names that congestion can have, with spaces; as many as there is room for. */
void socket_congestions(char *ret_names, size_t len);

/**
 * Sends the pieces one behind the other, without waiting. Returns how many bytes the socket has
 * taken, -EAGAIN for none now, or -Exxx where the connection is broken.
 */
int socket_send(int fd, const struct socket_piece *pieces, size_t n) WEFT_MUST_CHECK;

/**
 * The same, in segments that share nothing with what follows. Linux adds to what is unsent, without
 * asking how much that is, until a segment of 64 KiB is full; what is sent apart it cannot add to.
 */
int socket_send_apart(int fd, const struct socket_piece *pieces,
		      size_t n) WEFT_MUST_CHECK;

/** Whether a connection would take something now, or tell of its end. */
bool socket_has_room(int fd);

/** Reads without waiting. Returns how much, 0 at the end, -EAGAIN for nothing now, or -Exxx. */
int socket_recv(int fd, uint8_t *buf, size_t len) WEFT_MUST_CHECK;

/**
 * How many bytes have been read from a connection. Returns 0, -EAGAIN where more come too fast to
 * tell, or -Exxx, -ENOTSUP among them.
 */
int socket_taken(int fd, uint64_t *ret_bytes) WEFT_MUST_CHECK;

/** What a TCP connection says of its path. */
struct socket_path {
	uint64_t acked;  /**< Bytes that the peer has acknowledged. */
	uint64_t rtt_ns; /**< Smoothed round trip (RFC 6298); 0 for unknown. */
	bool is_losing;  /**< It makes up for a loss. */
};

/** Asks a connection. Returns 0 or -Exxx, -ENOTSUP among them. */
int socket_path(int fd, struct socket_path *ret_path) WEFT_MUST_CHECK;

/** Bytes that a connection has taken, and its peer has not acknowledged; 0 for unknown. */
size_t socket_under_way(int fd);

/** Ends a connection both ways, and leaves fd open: whoever watches it finds it at its end. */
void socket_break(int fd);

#endif
