/* SPDX-License-Identifier: MIT */
/*
 * All changes go through the host, so they are undone at the end and after a crash. What is
 * there and was assigned again is not touched.
 */
#include "tunnel/assigned.h"

#include "base/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *device_of(const struct assigned *a)
{
	return weft_link_name(a->netif->device);
}

/*
 * The device's route to a network; to everything, two to half of it each: they win over a
 * default route that is there, and leave it where it is. Returns how many.
 */
static size_t routes_to(const struct assigned *a, const struct weft_ip *network,
			struct weft_route ret_routes[2])
{
	for (size_t i = 0; i < 2; i++) {
		ret_routes[i] = (struct weft_route){ .dest = *network };
		(void)snprintf(ret_routes[i].ifname, sizeof(ret_routes[i].ifname), "%s",
			       device_of(a));
	}
	if (network->prefix > 0)
		return 1;
	ret_routes[0].dest.prefix = ret_routes[1].dest.prefix = 1;
	ret_routes[1].dest.octet[0] = 0x80;
	return 2;
}

static bool is_among(const struct weft_ip *ip, const struct weft_ip *set, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (net_is_same(&set[i], ip))
			return true;
	return false;
}

/* ---- pins -------------------------------------------------------------------------------- */

static bool is_pinned(const struct assigned *a, const struct weft_ip *server)
{
	for (size_t i = 0; i < a->pins_n; i++)
		if (net_is_same(&a->pins[i].dest, server))
			return true;
	return false;
}

/* A server has more than one address, and each needs a way of its own. */
static bool needs_pin(const struct assigned *a, const struct weft_ip *route,
		      const struct weft_ip *server)
{
	return server->family && net_contains(route, server) && !is_pinned(a, server);
}

/* Returns whether a route that holds the server's address can be set now. */
static bool pin(struct assigned *a, const struct weft_ip *server)
{
	struct weft_host *host = a->netif->env->host;
	struct weft_route way;
	struct weft_error err;
	if (a->pins_n == ASSIGNED_PINS_MAX)
		return false;
	int r = weft_host_find_route(host, server, &err, &way);
	if (r == 0 && strcmp(way.ifname, device_of(a)) == 0)
		return false;
	if (r == 0)
		r = weft_host_add_route(host, &way, &err);
	if (r < 0) {
		weft_log_warning(a->netif->env->log, "%s: %s", device_of(a), err.text);
		return false;
	}
	a->pins[a->pins_n++] = way;
	return true;
}

static void unpin(struct assigned *a)
{
	struct weft_error err;
	while (a->pins_n > 0)
		if (weft_host_remove_route(a->netif->env->host, &a->pins[--a->pins_n],
					   &err) < 0)
			weft_log_warning(a->netif->env->log, "%s", err.text);
}

/* ---- routes ------------------------------------------------------------------------------ */

static bool is_accepted(const struct assigned *a, const struct weft_ip *route,
			const struct weft_ip *server)
{
	const struct weft_tunnel_interface *conf = a->netif->conf;
	if (conf->no_routes)
		return false;
	for (size_t i = 0; i < conf->accept.n; i++)
		if (net_contains(&conf->accept.items[i], route))
			return true;
	return conf->accept.n == 0 && route->prefix > 0 && !net_contains(route, server);
}

static void remove_route(const struct assigned *a, const struct weft_ip *network)
{
	struct weft_route routes[2];
	struct weft_error err;
	const size_t n = routes_to(a, network, routes);
	for (size_t i = 0; i < n; i++)
		if (weft_host_remove_route(a->netif->env->host, &routes[i], &err) < 0)
			weft_log_warning(a->netif->env->log, "%s: %s", device_of(a),
					 err.text);
}

