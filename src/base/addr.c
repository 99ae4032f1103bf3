/* SPDX-License-Identifier: MIT */
/*
 * Addresses to and from text. IP texts are those of inet_pton(3) and inet_ntop(3) (RFC 4291
 * 2.2, printed as RFC 5952 asks); this file adds prefix lengths, ports and the forms in
 * which a user says where to listen. Scopes of link-local addresses are numbers here,
 * because looking up an interface's name is the host's business.
 */
#include "base/mac.h"
#include "base/parse.h"

#include <weft/addr.h>

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* "[", an IPv6 address, "%", a scope, "]" and a NUL. */
#define HOST_TEXT 64

/* Copies len bytes of text into out with a NUL. Returns 0, or -EINVAL if they do not fit. */
static int copy_text(char *out, size_t out_len, const char *text, size_t len)
{
	if (len >= out_len)
		return -EINVAL;
	memcpy(out, text, len);
	out[len] = '\0';
	return 0;
}

/* ---- MAC --------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -EINVAL;
}

int weft_mac_parse(const char *text, struct weft_mac *ret_mac)
{
	struct weft_mac mac;
	if (strlen(text) != WEFT_MAC_TEXT - 1 || (text[2] != ':' && text[2] != '-'))
		return -EINVAL;
	for (size_t i = 0; i < MAC_LEN; i++) {
		int high = hex_digit(text[3 * i]), low = hex_digit(text[3 * i + 1]);
		char after = text[3 * i + 2];
		if (high < 0 || low < 0 || after != (i < MAC_LEN - 1 ? text[2] : '\0'))
			return -EINVAL;
		mac.octet[i] = (uint8_t)(high * 16 + low);
	}
	*ret_mac = mac;
	return 0;
}

bool weft_mac_is_zero(struct weft_mac mac)
{
	return mac_is_zero(mac);
}

const char *weft_mac_print(struct weft_mac mac, char buf[WEFT_MAC_TEXT])
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < MAC_LEN; i++) {
		buf[3 * i] = digits[mac.octet[i] / 16];
		buf[3 * i + 1] = digits[mac.octet[i] % 16];
		buf[3 * i + 2] = ':';
	}
	buf[WEFT_MAC_TEXT - 1] = '\0';
	return buf;
}

/* ---- IP with prefix ---------------------------------------------------------------------- */

static uint8_t full_prefix(uint8_t family)
{
	return family == AF_INET ? 32 : 128;
}

int weft_ip_parse(const char *text, struct weft_ip *ret_ip)
{
	char host[INET6_ADDRSTRLEN];
	size_t host_len = strcspn(text, "/");
	if (copy_text(host, sizeof(host), text, host_len) < 0)
		return -EINVAL;
	struct weft_ip ip = { .family = strchr(host, ':') ? AF_INET6 : AF_INET };
	if (inet_pton(ip.family, host, ip.octet) != 1)
		return -EINVAL;
	uint64_t prefix = full_prefix(ip.family);
	if (text[host_len] == '/' &&
	    parse_u64(text + host_len + 1, 0, prefix, &prefix) < 0)
		return -EINVAL;
	ip.prefix = (uint8_t)prefix;
	*ret_ip = ip;
	return 0;
}

const char *weft_ip_print(const struct weft_ip *ip, char buf[WEFT_IP_TEXT])
{
	char host[INET6_ADDRSTRLEN];
	if (!inet_ntop(ip->family, ip->octet, host, sizeof(host)))
		(void)snprintf(buf, WEFT_IP_TEXT, "none");
	else if (ip->prefix == full_prefix(ip->family))
		(void)snprintf(buf, WEFT_IP_TEXT, "%s", host);
	else
		(void)snprintf(buf, WEFT_IP_TEXT, "%s/%u", host, ip->prefix);
	return buf;
}

/* ---- socket addresses -------------------------------------------------------------------- */

socklen_t weft_sockaddr_len(const union weft_sockaddr *addr)
{
	switch (addr->sa.sa_family) {
	case AF_INET:
		return sizeof(addr->in);
	case AF_INET6:
		return sizeof(addr->in6);
	default:
		return 0;
	}
}

uint16_t weft_sockaddr_port(const union weft_sockaddr *addr)
{
	if (addr->sa.sa_family == AF_INET)
		return ntohs(addr->in.sin_port);
	return addr->sa.sa_family == AF_INET6 ? ntohs(addr->in6.sin6_port) : 0;
}

bool weft_sockaddr_equal(const union weft_sockaddr *a, const union weft_sockaddr *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	switch (a->sa.sa_family) {
	case AF_INET:
		return a->in.sin_port == b->in.sin_port &&
		       a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	case AF_INET6:
		return a->in6.sin6_port == b->in6.sin6_port &&
		       a->in6.sin6_scope_id == b->in6.sin6_scope_id &&
		       memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, 16) == 0;
	default:
		return true;
	}
}

