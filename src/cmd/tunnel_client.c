/* SPDX-License-Identifier: MIT */
/*
 * weft tunnel client URL: a client without a file.
 */
#include "cli/options.h"
#include "cli/secret.h"
#include "cmd/cmd.h"
#include "cmd/tunnel.h"
#include "cmd/tunnel_line.h"
#include "cmd/tunnel_way.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN "the token"

/* Of a token that has not been asked for yet. */
#define STAND_IN "x"

struct args {
	struct tunnel_line_args line;
	struct tunnel_way_args way;
	const char *pin;
	struct option_list accept;
	uint32_t streams;
	bool http2;
};

static const struct option options[] = {
	TUNNEL_WAY_OPTIONS(struct args),
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
	TUNNEL_LINE_OPTIONS("what the server carries"),
	{ 0 },
};

static_assert(OFFSET(struct args, line) == 0, "TUNNEL_LINE_OPTIONS count from there");

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
		"Without --token-file the token is that of $WEFT_TOKEN, or asked for: no secret\n"
		"stands on a command line, which everybody on the machine can see.",
};

static const char *option_of(const char *path)
{
	static const struct line_option rows[] = {
		{ ".server", "URL" },
		{ ".token", TOKEN },
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

static json_t *make(const struct args *args, const char *url)
{
	json_t *object = json_object();
	line_set_device(object, &args->line);
	line_set(object, "server", url);
	line_set(object, "token", STAND_IN);
	line_set(object, "proxy", tunnel_way_proxy(&args->way));
	line_set(object, "ca", args->way.ca_file);
	line_set(object, "pin", args->pin);
	if (args->http2)
		(void)json_object_set_new(object, "http2", json_true());
	if (args->streams)
		(void)json_object_set_new(object, "streams",
					  json_integer((json_int_t)args->streams));
	set_accept(object, &args->accept);
	return object;
}

/* Nobody is asked for a token in vain: the rest is looked at first. Says what is wrong. */
static bool take_token(const struct tunnel_line *line, struct args *args)
{
	char token[SECRET_LEN];
	if (!tunnel_line_is_good(line, NULL, &args->line.output) ||
	    tunnel_way_take(&args->way, command.verb, token) < 0)
		return false;
	line_set(line->interface, "token", token);
	sodium_memzero(token, sizeof(token));
	return tunnel_line_is_good(line, TOKEN, &args->line.output);
}

int tunnel_client(int argc, char **argv)
{
	struct args args = { .streams = 0 };
	int status;
	if (options_parse(&command, argc, argv, &args, &status) < 0)
		return status;
	const char *wrong = rootless_contradiction(&args.line.rootless);
	if (!wrong && tunnel_way_has_password(argv[1]))
		wrong = "everybody can see a password on a command line; put this URL "
			"into a CONFIG.json";
	if (!wrong)
		wrong = tunnel_way_indiscretion(&args.way);
	if (wrong)
		return options_fail(&command, wrong);
	const struct tunnel_line line = { command.verb, make(&args, argv[1]), option_of };
	status = take_token(&line, &args) ? tunnel_line_run(&line, &args.line)
					  : STATUS_FAILED;
	json_decref(line.interface);
	return status;
}
