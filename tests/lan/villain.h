/* SPDX-License-Identifier: MIT */
/*
 * People who mean it ill, each in a way of his own, and all at the same time: unlike the
 * strangers of other tests they never wait, and who is thrown out comes back.
 *
 *             dials                 is in                     is closed
 *     (away) -------> established --------> a deed each turn -----------> (away)
 *        ^                                                                  |
 *        '------------------------------ 0.3 s -----------------------------'
 */
#ifndef LAN_VILLAIN_H
#define LAN_VILLAIN_H

#include "stranger.h"

/** EtherType of what villains may send; nothing else of theirs is to arrive anywhere. */
#define VILLAIN_ETHER_TYPE 0x88b6u

/** A villain's turns are this far apart. */
#define VILLAIN_TURN_MS 10u

#define VILLAIN_STAYS (-1)

struct villain;

/** How far one goes before his deeds. */
enum villain_way {
	VILLAIN_KNOCKS,     /**< A packet; of what comes back he hears nothing. */
	VILLAIN_CONNECTS,   /**< Has a connection. */
	VILLAIN_JOINS,      /**< Says a right hello, and waits for the welcome. */
	VILLAIN_IS_GATEWAY, /**< The same, as the room's gateway. */
};

struct villain_kind {
	const char *name;
	void (*deed)(struct villain *villain);
	enum villain_way way;
	int end; /**< enum close_code that his deeds lead to, or VILLAIN_STAYS. */
};

extern const struct villain_kind villain_kinds[];
extern const size_t villain_kinds_n;

struct villain {
	const struct villain_kind *kind;
	struct stranger stranger;
	struct venue *venue;
	uint8_t number; /**< As a stranger's: of his addresses. */
	bool is_here;   /**< stranger is valid. */
	bool said_hello;
	uint64_t back_at;
	unsigned turn;  /**< Deeds since he dialled. */
	unsigned deeds; /**< Since ever. */
	unsigned visits;
	unsigned ends;           /**< As his kind's should. */
	unsigned other_ends;     /**< Any other way. */
	unsigned denials;        /**< Of what he claimed; whole after villain_fini. */
	uint64_t sent, received; /**< Bytes of UDP payload, on the visits before. */
	bool has_kept;
	struct hello kept; /**< A right one, of a connection before. */
};

/** Begins; he dials at his first turn. */
void villain_init(struct villain *villain, const struct villain_kind *kind,
		  struct venue *venue, uint8_t number);

/** Does what he does now, and lets no time pass. */
void villain_turn(struct villain *villain);

/** Goes without a word. */
void villain_fini(struct villain *villain);

#endif
