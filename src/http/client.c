/* SPDX-License-Identifier: MIT */
/*
 * The client: its requests, one curl for all of them, and the task that serves both. What a run
 * does first is what has been wanted of requests since the last one.
 */
#include "base/container.h"
#include "http/transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- requests that want something -------------------------------------------------------- */

static void client_let_go(struct http_client *c)
{
	struct due *due;
	while ((due = due_take(&c->held, c->now)))
		transfer_mark(container_of(due, struct transfer, hold));
	while ((due = due_take(&c->paused, c->now)))
		transfer_mark(container_of(due, struct transfer, pause));
}

/* What is marked while this runs is for the next run. */
static void client_do_marked(struct http_client *c)
{
	struct list now;
	struct list *node;
	list_init(&now);
	while ((node = list_pop_front(&c->marked)))
		list_push_back(&now, node);
	while ((node = list_pop_front(&now)))
		transfer_act(container_of(node, struct transfer, mark));
}

static void client_reap(struct http_client *c)
{
	CURL *easy;
	CURLcode result;
	while ((easy = multi_next_done(c->multi, &result))) {
		struct transfer *t = NULL;
		(void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &t);
		transfer_done(t, result);
	}
}

/* ---- the task ---------------------------------------------------------------------------- */

static void client_run(struct weft_task *task, uint64_t now)
{
	struct http_client *c = container_of(task, struct http_client, task);
	c->now = now;
	client_let_go(c);
	client_do_marked(c);
	multi_run(c->multi, now);
	client_reap(c);
	c->deadline = multi_deadline(c->multi, now);
	multi_watch(c->multi);
}

static uint64_t client_deadline(const struct weft_task *task)
{
	const struct http_client *c = container_of_const(task, struct http_client, task);
	const uint64_t held = due_deadline(&c->held), paused = due_deadline(&c->paused);
	const uint64_t earliest = held < paused ? held : paused;
	if (!list_is_empty(&c->marked))
		return 0;
	return earliest < c->deadline ? earliest : c->deadline;
}

struct weft_task *http_client_task(struct http_client *client)
{
	return &client->task;
}

/* ---- made and freed ---------------------------------------------------------------------- */

/* All but the streams. */
static void client_dispose(struct http_client *c)
{
	multi_free(c->multi);
	free(c->scratch);
	setup_free(c->setup);
	free(c);
}

int http_client_new(const struct http_client_opts *opts, struct weft_error *err,
		    struct http_client **ret_client)
{
	struct http_client *c = calloc(1, sizeof(*c));
	if (!c)
		return weft_error_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	list_init(&c->streams);
	list_init(&c->marked);
	list_init(&c->held);
	list_init(&c->paused);
	c->deadline = WEFT_NEVER;
	int r = setup_new(opts, err, &c->setup);
	if (r < 0)
		goto fail;
	r = multi_new(transfer_on_wait, &c->multi);
	if (r < 0) {
		r = weft_error_set(err, r, "HTTP cannot be set up: %s", strerror(-r));
		goto fail;
	}
	c->task = (struct weft_task){ .fd = multi_fd(c->multi),
				      .events = WEFT_READABLE,
				      .run = client_run,
				      .deadline = client_deadline };
	*ret_client = c;
	return 0;
fail:
	client_dispose(c);
	return r;
}

void http_client_free(struct http_client *client)
{
	if (!client)
		return;
	client->is_ending = true;
	list_for_each (node, &client->streams)
		http_stream_abort(&container_of(node, struct transfer, node)->stream);
	client_do_marked(client);
	client_dispose(client);
}

/* ---- while it runs ----------------------------------------------------------------------- */

void http_client_set_congestion(struct http_client *client, const char *congestion)
{
	setup_set_congestion(client->setup, congestion);
	list_for_each (node, &client->streams)
		transfer_change_congestion(container_of(node, struct transfer, node));
}

/* ---- opening ----------------------------------------------------------------------------- */

int http_client_open(struct http_client *client,
		     const struct http_client_request *request,
		     struct http_stream **ret_stream)
{
	struct transfer *transfer;
	if (client->is_ending)
		return -ESHUTDOWN;
	int r = transfer_new(client, request, &transfer);
	if (r == 0)
		*ret_stream = &transfer->stream;
	return r;
}
