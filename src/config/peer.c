/* SPDX-License-Identifier: MIT */
/*
 * One who may connect to a server: the hash that its token has to have, its addresses in the
 * tunnel, and what is behind it.
 *
 *     { "token": HASH, "ip": "10.20.0.2", "tags": ["office"], "routes": ["192.168.7.0/24"] }
 */
#include "config/config.h"
#include "config/token.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEX_LOWER        "0123456789abcdef"
#define HEX              HEX_LOWER "ABCDEF"
#define DEFAULT_NAME_LEN 24u

/* ---- its name ---------------------------------------------------------------------------- */

static void read_client_name(struct reader *reader, const struct node *node, void *object)
{
	struct weft_tunnel_client *client = object;
	const char *name = field_text(node);
	if (!config_is_word(name)) {
		reader_fault(
			reader, SEVERITY_ERROR, node,
			"a client's name has 1 to %u bytes, and no control characters",
			CONFIG_WORD_MAX);
		return;
	}
	if (strncmp(name, "__", 2) == 0) {
		reader_fault(reader, SEVERITY_ERROR, node,
			     "a name does not begin with \"__\", as \"" WEFT_TUNNEL_SELF
			     "\" is the server itself");
		return;
	}
	field_stake(reader, &reader->client_names,
		    &(struct stake){ .text = name, .node = node });
	field_copy(reader, node, &client->name);
}

/* How a client is called that has no name of its own. */
static void set_default_name(struct reader *reader, const struct node *node,
			     struct weft_tunnel_client *client)
{
	char ip[WEFT_IP_TEXT], name[DEFAULT_NAME_LEN];
	if (client->name)
		return;
	(void)snprintf(name, sizeof(name), "client %zu", node->index + 1);
	client->name =
		strdup(client->ips_n > 0 ? weft_ip_print(&client->ips[0], ip) : name);
	if (!client->name)
		reader->r = -ENOMEM;
}

/* ---- its token --------------------------------------------------------------------------- */

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
	field_stake(reader, &reader->tokens,
		    &(struct stake){ .text = token, .node = node });
	field_copy(reader, node, &client->token);
}

/* ---- its addresses and networks ---------------------------------------------------------- */

/* Puts the address that "ip" has in front of those of "ips". */
static void read_client_ip(struct reader *reader, const struct node *node, void *object)
{
	struct weft_tunnel_client *client = object;
	struct weft_ip ip;
	if (!field_ip(reader, node, IP_HOST, &ip))
		return;
	if (ip.family != AF_INET) {
		reader_fault(reader, SEVERITY_ERROR, node,
			     "\"ip\" is told to clients in a form that has room for IPv4 "
			     "alone; write \"ips\": [\"%s\"] instead",
			     field_text(node));
		return;
	}
	field_stake(reader, &reader->addresses,
		    &(struct stake){ .ip = ip, .node = node });
	struct weft_ip *ips =
		realloc(client->ips, (client->ips_n + 1) * sizeof(*client->ips));
	if (!ips) {
		reader->r = -ENOMEM;
		return;
	}
	memmove(ips + 1, ips, client->ips_n * sizeof(*ips));
	ips[0] = ip;
	client->ips = ips;
	client->ips_n++;
	client->has_ip = true;
}

static void read_client_ips(struct reader *reader, const struct node *node, void *object)
{
	struct weft_tunnel_client *client = object;
	config_read_ips(reader, node,
			&(struct config_list){ &client->ips, &client->ips_n, IP_HOST,
					       &reader->addresses });
}

/* IPv4 before IPv6; each in the order of the file. */
static void sort_ips(struct weft_tunnel_client *client)
{
	size_t n = 0; /* Of IPv4, all in front. */
	for (size_t i = 0; i < client->ips_n; i++) {
		const struct weft_ip ip = client->ips[i];
		if (ip.family != AF_INET)
			continue;
		memmove(&client->ips[n + 1], &client->ips[n],
			(i - n) * sizeof(client->ips[0]));
		client->ips[n++] = ip;
	}
}

static void read_client_routes(struct reader *reader, const struct node *node,
			       void *object)
{
	struct weft_tunnel_client *client = object;
	config_read_ips(reader, node,
			&(struct config_list){ &client->routes, &client->routes_n,
					       IP_NETWORK, &reader->routes });
}

static void read_client_sources(struct reader *reader, const struct node *node,
				void *object)
{
	struct weft_tunnel_client *client = object;
	config_read_ips(reader, node,
			&(struct config_list){ &client->sources, &client->sources_n,
					       IP_NETWORK, &reader->sources });
}

static void read_client_push(struct reader *reader, const struct node *node, void *object)
{
	config_read_networks(reader, node, &((struct weft_tunnel_client *)object)->push);
}

static void read_source_check(struct reader *reader, const struct node *node,
			      void *object)
{
	(void)reader;
	((struct weft_tunnel_client *)object)->no_source_check = node->type == JSON_FALSE;
}

/* ---- the object -------------------------------------------------------------------------- */

static const struct field table[] = {
	{ "token", JSON_STRING, FIELD_REQUIRED,
	  "the SHA-1 of the client's token, in 40 digits 0-9a-f", read_hash },
	{ "ip", JSON_STRING, 0, "the client's address, such as \"10.20.0.2\"",
	  read_client_ip },
	{ "ips", JSON_ARRAY, FIELD_NEW,
	  "an array of the client's addresses: [\"10.20.0.2\", \"fd00::2\"]",
	  read_client_ips },
	{ "routes", JSON_ARRAY, FIELD_IP,
	  "an array of the networks behind the client: [\"192.168.7.0/24\"]",
	  read_client_routes },
	{ "sources", JSON_ARRAY, FIELD_IP,
	  "an array of the networks whose packets go to the client: [\"10.20.0.3/32\"]",
	  read_client_sources },
	{ "name", JSON_STRING, 0, "a name for people to read", read_client_name },
	{ "tags", JSON_ARRAY, 0, "an array of words for the rules: [\"office\"]",
	  config_read_tags },
	{ "push", JSON_ARRAY, FIELD_IP | FIELD_NEW,
	  "an array of networks that the client sends here: [\"192.168.8.0/24\"]",
	  read_client_push },
	{ "source_check", JSON_TRUE, FIELD_IP, "true or false", read_source_check },
	{ 0 },
};

static const struct fields fields = { "a server's client", table, NULL };

void config_read_peer(struct reader *reader, const struct node *node,
		      struct weft_tunnel_client *client)
{
	client->line = node->at.line;
	if (!fields_read(reader, node, &fields, client))
		return;
	if (reader->mode == WEFT_TUNNEL_IP && !node_get(node, "ip") &&
	    !node_get(node, "ips"))
		reader_fault(reader, SEVERITY_ERROR, node,
			     "\"ip\" is missing: the client's address, such as "
			     "\"10.20.0.2\"");
	sort_ips(client);
	set_default_name(reader, node, client);
}
