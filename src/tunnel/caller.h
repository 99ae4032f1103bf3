/* SPDX-License-Identifier: MIT */
/*
 * Who calls a client's server: what each request says of the client, the way that it takes
 * there, and what the answer says. Fixed by the configuration; another one needs another caller.
 */
#ifndef TUNNEL_CALLER_H
#define TUNNEL_CALLER_H

#include "http/http.h"
#include "tunnel/hello.h"

#include <weft/tunnel.h>

struct caller;

/** Makes one, in the loop; nothing is requested yet. Returns 0, or -Exxx with err. */
int caller_new(struct weft_loop *loop, const struct weft_tunnel_interface *conf,
	       struct weft_error *err, struct caller **ret_caller) WEFT_MUST_CHECK;

/** Closes each request that is left. NULL is allowed. */
void caller_free(struct caller *caller);

/** Whether one for this configuration would be another one than for that. */
bool caller_is_other(const struct weft_tunnel_interface *a,
		     const struct weft_tunnel_interface *b);

/** Whether caller_move can be: returns 0, or -Exxx with err. */
int caller_check(const struct weft_tunnel_interface *conf,
		 struct weft_error *err) WEFT_MUST_CHECK;

/** Puts one for which it would be no other in place of the configuration. Requests go on. */
void caller_move(struct caller *caller, const struct weft_tunnel_interface *conf);

/** The URL, without a password that it may hold. */
const char *caller_name(const struct caller *caller);

/** How many streams each way are wanted. */
unsigned caller_streams(const struct caller *caller);

struct caller_request {
	bool is_put;
	const struct hello *hello; /**< Left out for peers that are the original. */
	const struct http_stream_events *events;
	void *user;
};

/** Begins a request. Returns as http_client_open. */
int caller_open(struct caller *caller, const struct caller_request *request,
		struct http_stream **ret_stream) WEFT_MUST_CHECK;

enum caller_peer {
	CALLER_ORIGINAL, /**< The server is the original, or acts as it. */
	CALLER_WEFT,     /**< It is weft. */
};

/**
 * What an accepted GET's response says of the interface. Returns who the server is, or -EBADMSG
 * with err.
 */
int caller_answer(const struct caller *caller, const struct http_stream *stream,
		  struct hello_conf *ret_conf, struct weft_error *err) WEFT_MUST_CHECK;

#endif
