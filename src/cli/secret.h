/* SPDX-License-Identifier: MIT */
/*
 * Secrets that come in and are made: read from a file, from the environment or from a terminal
 * that does not show them, never from a command line, which everybody on a machine can see.
 */
#ifndef CLI_SECRET_H
#define CLI_SECRET_H

#include <stddef.h>

/** A secret with its NUL. */
#define SECRET_LEN        1025u
/** A random token: 24 bytes in base64url, and its NUL. */
#define SECRET_TOKEN_TEXT 33u
/** SHA-1 in hex and its NUL. */
#define SECRET_SHA1_TEXT  41u

/** Where a secret is looked for, in this order; the terminal is asked when both are NULL. */
struct secret_source {
	const char *verb;     /**< For messages. */
	const char *file;     /**< "-" is standard input. */
	const char *variable; /**< Of the environment, where it is wiped. */
	const char *prompt;   /**< "Token: " */
	const char *hint;     /**< What to do where there is no terminal. */
};

/** Reads a line of 1 to 1024 bytes. Returns 0, or -Exxx after saying why. */
int secret_read(const struct secret_source *source, char ret_secret[SECRET_LEN])
	__attribute__((warn_unused_result));

/**
 * Reads a client's token: from file where that is not NULL, from $WEFT_TOKEN, or from the terminal.
 * Returns as secret_read.
 */
int secret_read_token(const char *verb, const char *file, char ret_token[SECRET_LEN])
	__attribute__((warn_unused_result));

/**
 * Reads the token that opening a room takes: from file where that is not NULL, or from
 * $WEFT_OPEN_TOKEN. Returns 1, 0 where there is neither, or as secret_read.
 */
int secret_read_open_token(const char *verb, const char *file, char ret_token[SECRET_LEN])
	__attribute__((warn_unused_result));

/** Makes a token of 192 random bits. */
void secret_make(char ret_token[SECRET_TOKEN_TEXT]);

/** The lowercase hex SHA-1. Returns 0, or -ENOTSUP where the system forbids SHA-1. */
int secret_sha1(const char *token, char ret_text[SECRET_SHA1_TEXT])
	__attribute__((warn_unused_result));

#endif
