/* SPDX-License-Identifier: MIT */
/*
 * The router's inside: what its parts know of each other.
 *
 *     router.c           ports and networks come and go; what was counted
 *     router_receive.c   a batch comes in on a port, and goes out on others
 *     router_verdict.c   what the hooks have to say; the verdict on a packet that is told of
 *
 * The decision by the tables alone is route.h's.
 */
#ifndef BRIDGE_ROUTER_H
#define BRIDGE_ROUTER_H

#include "base/container.h"
#include "bridge/port_list.h"
#include "bridge/route.h"

#include <weft/router.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The way that the packets of one flow take. Holds while generation is the tables'. */
struct route_flow {
	uint64_t generation; /**< 0 for an empty cache. */
	struct route_ends ends;
	enum weft_router_outcome outcome;
	struct route_port *egress;
	bool asks_hooks; /**< They have a word in what becomes of each packet. */
};

struct weft_router_port {
	struct route_port route;
	struct route_flow flow;
	struct port_entry of_router;
	struct weft_router *router;
	struct weft_link *link; /**< NULL for none, or once removed. */
	uint64_t counts[WEFT_ROUTER_OUTCOMES];
};

struct weft_router {
	struct routes routes;
	struct weft_router_hooks hooks;
	struct port_list ports; /**< struct weft_router_port.of_router */
	uint64_t counts[WEFT_ROUTER_OUTCOMES];
};

/** The port of what the tables hold, or NULL of NULL. */
static inline const struct weft_router_port *router_port_of(
	const struct route_port *route)
{
	return route ? container_of_const(route, struct weft_router_port, route) : NULL;
}

/** True where a packet that ends so is sent on. */
static inline bool router_is_passed(enum weft_router_outcome outcome)
{
	return outcome <= WEFT_ROUTER_UPLINK;
}

/**
 * Makes room in the tables for what is in those of another router: as long as there is no more
 * in each, adding takes no memory. Returns 0 or -ENOMEM.
 */
int router_reserve(struct weft_router *router,
		   const struct weft_router *other) WEFT_MUST_CHECK;

/** The receiver of a port's link: what becomes of a batch that came in on it. */
void router_receive(void *user, struct weft_link *link, const struct weft_frame *frames,
		    size_t n, uint64_t now);

/** What a hook is told of a packet that came in on the port: all but its bytes and the time. */
struct weft_router_query router_query_of(const struct route_port *ingress,
					 const struct route_ends *ends);

/** Whether hooks have to be asked about each packet that goes this way. */
bool router_asks_hooks(const struct weft_router *router, const struct route *way);

/**
 * Asks them about what the tables do not decide: which exit, and whether the packet may pass.
 * Changes the way to what they say.
 */
void router_consult(const struct weft_router *router, struct weft_router_query *query,
		    struct route *way);

#endif
