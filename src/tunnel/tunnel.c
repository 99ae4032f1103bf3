/* SPDX-License-Identifier: MIT */
/*
 * All interfaces of one configuration: servers and clients, side by side in one loop.
 */
#include "config/changes.h"
#include "tunnel/client.h"
#include "tunnel/server.h"

#include <weft/loop.h>

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* One of the two. */
struct end {
	const struct weft_tunnel_interface *conf;
	struct server *server;
	struct client *client;
	bool stays; /* while another configuration is applied: has a place in it */
};

struct weft_tunnels {
	struct environment env;
	struct list listeners;
	struct end *ends;
	size_t ends_n;
};

static int end_open(const struct weft_tunnels *t,
		    const struct weft_tunnel_interface *conf, struct weft_error *err,
		    struct end *end)
{
	end->conf = conf;
	return conf->is_server ? server_new(&t->env, conf, err, &end->server)
			       : client_new(&t->env, conf, err, &end->client);
}

static void end_close(struct end *end)
{
	server_free(end->server);
	client_free(end->client);
}

static int end_new(struct weft_tunnels *t, const struct weft_tunnel_interface *conf,
		   struct weft_error *err)
{
	struct end *end = &t->ends[t->ends_n++];
	return end_open(t, conf, err, end);
}

static struct weft_tunnels *tunnels_alloc(const struct weft_tunnel_config *config,
					  struct weft_loop *loop,
					  const struct weft_tunnels_opts *opts)
{
	static const struct weft_tunnels_events silent;
	struct weft_tunnels *t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->ends = calloc(config->interfaces_n + 1, sizeof(*t->ends));
	if (!t->ends) {
		free(t);
		return NULL;
	}
	t->env = (struct environment){
		.loop = loop,
		.host = opts->host,
		.devices = opts->devices ? opts->devices : &netif_machine,
		.devices_user = opts->devices ? opts->devices_user : opts->host,
		.log = opts->log,
		.events = opts->events ? opts->events : &silent,
		.user = opts->user,
		.listeners = &t->listeners
	};
	list_init(&t->listeners);
	memcpy(t->env.secret, opts->secret, sizeof(t->env.secret));
	return t;
}

int weft_tunnels_new(const struct weft_tunnel_config *config, struct weft_loop *loop,
		     const struct weft_tunnels_opts *opts, struct weft_error *err,
		     struct weft_tunnels **ret_tunnels)
{
	struct weft_tunnels *t = tunnels_alloc(config, loop, opts);
	int r = 0;
	if (!t || sodium_init() < 0) {
		weft_tunnels_free(t);
		return weft_error_set(err, -ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < config->interfaces_n && r == 0; i++)
		r = end_new(t, &config->interfaces[i], err);
	if (r < 0) {
		weft_tunnels_free(t);
		return r;
	}
	*ret_tunnels = t;
	return 0;
}

bool weft_tunnels_end(struct weft_tunnels *tunnels)
{
	bool has_ended = true;
	for (size_t i = 0; i < tunnels->ends_n; i++)
		if (tunnels->ends[i].server)
			has_ended &= server_end(tunnels->ends[i].server);
	return has_ended;
}

void weft_tunnels_free(struct weft_tunnels *tunnels)
{
	if (!tunnels)
		return;
	for (size_t i = 0; i < tunnels->ends_n; i++)
		end_close(&tunnels->ends[i]);
	free(tunnels->ends);
	free(tunnels);
}

/* ---- another configuration --------------------------------------------------------------- */

static struct end *find_end(struct weft_tunnels *t, const char *name)
{
	for (size_t i = 0; i < t->ends_n; i++)
		if (strcmp(t->ends[i].conf->name, name) == 0)
			return &t->ends[i];
	return NULL;
}

static int end_prepare(struct end *old, const struct weft_tunnel_interface *conf,
		       struct weft_error *err, struct end *ret_end)
{
	if (old->conf->is_server != conf->is_server)
		return weft_error_set(
			err, -EOPNOTSUPP,
			"%s: a server cannot become a client while it runs, "
			"nor a client a server: restart weft, or give the "
			"interface another \"name\"",
			conf->name);
	int r = old->server ? server_prepare(old->server, conf, err)
			    : client_prepare(old->client, conf, err);
	if (r < 0)
		return r;
	*ret_end = *old;
	ret_end->conf = conf;
	old->stays = ret_end->stays = true;
	return 0;
}

/* What has been done so far is undone. */
static void cancel(struct weft_tunnels *t, struct end *ends, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!ends[i].stays)
			end_close(&ends[i]);
		else if (ends[i].server)
			server_cancel(ends[i].server);
		else
			client_cancel(ends[i].client);
	}
	for (size_t i = 0; i < t->ends_n; i++)
		t->ends[i].stays = false;
	free(ends);
}

