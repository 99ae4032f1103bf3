/* SPDX-License-Identifier: MIT */
/*
 * With one client and one uplink the bridge costs a comparison of twelve bytes per frame,
 * and nothing of the server stands between the links: the plug's link itself is the port
 * (but see serve/face.h).
 */
#include "serve/serve.h"

#include "base/container.h"
#include "link/link.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- clients ----------------------------------------------------------------------------- */

static struct serve_client *client_of(const struct weft_serve *serve,
				      const struct weft_link *link)
{
	list_for_each (node, &serve->clients) {
		struct serve_client *client =
			container_of(node, struct serve_client, node);
		if (client->link == link)
			return client;
	}
	return NULL;
}

static void client_free(struct serve_client *client)
{
	struct weft_serve *serve = client->serve;
	if (client->port)
		weft_bridge_remove(serve->bridge, client->port);
	face_fini(client);
	list_remove(&client->node);
	free(client);
}

static int client_attach(struct serve_client *client)
{
	const struct weft_serve_opts *opts = &client->serve->opts;
	const struct weft_bridge_port_opts port = {
		.fdb_max = opts->client_fdb_max ? opts->client_fdb_max
						: SERVE_CLIENT_FDB_DEFAULT,
		.isolated = opts->isolated,
	};
	int r = face_init(client);
	if (r < 0)
		return r;
	return weft_bridge_add(client->serve->bridge, client->face.link, &port,
			       &client->port);
}

static int client_new(const struct serve_plug *from, struct weft_link *link,
		      const char *peer, struct serve_client **ret_client)
{
	struct serve_client *client = calloc(1, sizeof(*client));
	if (!client)
		return -ENOMEM;
	list_init(&client->node);
	client->serve = from->serve;
	client->link = link;
	(void)snprintf(client->peer, sizeof(client->peer), "%s", peer);
	client->facts = (struct weft_serve_client){ .peer = client->peer,
						    .plug = from->plug,
						    .link = link };
	int r = client_attach(client);
	if (r < 0) {
		client_free(client);
		return r;
	}
	*ret_client = client;
	return 0;
}

static void on_plugged(void *user, struct weft_link *link, const char *peer, uint64_t now)
{
	const struct serve_plug *from = user;
	struct weft_serve *serve = from->serve;
	struct serve_client *client;
	int r = client_new(from, link, peer, &client);
	if (r < 0) {
		weft_plug_drop(from->plug, link,
			       r == -ENOSPC ? "no address is left for one more modem"
					    : strerror(-r));
		return;
	}
	list_push_back(&serve->clients, &client->node);
	serve->clients_n++;
	client->facts.id = (uint32_t)++serve->plugged_n;
	if (serve->opts.events->plugged)
		serve->opts.events->plugged(serve->opts.user, &client->facts, now);
}

static void on_unplugged(void *user, struct weft_link *link, uint64_t now)
{
	const struct serve_plug *from = user;
	struct weft_serve *serve = from->serve;
	struct serve_client *client = client_of(serve, link);
	if (!client)
		return;
	serve->clients_n--;
	serve_count(&serve->gone, client);
	weft_bridge_remove(serve->bridge, client->port);
	client->port = NULL;
	if (serve->opts.events->unplugged)
		serve->opts.events->unplugged(serve->opts.user, &client->facts,
					      weft_link_down_reason(link), now);
	client_free(client);
}

static void on_trouble(void *user, const char *text, uint64_t now)
{
	const struct serve_plug *from = user;
	const struct weft_serve_opts *opts = &from->serve->opts;
	if (opts->events->trouble)
		opts->events->trouble(opts->user, text, now);
}

/* ---- plugs ------------------------------------------------------------------------------- */

static const struct weft_plug_events plug_events = {
	.plugged = on_plugged,
	.unplugged = on_unplugged,
	.trouble = on_trouble,
};

int weft_serve_plug(struct weft_serve *serve, const char *spec, struct weft_error *err)
{
	if (serve->plugs_n == SERVE_PLUGS_MAX)
		return weft_error_set(err, -ENOSPC, "%s: a server has at most %u plugs",
				      spec, SERVE_PLUGS_MAX);
	struct serve_plug *from = &serve->plugs[serve->plugs_n];
	const struct weft_plug_opts opts = { .spec = spec,
					     .events = &plug_events,
					     .user = from,
					     .links_max = serve->opts.clients_max };
	from->serve = serve;
	int r = weft_plug_new(&opts, serve->loop, err, &from->plug);
	return r < 0 ? r : (int)++serve->plugs_n;
}

const struct weft_plug *weft_serve_plug_at(const struct weft_serve *serve, size_t index)
{
	return index < serve->plugs_n ? serve->plugs[index].plug : NULL;
}

void weft_serve_close(struct weft_serve *serve)
{
	serve->is_closing = true;
}

static void close_plugs(struct weft_serve *serve)
{
	for (size_t i = 0; i < serve->plugs_n; i++)
		weft_plug_close(serve->plugs[i].plug);
	serve->is_closing = false;
}

bool weft_serve_is_over(const struct weft_serve *serve)
{
	for (size_t i = 0; i < serve->plugs_n; i++)
		if (!weft_plug_is_over(serve->plugs[i].plug))
			return false;
	return true;
}

/* ---- the uplink -------------------------------------------------------------------------- */

static void on_uplink_down(void *user, struct weft_link *link)
{
	struct weft_serve *serve = user;
	(void)link;
	serve->has_uplink_ended = true;
}

/* A wrapper ends with the link inside of it. */
static void watch_uplink(struct weft_serve *serve, struct weft_link *link)
{
	for (; link; link = link->inner) {
		link->on_down = on_uplink_down;
		link->on_down_user = serve;
	}
}

