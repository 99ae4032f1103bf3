/* SPDX-License-Identifier: MIT */
/*
 * How a segment that came in can end. Each ends in exactly one of these, and each is counted.
 */
#ifndef STACK_TCP_OUTCOME_H
#define STACK_TCP_OUTCOME_H

#include <weft/stack.h>

enum tcp_outcome {
	TCP_GO_ON, /**< Not an outcome: the next step decides. */

	/* Taken. */
	TCP_TOOK_ACK,    /**< An acknowledgment or window update, no data. */
	TCP_TOOK_DATA,   /**< Bytes for the user, or a FIN, in order. */
	TCP_TOOK_EARLY,  /**< Bytes that wait for those before them. */
	TCP_TOOK_SYN,    /**< A connection begins: SYN, or SYN and ACK. */
	TCP_TOOK_COOKIE, /**< A SYN that was answered without being remembered. */
	TCP_TOOK_RESET,  /**< A reset that was believed. */
	TCP_TOOK_AGAIN,  /**< A SYN or FIN that had been answered, and was again. */

	/* Answered, but not taken. */
	TCP_REFUSED_CLOSED,   /**< Nobody listens or knows of it: a reset was sent. */
	TCP_REFUSED_ACK,      /**< Acknowledges what was never sent, in a handshake. */
	TCP_REFUSED_DATA,     /**< Data for a user who has closed: a reset was sent. */
	TCP_REFUSED_WINDOW,   /**< Outside of the window: an ACK was sent. */
	TCP_REFUSED_PAWS,     /**< Its timestamp is too old: an ACK was sent. */
	TCP_CHALLENGED_RESET, /**< A reset that may be forged (RFC 5961, 3). */
	TCP_CHALLENGED_SYN,   /**< A SYN in a connection (RFC 5961, 4). */
	TCP_CHALLENGED_ACK,   /**< An ACK that cannot be true (RFC 5961, 5). */

	/* Dropped without an answer. */
	TCP_DROP_HEADER,       /**< Lengths or options that lie. */
	TCP_DROP_GROUP,        /**< Sent to a broadcast or multicast address. */
	TCP_DROP_SELF,         /**< Source and destination are the same (LAND). */
	TCP_DROP_RESET,        /**< A reset for nobody, or one that cannot be meant. */
	TCP_DROP_NO_FLAG,      /**< Neither SYN nor ACK nor RST where one is needed. */
	TCP_DROP_NO_TIMESTAMP, /**< Without the option that was agreed on (RFC 7323, 3.2). */
	TCP_DROP_LIMITED,      /**< Would have been answered, but for the rate limit. */
	TCP_DROP_BACKLOG,      /**< The listener's queue is full. */
	TCP_DROP_MEMORY,       /**< A limit of this host: connections, bytes, blocks. */
	TCP_OUTCOMES
};

/** "took-data", "drop-backlog" and the like. */
const char *tcp_outcome_name(enum tcp_outcome outcome);

/** The same in the coarser terms of the whole stack. */
enum weft_stack_outcome tcp_outcome_of_stack(enum tcp_outcome outcome);

#endif
