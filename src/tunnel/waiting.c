/* SPDX-License-Identifier: MIT */
/*
 * A request that is lost while it waits says so itself; so the room is empty once the server that
 * they came to has gone.
 */
#include "tunnel/waiting.h"

#include "base/container.h"

#include <errno.h>
#include <stdlib.h>

struct waiting {
	struct list node;
	struct waiting_room *room;
	struct http_stream *stream;
};

static void waiting_free(struct waiting *w)
{
	list_remove(&w->node);
	w->room->n--;
	free(w);
}

static void on_closed(void *user, struct http_stream *stream, enum http_end end,
		      const struct weft_error *err, uint64_t now)
{
	(void)stream;
	(void)end;
	(void)err;
	(void)now;
	waiting_free(user);
}

void waiting_init(struct waiting_room *room)
{
	list_init(&room->requests);
	room->n = 0;
}

int waiting_add(struct waiting_room *room, struct http_stream *stream,
		struct http_answer *ret_answer)
{
	static const struct http_stream_events events = { .closed = on_closed };
	if (room->n == WAITING_MAX)
		return -EBUSY;
	struct waiting *w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->room = room;
	w->stream = stream;
	list_push_back(&room->requests, &w->node);
	room->n++;
	*ret_answer =
		(struct http_answer){ .is_later = true, .events = &events, .user = w };
	return 0;
}

void waiting_drop(struct waiting_room *room, const struct http_stream *stream)
{
	list_for_each (node, &room->requests) {
		struct waiting *w = container_of(node, struct waiting, node);
		if (w->stream == stream)
			waiting_free(w);
	}
}

void waiting_ask(const struct waiting_room *room)
{
	list_for_each (node, &room->requests)
		http_stream_ask(container_of(node, struct waiting, node)->stream);
}
