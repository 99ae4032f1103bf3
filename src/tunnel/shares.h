/* SPDX-License-Identifier: MIT */
/*
 * Whose entries those of a full table are, so that nobody's push out others': room for another is
 * made by the party that has most.
 *
 *     a  ########      <- a new one of b, or of a itself, costs a its most silent one
 *     b  ##
 *     c  #
 *
 * Of what it has, that goes first which is brief; what lasts goes for others, not for new ones of
 * its own. So each party has its share for as long as it needs that, and whoever is alone has all.
 */
#ifndef TUNNEL_SHARES_H
#define TUNNEL_SHARES_H

#include "base/heap.h"
#include "base/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct shares;
struct holder;

/** An entry, in something larger. All zero: nobody's. */
struct share {
	struct list node; /**< Among its holder's, the most silent first. */
	struct holder *holder;
};

/** For at most so many parties at a time. Returns 0 or -ENOMEM. */
int shares_new(size_t parties_max, const uint8_t secret[16],
	       struct shares **ret_shares) WEFT_MUST_CHECK;

/** Entries need not have been removed. NULL is allowed. */
void shares_free(struct shares *s);

/** Gives a party an entry that is nobody's. Returns 0, -ENOSPC or -ENOMEM. */
int shares_add(struct shares *s, struct share *share, uint32_t party) WEFT_MUST_CHECK;

/** Harmless for one that is nobody's. */
void shares_remove(struct shares *s, struct share *share);

/** An entry that was heard of just now. */
void share_touch(struct share *share, bool is_lasting);

/** Whose place another one of that party takes; NULL: nobody has more, and all it has lasts. */
struct share *shares_next_to_go(const struct shares *s, uint32_t party);

/** Parties have other numbers from here on; entries stay with those whose they were. */
void shares_renumber(struct shares *s);

#endif
