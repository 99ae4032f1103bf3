/* SPDX-License-Identifier: MIT */
/*
 * The addresses of datagrams, which are the same on all systems.
 */
#include "link/datagram.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

socklen_t datagram_addr_len(socklen_t told)
{
	return told < sizeof(struct sockaddr_un) ? told : sizeof(struct sockaddr_un);
}

bool datagram_addr_equal(const struct datagram_addr *a, const struct datagram_addr *b)
{
	if (a->u.sa.sa_family != b->u.sa.sa_family)
		return false;
	if (a->u.sa.sa_family != AF_UNIX)
		return weft_sockaddr_equal(&a->u.inet, &b->u.inet);
	return a->len == b->len && memcmp(&a->u.un, &b->u.un, a->len) == 0;
}

static const char *unix_print(const struct datagram_addr *addr,
			      char buf[DATAGRAM_ADDR_TEXT])
{
	size_t len = addr->len > offsetof(struct sockaddr_un, sun_path)
			     ? addr->len - offsetof(struct sockaddr_un, sun_path)
			     : 0;
	const char *path = addr->u.un.sun_path;

	if (len == 0)
		(void)snprintf(buf, DATAGRAM_ADDR_TEXT, "(no name)");
	else if (path[0] == '\0')
		(void)snprintf(buf, DATAGRAM_ADDR_TEXT, "@%.*s", (int)len - 1, path + 1);
	else
		(void)snprintf(buf, DATAGRAM_ADDR_TEXT, "%.*s", (int)len, path);
	return buf;
}

const char *datagram_addr_print(const struct datagram_addr *addr,
				char buf[DATAGRAM_ADDR_TEXT])
{
	if (addr->len > 0 && addr->u.sa.sa_family != AF_UNIX)
		return weft_sockaddr_print(&addr->u.inet, buf);
	return unix_print(addr, buf);
}
