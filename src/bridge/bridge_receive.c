/* SPDX-License-Identifier: MIT */
/*
 * What happens to a batch that comes in on a port:
 *
 *   receive -> per frame: the way (cached, or decided and learned)
 *           -> per run of frames that go the same way: send once, count once
 *
 * The cache. Frames come in bursts of one flow, so each port remembers the addresses of its
 * last frame and the way it took. The way holds as long as the database's generation stays;
 * then a frame costs a comparison of twelve bytes and no hash.
 *
 * Once the port that a batch came in on is removed, its frames may be gone with its link, so
 * the batch ends there.
 */
#include "bridge/bridge.h"
#include "bridge/too_big.h"
#include "wire/ether.h"

#include <stdlib.h>
#include <string.h>

/* Consecutive frames of a batch that go the same way. */
struct run {
	struct forward way;
	struct snoop_way groups;
	const struct weft_frame *frames;
	size_t n;
};

/* ---- the way of a frame ------------------------------------------------------------------ */

static bool flow_fits(const struct flow *flow, const struct weft_frame *frame,
		      uint64_t generation)
{
	return flow->generation == generation && frame->len >= ETHER_LEN &&
	       memcmp(flow->addresses, frame->data, sizeof(flow->addresses)) == 0;
}

/* Decides anew, learns, and fills in the port's cache. */
static void flow_renew(struct weft_bridge_port *port, const struct weft_frame *frame,
		       uint64_t now)
{
	struct fdb *fdb = &port->bridge->fdb;
	struct flow *flow = &port->flow;
	*flow = (struct flow){ .way = forward_decide(fdb, &port->forward, frame) };
	if (frame->len < ETHER_LEN)
		return;
	if (flow->way.learn)
		flow->way.source = fdb_learn(fdb, mac_load(frame->data + ETHER_OFF_SRC),
					     &port->forward.fdb, now);
	memcpy(flow->addresses, frame->data, sizeof(flow->addresses));
	flow->generation = fdb->generation;
}

/* The way of a frame; valid until the next call for this port. */
static const struct forward *way_of(struct weft_bridge_port *port,
				    const struct weft_frame *frame, uint64_t now)
{
	if (!flow_fits(&port->flow, frame, port->bridge->fdb.generation))
		flow_renew(port, frame, now);
	if (port->flow.way.source)
		port->flow.way.source->seen_ns = now;
	return &port->flow.way;
}

/* Which of those that a flooded frame can reach want its group. */
static struct snoop_way groups_of(struct weft_bridge_port *port,
				  const struct forward *way,
				  const struct weft_frame *frame, uint64_t now)
{
	const struct weft_bridge *bridge = port->bridge;
	if (!bridge->snooping || bridge->is_snoop_paused ||
	    way->outcome != WEFT_BRIDGE_FLOODED || way->unknown)
		return (struct snoop_way){ .reach = SNOOP_TO_ALL };
	return snoop_decide(&port->bridge->snoop, &port->snoop, frame, now);
}

/* What one of several stations has not asked for, another may want without asking. */
static bool has_one_station(const struct weft_bridge_port *port)
{
	const struct list *entries = &port->forward.fdb.entries;
	return !list_is_empty(entries) && entries->next == entries->prev;
}

static bool wants_group(const struct weft_bridge_port *egress,
			const struct snoop_way *groups, uint64_t now)
{
	return groups->reach == SNOOP_TO_ALL ||
	       (groups->reach == SNOOP_TO_MEMBERS && !has_one_station(egress)) ||
	       snoop_reaches(&egress->bridge->snoop, groups, &egress->snoop, now);
}

/* ---- sending ----------------------------------------------------------------------------- */

/* Notes how a station behind the port frames its IPX. */
static void learn_ipx(struct weft_bridge_port *port, const struct weft_frame *frame,
		      uint64_t now)
{
	if (!port->bridge->ipx || !ipx_is_possible(frame))
		return;
	if (!port->ipx)
		port->ipx = calloc(1, sizeof(*port->ipx));
	if (port->ipx)
		ipx_stations_learn(port->ipx, frame, now);
}

/* Sends a frame in all the framings that stations there need. */
static void send_ipx(const struct weft_bridge_port *egress,
		     const struct weft_frame *frame, uint64_t now)
{
	uint8_t buf[IPX_TRANSLATED_MAX];
	struct ipx_copies copies = ipx_copies_of(egress->ipx, frame, now);
	struct weft_frame copy;
	while (egress->link && ipx_copies_next(&copies, buf, &copy)) {
		if (copy.data == buf)
			egress->bridge->events[WEFT_BRIDGE_IPX_TRANSLATED]++;
		weft_link_send(egress->link, &copy, 1, now);
	}
}

static bool has_ipx(const struct run *run)
{
	for (size_t i = 0; i < run->n; i++)
		if (ipx_is_possible(&run->frames[i]))
			return true;
	return false;
}

