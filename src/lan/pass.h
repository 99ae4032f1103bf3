/* SPDX-License-Identifier: MIT */
/*
 * A pass lets one holder into a room, until a time, without telling the room's secret: a key of
 * its own, signed with the room's. Whoever has the secret makes passes, offline; the relay,
 * which knows the room's public key, checks them.
 *
 *     secret --> room's key pair --signs--> pass { its public key, until when }
 *                                                  |
 *     holder: the pass's private seed --signs--> proof of this connection (lan/proof.h)
 *
 *     signature = Ed25519 signature by the room's key of
 *                 "weft room pass 1" || expires (4, big-endian) || length of name (1) || name ||
 *                 public key of the pass (32)
 *
 * A pass is known by its public key, so one can be shut out and the others go on.
 */
#ifndef LAN_PASS_H
#define LAN_PASS_H

#include "lan/proof.h"

#include <stdint.h>

/** What a member shows: key, expires in big-endian, signature. */
#define PASS_LEN (PROOF_KEY_LEN + 4u + PROOF_LEN)

struct pass {
	uint8_t key[PROOF_KEY_LEN];
	uint32_t expires_s; /**< Unix time; UINT32_MAX: never. */
	uint8_t signature[PROOF_LEN];
};

/** Makes a pass of the room. seed is its private half: 32 random bytes. */
void pass_make(const uint8_t secret[WEFT_ROOM_SECRET_LEN], const char *room,
	       uint32_t expires_s, const uint8_t seed[WEFT_PASS_SEED_LEN],
	       struct pass *ret_pass);

/** Whether the room's key has signed it. Returns 0 or -EACCES. */
int pass_check(const struct pass *pass, const uint8_t room_key[PROOF_KEY_LEN],
	       const char *room) WEFT_MUST_CHECK;

/** The public key that belongs to a seed. */
void pass_key(const uint8_t seed[WEFT_PASS_SEED_LEN], uint8_t ret_key[PROOF_KEY_LEN]);

/** To and from the bytes that a member shows. */
void pass_emit(const struct pass *pass, uint8_t ret_bytes[PASS_LEN]);
void pass_load(const uint8_t bytes[PASS_LEN], struct pass *ret_pass);

#endif
