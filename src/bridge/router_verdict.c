/* SPDX-License-Identifier: MIT */
/*
 * Who decides on a packet: first the tables (route.h), then the hooks about what the tables
 * leave open, and at last whoever is asked without a packet (weft_router_explain) hears the
 * same.
 *
 *     route_decide --EXIT--> hooks.exit: a port, or the rest of the tables, or nowhere
 *          '------- what passes -------'--> hooks.policy: may it?
 */
#include "bridge/router.h"

#include <assert.h>
#include <errno.h>

/* ---- hooks ------------------------------------------------------------------------------- */

struct weft_router_query router_query_of(const struct route_port *ingress,
					 const struct route_ends *ends)
{
	return (struct weft_router_query){ .ingress = router_port_of(ingress),
					   .src = prefix_ip(&ends->src),
					   .dst = prefix_ip(&ends->dst) };
}

/* For struct routes. */
static bool is_exit(const struct routes *routes, const struct route_port *ingress,
		    const struct route_ends *ends)
{
	const struct weft_router *router =
		container_of_const(routes, struct weft_router, routes);
	struct weft_router_query query = router_query_of(ingress, ends);
	const struct route_port *owner =
		prefix_lookup(&routes->networks, &ends->dst, NULL, NULL);
	query.egress = router_port_of(owner ? owner : routes->uplink);
	return router->hooks.is_exit(router->hooks.user, &query);
}

static void choose_exit(const struct weft_router *router,
			const struct weft_router_query *query, struct route *way)
{
	const struct route_port *ingress = &query->ingress->route;
	struct weft_router_port *port;
	int r = router->hooks.exit(router->hooks.user, query, &port);
	if (r == 0) {
		route_rest(&router->routes, ingress, way);
	} else if (r < 0) {
		way->outcome = WEFT_ROUTER_DROP_NO_LINK;
	} else {
		assert(port->router == router && !port->of_router.is_gone);
		route_to(ingress, &port->route, WEFT_ROUTER_EXIT, way);
	}
}

bool router_asks_hooks(const struct weft_router *router, const struct route *way)
{
	return way->outcome == WEFT_ROUTER_EXIT ||
	       (router->hooks.policy && router_is_passed(way->outcome));
}

void router_consult(const struct weft_router *router, struct weft_router_query *query,
		    struct route *way)
{
	if (way->outcome == WEFT_ROUTER_EXIT)
		choose_exit(router, query, way);
	if (!router->hooks.policy || !router_is_passed(way->outcome))
		return;
	query->egress = router_port_of(way->egress);
	if (!router->hooks.policy(router->hooks.user, query))
		way->outcome = WEFT_ROUTER_DROP_DENIED;
}

void weft_router_set_hooks(struct weft_router *router,
			   const struct weft_router_hooks *hooks)
{
	router->hooks = hooks ? *hooks : (struct weft_router_hooks){ 0 };
	router->routes.has_exits = router->hooks.exit;
	router->routes.is_exit = router->hooks.is_exit ? is_exit : NULL;
	router->routes.generation++;
}

/* ---- asked without a packet -------------------------------------------------------------- */

static struct weft_ip ip_if(bool has, const struct prefix *p)
{
	return has ? prefix_ip(p) : (struct weft_ip){ 0 };
}

/* Both ends, if they are addresses and not networks, of one family. */
static int ends_read(const struct weft_ip *src, const struct weft_ip *dst,
		     struct route_ends *ret_ends)
{
	struct route_ends ends;
	if (prefix_of(src, &ends.src) < 0 || prefix_of(dst, &ends.dst) < 0)
		return -EINVAL;
	uint8_t bits = ends.src.is_ip6 ? 128 : 32;
	if (ends.src.is_ip6 != ends.dst.is_ip6 || ends.src.bits != bits ||
	    ends.dst.bits != bits)
		return -EINVAL;
	*ret_ends = ends;
	return 0;
}

int weft_router_explain(const struct weft_router *router,
			const struct weft_router_port *ingress, const struct weft_ip *src,
			const struct weft_ip *dst,
			struct weft_router_verdict *ret_verdict)
{
	const struct routes *routes = &router->routes;
	struct route_ends ends;
	if (ends_read(src, dst, &ends) < 0)
		return -EINVAL;
	const struct route_port *in = ingress ? &ingress->route : NULL;
	if (!in)
		in = prefix_lookup(&routes->networks, &ends.src, NULL, NULL);
	if (!in)
		in = routes->uplink;
	if (!in)
		return -ENOENT;
	struct route way = route_decide(routes, in, &ends);
	struct weft_router_query query = router_query_of(in, &ends);
	router_consult(router, &query, &way);
	*ret_verdict = (struct weft_router_verdict){
		.outcome = way.outcome,
		.ingress = router_port_of(in),
		.egress = router_port_of(way.egress),
		.network = ip_if(way.has_network, &way.network),
		.pin = ip_if(way.has_pin, &way.pin),
		.exempt = ip_if(way.has_exempt, &way.exempt),
	};
	return 0;
}
