/* SPDX-License-Identifier: MIT */
/*
 * A table per struct: each key of the configuration, where its value stands, and of what kind
 * it is.
 */
#include "config/changes.h"

#include "base/net.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum kind {
	TEXT,
	TEXTS,
	U16,
	UNSIGNED,
	CHOICE,
	FLAG,
	BYTES32,
	IP,
	IPS,
	NETWORKS,
	MARK,
	ACL,
	EXITS
};

/* count: of how many, for those that are arrays. */
struct row {
	const char *key;
	enum kind kind;
	size_t off, count;
};

#define IFACE(key, kind, member)                                             \
	{                                                                    \
		key, kind, offsetof(struct weft_tunnel_interface, member), 0 \
	}
#define IFACE_N(key, kind, member, n)                                      \
	{                                                                  \
		key, kind, offsetof(struct weft_tunnel_interface, member), \
			offsetof(struct weft_tunnel_interface, n)          \
	}
#define CLIENT(key, kind, member)                                         \
	{                                                                 \
		key, kind, offsetof(struct weft_tunnel_client, member), 0 \
	}
#define CLIENT_N(key, kind, member, n)                                  \
	{                                                               \
		key, kind, offsetof(struct weft_tunnel_client, member), \
			offsetof(struct weft_tunnel_client, n)          \
	}

static const struct row interface_rows[] = {
	IFACE("mode", CHOICE, mode),
	IFACE("mark", MARK, mark),
	IFACE("congestion", TEXT, congestion),
	IFACE("bridge", TEXT, bridge),
	IFACE("port", U16, port),
	IFACE("listen", IP, listen),
	IFACE("net", IP, net),
	IFACE("net6", IP, net6),
	IFACE("mtu", UNSIGNED, mtu),
	IFACE_N("ips", IPS, ips, ips_n),
	IFACE_N("routes", IPS, routes, routes_n),
	IFACE("push", NETWORKS, push),
	IFACE("acl", FLAG, has_acl),
	IFACE_N("acl", ACL, acl, acl_n),
	IFACE_N("exits", EXITS, exits, exits_n),
	IFACE("tls.cert", TEXT, tls_cert),
	IFACE("tls.key", TEXT, tls_key),
	IFACE("compat", FLAG, is_compat),
	IFACE("server", TEXT, url),
	IFACE("token", TEXT, raw_token),
	IFACE("proxy", TEXT, proxy),
	IFACE("ca", TEXT, ca_file),
	IFACE("pin", FLAG, has_pin),
	IFACE("pin", BYTES32, pin),
	IFACE("http2", FLAG, http2),
	IFACE("family", CHOICE, family),
	IFACE("family", CHOICE, first_family),
	IFACE("streams", UNSIGNED, streams),
	IFACE("accept_routes", FLAG, no_routes),
	IFACE("accept_routes", NETWORKS, accept),
	IFACE_N("headers", TEXTS, headers, headers_n),
	{ .key = NULL },
};

static const struct row client_rows[] = {
	CLIENT("token", TEXT, token),
	CLIENT_N("routes", IPS, routes, routes_n),
	CLIENT_N("sources", IPS, sources, sources_n),
	CLIENT("push", NETWORKS, push),
	CLIENT_N("tags", TEXTS, tags, tags_n),
	CLIENT("source_check", FLAG, no_source_check),
	{ .key = NULL },
};

/* ---- whether two values are the same ----------------------------------------------------- */

static bool is_same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_same_texts(char *const *a, char *const *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_same_text(a[i], b[i]))
			return false;
	return true;
}

static bool is_same_ips(const struct weft_ip *a, const struct weft_ip *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!net_is_same(&a[i], &b[i]))
			return false;
	return true;
}

static bool is_same_selectors(const struct weft_tunnel_selectors *a,
			      const struct weft_tunnel_selectors *b)
{
	return a->n == b->n && is_same_texts(a->items, b->items, a->n);
}

static bool is_same_acl(const struct weft_tunnel_acl_rule *a,
			const struct weft_tunnel_acl_rule *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!is_same_selectors(&a[i].from, &b[i].from) ||
		    !is_same_selectors(&a[i].to, &b[i].to) ||
		    a[i].protocol != b[i].protocol || a[i].ports_n != b[i].ports_n)
			return false;
		for (size_t k = 0; k < a[i].ports_n; k++)
			if (a[i].ports[k].first != b[i].ports[k].first ||
			    a[i].ports[k].last != b[i].ports[k].last)
				return false;
	}
	return true;
}

static bool is_same_exits(const struct weft_tunnel_exit *a,
			  const struct weft_tunnel_exit *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_same_selectors(&a[i].from, &b[i].from) ||
		    !is_same_selectors(&a[i].via, &b[i].via) ||
		    a[i].balance != b[i].balance)
			return false;
	return true;
}

static size_t count_of(const struct row *row, const void *object)
{
	size_t n = 0;
	if (row->count)
		memcpy(&n, (const char *)object + row->count, sizeof(n));
	return n;
}

/* A member, as what it is. */
#define AT(type, object) \
	(*(type const *)(const void *)((const char *)(object) + row->off))

static bool is_same_array(const struct row *row, const void *a, const void *b, size_t n)
{
	if (row->kind == TEXTS)
		return is_same_texts(AT(char **, a), AT(char **, b), n);
	if (row->kind == IPS)
		return is_same_ips(AT(struct weft_ip *, a), AT(struct weft_ip *, b), n);
	if (row->kind == ACL)
		return is_same_acl(AT(struct weft_tunnel_acl_rule *, a),
				   AT(struct weft_tunnel_acl_rule *, b), n);
	return is_same_exits(AT(struct weft_tunnel_exit *, a),
			     AT(struct weft_tunnel_exit *, b), n);
}

