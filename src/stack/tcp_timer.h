/* SPDX-License-Identifier: MIT */
/*
 * What is due, and what happens then. A connection has up to seven things that are due at a
 * time (enum tcp_due) and one timer in the wheel, armed for the earliest of them or for a time
 * before that: putting a time off, which each ACK does to the retransmission, costs nothing
 * until the timer fires and finds that it is too early.
 */
#ifndef STACK_TCP_TIMER_H
#define STACK_TCP_TIMER_H

#include "stack/tcp_conn.h"

#include <stdbool.h>
#include <stdint.h>

/** Nothing is due. */
void tcp_due_init(struct tcp_conn *conn);

/** Has it happen at a time in ns, instead of any other; TCP_NOT_DUE: not at all. */
void tcp_due_set(struct tcp_conn *conn, enum tcp_due what, uint64_t at);

static inline void tcp_due_clear(struct tcp_conn *conn, enum tcp_due what)
{
	conn->due[what] = TCP_NOT_DUE;
}

static inline bool tcp_is_due(const struct tcp_conn *conn, enum tcp_due what)
{
	return conn->due[what] != TCP_NOT_DUE;
}

/**
 * Something that was due first may have been cleared, or put off: the timer is set anew. Without
 * it, it fires for nothing; with ten thousand connections that is once for each message.
 */
void tcp_due_settle(struct tcp_conn *conn);

/** Nothing is due any more. */
void tcp_due_clear_all(struct tcp_conn *conn);

/** The retransmission time-out or the persist timer, as the connection stands after output. */
void tcp_arm_retransmission(struct tcp_conn *conn, uint64_t now);

/** Something new was acknowledged (RFC 6298, 5.3): the time-out begins anew. */
void tcp_restart_retransmission(struct tcp_conn *conn, uint64_t now);

/**
 * What SND.UNA waits for has been sent again: it has the whole time-out from now on, or it would be
 * sent a third time while it is under way (RFC 6675, 6, the careful variant). How long the peer has
 * acknowledged nothing does not change by that.
 */
void tcp_postpone_retransmission(struct tcp_conn *conn, uint64_t now);

/** Begins or ends waiting for a sign of life, according to state and keep-alive option. */
void tcp_arm_quiet(struct tcp_conn *conn, uint64_t now);

#endif
