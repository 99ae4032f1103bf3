/* SPDX-License-Identifier: MIT */
/*
 * A session as a link: Ethernet frames in the DATAGRAMs of one QUIC connection, each behind
 * an overlay header (wire/overlay.h). The same code is a member's link to its room and the
 * relay's port to the member.
 *
 *     weft_link_send ---> header of this session, frame ---> quic_conn_send_datagram
 *     session_input  ---> header checked, taken off ---> filter ---> receiver
 *
 * A frame that one datagram of the path does not hold goes in two (lan/parts.h), so a room can
 * have the MTU of an ordinary LAN on every path; that of TCP connections is lowered as they
 * are made (wire/mss.h), so that their segments need one datagram each.
 *
 * Room and peer in the header are those that the relay gave to the member in its welcome, in
 * both directions: they say whose session it is. So a relay has nothing to believe, and a
 * member that has just come back cannot mistake a late datagram for one of its new session.
 *
 * Nobody guarantees that DATAGRAMs arrive, so what cannot be sent is counted and forgotten.
 */
#ifndef LAN_SESSION_H
#define LAN_SESSION_H

#include "lan/burst.h"
#include "lan/parts.h"
#include "link/link.h"
#include "quic/quic.h"

#include <stdbool.h>
#include <stdint.h>

/** How a datagram that came can end; and a frame that was to be sent. */
enum session_outcome {
	SESSION_RECEIVED,
	SESSION_TAKEN,          /**< Received, and used up by the filter. */
	SESSION_PART,           /**< Waits for the other part of its frame. */
	SESSION_DROP_MALFORMED, /**< No overlay header of this version. */
	SESSION_DROP_WRONG_IDS, /**< Another room's or peer's. */
	SESSION_DROP_RUNT,      /**< Too short to be an Ethernet frame. */
	SESSION_DROP_TOO_LONG,  /**< Longer than the room's MTU allows. */
	SESSION_DROP_FILTERED,  /**< The filter's rules do not allow it. */
	SESSION_DROP_NO_MEMORY, /**< A part that could not be kept. */
	SESSION_DROP_LOOP,      /**< Either way, while a gateway's LAN is in a loop. */
	SESSION_SENT,
	SESSION_SPLIT,          /**< Sent in two datagrams. */
	SESSION_HELD,           /**< Kept by the gate, which sends it later. */
	SESSION_DROP_UNCLAIMED, /**< Under a MAC that is not ours in this room. */
	SESSION_DROP_PATH,      /**< Does not fit the path now. */
	SESSION_DROP_QUEUE,     /**< The connection's queue is full. */
	SESSION_DROP_CLOSED,    /**< The connection is ending. */
	SESSION_OUTCOMES
};

/** "drop-wrong-ids" and the like; the same words that facts print. */
const char *session_outcome_name(enum session_outcome outcome);

/** What the relay assigned. */
struct session_ids {
	uint16_t room, peer;
	unsigned mtu; /**< IP MTU of the room in bytes. */
};

/** Sees each frame that came first: SESSION_RECEIVED lets it through, the others keep it. */
typedef enum session_outcome session_filter(void *user, const struct weft_frame *frame,
					    uint64_t now);

/** Sees each frame that is to go: SESSION_SENT lets it, HELD and the drops do not. */
typedef enum session_outcome session_gate(void *user, const struct weft_frame *frame,
					  uint64_t now);

struct session {
	/** First: it is the link. In no loop; it has nothing to run. */
	struct weft_link link;
	struct quic_conn *conn;
	struct session_ids ids;
	session_filter *filter; /**< NULL for none. */
	void *filter_user;
	session_gate *gate; /**< NULL for none. */
	void *gate_user;
	struct parts parts;
	struct burst burst;    /**< Of what was sent last. */
	uint16_t split_number; /**< Of the frame that was split last. */
	uint64_t counts[SESSION_OUTCOMES];
};

/** Begins a session on an established connection. */
void session_init(struct session *session, struct quic_conn *conn,
		  const struct session_ids *ids, const char *name);

/** Ends it; whoever received from the link must have let go. */
void session_fini(struct session *session);

/** One DATAGRAM that came, borrowed for the call; says what became of it. */
enum session_outcome session_input(struct session *session, const uint8_t *data,
				   size_t len, uint64_t now);

/** Frames that never arrived anywhere, for whatever reason. */
uint64_t session_drops(const struct session *session);

#endif
