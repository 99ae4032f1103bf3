/* SPDX-License-Identifier: MIT */
/*
 * Each plane has a router or a bridge, never both; what differs is in functions whose names
 * begin with router_ and bridge_. The router asks (weft_router_hooks) what ACL and exits say;
 * where the configuration has neither, nobody is asked.
 *
 * A configuration is tried before it is taken: its networks are put into a router of their own,
 * to which nothing is connected. What goes into that one goes into the plane's as well, which
 * is given as much room as it took. So nothing can fail half way.
 */
#include "tunnel/plane.h"

#include "base/list.h"
#include "base/net.h"
#include "bridge/router.h"
#include "tunnel/facts.h"
#include "tunnel/policy.h"

#include <weft/bridge.h>
#include <weft/loop.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Addresses that are learned: of all, and behind one client, so that one cannot fill all. */
#define FDB_MAX      16384u
#define FDB_PORT_MAX 1024u

/* While clients make way for others, both are there; and the device. */
#define ROUTER_PORTS_MAX (2 * WEFT_TUNNEL_CLIENTS_MAX + 1)
#define BRIDGE_PORTS_MAX (2 * WEFT_TUNNEL_ETHERNET_CLIENTS_MAX + 1)

struct plane {
	const struct weft_tunnel_interface *conf;
	const struct weft_tunnel_interface *next; /* What is prepared, or NULL: */
	struct policy *next_policy;
	uint8_t secret[16];
	struct list ports;
	struct weft_router *router; /* NULL with mode ethernet, */
	struct policy *policy;      /* like this, */
	struct weft_bridge *bridge; /* and this with mode ip. */
	/* The device's port: */
	struct weft_router_port *on_router;
	struct weft_bridge_port *on_bridge;
};

struct plane_port {
	struct list of_plane;
	struct plane *plane;
	const struct weft_tunnel_client *conf;
	struct policy_port policy; /* With its port on the router. */
	struct weft_bridge_port *on_bridge;
};

/* ---- mode ip ----------------------------------------------------------------------------- */

/* What never goes to a pinned client or an exit: the own addresses and the top-level routes. */
static int router_exempt(struct weft_router *router,
			 const struct weft_tunnel_interface *conf)
{
	const struct weft_ip own = net_host(&conf->net), own6 = net_host(&conf->net6);
	int r = own.family ? weft_router_exempt(router, &own) : 0;
	if (r == 0 && own6.family)
		r = weft_router_exempt(router, &own6);
	for (size_t i = 0; i < conf->routes_n && r >= 0; i++) {
		r = weft_router_exempt(router, &conf->routes[i]);
		r = r == -EEXIST ? 0 : r;
	}
	return r;
}

static void router_unexempt(struct weft_router *router,
			    const struct weft_tunnel_interface *conf)
{
	const struct weft_ip own = net_host(&conf->net), own6 = net_host(&conf->net6);
	weft_router_unexempt(router, &own);
	weft_router_unexempt(router, &own6);
	for (size_t i = 0; i < conf->routes_n; i++)
		weft_router_unexempt(router, &conf->routes[i]);
}

static void router_ask(struct plane *p)
{
	const struct weft_router_hooks hooks = policy_hooks(p->policy);
	weft_router_set_hooks(p->router, &hooks);
}

/* What is said twice of one client is no contradiction. */
static int router_add_network(struct weft_router *router, struct weft_router_port *port,
			      const struct weft_ip *network)
{
	int r = weft_router_add_network(router, port, network);
	return r == -EEXIST && weft_router_network_port(router, network) == port ? 0 : r;
}

static int router_add_pin(struct weft_router *router, struct weft_router_port *port,
			  const struct weft_ip *source)
{
	int r = weft_router_add_pin(router, port, source);
	return r == -EEXIST && weft_router_pin_port(router, source) == port ? 0 : r;
}

/* Gives the port what its client's entry in the configuration says. */
static int router_fill(struct weft_router *router, struct weft_router_port *port,
		       const struct weft_tunnel_client *conf)
{
	int r = 0;
	for (size_t i = 0; i < conf->ips_n && r == 0; i++)
		r = router_add_network(router, port, &conf->ips[i]);
	for (size_t i = 0; i < conf->routes_n && r == 0; i++)
		r = router_add_network(router, port, &conf->routes[i]);
	for (size_t i = 0; i < conf->sources_n && r == 0; i++)
		r = router_add_pin(router, port, &conf->sources[i]);
	return r;
}

