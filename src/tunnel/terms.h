/* SPDX-License-Identifier: MIT */
/*
 * What a server's configuration says of a client's interface, as the client is told it.
 */
#ifndef TUNNEL_TERMS_H
#define TUNNEL_TERMS_H

#include "tunnel/hello.h"
#include "wire/tunnel_conf.h"

#include <weft/tunnel.h>

/**
 * Collects what a client is told: its addresses with the prefix of the tunnel's network that
 * they lie in, and the routes that are pushed to it, but for those that lead to itself.
 */
void terms_of(const struct weft_tunnel_interface *server,
	      const struct weft_tunnel_client *client, unsigned lanes,
	      struct hello_conf *ret_conf);

/** Whether a client is told the same. */
bool terms_are_same(const struct hello_conf *a, const struct hello_conf *b);

/**
 * What a peer of the original is told, as x-tun-conf. Returns 0, or -ENOENT for a client without
 * an IPv4 address, which such a peer cannot be.
 */
int terms_print(const struct weft_tunnel_interface *server,
		const struct weft_tunnel_client *client,
		char ret_text[TUNNEL_CONF_TEXT]) WEFT_MUST_CHECK;

#endif
