/* SPDX-License-Identifier: MIT */
/*
 * weft tunnel client URL: a client without a file.
 */
#include "cli/options.h"
#include "cli/secret.h"
#include "cmd/cmd.h"
#include "cmd/tunnel.h"
#include "cmd/tunnel_line.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct args {
	struct output_opts output;
	struct rootless_args rootless;
	const char *token_file, *proxy, *ca, *pin, *name;
	struct option_list accept;
	uint32_t streams;
	unsigned mode;
	bool http2, print_config;
};

static const struct option options[] = {
	{ .name = "token-file",
	  .letter = 't',
	  .type = OPTION_TEXT,
	  .syntax = "FILE",
	  .offset = OFFSET(struct args, token_file),
	  .help = "the token is the first line of FILE, or of stdin: -" },
	{ .name = "proxy",
	  .type = OPTION_TEXT,
	  .syntax = "URL",
	  .offset = OFFSET(struct args, proxy),
	  .help = "an HTTP or SOCKS proxy on this side [$WEFT_PROXY]" },
	{ .name = "ca",
	  .type = OPTION_TEXT,
	  .syntax = "FILE",
	  .offset = OFFSET(struct args, ca),
	  .help = "certificates that are trusted [the system's]" },
	{ .name = "pin",
	  .type = OPTION_TEXT,
	  .syntax = "KEY",
	  .offset = OFFSET(struct args, pin),
	  .help = "the server's key: sha256//BASE64 or 64 hex digits" },
	{ .name = "http2",
	  .type = OPTION_FLAG,
	  .offset = OFFSET(struct args, http2),
	  .help = "speak HTTP/2 where the other end does" },
	{ .name = "streams",
	  .type = OPTION_NUMBER,
	  .syntax = "N",
	  .max = 8,
	  .offset = OFFSET(struct args, streams),
	  .help = "so many side by side, 1 to 8 [1]" },
	{ .name = "accept-route",
	  .type = OPTION_LIST,
	  .syntax = "NET",
	  .offset = OFFSET(struct args, accept),
	  .help = "take routes in NET alone; \"none\" takes none at all" },
	{ .name = "mode",
	  .type = OPTION_CHOICE,
	  .syntax = "ip|ethernet",
	  .offset = OFFSET(struct args, mode),
	  .help = "what the server carries [ip]" },
	{ .name = "name",
	  .type = OPTION_TEXT,
	  .syntax = "DEVICE",
	  .offset = OFFSET(struct args, name),
	  .help = "the device that is made [tun0, or tap0]" },
	ROOTLESS_OPTIONS(struct args),
	{ .name = "print-config",
	  .type = OPTION_FLAG,
	  .offset = OFFSET(struct args, print_config),
	  .help = "print the same as a CONFIG.json and end" },
	OUTPUT_OPTIONS(struct args),
	{ 0 },
};

static const struct command command = {
	.verb = "tunnel client",
	.operands = "URL",
	.operands_min = 1,
	.operands_max = 1,
	.summary = "Connects to a tunnel's server, until a signal comes.",
	.options = options,
	.notes =
		"weft tunnel client https://tunnel.example.org/\n"
		"\n"
		"Without --token-file the token is that of $WEFT_TOKEN, or asked for: no "
		"secret\n"
		"stands on a command line, which everybody on the machine can see.",
};

static const char *option_of(const char *path)
{
	static const struct line_option rows[] = {
		{ ".server", "URL" },
		{ ".token", "the token" },
		{ ".proxy", "--proxy" },
		{ ".ca", "--ca" },
		{ ".pin", "--pin" },
		{ ".http2", "--http2" },
		{ ".accept_routes", "--accept-route" },
		{ ".name", "--name" },
		{ 0 },
	};
	return tunnel_line_option(rows, path);
}

/* Whether a password stands in a URL, where it must not be. */
static bool has_password(const char *url)
{
	const char *host = strstr(url, "://");
	host = host ? host + 3 : url;
	return memchr(host, '@', strcspn(host, "/?#")) != NULL;
}

static int check_secrets(const struct args *args, const char *url)
{
	if (has_password(url))
		return options_fail(&command,
				    "everybody can see a password on a command line; put "
				    "this URL into a CONFIG.json");
	if (args->proxy && has_password(args->proxy))
		return options_fail(
			&command,
			"--proxy: everybody can see a password on a command "
			"line; put this URL into the environment, as WEFT_PROXY");
	return STATUS_OK;
}

/* true, false, or in which networks. */
static void set_accept(json_t *object, const struct option_list *accept)
{
	json_t *array = json_array();
	for (size_t i = 0; i < accept->n; i++)
		(void)json_array_append_new(array, json_string(accept->items[i]));
	if (accept->n == 1 && strcmp(accept->items[0], "none") == 0)
		(void)json_object_set_new(object, "accept_routes", json_false());
	else if (accept->n > 0)
		(void)json_object_set_new(object, "accept_routes", json_incref(array));
	json_decref(array);
}

static json_t *make(const struct args *args, const char *url, const char *token)
{
	const char *device = args->mode ? "tap0" : "tun0";
	json_t *object = json_object();
	line_set(object, "name", args->name ? args->name : device);
	line_set(object, "mode", args->mode ? "ethernet" : NULL);
	line_set(object, "server", url);
	line_set(object, "token", token);
	line_set(object, "proxy", args->proxy);
	line_set(object, "ca", args->ca);
	line_set(object, "pin", args->pin);
	if (args->http2)
		(void)json_object_set_new(object, "http2", json_true());
	if (args->streams)
		(void)json_object_set_new(object, "streams",
					  json_integer((json_int_t)args->streams));
	set_accept(object, &args->accept);
	return object;
}

int tunnel_client(int argc, char **argv)
{
	struct args args = { .streams = 0 };
	char token[SECRET_LEN];
	int status;
	if (options_parse(&command, argc, argv, &args, &status) < 0)
		return status;
	const char *wrong = rootless_contradiction(&args.rootless);
	if (wrong)
		return options_fail(&command, wrong);
	status = check_secrets(&args, argv[1]);
	if (status != STATUS_OK)
		return status;
	if (!args.proxy)
		args.proxy = getenv("WEFT_PROXY");
	if (secret_read_token(command.verb, args.token_file, token) < 0)
		return STATUS_FAILED;
	const struct tunnel_line line = { command.verb, make(&args, argv[1], token),
					  option_of };
	sodium_memzero(token, sizeof(token));
	if (!tunnel_line_is_good(&line, &args.output))
		status = STATUS_FAILED;
	else
		status = args.print_config
				 ? tunnel_line_print(&line)
				 : tunnel_line_run(&line, &args.rootless, &args.output);
	json_decref(line.interface);
	return status;
}
