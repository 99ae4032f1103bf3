/* SPDX-License-Identifier: MIT */
/*
 * What there is no room for is left out: a configuration's check has said so.
 */
#include "tunnel/terms.h"

#include "base/net.h"

#include <errno.h>

/* An address that lies in neither network stands alone. */
static struct weft_ip with_prefix(const struct weft_tunnel_interface *server,
				  const struct weft_ip *address)
{
	struct weft_ip ip = net_host(address);
	const struct weft_ip *net = ip.family == AF_INET ? &server->net : &server->net6;
	if (net->family && net_contains(net, &ip))
		ip.prefix = net->prefix;
	return ip;
}

static bool is_known(const struct hello_conf *conf, const struct weft_ip *route)
{
	for (size_t i = 0; i < conf->routes_n; i++)
		if (net_is_same(&conf->routes[i], route))
			return true;
	return false;
}

/* What is behind the client would lead it back to where it comes from. */
static bool is_behind(const struct weft_tunnel_client *client,
		      const struct weft_ip *route)
{
	for (size_t i = 0; i < client->routes_n; i++)
		if (net_contains(&client->routes[i], route))
			return true;
	return false;
}

static void add_routes(const struct weft_tunnel_client *client,
		       const struct weft_tunnel_networks *push, struct hello_conf *conf)
{
	for (size_t i = 0; i < push->n && conf->routes_n < HELLO_ROUTES_MAX; i++) {
		const struct weft_ip route = net_of(&push->items[i]);
		if (!is_behind(client, &route) && !is_known(conf, &route))
			conf->routes[conf->routes_n++] = route;
	}
}

void terms_of(const struct weft_tunnel_interface *server,
	      const struct weft_tunnel_client *client, unsigned lanes,
	      struct hello_conf *ret_conf)
{
	ret_conf->mode = server->mode;
	ret_conf->mtu = server->mtu;
	ret_conf->lanes = lanes;
	ret_conf->has_more = false;
	ret_conf->ips_n = ret_conf->routes_n = 0;
	for (size_t i = 0; i < client->ips_n && i < HELLO_IPS_MAX; i++)
		ret_conf->ips[ret_conf->ips_n++] = with_prefix(server, &client->ips[i]);
	add_routes(client, &server->push, ret_conf);
	add_routes(client, &client->push, ret_conf);
}

static bool is_same(const struct weft_ip *a, const struct weft_ip *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!net_is_same(&a[i], &b[i]))
			return false;
	return true;
}

bool terms_are_same(const struct hello_conf *a, const struct hello_conf *b)
{
	return a->mode == b->mode && a->mtu == b->mtu && a->lanes == b->lanes &&
	       a->ips_n == b->ips_n && a->routes_n == b->routes_n &&
	       is_same(a->ips, b->ips, a->ips_n) &&
	       is_same(a->routes, b->routes, a->routes_n);
}

int terms_print(const struct weft_tunnel_interface *server,
		const struct weft_tunnel_client *client, char ret_text[TUNNEL_CONF_TEXT])
{
	for (size_t i = 0; i < client->ips_n; i++) {
		if (client->ips[i].family != AF_INET)
			continue;
		const struct weft_ip ip = with_prefix(server, &client->ips[i]);
		return tunnel_conf_print((uint16_t)server->mtu, &ip, ret_text);
	}
	return -ENOENT;
}
