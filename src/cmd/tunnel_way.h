/* SPDX-License-Identifier: MIT */
/*
 * The way to a tunnel's server, for verbs that are given its URL: `weft tunnel client` and
 * `weft doctor`.
 */
#ifndef CMD_TUNNEL_WAY_H
#define CMD_TUNNEL_WAY_H

#include "cli/options.h"
#include "cli/secret.h"

#include <stdbool.h>

/** What the command line says of it. */
struct tunnel_way_args {
	const char *token_file; /**< NULL: see tunnel_way_take. */
	const char *proxy;      /**< A URL; NULL for none. */
	const char *ca_file;    /**< NULL: the system's. */
};

/* clang-format off */
/** The rows for these options, for the table of a struct with the member way. */
#define TUNNEL_WAY_OPTIONS(args)                                          \
	{ .name = "token-file",                                           \
	  .letter = 't',                                                  \
	  .type = OPTION_TEXT,                                            \
	  .syntax = "FILE",                                               \
	  .offset = OFFSET(args, way.token_file),                         \
	  .help = "the token is the first line of FILE, or of stdin: -" }, \
	{ .name = "proxy",                                                \
	  .type = OPTION_TEXT,                                            \
	  .syntax = "URL",                                                \
	  .offset = OFFSET(args, way.proxy),                              \
	  .help = "an HTTP or SOCKS proxy on this side [$WEFT_PROXY]" },  \
	{ .name = "ca",                                                   \
	  .type = OPTION_TEXT,                                            \
	  .syntax = "FILE",                                               \
	  .offset = OFFSET(args, way.ca_file),                            \
	  .help = "certificates that are trusted [the system's]" }
/* clang-format on */

/** Whether a password stands in a URL. */
bool tunnel_way_has_password(const char *url);

/** Which secret stands on the command line, for options_fail; NULL for none. Before it is taken. */
const char *tunnel_way_indiscretion(const struct tunnel_way_args *way);

/** The proxy of the command line, or that of $WEFT_PROXY; NULL for none. */
const char *tunnel_way_proxy(const struct tunnel_way_args *way);

/**
 * Takes what the command line has not said from elsewhere: the proxy from $WEFT_PROXY, the token
 * from its file, from $WEFT_TOKEN or from whoever sits there. Returns 0, or -Exxx when there is
 * no token, which has been said then.
 */
int tunnel_way_take(struct tunnel_way_args *way, const char *verb,
		    char ret_token[SECRET_LEN]) __attribute__((warn_unused_result));

#endif
