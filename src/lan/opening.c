/* SPDX-License-Identifier: MIT */
/*
 * The hashes are libsodium's; ours is the order of the bytes.
 */
#include "lan/opening.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

static const char key_domain[] = "weft open key 1";
static const char proof_domain[] = "weft open proof 1";

static void add_text(crypto_generichash_state *hash, const char *text, size_t len)
{
	(void)crypto_generichash_update(hash, (const uint8_t *)text, len);
}

void opening_key(const char *token, uint8_t ret_key[OPENING_KEY_LEN])
{
	crypto_generichash_state hash;
	(void)crypto_generichash_init(&hash, NULL, 0, OPENING_KEY_LEN);
	add_text(&hash, key_domain, sizeof(key_domain) - 1);
	add_text(&hash, token, strlen(token));
	(void)crypto_generichash_final(&hash, ret_key, OPENING_KEY_LEN);
	sodium_memzero(&hash, sizeof(hash));
}

void opening_prove(const uint8_t key[OPENING_KEY_LEN], const struct proof_claim *claim,
		   uint8_t ret_proof[OPENING_LEN])
{
	const uint8_t name_len = (uint8_t)strlen(claim->room);
	crypto_generichash_state hash;
	(void)crypto_generichash_init(&hash, key, OPENING_KEY_LEN, OPENING_LEN);
	add_text(&hash, proof_domain, sizeof(proof_domain) - 1);
	(void)crypto_generichash_update(&hash, &name_len, 1);
	add_text(&hash, claim->room, name_len);
	(void)crypto_generichash_update(&hash, claim->binding, sizeof(claim->binding));
	(void)crypto_generichash_final(&hash, ret_proof, OPENING_LEN);
	sodium_memzero(&hash, sizeof(hash));
}

int opening_check(const uint8_t key[OPENING_KEY_LEN], const struct proof_claim *claim,
		  const uint8_t proof[OPENING_LEN])
{
	uint8_t expected[OPENING_LEN];
	opening_prove(key, claim, expected);
	int r = sodium_memcmp(expected, proof, sizeof(expected)) == 0 ? 0 : -EACCES;
	sodium_memzero(expected, sizeof(expected));
	return r;
}
