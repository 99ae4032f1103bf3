/* SPDX-License-Identifier: MIT */
/*
 * A server as a whole: each client's address in its net, nothing that two of them claim, and
 * rules that speak of somebody.
 */
#include "base/net.h"
#include "config/config.h"

#include <string.h>

/* ---- addresses --------------------------------------------------------------------------- */

/* Whether a node is below the key "clients" of the server. */
static bool is_clients(const struct node *node, const struct node *server)
{
	while (node->parent && node->parent != server)
		node = node->parent;
	return node->key && strcmp(node->key, "clients") == 0;
}

/* A client's address beside the server's net of the same family. */
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
	else if (net->prefix + 1u < net_bits(ip.family) &&
		 (net_is_network(&ip) || net_is_broadcast(&ip)))
		reader_fault(
			reader, SEVERITY_ERROR, address->node,
			"%s is the %s address of the tunnel's net %s, which nobody can "
			"have",
			ip_text, net_is_network(&ip) ? "network" : "broadcast", net_text);
}

static void check_addresses(struct reader *reader, const struct node *node,
			    const struct weft_tunnel_interface *interface)
{
	for (size_t i = 0; i < reader->addresses.n; i++) {
		const struct stake *address = &reader->addresses.items[i];
		const bool is_v4 = address->ip.family == AF_INET;
		const char *key = is_v4 ? "net" : "net6";
		const struct weft_ip *net = is_v4 ? &interface->net : &interface->net6;
		if (!is_clients(address->node, node))
			continue;
		if (net->family)
			check_address(reader, address, net);
		else if (!node_get(node, key))
			reader_fault(reader, SEVERITY_ERROR, address->node,
				     "the server has no \"%s\", of which this address "
				     "would be; give it one, such as \"%s\"",
				     key, is_v4 ? "10.20.0.1/24" : "fd00:20::1/64");
	}
}

/* ---- networks ---------------------------------------------------------------------------- */

/* The client of a server below which a node is. */
static const struct node *client_of(const struct node *node, const struct node *server)
{
	while (node->parent && node->parent->parent != server)
		node = node->parent;
	return node;
}

