/* SPDX-License-Identifier: MIT */
/*
 * A gateway's watch for loops: does what it sends come back to its LAN by another way?
 *
 *        .------------ room ------------.            room side: sent into the room, comes
 *        |                              |            by a member who has joined his device
 *     gateway                      member's bridge   with the same LAN
 *        |                              |
 *        '------- LAN (a cable? --------'            LAN side: sent on the LAN, comes back
 *                  a second gateway?)                by a cable that closes a ring; or comes
 *                                                    from another gateway of this room
 *
 * A probe goes out on both sides, when the gateway enters the room and every ten seconds from
 * then on. Whoever hears on its LAN a probe of its own is in a loop; of two gateways of one
 * room on one LAN (they are on two relays) it is the one that came later. That one is blocked:
 * nothing passes between LAN and room, but probes go on, and when none has come back for half a
 * minute it is open again.
 *
 * Without it no storm would arise, because a relay takes from each member only what comes under
 * a MAC of its own; but the LAN's switches would see the members behind two ports in turn.
 *
 *     0                   1                   2                   3
 *     +-------------------------------------------------------------------+
 *     | 03:57:45:46:54:01, the gateway's MAC, EtherType 0x88b5        (14) |
 *     +-------------------------------------------------------------------+
 *     | "weftloop"                                                     (8) |
 *     +----------------+----------------+---------------------------------+
 *     |  version 1     |  side          |  0                               |
 *     +----------------+----------------+---------------------------------+
 *     |  number                                                            |
 *     +-------------------------------------------------------------------+
 *     |  since when the sender has been in the room, in ms (8)             |
 *     |  sender, random (8)                                                |
 *     |  the room's tag (16)                                               |
 *     |  authentication (16): BLAKE2b of all before it behind the header   |
 *     +-------------------------------------------------------------------+
 *
 * The EtherType is that of local experiments (IEEE 802, 9.2.4), the destination a group address
 * that nobody has (locally administered), so that switches flood it and network cards leave it
 * to those that ask. Only who has the room's secret makes a probe that counts, and only the
 * number that was sent last counts as our own: a recorded one is worth nothing.
 */
#ifndef LAN_LOOPCHECK_H
#define LAN_LOOPCHECK_H

#include "base/time.h"

#include <weft/addr.h>
#include <weft/frame.h>
#include <weft/lan.h>

#include <stdbool.h>
#include <stdint.h>

#define LOOPCHECK_PERIOD_NS (10 * NS_PER_S)
#define LOOPCHECK_HURRY_NS  NS_PER_S
#define LOOPCHECK_BLOCK_NS  (3 * LOOPCHECK_PERIOD_NS)
#define LOOPCHECK_FRAME_LEN 78u

enum loopcheck_side { LOOPCHECK_LAN, LOOPCHECK_ROOM };

/** What a probe that was heard on the LAN says. */
enum loopcheck_verdict {
	LOOPCHECK_NO_PROBE, /**< It is another frame. */
	LOOPCHECK_FOREIGN,  /**< Of another room, or not to be believed. */
	LOOPCHECK_LATER,    /**< Of a gateway of this room that came after us. */
	LOOPCHECK_EARLIER,  /**< Of one that was there before us: we are in the way. */
	LOOPCHECK_CABLE,    /**< Our own, sent on the LAN. */
	LOOPCHECK_MEMBER,   /**< Our own, sent into the room. */
	LOOPCHECK_VERDICTS
};

/** "loop-cable" and the like. */
const char *loopcheck_verdict_name(enum loopcheck_verdict verdict);

struct loopcheck {
	uint8_t key[32], tag[16], id[8];
	uint64_t since_ns; /**< In the room since; WEFT_NEVER while not. */
	uint64_t probe_at; /**< When probes go out next. */
	uint64_t heard_ns; /**< When a verdict that blocks was last had. */
	uint32_t number;   /**< Of the probes that were sent last. */
	bool is_blocked;
	uint64_t counts[LOOPCHECK_VERDICTS];
};

/** invite has the room's secret; id is random. */
void loopcheck_init(struct loopcheck *check, const struct weft_invite *invite,
		    const uint8_t id[8]);

/** The gateway is in the room from now on; and no longer. Leaving opens a blocked one. */
void loopcheck_enter(struct loopcheck *check, uint64_t now);
void loopcheck_leave(struct loopcheck *check);

/** Somebody has come into the room, and may be the loop: probes go out within a second. */
void loopcheck_hurry(struct loopcheck *check, uint64_t now);

/** When loopcheck_run is to be called; WEFT_NEVER outside of a room. */
uint64_t loopcheck_deadline(const struct loopcheck *check);

/**
 * What is due: true if probes are to be sent now, by loopcheck_frame for each side. Whether it
 * is blocked may have changed.
 */
bool loopcheck_run(struct loopcheck *check, uint64_t now);

/** The probe for one side, under the gateway's MAC. */
void loopcheck_frame(const struct loopcheck *check, enum loopcheck_side side,
		     struct weft_mac mac, uint64_t now,
		     uint8_t ret_frame[LOOPCHECK_FRAME_LEN]);

/** Whether a frame looks like a probe, of whomever. */
bool loopcheck_is_probe(const struct weft_frame *frame);

/** A frame that came from the LAN. Whether it is blocked may have changed. */
enum loopcheck_verdict loopcheck_input(struct loopcheck *check,
				       const struct weft_frame *frame, uint64_t now);

#endif