/* A router for the clients of two configurations. */
static int router_new(struct weft_router **ret_router)
{
	const struct weft_router_opts opts = { .ports_max = ROUTER_PORTS_MAX,
					       .networks_max = WEFT_TUNNEL_NETWORKS_MAX };
	return weft_router_new(&opts, ret_router);
}

static int router_tell(const char *name, int r, struct weft_error *err)
{
	if (r == -EEXIST)
		return weft_error_set(err, r,
				      "%s: an address, route or source of this client is "
				      "another client's as well",
				      name);
	if (r == -ENOSPC)
		return weft_error_set(err, r,
				      "%s: with its networks there are more than %u; the "
				      "rest needs another server",
				      name, WEFT_TUNNEL_NETWORKS_MAX);
	return r < 0 ? weft_error_set(err, r, "%s: %s", name, strerror(-r)) : 0;
}

static int router_try_client(struct weft_router *trial,
			     const struct weft_tunnel_client *conf,
			     struct weft_error *err)
{
	struct weft_router_port *port;
	int r = weft_router_add(trial, NULL, NULL, &port);
	if (r == 0)
		r = router_fill(trial, port, conf);
	return router_tell(conf->name, r, err);
}

/* Whether a router can hold the configuration; p's gets the room for it. */
static int router_try(struct plane *p, const struct weft_tunnel_interface *conf,
		      struct weft_error *err)
{
	struct weft_router *trial = NULL;
	int r = router_new(&trial);
	if (r == 0)
		r = router_exempt(trial, conf);
	r = router_tell(conf->name, r, err);
	for (size_t i = 0; i < conf->clients_n && r == 0; i++)
		r = router_try_client(trial, &conf->clients[i], err);
	if (r == 0 && router_reserve(p->router, trial) < 0)
		r = weft_error_set(err, -ENOMEM, "out of memory");
	weft_router_free(trial);
	return r;
}

/* All that can fail before the router holds the configuration. */
static int router_prepare(struct plane *p, const struct weft_tunnel_interface *conf,
			  struct weft_error *err, struct policy **ret_policy)
{
	int r = router_try(p, conf, err);
	if (r < 0)
		return r;
	r = policy_new(conf, p->secret, ret_policy);
	return r < 0 ? weft_error_set(err, r, "out of memory") : 0;
}

static int router_begin(struct plane *p, struct weft_link *device, struct weft_error *err)
{
	const struct weft_router_port_opts opts = { .uplink = true };
	int r = router_new(&p->router);
	if (r == 0)
		r = weft_router_add(p->router, device, &opts, &p->on_router);
	if (r < 0)
		return weft_error_set(err, r, "%s: %s", p->conf->name, strerror(-r));
	r = router_prepare(p, p->conf, err, &p->policy);
	if (r < 0)
		return r;
	r = router_exempt(p->router, p->conf);
	assert(r == 0);
	router_ask(p);
	return r;
}

static void router_join(struct plane_port *port)
{
	struct plane *p = port->plane;
	const struct weft_tunnel_client *conf = port->conf;
	assert(conf >= p->conf->clients && conf < p->conf->clients + p->conf->clients_n);
	policy_join(p->policy, &port->policy, (uint32_t)(conf - p->conf->clients));
	weft_router_set_source_check(port->policy.on_router, !conf->no_source_check);
	int r = router_fill(p->router, port->policy.on_router, conf);
	assert(r == 0);
	(void)r;
}

static int router_add(struct plane_port *port, struct weft_link *link)
{
	const struct weft_router_port_opts opts = { .user = &port->policy };
	port->policy.party = PARTY_NOBODY;
	return weft_router_add(port->plane->router, link, &opts, &port->policy.on_router);
}

static void router_remove(struct plane_port *port)
{
	policy_leave(port->plane->policy, &port->policy);
	if (port->policy.on_router)
		weft_router_remove(port->plane->router, port->policy.on_router);
}

/* ---- mode ethernet ----------------------------------------------------------------------- */

static int bridge_begin(struct plane *p, struct weft_link *device, struct weft_error *err)
{
	const struct weft_bridge_opts opts = { .ports_max = BRIDGE_PORTS_MAX,
					       .fdb_max = FDB_MAX,
					       .secret = p->secret };
	int r = weft_bridge_new(&opts, &p->bridge);
	if (r == 0 && device)
		r = weft_bridge_add(p->bridge, device, NULL, &p->on_bridge);
	return r < 0 ? weft_error_set(err, r, "%s: %s", p->conf->name, strerror(-r)) : 0;
}

