/* SPDX-License-Identifier: MIT */
/*
 * URLs: of a server, and of a proxy in front of a client.
 *
 *     http://user:word@host:port/path
 *     `-----´`-------´ `-------´
 *     scheme  never     the authority
 *             repeated
 */
#include "config/config.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define HOST_LEN     256u
#define TLS_PORT     443u
#define TLS_PORT_ALT 8443u

/* Bytes of a scheme that is allowed, with its "://"; 0 if there is none. */
static size_t scheme_len(const struct config_url *kind, const char *url)
{
	for (const char *const *scheme = kind->schemes; *scheme; scheme++)
		if (strncasecmp(url, *scheme, strlen(*scheme)) == 0)
			return strlen(*scheme);
	return 0;
}

static bool has_odd_character(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text == 0x7f)
			return true;
	return false;
}

/*
 * Takes "host", "host:port" or "[v6]:port" out of a URL from behind its scheme on. The port is
 * TLS's if there is none.
 */
static bool find_host(const char *begin, char ret_host[HOST_LEN], uint16_t *ret_port)
{
	char authority[HOST_LEN + 16];
	const size_t len = strcspn(begin, "/?#");
	if (len >= sizeof(authority))
		return false;
	memcpy(authority, begin, len);
	authority[len] = '\0';
	const char *at = strrchr(authority, '@');
	return weft_hostport_parse(at ? at + 1 : authority, TLS_PORT, ret_host, HOST_LEN,
				   ret_port) == 0;
}

/* Whether a URL without a scheme names a port, and none that TLS is usual on. */
static bool has_plain_port(const char *url)
{
	char host[HOST_LEN];
	uint16_t port;
	return find_host(url, host, &port) && port != TLS_PORT && port != TLS_PORT_ALT;
}

void config_url_host(const char *url, char *ret_host, size_t len)
{
	char host[HOST_LEN];
	const char *begin = strstr(url, "://");
	uint16_t port;
	ret_host[0] = '\0';
	if (begin && find_host(begin + 3, host, &port) && strlen(host) < len)
		memcpy(ret_host, host, strlen(host) + 1);
}

static void miss_scheme(struct reader *reader, const struct node *node,
			const struct config_url *kind, const char *url)
{
	char quote[NODE_QUOTE_LEN];
	const bool is_plain = has_plain_port(url);
	const char *scheme = is_plain ? kind->plain_scheme : kind->scheme;
	reader_fault(reader, SEVERITY_ERROR, node,
		     "a URL begins with %s; write \"%s%s\"%s", kind->wants, scheme,
		     node_quote(url, strlen(url), quote),
		     is_plain && strcmp(scheme, kind->scheme) != 0
			     ? ", or https:// if that port speaks TLS"
			     : "");
}

void config_read_url(struct reader *reader, const struct node *node,
		     const struct config_url *kind, char **ret_url)
{
	const char *url = field_text(node);
	const size_t scheme = scheme_len(kind, url);
	char host[HOST_LEN];
	uint16_t port;
	if (scheme == 0 && !strstr(url, "://") && !strchr(url, '@'))
		miss_scheme(reader, node, kind, url);
	else if (scheme == 0)
		reader_fault(reader, SEVERITY_ERROR, node,
			     "%s goes over %s and nothing else", kind->what, kind->wants);
	else if (has_odd_character(url))
		reader_fault(reader, SEVERITY_ERROR, node,
			     "a URL holds no spaces and no control characters; write a "
			     "space as %%20");
	else if (!find_host(url + scheme, host, &port))
		reader_fault(
			reader, SEVERITY_ERROR, node,
			"behind the scheme stands a host, and a port of 1 to 65535 if "
			"need be, such as \"%s\"",
			kind->example);
	else
		field_copy(reader, node, ret_url);
}