/* Sends to one port; false if it is on the bridge no more. */
static bool port_send(const struct weft_bridge_port *egress, const struct run *run,
		      uint64_t now)
{
	if (!egress->link)
		return false;
	if (egress->bridge->ipx && egress->ipx && has_ipx(run)) {
		for (size_t i = 0; i < run->n && egress->link; i++)
			send_ipx(egress, &run->frames[i], now);
		return true;
	}
	weft_link_send(egress->link, run->frames, run->n, now);
	return true;
}

/* Bytes of a frame on the wire: of a super-frame, those of its first segment. */
static uint32_t wire_len(const struct weft_frame *frame)
{
	const struct weft_offload *offload = &frame->offload;
	return offload->gso == WEFT_GSO_NONE
		       ? frame->len
		       : (uint32_t)offload->hdr_len + offload->gso_size;
}

/* Tells who sends what the other port does not take. May end with the ingress removed. */
static void answer_too_big(const struct weft_bridge_port *ingress,
			   const struct weft_bridge_port *egress, const struct run *run,
			   uint64_t now)
{
	uint8_t buf[TOO_BIG_FRAME_MAX];
	struct weft_bridge *bridge = ingress->bridge;
	if (!bridge->too_big || !egress->link)
		return;
	const uint32_t max = weft_link_caps(egress->link).frame_len_max;
	for (size_t i = 0; i < run->n && ingress->link; i++) {
		struct weft_frame answer = { .data = buf };
		if (wire_len(&run->frames[i]) <= max)
			continue;
		answer.len = (uint32_t)too_big_answer(
			&run->frames[i], max - ETHER_LEN - ETHER_TAG_LEN, buf);
		if (answer.len == 0 || !bucket_take(&bridge->too_big_left, 1, now))
			continue;
		bridge->events[WEFT_BRIDGE_TOO_BIG]++;
		weft_link_send(ingress->link, &answer, 1, now);
	}
}

/* Sends from one port to another; false if that is on the bridge no more. */
static bool pass(const struct weft_bridge_port *ingress,
		 const struct weft_bridge_port *egress, const struct run *run,
		 uint64_t now)
{
	answer_too_big(ingress, egress, run, now);
	return ingress->link && port_send(egress, run, now);
}

/* Sends to every port that takes the run; false if there was none but those of no interest. */
static bool flood(const struct weft_bridge_port *ingress, const struct run *run,
		  uint64_t now)
{
	bool any = run->groups.reach != SNOOP_TO_ALL;
	list_for_each (node, &ingress->bridge->ports.entries) {
		const struct weft_bridge_port *egress =
			container_of(node, struct weft_bridge_port, of_bridge.node);
		if (!ingress->link)
			break;
		if (forward_floods_to(&run->way, &ingress->forward, &egress->forward) &&
		    wants_group(egress, &run->groups, now) &&
		    pass(ingress, egress, run, now))
			any = true;
	}
	return any;
}

/* Sends a run on its way and counts it. */
static void run_finish(struct weft_bridge_port *ingress, const struct run *run,
		       uint64_t now)
{
	enum weft_bridge_outcome outcome = run->way.outcome;
	bool sent = true;
	if (outcome == WEFT_BRIDGE_FORWARDED)
		sent = pass(
			ingress,
			container_of(run->way.target, struct weft_bridge_port, forward),
			run, now);
	else if (outcome == WEFT_BRIDGE_FLOODED)
		sent = flood(ingress, run, now);
	if (!sent)
		outcome = WEFT_BRIDGE_DROP_NO_TARGET;
	ingress->counts[outcome] += run->n;
	ingress->bridge->counts[outcome] += run->n;
}

/* ---- a batch ----------------------------------------------------------------------------- */

void bridge_receive(void *user, struct weft_link *link, const struct weft_frame *frames,
		    size_t n, uint64_t now)
{
	(void)link;
	struct weft_bridge_port *port = user;
	struct weft_bridge *bridge = port->bridge;
	struct run run = { .frames = frames };
	port_list_enter(&bridge->ports);
	for (size_t i = 0; i < n && port->link; i++) {
		const struct forward *way = way_of(port, &frames[i], now);
		const struct snoop_way groups = groups_of(port, way, &frames[i], now);
		learn_ipx(port, &frames[i], now);
		if (run.n > 0 && forward_is_same(way, &run.way) &&
		    snoop_way_is_same(&groups, &run.groups)) {
			run.n++;
			continue;
		}
		struct run next = {
			.way = *way, .groups = groups, .frames = &frames[i], .n = 1
		};
		if (run.n > 0)
			run_finish(port, &run, now);
		run = next;
	}
	if (run.n > 0 && port->link)
		run_finish(port, &run, now);
	port_list_leave(&bridge->ports);
}
