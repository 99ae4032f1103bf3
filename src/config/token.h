/* SPDX-License-Identifier: MIT */
/*
 * Tokens: a client shows its token as it is, the server's configuration has hashes of them.
 */
#ifndef CONFIG_TOKEN_H
#define CONFIG_TOKEN_H

#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>

/** SHA-1 in hex and its NUL. */
#define TOKEN_SHA1_TEXT 41u

/** The lowercase hex SHA-1 of a token. Returns 0, or -ENOTSUP where the system forbids SHA-1. */
int token_sha1(const char *token, char ret_text[TOKEN_SHA1_TEXT]) WEFT_MUST_CHECK;

/**
 * Whether a hash of the configuration is that of the token, whose SHA-1 is given as well. Takes
 * the same time for every SHA-1 that it is not; one in argon2id takes as long as its makers
 * wanted it to.
 */
bool token_matches(const char *hash, const char *token, const char sha1[TOKEN_SHA1_TEXT]);

/** Whether a hash of the configuration is one in argon2id. */
bool token_is_slow(const char *hash);

#endif
