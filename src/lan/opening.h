/* SPDX-License-Identifier: MIT */
/*
 * How a member proves that it may open rooms on a relay whose operator asks for a token. Both
 * know the token; neither sends it. The proof is a keyed hash over keying material of this very
 * TLS connection (RFC 8446, 7.5), as that of a room's secret is (lan/proof.h), so it is of no
 * use to whoever overhears it, nor to a relay that would pass it on to another.
 *
 *     key   = BLAKE2b-256("weft open key 1" || token)
 *     proof = BLAKE2b-256 keyed with key of
 *             "weft open proof 1" || length of name (1) || name of the room || binding (32)
 *
 * A token that people have made up could be found by trying, but only by who has a proof and its
 * binding: the relay whose key the member has pinned.
 */
#ifndef LAN_OPENING_H
#define LAN_OPENING_H

#include "lan/proof.h"

#include <stdint.h>

#define OPENING_KEY_LEN 32u
#define OPENING_LEN     32u

/** Shortest token that is taken for one, in bytes. */
#define OPENING_TOKEN_MIN 12u

/** What a token is kept as. */
void opening_key(const char *token, uint8_t ret_key[OPENING_KEY_LEN]);

/** Proves for the room and binding of the claim; its role does not matter. */
void opening_prove(const uint8_t key[OPENING_KEY_LEN], const struct proof_claim *claim,
		   uint8_t ret_proof[OPENING_LEN]);

/** Checks a proof. Returns 0 or -EACCES. */
int opening_check(const uint8_t key[OPENING_KEY_LEN], const struct proof_claim *claim,
		  const uint8_t proof[OPENING_LEN]) WEFT_MUST_CHECK;

#endif
