/* SPDX-License-Identifier: MIT */
/*
 * All of the cryptography is libsodium's; what is ours is the order of the bytes. Everything
 * from which the secret could be found again is wiped before a function returns.
 */
#include "lan/proof.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

static_assert(PROOF_KEY_LEN == crypto_sign_PUBLICKEYBYTES, "an Ed25519 public key");
static_assert(PROOF_LEN == crypto_sign_BYTES, "an Ed25519 signature");

static const char key_domain[] = "weft room key 1";
static const char proof_domain[] = "weft room proof 1";

struct key_pair {
	uint8_t public[crypto_sign_PUBLICKEYBYTES];
	uint8_t secret[crypto_sign_SECRETKEYBYTES];
};

/* The caller wipes the pair. */
static void key_pair_derive(const uint8_t secret[WEFT_ROOM_SECRET_LEN],
			    struct key_pair *ret_pair)
{
	uint8_t seed[crypto_sign_SEEDBYTES];
	crypto_generichash_state hash;
	(void)crypto_generichash_init(&hash, NULL, 0, sizeof(seed));
	(void)crypto_generichash_update(&hash, (const uint8_t *)key_domain,
					sizeof(key_domain) - 1);
	(void)crypto_generichash_update(&hash, secret, WEFT_ROOM_SECRET_LEN);
	(void)crypto_generichash_final(&hash, seed, sizeof(seed));
	(void)crypto_sign_seed_keypair(ret_pair->public, ret_pair->secret, seed);
	sodium_memzero(seed, sizeof(seed));
	sodium_memzero(&hash, sizeof(hash));
}

struct signed_text {
	uint8_t data[sizeof(proof_domain) + 2 + WEFT_ROOM_NAME_MAX + PROOF_BINDING_LEN];
	size_t len;
};

static void put(struct signed_text *text, const void *data, size_t len)
{
	assert(len <= sizeof(text->data) - text->len);
	memcpy(text->data + text->len, data, len);
	text->len += len;
}

static struct signed_text claim_text(const struct proof_claim *claim)
{
	struct signed_text text = { .len = 0 };
	const uint8_t role = claim->role == WEFT_ROLE_GATEWAY ? 1 : 0;
	const uint8_t name_len = (uint8_t)strlen(claim->room);
	put(&text, proof_domain, sizeof(proof_domain) - 1);
	put(&text, &role, 1);
	put(&text, &name_len, 1);
	put(&text, claim->room, name_len);
	put(&text, claim->binding, sizeof(claim->binding));
	return text;
}

void proof_key(const uint8_t secret[WEFT_ROOM_SECRET_LEN], uint8_t ret_key[PROOF_KEY_LEN])
{
	struct key_pair pair;
	key_pair_derive(secret, &pair);
	memcpy(ret_key, pair.public, PROOF_KEY_LEN);
	sodium_memzero(&pair, sizeof(pair));
}

void proof_sign_text(const uint8_t secret[WEFT_ROOM_SECRET_LEN], const uint8_t *text,
		     size_t len, uint8_t ret_signature[PROOF_LEN])
{
	struct key_pair pair;
	key_pair_derive(secret, &pair);
	(void)crypto_sign_detached(ret_signature, NULL, text, len, pair.secret);
	sodium_memzero(&pair, sizeof(pair));
}

void proof_sign(const uint8_t secret[WEFT_ROOM_SECRET_LEN],
		const struct proof_claim *claim, uint8_t ret_proof[PROOF_LEN])
{
	struct signed_text text = claim_text(claim);
	proof_sign_text(secret, text.data, text.len, ret_proof);
}

void proof_sign_by_pass(const uint8_t seed[WEFT_PASS_SEED_LEN],
			const struct proof_claim *claim, uint8_t ret_proof[PROOF_LEN])
{
	struct key_pair pair;
	struct signed_text text = claim_text(claim);
	(void)crypto_sign_seed_keypair(pair.public, pair.secret, seed);
	(void)crypto_sign_detached(ret_proof, NULL, text.data, text.len, pair.secret);
	sodium_memzero(&pair, sizeof(pair));
}

int proof_check(const uint8_t key[PROOF_KEY_LEN], const struct proof_claim *claim,
		const uint8_t proof[PROOF_LEN])
{
	struct signed_text text = claim_text(claim);
	return crypto_sign_verify_detached(proof, text.data, text.len, key) == 0
		       ? 0
		       : -EACCES;
}
