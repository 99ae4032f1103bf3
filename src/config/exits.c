/* SPDX-License-Identifier: MIT */
/*
 * The exits of a server: clients that lead to where no network of the tunnel is, for those of
 * whom "from" speaks.
 *
 *     { "from": ["office"], "via": ["gateway-*"], "mode": "failover" }
 *
 * "sources" of a client is the older way to say this for one client without a second one. Both
 * for the same packets would be a contradiction.
 */
#include "base/net.h"
#include "config/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- an exit ----------------------------------------------------------------------------- */

static void read_from(struct reader *reader, const struct node *node, void *object)
{
	config_read_selectors(reader, node, &((struct weft_tunnel_exit *)object)->from);
}

static void read_via(struct reader *reader, const struct node *node, void *object)
{
	config_read_selectors(reader, node, &((struct weft_tunnel_exit *)object)->via);
}

static void read_exit_mode(struct reader *reader, const struct node *node, void *object)
{
	static const char *const words[] = { "failover", "balance", NULL };
	unsigned i;
	if (field_word(reader, node, words, &i))
		((struct weft_tunnel_exit *)object)->balance = i == 1;
}

static void read_exit(struct reader *reader, const struct node *node,
		      struct weft_tunnel_exit *exit)
{
	static const struct field table[] = {
		{ "from", JSON_STRING, FIELD_ANY_TYPE,
		  "whose packets: a tag, a name, a network, or an array of them",
		  read_from },
		{ "via", JSON_STRING, FIELD_REQUIRED | FIELD_ANY_TYPE,
		  "the clients that lead out, by tags and names: [\"gateway-*\"]",
		  read_via },
		{ "mode", JSON_STRING, 0, "\"failover\" or \"balance\"", read_exit_mode },
		{ 0 },
	};
	static const struct fields fields = { "an exit", table, NULL };
	exit->line = node->at.line;
	(void)fields_read(reader, node, &fields, exit);
}

void config_read_exits(struct reader *reader, const struct node *node, void *object)
{
	struct weft_tunnel_interface *interface = object;
	if (node->count > CONFIG_RULES_MAX) {
		reader_fault(reader, SEVERITY_ERROR, node,
			     "found %zu exits; there can be at most %u", node->count,
			     CONFIG_RULES_MAX);
		return;
	}
	interface->exits = calloc(node->count + 1, sizeof(*interface->exits));
	if (!interface->exits) {
		reader->r = -ENOMEM;
		return;
	}
	for (const struct node *member = node->first; member; member = member->next)
		read_exit(reader, member, &interface->exits[interface->exits_n++]);
}

/* ---- via --------------------------------------------------------------------------------- */

/* The client that has the address, or a network with it. */
static const struct weft_tunnel_client *client_at(
	const struct weft_ip *ip, const struct weft_tunnel_interface *interface)
{
	for (size_t i = 0; i < interface->clients_n; i++) {
		const struct weft_tunnel_client *client = &interface->clients[i];
		for (size_t k = 0; k < client->ips_n; k++)
			if (net_contains(&client->ips[k], ip))
				return client;
	}
	return NULL;
}

/* An address in the place of a name: of whom it is, and how that one is called. */
static void check_via_address(struct reader *reader, const struct node *node,
			      const struct weft_tunnel_interface *interface)
{
	char quote[NODE_QUOTE_LEN];
	struct weft_ip ip;
	if (weft_ip_parse(field_text(node), &ip) < 0)
		return;
	const struct weft_tunnel_client *client = client_at(&ip, interface);
	const bool has_name =
		client && client->name && !config_is_like_address(client->name);
	if (has_name)
		reader_fault(reader, SEVERITY_ERROR, node,
			     "clients stand here by tags and names; write \"%s\"",
			     node_quote(client->name, strlen(client->name), quote));
	else
		reader_fault(reader, SEVERITY_ERROR, node,
			     "clients stand here by tags and names; %s",
			     client ? "give the one with this address a \"name\""
				    : "and none has this address");
}