static int bridge_add(struct plane_port *port, struct weft_link *link)
{
	const struct weft_bridge_port_opts opts = { .fdb_max = FDB_PORT_MAX };
	return weft_bridge_add(port->plane->bridge, link, &opts, &port->on_bridge);
}

/* ---- both -------------------------------------------------------------------------------- */

static int check_clients(const struct weft_tunnel_interface *conf, struct weft_error *err)
{
	const bool is_ip = conf->mode == WEFT_TUNNEL_IP;
	const size_t max =
		is_ip ? WEFT_TUNNEL_CLIENTS_MAX : WEFT_TUNNEL_ETHERNET_CLIENTS_MAX;
	if (conf->clients_n <= max)
		return 0;
	return weft_error_set(err, -ENOSPC,
			      "%s: %zu clients; a server with mode \"%s\" has at most "
			      "%zu, the rest needs another one",
			      conf->name, conf->clients_n, is_ip ? "ip" : "ethernet",
			      max);
}

int plane_new(const struct weft_tunnel_interface *conf, const uint8_t secret[16],
	      struct weft_link *device, struct weft_error *err, struct plane **ret_plane)
{
	struct plane *p = calloc(1, sizeof(*p));
	if (!p)
		return weft_error_set(err, -ENOMEM, "out of memory");
	p->conf = conf;
	memcpy(p->secret, secret, sizeof(p->secret));
	list_init(&p->ports);
	int r = check_clients(conf, err);
	if (r == 0)
		r = conf->mode == WEFT_TUNNEL_IP ? router_begin(p, device, err)
						 : bridge_begin(p, device, err);
	if (r < 0) {
		plane_free(p);
		return r;
	}
	*ret_plane = p;
	return 0;
}

/* Stations behind a device that was on a bridge may be elsewhere, and are learned anew. */
static int bridge_attach(struct plane *p, struct weft_link *device)
{
	if (p->on_bridge)
		weft_bridge_remove(p->bridge, p->on_bridge);
	p->on_bridge = NULL;
	return weft_bridge_add(p->bridge, device, NULL, &p->on_bridge);
}

int plane_attach(struct plane *p, struct weft_link *device, struct weft_error *err)
{
	int r = p->router ? weft_router_attach(p->on_router, device)
			  : bridge_attach(p, device);
	return r < 0 ? weft_error_set(err, r, "%s: %s", p->conf->name, strerror(-r)) : 0;
}

void plane_free(struct plane *p)
{
	if (!p)
		return;
	plane_cancel(p);
	list_for_each (node, &p->ports)
		plane_remove(container_of(node, struct plane_port, of_plane));
	weft_router_free(p->router);
	policy_free(p->policy);
	weft_bridge_free(p->bridge);
	free(p);
}

int plane_add(struct plane *p, const struct weft_tunnel_client *conf,
	      struct weft_link *link, struct weft_error *err,
	      struct plane_port **ret_port)
{
	struct plane_port *port = calloc(1, sizeof(*port));
	if (!port)
		return weft_error_set(err, -ENOMEM, "out of memory");
	port->plane = p;
	port->conf = conf;
	list_push_back(&p->ports, &port->of_plane);
	int r = p->router ? router_add(port, link) : bridge_add(port, link);
	if (r < 0) {
		plane_remove(port);
		return weft_error_set(err, r, "%s: %s", conf->name, strerror(-r));
	}
	*ret_port = port;
	return 0;
}

void plane_remove(struct plane_port *port)
{
	if (!port)
		return;
	if (port->plane->router)
		router_remove(port);
	if (port->on_bridge)
		weft_bridge_remove(port->plane->bridge, port->on_bridge);
	list_remove(&port->of_plane);
	free(port);
}

/* ---- a changed configuration ------------------------------------------------------------- */

static void router_clear(struct plane_port *port)
{
	struct weft_router *router = port->plane->router;
	policy_leave(port->plane->policy, &port->policy);
	for (size_t i = 0; i < port->conf->ips_n; i++)
		weft_router_remove_network(router, &port->conf->ips[i]);
	for (size_t i = 0; i < port->conf->routes_n; i++)
		weft_router_remove_network(router, &port->conf->routes[i]);
	for (size_t i = 0; i < port->conf->sources_n; i++)
		weft_router_remove_pin(router, &port->conf->sources[i]);
}

static void router_commit(struct plane *p)
{
	struct policy *before = p->policy;
	router_unexempt(p->router, p->conf);
	int r = router_exempt(p->router, p->next);
	assert(r == 0);
	(void)r;
	policy_inherit(p->next_policy, before);
	list_for_each (node, &p->ports)
		router_clear(container_of(node, struct plane_port, of_plane));
	p->policy = p->next_policy;
	p->next_policy = NULL;
	router_ask(p);
	policy_free(before);
}

