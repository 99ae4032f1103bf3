/* SPDX-License-Identifier: MIT */
/*
 * One client of a server: its duplex, its place in the plane, and the requests that it makes.
 *
 *     GET  lane n  the duplex's tx stream of that lane, from now on
 *     PUT  lane n  the duplex's rx stream of that lane, from now on
 *
 * Who says nothing of lanes (tunnel/hello.h) has lane 0 of one, as the original has. A request
 * of another session than the one before takes over from all its lanes.
 *
 * A peer is there as long as the configuration has it, connected or not, and until the last of
 * its requests has come to its end.
 */
#ifndef TUNNEL_PEER_H
#define TUNNEL_PEER_H

#include "base/list.h"
#include "http/http.h"
#include "tunnel/duplex.h"
#include "tunnel/hello.h"
#include "tunnel/netif.h"
#include "tunnel/plane.h"
#include "wire/tunnel_conf.h"

#include <jansson.h>

struct peer {
	struct list parted; /**< On the server's list, once it is no client any more. */
	struct duplex duplex;
	const struct netif *netif;
	const struct weft_tunnel_client *conf; /**< NULL once it has parted. */
	struct plane_port *port;
	unsigned requests; /**< Whose end is still to come. */
	uint64_t session;  /**< 0 for those that say none. */
	bool is_extended;  /**< It is weft, and told so. */
	bool is_ending;    /**< Nobody is told of it any more. */
	bool has_left;     /**< Its uploads have come to their regular end. */
	uint64_t since;    /**< When its GET came. */
	uint64_t connects;
	char from[WEFT_IP_TEXT];
};

/** What an answer is made of; it must live until the next one is made. */
struct peer_texts {
	char tun_conf[TUNNEL_CONF_TEXT];
	char weft_conf[HELLO_CONF_TEXT];
	struct hello_conf conf, before;
};

/** A request of this client. */
struct peer_request {
	struct http_stream *stream;
	bool is_put;
	const struct hello *hello; /**< NULL: said nothing of itself. */
	struct weft_ip from;
};

/**
 * Makes a client's peer and adds it to the plane; plane_join gives it its networks. Returns 0 or
 * -Exxx with err.
 */
int peer_new(const struct netif *netif, struct plane *plane,
	     const struct weft_tunnel_client *conf, struct weft_error *err,
	     struct peer **ret_peer) WEFT_MUST_CHECK;

/** Frees one without requests. NULL is allowed. */
void peer_free(struct peer *peer);

/** Makes a request one of the peer's streams, or refuses it. */
void peer_accept(struct peer *peer, const struct peer_request *request,
		 struct peer_texts *texts, struct http_answer *ret_answer, uint64_t now);

/**
 * Gives it another entry of another configuration of the server, which netif and plane have
 * already. before is the former one. Tells the client what is different for it; ends its streams
 * where its token is another one.
 */
void peer_apply(struct peer *peer, const struct weft_tunnel_client *conf,
		const struct weft_tunnel_interface *before, struct peer_texts *texts);

/** It is no client any more: takes its place away and breaks off its streams. */
void peer_part(struct peer *peer);

/** Has its GETs come to a regular end once nothing waits. Returns whether they have. */
bool peer_end(struct peer *peer);

/** To be called each second or so. */
void peer_tick(struct peer *peer, uint64_t now);

json_t *peer_json(const struct peer *peer, uint64_t now);

#endif
