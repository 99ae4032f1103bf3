/* SPDX-License-Identifier: MIT */
/*
 * `weft check`: all that is wrong with a tunnel's configuration, and what a good one means.
 */
#include "cmd/cmd.h"
#include "cmd/config_file.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "cmd/units.h"

#include <weft/tunnel.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct args {
	struct output_opts output;
};

static const struct option options[] = {
	{ .name = "json",
	  .type = OPTION_FLAG,
	  .offset = OFFSET(struct args, output.json),
	  .help = "print what was found as JSON, one object per line" },
	{ .name = "quiet",
	  .letter = 'q',
	  .type = OPTION_FLAG,
	  .offset = OFFSET(struct args, output.quiet),
	  .help = "print what is wrong only" },
	{ 0 },
};

static const struct command command = {
	.verb = "check",
	.operands = "CONFIG.json",
	.operands_min = 1,
	.operands_max = 1,
	.summary =
		"Checks the configuration of a tunnel: shows all that is wrong with it, "
		"and how\nto mend it; and if nothing is, what it means.",
	.options = options,
	.notes =
		"weft check tunnel.json\n"
		"weft check - < tunnel.json   from standard input\n"
		"\n"
		"Warnings are of what can be used and looks wrong. Exit status: 0 it can "
		"be\n"
		"used, 1 it cannot (or could not be read), 2 the command line is wrong.\n"
		"With --json: \"fault\" for each, \"interface\" for each, and "
		"\"checked\".",
};

/* ---- for people -------------------------------------------------------------------------- */

static void print_ips(const char *what, const struct weft_ip *ips, size_t n)
{
	char text[WEFT_IP_TEXT];
	for (size_t i = 0; i < n; i++)
		printf("%s%s", i == 0 ? what : ", ", weft_ip_print(&ips[i], text));
}

static void print_client(const struct weft_tunnel_client *client)
{
	char text[WEFT_IP_TEXT];
	const char *ip = weft_ip_print(&client->ips[0], text);
	printf("%17s %-15s", "", ip);
	if (strcmp(client->name, ip) != 0)
		printf(" %s", client->name);
	print_ips(" routes ", client->routes, client->routes_n);
	print_ips(" sources ", client->sources, client->sources_n);
	(void)putchar('\n');
}

/* A URL without the password that it may hold. */
static void print_url(const char *url)
{
	const char *host = strstr(url, "://") + 3;
	const char *at = memchr(host, '@', strcspn(host, "/?#"));
	printf("%.*s%s", (int)(host - url), url, at ? at + 1 : host);
}

static void print_interface(const struct weft_tunnel_interface *interface)
{
	char net[WEFT_IP_TEXT];
	printf("%-15s  ", interface->name);
	if (interface->is_server)
		printf("server on port %u, %s, MTU %u", interface->port,
		       weft_ip_print(&interface->net, net), interface->mtu);
	else
		printf("client of ");
	if (!interface->is_server)
		print_url(interface->url);
	if (interface->mark.value != 0)
		printf(", mark %u to table %u", interface->mark.value,
		       interface->mark.table);
	print_ips("\n                  also ", interface->ips, interface->ips_n);
	print_ips("\n                  local ", interface->routes, interface->routes_n);
	(void)putchar('\n');
	for (size_t i = 0; i < interface->clients_n; i++)
		print_client(&interface->clients[i]);
}

/* ---- as JSON ----------------------------------------------------------------------------- */

static json_t *json_ips(const struct weft_ip *ips, size_t n)
{
	char text[WEFT_IP_TEXT];
	json_t *array = json_array();
	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(array,
					    json_string(weft_ip_print(&ips[i], text)));
	return array;
}

static json_t *json_clients(const struct weft_tunnel_interface *interface)
{
	json_t *array = json_array();
	for (size_t i = 0; i < interface->clients_n; i++) {
		const struct weft_tunnel_client *client = &interface->clients[i];
		(void)json_array_append_new(
			array,
			json_pack("{s:s, s:o, s:o, s:o}", "name", client->name, "ips",
				  json_ips(client->ips, client->ips_n), "routes",
				  json_ips(client->routes, client->routes_n), "sources",
				  json_ips(client->sources, client->sources_n)));
	}
	return array;
}

static json_t *json_interface(const struct weft_tunnel_interface *interface)
{
	char net[WEFT_IP_TEXT];
	json_t *object = json_pack("{s:s, s:s, s:i}", "name", interface->name, "kind",
				   interface->is_server ? "server" : "client", "line",
				   (int)interface->line);
	json_t *mark = json_pack("{s:I, s:I}", "value", (json_int_t)interface->mark.value,
				 "table", (json_int_t)interface->mark.table);
	(void)json_object_set_new(object, "mark", mark);
	if (!interface->is_server)
		return object;
	json_t *server = json_pack(
		"{s:i, s:s, s:i, s:o, s:o, s:o}", "port", (int)interface->port, "net",
		weft_ip_print(&interface->net, net), "mtu", (int)interface->mtu, "ips",
		json_ips(interface->ips, interface->ips_n), "routes",
		json_ips(interface->routes, interface->routes_n), "clients",
		json_clients(interface));
	(void)json_object_update(object, server);
	json_decref(server);
	return object;
}

/* ---- the verb ---------------------------------------------------------------------------- */

static void tell_meaning(struct output *out, const struct weft_tunnel_config *config)
{
	for (size_t i = 0; i < config->interfaces_n; i++) {
		if (out->json)
			output_event(out, "interface",
				     json_interface(&config->interfaces[i]));
		else if (!out->quiet)
			print_interface(&config->interfaces[i]);
	}
}

static void tell_summary(struct output *out, const struct config_file *file,
			 bool is_usable)
{
	char errors[UNITS_COUNT_TEXT], warnings[UNITS_COUNT_TEXT];
	if (out->json) {
		output_event(out, "checked",
			     json_pack("{s:s, s:b, s:i, s:i}", "file", file->path,
				       "usable", is_usable, "errors", (int)file->errors,
				       "warnings", (int)file->warnings));
		return;
	}
	if (out->quiet && file->errors + file->warnings == 0)
		return;
	(void)fflush(stdout);
	(void)fprintf(stderr, "%s: %s, %s: %s\n", file->path,
		      units_print_count(file->errors, "error", "errors", errors),
		      units_print_count(file->warnings, "warning", "warnings", warnings),
		      is_usable ? "it can be used" : "it cannot be used");
}

int cmd_check(int argc, char **argv)
{
	struct args args = { 0 };
	struct output out;
	struct config_file file;
	struct weft_tunnel_config *config = NULL;
	int status;
	if (options_parse(&command, argc, argv, &args, &status) < 0)
		return status;
	output_init(&out, &args.output);
	if (config_file_read(&file, &out, "check", argv[1]) < 0)
		return STATUS_FAILED;
	int r = config_file_parse(&file, &config);
	if (r == 0)
		tell_meaning(&out, config);
	if (r == -ENOMEM)
		(void)output_fail("check", strerror(ENOMEM));
	else
		tell_summary(&out, &file, r == 0);
	config_file_fini(&file);
	weft_tunnel_config_free(config);
	return r == 0 && fflush(stdout) == 0 ? STATUS_OK : STATUS_FAILED;
}