static bool is_same_networks(const struct weft_tunnel_networks *a,
			     const struct weft_tunnel_networks *b)
{
	return a->n == b->n && is_same_ips(a->items, b->items, a->n);
}

static bool is_same_mark(const struct weft_tunnel_mark *a,
			 const struct weft_tunnel_mark *b)
{
	return a->value == b->value && a->table == b->table;
}

static bool is_same(const struct row *row, const void *a, const void *b)
{
	const size_t n = count_of(row, a);
	switch (row->kind) {
	case TEXT:
		return is_same_text(AT(char *, a), AT(char *, b));
	case U16:
		return AT(uint16_t, a) == AT(uint16_t, b);
	case UNSIGNED:
	case CHOICE:
		return AT(unsigned, a) == AT(unsigned, b);
	case FLAG:
		return AT(bool, a) == AT(bool, b);
	case BYTES32:
		return memcmp(&AT(uint8_t, a), &AT(uint8_t, b), 32) == 0;
	case IP:
		return net_is_same(&AT(struct weft_ip, a), &AT(struct weft_ip, b));
	case NETWORKS:
		return is_same_networks(&AT(struct weft_tunnel_networks, a),
					&AT(struct weft_tunnel_networks, b));
	case MARK:
		return is_same_mark(&AT(struct weft_tunnel_mark, a),
				    &AT(struct weft_tunnel_mark, b));
	default:
		return n == count_of(row, b) && is_same_array(row, a, b, n);
	}
}

/* ---- telling ----------------------------------------------------------------------------- */

/* Who is told, and of whom. */
struct telling {
	weft_tunnel_change_fn *fn;
	void *user;
	const char *interface;
	const char *client; /* NULL: the interface itself */
};

static void tell(const struct telling *to, const char *what)
{
	char text[256];
	if (to->client)
		(void)snprintf(text, sizeof(text), "%s: client %s %s", to->interface,
			       to->client, what);
	else
		(void)snprintf(text, sizeof(text), "%s%s", to->interface, what);
	to->fn(to->user, text);
}

static void tell_row(const struct telling *to, const struct row *row, const void *a,
		     const void *b)
{
	char text[96];
	if (to->client)
		(void)snprintf(text, sizeof(text), "has other \"%s\"", row->key);
	else if (row->kind == U16)
		(void)snprintf(text, sizeof(text), ": \"%s\" is %u, was %u", row->key,
			       AT(uint16_t, b), AT(uint16_t, a));
	else if (row->kind == UNSIGNED)
		(void)snprintf(text, sizeof(text), ": \"%s\" is %u, was %u", row->key,
			       AT(unsigned, b), AT(unsigned, a));
	else
		(void)snprintf(text, sizeof(text), ": \"%s\" has changed", row->key);
	tell(to, text);
}

/* A key that has two rows is told once. */
static void tell_rows(const struct telling *to, const struct row *rows, const void *a,
		      const void *b)
{
	const char *told = "";
	for (const struct row *row = rows; row->key; row++) {
		if (is_same(row, a, b) || strcmp(told, row->key) == 0)
			continue;
		tell_row(to, row, a, b);
		told = row->key;
	}
}

/*
 * Addresses of a client stand in the file in two places: the first one of IPv4 as "ip", if it has
 * that, and all others as "ips".
 */
static void tell_ips(const struct telling *to, const struct weft_tunnel_client *a,
		     const struct weft_tunnel_client *b)
{
	const size_t a_ip = a->has_ip, b_ip = b->has_ip;
	if (a_ip != b_ip || !is_same_ips(a->ips, b->ips, a_ip))
		tell(to, "has other \"ip\"");
	if (a->ips_n - a_ip != b->ips_n - b_ip ||
	    !is_same_ips(a->ips + a_ip, b->ips + b_ip, a->ips_n - a_ip))
		tell(to, "has other \"ips\"");
}

const struct weft_tunnel_client *changes_find_client(
	const struct weft_tunnel_interface *server, const char *name)
{
	for (size_t i = 0; i < server->clients_n; i++)
		if (strcmp(server->clients[i].name, name) == 0)
			return &server->clients[i];
	return NULL;
}

static void tell_clients(const struct telling *to,
			 const struct weft_tunnel_interface *before,
			 const struct weft_tunnel_interface *after)
{
	struct telling of = *to;
	for (size_t i = 0; i < before->clients_n; i++) {
		of.client = before->clients[i].name;
		if (!changes_find_client(after, of.client))
			tell(&of, "is no more");
	}
	for (size_t i = 0; i < after->clients_n; i++) {
		const struct weft_tunnel_client *now = &after->clients[i];
		const struct weft_tunnel_client *then =
			changes_find_client(before, now->name);
		of.client = now->name;
		if (!then) {
			tell(&of, "is new");
			continue;
		}
		tell_ips(&of, then, now);
		tell_rows(&of, client_rows, then, now);
	}
}

void changes_tell(const struct weft_tunnel_interface *before,
		  const struct weft_tunnel_interface *after, weft_tunnel_change_fn *fn,
		  void *user)
{
	const struct telling to = { .fn = fn,
				    .user = user,
				    .interface = after ? after->name : before->name };
	if (!fn)
		return;
	if (!before || !after) {
		tell(&to, after ? " is new" : " is no more");
		return;
	}
	if (before->is_server != after->is_server) {
		tell(&to, after->is_server ? ": is a server, was a client"
					   : ": is a client, was a server");
		return;
	}
	tell_rows(&to, interface_rows, before, after);
	tell_clients(&to, before, after);
}
