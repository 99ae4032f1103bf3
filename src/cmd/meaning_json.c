/* SPDX-License-Identifier: MIT */
/*
 * As JSON: the keys are those of the configuration, so that a program can read either.
 */
#include "cmd/meaning.h"

#include <netinet/in.h>

static json_t *json_ip(const struct weft_ip *ip)
{
	char text[WEFT_IP_TEXT];
	return ip->family ? json_string(weft_ip_print(ip, text)) : NULL;
}

static json_t *json_ips(const struct weft_ip *ips, size_t n)
{
	json_t *array = json_array();
	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(array, json_ip(&ips[i]));
	return array;
}

static json_t *json_texts(char *const *items, size_t n)
{
	json_t *array = json_array();
	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(array, json_string(items[i]));
	return array;
}

/* ---- a server ---------------------------------------------------------------------------- */

static json_t *json_client(const struct weft_tunnel_client *client)
{
	return json_pack("{s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:b}", "name", client->name,
			 "line", (int)client->line, "ips",
			 json_ips(client->ips, client->ips_n), "tags",
			 json_texts(client->tags, client->tags_n), "routes",
			 json_ips(client->routes, client->routes_n), "sources",
			 json_ips(client->sources, client->sources_n), "push",
			 json_ips(client->push.items, client->push.n), "source_check",
			 !client->no_source_check);
}

static json_t *json_ports(const struct weft_tunnel_acl_rule *rule)
{
	json_t *array = json_array();
	for (size_t i = 0; i < rule->ports_n; i++) {
		const struct weft_tunnel_ports *ports = &rule->ports[i];
		(void)json_array_append_new(
			array,
			ports->first == ports->last
				? json_integer(ports->first)
				: json_sprintf("%u-%u", ports->first, ports->last));
	}
	return array;
}

static json_t *json_rule(const struct weft_tunnel_acl_rule *rule)
{
	return json_pack("{s:i, s:o, s:o, s:s, s:o}", "line", (int)rule->line, "from",
			 json_texts(rule->from.items, rule->from.n), "to",
			 json_texts(rule->to.items, rule->to.n), "protocol",
			 meaning_protocol(rule->protocol), "ports", json_ports(rule));
}

static json_t *json_exit(const struct weft_tunnel_exit *exit)
{
	return json_pack("{s:i, s:o, s:o, s:s}", "line", (int)exit->line, "from",
			 json_texts(exit->from.items, exit->from.n), "via",
			 json_texts(exit->via.items, exit->via.n), "mode",
			 exit->balance ? "balance" : "failover");
}

static void add_server(json_t *object, const struct weft_tunnel_interface *server)
{
	json_t *clients = json_array(), *acl = json_array(), *exits = json_array();
	for (size_t i = 0; i < server->clients_n; i++)
		(void)json_array_append_new(clients, json_client(&server->clients[i]));
	for (size_t i = 0; i < server->acl_n; i++)
		(void)json_array_append_new(acl, json_rule(&server->acl[i]));
	for (size_t i = 0; i < server->exits_n; i++)
		(void)json_array_append_new(exits, json_exit(&server->exits[i]));
	json_t *more =
		json_pack("{s:i, s:o*, s:o*, s:o*, s:i, s:o, s:o, s:o, s:o, s:o}", "port",
			  (int)server->port, "listen", json_ip(&server->listen), "net",
			  json_ip(&server->net), "net6", json_ip(&server->net6), "mtu",
			  (int)server->mtu, "ips", json_ips(server->ips, server->ips_n),
			  "routes", json_ips(server->routes, server->routes_n), "push",
			  json_ips(server->push.items, server->push.n), "exits", exits,
			  "clients", clients);
	(void)json_object_update(object, more);
	json_decref(more);
	/* An access list that is there and empty is something else than none. */
	if (server->has_acl)
		(void)json_object_set_new(object, "acl", json_incref(acl));
	json_decref(acl);
	if (server->tls_cert)
		(void)json_object_set_new(object, "tls",
					  json_pack("{s:s, s:s}", "cert",
						    server->tls_cert, "key",
						    server->tls_key));
}

/* ---- a client ---------------------------------------------------------------------------- */

/* true, false, or in which networks. */
static json_t *json_accept(const struct weft_tunnel_interface *client)
{
	if (client->accept.n > 0)
		return json_ips(client->accept.items, client->accept.n);
	return json_boolean(!client->no_routes);
}

static const char *family_of(const struct weft_tunnel_interface *client)
{
	if (client->family)
		return client->family == AF_INET ? "ipv4" : "ipv6";
	if (client->first_family)
		return client->first_family == AF_INET ? "prefer-ipv4" : "prefer-ipv6";
	return NULL;
}

static void add_client(json_t *object, const struct weft_tunnel_interface *client)
{
	char url[MEANING_URL_LEN], proxy[MEANING_URL_LEN];
	json_t *more =
		json_pack("{s:s, s:s*, s:s*, s:b, s:b, s:s*, s:i, s:o}", "server",
			  meaning_url(client->url, url), "proxy",
			  client->proxy ? meaning_url(client->proxy, proxy) : NULL, "ca",
			  client->ca_file, "pinned", client->has_pin, "http2",
			  client->http2, "family", family_of(client), "streams",
			  (int)client->streams, "accept_routes", json_accept(client));
	(void)json_object_update(object, more);
	json_decref(more);
}

/* ---- an interface ------------------------------------------------------------------------ */

json_t *meaning_json(const struct weft_tunnel_interface *interface)
{
	json_t *object = json_pack(
		"{s:s, s:s, s:i, s:s, s:{s:I, s:I}, s:b, s:s*, s:s*}", "name",
		interface->name, "kind", interface->is_server ? "server" : "client",
		"line", (int)interface->line, "mode",
		interface->mode == WEFT_TUNNEL_ETHERNET ? "ethernet" : "ip", "mark",
		"value", (json_int_t)interface->mark.value, "table",
		(json_int_t)interface->mark.table, "compat", interface->is_compat,
		"congestion", interface->congestion, "bridge", interface->bridge);
	if (interface->is_server)
		add_server(object, interface);
	else
		add_client(object, interface);
	return object;
}
