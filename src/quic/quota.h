/* SPDX-License-Identifier: MIT */
/*
 * How many connections each address has, and whether it may have one more. What counts as one
 * address is what one household has: an IPv4 address, or a /64 of IPv6 (RFC 6177). A peer that
 * moves is counted where it came from.
 */
#ifndef QUIC_QUOTA_H
#define QUIC_QUOTA_H

#include "base/table.h"

#include <weft/addr.h>

#include <stdbool.h>
#include <stdint.h>

/** Zero: no limit. */
struct quota {
	struct table *counts; /**< Of struct quota_key; NULL without a limit. */
	uint32_t each_max;
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

/** Whether the address has as many as it may. */
bool quota_is_used_up(const struct quota *quota, const struct quota_key *key);

/** One more, or one less. quota_take returns 0 or -ENOMEM. */
int quota_take(struct quota *quota, const struct quota_key *key) WEFT_MUST_CHECK;
void quota_give_back(struct quota *quota, const struct quota_key *key);

#endif
