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

static void add_domain(struct names *names, const char *domain)
{
	bool is_there = !domain[0] || names->domains_n == NAMES_DOMAINS_MAX;
	for (unsigned i = 0; i < names->domains_n; i++)
		is_there |= strcmp(names->domains[i], domain) == 0;
	if (!is_there)
		(void)snprintf(names->domains[names->domains_n++],
			       sizeof(names->domains[0]), "%s", domain);
}

static void add_server(struct names *names, const struct weft_ip *server)
{
	bool is_there = names->servers_n == NAMES_SERVERS_MAX;
	for (unsigned i = 0; i < names->servers_n; i++)
		is_there |= memcmp(&names->servers[i], server, sizeof(*server)) == 0;
	if (!is_there)
		names->servers[names->servers_n++] = *server;
}

void names_add(struct names *names, const struct weft_dns *dns)
{
	for (unsigned i = 0; i < dns->servers_n; i++)
		add_server(names, &dns->servers[i]);
	for (unsigned i = 0; i < dns->search_n; i++)
		add_domain(names, dns->search[i]);
}

struct names names_of_lease(const struct weft_dhcpc_lease *lease)
{
	struct names names = { .room_server = lease->domain_dns };
	for (unsigned i = 0; i < lease->dns_n; i++)
		add_server(&names, &lease->dns[i]);
	add_domain(&names, lease->domain);
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

static bool same_domains(const struct names *a, const struct names *b)
{
	bool is_same = a->domains_n == b->domains_n;
	for (unsigned i = 0; is_same && i < a->domains_n; i++)
		is_same = strcmp(a->domains[i], b->domains[i]) == 0;
	return is_same;
}

bool names_equal(const struct names *a, const struct names *b)
{
	return a->servers_n == b->servers_n && same_domains(a, b) &&
	       memcmp(a->servers, b->servers, a->servers_n * sizeof(a->servers[0])) ==
		       0 &&
	       memcmp(&a->room_server, &b->room_server, sizeof(a->room_server)) == 0 &&
	       strcmp(a->room_domain, b->room_domain) == 0;
}

static void use_server(struct weft_resolver *resolver, const struct weft_ip *ip,
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
		use_server(resolver, &names->servers[i], NULL);
	if (names->room_server.family)
		use_server(resolver, &names->room_server, names->room_domain);
	if (names->room_domain[0])
		(void)!weft_resolver_add_search(resolver, names->room_domain);
	for (unsigned i = 0; i < names->domains_n; i++)
		(void)!weft_resolver_add_search(resolver, names->domains[i]);
}

const char *names_print(const struct names *names, char *buf, size_t len)
{
	struct names all = { .domains_n = 0 }; /* the room's stands first */
	char text[WEFT_IP_TEXT];
	size_t at = 0;
	buf[0] = '\0';
	add_domain(&all, names->room_domain);
	for (unsigned i = 0; i < names->domains_n; i++)
		add_domain(&all, names->domains[i]);
	for (unsigned i = 0; i < all.domains_n && at < len; i++)
		at += (size_t)snprintf(buf + at, len - at, "%s%s%s", i ? " " : "search ",
				       all.domains[i], i + 1 < all.domains_n ? "" : "\n");
	/* resolv.conf knows no servers for one domain: the others come after its refusal. */
	if (names->room_server.family && at < len)
		at += (size_t)snprintf(buf + at, len - at, "nameserver %s\n",
				       weft_ip_print(&names->room_server, text));
	for (unsigned i = 0; i < names->servers_n && at < len; i++)
		at += (size_t)snprintf(buf + at, len - at, "nameserver %s\n",
				       weft_ip_print(&names->servers[i], text));
	return buf;
}
