/* SPDX-License-Identifier: MIT */
/*
 * Where a packet goes: a pure function of its two addresses, the port it came in on and the
 * tables. It changes nothing and sends nothing, so that every rule of the router can be tested
 * as a line of a table, and asked about offline.
 */
#ifndef BRIDGE_ROUTE_H
#define BRIDGE_ROUTE_H

#include "bridge/prefix.h"

#include <weft/frame.h>
#include <weft/router.h>

#include <stdbool.h>
#include <stdint.h>

/** What the decision has to know of a port. Embedded in the port. */
struct route_port {
	struct weft_router_port_opts opts;
};

struct route_ends;

/** The tables. Values are struct route_port *; of exempt, any. */
struct routes {
	struct prefix_table networks, pins, exempt;
	struct route_port *uplink; /**< NULL for none. */
	/** Whether ingress is an exit for what comes from ends->dst. NULL: nobody is. */
	bool (*is_exit)(const struct routes *routes, const struct route_port *ingress,
			const struct route_ends *ends);
	bool has_exits; /**< Somebody else chooses among ways out. */
	/** Is another one after each change of the tables. Never 0. */
	uint64_t generation;
};

/** The two ends of a packet, of one family. */
struct route_ends {
	struct prefix src, dst;
};

/**
 * What becomes of a packet. WEFT_ROUTER_EXIT comes without an egress: route_to or route_rest
 * has the last word. Of the prefixes, those with has_ say how it came to that. */
struct route {
	enum weft_router_outcome outcome;
	struct route_port *egress; /**< NULL where a packet is dropped before. */
	struct prefix network, pin, exempt;
	bool has_network, has_pin, has_exempt;
};

/**
 * Reads the ends of the packet data[0..len). Returns FORWARDED, or the outcome of a packet
 * that has none; ret_ends is written only for the former.
 */
enum weft_router_outcome route_ends_of(const uint8_t *data, uint32_t len,
				       struct route_ends *ret_ends);

/** Decides on a packet that came in on the port. */
struct route route_decide(const struct routes *routes, const struct route_port *ingress,
			  const struct route_ends *ends);

/** Sends what came in on ingress to egress, for the reason that outcome is. */
void route_to(const struct route_port *ingress, struct route_port *egress,
	      enum weft_router_outcome outcome, struct route *way);

/** Sends what nobody takes to the uplink, or nowhere. */
void route_rest(const struct routes *routes, const struct route_port *ingress,
		struct route *way);

#endif
