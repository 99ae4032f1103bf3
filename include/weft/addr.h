/* SPDX-License-Identifier: MIT */
/*
 * Addresses as values: MAC, IPv4 and IPv6 with a prefix length, and socket addresses. Each
 * parses from text and prints to text; parse(print(x)) gives x back. Nothing here blocks or
 * allocates.
 *
 *     struct weft_ip ip;
 *     char text[WEFT_IP_TEXT];
 *     if (weft_ip_parse("192.0.2.1/24", &ip) == 0)
 *             puts(weft_ip_print(&ip, text));
 */
#ifndef WEFT_ADDR_H
#define WEFT_ADDR_H

#include <weft/frame.h>

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A 48-bit Ethernet address in wire order. */
struct weft_mac {
	uint8_t octet[6];
};

#define WEFT_MAC_TEXT      18 /**< "02:00:00:00:00:01" and its NUL. */
#define WEFT_IP_TEXT       50 /**< An IPv6 address, "/128" and its NUL. */
#define WEFT_SOCKADDR_TEXT 64 /**< "[IPv6%scope]:port" and its NUL. */

/** Parses six hex octets divided by ':' or '-'. Returns 0 or -EINVAL. */
WEFT_API WEFT_MUST_CHECK int weft_mac_parse(const char *text, struct weft_mac *ret_mac);

/** Prints as 02:00:00:00:00:01 into buf and returns buf. */
WEFT_API const char *weft_mac_print(struct weft_mac mac, char buf[WEFT_MAC_TEXT]);

/** Whether no octet is set, which stands for no address. */
WEFT_API bool weft_mac_is_zero(struct weft_mac mac);

/** An IPv4 or IPv6 address with a prefix length in bits. */
struct weft_ip {
	uint8_t family;    /**< AF_INET or AF_INET6; 0 for none. */
	uint8_t prefix;    /**< 0..32 or 0..128; the full length for a plain address. */
	uint8_t octet[16]; /**< Wire order; the first 4 for IPv4. */
};

/**
 * Parses "192.0.2.1", "192.0.2.0/24", "2001:db8::1" or "2001:db8::/32".
 * Returns 0 or -EINVAL.
 */
WEFT_API WEFT_MUST_CHECK int weft_ip_parse(const char *text, struct weft_ip *ret_ip);

/** Prints the address, with /prefix unless the prefix is the full length. Returns buf. */
WEFT_API const char *weft_ip_print(const struct weft_ip *ip, char buf[WEFT_IP_TEXT]);

/** An IPv4 or IPv6 socket address. */
union weft_sockaddr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/** Length in bytes of the member that is in use; 0 when the family is neither. */
WEFT_API socklen_t weft_sockaddr_len(const union weft_sockaddr *addr);

/** The port in host order; 0 when the family is neither. */
WEFT_API uint16_t weft_sockaddr_port(const union weft_sockaddr *addr);

/** Same family, address, port and scope. */
WEFT_API bool weft_sockaddr_equal(const union weft_sockaddr *a,
				  const union weft_sockaddr *b);

/** Prints "192.0.2.1:443" or "[2001:db8::1]:443" and returns buf. */
WEFT_API const char *weft_sockaddr_print(const union weft_sockaddr *addr,
					 char buf[WEFT_SOCKADDR_TEXT]);

/**
 * Splits "host", "host:port", "1.2.3.4:port", "[v6]:port" or a bare IPv6 literal.
 * default_port is used where the text names none. Nothing is resolved.
 * Returns 0, or -EINVAL when the port is not 1..65535, the host empty or longer than host_len.
 */
WEFT_API WEFT_MUST_CHECK int weft_hostport_parse(const char *text, uint16_t default_port,
						 char *ret_host, size_t host_len,
						 uint16_t *ret_port);

/**
 * Parses where to listen: "443", "443/udp", "192.0.2.1:443", "[::1]:443/udp".
 * A bare port means every address of both families ([::], which also takes IPv4).
 * Returns 0 or -EINVAL.
 */
WEFT_API WEFT_MUST_CHECK int weft_listen_parse(const char *text,
					       union weft_sockaddr *ret_addr);

#ifdef __cplusplus
}
#endif
#endif
