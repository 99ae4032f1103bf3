/* SPDX-License-Identifier: MIT */
/*
 * The room's key signs two kinds of text, which begin differently: a pass cannot be taken for
 * a proof, nor the other way round.
 */
#include "lan/pass.h"

#include "wire/cursor.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

static const char domain[] = "weft room pass 1";

struct pass_text {
	uint8_t data[sizeof(domain) - 1 + 4 + 1 + WEFT_ROOM_NAME_MAX + PROOF_KEY_LEN];
	size_t len;
};

static void put(struct pass_text *text, const void *data, size_t len)
{
	assert(len <= sizeof(text->data) - text->len);
	memcpy(text->data + text->len, data, len);
	text->len += len;
}

static struct pass_text text_of(const struct pass *pass, const char *room)
{
	struct pass_text text = { .len = 0 };
	const uint8_t name_len = (uint8_t)strlen(room);
	uint8_t expires[4];
	store_be32(expires, pass->expires_s);
	put(&text, domain, sizeof(domain) - 1);
	put(&text, expires, sizeof(expires));
	put(&text, &name_len, 1);
	put(&text, room, name_len);
	put(&text, pass->key, sizeof(pass->key));
	return text;
}

void pass_key(const uint8_t seed[WEFT_PASS_SEED_LEN], uint8_t ret_key[PROOF_KEY_LEN])
{
	uint8_t private[crypto_sign_SECRETKEYBYTES];
	static_assert(WEFT_PASS_SEED_LEN == crypto_sign_SEEDBYTES, "an Ed25519 seed");
	(void)crypto_sign_seed_keypair(ret_key, private, seed);
	sodium_memzero(private, sizeof(private));
}

void pass_make(const uint8_t secret[WEFT_ROOM_SECRET_LEN], const char *room,
	       uint32_t expires_s, const uint8_t seed[WEFT_PASS_SEED_LEN],
	       struct pass *ret_pass)
{
	struct pass pass = { .expires_s = expires_s };
	pass_key(seed, pass.key);
	const struct pass_text text = text_of(&pass, room);
	proof_sign_text(secret, text.data, text.len, pass.signature);
	*ret_pass = pass;
}

int pass_check(const struct pass *pass, const uint8_t room_key[PROOF_KEY_LEN],
	       const char *room)
{
	const struct pass_text text = text_of(pass, room);
	return crypto_sign_verify_detached(pass->signature, text.data, text.len,
					   room_key) == 0
		       ? 0
		       : -EACCES;
}

void pass_emit(const struct pass *pass, uint8_t ret_bytes[PASS_LEN])
{
	memcpy(ret_bytes, pass->key, PROOF_KEY_LEN);
	store_be32(ret_bytes + PROOF_KEY_LEN, pass->expires_s);
	memcpy(ret_bytes + PROOF_KEY_LEN + 4, pass->signature, PROOF_LEN);
}

void pass_load(const uint8_t bytes[PASS_LEN], struct pass *ret_pass)
{
	memcpy(ret_pass->key, bytes, PROOF_KEY_LEN);
	ret_pass->expires_s = load_be32(bytes + PROOF_KEY_LEN);
	memcpy(ret_pass->signature, bytes + PROOF_KEY_LEN + 4, PROOF_LEN);
}
