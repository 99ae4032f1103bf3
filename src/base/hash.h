/* SPDX-License-Identifier: MIT */
/*
 * Keyed hashing for tables whose keys come off the wire: SipHash-2-4, so that a peer who
 * does not know the secret cannot choose keys that collide.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_SECRET_LEN 16u

/** 64-bit SipHash-2-4 of len bytes. The same value for the same secret on one machine. */
uint64_t hash_bytes(const uint8_t secret[HASH_SECRET_LEN], const void *data, size_t len);

#endif