void weft_serve_drop_uplink(struct weft_serve *serve)
{
	if (!serve->uplink)
		return;
	weft_loop_remove(serve->loop, weft_link_task(serve->uplink));
	weft_bridge_remove(serve->bridge, serve->uplink_port);
	weft_link_free(serve->uplink);
	serve->uplink = NULL;
	serve->uplink_port = NULL;
	serve->has_uplink_ended = false;
}

static int fail_uplink(struct weft_error *err, int r, const struct weft_link *link)
{
	if (r == -EINVAL)
		return weft_error_set(err, r,
				      "%s carries bare IP packets; clients need an "
				      "Ethernet link, such as tap:%s",
				      weft_link_name(link), weft_link_name(link));
	return weft_error_set(err, r, "%s cannot be the uplink: %s", weft_link_name(link),
			      strerror(-r));
}

/*
 * The uplink's own address is this machine's: a client that sent from it would draw to itself
 * what others send to the machine. Without memory the bridge just learns, as of everybody.
 */
static void bind_uplink(struct weft_serve *serve)
{
	struct weft_mac mac;
	if (!weft_link_mac(serve->uplink, &mac))
		return;
	(void)!weft_bridge_bind(serve->bridge, mac, serve->uplink_port);
}

int weft_serve_set_uplink(struct weft_serve *serve, struct weft_link *link,
			  struct weft_error *err)
{
	struct weft_bridge_port *port = NULL;
	int r = weft_bridge_add(serve->bridge, link, NULL, &port);
	if (r < 0)
		return fail_uplink(err, r, link);
	r = weft_loop_add(serve->loop, weft_link_task(link));
	if (r < 0) {
		weft_bridge_remove(serve->bridge, port);
		return fail_uplink(err, r, link);
	}
	weft_serve_drop_uplink(serve);
	serve->uplink = link;
	serve->uplink_port = port;
	bind_uplink(serve);
	watch_uplink(serve, link);
	serve->has_uplink_ended = weft_link_is_down(link);
	return 0;
}

struct weft_link *weft_serve_uplink(const struct weft_serve *serve)
{
	return serve->uplink;
}

/* ---- the task ---------------------------------------------------------------------------- */

/* The texts are copied, because the user may set another uplink when told. */
static void end_uplink(struct weft_serve *serve, uint64_t now)
{
	const struct weft_serve_opts *opts = &serve->opts;
	char name[32], reason[200];
	(void)snprintf(name, sizeof(name), "%s", weft_link_name(serve->uplink));
	(void)snprintf(reason, sizeof(reason), "%s",
		       weft_link_down_reason(serve->uplink));
	weft_serve_drop_uplink(serve);
	if (opts->events->uplink_ended)
		opts->events->uplink_ended(opts->user, name, reason, now);
}

static void task_run(struct weft_task *task, uint64_t now)
{
	struct weft_serve *serve = container_of(task, struct weft_serve, task);
	if (serve->is_closing)
		close_plugs(serve);
	if (serve->has_uplink_ended)
		end_uplink(serve, now);
}

static uint64_t task_deadline(const struct weft_task *task)
{
	const struct weft_serve *serve =
		container_of_const(task, struct weft_serve, task);
	return serve->has_uplink_ended || serve->is_closing ? 0 : WEFT_NEVER;
}

/* ---- beginning and end ------------------------------------------------------------------- */

static int make_bridge(struct weft_serve *serve, const struct weft_serve_opts *opts)
{
	const struct weft_bridge_opts bridge = { .fdb_max = opts->fdb_max,
						 .ageing_ns = opts->ageing_ns,
						 .secret = opts->secret,
						 .ports_max = UINT32_MAX,
						 .ipx = true };
	int r = weft_bridge_new(&bridge, &serve->bridge);
	if (r == 0)
		r = weft_loop_add(serve->loop, weft_bridge_task(serve->bridge));
	return r;
}

int weft_serve_new(const struct weft_serve_opts *opts, struct weft_loop *loop,
		   struct weft_serve **ret_serve)
{
	static const struct weft_serve_events silent;
	struct weft_serve *serve = calloc(1, sizeof(*serve));
	if (!serve)
		return -ENOMEM;
	if (opts)
		serve->opts = *opts;
	if (serve->opts.secret)
		memcpy(&serve->seed, serve->opts.secret, sizeof(serve->seed));
	serve->opts.secret = NULL;
	if (!serve->opts.events)
		serve->opts.events = &silent;
	serve->loop = loop;
	list_init(&serve->clients);
	serve->task = (struct weft_task){ .fd = -1,
					  .run = task_run,
					  .deadline = task_deadline };
	const struct weft_serve_opts defaults = { .secret = NULL };
	int r = make_bridge(serve, opts ? opts : &defaults);
	if (r == 0)
		r = weft_loop_add(loop, &serve->task);
	if (r < 0) {
		weft_serve_free(serve);
		return r;
	}
	*ret_serve = serve;
	return 0;
}

/* The clients first: a watch must go before the link that its plug frees. */
void weft_serve_free(struct weft_serve *serve)
{
	if (!serve)
		return;
	list_for_each (node, &serve->clients)
		client_free(container_of(node, struct serve_client, node));
	for (size_t i = 0; i < serve->plugs_n; i++)
		weft_plug_free(serve->plugs[i].plug);
	weft_serve_drop_uplink(serve);
	weft_loop_remove(serve->loop, &serve->task);
	if (serve->bridge)
		weft_loop_remove(serve->loop, weft_bridge_task(serve->bridge));
	weft_bridge_free(serve->bridge);
	free(serve);
}
