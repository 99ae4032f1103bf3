/* SPDX-License-Identifier: MIT */
/*
 * Where a frame goes: a pure function of its header, the port it came in on and the
 * forwarding database (802.1Q 8.6). It changes nothing and sends nothing, so that every rule
 * of the bridge can be tested as a line of a table.
 *
 *     source:  a unicast address? -> bound elsewhere, or not here and locked? -> learn it
 *     target:  reserved? -> a group? flood -> unknown? flood -> this port? -> both isolated?
 *              -> forward
 */
#ifndef BRIDGE_FORWARD_H
#define BRIDGE_FORWARD_H

#include "bridge/fdb.h"

#include <weft/bridge.h>
#include <weft/frame.h>

#include <stdbool.h>

/** What the decision has to know of a port. Embedded in the port. */
struct forward_port {
	struct fdb_port fdb;
	struct weft_bridge_port_opts opts;
};

/** What becomes of a frame. */
struct forward {
	enum weft_bridge_outcome outcome;
	struct forward_port *target; /**< For WEFT_BRIDGE_FORWARDED; else NULL. */
	bool unknown; /**< Flooded for want of an entry: not to ports with no_flood. */
	bool learn; /**< The source is to be learned: it is new, or has moved to here. */
	/** To be refreshed: the source was learned here before. */
	struct fdb_entry *source;
};

/** Decides on one frame that came in on the port. */
struct forward forward_decide(const struct fdb *fdb, const struct forward_port *ingress,
			      const struct weft_frame *frame);

/** Whether a flooded frame goes out on a port that is not the one it came in on. */
bool forward_floods_to(const struct forward *way, const struct forward_port *ingress,
		       const struct forward_port *egress);

/** Whether two frames of one port go the same way, so that they can be sent together. */
static inline bool forward_is_same(const struct forward *a, const struct forward *b)
{
	return a->outcome == b->outcome && a->target == b->target &&
	       a->unknown == b->unknown;
}

#endif
