/* SPDX-License-Identifier: MIT */
/*
 * A server: where it listens, its own addresses, and who may connect.
 *
 *     net 10.20.0.1/24 ---- clients[0]  ip 10.20.0.2   routes 192.168.7.0/24   (behind it)
 *                      `--- clients[1]  ip 10.20.0.3   sources 10.20.0.2/32    (goes to it)
 */
#include "base/net.h"
#include "config/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- where it listens -------------------------------------------------------------------- */

static void read_port(struct reader *reader, const struct node *node, void *object)
{
	uint64_t port;
	if (field_number(reader, node, 1, UINT16_MAX, &port))
		((struct weft_tunnel_interface *)object)->port = (uint16_t)port;
}

/* What people write for an address is told apart from what is none. */
static void read_listen(struct reader *reader, const struct node *node, void *object)
{
	const char *text = field_text(node);
	char host[WEFT_IP_TEXT];
	uint16_t port;
	struct weft_ip ip;
	if (strcmp(text, "localhost") == 0)
		reader_fault(reader, SEVERITY_ERROR, node,
			     "it must be an address; write \"127.0.0.1\" or \"::1\"");
	else if (strcmp(text, "*") == 0 || text[0] == '\0')
		reader_fault(reader, SEVERITY_ERROR, node,
			     "without \"listen\" the server listens at all addresses; "
			     "take it out");
	else if (weft_ip_parse(text, &ip) < 0 &&
		 weft_hostport_parse(text, 1, host, sizeof(host), &port) == 0 &&
		 weft_ip_parse(host, &ip) == 0)
		reader_fault(reader, SEVERITY_ERROR, node,
			     "the port stands in \"port\"; write \"%s\"", host);
	else
		(void)field_ip(reader, node, IP_LOCAL,
			       &((struct weft_tunnel_interface *)object)->listen);
}

static void read_mtu(struct reader *reader, const struct node *node, void *object)
{
	uint64_t mtu;
	if (field_number(reader, node, 68, 9000, &mtu))
		((struct weft_tunnel_interface *)object)->mtu = (unsigned)mtu;
}

static void read_cert(struct reader *reader, const struct node *node, void *object)
{
	config_read_path(reader, node,
			 &((struct weft_tunnel_interface *)object)->tls_cert);
}

static void read_key(struct reader *reader, const struct node *node, void *object)
{
	config_read_path(reader, node,
			 &((struct weft_tunnel_interface *)object)->tls_key);
}

static void read_tls(struct reader *reader, const struct node *node, void *object)
{
	static const struct field table[] = {
		{ "cert", JSON_STRING, FIELD_REQUIRED,
		  "a file of certificates in PEM, the server's own first", read_cert },
		{ "key", JSON_STRING, FIELD_REQUIRED,
		  "a file with the key of the certificate in PEM", read_key },
		{ 0 },
	};
	static const struct fields fields = { "\"tls\"", table, NULL };
	(void)fields_read(reader, node, &fields, object);
}

/* ---- its addresses ----------------------------------------------------------------------- */

/* The first address of a network that a machine can have. */
static struct weft_ip first_of(const struct weft_ip *ip)
{
	struct weft_ip first = net_of(ip);
	first.octet[net_bits(ip->family) / 8 - 1] |= 1;
	return first;
}

/* The server's own address with its network, in the family that the key is for. */
static void read_own(struct reader *reader, const struct node *node, unsigned family,
		     struct weft_ip *ret_ip)
{
	struct weft_ip ip;
	char text[WEFT_IP_TEXT];
	const bool is_v4 = family == AF_INET;
	if (!field_ip(reader, node, IP_HOST_PREFIX, &ip))
		return;
	if (ip.family != family) {
		reader_fault(reader, SEVERITY_ERROR, node,
			     "\"%s\" has room for %s alone; write \"%s\": \"%s\"",
			     is_v4 ? "net" : "net6", is_v4 ? "IPv4" : "IPv6",
			     is_v4 ? "net6" : "net", field_text(node));
		return;
	}
	if (ip.prefix + 1u < net_bits(family) &&
	    (net_is_network(&ip) || net_is_broadcast(&ip))) {
		const struct weft_ip first = first_of(&ip);
		reader_fault(
			reader, SEVERITY_ERROR, node,
			"\"%s\" is the %s address of its net; the server needs one of "
			"its own, such as \"%s\"",
			field_text(node), net_is_network(&ip) ? "network" : "broadcast",
			weft_ip_print(&first, text));
		return;
	}
	const struct weft_ip host = net_host(&ip);
	*ret_ip = ip;
	field_stake(reader, &reader->addresses,
		    &(struct stake){ .ip = host, .node = node });
}

