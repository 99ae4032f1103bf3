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
#include "base/bucket.h"
#include "base/mac.h"
#include "bridge/fdb.h"
#include "bridge/forward.h"
#include "bridge/ipx_stations.h"
#include "bridge/snoop.h"
#include "bridge/too_big.h"
#include "wire/ether.h"
#include "wire/igmp.h"

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
	struct snoop_port snoop;  /* In use if the bridge snoops. */
	struct ipx_stations *ipx; /* NULL until one has spoken. */
	struct list of_bridge;
	struct weft_bridge *bridge;
	struct weft_link *link; /* NULL once removed. */
	uint64_t counts[WEFT_BRIDGE_OUTCOMES];
};

struct weft_bridge {
	struct fdb fdb;
	bool snooping;
	struct snoop snoop; /* In use if snooping. */
	struct igmp_querier asker;
	bool ipx, too_big;
	struct bucket too_big_left; /* Answers that may be given. */
	struct list ports;
	uint32_t ports_n;
	uint32_t ports_max;
	unsigned
		busy; /* Batches under way; more than one where a send leads back here. */
	bool has_removed; /* Empty places are on the list. */
	struct weft_task task;
	uint64_t counts[WEFT_BRIDGE_OUTCOMES];
	uint64_t events[WEFT_BRIDGE_EVENTS];
};

/* Consecutive frames of a batch that go the same way. */
struct run {
	struct forward way;
	struct snoop_way groups;
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

const char *weft_bridge_event_name(enum weft_bridge_event event)
{
	static const char *const names[] = {
		[WEFT_BRIDGE_GROUP_REPORT] = "group-report",
		[WEFT_BRIDGE_GROUP_QUERY] = "group-query",
		[WEFT_BRIDGE_GROUP_ASKED] = "group-asked",
		[WEFT_BRIDGE_GROUP_PRUNED] = "group-pruned",
		[WEFT_BRIDGE_GROUP_FULL] = "group-full",
		[WEFT_BRIDGE_IPX_TRANSLATED] = "ipx-translated",
		[WEFT_BRIDGE_TOO_BIG] = "too-big",
	};
	static_assert(sizeof(names) / sizeof(names[0]) == WEFT_BRIDGE_EVENTS,
		      "each event has a name");
	return event < WEFT_BRIDGE_EVENTS ? names[event] : "unknown";
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

/* Which of those that a flooded frame can reach want its group. */
static struct snoop_way groups_of(struct weft_bridge_port *port,
				  const struct forward *way,
				  const struct weft_frame *frame, uint64_t now)
{
	if (!port->bridge->snooping || way->outcome != WEFT_BRIDGE_FLOODED ||
	    way->unknown)
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
	if (egress->ipx && has_ipx(run)) {
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
	list_for_each (node, &ingress->bridge->ports) {
		const struct weft_bridge_port *egress =
			container_of(node, struct weft_bridge_port, of_bridge);
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

static void port_free(struct weft_bridge_port *port)
{
	free(port->ipx);
	free(port);
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
		port_free(port);
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
	if (--bridge->busy == 0 && bridge->has_removed)
		sweep(bridge);
}

/* ---- the bridge and its ports ------------------------------------------------------------ */

static void ask(struct weft_bridge_port *port, uint8_t family, uint64_t now)
{
	uint8_t buf[IGMP_QUERY_FRAME_MAX];
	const size_t len = igmp_query_emit(buf, family, &port->bridge->asker);
	const struct weft_frame query = { .data = buf, .len = (uint32_t)len };
	port->bridge->events[WEFT_BRIDGE_GROUP_ASKED]++;
	if (port->link)
		weft_link_send(port->link, &query, 1, now);
}

/* Asks who is in what. Sending may take ports off, so that they are swept only afterwards. */
static void ask_all(struct weft_bridge *bridge, uint64_t now)
{
	struct snoop_port *due;
	unsigned families;
	bridge->busy++;
	while ((due = snoop_due(&bridge->snoop, now, &families))) {
		struct weft_bridge_port *port =
			container_of(due, struct weft_bridge_port, snoop);
		if (families & 1)
			ask(port, AF_INET, now);
		if (families & 2)
			ask(port, AF_INET6, now);
	}
	if (--bridge->busy == 0 && bridge->has_removed)
		sweep(bridge);
}

static void task_run(struct weft_task *task, uint64_t now)
{
	struct weft_bridge *bridge = container_of(task, struct weft_bridge, task);
	fdb_age(&bridge->fdb, now, AGE_LOOKS_MAX);
	if (bridge->snooping)
		ask_all(bridge, now);
}

static uint64_t task_deadline(const struct weft_task *task)
{
	const struct weft_bridge *bridge =
		container_of_const(task, struct weft_bridge, task);
	const uint64_t ageing = fdb_deadline(&bridge->fdb);
	const uint64_t asking =
		bridge->snooping ? snoop_deadline(&bridge->snoop) : WEFT_NEVER;
	return ageing < asking ? ageing : asking;
}

/* Makes what learns and what snoops. 0 or -ENOMEM. */
static int init_tables(struct weft_bridge *bridge, const struct weft_bridge_opts *opts)
{
	static const uint8_t zeros[HASH_SECRET_LEN];
	int r = fdb_init(&bridge->fdb, opts);
	if (r < 0 || !opts->snooping)
		return r;
	bridge->asker = (struct igmp_querier){
		.mac = opts->asker_mac,
		.ip4 = opts->asker_ip4,
		.interval_s = SNOOP_INTERVAL_NS / 1000000000u,
		.answer_ms = SNOOP_ANSWER_NS / 1000000u,
	};
	r = snoop_init(&bridge->snoop, bridge->ports_max,
		       opts->secret ? opts->secret : zeros, bridge->events);
	if (r < 0)
		fdb_fini(&bridge->fdb);
	bridge->snooping = r == 0;
	return r;
}

int weft_bridge_new(const struct weft_bridge_opts *opts, struct weft_bridge **ret_bridge)
{
	static const struct weft_bridge_opts defaults;
	if (!opts)
		opts = &defaults;
	struct weft_bridge *bridge = calloc(1, sizeof(*bridge));
	if (!bridge)
		return -ENOMEM;
	bridge->ipx = opts->ipx;
	bridge->too_big = opts->too_big;
	bridge->too_big_left = bucket_of(TOO_BIG_RATE, TOO_BIG_BURST);
	bridge->ports_max = opts->ports_max ? opts->ports_max : PORTS_MAX_DEFAULT;
	if (init_tables(bridge, opts) < 0) {
		free(bridge);
		return -ENOMEM;
	}
	list_init(&bridge->ports);
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
		port_free(port);
	}
	if (bridge->snooping)
		snoop_fini(&bridge->snoop);
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
	if (bridge->snooping && snoop_port_init(&bridge->snoop, &port->snoop,
						port->forward.opts.router) < 0) {
		free(port);
		return -ENOMEM;
	}
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
	if (bridge->snooping)
		snoop_port_fini(&bridge->snoop, &port->snoop);
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

uint64_t weft_bridge_event_count(const struct weft_bridge *bridge,
				 enum weft_bridge_event event)
{
	assert(event < WEFT_BRIDGE_EVENTS);
	return bridge->events[event];
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