/* Says so where a route is another client's address, and returns true. */
static bool check_owner(struct reader *reader, const struct node *server,
			const struct stake *route)
{
	const struct stake like = { .ip = route->ip };
	const struct stake *owner = stakes_find(&reader->addresses, &like);
	char ip[WEFT_IP_TEXT], path[NODE_PATH_LEN];
	if (!owner || !is_clients(owner->node, server) ||
	    client_of(owner->node, server) == client_of(route->node, server))
		return false;
	reader_fault(reader, SEVERITY_ERROR, route->node,
		     "%s is also %s (line %u), the address of another client; its "
		     "packets can go to one client only: take one of the two out",
		     weft_ip_print(&route->ip, ip), node_path(owner->node, path),
		     owner->node->at.line);
	return true;
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

static void check_routes(struct reader *reader, const struct node *node,
			 const struct weft_tunnel_interface *interface)
{
	stakes_sort(&reader->addresses);
	for (size_t i = 0; i < reader->routes.n; i++) {
		const struct stake *route = &reader->routes.items[i];
		const struct weft_ip *net =
			route->ip.family == AF_INET ? &interface->net : &interface->net6;
		if (!check_owner(reader, node, route) && net->family)
			check_route(reader, route, net);
	}
}

/* What a client is told to send here, and what of it is behind itself. */
static void check_pushed(struct reader *reader, const struct node *node,
			 const struct weft_tunnel_client *client)
{
	char ip[WEFT_IP_TEXT], route_text[WEFT_IP_TEXT];
	const struct node *push = node_get(node, "push");
	if (!push || push->type != JSON_ARRAY || push->count != client->push.n)
		return;
	const struct node *member = push->first;
	for (size_t i = 0; i < client->push.n; i++, member = member->next) {
		const struct weft_ip *pushed = &client->push.items[i];
		for (size_t k = 0; k < client->routes_n; k++) {
			const struct weft_ip *route = &client->routes[k];
			if (!net_contains(route, pushed))
				continue;
			reader_fault(reader, SEVERITY_ERROR, member,
				     "%s is behind this client itself (%s in its "
				     "\"routes\"); nobody sends away what is at home",
				     weft_ip_print(pushed, ip),
				     weft_ip_print(route, route_text));
			break;
		}
	}
}

/* A server has no room to say more of one client. */
static void check_room(struct reader *reader, const struct node *node,
		       const struct weft_tunnel_interface *interface,
		       const struct weft_tunnel_client *client)
{
	const size_t routes = interface->push.n + client->push.n;
	if (client->ips_n > WEFT_TUNNEL_CLIENT_IPS_MAX)
		reader_fault(reader, SEVERITY_ERROR, node,
			     "found %zu addresses; a client has at most %u",
			     client->ips_n, WEFT_TUNNEL_CLIENT_IPS_MAX);
	if (routes > WEFT_TUNNEL_CLIENT_PUSH_MAX)
		reader_fault(reader, SEVERITY_ERROR, node,
			     "found %zu routes in \"push\" of the client and of the "
			     "server; a client is told of at most %u",
			     routes, WEFT_TUNNEL_CLIENT_PUSH_MAX);
}

static void check_pushes(struct reader *reader, const struct node *clients,
			 const struct weft_tunnel_interface *interface)
{
	if (!clients || clients->count != interface->clients_n)
		return;
	const struct node *member = clients->first;
	for (size_t i = 0; i < interface->clients_n; i++, member = member->next) {
		check_pushed(reader, member, &interface->clients[i]);
		check_room(reader, member, interface, &interface->clients[i]);
	}
}

/* ---- how many ---------------------------------------------------------------------------- */

static void check_clients(struct reader *reader, const struct node *clients)
{
	const bool is_ip = reader->mode == WEFT_TUNNEL_IP;
	const size_t max =
		is_ip ? WEFT_TUNNEL_CLIENTS_MAX : WEFT_TUNNEL_ETHERNET_CLIENTS_MAX;
	if (!clients || clients->type != JSON_ARRAY || clients->count <= max)
		return;
	const struct node *member = clients->first;
	while (member->index < max)
		member = member->next;
	reader_fault(reader, SEVERITY_ERROR, member,
		     "found %zu clients; a server with mode \"%s\" has at most %zu: from "
		     "here on they need another server",
		     clients->count, is_ip ? "ip" : "ethernet", max);
}

/* Of what there can be WEFT_TUNNEL_NETWORKS_MAX in all. Returns whether there are too many now. */
static bool add_networks(struct reader *reader, const struct node *member, size_t *total,
			 size_t n, const char *what)
{
	*total += n;
	if (*total <= WEFT_TUNNEL_NETWORKS_MAX)
		return false;
	reader_fault(reader, SEVERITY_ERROR, member,
		     "up to this client there are %zu %s; a server has at most %u: from "
		     "here on they need another server, or larger networks",
		     *total, what, WEFT_TUNNEL_NETWORKS_MAX);
	return true;
}

static void check_networks(struct reader *reader, const struct node *node,
			   const struct node *clients,
			   const struct weft_tunnel_interface *interface)
{
	const size_t own =
		interface->routes_n + !!interface->net.family + !!interface->net6.family;
	size_t networks = 0, sources = 0;
	bool is_full = false;
	if (own > WEFT_TUNNEL_NETWORKS_MAX)
		reader_fault(reader, SEVERITY_ERROR, node_get(node, "routes"),
			     "found %zu routes; with its own addresses a server has at "
			     "most %u networks: write larger ones",
			     interface->routes_n, WEFT_TUNNEL_NETWORKS_MAX);
	if (!clients || clients->count != interface->clients_n)
		return;
	const struct node *member = clients->first;
	for (size_t i = 0; i < interface->clients_n && !is_full; i++) {
		const struct weft_tunnel_client *client = &interface->clients[i];
		is_full = add_networks(reader, member, &networks,
				       client->ips_n + client->routes_n,
				       "addresses and routes") ||
			  add_networks(reader, member, &sources, client->sources_n,
				       "sources");
		member = member->next;
	}
}

/* ---- all of it --------------------------------------------------------------------------- */

static void forget(struct reader *reader)
{
	stakes_clear(&reader->tokens);
	stakes_clear(&reader->addresses);
	stakes_clear(&reader->routes);
	stakes_clear(&reader->sources);
	stakes_clear(&reader->own_routes);
	stakes_clear(&reader->client_names);
}

/* What no two clients may share. */
static void check_claims(struct reader *reader)
{
	struct faults *faults = reader->faults;
	stakes_check_unique(&reader->tokens, faults, SEVERITY_ERROR, "this token",
			    "who shows it must be one client");
	stakes_check_unique(&reader->addresses, faults, SEVERITY_ERROR, "this address",
			    "each address can have one owner");
	stakes_check_unique(&reader->client_names, faults, SEVERITY_ERROR, "this name",
			    "by it logs, rules and a reload know who is meant");
	stakes_check_unique(&reader->own_routes, faults, SEVERITY_WARNING, "this network",
			    "take one of the two out");
	stakes_check_networks(&reader->routes, faults);
	stakes_check_networks(&reader->sources, faults);
}

static void check_presence(struct reader *reader, const struct node *node,
			   const struct node *clients)
{
	if (reader->mode == WEFT_TUNNEL_IP && !node_get(node, "net"))
		reader_fault(reader, SEVERITY_ERROR, node,
			     "\"net\" is missing: the server's address with the net's "
			     "prefix, such as \"10.20.0.1/24\"");
	if (!clients || (clients->type == JSON_ARRAY && clients->count == 0))
		reader_fault(reader, SEVERITY_WARNING, clients ? clients : node,
			     "nobody can connect: \"clients\" is %s",
			     clients ? "empty" : "missing");
}

void config_server_check(struct reader *reader, const struct node *node,
			 const struct weft_tunnel_interface *interface)
{
	const struct node *clients = node_get(node, "clients"),
			  *port = node_get(node, "port");
	if (interface->port)
		field_stake(reader, &reader->ports,
			    &(struct stake){ .number = interface->port,
					     .ip = interface->listen,
					     .node = port });
	check_addresses(reader, node, interface);
	check_routes(reader, node, interface);
	check_pushes(reader, clients, interface);
	check_clients(reader, clients);
	check_networks(reader, node, clients, interface);
	config_acl_check(reader, node, interface);
	config_exits_check(reader, node, interface);
	check_claims(reader);
	check_presence(reader, node, clients);
	forget(reader);
}
