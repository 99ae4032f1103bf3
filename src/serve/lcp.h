/* SPDX-License-Identifier: MIT */
/*
 * The options and the extra codes of PPP's link control (RFC 1661, 5 and 6).
 *
 * Asked of the peer: to escape no control characters, as nothing on the way would eat them;
 * to say who it is by PAP; a magic number. Whatever it will not have is left out. The peer
 * may have any ACCM and compress its fields; nobody asks us who we are, and quality reports
 * and callbacks there are none.
 */
#ifndef SERVE_LCP_H
#define SERVE_LCP_H

#include "base/rng.h"
#include "serve/negotiation.h"

#include <stdbool.h>
#include <stdint.h>

/** The least MRU that is taken; below, IPv4 would be nothing but fragments. */
#define LCP_MRU_MIN 128u

struct lcp {
	struct negotiation negotiation; /**< First: ops find the rest behind it. */
	struct rng rng;
	/** The peer does not know this protocol (Protocol-Reject). */
	void (*rejected)(void *user, uint16_t protocol, uint64_t now);

	bool asks_accm, asks_auth, asks_magic;
	uint32_t accm, magic; /**< Ours. */
	uint16_t mru;         /**< The peer's, and PPP_MRU at most. */
};

/** Sets up the layer; its negotiation is in STARTING. */
void lcp_init(struct lcp *lcp, const struct negotiation_events *events, void *user,
	      uint64_t seed);

/** Asks for everything again: the next to dial may be another. */
void lcp_reset(struct lcp *lcp);

/** Tells the peer that we do not know a protocol; packet is its information. */
void lcp_reject_protocol(struct lcp *lcp, uint16_t protocol, const uint8_t *packet,
			 size_t len, uint64_t now);

#endif
