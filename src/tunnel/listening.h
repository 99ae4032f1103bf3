/* SPDX-License-Identifier: MIT */
/*
 * Where a server listens: the address and port of its configuration, plain or with TLS of its
 * own. Another configuration finds what can stay:
 *
 *     another certificate, congestion control    the HTTP server goes on, with other terms
 *     room for more connections                  another one takes the socket over; the old one
 *                                                keeps its connections until they have ended
 *     another address, TLS or none               another one; the old one ends its connections
 */
#ifndef TUNNEL_LISTENING_H
#define TUNNEL_LISTENING_H

#include "http/http.h"
#include "io/listener.h"
#include "tunnel/netif.h"

/** Who gets requests, as in http_server_opts. */
struct listening_user {
	void (*request)(void *user, struct http_stream *stream,
			const struct http_request *request,
			struct http_answer *ret_answer, uint64_t now);
	void *user;
};

struct listening;

/** Listens, in the loop. Returns 0, or -Exxx with err, which names the interface. */
int listening_new(const struct environment *env, const struct weft_tunnel_interface *conf,
		  const struct listening_user *user, struct weft_error *err,
		  struct listening **ret_listening) WEFT_MUST_CHECK;

/** Closes each stream that is left. NULL is allowed. */
void listening_free(struct listening *l);

/**
 * Keeps the socket of what listens for conf, for what will listen there after it: to be given to
 * listener_close, and not to be moved before. Returns 0 or -Exxx with err.
 */
int listening_hold(const struct environment *env,
		   const struct weft_tunnel_interface *conf, struct weft_error *err,
		   struct listener *ret_held) WEFT_MUST_CHECK;

/**
 * First of two steps to another configuration: all that can fail. Returns 0, or -Exxx with err and
 * all as before.
 */
int listening_prepare(struct listening *l, const struct weft_tunnel_interface *conf,
		      struct weft_error *err) WEFT_MUST_CHECK;

/** The second: either it becomes what was prepared, */
void listening_commit(struct listening *l);

/** or it stays as it was. Harmless where nothing was prepared. */
void listening_cancel(struct listening *l);

/** Lets go who has no connection left; each second or so. */
void listening_tick(struct listening *l);

/** Reads the certificate again. Returns 0, or -Exxx with err and keeps the old one. */
int listening_renew_certificate(struct listening *l,
				struct weft_error *err) WEFT_MUST_CHECK;

#endif
