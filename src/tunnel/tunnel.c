/* SPDX-License-Identifier: MIT */
/*
 * All interfaces of one configuration: servers and clients, side by side in one loop.
 *
 * For another configuration each interface is prepared, then all of them are committed. One that
 * is of the same name and kind as one of before takes its place without a break. What cannot be
 * there beside one of before, as it is of another kind but has the same name, or the same table
 * for its mark, comes last of all: what is in its way is closed, and made anew if that was in vain.
 * One that takes another's place has only to yield its mark.
 * The sockets that it has listened at are kept meanwhile, as there may be no right to have others.
 */
#include "config/changes.h"
#include "tunnel/client.h"
#include "tunnel/listening.h"
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
	/* While another configuration is applied: */
	bool stays;           /* It has a place in that. */
	bool has_made_way;    /* It is closed, for something in its place. */
	struct listener held; /* Where it has listened then. */
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
		has_ended &= tunnels->ends[i].server
				     ? server_end(tunnels->ends[i].server)
				     : client_end(tunnels->ends[i].client);
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

static bool is_same_kind(const struct weft_tunnel_interface *a,
			 const struct weft_tunnel_interface *b)
{
	return a->is_server == b->is_server && a->mode == b->mode;
}

/* Whose place an interface takes without a break, or NULL. */
static struct end *find_before(struct weft_tunnels *t,
			       const struct weft_tunnel_interface *conf)
{
	struct end *end = find_end(t, conf->name);
	return end && is_same_kind(end->conf, conf) ? end : NULL;
}

static bool has_same_table(const struct weft_tunnel_interface *a,
			   const struct weft_tunnel_interface *b)
{
	return a->mark.value && b->mark.value && a->mark.table == b->mark.table;
}

/* A host in this process has one interface only. */
static bool is_in_the_way(const struct weft_tunnels *t, const struct end *end,
			  const struct weft_tunnel_interface *conf)
{
	const bool is_same_name = strcmp(end->conf->name, conf->name) == 0;
	if (end->stays)
		return !is_same_name && has_same_table(end->conf, conf);
	return t->env.devices != &netif_machine || is_same_name ||
	       has_same_table(end->conf, conf);
}

static bool is_anything_in_the_way(const struct weft_tunnels *t,
				   const struct weft_tunnel_interface *conf)
{
	for (size_t i = 0; i < t->ends_n; i++)
		if (is_in_the_way(t, &t->ends[i], conf))
			return true;
	return false;
}

static struct netif *end_interface(const struct end *end)
{
	return end->server ? server_interface(end->server)
			   : client_interface(end->client);
}

static int end_make_way(const struct weft_tunnels *t, struct end *end,
			struct weft_error *err)
{
	if (end->stays) {
		netif_yield_mark(end_interface(end));
		return 0;
	}
	end->held = (struct listener){ .fd = -1 };
	int r = end->server ? listening_hold(&t->env, end->conf, err, &end->held) : 0;
	if (r < 0)
		return r;
	end_close(end);
	end->server = NULL;
	end->client = NULL;
	end->has_made_way = true;
	return 0;
}

static int make_way(struct weft_tunnels *t, const struct weft_tunnel_interface *conf,
		    struct weft_error *err)
{
	int r = 0;
	for (size_t i = 0; i < t->ends_n && r == 0; i++)
		if (is_in_the_way(t, &t->ends[i], conf) && !t->ends[i].has_made_way)
			r = end_make_way(t, &t->ends[i], err);
	return r;
}

static int end_prepare(struct weft_tunnels *t, const struct weft_tunnel_interface *conf,
		       struct weft_error *err, struct end *ret_end)
{
	const struct end *before = find_before(t, conf);
	if (!before)
		return end_open(t, conf, err, ret_end);
	int r = before->server ? server_prepare(before->server, conf, err)
			       : client_prepare(before->client, conf, err);
	if (r < 0)
		return r;
	*ret_end = *before;
	ret_end->conf = conf;
	return 0;
}

/* Those that others have to make way for, or those that nobody has to. */
static int prepare_some(struct weft_tunnels *t, const struct weft_tunnel_config *config,
			bool in_others_place, struct weft_error *err, struct end *ends)
{
	int r = 0;
	for (size_t i = 0; i < config->interfaces_n && r == 0; i++) {
		const struct weft_tunnel_interface *conf = &config->interfaces[i];
		if (is_anything_in_the_way(t, conf) != in_others_place)
			continue;
		r = make_way(t, conf, err);
		if (r == 0)
			r = end_prepare(t, conf, err, &ends[i]);
	}
	return r;
}

static void stop_holding(struct end *end)
{
	if (end->has_made_way)
		listener_close(&end->held);
	end->has_made_way = false;
}

/* Has one that has made way be there again. Returns whether it is. */
static bool end_restore(const struct weft_tunnels *t, struct end *end)
{
	struct weft_error err;
	int r = end->has_made_way ? end_open(t, end->conf, &err, end) : 0;
	stop_holding(end);
	if (r < 0)
		weft_log_error(t->env.log,
			       "%s cannot be made as it was, and is gone until the next "
			       "reload: %s",
			       end->conf->name, err.text);
	return r == 0;
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
	free(ends);
	size_t kept = 0;
	for (size_t i = 0; i < t->ends_n; i++) {
		if (t->ends[i].stays)
			netif_restore_mark(end_interface(&t->ends[i]));
		t->ends[i].stays = false;
		if (end_restore(t, &t->ends[i]))
			t->ends[kept++] = t->ends[i];
	}
	t->ends_n = kept;
}

/* Returns 0 with an end for each interface, or -Exxx with err. */
static int prepare(struct weft_tunnels *t, const struct weft_tunnel_config *config,
		   struct weft_error *err, struct end **ret_ends)
{
	struct end *ends = calloc(config->interfaces_n + 1, sizeof(*ends));
	if (!ends)
		return weft_error_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < config->interfaces_n; i++) {
		struct end *before = find_before(t, &config->interfaces[i]);
		if (before)
			before->stays = true;
	}
	int r = prepare_some(t, config, false, err, ends);
	if (r == 0)
		r = prepare_some(t, config, true, err, ends);
	if (r < 0) {
		cancel(t, ends, config->interfaces_n);
		return r;
	}
	*ret_ends = ends;
	return 0;
}

static bool has_interface(const struct weft_tunnel_config *config, const char *name)
{
	for (size_t i = 0; i < config->interfaces_n; i++)
		if (strcmp(config->interfaces[i].name, name) == 0)
			return true;
	return false;
}

static void tell_changes(struct weft_tunnels *t, const struct weft_tunnel_config *config,
			 weft_tunnel_change_fn *fn, void *user)
{
	for (size_t i = 0; i < t->ends_n; i++)
		if (!has_interface(config, t->ends[i].conf->name))
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
	for (size_t i = 0; i < tunnels->ends_n; i++) {
		stop_holding(&tunnels->ends[i]);
		if (!tunnels->ends[i].stays)
			end_close(&tunnels->ends[i]);
	}
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
