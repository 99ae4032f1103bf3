/* SPDX-License-Identifier: MIT */
/*
 * weft tunnel server: a server without a file. Clients have names; their tokens are made by
 * chance and said once, their addresses are those behind the server's own:
 *
 *     --net 10.77.0.1/24 --client a --client b        a has 10.77.0.2, b 10.77.0.3
 */
#include "cli/options.h"
#include "cli/secret.h"
#include "cmd/cmd.h"
#include "cmd/tokens_file.h"
#include "cmd/tunnel.h"
#include "cmd/tunnel_line.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOST_LEN 256u
#define URL_LEN  (HOST_LEN + 32u)

#define NET_DEFAULT "10.77.0.1/24"

struct args {
	struct tunnel_line_args line;
	struct option_list clients, routes;
	uint32_t port;
	const char *listen, *net, *net6, *tls_cert, *tls_key, *tokens_file;
};

static const struct option options[] = {
	{ .name = "port",
	  .letter = 'p',
	  .type = OPTION_NUMBER,
	  .syntax = "N",
	  .max = 65535,
	  .offset = OFFSET(struct args, port),
	  .help = "the TCP port [8080]" },
	{ .name = "listen",
	  .letter = 'l',
	  .type = OPTION_TEXT,
	  .syntax = "IP",
	  .offset = OFFSET(struct args, listen),
	  .help = "at this address alone, 127.0.0.1 behind a proxy [all]" },
	{ .name = "net",
	  .type = OPTION_TEXT,
	  .syntax = "IP/LEN",
	  .offset = OFFSET(struct args, net),
	  .help = "own address, and the tunnel's net [" NET_DEFAULT "]" },
	{ .name = "net6",
	  .type = OPTION_TEXT,
	  .syntax = "IP/LEN",
	  .offset = OFFSET(struct args, net6),
	  .help = "the same for IPv6, such as fd00:77::1/64 [none]" },
	{ .name = "client",
	  .letter = 'c',
	  .type = OPTION_LIST,
	  .syntax = "NAME",
	  .offset = OFFSET(struct args, clients),
	  .help = "one who may connect; again for each [client]" },
	{ .name = "route",
	  .letter = 'r',
	  .type = OPTION_LIST,
	  .syntax = "NET",
	  .offset = OFFSET(struct args, routes),
	  .help = "a network behind this machine; clients are told" },
	{ .name = "tokens-file",
	  .letter = 't',
	  .type = OPTION_TEXT,
	  .syntax = "FILE",
	  .offset = OFFSET(struct args, tokens_file),
	  .help = "keep the clients' tokens in FILE [new ones each time]" },
	{ .name = "tls-cert",
	  .type = OPTION_TEXT,
	  .syntax = "FILE",
	  .offset = OFFSET(struct args, tls_cert),
	  .help = "speak TLS with this certificate in PEM ..." },
	{ .name = "tls-key",
	  .type = OPTION_TEXT,
	  .syntax = "FILE",
	  .offset = OFFSET(struct args, tls_key),
	  .help = "... and its key" },
	TUNNEL_LINE_OPTIONS("what is carried"),
	{ 0 },
};

static_assert(OFFSET(struct args, line) == 0, "TUNNEL_LINE_OPTIONS count from there");

static const struct command command = {
	.verb = "tunnel server",
	.operands_max = 0,
	.summary = "Runs a tunnel's server, until a signal comes, and prints what its "
		   "clients type.",
	.options = options,
	.notes =
		"weft tunnel server --client office --tokens-file tokens\n"
		"\n"
		"Tokens are printed when they are made, and never again; FILE has them. With\n"
		"--json: \"token\" for each.",
};

