/* SPDX-License-Identifier: MIT */
/*
 * Nothing is added to nothing: what has nothing to say may be silent.
 */
#include "tunnel/ballast.h"

#include "wire/tunnel.h"

#include <string.h>

#define APACHE_LEAST 4096u

size_t ballast_least(const char *server)
{
	return server && strncmp(server, "Apache", 6) == 0 ? APACHE_LEAST : 0;
}

size_t ballast_add(uint8_t *buf, size_t len, size_t n, size_t least)
{
	if (n == 0 || n >= least)
		return n;
	const size_t pings = (least - n + TUNNEL_PING_LEN - 1) / TUNNEL_PING_LEN;
	const size_t end = n + pings * TUNNEL_PING_LEN;
	if (end > len)
		return n;
	memset(buf + n, 0, end - n);
	return end;
}
