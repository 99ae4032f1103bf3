/* SPDX-License-Identifier: MIT */
/*
 * A client: where the server is, and the token that opens it.
 */
#include "tunnel/config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define HOST_LEN 256u

/* ---- the URL ----------------------------------------------------------------------------- */

static size_t scheme_len(const char *url)
{
	if (strncasecmp(url, "https://", 8) == 0)
		return 8;
	return strncasecmp(url, "http://", 7) == 0 ? 7 : 0;
}

static bool has_odd_character(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text == 0x7f)
			return true;
	return false;
}

/* Whether between the scheme and the path stands "host", "host:port" or "[v6]:port". */
static bool has_host(const char *url)
{
	char authority[HOST_LEN + 16], host[HOST_LEN];
	const char *begin = url + scheme_len(url);
	const size_t len = strcspn(begin, "/?#");
	uint16_t port;
	if (len >= sizeof(authority))
		return false;
	memcpy(authority, begin, len);
	authority[len] = '\0';
	const char *at = strrchr(authority, '@');
	return weft_hostport_parse(at ? at + 1 : authority, 80, host, sizeof(host),
				   &port) == 0;
}

/* A URL may hold a password; none of it is repeated, but for the host of one without scheme. */
static void read_url(struct reader *reader, const struct node *node, void *object)
{
	struct weft_tunnel_interface *interface = object;
	const char *url = field_text(node);
	char quote[NODE_QUOTE_LEN];
	if (scheme_len(url) == 0 && !strstr(url, "://") && !strchr(url, '@'))
		reader_fault(
			reader, SEVERITY_ERROR, node,
			"a URL begins with http:// or https://; write \"https://%s\"",
			node_quote(url, strlen(url), quote));
	else if (scheme_len(url) == 0)
		reader_fault(reader, SEVERITY_ERROR, node,
			     "a tunnel goes over http:// or https:// and nothing else");
	else if (has_odd_character(url))
		reader_fault(reader, SEVERITY_ERROR, node,
			     "a URL holds no spaces and no control characters; write a "
			     "space as %%20");
	else if (!has_host(url))
		reader_fault(
			reader, SEVERITY_ERROR, node,
			"behind the scheme stands a host, and a port of 1 to 65535 if "
			"need be, such as \"https://tunnel.example.org:8443/\"");
	else if (!(interface->url = strdup(url)))
		reader->r = -ENOMEM;
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
	interface->raw_token = strdup(token);
	if (!interface->raw_token)
		reader->r = -ENOMEM;
}

static const struct field table[] = {
	CONFIG_COMMON_FIELDS,
	{ "server", JSON_STRING, true,
	  "the server's URL, such as \"https://tunnel.example.org/\"", read_url },
	{ "token", JSON_STRING, true, "the token as it is, not its hash", read_token },
	{ 0 },
};

const struct fields config_client_fields = { "a client", table, &config_server_fields };
