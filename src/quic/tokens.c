/* SPDX-License-Identifier: MIT */
/*
 * A ring of four is gone through.
 */
#include "quic/tokens.h"

#include <string.h>

static size_t find(const struct tokens *tokens, const union weft_sockaddr *peer)
{
	size_t i = 0;
	while (i < TOKENS_MAX && !(tokens->items[i].len > 0 &&
				   weft_sockaddr_equal(&tokens->items[i].peer, peer)))
		i++;
	return i;
}

void tokens_keep(struct tokens *tokens, const union weft_sockaddr *peer,
		 const uint8_t *data, size_t len)
{
	size_t i = find(tokens, peer);
	if (len > TOKEN_LEN_MAX)
		return;
	if (i == TOKENS_MAX) {
		i = tokens->next;
		tokens->next = (i + 1) % TOKENS_MAX;
	}
	tokens->items[i] = (struct token){ .peer = *peer, .len = len };
	memcpy(tokens->items[i].data, data, len);
}

const struct token *tokens_find(const struct tokens *tokens,
				const union weft_sockaddr *peer)
{
	const size_t i = find(tokens, peer);
	return i < TOKENS_MAX ? &tokens->items[i] : NULL;
}
