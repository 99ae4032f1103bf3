/* SPDX-License-Identifier: MIT */
/*
 * What a client has been given to show when it comes back, so that the server believes its address
 * without a Retry (NEW_TOKEN; RFC 9000, 8.1.3). One for each of its servers' last few addresses,
 * in memory alone. A token is shown until another one comes, because attempts that nobody answers
 * use none up; and not from another network, where it is worth nothing and would tell an
 * onlooker who is there.
 */
#ifndef QUIC_TOKENS_H
#define QUIC_TOKENS_H

#include <weft/addr.h>

#include <stddef.h>
#include <stdint.h>

#define TOKENS_MAX 4u

/** Longer ones are not kept; ours have 57 bytes. */
#define TOKEN_LEN_MAX 128u

struct token {
	union weft_sockaddr peer;
	size_t len; /**< 0 for none. */
	uint8_t data[TOKEN_LEN_MAX];
};

/** All zero: none. */
struct tokens {
	struct token items[TOKENS_MAX];
	size_t next; /**< Goes where another one comes. */
};

/** Keeps a copy, in place of the peer's last or else the oldest. */
void tokens_keep(struct tokens *tokens, const union weft_sockaddr *peer,
		 const uint8_t *data, size_t len);

/** The peer's, or NULL. */
const struct token *tokens_find(const struct tokens *tokens,
				const union weft_sockaddr *peer);

#endif
