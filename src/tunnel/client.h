/* SPDX-License-Identifier: MIT */
/*
 * A client's interface: two requests to one URL, made again and again.
 *
 *     TUN --- duplex === PUT ===> server
 *                    <=== GET ====        x-tun-conf: MTU and address of the TUN
 *
 *     a stream ends regularly     at once again
 *     it fails, or is lost        again after 3 to 10 s, by chance
 *     60 s without a byte         the server sends a ping each 55 s, so it is lost: broken off
 */
#ifndef TUNNEL_CLIENT_H
#define TUNNEL_CLIENT_H

#include "tunnel/netif.h"

#include <jansson.h>

struct client;

/** Makes the device and begins to connect. Returns 0 or -Exxx with err. */
int client_new(const struct environment *env, const struct weft_tunnel_interface *conf,
	       struct weft_error *err, struct client **ret_client) WEFT_MUST_CHECK;

/** NULL is allowed. */
void client_free(struct client *c);

/** As server_prepare, server_commit and server_cancel. */
int client_prepare(struct client *c, const struct weft_tunnel_interface *conf,
		   struct weft_error *err) WEFT_MUST_CHECK;
void client_commit(struct client *c, uint64_t now);
void client_cancel(struct client *c);

/** Begins to end, as weft_tunnels_end. */
bool client_end(struct client *c);

struct netif *client_interface(struct client *c);

void client_count(const struct client *c, struct weft_tunnels_stats *stats);
json_t *client_json(const struct client *c, uint64_t now);

#endif
