/* SPDX-License-Identifier: MIT */
/*
 * How a member proves that it knows the room's secret without sending it.
 *
 * The secret of an invitation (16 random bytes) is stretched to the seed of an Ed25519 key
 * (RFC 8032). The public key is the room's name card: the relay keeps that of the first member
 * and asks the same of all others. The proof is a signature over keying material that only the
 * two ends of this very TLS connection can derive (RFC 8446 7.5), so it is of no use to anyone
 * who records it, nor to a relay that would pass it on to another relay (RFC 9266 thinks the
 * same way about channel bindings).
 *
 *     seed    = BLAKE2b-256("weft room key 1" || secret)
 *     key     = Ed25519 key pair of seed
 *     binding = TLS-Exporter("EXPORTER-weft-room-proof-1", no context, 32)
 *     proof   = Ed25519 signature of
 *               "weft room proof 1" || role (1) || length of name (1) || name || binding (32)
 *
 * A secret has 128 bits, so a relay that only knows the public key cannot find it by trying.
 */
#ifndef LAN_PROOF_H
#define LAN_PROOF_H

#include <weft/lan.h>

#include <stddef.h>
#include <stdint.h>

#define PROOF_KEY_LEN     32u
#define PROOF_LEN         64u
#define PROOF_BINDING_LEN 32u
#define PROOF_LABEL       "EXPORTER-weft-room-proof-1"

/** What a proof is bound to, besides the key. */
struct proof_claim {
	enum weft_role role;
	const char *room;                   /**< A valid room name. */
	uint8_t binding[PROOF_BINDING_LEN]; /**< Exported with PROOF_LABEL. */
};

/** The room's public key. */
void proof_key(const uint8_t secret[WEFT_ROOM_SECRET_LEN],
	       uint8_t ret_key[PROOF_KEY_LEN]);

/** Signs a claim with the room's key. */
void proof_sign(const uint8_t secret[WEFT_ROOM_SECRET_LEN],
		const struct proof_claim *claim, uint8_t ret_proof[PROOF_LEN]);

/** Signs it with the key of a pass (lan/pass.h) instead. */
void proof_sign_by_pass(const uint8_t seed[WEFT_PASS_SEED_LEN],
			const struct proof_claim *claim, uint8_t ret_proof[PROOF_LEN]);

/** Signs any text with the room's key: its first bytes have to say what it is. */
void proof_sign_text(const uint8_t secret[WEFT_ROOM_SECRET_LEN], const uint8_t *text,
		     size_t len, uint8_t ret_signature[PROOF_LEN]);

/** Checks a proof. Returns 0 or -EACCES. */
int proof_check(const uint8_t key[PROOF_KEY_LEN], const struct proof_claim *claim,
		const uint8_t proof[PROOF_LEN]) WEFT_MUST_CHECK;

#endif
