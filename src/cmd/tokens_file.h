/* SPDX-License-Identifier: MIT */
/*
 * The tokens of a server's clients, in the order in which they were first named:
 *
 *     # weft tunnel: tokens of clients
 *     office   Zm9vYmFy...
 *     phone    cXV1eA...
 *
 * New ones are added at the end, so that each keeps its place, which its address comes from.
 * The file is made for its owner alone.
 */
#ifndef CMD_TOKENS_FILE_H
#define CMD_TOKENS_FILE_H

#include "cli/secret.h"

#include <stdbool.h>
#include <stddef.h>

#define TOKENS_MAX      4096u
#define TOKENS_NAME_LEN 65u

struct tokens_entry {
	char name[TOKENS_NAME_LEN];
	char token[SECRET_LEN];
	bool is_new;    /**< Made now, and in no file yet. */
	bool is_wanted; /**< A client of this run. */
};

struct tokens {
	struct tokens_entry *items;
	size_t n;
};

/** Reads a file; one that is not there is empty. Returns 0, or -Exxx after saying why. */
int tokens_read(struct tokens *tokens, const char *verb, const char *path)
	__attribute__((warn_unused_result));

/** The entry of that name, made if need be. NULL for no name of 1 to 64 bytes, or too many. */
struct tokens_entry *tokens_want(struct tokens *tokens, const char *name);

/** Adds the new ones to the file. Returns 0, or -Exxx after saying why. */
int tokens_write(const struct tokens *tokens, const char *verb, const char *path)
	__attribute__((warn_unused_result));

/** Wipes and frees. */
void tokens_fini(struct tokens *tokens);

#endif
