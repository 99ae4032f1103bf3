/* SPDX-License-Identifier: MIT */
/*
 * resolv.conf(5) has no servers for one domain alone, so the room's stands first there, and what
 * it refuses is asked of the others.
 */
#include "cmd/names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Link-local servers are on the only interface. */
#define FIRST_IFACE 1u

struct names names_of_lease(const struct weft_dhcpc_lease *lease)
{
	struct names names = { .servers_n = lease->dns_n,
			       .room_server = lease->domain_dns };
	memcpy(names.servers, lease->dns, sizeof(names.servers));
	memcpy(names.domain, lease->domain, sizeof(names.domain));
	memcpy(names.room_domain, lease->domain_dns_domain, sizeof(names.room_domain));
	return names;
}

struct names names_of_room(const struct weft_joined *joined, const char *room)
{
	struct names names = { .room_server = joined->name_server };
	char domain[WEFT_ROOM_DOMAIN_TEXT];
	if (!names.room_server.family)
		return names;
	(void)snprintf(names.room_domain, sizeof(names.room_domain), "%s",
		       weft_room_domain(room, domain));
	memcpy(names.domain, names.room_domain, sizeof(names.domain));
	return names;
}

int names_give(struct names *names, const struct option_list *given,
	       struct weft_error *err)
{
	struct weft_ip ip;
	if (given->n > NAMES_SERVERS_MAX)
		return weft_error_set(err, -EINVAL, "--dns: %u servers are enough",
				      NAMES_SERVERS_MAX);
	for (size_t i = 0; i < given->n; i++) {
		const char *text = given->items[i];
		if (weft_ip_parse(text, &ip) < 0 || strchr(text, '/'))
			return weft_error_set(err, -EINVAL,
					      "--dns \"%s\": the address of a name "
					      "server is needed, as 10.0.0.1",
					      text);
		names->servers[i] = ip;
	}
	if (given->n > 0)
		names->servers_n = (unsigned)given->n;
	return 0;
}

static void add_server(struct weft_resolver *resolver, const struct weft_ip *ip,
		       const char *domain)
{
	union weft_sockaddr server = { .in6 = { .sin6_family = AF_INET6,
						.sin6_scope_id = FIRST_IFACE } };
	if (ip->family == AF_INET6) {
		memcpy(&server.in6.sin6_addr, ip->octet, sizeof(server.in6.sin6_addr));
	} else {
		server = (union weft_sockaddr){ .in = { .sin_family = AF_INET } };
		memcpy(&server.in.sin_addr, ip->octet, sizeof(server.in.sin_addr));
	}
	/* One that is there twice, or is none, is one less. */
	(void)!weft_resolver_add_server(resolver, &server, domain);
}

void names_use(const struct names *names, struct weft_resolver *resolver)
{
	weft_resolver_clear(resolver);
	for (unsigned i = 0; i < names->servers_n; i++)
		add_server(resolver, &names->servers[i], NULL);
	if (names->room_server.family)
		add_server(resolver, &names->room_server, names->room_domain);
	if (names->room_domain[0])
		(void)!weft_resolver_add_search(resolver, names->room_domain);
	if (names->domain[0])
		(void)!weft_resolver_add_search(resolver, names->domain);
}

const char *names_print(const struct names *names, char *buf, size_t len)
{
	char text[WEFT_IP_TEXT];
	bool has_two = strcmp(names->domain, names->room_domain) != 0;
	size_t at = 0;
	buf[0] = '\0';
	if (names->domain[0] || names->room_domain[0])
		at += (size_t)snprintf(buf, len, "search %s%s%s\n", names->room_domain,
				       has_two && names->room_domain[0] ? " " : "",
				       has_two ? names->domain : "");
	/* resolv.conf knows no servers for one domain: the others come after its refusal. */
	if (names->room_server.family && at < len)
		at += (size_t)snprintf(buf + at, len - at, "nameserver %s\n",
				       weft_ip_print(&names->room_server, text));
	for (unsigned i = 0; i < names->servers_n && at < len; i++)
		at += (size_t)snprintf(buf + at, len - at, "nameserver %s\n",
				       weft_ip_print(&names->servers[i], text));
	return buf;
}
