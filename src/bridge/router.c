/* SPDX-License-Identifier: MIT */
/*
 * Ports, and what happens to a batch that comes in on one:
 *
 *   receive -> per packet: its two ends, and the way (cached, or decided)
 *           -> per run of packets that go the same way: send once, count once
 *
 * The cache. Packets come in bursts of one flow, so each port remembers the ends of its last
 * packet and the way it took, as long as the generation of the tables stays. Then a packet
 * costs the reading of its header and a comparison. Hooks are asked about each packet, behind
 * the cache: what they say depends on more than its ends.
 *
 * Removal. Sending can end in code that takes ports off this router or changes their links.
 * While a batch is under way (busy) a removed port stays on the list as an empty place, which
 * nobody is sent to; the last one out sweeps. Once the link that a batch came in on is not on
 * its port any more, its frames may be gone with it, so the batch ends there.
 */
#include "base/container.h"
#include "base/list.h"
#include "bridge/route.h"

#include <weft/router.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define PORTS_MAX_DEFAULT    4096u
#define NETWORKS_MAX_DEFAULT 65536u

/* The way that the packets of one flow take. Holds while generation is the tables'. */
struct flow {
	uint64_t generation; /* 0 for an empty cache. */
	struct route_ends ends;
	enum weft_router_outcome outcome;
	struct route_port *egress;
	bool asks_hooks; /* They have a word in what becomes of each packet. */
};

struct weft_router_port {
	struct route_port route;
	struct flow flow;
	struct list of_router;
	struct weft_router *router;
	struct weft_link *link; /* NULL for none. */
	bool is_removed;
	uint64_t counts[WEFT_ROUTER_OUTCOMES];
};

struct weft_router {
	struct routes routes;
	struct weft_router_hooks hooks;
	struct list ports;
	uint32_t ports_n;
	uint32_t ports_max;
	unsigned
		busy; /* Batches under way; more than one where a send leads back here. */
	bool has_removed; /* Empty places are on the list. */
	uint64_t counts[WEFT_ROUTER_OUTCOMES];
};

/* Consecutive packets of a batch that go the same way. */
struct run {
	enum weft_router_outcome outcome;
	struct route_port *egress;
	const struct weft_frame *frames;
	size_t n;
};

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

static const struct weft_router_port *port_of(const struct route_port *route)
{
	return route ? container_of_const(route, struct weft_router_port, route) : NULL;
}

static bool is_passed(enum weft_router_outcome outcome)
{
	return outcome <= WEFT_ROUTER_UPLINK;
}

/* ---- hooks ------------------------------------------------------------------------------- */

static struct weft_router_query query_of(const struct route_port *ingress,
					 const struct route_ends *ends)
{
	return (struct weft_router_query){ .ingress = port_of(ingress),
					   .src = prefix_ip(&ends->src),
					   .dst = prefix_ip(&ends->dst) };
}

/* For struct routes. */
static bool is_exit(const struct routes *routes, const struct route_port *ingress,
		    const struct route_ends *ends)
{
	const struct weft_router *router =
		container_of_const(routes, struct weft_router, routes);
	struct weft_router_query query = query_of(ingress, ends);
	const struct route_port *owner =
		prefix_lookup(&routes->networks, &ends->dst, NULL, NULL);
	query.egress = port_of(owner ? owner : routes->uplink);
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
		assert(port->router == router && !port->is_removed);
		route_to(ingress, &port->route, WEFT_ROUTER_EXIT, way);
	}
}

static bool asks_hooks(const struct weft_router *router, const struct route *way)
{
	return way->outcome == WEFT_ROUTER_EXIT ||
	       (router->hooks.policy && is_passed(way->outcome));
}

