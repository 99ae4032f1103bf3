/* SPDX-License-Identifier: MIT */
/*
 * No secret stands on a command line: a token is never an option, and a proxy with a password
 * comes from the environment.
 */
#include "cmd/tunnel_way.h"

#include <stdlib.h>

int tunnel_way_take(struct tunnel_way_args *way, const char *verb,
		    char ret_token[SECRET_LEN])
{
	if (!way->proxy)
		way->proxy = getenv("WEFT_PROXY");
	return secret_read_token(verb, way->token_file, ret_token);
}
