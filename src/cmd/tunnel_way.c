/* SPDX-License-Identifier: MIT */
/*
 * No secret stands on a command line: a token is never an option, and a proxy with a password
 * comes from the environment.
 */
#include "cmd/tunnel_way.h"

#include <stdlib.h>
#include <string.h>

bool tunnel_way_has_password(const char *url)
{
	const char *host = strstr(url, "://");
	host = host ? host + 3 : url;
	return memchr(host, '@', strcspn(host, "/?#")) != NULL;
}

const char *tunnel_way_indiscretion(const struct tunnel_way_args *way)
{
	if (!way->proxy || !tunnel_way_has_password(way->proxy))
		return NULL;
	return "--proxy: everybody can see a password on a command line; put this URL "
	       "into the environment, as WEFT_PROXY";
}

const char *tunnel_way_proxy(const struct tunnel_way_args *way)
{
	return way->proxy ? way->proxy : getenv("WEFT_PROXY");
}

int tunnel_way_take(struct tunnel_way_args *way, const char *verb,
		    char ret_token[SECRET_LEN])
{
	way->proxy = tunnel_way_proxy(way);
	return secret_read_token(verb, way->token_file, ret_token);
}
