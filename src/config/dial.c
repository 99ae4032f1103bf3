/* SPDX-License-Identifier: MIT */
/*
 * How a client gets to its server: over a proxy, with which family of addresses, whom it
 * believes to be the server, and what else it says in its requests.
 */
#include "base/proxy.h"
#include "config/config.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEADERS_MAX    32u
#define HEADER_LEN_MAX 4096u /* Name and value: servers take 8 KiB of all headers. */
#define PIN_PREFIX     "sha256//"
#define PIN_PREFIX_LEN (sizeof(PIN_PREFIX) - 1)
#define PIN_HEX_LEN    64u
#define PIN_BASE64_LEN 44u

/* ---- the way ----------------------------------------------------------------------------- */

void config_read_proxy(struct reader *reader, const struct node *node, void *object)
{
	static const struct config_url kind = {
		.what = "a proxy",
		.schemes = proxy_schemes,
		.wants = PROXY_SCHEMES_TEXT,
		.scheme = "http://",
		.plain_scheme = "http://",
		.example = "http://proxy.example.org:3128",
	};
	config_read_url(reader, node, &kind,
			&((struct weft_tunnel_interface *)object)->proxy);
}

void config_read_family(struct reader *reader, const struct node *node, void *object)
{
	static const char *const words[] = { "ipv4", "ipv6", "prefer-ipv4", "prefer-ipv6",
					     NULL };
	struct weft_tunnel_interface *interface = object;
	unsigned i;
	if (!field_word(reader, node, words, &i))
		return;
	const unsigned family = i % 2 == 0 ? AF_INET : AF_INET6;
	if (i < 2)
		interface->family = family;
	else
		interface->first_family = family;
}

/* ---- whom it believes -------------------------------------------------------------------- */

void config_read_ca(struct reader *reader, const struct node *node, void *object)
{
	config_read_path(reader, node,
			 &((struct weft_tunnel_interface *)object)->ca_file);
}

/* Whether all of a text is base64 of 32 bytes. */
static bool pin_from_base64(const char *text, uint8_t pin[32])
{
	size_t len;
	return strlen(text) == PIN_BASE64_LEN &&
	       sodium_base642bin(pin, 32, text, PIN_BASE64_LEN, NULL, &len, NULL,
				 sodium_base64_VARIANT_ORIGINAL) == 0 &&
	       len == 32;
}

/* ignore are characters between the digits. */
static bool pin_from_hex(const char *text, const char *ignore, uint8_t pin[32])
{
	size_t len;
	return strlen(text) >= PIN_HEX_LEN &&
	       sodium_hex2bin(pin, 32, text, strlen(text), ignore, &len, NULL) == 0 &&
	       len == 32;
}

static const char *explain_pin(const char *text)
{
	uint8_t pin[32];
	if (pin_from_base64(text, pin))
		return "; write \"" PIN_PREFIX "\" in front of it";
	if (pin_from_hex(text, ": ", pin))
		return "; take out what stands between the digits";
	if (strncmp(text, PIN_PREFIX, PIN_PREFIX_LEN) == 0 && strchr(text, ';'))
		return "; one key can be pinned, not several";
	if (strncasecmp(text, "sha256", 6) == 0)
		return "; it has to begin with \"" PIN_PREFIX
		       "\" and 44 characters behind that";
	return "";
}

void config_read_pin(struct reader *reader, const struct node *node, void *object)
{
	struct weft_tunnel_interface *interface = object;
	const char *text = field_text(node);
	const bool is_prefixed = strncmp(text, PIN_PREFIX, PIN_PREFIX_LEN) == 0;
	if (is_prefixed ? pin_from_base64(text + PIN_PREFIX_LEN, interface->pin)
			: pin_from_hex(text, NULL, interface->pin))
		interface->has_pin = true;
	else
		reader_fault(reader, SEVERITY_ERROR, node,
			     "a pin is the SHA-256 of the server's public key, as "
			     "\"" PIN_PREFIX "BASE64\" (curl writes it so) or in 64 hex "
			     "digits%s",
			     explain_pin(text));
}

/* ---- further headers --------------------------------------------------------------------- */

