/* SPDX-License-Identifier: MIT */
/*
 * A member with stations behind it: emulators and virtual machines that are plugged in, each
 * with a MAC of its own. A relay takes frames of a client only under MACs that are the
 * client's; so a MAC that shows up is claimed first, and what it sends meanwhile is held.
 *
 *     first frame      claimed
 *     ---------> ASKED -------> OURS      frames pass
 *                  |
 *                  | denied
 *                  '----------> DENIED    frames are dropped; asked again after 30 s
 *
 * The table is small and bounded, as the relay's is: a MAC more than LAN_CLAIMS_MAX takes the
 * place of one that has been silent for a minute, which is released, or gets none.
 */
#ifndef LAN_CLAIMS_H
#define LAN_CLAIMS_H

#include "base/time.h"
#include "lan/message.h"

#include <weft/addr.h>
#include <weft/frame.h>

#include <stdbool.h>
#include <stdint.h>

/** Most frames that are held. */
#define CLAIMS_HELD_MAX 16u

/** Between two messages to the relay that ask. */
#define CLAIMS_ASK_NS NS_PER_S

/** When a denied MAC is asked for again, and how long a silent one keeps its place. */
#define CLAIMS_DENIED_NS (30 * NS_PER_S)
#define CLAIMS_SILENT_NS (60 * NS_PER_S)

enum claim_state { CLAIM_NEW, CLAIM_ASKED, CLAIM_OURS, CLAIM_DENIED };

struct claim {
	struct weft_mac mac;
	enum claim_state state;
	uint64_t used_ns;  /**< When a frame of it came last. */
	uint64_t asked_ns; /**< When it was asked for last. */
};

/** What becomes of a frame that goes to the room. */
enum claims_verdict { CLAIMS_PASS, CLAIMS_HELD, CLAIMS_DROP };

struct claims {
	struct weft_mac own; /**< Needs no claim. */
	size_t n;
	struct claim entries[LAN_CLAIMS_MAX];
	size_t released_n; /**< To be released with the next message. */
	struct weft_mac released[LAN_CLAIMS_MAX];
	size_t held_n;
	struct weft_frame held[CLAIMS_HELD_MAX];
	uint64_t ask_at; /**< When the relay may be asked next. */
};

/** Begins with no claims. */
void claims_init(struct claims *claims, struct weft_mac own);

/** Frees what is held. */
void claims_fini(struct claims *claims);

/** A new session has begun: everything has to be asked for anew. */
void claims_restart(struct claims *claims, uint64_t now);

/** Judges a frame that is to go to the room; a held one is copied. */
enum claims_verdict claims_judge(struct claims *claims, const struct weft_frame *frame,
				 uint64_t now);

/** When claims_next has something to say; WEFT_NEVER for not. */
uint64_t claims_deadline(const struct claims *claims);

/** Fills in the next message to the relay; false if there is none to send now. */
bool claims_next(struct claims *claims, struct message *ret_message, uint64_t now);

/** The relay's answer, claimed or denied, to any of ours. */
void claims_answer(struct claims *claims, const struct message *answer, uint64_t now);

/**
 * Takes out a held frame that may go now, or must be given up (ret_verdict). The caller
 * frees ret_frame->data. False when none is ready.
 */
bool claims_unhold(struct claims *claims, struct weft_frame *ret_frame,
		   enum claims_verdict *ret_verdict);

#endif
