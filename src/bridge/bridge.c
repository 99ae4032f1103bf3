/* SPDX-License-Identifier: MIT */
/*
 * Ports, and what happens to a batch that comes in on one:
 *
 *   receive -> per frame: the way (cached, or decided and learned)
 *           -> per run of frames that go the same way: send once, count once
 *
 * The cache. Frames come in bursts of one flow, so each port remembers the addresses of its
 * last frame and the way it took. The way holds as long as the database's generation stays;
 * then a frame costs a comparison of twelve bytes and no hash.
 *
 * Removal. Sending can end in code that takes ports off this bridge: the one that a frame came
 * in on, the one it goes to, or any other on the way of a flood. While a batch is under way
 * (busy) a removed port loses its link and stays on the list as an empty place, which everyone
 * steps over; the last one out sweeps. Once the port that a batch came in on is removed, its
 * frames may be gone with its link, so the batch ends there.
 */
#include "base/mac.h"
#include "bridge/fdb.h"
#include "bridge/forward.h"
#include "wire/ether.h"

#include <weft/bridge.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PORTS_MAX_DEFAULT 1024u

/* Entries that ageing looks at in one run. */
#define AGE_LOOKS_MAX 64u

/* The way that the frames of one flow take. Holds while generation is the database's. */
struct flow {
	uint64_t generation; /* 0 for an empty cache. */
	uint8_t addresses[2 * MAC_LEN];
	struct forward way;
};

struct weft_bridge_port {
	struct forward_port forward;
	struct flow flow;
	struct list of_bridge;
	struct weft_bridge *bridge;
	struct weft_link *link; /* NULL once removed. */
	uint64_t counts[WEFT_BRIDGE_OUTCOMES];
};

struct weft_bridge {
	struct fdb fdb;
	struct list ports;
	uint32_t ports_n;
	uint32_t ports_max;
	unsigned
		busy; /* Batches under way; more than one where a send leads back here. */
	bool has_removed; /* Empty places are on the list. */
	struct weft_task task;
	uint64_t counts[WEFT_BRIDGE_OUTCOMES];
};

/* Consecutive frames of a batch that go the same way. */
struct run {
	struct forward way;
	const struct weft_frame *frames;
	size_t n;
};

const char *weft_bridge_outcome_name(enum weft_bridge_outcome outcome)
{
	static const char *const names[] = {
		[WEFT_BRIDGE_FORWARDED] = "forwarded",
		[WEFT_BRIDGE_FLOODED] = "flooded",
		[WEFT_BRIDGE_DROP_RUNT] = "drop-runt",
		[WEFT_BRIDGE_DROP_BAD_SOURCE] = "drop-bad-source",
		[WEFT_BRIDGE_DROP_SPOOFED] = "drop-spoofed",
		[WEFT_BRIDGE_DROP_RESERVED] = "drop-reserved",
		[WEFT_BRIDGE_DROP_SAME_PORT] = "drop-same-port",
		[WEFT_BRIDGE_DROP_ISOLATED] = "drop-isolated",
		[WEFT_BRIDGE_DROP_NO_TARGET] = "drop-no-target",
	};
	static_assert(sizeof(names) / sizeof(names[0]) == WEFT_BRIDGE_OUTCOMES,
		      "each outcome has a name");
	return outcome < WEFT_BRIDGE_OUTCOMES ? names[outcome] : "unknown";
}

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

/* ---- sending ----------------------------------------------------------------------------- */

/* Sends to one port; false if it is on the bridge no more. */
static bool port_send(const struct weft_bridge_port *egress, const struct run *run,
		      uint64_t now)
{
	if (!egress->link)
		return false;
	weft_link_send(egress->link, run->frames, run->n, now);
	return true;
}

