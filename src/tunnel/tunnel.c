/* SPDX-License-Identifier: MIT */
/*
 * All interfaces of one configuration: servers and clients, side by side in one loop.
 */
#include "tunnel/client.h"
#include "tunnel/server.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* One of the two. */
struct end {
	struct server *server;
	struct client *client;
};

struct weft_tunnels {
	struct environment env;
	struct end *ends;
	size_t ends_n;
};

static int end_new(struct weft_tunnels *t, const struct weft_tunnel_interface *conf,
		   struct weft_error *err)
{
	struct end *end = &t->ends[t->ends_n++];
	return conf->is_server ? server_new(&t->env, conf, err, &end->server)
			       : client_new(&t->env, conf, err, &end->client);
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
	t->env = (struct environment){ .loop = loop,
				       .host = opts->host,
				       .log = opts->log,
				       .events = opts->events ? opts->events : &silent,
				       .user = opts->user };
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

void weft_tunnels_free(struct weft_tunnels *tunnels)
{
	if (!tunnels)
		return;
	for (size_t i = 0; i < tunnels->ends_n; i++) {
		server_free(tunnels->ends[i].server);
		client_free(tunnels->ends[i].client);
	}
	free(tunnels->ends);
	free(tunnels);
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
