/* SPDX-License-Identifier: MIT */
/*
 * A server's interface: HTTP on a port, any path, one duplex for each configured client.
 *
 *     TUN --- router --- duplex of client 1 === GET ===> client 1
 *                  |                        <=== PUT ===
 *                  '---- duplex of client 2 ...
 *
 *     x-api-key     the raw token; its hash says which client it is. None or another: 403
 *     PUT           the client's packets; each other method gets the client's outbox
 *     a second GET  takes over, the first gets its end of stream
 *
 * Who comes through a proxy on this machine is told apart by the last address of
 * X-Forwarded-For, so that one with wrong tokens does not silence the others.
 */
#ifndef TUNNEL_SERVER_H
#define TUNNEL_SERVER_H

#include "tunnel/netif.h"

#include <jansson.h>

struct server;

/** Makes the device and listens. Returns 0 or -Exxx with err. */
int server_new(const struct environment *env, const struct weft_tunnel_interface *conf,
	       struct weft_error *err, struct server **ret_server) WEFT_MUST_CHECK;

/** Begins to end, as weft_tunnels_end. */
bool server_end(struct server *s);

/** NULL is allowed. */
void server_free(struct server *s);

/**
 * First of two steps to another configuration: does all that can fail, and nothing that a client
 * notices. Returns 0, or -Exxx with err and all as before.
 */
int server_prepare(struct server *s, const struct weft_tunnel_interface *conf,
		   struct weft_error *err) WEFT_MUST_CHECK;

/** The second: either it becomes what was prepared, */
void server_commit(struct server *s);

/** or it stays as it was. */
void server_cancel(struct server *s);

struct netif *server_interface(struct server *s);

void server_count(const struct server *s, struct weft_tunnels_stats *stats);
json_t *server_json(const struct server *s, uint64_t now);

#endif
