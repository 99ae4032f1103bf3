/* SPDX-License-Identifier: MIT */
/*
 * A server: its own address and net, and who may connect.
 *
 *     net 10.20.0.1/24 ---- clients[0]  ip 10.20.0.2   routes 192.168.7.0/24   (behind it)
 *                      `--- clients[1]  ip 10.20.0.3   sources 10.20.0.2/32    (goes to it)
 */
#include "tunnel/config.h"
#include "tunnel/net.h"
#include "tunnel/token.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define CLIENT_NAME_MAX 64u
#define HEX_LOWER       "0123456789abcdef"
#define HEX             HEX_LOWER "ABCDEF"

static void stake(struct reader *reader, struct stakes *stakes, const struct stake *stake)
{
	if (stakes_add(stakes, stake) < 0)
		reader->r = -ENOMEM;
}

static void stake_ip(struct reader *reader, struct stakes *stakes,
		     const struct weft_ip *ip, const struct node *node)
{
	stake(reader, stakes, &(struct stake){ .ip = *ip, .node = node });
}

/* ---- lists of addresses ------------------------------------------------------------------ */

/* Where a list goes. */
struct list {
	struct weft_ip **items;
	size_t *n;
	enum ip_form form;
	struct stakes *stakes; /* NULL for none. */
};

static void read_ips(struct reader *reader, const struct node *node,
		     const struct list *list)
{
	struct weft_ip *items = calloc(node->count + 1, sizeof(*items));
	size_t n = 0;
	if (!items) {
		reader->r = -ENOMEM;
		return;
	}
	for (const struct node *member = node->first; member; member = member->next) {
		struct weft_ip ip;
		if (!field_ip(reader, member, list->form, &ip))
			continue;
		items[n++] = ip;
		if (list->form == IP_HOST_PREFIX)
			ip = net_host(&ip);
		if (list->stakes)
			stake_ip(reader, list->stakes, &ip, member);
	}
	*list->items = items;
	*list->n = n;
}

/* ---- a server's client ------------------------------------------------------------------- */

static void read_client_name(struct reader *reader, const struct node *node, void *object)
{
	struct weft_tunnel_client *client = object;
	const char *name = field_text(node);
	bool is_odd = name[0] == '\0' || strlen(name) > CLIENT_NAME_MAX;
	for (const char *c = name; *c; c++)
		is_odd |= (unsigned char)*c < ' ' || *c == 0x7f;
	if (is_odd)
		reader_fault(
			reader, SEVERITY_ERROR, node,
			"a client's name has 1 to %u bytes, and no control characters",
			CLIENT_NAME_MAX);
	else if (!(client->name = strdup(name)))
		reader->r = -ENOMEM;
}

/* Why a text is no hash, and what to write. */
static void explain_hash(struct reader *reader, const struct node *node)
{
	char text[TOKEN_SHA1_TEXT];
	const char *token = field_text(node);
	const size_t len = strlen(token), digits = strspn(token, HEX);
	if (len == 0) {
		reader_fault(reader, SEVERITY_ERROR, node,
			     "an empty token; it must be the SHA-1 of one, in 40 digits "
			     "0-9a-f");
	} else if (len == 40 && digits == 40) {
		for (size_t i = 0; i <= len; i++)
			text[i] = (char)(token[i] | (token[i] >= 'A' ? 0x20 : 0));
		reader_fault(reader, SEVERITY_ERROR, node,
			     "a hash is written in small letters; write \"%s\"", text);
	} else if (digits == len && len >= 32) {
		reader_fault(
			reader, SEVERITY_ERROR, node,
			"found %zu digits; a SHA-1 has 40; was a part lost when it was "
			"copied?",
			len);
	} else if (token_sha1(token, text) == 0) {
		reader_fault(reader, SEVERITY_ERROR, node,
			     "a hash belongs here, and this looks like the token itself, "
			     "which is the client's; its SHA-1 is \"%s\"",
			     text);
	} else {
		reader_fault(reader, SEVERITY_ERROR, node,
			     "a hash belongs here, and this looks like the token itself");
	}
}

static bool is_hash(const char *token)
{
	if (strncmp(token, "$argon2id$", 10) == 0)
		return crypto_pwhash_str_needs_rehash(
			       token, crypto_pwhash_OPSLIMIT_INTERACTIVE,
			       crypto_pwhash_MEMLIMIT_INTERACTIVE) >= 0;
	return strlen(token) == 40 && strspn(token, HEX_LOWER) == 40;
}

static void read_hash(struct reader *reader, const struct node *node, void *object)
{
	struct weft_tunnel_client *client = object;
	const char *token = field_text(node);
	if (strncmp(token, "$argon2id$", 10) == 0 && !is_hash(token)) {
		reader_fault(reader, SEVERITY_ERROR, node,
			     "this begins as a hash in argon2id does, and is none; was a "
			     "part lost when it was copied?");
		return;
	}
	if (!is_hash(token)) {
		explain_hash(reader, node);
		return;
	}
	stake(reader, &reader->tokens, &(struct stake){ .text = token, .node = node });
	client->token = strdup(token);
	if (!client->token)
		reader->r = -ENOMEM;
}

