/* SPDX-License-Identifier: MIT */
/*
 * The router as an object: its making and its end, its ports, the networks that are behind
 * them, and what was counted. Whatever changes the tables, or what a port may do, makes their
 * generation another one, and with it all that is cached about flows void.
 */
#include "bridge/router.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define PORTS_MAX_DEFAULT    4096u
#define NETWORKS_MAX_DEFAULT 65536u

/* ---- the router and its ports ------------------------------------------------------------ */

static void port_free(struct port_entry *entry)
{
	free(container_of(entry, struct weft_router_port, of_router));
}

int weft_router_new(const struct weft_router_opts *opts, struct weft_router **ret_router)
{
	static const struct weft_router_opts defaults;
	if (!opts)
		opts = &defaults;
	struct weft_router *router = calloc(1, sizeof(*router));
	if (!router)
		return -ENOMEM;
	uint32_t networks_max =
		opts->networks_max ? opts->networks_max : NETWORKS_MAX_DEFAULT;
	prefix_table_init(&router->routes.networks, networks_max);
	prefix_table_init(&router->routes.pins, networks_max);
	prefix_table_init(&router->routes.exempt, networks_max);
	router->routes.generation = 1;
	port_list_init(&router->ports,
		       opts->ports_max ? opts->ports_max : PORTS_MAX_DEFAULT, port_free);
	*ret_router = router;
	return 0;
}

void weft_router_free(struct weft_router *router)
{
	if (!router)
		return;
	assert(!router->ports.busy);
	list_for_each (node, &router->ports.entries) {
		struct weft_router_port *port =
			container_of(node, struct weft_router_port, of_router.node);
		if (port->link)
			weft_link_on_receive(port->link, NULL, NULL);
		free(port);
	}
	prefix_table_fini(&router->routes.networks);
	prefix_table_fini(&router->routes.pins);
	prefix_table_fini(&router->routes.exempt);
	free(router);
}

static bool carries_ip(const struct weft_link *link)
{
	return weft_link_caps(link).flags & WEFT_LINK_IP;
}

int weft_router_add(struct weft_router *router, struct weft_link *link,
		    const struct weft_router_port_opts *opts,
		    struct weft_router_port **ret_port)
{
	static const struct weft_router_port_opts defaults;
	if (!opts)
		opts = &defaults;
	if (link && !carries_ip(link))
		return -EINVAL;
	if (opts->uplink && router->routes.uplink)
		return -EEXIST;
	if (port_list_is_full(&router->ports))
		return -ENOSPC;
	struct weft_router_port *port = calloc(1, sizeof(*port));
	if (!port)
		return -ENOMEM;
	port->router = router;
	port->route.opts = *opts;
	port_list_add(&router->ports, &port->of_router);
	if (opts->uplink)
		router->routes.uplink = &port->route;
	router->routes.generation++;
	port->link = link;
	if (link)
		weft_link_on_receive(link, router_receive, port);
	*ret_port = port;
	return 0;
}

void weft_router_remove(struct weft_router *router, struct weft_router_port *port)
{
	assert(port->router == router && !port->of_router.is_gone);
	if (port->link)
		weft_link_on_receive(port->link, NULL, NULL);
	port->link = NULL;
	prefix_remove_all(&router->routes.networks, &port->route);
	prefix_remove_all(&router->routes.pins, &port->route);
	if (router->routes.uplink == &port->route)
		router->routes.uplink = NULL;
	router->routes.generation++;
	port_list_remove(&router->ports, &port->of_router);
}

int weft_router_attach(struct weft_router_port *port, struct weft_link *link)
{
	if (link && !carries_ip(link))
		return -EINVAL;
	if (port->link)
		weft_link_on_receive(port->link, NULL, NULL);
	port->link = link;
	if (link)
		weft_link_on_receive(link, router_receive, port);
	return 0;
}

void weft_router_set_source_check(struct weft_router_port *port, bool is_on)
{
	port->route.opts.no_source_check = !is_on;
	port->router->routes.generation++;
}

struct weft_link *weft_router_port_link(const struct weft_router_port *port)
{
	return port->link;
}

void *weft_router_port_user(const struct weft_router_port *port)
{
	return port->route.opts.user;
}

/* ---- networks ---------------------------------------------------------------------------- */