static bool add_route(struct assigned *a, const struct weft_ip *network,
		      const struct weft_ip *server)
{
	struct weft_route routes[2];
	struct weft_error err;
	const size_t n = routes_to(a, network, routes);
	int r = 0;
	if (needs_pin(a, network, server) && !pin(a, server))
		return false;
	for (size_t i = 0; i < n && r == 0; i++)
		r = weft_host_add_route(a->netif->env->host, &routes[i], &err);
	if (r == 0)
		return true;
	weft_log_warning(a->netif->env->log, "%s: %s", device_of(a), err.text);
	remove_route(a, network);
	return false;
}

/*
 * Those that are no more go first: what comes may be in their place. So do those that need another
 * pin, and come back with it: while they are there they hide the way.
 */
static void set_routes(struct assigned *a, const struct hello_conf *conf,
		       const struct weft_ip *server)
{
	struct hello_conf *now = &a->now;
	size_t kept = 0;
	for (size_t i = 0; i < now->routes_n; i++) {
		const struct weft_ip route = now->routes[i];
		const bool is_wanted = conf->has_more ||
				       (is_among(&route, conf->routes, conf->routes_n) &&
					is_accepted(a, &route, server));
		if (is_wanted && !needs_pin(a, &route, server))
			now->routes[kept++] = route;
		else
			remove_route(a, &route);
	}
	now->routes_n = kept;
	for (size_t i = 0; i < conf->routes_n && now->routes_n < HELLO_ROUTES_MAX; i++) {
		const struct weft_ip route = net_of(&conf->routes[i]);
		if (is_among(&route, now->routes, now->routes_n) ||
		    !is_accepted(a, &route, server) || !add_route(a, &route, server))
			continue;
		now->routes[now->routes_n++] = route;
	}
}

/* ---- all of it --------------------------------------------------------------------------- */

/* Where more follows, what is there is not given up for a part. */
static int set_addresses(struct assigned *a, const struct hello_conf *conf,
			 struct weft_error *err)
{
	struct hello_conf *now = &a->now;
	struct weft_ip after[HELLO_IPS_MAX];
	if (conf->has_more && now->ips_n > 0)
		return 0;
	memcpy(after, conf->ips, sizeof(after));
	const struct weft_tunnel_networks from = { .items = now->ips, .n = now->ips_n };
	const struct weft_tunnel_networks to = { .items = after, .n = conf->ips_n };
	int r = netif_set_addresses(a->netif, &from, &to, err);
	if (r < 0)
		return r;
	memcpy(now->ips, after, sizeof(after));
	now->ips_n = conf->ips_n;
	a->text[0] = '\0';
	if (now->ips_n > 0)
		weft_ip_print(&now->ips[0], a->text);
	return 0;
}

int assigned_set(struct assigned *a, const struct hello_conf *conf,
		 const struct weft_ip *server, struct weft_error *err)
{
	int r = netif_set_mtu(a->netif, conf->mtu, err);
	if (r == 0)
		r = set_addresses(a, conf, err);
	if (r < 0)
		return r;
	if (netif_is_of_machine(a->netif))
		set_routes(a, conf, server);
	return 0;
}

void assigned_release(struct assigned *a)
{
	struct hello_conf *now = &a->now;
	size_t kept = 0;
	if (a->pins_n == 0)
		return;
	for (size_t i = 0; i < now->routes_n; i++) {
		bool holds = false;
		for (size_t n = 0; n < a->pins_n; n++)
			holds |= net_contains(&now->routes[i], &a->pins[n].dest);
		if (holds)
			remove_route(a, &now->routes[i]);
		else
			now->routes[kept++] = now->routes[i];
	}
	now->routes_n = kept;
	unpin(a);
}

void assigned_fini(struct assigned *a)
{
	for (size_t i = 0; i < a->now.routes_n; i++)
		remove_route(a, &a->now.routes[i]);
	a->now.routes_n = 0;
	unpin(a);
}

void assigned_forget(struct assigned *a)
{
	assigned_fini(a);
	*a = (struct assigned){ .netif = a->netif };
}
