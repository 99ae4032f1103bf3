/* SPDX-License-Identifier: MIT */
/*
 * Moves the bytes of one stream between a socket of this machine and a TCP connection of a
 * stack, in both directions, until both have ended.
 *
 *     program --- socket --- [ to_room -> ] --- weft_tcp --- the room
 *                            [ <- to_host ]
 *
 * Each direction holds at most one chunk, and reads no more while that is not gone: so who
 * reads slowly at one end slows down who writes at the other. The end of one direction is
 * passed on (FIN), and the other goes on; what breaks one side resets the other.
 *
 * What comes from the socket is lent to the stack as it lies, unless it is little; what comes
 * from the stack goes from one buffer into the socket. Nothing is kept while nothing moves.
 */
#ifndef SERVICE_PUMP_H
#define SERVICE_PUMP_H

#include <weft/loop.h>
#include <weft/tcp.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pump;

/** What a pump tells its owner. Never from within a call to the pump but pump_start. */
struct pump_events {
	/** The connection in the room is made; pump_start is to be called. NULL: starts at once. */
	void (*on_connected)(void *user, uint64_t now);
	/**
	 * Over: the socket and the connection are closed (or, before pump_start, only the
	 * connection: the socket is the owner's). error is 0 or -Exxx. The owner may free it.
	 */
	void (*on_end)(void *user, int error, uint64_t now);
};

/** Bytes data[off] ... data[len - 1] that could not go on yet; data is NULL for none. */
struct pump_chunk {
	uint8_t *data;
	size_t off, len;
};

struct pump {
	struct weft_task task; /* of the socket, which is task.fd */
	struct weft_loop *loop;
	struct weft_tcp *tcp; /* NULL: none yet, or no more */
	const struct pump_events *events;
	void *user;
	struct pump_chunk to_room, to_host;
	uint64_t retry_at;  /* the stack had no memory; WEFT_NEVER */
	bool is_started;    /* bytes may move */
	bool is_connecting; /* the socket's connection is under way */
	bool room_blocked;  /* on_writable is awaited */
	bool host_ended;    /* the program has said all, and so have we to the room */
	bool room_ended,
		is_quiet; /* the room has said all; and so have we to the program */
	bool room_over;   /* on_closed was called */
};

/** Makes an idle pump with the socket fd, which is connected or (is_connecting) about to be. */
void pump_init(struct pump *pump, struct weft_loop *loop, int fd, bool is_connecting,
	       const struct pump_events *events, void *user);

/** The options with which its connection is to be made or accepted. */
struct weft_tcp_opts pump_tcp_opts(struct pump *pump);

/**
 * Takes over a connection that was made or accepted with those options. Starts at once unless
 * there is an on_connected. Returns 0 or -Exxx of the loop; then nothing was taken over.
 */
int pump_attach(struct pump *pump, struct weft_tcp *tcp, uint64_t now) WEFT_MUST_CHECK;

/**
 * Begins to move bytes, of which the first (len may be 0) have been read from the socket
 * already. Returns 0, -ENOMEM, or -Exxx of the loop; then all is as before.
 */
int pump_start(struct pump *pump, const void *data, size_t len,
	       uint64_t now) WEFT_MUST_CHECK;

/** Ends it at once, with a reset on both sides, and calls nothing. */
void pump_abort(struct pump *pump, uint64_t now);

#endif
