/* SPDX-License-Identifier: MIT */
/*
 * What happens to a batch that comes in on a port:
 *
 *   receive -> per packet: its two ends, and the way (cached, or decided)
 *           -> per run of packets that go the same way: send once, count once
 *
 * The cache. Packets come in bursts of one flow, so each port remembers the ends of its last
 * packet and the way it took, as long as the generation of the tables stays. Then a packet
 * costs the reading of its header and a comparison. Hooks are asked about each packet, behind
 * the cache: what they say depends on more than its ends.
 *
 * Once the link that a batch came in on is not on its port any more, its frames may be gone
 * with it, so the batch ends there.
 */
#include "bridge/router.h"

/* Consecutive packets of a batch that go the same way. */
struct run {
	enum weft_router_outcome outcome;
	struct route_port *egress;
	const struct weft_frame *frames;
	size_t n;
};

/* ---- the way of a packet ----------------------------------------------------------------- */

static bool flow_fits(const struct route_flow *flow, const struct route_ends *ends,
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
	struct weft_router_query query = router_query_of(&port->route, ends);
	struct route way = { .outcome = run->outcome, .egress = run->egress };
	query.frame = run->frames;
	query.now = now;
	router_consult(port->router, &query, &way);
	run->outcome = way.outcome;
	run->egress = way.egress;
}

/* The packet as a run of one. */
static struct run run_of(struct weft_router_port *port, const struct weft_frame *frame,
			 uint64_t now)
{
	const struct routes *routes = &port->router->routes;
	struct run run = { .frames = frame, .n = 1 };
	struct route_flow *flow = &port->flow;
	struct route_ends ends;

	run.outcome = route_ends_of(frame->data, frame->len, &ends);
	if (run.outcome != WEFT_ROUTER_FORWARDED)
		return run;
	if (!flow_fits(flow, &ends, routes->generation)) {
		const struct route way = route_decide(routes, &port->route, &ends);
		*flow = (struct route_flow){ .generation = routes->generation,
					     .ends = ends,
					     .outcome = way.outcome,
					     .egress = way.egress,
					     .asks_hooks = router_asks_hooks(port->router,
									     &way) };
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
	if (router_is_passed(outcome)) {
		const struct weft_router_port *egress = router_port_of(run->egress);
		if (egress->link)
			weft_link_send(egress->link, run->frames, run->n, now);
		else
			outcome = WEFT_ROUTER_DROP_NO_LINK;
	}
	ingress->counts[outcome] += run->n;
	ingress->router->counts[outcome] += run->n;
}

/* ---- a batch ----------------------------------------------------------------------------- */

void router_receive(void *user, struct weft_link *link, const struct weft_frame *frames,
		    size_t n, uint64_t now)
{
	struct weft_router_port *port = user;
	struct weft_router *router = port->router;
	struct run run = { .n = 0 };
	port_list_enter(&router->ports);
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
	port_list_leave(&router->ports);
}
