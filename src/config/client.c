/* SPDX-License-Identifier: MIT */
/*
 * A client: where the server is, the token that opens it, and what it takes of the server.
 */
#include "config/config.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

/* ---- the server -------------------------------------------------------------------------- */

static void read_url(struct reader *reader, const struct node *node, void *object)
{
	static const char *const schemes[] = { "https://", "http://", NULL };
	static const struct config_url kind = {
		.what = "a tunnel",
		.schemes = schemes,
		.wants = "http:// or https://",
		.scheme = "https://",
		.plain_scheme = "http://",
		.example = "https://tunnel.example.org:8443/",
	};
	config_read_url(reader, node, &kind,
			&((struct weft_tunnel_interface *)object)->url);
}

/* ---- the token --------------------------------------------------------------------------- */

static bool looks_like_hash(const char *token)
{
	return (strlen(token) == 40 && strspn(token, "0123456789abcdef") == 40) ||
	       strncmp(token, "$argon2id$", 10) == 0;
}

/* It travels in a header: what ends a line or is cut off there would change it. */
static bool fits_in_header(const char *token)
{
	const size_t len = strlen(token);
	for (const char *c = token; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return false;
	return len > 0 && token[0] != ' ' && token[len - 1] != ' ';
}

static void read_token(struct reader *reader, const struct node *node, void *object)
{
	struct weft_tunnel_interface *interface = object;
	const char *token = field_text(node);
	if (!fits_in_header(token) || strlen(token) > CONFIG_TOKEN_MAX) {
		reader_fault(reader, SEVERITY_ERROR, node,
			     "a token has 1 to %u characters, no control characters, and "
			     "no spaces at its ends",
			     CONFIG_TOKEN_MAX);
		return;
	}
	if (looks_like_hash(token))
		reader_fault(reader, SEVERITY_WARNING, node,
			     "this looks like the hash of a token, which belongs on the "
			     "server; a client has the token itself");
	field_copy(reader, node, &interface->raw_token);
}

/* ---- what goes on ------------------------------------------------------------------------ */

static void read_http2(struct reader *reader, const struct node *node, void *object)
{
	(void)reader;
	((struct weft_tunnel_interface *)object)->http2 = node->type == JSON_TRUE;
}

static void read_streams(struct reader *reader, const struct node *node, void *object)
{
	uint64_t streams;
	if (field_number(reader, node, 1, WEFT_TUNNEL_STREAMS_MAX, &streams))
		((struct weft_tunnel_interface *)object)->streams = (unsigned)streams;
}

/* true, false, or the networks in which pushed routes are taken. */
static void read_accept(struct reader *reader, const struct node *node, void *object)
{
	struct weft_tunnel_interface *interface = object;
	if (node->type == JSON_TRUE || node->type == JSON_FALSE)
		interface->no_routes = node->type == JSON_FALSE;
	else if (node->type != JSON_ARRAY)
		field_is_not(reader, node, JSON_ARRAY,
			     "true, false or an array of networks: [\"192.168.0.0/16\"]");
	else if (node->count == 0)
		reader_fault(
			reader, SEVERITY_ERROR, node,
			"no network is in it; to take no routes at all, write false");
	else
		config_read_networks(reader, node, &interface->accept);
}

static const struct field table[] = {
	CONFIG_COMMON_FIELDS,
	{ "server", JSON_STRING, FIELD_REQUIRED,
	  "the server's URL, such as \"https://tunnel.example.org/\"", read_url },
	{ "token", JSON_STRING, FIELD_REQUIRED, "the token as it is, not its hash",
	  read_token },
	{ "proxy", JSON_STRING, 0,
	  "the URL of a proxy, such as \"http://proxy.example.org:3128\"",
	  config_read_proxy },
	{ "ca", JSON_STRING, 0, "a file of certificates in PEM", config_read_ca },
	{ "pin", JSON_STRING, 0, "the server's public key, as \"sha256//BASE64\"",
	  config_read_pin },
	{ "http2", JSON_TRUE, 0, "true or false", read_http2 },
	{ "family", JSON_STRING, 0,
	  "\"ipv4\" or \"ipv6\", or with \"prefer-\" in front of it",
	  config_read_family },
	{ "streams", JSON_INTEGER, FIELD_NEW, "a number from 1 to 8", read_streams },
	{ "accept_routes", JSON_TRUE, FIELD_ANY_TYPE | FIELD_IP | FIELD_NEW,
	  "true, false or an array of networks", read_accept },
	{ "headers", JSON_OBJECT, 0,
	  "an object of further headers: { \"user-agent\": \"...\" }",
	  config_read_headers },
	{ 0 },
};

const struct fields config_client_fields = { "a client", table, &config_server_fields };

/* ---- the client as a whole --------------------------------------------------------------- */

/* What is about TLS, and over http:// about nothing. */
static void check_plain(struct reader *reader, const struct node *node)
{
	static const struct {
		const char *key;
		enum severity severity;
		const char *text;
	} rows[] = {
		{ "pin", SEVERITY_ERROR, "the server has no key to be pinned" },
		{ "ca", SEVERITY_WARNING, "the server shows no certificate" },
		{ "http2", SEVERITY_WARNING,
		  "HTTP/2 is spoken over https:// alone, and HTTP/1.1 here" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct node *value = node_get(node, rows[i].key);
		if (value && !value->is_bad && value->type != JSON_FALSE)
			reader_fault(reader, rows[i].severity, value,
				     "over http:// %s; write https:// in \"server\", or "
				     "take this out",
				     rows[i].text);
	}
}

/* A server that is written as an address has but one family. */
static void check_family(struct reader *reader, const struct node *node,
			 const struct weft_tunnel_interface *interface)
{
	char host[WEFT_IP_TEXT];
	struct weft_ip ip;
	config_url_host(interface->proxy ? interface->proxy : interface->url, host,
			sizeof(host));
	if (weft_ip_parse(host, &ip) < 0)
		return;
	if (interface->first_family != 0)
		reader_fault(reader, SEVERITY_WARNING, node_get(node, "family"),
			     "the %s has one address here, %s: no other one is preferred "
			     "or tried; write its name",
			     interface->proxy ? "proxy" : "server", host);
	else if (interface->family != 0 && ip.family != interface->family)
		reader_fault(reader, SEVERITY_ERROR, node_get(node, "family"),
			     "the address of the %s, %s, is one of %s",
			     interface->proxy ? "proxy" : "server", host,
			     ip.family == AF_INET ? "IPv4" : "IPv6");
}

void config_client_check(struct reader *reader, const struct node *node,
			 const struct weft_tunnel_interface *interface)
{
	if (!interface->url)
		return;
	if (strncasecmp(interface->url, "http://", 7) == 0)
		check_plain(reader, node);
	check_family(reader, node, interface);
}