/* Sends to every port that takes the run; false if there was none. */
static bool flood(const struct weft_bridge_port *ingress, const struct run *run,
		  uint64_t now)
{
	bool any = false;
	list_for_each (node, &ingress->bridge->ports) {
		const struct weft_bridge_port *egress =
			container_of(node, struct weft_bridge_port, of_bridge);
		if (!ingress->link)
			break;
		if (forward_floods_to(&run->way, &ingress->forward, &egress->forward) &&
		    port_send(egress, run, now))
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
		sent = port_send(
			container_of(run->way.target, struct weft_bridge_port, forward),
			run, now);
	else if (outcome == WEFT_BRIDGE_FLOODED)
		sent = flood(ingress, run, now);
	if (!sent)
		outcome = WEFT_BRIDGE_DROP_NO_TARGET;
	ingress->counts[outcome] += run->n;
	ingress->bridge->counts[outcome] += run->n;
}

/* Frees the ports that were removed while a batch was under way. */
static void sweep(struct weft_bridge *bridge)
{
	list_for_each (node, &bridge->ports) {
		struct weft_bridge_port *port =
			container_of(node, struct weft_bridge_port, of_bridge);
		if (port->link)
			continue;
		list_remove(&port->of_bridge);
		free(port);
	}
	bridge->has_removed = false;
}

static void receive(void *user, struct weft_link *link, const struct weft_frame *frames,
		    size_t n, uint64_t now)
{
	(void)link;
	struct weft_bridge_port *port = user;
	struct weft_bridge *bridge = port->bridge;
	struct run run = { .frames = frames };
	bridge->busy++;
	for (size_t i = 0; i < n && port->link; i++) {
		const struct forward *way = way_of(port, &frames[i], now);
		if (run.n > 0 && forward_is_same(way, &run.way)) {
			run.n++;
			continue;
		}
		struct run next = { .way = *way, .frames = &frames[i], .n = 1 };
		if (run.n > 0)
			run_finish(port, &run, now);
		run = next;
	}
	if (run.n > 0 && port->link)
		run_finish(port, &run, now);
	if (--bridge->busy == 0 && bridge->has_removed)
		sweep(bridge);
}

/* ---- the bridge and its ports ------------------------------------------------------------ */

static void task_run(struct weft_task *task, uint64_t now)
{
	struct weft_bridge *bridge = container_of(task, struct weft_bridge, task);
	fdb_age(&bridge->fdb, now, AGE_LOOKS_MAX);
}

static uint64_t task_deadline(const struct weft_task *task)
{
	const struct weft_bridge *bridge =
		container_of_const(task, struct weft_bridge, task);
	return fdb_deadline(&bridge->fdb);
}

int weft_bridge_new(const struct weft_bridge_opts *opts, struct weft_bridge **ret_bridge)
{
	static const struct weft_bridge_opts defaults;
	if (!opts)
		opts = &defaults;
	struct weft_bridge *bridge = calloc(1, sizeof(*bridge));
	if (!bridge)
		return -ENOMEM;
	if (fdb_init(&bridge->fdb, opts) < 0) {
		free(bridge);
		return -ENOMEM;
	}
	list_init(&bridge->ports);
	bridge->ports_max = opts->ports_max ? opts->ports_max : PORTS_MAX_DEFAULT;
	bridge->task = (struct weft_task){ .fd = -1,
					   .run = task_run,
					   .deadline = task_deadline };
	*ret_bridge = bridge;
	return 0;
}

void weft_bridge_free(struct weft_bridge *bridge)
{
	if (!bridge)
		return;
	assert(!bridge->busy);
	list_for_each (node, &bridge->ports) {
		struct weft_bridge_port *port =
			container_of(node, struct weft_bridge_port, of_bridge);
		weft_link_on_receive(port->link, NULL, NULL);
		free(port);
	}
	fdb_fini(&bridge->fdb);
	free(bridge);
}

int weft_bridge_add(struct weft_bridge *bridge, struct weft_link *link,
		    const struct weft_bridge_port_opts *opts,
		    struct weft_bridge_port **ret_port)
{
	static const struct weft_bridge_port_opts defaults;
	if (weft_link_caps(link).flags & (WEFT_LINK_IP | WEFT_LINK_PPP))
		return -EINVAL;
	if (bridge->ports_n >= bridge->ports_max)
		return -ENOSPC;
	struct weft_bridge_port *port = calloc(1, sizeof(*port));
	if (!port)
		return -ENOMEM;
	port->bridge = bridge;
	port->link = link;
	port->forward.opts = opts ? *opts : defaults;
	fdb_port_init(&port->forward.fdb, port->forward.opts.fdb_max);
	list_push_back(&bridge->ports, &port->of_bridge);
	bridge->ports_n++;
	weft_link_on_receive(link, receive, port);
	*ret_port = port;
	return 0;
}

void weft_bridge_remove(struct weft_bridge *bridge, struct weft_bridge_port *port)
{
	assert(port->bridge == bridge && port->link);
	weft_link_on_receive(port->link, NULL, NULL);
	fdb_port_fini(&bridge->fdb, &port->forward.fdb);
	port->link = NULL;
	bridge->ports_n--;
	bridge->has_removed = true;
	if (bridge->busy == 0)
		sweep(bridge);
}

struct weft_link *weft_bridge_port_link(const struct weft_bridge_port *port)
{
	return port->link;
}

int weft_bridge_bind(struct weft_bridge *bridge, struct weft_mac mac,
		     struct weft_bridge_port *port)
{
	if (mac_is_group(mac) || mac_is_zero(mac))
		return -EINVAL;
	return fdb_bind(&bridge->fdb, mac, &port->forward.fdb);
}

void weft_bridge_unbind(struct weft_bridge *bridge, struct weft_mac mac)
{
	fdb_unbind(&bridge->fdb, mac);
}

struct weft_task *weft_bridge_task(struct weft_bridge *bridge)
{
	return &bridge->task;
}

/* ---- facts ------------------------------------------------------------------------------- */

uint64_t weft_bridge_count(const struct weft_bridge *bridge,
			   const struct weft_bridge_port *port,
			   enum weft_bridge_outcome outcome)
{
	assert(outcome < WEFT_BRIDGE_OUTCOMES);
	return port ? port->counts[outcome] : bridge->counts[outcome];
}

struct weft_bridge_fdb_stats weft_bridge_fdb_stats(const struct weft_bridge *bridge)
{
	return bridge->fdb.stats;
}

const struct weft_bridge_port *weft_bridge_lookup(const struct weft_bridge *bridge,
						  struct weft_mac mac)
{
	const struct fdb_entry *entry = fdb_lookup(&bridge->fdb, mac);
	return entry ? container_of_const(entry->port, struct weft_bridge_port,
					  forward.fdb)
		     : NULL;
}

void weft_bridge_each(const struct weft_bridge *bridge, uint64_t now,
		      void (*fn)(void *user, struct weft_mac mac,
				 const struct weft_bridge_port *port, bool bound,
				 uint64_t age_ns),
		      void *user)
{
	struct table_iter it;
	const void *key;
	void *value;
	table_iter_init(&it, bridge->fdb.entries);
	while (table_iter_next(&it, &key, &value)) {
		const struct fdb_entry *entry = value;
		const struct weft_bridge_port *port = container_of_const(
			entry->port, struct weft_bridge_port, forward.fdb);
		uint64_t age_ns =
			entry->bound || now < entry->seen_ns ? 0 : now - entry->seen_ns;
		fn(user, entry->mac, port, entry->bound, age_ns);
	}
}