static void read_net(struct reader *reader, const struct node *node, void *object)
{
	read_own(reader, node, AF_INET, &((struct weft_tunnel_interface *)object)->net);
}

static void read_net6(struct reader *reader, const struct node *node, void *object)
{
	read_own(reader, node, AF_INET6, &((struct weft_tunnel_interface *)object)->net6);
}

static void read_ips(struct reader *reader, const struct node *node, void *object)
{
	struct weft_tunnel_interface *interface = object;
	config_read_ips(reader, node,
			&(struct config_list){ &interface->ips, &interface->ips_n,
					       IP_HOST_PREFIX, &reader->addresses });
}

static void read_routes(struct reader *reader, const struct node *node, void *object)
{
	struct weft_tunnel_interface *interface = object;
	config_read_ips(reader, node,
			&(struct config_list){ &interface->routes, &interface->routes_n,
					       IP_NETWORK, &reader->own_routes });
}

static void read_push(struct reader *reader, const struct node *node, void *object)
{
	config_read_networks(reader, node,
			     &((struct weft_tunnel_interface *)object)->push);
}

/* ---- the object -------------------------------------------------------------------------- */

static void read_clients(struct reader *reader, const struct node *node, void *object)
{
	struct weft_tunnel_interface *interface = object;
	interface->clients = calloc(node->count + 1, sizeof(*interface->clients));
	if (!interface->clients) {
		reader->r = -ENOMEM;
		return;
	}
	for (const struct node *member = node->first; member; member = member->next)
		config_read_peer(reader, member,
				 &interface->clients[interface->clients_n++]);
}

static const struct field table[] = {
	CONFIG_COMMON_FIELDS,
	{ "port", JSON_INTEGER, FIELD_REQUIRED, "a TCP port from 1 to 65535", read_port },
	{ "listen", JSON_STRING, 0,
	  "the address to listen at, such as \"127.0.0.1\" behind a proxy", read_listen },
	{ "tls", JSON_OBJECT, 0,
	  "an object: { \"cert\": \"cert.pem\", \"key\": \"key.pem\" }", read_tls },
	{ "net", JSON_STRING, 0,
	  "the server's address with the net's prefix, such as \"10.20.0.1/24\"",
	  read_net },
	{ "net6", JSON_STRING, FIELD_NEW, "the same for IPv6, such as \"fd00:20::1/64\"",
	  read_net6 },
	{ "mtu", JSON_INTEGER, 0, "a number from 68 to 9000", read_mtu },
	{ "ips", JSON_ARRAY, 0,
	  "an array of addresses with their prefixes: [\"10.21.0.1/24\"]", read_ips },
	{ "routes", JSON_ARRAY, FIELD_IP, "an array of networks: [\"192.168.0.0/24\"]",
	  read_routes },
	{ "push", JSON_ARRAY, FIELD_IP | FIELD_NEW,
	  "an array of networks that clients send here: [\"192.168.0.0/24\"]",
	  read_push },
	{ "acl", JSON_ARRAY, FIELD_IP,
	  "an array of rules: [ { \"from\": \"office\", \"to\": \"*\" } ]",
	  config_read_acl },
	{ "exits", JSON_ARRAY, FIELD_IP,
	  "an array of ways out: [ { \"via\": [\"gateway-*\"] } ]", config_read_exits },
	{ "clients", JSON_ARRAY, 0,
	  "an array of those who may connect: [ { \"token\": ..., \"ip\": ... } ]",
	  read_clients },
	{ 0 },
};

const struct fields config_server_fields = { "a server", table, &config_client_fields };
