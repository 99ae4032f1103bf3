/* SPDX-License-Identifier: MIT */
/*
 * The bridge's inside: what its parts know of each other.
 *
 *     bridge.c           ports come and go; ageing, and questions about groups
 *     bridge_receive.c   a batch comes in on a port, and goes out on others
 *     bridge_facts.c     what was counted, and which addresses are known
 */
#ifndef BRIDGE_BRIDGE_H
#define BRIDGE_BRIDGE_H

#include "base/bucket.h"
#include "base/mac.h"
#include "bridge/fdb.h"
#include "bridge/forward.h"
#include "bridge/ipx_stations.h"
#include "bridge/port_list.h"
#include "bridge/snoop.h"
#include "wire/igmp.h"

#include <weft/bridge.h>

#include <stdbool.h>
#include <stdint.h>

/** The way that the frames of one flow take. Holds while generation is the database's. */
struct flow {
	uint64_t generation; /**< 0 for an empty cache. */
	uint8_t addresses[2 * MAC_LEN];
	struct forward way;
};

struct weft_bridge_port {
	struct forward_port forward;
	struct flow flow;
	struct snoop_port snoop;  /**< In use if the bridge snoops. */
	struct ipx_stations *ipx; /**< NULL until one has spoken. */
	struct port_entry of_bridge;
	struct weft_bridge *bridge;
	struct weft_link *link; /**< NULL once removed. */
	uint64_t counts[WEFT_BRIDGE_OUTCOMES];
};

struct weft_bridge {
	struct fdb fdb;
	bool snooping;
	bool is_snoop_paused; /**< Streams go to everyone for now. */
	struct snoop snoop;   /**< In use if snooping. */
	struct igmp_querier asker;
	bool ipx, too_big;
	struct bucket too_big_left; /**< Answers that may be given. */
	struct port_list ports;     /**< struct weft_bridge_port.of_bridge */
	struct weft_task task;
	uint64_t counts[WEFT_BRIDGE_OUTCOMES];
	uint64_t events[WEFT_BRIDGE_EVENTS];
};

/** What a bridge does beside forwarding, as far as it can be changed while it runs. */
struct bridge_help {
	bool snooping; /**< Without effect on a bridge that was made without. */
	bool ipx;
	struct snoop_rate free; /**< Of snooping. */
};

/** Does so from now on. Who is in which group is asked anew after a pause. */
void bridge_set_help(struct weft_bridge *bridge, const struct bridge_help *help);

/** The receiver of a port's link: what becomes of a batch that came in on it. */
void bridge_receive(void *user, struct weft_link *link, const struct weft_frame *frames,
		    size_t n, uint64_t now);

#endif