/* Asks about what the tables do not decide: which exit, and whether the packet may pass. */
static void consult(const struct weft_router *router, struct weft_router_query *query,
		    struct route *way)
{
	if (way->outcome == WEFT_ROUTER_EXIT)
		choose_exit(router, query, way);
	if (!router->hooks.policy || !is_passed(way->outcome))
		return;
	query->egress = port_of(way->egress);
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

/* ---- the way of a packet ----------------------------------------------------------------- */

static bool flow_fits(const struct flow *flow, const struct route_ends *ends,
		      uint64_t generation)
{
	return flow->generation == generation &&
	       prefix_equal(&flow->ends.dst, &ends->dst) &&
	       prefix_equal(&flow->ends.src, &ends->src);
}

/* Kept apart, so that a packet that asks nobody does not pay for its variables. */
__attribute__((noinline)) static void consult_run(struct weft_router_port *port,
						  const struct route_ends *ends,
						  uint64_t now, struct run *run)
{
	struct weft_router_query query = query_of(&port->route, ends);
	struct route way = { .outcome = run->outcome, .egress = run->egress };
	query.frame = run->frames;
	query.now = now;
	consult(port->router, &query, &way);
	run->outcome = way.outcome;
	run->egress = way.egress;
}

/* The packet as a run of one. */
static struct run run_of(struct weft_router_port *port, const struct weft_frame *frame,
			 uint64_t now)
{
	const struct routes *routes = &port->router->routes;
	struct run run = { .frames = frame, .n = 1 };
	struct flow *flow = &port->flow;
	struct route_ends ends;

	run.outcome = route_ends_of(frame->data, frame->len, &ends);
	if (run.outcome != WEFT_ROUTER_FORWARDED)
		return run;
	if (!flow_fits(flow, &ends, routes->generation)) {
		const struct route way = route_decide(routes, &port->route, &ends);
		*flow = (struct flow){ .generation = routes->generation,
				       .ends = ends,
				       .outcome = way.outcome,
				       .egress = way.egress,
				       .asks_hooks = asks_hooks(port->router, &way) };
	}
	run.outcome = flow->outcome;
	run.egress = flow->egress;
	if (flow->asks_hooks)
		consult_run(port, &ends, now, &run);
	return run;
}

/* ---- sending ----------------------------------------------------------------------------- */

/* Sends a run on its way and counts it. */
static void run_finish(struct weft_router_port *ingress, const struct run *run,
		       uint64_t now)
{
	enum weft_router_outcome outcome = run->outcome;
	if (is_passed(outcome)) {
		const struct weft_router_port *egress = port_of(run->egress);
		if (egress->link)
			weft_link_send(egress->link, run->frames, run->n, now);
		else
			outcome = WEFT_ROUTER_DROP_NO_LINK;
	}
	ingress->counts[outcome] += run->n;
	ingress->router->counts[outcome] += run->n;
}

/* Frees the ports that were removed while a batch was under way. */
static void sweep(struct weft_router *router)
{
	list_for_each (node, &router->ports) {
		struct weft_router_port *port =
			container_of(node, struct weft_router_port, of_router);
		if (!port->is_removed)
			continue;
		list_remove(&port->of_router);
		free(port);
	}
	router->has_removed = false;
}

static void receive(void *user, struct weft_link *link, const struct weft_frame *frames,
		    size_t n, uint64_t now)
{
	struct weft_router_port *port = user;
	struct weft_router *router = port->router;
	struct run run = { .n = 0 };
	router->busy++;
	for (size_t i = 0; i < n && port->link == link; i++) {
		const struct run next = run_of(port, &frames[i], now);
		if (run.n > 0 && next.outcome == run.outcome &&
		    next.egress == run.egress) {
			run.n++;
			continue;
		}
		if (run.n > 0)
			run_finish(port, &run, now);
		run = next;
	}
	if (run.n > 0 && port->link == link)
		run_finish(port, &run, now);
	if (--router->busy == 0 && router->has_removed)
		sweep(router);
}

/* ---- the router and its ports ------------------------------------------------------------ */

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
	router->ports_max = opts->ports_max ? opts->ports_max : PORTS_MAX_DEFAULT;
	list_init(&router->ports);
	*ret_router = router;
	return 0;
}

void weft_router_free(struct weft_router *router)
{
	if (!router)
		return;
	assert(!router->busy);
	list_for_each (node, &router->ports) {
		struct weft_router_port *port =
			container_of(node, struct weft_router_port, of_router);
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
	if (router->ports_n >= router->ports_max)
		return -ENOSPC;
	struct weft_router_port *port = calloc(1, sizeof(*port));
	if (!port)
		return -ENOMEM;
	port->router = router;
	port->route.opts = *opts;
	list_push_back(&router->ports, &port->of_router);
	router->ports_n++;
	if (opts->uplink)
		router->routes.uplink = &port->route;
	router->routes.generation++;
	port->link = link;
	if (link)
		weft_link_on_receive(link, receive, port);
	*ret_port = port;
	return 0;
}

void weft_router_remove(struct weft_router *router, struct weft_router_port *port)
{
	assert(port->router == router && !port->is_removed);
	if (port->link)
		weft_link_on_receive(port->link, NULL, NULL);
	port->link = NULL;
	port->is_removed = true;
	prefix_remove_all(&router->routes.networks, &port->route);
	prefix_remove_all(&router->routes.pins, &port->route);
	if (router->routes.uplink == &port->route)
		router->routes.uplink = NULL;
	router->routes.generation++;
	router->ports_n--;
	router->has_removed = true;
	if (router->busy == 0)
		sweep(router);
}

int weft_router_attach(struct weft_router_port *port, struct weft_link *link)
{
	if (link && !carries_ip(link))
		return -EINVAL;
	if (port->link)
		weft_link_on_receive(port->link, NULL, NULL);
	port->link = link;
	if (link)
		weft_link_on_receive(link, receive, port);
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
	assert(port->router == router && !port->is_removed);
	return table_add(router, &router->routes.networks, network, &port->route);
}

void weft_router_remove_network(struct weft_router *router, const struct weft_ip *network)
{
	table_remove_ip(router, &router->routes.networks, network);
}

int weft_router_add_pin(struct weft_router *router, struct weft_router_port *port,
			const struct weft_ip *source)
{
	assert(port->router == router && !port->is_removed);
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

static const struct weft_router_port *table_port(const struct prefix_table *table,
						 const struct weft_ip *ip)
{
	struct prefix p;
	return prefix_of(ip, &p) == 0 ? port_of(prefix_get(table, &p)) : NULL;
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

uint64_t weft_router_count(const struct weft_router *router,
			   const struct weft_router_port *port,
			   enum weft_router_outcome outcome)
{
	assert(outcome < WEFT_ROUTER_OUTCOMES);
	return port ? port->counts[outcome] : router->counts[outcome];
}

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
	struct weft_router_query query = query_of(in, &ends);
	consult(router, &query, &way);
	*ret_verdict = (struct weft_router_verdict){
		.outcome = way.outcome,
		.ingress = port_of(in),
		.egress = port_of(way.egress),
		.network = ip_if(way.has_network, &way.network),
		.pin = ip_if(way.has_pin, &way.pin),
		.exempt = ip_if(way.has_exempt, &way.exempt),
	};
	return 0;
}