static int table_add(struct weft_router *router, struct prefix_table *table,
		     const struct weft_ip *ip, void *value)
{
	struct prefix p;
	int rc = prefix_of(ip, &p);
	if (rc == 0)
		rc = prefix_add(table, &p, value);
	if (rc == 0)
		router->routes.generation++;
	return rc;
}

static void table_remove_ip(struct weft_router *router, struct prefix_table *table,
			    const struct weft_ip *ip)
{
	struct prefix p;
	if (prefix_of(ip, &p) == 0 && prefix_remove(table, &p))
		router->routes.generation++;
}

int weft_router_add_network(struct weft_router *router, struct weft_router_port *port,
			    const struct weft_ip *network)
{
	assert(port->router == router && !port->of_router.is_gone);
	return table_add(router, &router->routes.networks, network, &port->route);
}

void weft_router_remove_network(struct weft_router *router, const struct weft_ip *network)
{
	table_remove_ip(router, &router->routes.networks, network);
}

int weft_router_add_pin(struct weft_router *router, struct weft_router_port *port,
			const struct weft_ip *source)
{
	assert(port->router == router && !port->of_router.is_gone);
	if (port->route.opts.uplink)
		return -EINVAL;
	return table_add(router, &router->routes.pins, source, &port->route);
}

void weft_router_remove_pin(struct weft_router *router, const struct weft_ip *source)
{
	table_remove_ip(router, &router->routes.pins, source);
}

int weft_router_exempt(struct weft_router *router, const struct weft_ip *network)
{
	return table_add(router, &router->routes.exempt, network, router);
}

void weft_router_unexempt(struct weft_router *router, const struct weft_ip *network)
{
	table_remove_ip(router, &router->routes.exempt, network);
}

int router_reserve(struct weft_router *router, const struct weft_router *other)
{
	struct routes *own = &router->routes;
	const struct routes *as = &other->routes;
	int r = prefix_reserve(&own->networks, as->networks.count);
	if (r == 0)
		r = prefix_reserve(&own->pins, as->pins.count);
	return r == 0 ? prefix_reserve(&own->exempt, as->exempt.count) : r;
}

static const struct weft_router_port *table_port(const struct prefix_table *table,
						 const struct weft_ip *ip)
{
	struct prefix p;
	return prefix_of(ip, &p) == 0 ? router_port_of(prefix_get(table, &p)) : NULL;
}

const struct weft_router_port *weft_router_network_port(const struct weft_router *router,
							const struct weft_ip *network)
{
	return table_port(&router->routes.networks, network);
}

const struct weft_router_port *weft_router_pin_port(const struct weft_router *router,
						    const struct weft_ip *source)
{
	return table_port(&router->routes.pins, source);
}

/* ---- facts ------------------------------------------------------------------------------- */

const char *weft_router_outcome_name(enum weft_router_outcome outcome)
{
	static const char *const names[] = {
		[WEFT_ROUTER_FORWARDED] = "forwarded",
		[WEFT_ROUTER_PINNED] = "pinned",
		[WEFT_ROUTER_EXIT] = "exit",
		[WEFT_ROUTER_UPLINK] = "uplink",
		[WEFT_ROUTER_DROP_NOT_IP] = "drop-not-ip",
		[WEFT_ROUTER_DROP_MALFORMED] = "drop-malformed",
		[WEFT_ROUTER_DROP_SCOPE] = "drop-scope",
		[WEFT_ROUTER_DROP_SPOOFED] = "drop-spoofed",
		[WEFT_ROUTER_DROP_ISOLATED] = "drop-isolated",
		[WEFT_ROUTER_DROP_DENIED] = "drop-denied",
		[WEFT_ROUTER_DROP_NO_ROUTE] = "drop-no-route",
		[WEFT_ROUTER_DROP_NO_LINK] = "drop-no-link",
	};
	static_assert(sizeof(names) / sizeof(names[0]) == WEFT_ROUTER_OUTCOMES,
		      "each outcome has a name");
	return outcome < WEFT_ROUTER_OUTCOMES ? names[outcome] : "unknown";
}

uint64_t weft_router_count(const struct weft_router *router,
			   const struct weft_router_port *port,
			   enum weft_router_outcome outcome)
{
	assert(outcome < WEFT_ROUTER_OUTCOMES);
	return port ? port->counts[outcome] : router->counts[outcome];
}
