/* SPDX-License-Identifier: MIT */
/*
 * How many connections each address has, and whether it may have one more. What counts as one
 * address is what one household has: an IPv4 address, or a /64 of IPv6 (RFC 6177). A peer that
 * moves is counted where it came from.
 *
 * Who comes and goes at once has few at any time, and each costs the server a handshake. So an
 * address may begin twice as many at once as it may have (a whole household that comes home by
 * way of another server), and after QUOTA_REFILL_S as many again as it may have. A beginning
 * counts once the address has proved itself: nobody uses up another's by forging it.
 */
#ifndef QUIC_QUOTA_H
#define QUIC_QUOTA_H

#include "base/table.h"

#include <weft/addr.h>

#include <stdint.h>

#define QUOTA_REFILL_S 8u

/** Zero: no limit. */
struct quota {
	struct table *counts; /**< Of struct quota_key; NULL without a limit. */
	uint32_t each_max;
	uint64_t swept_ns; /**< When those that have gone were tidied up last. */
};

/** Whose connection it is. */
struct quota_key {
	uint8_t octet[16];
};

/** each_max connections for each address, 0 for no limit; so many in all. 0 or -ENOMEM. */
int quota_init(struct quota *quota, uint32_t each_max, size_t conns_max,
	       const uint8_t secret[HASH_SECRET_LEN]) WEFT_MUST_CHECK;
void quota_fini(struct quota *quota);

struct quota_key quota_key_of(const union weft_sockaddr *peer);

/** Why the address may not begin one more now, for people; NULL if it may. */
const char *quota_refuses(const struct quota *quota, const struct quota_key *key,
			  uint64_t now);

/** One more, or one less. quota_take returns 0, -ENOMEM or -ENOSPC. */
int quota_take(struct quota *quota, const struct quota_key *key,
	       uint64_t now) WEFT_MUST_CHECK;
void quota_give_back(struct quota *quota, const struct quota_key *key, uint64_t now);

/** One that was taken has come from there indeed. */
void quota_charge(struct quota *quota, const struct quota_key *key, uint64_t now);

#endif