int plane_prepare(struct plane *p, const struct weft_tunnel_interface *conf,
		  struct weft_error *err)
{
	assert(conf->mode == p->conf->mode && !p->next);
	int r = check_clients(conf, err);
	if (r == 0 && p->router)
		r = router_prepare(p, conf, err, &p->next_policy);
	if (r == 0)
		p->next = conf;
	return r;
}

void plane_commit(struct plane *p)
{
	assert(p->next);
	if (p->router)
		router_commit(p);
	p->conf = p->next;
	p->next = NULL;
}

void plane_cancel(struct plane *p)
{
	policy_free(p->next_policy);
	p->next_policy = NULL;
	p->next = NULL;
}

void plane_join(struct plane_port *port, const struct weft_tunnel_client *conf)
{
	port->conf = conf;
	if (port->plane->router)
		router_join(port);
}

/* ---- time and facts ---------------------------------------------------------------------- */

void plane_set_health(struct plane_port *port, bool is_connected, uint64_t rtt_ns,
		      uint32_t loss_permille, uint64_t now)
{
	const struct exit_member health = { .is_connected = is_connected,
					    .rtt_ns = rtt_ns,
					    .loss_permille = loss_permille };
	if (port->plane->policy)
		policy_set_health(port->plane->policy, &port->policy, &health, now);
}

void plane_tick(struct plane *p, uint64_t now)
{
	struct weft_task *task = p->bridge ? weft_bridge_task(p->bridge) : NULL;
	if (task && task->deadline(task) <= now)
		task->run(task, now);
	if (p->policy)
		policy_tick(p->policy, now);
}

int plane_explain(struct plane *p, const struct weft_ip *src, const struct weft_ip *dst,
		  struct weft_router_verdict *ret_verdict)
{
	if (!p->router)
		return -ENOENT;
	list_for_each (node, &p->ports)
		plane_set_health(container_of(node, struct plane_port, of_plane), true, 0,
				 0, 0);
	policy_tick(p->policy, 0);
	return weft_router_explain(p->router, NULL, src, dst, ret_verdict);
}

uint64_t plane_dropped(const struct plane *p)
{
	uint64_t n = 0;
	if (p->bridge)
		for (unsigned i = WEFT_BRIDGE_DROP_RUNT; i < WEFT_BRIDGE_OUTCOMES; i++)
			n += weft_bridge_count(p->bridge, NULL,
					       (enum weft_bridge_outcome)i);
	if (p->router)
		for (unsigned i = WEFT_ROUTER_DROP_NOT_IP; i < WEFT_ROUTER_OUTCOMES; i++)
			n += weft_router_count(p->router, NULL,
					       (enum weft_router_outcome)i);
	return n;
}

/* Outcomes that never were are not told. */
static void set_outcome(json_t *object, const char *name, uint64_t n)
{
	if (n > 0)
		facts_set(object, name, n);
}

static json_t *router_outcomes(const struct weft_router *router,
			       const struct weft_router_port *port)
{
	json_t *object = json_object();
	for (unsigned i = 0; i < WEFT_ROUTER_OUTCOMES; i++) {
		enum weft_router_outcome outcome = (enum weft_router_outcome)i;
		set_outcome(object, weft_router_outcome_name(outcome),
			    weft_router_count(router, port, outcome));
	}
	return object;
}

static json_t *bridge_outcomes(const struct weft_bridge *bridge,
			       const struct weft_bridge_port *port)
{
	json_t *object = json_object();
	for (unsigned i = 0; i < WEFT_BRIDGE_OUTCOMES; i++) {
		enum weft_bridge_outcome outcome = (enum weft_bridge_outcome)i;
		set_outcome(object, weft_bridge_outcome_name(outcome),
			    weft_bridge_count(bridge, port, outcome));
	}
	return object;
}

json_t *plane_json(const struct plane *p, uint64_t now)
{
	(void)now;
	json_t *object = json_pack("{s:o}", "packets",
				   p->router ? router_outcomes(p->router, NULL)
					     : bridge_outcomes(p->bridge, NULL));
	if (p->policy)
		policy_json(p->policy, object);
	return object;
}

json_t *plane_port_json(const struct plane_port *port, uint64_t now)
{
	const struct plane *p = port->plane;
	(void)now;
	return json_pack("{s:o}", "packets",
			 p->router ? router_outcomes(p->router, port->policy.on_router)
				   : bridge_outcomes(p->bridge, port->on_bridge));
}