static const char *option_of(const char *path)
{
	static const struct line_option rows[] = {
		{ ".port", "--port" },
		{ ".listen", "--listen" },
		{ ".net", "--net" },
		{ ".net6", "--net6" },
		{ ".clients.ip", "--net" },
		{ ".clients.ips", "--net6" },
		{ ".clients.token", "--tokens-file" },
		{ ".clients.name", "--client" },
		{ ".push", "--route" },
		{ ".tls", "--tls-cert and --tls-key" },
		{ ".tls.cert", "--tls-cert" },
		{ ".tls.key", "--tls-key" },
		{ ".name", "--name" },
		{ 0 },
	};
	return tunnel_line_option(rows, path);
}

/* ---- clients ----------------------------------------------------------------------------- */

/* The address that is n behind another. */
static struct weft_ip behind(struct weft_ip ip, size_t n)
{
	const size_t len = ip.family == AF_INET ? 4 : 16;
	ip.prefix = (uint8_t)(len * 8);
	for (size_t i = len; i > 0 && n > 0; i--) {
		n += ip.octet[i - 1];
		ip.octet[i - 1] = (uint8_t)n;
		n >>= 8;
	}
	return ip;
}

/* The address of a client in a net of the server, or NULL. */
static json_t *json_behind(const char *net, size_t n)
{
	char text[WEFT_IP_TEXT];
	struct weft_ip ip;
	if (!net || weft_ip_parse(net, &ip) < 0)
		return NULL;
	ip = behind(ip, n);
	return json_string(weft_ip_print(&ip, text));
}

/* The same as a list. */
static json_t *json_behind6(const char *net6, size_t n)
{
	json_t *ip = json_behind(net6, n);
	return ip ? json_pack("[o]", ip) : NULL;
}

/* What chance made is safe as SHA-1, where the system has that. */
static void hash_token(const char *token, char hash[crypto_pwhash_STRBYTES])
{
	char sha1[SECRET_SHA1_TEXT];
	hash[0] = '\0';
	if (secret_sha1(token, sha1) == 0)
		memcpy(hash, sha1, sizeof(sha1));
	else if (crypto_pwhash_str(hash, token, strlen(token),
				   crypto_pwhash_OPSLIMIT_INTERACTIVE,
				   crypto_pwhash_MEMLIMIT_INTERACTIVE) < 0)
		hash[0] = '\0';
}

/* place: where it stands among all that there ever were, from 1. */
static json_t *make_client(const struct args *args, const struct tokens_entry *entry,
			   size_t place)
{
	char hash[crypto_pwhash_STRBYTES];
	hash_token(entry->token, hash);
	return json_pack("{s:s, s:s, s:o*, s:o*}", "name", entry->name, "token", hash,
			 "ip", json_behind(args->net, place), "ips",
			 json_behind6(args->net6, place));
}

static json_t *make_clients(const struct args *args, const struct tokens *tokens)
{
	json_t *array = json_array();
	for (size_t i = 0; i < tokens->n; i++)
		if (tokens->items[i].is_wanted)
			(void)json_array_append_new(
				array, make_client(args, &tokens->items[i], i + 1));
	return array;
}

/* Those of the command line; without any, those of the file; without those, one. */
static int choose_clients(const struct args *args, struct tokens *tokens)
{
	if (args->tokens_file && tokens_read(tokens, command.verb, args->tokens_file) < 0)
		return STATUS_FAILED;
	for (size_t i = 0; args->clients.n == 0 && i < tokens->n; i++)
		tokens->items[i].is_wanted = true;
	if (args->clients.n == 0 && tokens->n == 0 && !tokens_want(tokens, "client"))
		return output_fail(command.verb, "out of memory");
	for (size_t i = 0; i < args->clients.n; i++)
		if (!tokens_want(tokens, args->clients.items[i]))
			return options_fail(
				&command,
				"--client: a name has 1 to 64 bytes, no space at "
				"its ends, and no # in front");
	return STATUS_OK;
}

/* ---- the interface ----------------------------------------------------------------------- */