/* What x-tun-conf tells a client has no room for another family. */
static bool is_ip4(struct reader *reader, const struct node *node,
		   const struct weft_ip *ip)
{
	if (ip->family == AF_INET)
		return true;
	reader_fault(reader, SEVERITY_ERROR, node,
		     "this address is told to clients in a form that has room for IPv4 "
		     "alone; IPv6 can stand in \"ips\", \"routes\" and \"sources\"");
	return false;
}

static void read_client_ip(struct reader *reader, const struct node *node, void *object)
{
	struct weft_tunnel_client *client = object;
	struct weft_ip ip;
	if (!field_ip(reader, node, IP_HOST, &ip) || !is_ip4(reader, node, &ip))
		return;
	stake_ip(reader, &reader->addresses, &ip, node);
	client->ips = malloc(sizeof(ip));
	if (!client->ips) {
		reader->r = -ENOMEM;
		return;
	}
	client->ips[0] = ip;
	client->ips_n = 1;
}

static void read_client_routes(struct reader *reader, const struct node *node,
			       void *object)
{
	struct weft_tunnel_client *client = object;
	read_ips(reader, node,
		 &(struct list){ &client->routes, &client->routes_n, IP_NETWORK,
				 &reader->routes });
}

static void read_client_sources(struct reader *reader, const struct node *node,
				void *object)
{
	struct weft_tunnel_client *client = object;
	read_ips(reader, node,
		 &(struct list){ &client->sources, &client->sources_n, IP_NETWORK,
				 &reader->sources });
}

static const struct field client_table[] = {
	{ "token", JSON_STRING, true,
	  "the SHA-1 of the client's token, in 40 digits 0-9a-f", read_hash },
	{ "ip", JSON_STRING, true, "the client's address, such as \"10.20.0.2\"",
	  read_client_ip },
	{ "routes", JSON_ARRAY, false,
	  "an array of the networks behind the client: [\"192.168.7.0/24\"]",
	  read_client_routes },
	{ "sources", JSON_ARRAY, false,
	  "an array of the networks whose packets go to the client: [\"10.20.0.3/32\"]",
	  read_client_sources },
	{ "name", JSON_STRING, false, "a name for people to read", read_client_name },
	{ 0 },
};

static const struct fields client_fields = { "a server's client", client_table, NULL };

static void read_clients(struct reader *reader, const struct node *node, void *object)
{
	struct weft_tunnel_interface *interface = object;
	interface->clients = calloc(node->count + 1, sizeof(*interface->clients));
	if (!interface->clients) {
		reader->r = -ENOMEM;
		return;
	}
	for (const struct node *member = node->first; member; member = member->next) {
		struct weft_tunnel_client *client =
			&interface->clients[interface->clients_n++];
		char text[WEFT_IP_TEXT];
		if (!fields_read(reader, member, &client_fields, client))
			continue;
		if (!client->name && client->ips_n > 0)
			client->name = strdup(weft_ip_print(&client->ips[0], text));
	}
}

/* ---- the server's own fields ------------------------------------------------------------- */

static void read_port(struct reader *reader, const struct node *node, void *object)
{
	uint64_t port;
	if (!field_number(reader, node, 1, UINT16_MAX, &port))
		return;
	((struct weft_tunnel_interface *)object)->port = (uint16_t)port;
	stake(reader, &reader->ports, &(struct stake){ .number = port, .node = node });
}

static void read_mtu(struct reader *reader, const struct node *node, void *object)
{
	uint64_t mtu;
	if (field_number(reader, node, 68, 9000, &mtu))
		((struct weft_tunnel_interface *)object)->mtu = (unsigned)mtu;
}

static void read_net(struct reader *reader, const struct node *node, void *object)
{
	struct weft_tunnel_interface *interface = object;
	struct weft_ip ip;
	char text[WEFT_IP_TEXT];
	if (!field_ip(reader, node, IP_HOST_PREFIX, &ip) || !is_ip4(reader, node, &ip))
		return;
	if (ip.prefix < 31 && (net_is_network(&ip) || net_is_broadcast(&ip))) {
		struct weft_ip first = net_of(&ip);
		first.octet[3] |= 1;
		reader_fault(
			reader, SEVERITY_ERROR, node,
			"\"%s\" is the %s address of its net; the server needs one of "
			"its own, such as \"%s\"",
			field_text(node), net_is_network(&ip) ? "network" : "broadcast",
			weft_ip_print(&first, text));
		return;
	}
	const struct weft_ip host = net_host(&ip);
	interface->net = ip;
	stake_ip(reader, &reader->addresses, &host, node);
}

static void read_server_ips(struct reader *reader, const struct node *node, void *object)
{
	struct weft_tunnel_interface *interface = object;
	read_ips(reader, node,
		 &(struct list){ &interface->ips, &interface->ips_n, IP_HOST_PREFIX,
				 &reader->addresses });
}