const char *weft_sockaddr_print(const union weft_sockaddr *addr,
				char buf[WEFT_SOCKADDR_TEXT])
{
	char host[INET6_ADDRSTRLEN] = "";
	char scope[12] = "";
	if (addr->sa.sa_family == AF_INET) {
		inet_ntop(AF_INET, &addr->in.sin_addr, host, sizeof(host));
		(void)snprintf(buf, WEFT_SOCKADDR_TEXT, "%s:%u", host,
			       ntohs(addr->in.sin_port));
	} else if (addr->sa.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &addr->in6.sin6_addr, host, sizeof(host));
		if (addr->in6.sin6_scope_id != 0)
			(void)snprintf(scope, sizeof(scope), "%%%u",
				       (unsigned)addr->in6.sin6_scope_id);
		(void)snprintf(buf, WEFT_SOCKADDR_TEXT, "[%.39s%s]:%u", host, scope,
			       ntohs(addr->in6.sin6_port));
	} else {
		(void)snprintf(buf, WEFT_SOCKADDR_TEXT, "none");
	}
	return buf;
}

/* ---- host and port ----------------------------------------------------------------------- */

/* A text divided in two; port is NULL where it names none. */
struct hostport {
	const char *host;
	size_t host_len;
	const char *port;
};

static int split_bracketed(const char *text, struct hostport *ret_parts)
{
	const char *end = strchr(text, ']');
	if (!end || (end[1] != '\0' && end[1] != ':'))
		return -EINVAL;
	*ret_parts = (struct hostport){
		.host = text + 1,
		.host_len = (size_t)(end - text) - 1,
		.port = end[1] == ':' ? end + 2 : NULL,
	};
	return 0;
}

/* Two colons outside brackets can only be a bare IPv6 address. */
static int split_hostport(const char *text, struct hostport *ret_parts)
{
	if (text[0] == '[')
		return split_bracketed(text, ret_parts);
	const char *colon = strchr(text, ':');
	if (colon && strchr(colon + 1, ':'))
		colon = NULL;
	*ret_parts = (struct hostport){
		.host = text,
		.host_len = colon ? (size_t)(colon - text) : strlen(text),
		.port = colon ? colon + 1 : NULL,
	};
	return 0;
}

int weft_hostport_parse(const char *text, uint16_t default_port, char *ret_host,
			size_t host_len, uint16_t *ret_port)
{
	struct hostport parts;
	uint64_t port = default_port;
	if (split_hostport(text, &parts) < 0 || parts.host_len == 0 ||
	    parts.host_len >= host_len)
		return -EINVAL;
	if (parts.port && parse_u64(parts.port, 1, UINT16_MAX, &port) < 0)
		return -EINVAL;
	memcpy(ret_host, parts.host, parts.host_len);
	ret_host[parts.host_len] = '\0';
	*ret_port = (uint16_t)port;
	return 0;
}

/* Fills addr from an IP literal, which may end with %scope. Returns 0 or -EINVAL. */
static int literal_parse(char *host, uint16_t port, union weft_sockaddr *ret_addr)
{
	union weft_sockaddr addr = { .in = { .sin_family = AF_INET } };
	if (inet_pton(AF_INET, host, &addr.in.sin_addr) == 1) {
		addr.in.sin_port = htons(port);
		*ret_addr = addr;
		return 0;
	}
	uint64_t scope = 0;
	char *percent = strchr(host, '%');
	if (percent) {
		*percent = '\0';
		if (parse_u64(percent + 1, 1, UINT32_MAX, &scope) < 0)
			return -EINVAL;
	}
	addr = (union weft_sockaddr){ .in6 = { .sin6_family = AF_INET6 } };
	if (inet_pton(AF_INET6, host, &addr.in6.sin6_addr) != 1)
		return -EINVAL;
	addr.in6.sin6_scope_id = (uint32_t)scope;
	addr.in6.sin6_port = htons(port);
	*ret_addr = addr;
	return 0;
}

int weft_listen_parse(const char *text, union weft_sockaddr *ret_addr)
{
	char copy[HOST_TEXT + 16], host[HOST_TEXT] = "::";
	size_t len = strcspn(text, "/");
	if (text[len] == '/' && strcasecmp(text + len, "/udp") != 0)
		return -EINVAL;
	if (copy_text(copy, sizeof(copy), text, len) < 0)
		return -EINVAL;
	uint64_t number;
	uint16_t port;
	if (parse_u64(copy, 1, UINT16_MAX, &number) == 0)
		port = (uint16_t)number;
	else if (weft_hostport_parse(copy, 0, host, sizeof(host), &port) < 0 || port == 0)
		return -EINVAL;
	return literal_parse(host, port, ret_addr);
}