static json_t *make(const struct args *args, const struct tokens *tokens)
{
	json_t *object = json_object(), *routes = json_array(), *tls = json_object();
	line_set_device(object, &args->line);
	(void)json_object_set_new(object, "port", json_integer((json_int_t)args->port));
	line_set(object, "listen", args->listen);
	line_set(object, "net", args->net);
	line_set(object, "net6", args->net6);
	for (size_t i = 0; i < args->routes.n; i++)
		(void)json_array_append_new(routes, json_string(args->routes.items[i]));
	if (args->routes.n > 0)
		(void)json_object_set(object, "push", routes);
	line_set(tls, "cert", args->tls_cert);
	line_set(tls, "key", args->tls_key);
	if (json_object_size(tls) > 0)
		(void)json_object_set(object, "tls", tls);
	(void)json_object_set_new(object, "clients", make_clients(args, tokens));
	json_decref(routes);
	json_decref(tls);
	return object;
}

/* ---- what the other side types ----------------------------------------------------------- */

/* How others reach this machine, as far as it can know. */
static void make_url(const struct args *args, char url[URL_LEN])
{
	char host[HOST_LEN] = "";
	struct weft_ip ip;
	const bool is_listen = args->listen && weft_ip_parse(args->listen, &ip) == 0;
	const bool is_v6 = is_listen && ip.family == AF_INET6;
	if (is_listen)
		(void)snprintf(host, sizeof(host), "%s%s%s", is_v6 ? "[" : "",
			       args->listen, is_v6 ? "]" : "");
	else if (gethostname(host, sizeof(host) - 1) < 0 || host[0] == '\0')
		(void)snprintf(host, sizeof(host), "localhost");
	(void)snprintf(url, URL_LEN, "%s://%s:%u/", args->tls_cert ? "https" : "http",
		       host, args->port);
}

static void print_token(const struct args *args, const struct tokens_entry *entry,
			const char *url, FILE *stream)
{
	if (args->line.output.json && !args->line.print_config)
		(void)output_json(json_pack("{s:s, s:s, s:s, s:s}", "event", "token",
					    "client", entry->name, "token", entry->token,
					    "url", url));
	else
		(void)fprintf(stream, "%s:\n  WEFT_TOKEN=%s weft tunnel client%s %s\n",
			      entry->name, entry->token,
			      args->line.mode ? " --mode ethernet" : "", url);
}

/* With --print-config stdout is the file's, and has hashes alone. */
static void print_tokens(const struct args *args, const struct tokens *tokens)
{
	FILE *stream = args->line.print_config ? stderr : stdout;
	char url[URL_LEN];
	make_url(args, url);
	for (size_t i = 0; i < tokens->n; i++)
		if (tokens->items[i].is_new)
			print_token(args, &tokens->items[i], url, stream);
	(void)fflush(stream);
}

/* ---- the word ---------------------------------------------------------------------------- */

/* Nothing is kept and nothing said of tokens where the server cannot be. */
static int run(const struct args *args, struct tokens *tokens,
	       const struct tunnel_line *line)
{
	if (!tunnel_line_is_good(line, NULL, &args->line.output))
		return STATUS_FAILED;
	if (args->tokens_file &&
	    tokens_write(tokens, command.verb, args->tokens_file) < 0)
		return STATUS_FAILED;
	print_tokens(args, tokens);
	tokens_fini(tokens);
	return tunnel_line_run(line, &args->line);
}

int tunnel_server(int argc, char **argv)
{
	struct args args = { .port = 8080 };
	struct tokens tokens = { 0 };
	int status;
	if (options_parse(&command, argc, argv, &args, &status) < 0)
		return status;
	const char *wrong = rootless_contradiction(&args.line.rootless);
	if (wrong)
		return options_fail(&command, wrong);
	if (sodium_init() < 0)
		return output_fail(command.verb, "no random numbers");
	if (!args.net && !args.line.mode)
		args.net = NET_DEFAULT;
	status = choose_clients(&args, &tokens);
	if (status == STATUS_OK) {
		const struct tunnel_line line = { command.verb, make(&args, &tokens),
						  option_of };
		status = run(&args, &tokens, &line);
		json_decref(line.interface);
	}
	tokens_fini(&tokens);
	return status;
}
