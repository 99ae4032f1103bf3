/* SPDX-License-Identifier: MIT */
/*
 * The bridge as an object: its making and its end, its ports, and what it does by the clock.
 */
#include "bridge/bridge.h"

#include "base/time.h"
#include "bridge/too_big.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define PORTS_MAX_DEFAULT 1024u

/* Entries that ageing looks at in one run. */
#define AGE_LOOKS_MAX 64u

static struct weft_bridge_port *port_of(struct port_entry *entry)
{
	return container_of(entry, struct weft_bridge_port, of_bridge);
}

static void port_free(struct port_entry *entry)
{
	struct weft_bridge_port *port = port_of(entry);
	free(port->ipx);
	free(port);
}

/* ---- by the clock ------------------------------------------------------------------------ */

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
	port_list_enter(&bridge->ports);
	while ((due = snoop_due(&bridge->snoop, now, &families))) {
		struct weft_bridge_port *port =
			container_of(due, struct weft_bridge_port, snoop);
		if (families & 1)
			ask(port, AF_INET, now);
		if (families & 2)
			ask(port, AF_INET6, now);
	}
	port_list_leave(&bridge->ports);
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

void bridge_set_help(struct weft_bridge *bridge, const struct bridge_help *help)
{
	bridge->ipx = help->ipx;
	if (!bridge->snooping)
		return;
	if (bridge->is_snoop_paused && help->snooping)
		snoop_doubt(&bridge->snoop);
	bridge->is_snoop_paused = !help->snooping;
	snoop_set_free(&bridge->snoop, help->free);
}

/* ---- the bridge and its ports ------------------------------------------------------------ */

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
		.interval_s = SNOOP_INTERVAL_NS / NS_PER_S,
		.answer_ms = SNOOP_ANSWER_NS / NS_PER_MS,
	};
	r = snoop_init(&bridge->snoop, bridge->ports.max,
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
	port_list_init(&bridge->ports,
		       opts->ports_max ? opts->ports_max : PORTS_MAX_DEFAULT, port_free);
	if (init_tables(bridge, opts) < 0) {
		free(bridge);
		return -ENOMEM;
	}
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
	assert(!bridge->ports.busy);
	if (bridge->snooping)
		snoop_fini(&bridge->snoop); /* which has the ports in its heap */
	list_for_each (node, &bridge->ports.entries) {
		struct port_entry *entry = container_of(node, struct port_entry, node);
		weft_link_on_receive(port_of(entry)->link, NULL, NULL);
		port_free(entry);
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
	if (port_list_is_full(&bridge->ports))
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
	port_list_add(&bridge->ports, &port->of_bridge);
	weft_link_on_receive(link, bridge_receive, port);
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
	port_list_remove(&bridge->ports, &port->of_bridge);
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