static void check_via(struct reader *reader, const struct node *node,
		      const struct weft_tunnel_interface *interface)
{
	const char *text = field_text(node);
	if (config_is_like_address(text))
		check_via_address(reader, node, interface);
	else if (strcmp(text, WEFT_TUNNEL_SELF) == 0)
		reader_fault(reader, SEVERITY_ERROR, node,
			     "what has no exit goes out at the server itself; an exit is "
			     "a client");
	else if (!config_selected(text, interface))
		config_no_client(reader, SEVERITY_ERROR, node, interface);
}

/* How many clients an exit has. */
static size_t count_clients(const struct weft_tunnel_exit *exit,
			    const struct weft_tunnel_interface *interface)
{
	size_t n = 0;
	for (size_t i = 0; i < interface->clients_n; i++) {
		size_t k = 0;
		while (k < exit->via.n &&
		       !config_selects(exit->via.items[k], &interface->clients[i]))
			k++;
		n += k < exit->via.n;
	}
	return n;
}

/* ---- from, beside "sources" -------------------------------------------------------------- */

/* Whether a selector speaks of packets whose source lies in a network. */
static bool claims(const char *selector, const struct weft_ip *source,
		   const struct weft_tunnel_interface *interface)
{
	struct weft_ip ip;
	if (weft_ip_parse(selector, &ip) == 0)
		return config_overlaps(&ip, source);
	for (size_t i = 0; i < interface->clients_n; i++) {
		const struct weft_tunnel_client *client = &interface->clients[i];
		if (!config_selects(selector, client))
			continue;
		for (size_t k = 0; k < client->ips_n; k++)
			if (net_contains(source, &client->ips[k]))
				return true;
	}
	return false;
}

static void check_from(struct reader *reader, const struct node *node,
		       const struct weft_tunnel_interface *interface)
{
	char path[NODE_PATH_LEN], source_text[WEFT_IP_TEXT];
	for (size_t i = 0; i < reader->sources.n; i++) {
		const struct stake *source = &reader->sources.items[i];
		if (!claims(field_text(node), &source->ip, interface))
			continue;
		reader_fault(reader, SEVERITY_ERROR, node,
			     "packets from %s go to a client already, %s (line %u); take "
			     "one of the two out",
			     weft_ip_print(&source->ip, source_text),
			     node_path(source->node, path), source->node->at.line);
		return;
	}
}

/* ---- all exits --------------------------------------------------------------------------- */

/* Exits are looked through in order; one for everybody leaves nothing for those behind it. */
static bool exit_covers(const struct weft_tunnel_exit *a,
			const struct weft_tunnel_exit *b)
{
	return a->from.n == 0 || config_selectors_cover(&a->from, &b->from);
}

static void check_reach(struct reader *reader, const struct node *node,
			const struct weft_tunnel_interface *interface, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!exit_covers(&interface->exits[i], &interface->exits[n]))
			continue;
		reader_fault(reader, SEVERITY_WARNING, node,
			     "this exit is never used: [%zu] (line %u) before it takes "
			     "all of its packets",
			     i, interface->exits[i].line);
		return;
	}
}

static void check_exit(struct reader *reader, const struct node *node,
		       const struct weft_tunnel_interface *interface, size_t i)
{
	const struct weft_tunnel_exit *exit = &interface->exits[i];
	for (const struct node *text = config_first_text(node_get(node, "via")); text;
	     text = config_next_text(text))
		check_via(reader, text, interface);
	for (const struct node *text = config_first_text(node_get(node, "from")); text;
	     text = config_next_text(text)) {
		config_selector_check(reader, text, interface);
		check_from(reader, text, interface);
	}
	if (exit->balance && count_clients(exit, interface) == 1)
		reader_fault(reader, SEVERITY_WARNING, node_get(node, "mode"),
			     "there is one client to go over, so nothing is balanced");
	check_reach(reader, node, interface, i);
}

void config_exits_check(struct reader *reader, const struct node *node,
			const struct weft_tunnel_interface *interface)
{
	const struct node *exits = node_get(node, "exits");
	const struct node *member = exits ? exits->first : NULL;
	for (size_t i = 0; member && i < interface->exits_n; member = member->next)
		check_exit(reader, member, interface, i++);
}
