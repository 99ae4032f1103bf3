/* SPDX-License-Identifier: MIT */
/*
 * The life of a connection: how it is made, how it changes its state, how it ends.
 *
 *      tcp_conn_new ---> in the table ---> tcp_end ---> dead ---> freed
 *                                                         '-- by tcp_flush, once its user
 *                                                             has closed it as well
 *
 * A connection that has ended stays valid until its user has closed it, and one whose user has
 * closed it stays until it has ended: whichever comes last.
 */
#ifndef STACK_TCP_LIFE_H
#define STACK_TCP_LIFE_H

#include "stack/tcp_conn.h"

#include <weft/frame.h>

#include <stdbool.h>
#include <stdint.h>

/** The numbers that a connection begins with. */
struct tcp_birth {
	struct tcp_flow flow;
	struct ip_path path;
	uint32_t iss;
	uint32_t ts_offset;
};

/** Makes one in CLOSED and puts it into the table; NULL at connections_max or without memory. */
struct tcp_conn *tcp_conn_new(struct tcp *tcp, const struct tcp_birth *birth,
			      uint64_t now);

/** The only place where the state changes. The transition has to be one of tcp_state.h. */
void tcp_set_state(struct tcp_conn *conn, enum tcp_state state);

/** Has the user told at the next flush. */
void tcp_tell(struct tcp_conn *conn, unsigned what);

/** Tells of room to write, where a call has taken less than was offered. */
void tcp_tell_room(struct tcp_conn *conn);

/** Has the user told of an error that does not end it (on_report). */
void tcp_report(struct tcp_conn *conn, int error);

/** It is CLOSED, without a word to the peer. error: 0 or -Exxx, for the user. */
void tcp_end(struct tcp_conn *conn, int error);

/** Sends a reset, and ends it. */
void tcp_abort(struct tcp_conn *conn, int error, uint64_t now);

/** Takes it out of everything that could find it, in its present state, and marks it dead. */
void tcp_bury(struct tcp_conn *conn, int error);

/**
 * Has active there. Whatever is done with a connection from outside (a segment, a call, a timer)
 * begins with this, except that a flush does it for what is on its list. False without memory.
 */
bool tcp_wake(struct tcp_conn *conn, uint64_t now) WEFT_MUST_CHECK;

/** Fires when connections may fall asleep: those that have not needed active for a second. */
void tcp_sleep_fire(struct timer *timer, void *user, uint64_t now);

/** Frees it now. */
void tcp_conn_free(struct tcp_conn *conn);

#endif