/* Returns 0 with an end for each interface, or -Exxx with err. */
static int prepare(struct weft_tunnels *t, const struct weft_tunnel_config *config,
		   struct weft_error *err, struct end **ret_ends)
{
	struct end *ends = calloc(config->interfaces_n + 1, sizeof(*ends));
	if (!ends)
		return weft_error_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < config->interfaces_n; i++) {
		const struct weft_tunnel_interface *conf = &config->interfaces[i];
		struct end *old = find_end(t, conf->name);
		int r = old ? end_prepare(old, conf, err, &ends[i])
			    : end_open(t, conf, err, &ends[i]);
		if (r < 0) {
			cancel(t, ends, i);
			return r;
		}
	}
	*ret_ends = ends;
	return 0;
}

static void tell_changes(struct weft_tunnels *t, const struct weft_tunnel_config *config,
			 weft_tunnel_change_fn *fn, void *user)
{
	for (size_t i = 0; i < t->ends_n; i++)
		if (!t->ends[i].stays)
			changes_tell(t->ends[i].conf, NULL, fn, user);
	for (size_t i = 0; i < config->interfaces_n; i++) {
		const struct end *old = find_end(t, config->interfaces[i].name);
		changes_tell(old ? old->conf : NULL, &config->interfaces[i], fn, user);
	}
}

static void end_commit(struct end *end, uint64_t now)
{
	if (end->stays && end->server)
		server_commit(end->server);
	else if (end->stays)
		client_commit(end->client, now);
	end->stays = false;
}

int weft_tunnels_apply(struct weft_tunnels *tunnels,
		       const struct weft_tunnel_config *config, weft_tunnel_change_fn *fn,
		       void *user, struct weft_error *err)
{
	struct end *ends = NULL;
	int r = prepare(tunnels, config, err, &ends);
	if (r < 0)
		return r;
	assert(ends);
	tell_changes(tunnels, config, fn, user);
	for (size_t i = 0; i < tunnels->ends_n; i++)
		if (!tunnels->ends[i].stays)
			end_close(&tunnels->ends[i]);
	free(tunnels->ends);
	tunnels->ends = ends;
	tunnels->ends_n = config->interfaces_n;
	for (size_t i = 0; i < tunnels->ends_n; i++)
		end_commit(&ends[i], weft_loop_now(tunnels->env.loop));
	return 0;
}

struct weft_tunnels_stats weft_tunnels_stats(const struct weft_tunnels *tunnels)
{
	struct weft_tunnels_stats stats = { .interfaces = 0 };
	for (size_t i = 0; i < tunnels->ends_n; i++) {
		const struct end *end = &tunnels->ends[i];
		if (end->server)
			server_count(end->server, &stats);
		else
			client_count(end->client, &stats);
	}
	return stats;
}

char *weft_tunnels_json(const struct weft_tunnels *tunnels, uint64_t now)
{
	json_t *interfaces = json_array();
	for (size_t i = 0; i < tunnels->ends_n; i++) {
		const struct end *end = &tunnels->ends[i];
		(void)json_array_append_new(interfaces,
					    end->server ? server_json(end->server, now)
							: client_json(end->client, now));
	}
	json_t *object = json_pack("{s:I, s:o}", "now_ns", (json_int_t)now, "interfaces",
				   interfaces);
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	return text;
}
