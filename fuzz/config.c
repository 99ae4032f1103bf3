/* SPDX-License-Identifier: MIT */
/*
 * Configurations from anybody. Whatever comes: a text without a fault is JSON to jansson as
 * well, and what jansson refuses has a fault; faults come in the order of the file, and stand
 * in it; a configuration comes exactly if no fault is an error, and has all that the tunnel
 * relies on.
 */
#include "check.h"

#include <weft/tunnel_config.h>

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct seen {
	unsigned line, column, lines;
	size_t errors;
};

static void look(void *user, const struct weft_tunnel_fault *fault)
{
	struct seen *seen = user;
	json_t *text = json_string(fault->text), *path = json_string(fault->path);
	CHECK(text && path && fault->text[0]);
	CHECK(fault->column >= 1 && fault->line >= 1 && fault->line <= seen->lines);
	CHECK(fault->line > seen->line ||
	      (fault->line == seen->line && fault->column >= seen->column));
	seen->line = fault->line;
	seen->column = fault->column;
	seen->errors += !fault->is_warning;
	json_decref(text);
	json_decref(path);
}

static void check_ips(const struct weft_ip *ips, size_t n)
{
	for (size_t i = 0; i < n; i++)
		CHECK(ips[i].family == AF_INET || ips[i].family == AF_INET6);
}

static void check_selectors(const struct weft_tunnel_selectors *selectors)
{
	for (size_t i = 0; i < selectors->n; i++)
		CHECK(selectors->items[i] && selectors->items[i][0]);
}

static void check_client(const struct weft_tunnel_client *client, bool is_ethernet)
{
	CHECK(client->name && client->token && client->line > 0);
	CHECK(client->ips_n > 0 || is_ethernet);
	check_ips(client->ips, client->ips_n);
	for (size_t i = 1; i < client->ips_n; i++)
		CHECK(client->ips[i - 1].family == AF_INET ||
		      client->ips[i].family == AF_INET6);
	check_ips(client->routes, client->routes_n);
	check_ips(client->sources, client->sources_n);
	check_ips(client->push.items, client->push.n);
	for (size_t i = 0; i < client->tags_n; i++)
		CHECK(client->tags[i] && client->tags[i][0]);
	CHECK(!is_ethernet || client->routes_n + client->sources_n + client->push.n == 0);
}

static void check_rules(const struct weft_tunnel_interface *server)
{
	CHECK(server->acl_n == 0 || server->has_acl);
	for (size_t i = 0; i < server->acl_n; i++) {
		const struct weft_tunnel_acl_rule *rule = &server->acl[i];
		CHECK(rule->from.n > 0 && rule->to.n > 0 && rule->line > 0);
		check_selectors(&rule->from);
		check_selectors(&rule->to);
		CHECK(rule->ports_n == 0 || rule->protocol == IPPROTO_TCP ||
		      rule->protocol == IPPROTO_UDP);
		for (size_t k = 0; k < rule->ports_n; k++)
			CHECK(rule->ports[k].first > 0 &&
			      rule->ports[k].first <= rule->ports[k].last);
	}
	for (size_t i = 0; i < server->exits_n; i++) {
		CHECK(server->exits[i].via.n > 0 && server->exits[i].line > 0);
		check_selectors(&server->exits[i].from);
		check_selectors(&server->exits[i].via);
	}
}

static void check_server(const struct weft_tunnel_interface *server)
{
	const bool is_ethernet = server->mode == WEFT_TUNNEL_ETHERNET;
	CHECK(server->port > 0 && !server->url);
	CHECK(server->net.family == AF_INET || (is_ethernet && !server->net.family));
	CHECK(server->net6.family == AF_INET6 || !server->net6.family);
	CHECK(server->mtu >= 68 && server->mtu <= 9000);
	CHECK(!server->tls_cert == !server->tls_key);
	CHECK(!is_ethernet || (!server->has_acl && server->exits_n == 0));
	check_ips(server->ips, server->ips_n);
	check_ips(server->routes, server->routes_n);
	check_ips(server->push.items, server->push.n);
	check_rules(server);
	for (size_t i = 0; i < server->clients_n; i++)
		check_client(&server->clients[i], is_ethernet);
}

static void check_way(const struct weft_tunnel_interface *client)
{
	CHECK(client->url && client->raw_token);
	CHECK(client->streams >= 1 && client->streams <= WEFT_TUNNEL_STREAMS_MAX);
	CHECK(!client->no_routes || client->accept.n == 0);
	check_ips(client->accept.items, client->accept.n);
	for (size_t i = 0; i < client->headers_n; i++)
		CHECK(strstr(client->headers[i], ": ") &&
		      !strpbrk(client->headers[i], "\r\n"));
}

static void check_config(const struct weft_tunnel_config *config)
{
	CHECK(config->interfaces_n > 0);
	for (size_t i = 0; i < config->interfaces_n; i++) {
		const struct weft_tunnel_interface *interface = &config->interfaces[i];
		CHECK(interface->name[0] && interface->line > 0);
		CHECK(interface->mark.value == 0 || interface->mark.table > 0);
		CHECK(!interface->bridge || interface->mode == WEFT_TUNNEL_ETHERNET);
		if (interface->is_server)
			check_server(interface);
		else
			check_way(interface);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct seen seen = { .lines = 1 };
	struct weft_tunnel_config *config = NULL;
	json_error_t error;
	char *text = malloc(len + 1);
	CHECK(text);
	memcpy(text, data, len);
	for (size_t i = 0; i < len; i++)
		seen.lines += text[i] == '\n';
	int r = weft_tunnel_config_parse(text, len, look, &seen, &config);
	CHECK(r == 0 || r == -EINVAL);
	CHECK((r == 0) == (seen.errors == 0) && (r == 0) == (config != NULL));
	/* Jansson does not know a byte order mark, which is only warned of. */
	const size_t mark = len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	json_t *whole = json_loadb(text + mark, len - mark,
				   JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	CHECK(whole || r < 0);
	if (r == 0)
		check_config(config);
	weft_tunnel_config_free(config);
	json_decref(whole);
	free(text);
	return 0;
}