static void read_server_routes(struct reader *reader, const struct node *node,
			       void *object)
{
	struct weft_tunnel_interface *interface = object;
	read_ips(reader, node,
		 &(struct list){ &interface->routes, &interface->routes_n, IP_NETWORK,
				 &reader->own_routes });
}

static const struct field table[] = {
	CONFIG_COMMON_FIELDS,
	{ "port", JSON_INTEGER, true, "a TCP port from 1 to 65535", read_port },
	{ "net", JSON_STRING, true,
	  "the server's address with the net's prefix, such as \"10.20.0.1/24\"",
	  read_net },
	{ "mtu", JSON_INTEGER, false, "a number from 68 to 9000", read_mtu },
	{ "ips", JSON_ARRAY, false,
	  "an array of addresses with their prefixes: [\"10.21.0.1/24\"]",
	  read_server_ips },
	{ "routes", JSON_ARRAY, false, "an array of networks: [\"192.168.0.0/24\"]",
	  read_server_routes },
	{ "clients", JSON_ARRAY, false,
	  "an array of those who may connect: [ { \"token\": ..., \"ip\": ... } ]",
	  read_clients },
	{ 0 },
};

const struct fields config_server_fields = { "a server", table, &config_client_fields };

/* ---- the server as a whole --------------------------------------------------------------- */

/* Whether a node is below the key "clients" of the server. */
static bool is_clients(const struct node *node, const struct node *server)
{
	while (node->parent && node->parent != server)
		node = node->parent;
	return node->key && strcmp(node->key, "clients") == 0;
}

static void check_address(struct reader *reader, const struct stake *address,
			  const struct weft_ip *net)
{
	char ip_text[WEFT_IP_TEXT], net_text[WEFT_IP_TEXT];
	const struct weft_ip network = net_of(net);
	struct weft_ip ip = address->ip;
	(void)weft_ip_print(&address->ip, ip_text);
	(void)weft_ip_print(&network, net_text);
	ip.prefix = net->prefix;
	if (!net_contains(net, &ip))
		reader_fault(
			reader, SEVERITY_ERROR, address->node,
			"%s is outside the tunnel's net %s; a client has an address of "
			"it, and what else is behind it stands in its \"routes\"",
			ip_text, net_text);
	else if (net->prefix < 31 && (net_is_network(&ip) || net_is_broadcast(&ip)))
		reader_fault(
			reader, SEVERITY_ERROR, address->node,
			"%s is the %s address of the tunnel's net %s, which nobody can "
			"have",
			ip_text, net_is_network(&ip) ? "network" : "broadcast", net_text);
}

static void check_route(struct reader *reader, const struct stake *route,
			const struct weft_ip *net)
{
	char route_text[WEFT_IP_TEXT], net_text[WEFT_IP_TEXT];
	const struct weft_ip network = net_of(net);
	(void)weft_ip_print(&route->ip, route_text);
	(void)weft_ip_print(&network, net_text);
	if (net_contains(&route->ip, &network))
		reader_fault(
			reader, SEVERITY_WARNING, route->node,
			"%s covers the tunnel's own net %s: what other clients send to "
			"the server itself goes to this client",
			route_text, net_text);
	else if (net_contains(net, &route->ip))
		reader_fault(
			reader, SEVERITY_WARNING, route->node,
			"%s lies in the tunnel's own net %s, in which each client has "
			"its \"ip\"",
			route_text, net_text);
}

static void forget(struct reader *reader)
{
	stakes_clear(&reader->tokens);
	stakes_clear(&reader->addresses);
	stakes_clear(&reader->routes);
	stakes_clear(&reader->sources);
	stakes_clear(&reader->own_routes);
}

void config_server_check(struct reader *reader, const struct node *node,
			 const struct weft_tunnel_interface *interface)
{
	struct faults *faults = reader->faults;
	const struct weft_ip *net = &interface->net;
	const struct stakes *addresses = &reader->addresses, *routes = &reader->routes;
	const struct node *clients = node_get(node, "clients");
	for (size_t i = 0; net->family && i < addresses->n; i++)
		if (is_clients(addresses->items[i].node, node))
			check_address(reader, &addresses->items[i], net);
	for (size_t i = 0; net->family && i < routes->n; i++)
		check_route(reader, &routes->items[i], net);
	stakes_check_unique(&reader->tokens, faults, false, "this token",
			    "who shows it must be one client");
	stakes_check_unique(&reader->addresses, faults, false, "this address",
			    "each address can have one owner");
	stakes_check_unique(&reader->own_routes, faults, true, "this network",
			    "take one of the two out");
	stakes_check_networks(&reader->routes, faults);
	stakes_check_networks(&reader->sources, faults);
	if (!clients || (clients->type == JSON_ARRAY && clients->count == 0))
		reader_fault(reader, SEVERITY_WARNING, clients ? clients : node,
			     "nobody can connect: \"clients\" is %s",
			     clients ? "empty" : "missing");
	forget(reader);
}
