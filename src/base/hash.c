/* SPDX-License-Identifier: MIT */
/*
 * SipHash by libsodium. The eight bytes it gives are taken as they lie in memory: the value
 * picks slots in tables and never leaves the process.
 */
#include "base/hash.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

static_assert(crypto_shorthash_KEYBYTES == HASH_SECRET_LEN,
	      "SipHash takes a 16-byte key");
static_assert(crypto_shorthash_BYTES == sizeof(uint64_t), "SipHash gives 64 bits");

uint64_t hash_bytes(const uint8_t secret[HASH_SECRET_LEN], const void *data, size_t len)
{
	uint8_t out[crypto_shorthash_BYTES];
	crypto_shorthash(out, data, len, secret);
	uint64_t value;
	memcpy(&value, out, sizeof(value));
	return value;
}
