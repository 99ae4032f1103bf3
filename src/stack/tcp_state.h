/* SPDX-License-Identifier: MIT */
/*
 * The states of a connection (RFC 9293, 3.3.2) and the ways between them.
 *
 *                                  CLOSED
 *             passive open ---------'  '--------- active open: send SYN
 *                  v                                  v
 *               LISTEN                             SYN-SENT
 *                  '-- SYN: send SYN,ACK              |  '-- SYN, simultaneous open
 *                            v                        |        : send SYN,ACK
 *                        SYN-RECEIVED <---------------+--------'
 *                            '-- ACK ---.   .---------'   SYN,ACK: send ACK
 *                                       v   v
 *          .---- close: send FIN ---- ESTABLISHED ---- FIN: send ACK ----.
 *          v                                                             v
 *      FIN-WAIT-1 -- FIN: send ACK --> CLOSING                      CLOSE-WAIT
 *          |  '-- FIN and ACK: -------.   |                              | close: send FIN
 *          '- ACK                     |   '- ACK                         v
 *          v                          v   v                          LAST-ACK
 *      FIN-WAIT-2 -- FIN: send ACK --> TIME-WAIT -- 2 MSL --> CLOSED <---'  ACK
 *
 * What a state allows is asked for by name, so that no other file lists states.
 *
 * LISTEN is a listener and never a connection. A passive open is in SYN-RECEIVED as a small
 * record (tcp_syn.h) and becomes a connection when its ACK comes. TIME-WAIT is a small record
 * too (tcp_timewait.h); the connection object may live on without being in the table, for its
 * user to read what is left.
 */
#ifndef STACK_TCP_STATE_H
#define STACK_TCP_STATE_H

#include <stdbool.h>
#include <stdint.h>

enum tcp_state {
	TCP_CLOSED,
	TCP_LISTEN,
	TCP_SYN_SENT,
	TCP_SYN_RECEIVED,
	TCP_ESTABLISHED,
	TCP_FIN_WAIT_1,
	TCP_FIN_WAIT_2,
	TCP_CLOSE_WAIT,
	TCP_CLOSING,
	TCP_LAST_ACK,
	TCP_TIME_WAIT,
	TCP_STATES
};

#define TCP_BIT(state) (1u << (state))

/** "ESTABLISHED", as the RFC writes it. */
const char *tcp_state_name(enum tcp_state state);

/** Whether the drawing above has such an arrow. Everything but LISTEN may fall to CLOSED. */
bool tcp_state_may_become(enum tcp_state from, enum tcp_state to);

static inline bool tcp_state_is_one_of(enum tcp_state state, unsigned bits)
{
	return (TCP_BIT(state) & bits) != 0;
}

/** Both sides have agreed on their sequence numbers ("synchronized", RFC 9293 3.4.2). */
static inline bool tcp_state_is_synchronized(enum tcp_state state)
{
	return state >= TCP_ESTABLISHED;
}

/** The user may still add to what is to be sent: the FIN has not been asked for. */
static inline bool tcp_state_takes_data(enum tcp_state state)
{
	return tcp_state_is_one_of(
		state, TCP_BIT(TCP_SYN_SENT) | TCP_BIT(TCP_SYN_RECEIVED) |
			       TCP_BIT(TCP_ESTABLISHED) | TCP_BIT(TCP_CLOSE_WAIT));
}

/** Data and a FIN, new or again, may be sent. */
static inline bool tcp_state_may_send(enum tcp_state state)
{
	return tcp_state_is_one_of(state,
				   TCP_BIT(TCP_ESTABLISHED) | TCP_BIT(TCP_CLOSE_WAIT) |
					   TCP_BIT(TCP_FIN_WAIT_1) |
					   TCP_BIT(TCP_CLOSING) | TCP_BIT(TCP_LAST_ACK));
}

/** The peer may still send data: its FIN has not been received. */
static inline bool tcp_state_may_receive(enum tcp_state state)
{
	return tcp_state_is_one_of(state, TCP_BIT(TCP_ESTABLISHED) |
						  TCP_BIT(TCP_FIN_WAIT_1) |
						  TCP_BIT(TCP_FIN_WAIT_2));
}

#endif
