/* SPDX-License-Identifier: MIT */
/*
 * SHA-1 is what tapotun's configurations have; argon2id (in the text form of libsodium's
 * crypto_pwhash_str) resists who has stolen the file.
 */
#include "config/token.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <sodium.h>
#include <string.h>

#define SHA1_LEN 20u

int token_sha1(const char *token, char ret_text[TOKEN_SHA1_TEXT])
{
	uint8_t digest[SHA1_LEN];
	if (gnutls_hash_fast(GNUTLS_DIG_SHA1, token, strlen(token), digest) < 0)
		return -ENOTSUP;
	(void)sodium_bin2hex(ret_text, TOKEN_SHA1_TEXT, digest, sizeof(digest));
	return 0;
}

bool token_is_slow(const char *hash)
{
	return strncmp(hash, "$argon2id$", 10) == 0;
}

bool token_matches(const char *hash, const char *token, const char sha1[TOKEN_SHA1_TEXT])
{
	if (token_is_slow(hash))
		return crypto_pwhash_str_verify(hash, token, strlen(token)) == 0;
	return strlen(hash) == TOKEN_SHA1_TEXT - 1 &&
	       sodium_memcmp(hash, sha1, TOKEN_SHA1_TEXT - 1) == 0;
}
