/* SPDX-License-Identifier: MIT */
/*
 * For people: what is as always is left out.
 *
 *     tun0             server on port 8080, 10.50.10.1/24, MTU 1500
 *                      local 192.168.0.0/24
 *                      10.50.10.2      site  tags office  routes 192.168.7.0/24
 *                      line 9: office may talk to *, __self__ (tcp 22, 8000-8100)
 */
#include "cmd/meaning.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define INDENT "                 "

const char *meaning_url(const char *url, char buf[MEANING_URL_LEN])
{
	const char *host = strstr(url, "://") + 3;
	const size_t len = strcspn(host, "/?#");
	const char *at = NULL;
	for (size_t i = 0; i < len; i++)
		if (host[i] == '@')
			at = host + i;
	(void)snprintf(buf, MEANING_URL_LEN, "%.*s%s", (int)(host - url), url,
		       at ? at + 1 : host);
	return buf;
}

const char *meaning_protocol(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_ICMP:
		return "icmp";
	default:
		return "any";
	}
}

/* ---- lists ------------------------------------------------------------------------------- */

static void print_ips(const char *what, const struct weft_ip *ips, size_t n)
{
	char text[WEFT_IP_TEXT];
	for (size_t i = 0; i < n; i++)
		printf("%s%s", i == 0 ? what : ", ", weft_ip_print(&ips[i], text));
}

static void print_texts(const char *what, char *const *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		printf("%s%s", i == 0 ? what : ", ", items[i]);
}

/* A line of its own, if there is anything to stand in it. */
static void print_line(const char *what, const struct weft_ip *ips, size_t n)
{
	print_ips(what, ips, n);
	if (n > 0)
		(void)putchar('\n');
}

/* ---- a server ---------------------------------------------------------------------------- */

static void print_client(const struct weft_tunnel_client *client)
{
	char text[WEFT_IP_TEXT] = "-";
	if (client->ips_n > 0)
		(void)weft_ip_print(&client->ips[0], text);
	printf(INDENT "%-15s", text);
	if (strcmp(client->name, text) != 0)
		printf(" %s", client->name);
	if (client->ips_n > 1)
		print_ips("  also ", &client->ips[1], client->ips_n - 1);
	print_texts("  tags ", client->tags, client->tags_n);
	print_ips("  routes ", client->routes, client->routes_n);
	print_ips("  sources ", client->sources, client->sources_n);
	print_ips("  is told of ", client->push.items, client->push.n);
	if (client->no_source_check)
		printf("  may send from any address");
	(void)putchar('\n');
}

static void print_rule(const struct weft_tunnel_acl_rule *rule)
{
	printf(INDENT "line %u: ", rule->line);
	print_texts("", rule->from.items, rule->from.n);
	print_texts(" may talk to ", rule->to.items, rule->to.n);
	if (rule->protocol != 0)
		printf(" (%s", meaning_protocol(rule->protocol));
	for (size_t i = 0; i < rule->ports_n; i++) {
		const struct weft_tunnel_ports *ports = &rule->ports[i];
		printf(ports->first == ports->last ? "%s%u" : "%s%u-%u",
		       i == 0 ? " " : ", ", ports->first, ports->last);
	}
	printf(rule->protocol != 0 ? ")\n" : "\n");
}

static void print_exit(const struct weft_tunnel_exit *exit)
{
	printf(INDENT "line %u: ", exit->line);
	if (exit->from.n == 0)
		printf("everybody");
	print_texts("", exit->from.items, exit->from.n);
	print_texts(" goes out via ", exit->via.items, exit->via.n);
	puts(exit->balance ? ", spread over all good ones by nearness"
			   : ", the best one");
}

static void print_server(const struct weft_tunnel_interface *server)
{
	for (size_t i = 0; i < server->clients_n; i++)
		print_client(&server->clients[i]);
	if (server->has_acl && server->acl_n == 0)
		puts(INDENT "nobody may talk to anybody");
	for (size_t i = 0; i < server->acl_n; i++)
		print_rule(&server->acl[i]);
	for (size_t i = 0; i < server->exits_n; i++)
		print_exit(&server->exits[i]);
}

static void print_server_head(const struct weft_tunnel_interface *server)
{
	printf("server on port %u", server->port);
	print_ips(" at ", &server->listen, server->listen.family ? 1 : 0);
	print_ips(", ", &server->net, server->net.family ? 1 : 0);
	print_ips(", ", &server->net6, server->net6.family ? 1 : 0);
	printf(", MTU %u%s", server->mtu, server->tls_cert ? ", TLS" : "");
}

/* ---- a client ---------------------------------------------------------------------------- */

static void print_client_head(const struct weft_tunnel_interface *client)
{
	char url[MEANING_URL_LEN];
	printf("client of %s", meaning_url(client->url, url));
	if (client->proxy)
		printf(" by proxy %s", meaning_url(client->proxy, url));
	if (client->family)
		printf(", IPv%u only", client->family == AF_INET ? 4 : 6);
	if (client->first_family)
		printf(", IPv%u first", client->first_family == AF_INET ? 4 : 6);
	if (client->http2)
		printf(", HTTP/2");
	if (client->streams > 1)
		printf(", %u streams each way", client->streams);
	if (client->ca_file)
		printf(", certificates of %s", client->ca_file);
	if (client->has_pin)
		printf(", pinned key");
}

/* ---- an interface ------------------------------------------------------------------------ */

void meaning_print(const struct weft_tunnel_interface *interface)
{
	printf("%-15s  ", interface->name);
	if (interface->mode == WEFT_TUNNEL_ETHERNET)
		printf("Ethernet ");
	if (interface->is_server)
		print_server_head(interface);
	else
		print_client_head(interface);
	if (interface->bridge)
		printf(", port of %s", interface->bridge);
	if (interface->congestion)
		printf(", %s", interface->congestion);
	if (interface->mark.value != 0)
		printf(", mark %u to table %u", interface->mark.value,
		       interface->mark.table);
	(void)putchar('\n');
	print_line(INDENT "also ", interface->ips, interface->ips_n);
	print_line(INDENT "local ", interface->routes, interface->routes_n);
	print_line(INDENT "clients are told of ", interface->push.items,
		   interface->push.n);
	if (interface->no_routes)
		puts(INDENT "takes no routes");
	print_line(INDENT "takes routes in ", interface->accept.items,
		   interface->accept.n);
	if (interface->is_server)
		print_server(interface);
}
