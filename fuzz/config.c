/* SPDX-License-Identifier: MIT */
/*
 * Configurations from anybody. Whatever comes: a text without a fault is JSON to jansson as
 * well, and what jansson refuses has a fault; faults come in the order of the file, and stand
 * in it; a configuration comes exactly if no fault is an error, and has all that the tunnel
 * relies on.
 */
#include <weft/tunnel.h>

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

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

static void check_server(const struct weft_tunnel_interface *server)
{
	CHECK(server->port > 0 && server->net.family == AF_INET);
	CHECK(server->mtu >= 68 && server->mtu <= 9000 && !server->url);
	check_ips(server->ips, server->ips_n);
	check_ips(server->routes, server->routes_n);
	for (size_t i = 0; i < server->clients_n; i++) {
		const struct weft_tunnel_client *client = &server->clients[i];
		CHECK(client->name && client->token && client->ips_n > 0);
		check_ips(client->ips, client->ips_n);
		check_ips(client->routes, client->routes_n);
		check_ips(client->sources, client->sources_n);
	}
}

static void check_config(const struct weft_tunnel_config *config)
{
	CHECK(config->interfaces_n > 0);
	for (size_t i = 0; i < config->interfaces_n; i++) {
		const struct weft_tunnel_interface *interface = &config->interfaces[i];
		CHECK(interface->name[0] && interface->line > 0);
		CHECK(interface->mark.value == 0 || interface->mark.table > 0);
		if (interface->is_server)
			check_server(interface);
		else
			CHECK(interface->url && interface->raw_token);
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
