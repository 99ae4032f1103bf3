/* SPDX-License-Identifier: MIT */
/*
 * Where a server listens: the address and port of its configuration, plain or with TLS of its
 * own.
 */
#ifndef TUNNEL_LISTENING_H
#define TUNNEL_LISTENING_H

#include "http/http.h"

#include <weft/tunnel.h>

/** Who gets requests, as in http_server_opts. */
struct listening_user {
	void (*request)(void *user, struct http_stream *stream,
			const struct http_request *request,
			struct http_answer *ret_answer, uint64_t now);
	void *user;
};

/** Listens, in the loop. Returns 0, or -Exxx with err, which names the interface. */
int listening_new(struct weft_loop *loop, const struct weft_tunnel_interface *conf,
		  const struct listening_user *user, struct weft_error *err,
		  struct http_server **ret_http) WEFT_MUST_CHECK;

/** Closes each stream that is left. NULL is allowed. */
void listening_free(struct weft_loop *loop, struct http_server *http);

#endif