/* Why a name cannot be used, as the tunnel or HTTP itself says it; NULL if it can. */
static const char *header_fault(const char *name)
{
	static const struct {
		const char *name, *fault;
	} rows[] = {
		{ "x-api-key", "it carries the token, which stands in \"token\"" },
		{ "x-tun-conf", "it is the tunnel's own" },
		{ "x-weft", "it is the tunnel's own" },
		{ "x-weft-conf", "it is the tunnel's own" },
		{ "host", "it comes from the URL in \"server\"" },
		{ "proxy-authorization",
		  "user and password stand in the URL of \"proxy\"" },
		{ "content-length", "a stream has no length" },
		{ "content-encoding", "a stream is sent as it is" },
		{ "transfer-encoding", "HTTP itself decides how a stream is sent" },
		{ "accept-encoding",
		  "a stream that is compressed on its way waits in it" },
		{ "range", "a stream has no parts" },
		{ "connection", "HTTP itself has a use for it" },
		{ "proxy-connection", "HTTP itself has a use for it" },
		{ "keep-alive", "HTTP itself has a use for it" },
		{ "upgrade", "HTTP itself has a use for it" },
		{ "te", "HTTP itself has a use for it" },
		{ "trailer", "HTTP itself has a use for it" },
		{ "expect", "HTTP itself has a use for it" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcasecmp(name, rows[i].name) == 0)
			return rows[i].fault;
	return NULL;
}

/* A token of RFC 9110, 5.6.2. */
static bool is_header_name(const char *name)
{
	const size_t len = strspn(name, "!#$%&'*+-.^_`|~0123456789"
					"abcdefghijklmnopqrstuvwxyz"
					"ABCDEFGHIJKLMNOPQRSTUVWXYZ");
	return len > 0 && name[len] == '\0';
}

/* A value could end its line, or be cut at its ends. It may be a secret, and is not repeated. */
static bool is_header_value(const char *value)
{
	const size_t len = strlen(value);
	for (const char *c = value; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return false;
	return len > 0 && value[0] != ' ' && value[len - 1] != ' ';
}

/* Whether an earlier member has the name in other letters. */
static const struct node *same_header(const struct node *node)
{
	for (const struct node *other = node->parent->first; other != node;
	     other = other->next)
		if (strcasecmp(other->key, node->key) == 0)
			return other;
	return NULL;
}

static bool check_header(struct reader *reader, const struct node *node)
{
	const char *fault = header_fault(node->key);
	const struct node *same = same_header(node);
	if (fault)
		reader_fault(reader, SEVERITY_ERROR, node,
			     "this header cannot be set: %s; take it out", fault);
	else if (!is_header_name(node->key))
		reader_fault(reader, SEVERITY_ERROR, node,
			     "the name of a header has letters, digits and \"-\", and no "
			     "spaces or colons");
	else if (node->type != JSON_STRING)
		field_is_not(reader, node, JSON_STRING, "a text");
	else if (!is_header_value(field_text(node)))
		reader_fault(reader, SEVERITY_ERROR, node,
			     "the value of a header is not empty, and has no control "
			     "characters and no spaces at its ends");
	else if (strlen(node->key) + strlen(field_text(node)) > HEADER_LEN_MAX)
		reader_fault(
			reader, SEVERITY_ERROR, node,
			"this header is longer than %u bytes, more than servers take",
			HEADER_LEN_MAX);
	else if (same)
		reader_fault(reader, SEVERITY_ERROR, node,
			     "the same header stands in line %u; the names of headers "
			     "are the same in small and large letters",
			     same->key_at.line);
	else
		return true;
	return false;
}

static void add_header(struct reader *reader, const struct node *node,
		       struct weft_tunnel_interface *interface)
{
	const size_t len = strlen(node->key) + strlen(field_text(node)) + 3;
	char *line = malloc(len);
	if (!line) {
		reader->r = -ENOMEM;
		return;
	}
	(void)snprintf(line, len, "%s: %s", node->key, field_text(node));
	interface->headers[interface->headers_n++] = line;
}

void config_read_headers(struct reader *reader, const struct node *node, void *object)
{
	struct weft_tunnel_interface *interface = object;
	interface->headers = calloc(node->count + 1, sizeof(*interface->headers));
	if (!interface->headers) {
		reader->r = -ENOMEM;
		return;
	}
	if (node->count > HEADERS_MAX)
		reader_fault(reader, SEVERITY_ERROR, node,
			     "found %zu headers; there can be at most %u", node->count,
			     HEADERS_MAX);
	for (const struct node *member = node->first; member; member = member->next)
		if (!member->is_bad && strncmp(member->key, "//", 2) != 0 &&
		    check_header(reader, member))
			add_header(reader, member, interface);
}
