/* SPDX-License-Identifier: MIT */
/*
 * What a tunnel's server tells a client of its interface: the header x-tun-conf in the
 * response to GET, bytes in base64 (RFC 4648, 4, with padding).
 *
 *     | mtu (u16 LE) | prefix | IPv4 |                                   7 bytes
 *     | mtu (u16 LE) | prefix | n | n * IPv4 | m | m * (IPv4, prefix) |  5 + 4n + 5m
 *
 * The first is tapotun's, and what weft writes. The second, with several addresses and routes
 * to be pushed, is that of its later versions: it is understood, never written. No n and m
 * make it 7 bytes long, so the length tells which it is.
 *
 *     eAUYCjIAAg==     mtu 1400, 10.50.0.2/24
 */
#ifndef WIRE_TUNNEL_CONF_H
#define WIRE_TUNNEL_CONF_H

#include <weft/addr.h>
#include <weft/frame.h>

#include <stddef.h>
#include <stdint.h>

#define TUNNEL_CONF_TEXT    13u  /**< The short form and its NUL. */
#define TUNNEL_CONF_IPS_MAX 255u /**< As many as a byte can count. */
#define TUNNEL_CONF_MTU_MIN 68u  /**< RFC 791. */

struct tunnel_conf {
	uint16_t mtu; /**< At least TUNNEL_CONF_MTU_MIN. */
	uint8_t ips_n, routes_n;
	struct weft_ip ips[TUNNEL_CONF_IPS_MAX]; /**< IPv4 with the prefix of the net. */
	struct weft_ip routes[TUNNEL_CONF_IPS_MAX]; /**< Host bits as they came. */
};

/**
 * Reads either form. Returns 0, or -EBADMSG: no base64, neither length, no address, a prefix
 * over 32 or an MTU below TUNNEL_CONF_MTU_MIN.
 */
int tunnel_conf_parse(const char *text, struct tunnel_conf *ret_conf) WEFT_MUST_CHECK;

/**
 * Writes the short form. Returns 0, or -EINVAL when ip is no IPv4 address or the MTU too
 * small.
 */
int tunnel_conf_print(uint16_t mtu, const struct weft_ip *ip,
		      char ret_text[TUNNEL_CONF_TEXT]) WEFT_MUST_CHECK;

#endif
