/* SPDX-License-Identifier: MIT */
/*
 * Requests of whom nobody knows yet whether they may come in: their tokens are being tried
 * (tunnel/gate.h). When one has been, all are asked about again.
 */
#ifndef TUNNEL_WAITING_H
#define TUNNEL_WAITING_H

#include "base/list.h"
#include "http/http.h"

/** Most requests that wait at a time. */
#define WAITING_MAX 64u

struct waiting_room {
	struct list requests;
	unsigned n;
};

void waiting_init(struct waiting_room *room);

/** Has a request wait. Returns 0 and its answer for now, -EBUSY, or -ENOMEM. */
int waiting_add(struct waiting_room *room, struct http_stream *stream,
		struct http_answer *ret_answer) WEFT_MUST_CHECK;

/** A request that may have waited has come again. */
void waiting_drop(struct waiting_room *room, const struct http_stream *stream);

/** Has each come again. */
void waiting_ask(const struct waiting_room *room);

#endif
