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

#define HOST_LEN 256u

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

/* Takes "host", "host:port" or "[v6]:port" out of a URL from behind its scheme on. */
static bool find_host(const char *begin, char ret_host[HOST_LEN])
{
	char authority[HOST_LEN + 16];
	const size_t len = strcspn(begin, "/?#");
	uint16_t port;
	if (len >= sizeof(authority))
		return false;
	memcpy(authority, begin, len);
	authority[len] = '\0';
	const char *at = strrchr(authority, '@');
	return weft_hostport_parse(at ? at + 1 : authority, 80, ret_host, HOST_LEN,
				   &port) == 0;
}

void config_url_host(const char *url, char *ret_host, size_t len)
{
	char host[HOST_LEN];
	const char *begin = strstr(url, "://");
	ret_host[0] = '\0';
	if (begin && find_host(begin + 3, host) && strlen(host) < len)
		memcpy(ret_host, host, strlen(host) + 1);
}

void config_read_url(struct reader *reader, const struct node *node,
		     const struct config_url *kind, char **ret_url)
{
	const char *url = field_text(node);
	const size_t scheme = scheme_len(kind, url);
	char quote[NODE_QUOTE_LEN], host[HOST_LEN];
	if (scheme == 0 && !strstr(url, "://") && !strchr(url, '@'))
		reader_fault(reader, SEVERITY_ERROR, node,
			     "a URL begins with %s; write \"%s%s\"", kind->wants,
			     kind->scheme, node_quote(url, strlen(url), quote));
	else if (scheme == 0)
		reader_fault(reader, SEVERITY_ERROR, node,
			     "%s goes over %s and nothing else", kind->what, kind->wants);
	else if (has_odd_character(url))
		reader_fault(reader, SEVERITY_ERROR, node,
			     "a URL holds no spaces and no control characters; write a "
			     "space as %%20");
	else if (!find_host(url + scheme, host))
		reader_fault(
			reader, SEVERITY_ERROR, node,
			"behind the scheme stands a host, and a port of 1 to 65535 if "
			"need be, such as \"%s\"",
			kind->example);
	else
		field_copy(reader, node, ret_url);
}
