/* SPDX-License-Identifier: MIT */
/*
 * Signals arrive as calls from the loop and never interrupt anything. A watcher lives as
 * long as its loop.
 */
#include "io/loop.h"

#include <errno.h>
#include <stdlib.h>

struct loop_signal {
	struct list node;
	struct weft_loop *loop;
	uv_signal_t handle;
	void (*fn)(void *user, int signo);
	void *user;
};

static void on_signal(uv_signal_t *handle, int signo)
{
	struct loop_signal *s = handle->data;
	loop_refresh(s->loop);
	s->fn(s->user, signo);
}

static void free_signal(uv_handle_t *handle)
{
	free(handle->data);
}

static void close_signal(struct loop_signal *s)
{
	list_remove(&s->node);
	uv_close((uv_handle_t *)&s->handle, free_signal);
}

int weft_loop_on_signal(struct weft_loop *loop, int signo,
			void (*fn)(void *user, int signo), void *user)
{
	struct loop_signal *s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->loop = loop;
	s->fn = fn;
	s->user = user;
	s->handle.data = s;
	int r = uv_signal_init(&loop->uv, &s->handle);
	if (r < 0) {
		free(s);
		return r;
	}
	list_push_back(&loop->signals, &s->node);
	r = uv_signal_start(&s->handle, on_signal, signo);
	if (r < 0)
		close_signal(s);
	return r;
}

void loop_signals_close(struct weft_loop *loop)
{
	list_for_each (node, &loop->signals)
		close_signal(container_of(node, struct loop_signal, node));
}
