/* SPDX-License-Identifier: MIT */
/*
 * The configuration: an array of interfaces, in tapotun's format (docs/tunnel.md).
 *
 *     text --document--> tree --fields--> interfaces, and what they claim --> checked as a whole
 *
 * Each value is checked where it is read, and what concerns several of them (an address in
 * its net, two clients with one token) when the server or the file has been read. Nothing
 * stops at a fault; a configuration with an error is freed, not handed out.
 */
#include "config/config.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define MTU_DEFAULT 1500u

/* ---- interfaces -------------------------------------------------------------------------- */

/* A port makes a server. Without one, the keys that only one of the two has decide. */
static bool is_server(const struct node *node)
{
	static const char *const keys[] = { "net",   "net6",   "clients", "mtu",
					    "ips",   "routes", "push",    "acl",
					    "exits", "listen", "tls" };
	if (node_get(node, "port"))
		return true;
	if (node_get(node, "server") || node_get(node, "token"))
		return false;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (node_get(node, keys[i]))
			return true;
	return false;
}

static void read_interface(struct reader *reader, const struct node *node,
			   struct weft_tunnel_interface *interface)
{
	if (config_is_later(node)) {
		config_tell_later(reader, node);
		return;
	}
	config_begin_interface(reader, node);
	interface->line = node->at.line;
	interface->is_server = is_server(node);
	if (!interface->is_server) {
		interface->streams = 1;
		if (fields_read(reader, node, &config_client_fields, interface))
			config_client_check(reader, node, interface);
		return;
	}
	interface->mtu = MTU_DEFAULT;
	if (fields_read(reader, node, &config_server_fields, interface))
		config_server_check(reader, node, interface);
}

/* What no two interfaces may share. */
static void check_interfaces(struct reader *reader)
{
	struct faults *faults = reader->faults;
	stakes_check_unique(&reader->names, faults, SEVERITY_ERROR, "this name",
			    "each interface needs its own");
	stakes_check_ports(&reader->ports, faults);
	stakes_check_unique(&reader->mark_values, faults, SEVERITY_WARNING, "this mark",
			    "packets that carry it go to one of them only");
	stakes_check_unique(&reader->mark_tables, faults, SEVERITY_ERROR, "this table",
			    "it can lead to one of them only: take another one here");
}

static void read_root(struct reader *reader, const struct node *root,
		      struct weft_tunnel_config *config)
{
	if (root->is_bad)
		return;
	if (config_is_later(root)) {
		config_tell_later(reader, root);
		return;
	}
	if (root->type != JSON_ARRAY) {
		reader_fault(reader, SEVERITY_ERROR, root,
			     "a configuration is an array of interfaces; %s",
			     root->type == JSON_OBJECT
				     ? "put this one in brackets: [ { ... } ]"
				     : "write [ { ... } ]");
		return;
	}
	if (root->count == 0)
		reader_fault(reader, SEVERITY_ERROR, root,
			     "there is no interface in it; write [ { ... } ]");
	config->interfaces = calloc(root->count + 1, sizeof(*config->interfaces));
	if (!config->interfaces) {
		reader->r = -ENOMEM;
		return;
	}
	for (const struct node *node = root->first; node; node = node->next)
		read_interface(reader, node, &config->interfaces[config->interfaces_n++]);
	check_interfaces(reader);
}

/* ---- the whole --------------------------------------------------------------------------- */

static void reader_fini(struct reader *reader)
{
	stakes_fini(&reader->names);
	stakes_fini(&reader->ports);
	stakes_fini(&reader->mark_values);
	stakes_fini(&reader->mark_tables);
	stakes_fini(&reader->tokens);
	stakes_fini(&reader->addresses);
	stakes_fini(&reader->routes);
	stakes_fini(&reader->sources);
	stakes_fini(&reader->own_routes);
	stakes_fini(&reader->client_names);
}

/* Reads text into config and adds what is wrong with it to faults. Returns 0 or -ENOMEM. */
static int read_config(const char *text, size_t len, struct faults *faults,
		       struct weft_tunnel_config *config)
{
	struct node *root;
	int r = document_parse(text, len, faults, &root);
	if (r == -EINVAL)
		return 0;
	if (r < 0)
		return r;
	struct reader reader = { .faults = faults };
	read_root(&reader, root, config);
	reader_fini(&reader);
	document_free(root);
	return faults->is_no_memory ? -ENOMEM : reader.r;
}

int weft_tunnel_config_parse(const char *text, size_t len, weft_tunnel_fault_fn *fn,
			     void *user, struct weft_tunnel_config **ret_config)
{
	struct faults faults = { 0 };
	struct weft_tunnel_config *config = calloc(1, sizeof(*config));
	int r = config ? read_config(text, len, &faults, config) : -ENOMEM;
	if (r == 0 && fn)
		faults_tell(&faults, fn, user);
	if (r == 0 && faults.errors > 0)
		r = -EINVAL;
	faults_fini(&faults);
	if (r < 0) {
		weft_tunnel_config_free(config);
		return r;
	}
	*ret_config = config;
	return 0;
}

static void free_secret(char *secret)
{
	if (secret)
		sodium_memzero(secret, strlen(secret));
	free(secret);
}

static void free_texts(char **items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free_secret(items[i]);
	free(items);
}

static void free_selectors(struct weft_tunnel_selectors *selectors)
{
	free_texts(selectors->items, selectors->n);
}

static void free_client(struct weft_tunnel_client *client)
{
	free(client->name);
	free_secret(client->token);
	free(client->ips);
	free(client->routes);
	free(client->sources);
	free(client->push.items);
	free_texts(client->tags, client->tags_n);
}

static void free_rules(struct weft_tunnel_interface *interface)
{
	for (size_t i = 0; i < interface->acl_n; i++) {
		free_selectors(&interface->acl[i].from);
		free_selectors(&interface->acl[i].to);
		free(interface->acl[i].ports);
	}
	for (size_t i = 0; i < interface->exits_n; i++) {
		free_selectors(&interface->exits[i].from);
		free_selectors(&interface->exits[i].via);
	}
	free(interface->acl);
	free(interface->exits);
}

static void free_interface(struct weft_tunnel_interface *interface)
{
	for (size_t i = 0; i < interface->clients_n; i++)
		free_client(&interface->clients[i]);
	free(interface->clients);
	free_rules(interface);
	free(interface->congestion);
	free(interface->bridge);
	free(interface->ips);
	free(interface->routes);
	free(interface->push.items);
	free(interface->tls_cert);
	free(interface->tls_key);
	free_secret(interface->url);
	free_secret(interface->raw_token);
	free_secret(interface->proxy);
	free(interface->ca_file);
	free(interface->accept.items);
	free_texts(interface->headers, interface->headers_n);
}

void weft_tunnel_config_free(struct weft_tunnel_config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->interfaces_n; i++)
		free_interface(&config->interfaces[i]);
	free(config->interfaces);
	free(config);
}
