/* SPDX-License-Identifier: MIT */
/*
 * Everything but the device itself is done through the host, which undoes it.
 *
 * `mark` is policy routing: what carries the firewall mark looks into a table of its own, in
 * which everything leads into the tunnel (ip-rule(8), fwmark).
 */
#include "tunnel/netif.h"

#include "http/http.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int mark_set(const struct netif *i, uint8_t family, struct weft_error *err)
{
	const struct weft_tunnel_mark *mark = &i->conf->mark;
	struct weft_route route = { .dest = { .family = family }, .table = mark->table };
	const struct weft_rule rule = { .family = family,
					.mark = mark->value,
					.table = mark->table };
	if (mark->value == 0)
		return 0;
	(void)snprintf(route.ifname, sizeof(route.ifname), "%s", weft_link_name(i->tun));
	int r = weft_host_add_route(i->env->host, &route, err);
	return r < 0 ? r : weft_host_add_rule(i->env->host, &rule, err);
}

/* A server knows all of it; what a client gets is told by its server. */
static int addresses_set(const struct netif *i, struct weft_error *err)
{
	const struct weft_tunnel_interface *conf = i->conf;
	const char *name = weft_link_name(i->tun);
	struct weft_host *host = i->env->host;
	if (!conf->is_server)
		return 0;
	int r = weft_host_set_mtu(host, name, conf->mtu, err);
	if (r == 0)
		r = weft_host_add_address(host, name, &conf->net, err);
	for (size_t n = 0; n < conf->ips_n && r == 0; n++)
		r = weft_host_add_address(host, name, &conf->ips[n], err);
	return r;
}

int netif_open(struct netif *i, const struct environment *env,
	       const struct weft_tunnel_interface *conf, struct weft_error *err)
{
	char spec[WEFT_TUNNEL_NAME_MAX + 5];
	i->env = env;
	i->conf = conf;
	(void)snprintf(spec, sizeof(spec), "tun:%s", conf->name);
	int r = weft_link_open(spec, err, &i->tun);
	if (r == 0)
		r = addresses_set(i, err);
	if (r == 0)
		r = weft_host_set_up(env->host, weft_link_name(i->tun), true, err);
	if (r == 0)
		r = mark_set(i, AF_INET, err);
	return r;
}

int netif_start(struct netif *i, struct weft_error *err)
{
	int r = weft_loop_add(i->env->loop, weft_link_task(i->tun));
	if (r < 0)
		return weft_error_set(err, r, "cannot watch %s: %s",
				      weft_link_name(i->tun), strerror(-r));
	return 0;
}

void netif_watch(struct netif *i, uint64_t now)
{
	if (i->has_ended || !weft_link_is_down(i->tun))
		return;
	i->has_ended = true;
	if (i->env->events->ended)
		i->env->events->ended(i->env->user, weft_link_name(i->tun),
				      weft_link_down_reason(i->tun), now);
}

void netif_close(struct netif *i)
{
	if (!i->tun)
		return;
	weft_loop_remove(i->env->loop, weft_link_task(i->tun));
	weft_link_free(i->tun);
	i->tun = NULL;
}

static struct weft_tunnel_peer peer_of(const struct netif *i, const char *name,
				       const char *address)
{
	return (struct weft_tunnel_peer){ .interface = weft_link_name(i->tun),
					  .name = name,
					  .address = address };
}

void netif_connected(const struct netif *i, const char *name, const char *address,
		     uint64_t now)
{
	const struct weft_tunnel_peer peer = peer_of(i, name, address);
	if (i->env->events->connected)
		i->env->events->connected(i->env->user, &peer, now);
}

void netif_disconnected(const struct netif *i, const char *name, const char *address,
			const char *reason, uint64_t now)
{
	const struct weft_tunnel_peer peer = peer_of(i, name, address);
	if (i->env->events->disconnected)
		i->env->events->disconnected(i->env->user, &peer, reason, now);
}

void netif_refused(const struct netif *i, const char *address, uint64_t now)
{
	if (i->env->events->refused)
		i->env->events->refused(i->env->user, weft_link_name(i->tun), address,
					now);
}

const char *netif_reason(unsigned end, const struct weft_error *err)
{
	if (err && err->text[0])
		return err->text;
	return end == HTTP_ENDED ? "the stream has come to its end"
				 : "the connection was lost";
}
