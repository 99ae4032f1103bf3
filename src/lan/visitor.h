/* SPDX-License-Identifier: MIT */
/*
 * A connection at the relay, from the handshake to the last word.
 *
 *     established           hello is right           path MTU known at both ends
 *     ------------> GREETING ----------> MEASURING -----------------------------> JOINED
 *                      |                     |                                      |
 *                      | wrong hello         | the room says no       disconnect,   |
 *                      '-----> REFUSED <-----'                        wrong message |
 *                                 | member closes, or 2 s                           |
 *                                 '---------------> LEAVING <-----------------------'
 *
 * A member measures its path before it says hello, but DATAGRAMs go both ways and the relay's
 * own discovery may still be under way then; so it waits for that, a second at most, before
 * it holds the path against the room's MTU. Leaving frees everything that the member had in
 * the room; what is left of the visitor waits for the end of the connection.
 */
#ifndef LAN_VISITOR_H
#define LAN_VISITOR_H

#include "base/heap.h"
#include "base/list.h"
#include "base/time.h"
#include "lan/channel.h"
#include "lan/relay.h"

#include <weft/lan.h>

#include <stdint.h>

/** How long a stranger may be silent before its hello. */
#define VISITOR_HELLO_NS (5 * NS_PER_S)

/** How long discovery of the path MTU is waited for, and how often it is asked. */
#define VISITOR_MEASURE_NS      NS_PER_S
#define VISITOR_MEASURE_POLL_NS (10 * NS_PER_MS)

/** How long a member that is refused has to read why. */
#define VISITOR_REFUSED_NS (2 * NS_PER_S)

/** Control messages of a member: so many, and one a second. */
#define VISITOR_MESSAGES_BURST 16u

/**
 * MACs that a member claims, again or anew: all that it may have, twice, and one a second. Each
 * is news to everybody in the room, and that goes before their frames.
 */
#define VISITOR_CLAIMS_RATE  1u
#define VISITOR_CLAIMS_BURST (2 * LAN_CLAIMS_MAX)

/** Why everybody has to go. */
#define VISITOR_SHUTDOWN "the relay is shut down"

/** Malformed datagrams of a member, unless a rule says otherwise. Then it has to go. */
#define VISITOR_MALFORMED_RATE  1u
#define VISITOR_MALFORMED_BURST 100u

enum visitor_state {
	VISITOR_GREETING,  /**< Has not said hello. */
	VISITOR_MEASURING, /**< Its hello is right, its path not known yet. */
	VISITOR_JOINED,    /**< member and session are valid. */
	VISITOR_REFUSED,   /**< Has been told why; whatever it says is passed over. */
	VISITOR_LEAVING,   /**< Closed by us; nothing may be sent. */
};

struct visitor {
	struct list node;
	struct heap_node timer;
	struct weft_relay *relay;
	struct quic_conn *conn;
	enum visitor_state state;
	struct channel channel;
	struct hello hello; /**< Valid from MEASURING on. */
	uint64_t measured_by_ns;
	struct room_member *member;
	struct session session;
	bool is_lost;                /**< It did not want to go: its place is kept. */
	enum leave_code leave_code;  /**< What the others are told. */
	char *leave_text;            /**< NULL for nothing. */
	struct member_counts counts; /**< What the member last said that it counted. */
	struct bucket messages;      /**< Of control messages. */
	struct bucket claims;        /**< Of MACs that it claims. */
	struct bucket malformed;     /**< Of datagrams that make no sense. */
};

extern const struct quic_events visitor_events;

/** Goes into another state, which ends by itself at deadline. */
void visitor_set_state(struct visitor *visitor, enum visitor_state state,
		       uint64_t deadline);

/** Says when visitor_on_timer is to be called. */
void visitor_set_timer(struct visitor *visitor, uint64_t deadline);

/** Does what the visitor's timer was for. */
void visitor_on_timer(struct visitor *visitor, uint64_t now);

/** Says goodbye to the member with a close code of the protocol. */
void visitor_close(struct visitor *visitor, enum close_code code, const char *text,
		   uint64_t now);

/** Sends a member away by a disconnect; whoever is none yet is closed. */
void visitor_dismiss(struct visitor *visitor, const struct message *disconnect,
		     uint64_t now);

/** Tells everyone in the room of the member, but not itself, that it has come or gone. */
void visitor_announce_joined(const struct room_member *member, uint64_t now);
void visitor_announce_left(const struct room_member *member, const struct peer_left *left,
			   uint64_t now);

/** Tells a newcomer, after its welcome, which MACs the others have claimed. */
void visitor_tell_claims(struct visitor *visitor, uint64_t now);

/** Frees a visitor whose connection is gone. */
void visitor_free(struct visitor *visitor);

#endif
