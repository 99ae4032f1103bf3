/* SPDX-License-Identifier: MIT */
/*
 * A room's network that this machine has elsewhere already: both homes use 192.168.1.0/24, or a
 * VPN has taken a part of 100.64.0.0/10. One address then means two machines, and the routing
 * table decides which, so people find half of what they look for. Who opens a room chooses
 * another network for it; who joins one is told which two collide, and what does not work.
 */
#ifndef CMD_COLLISION_H
#define CMD_COLLISION_H

#include "cli/output.h"

#include <weft/host.h>

/**
 * Finds a route of this machine, in any table, into a network that overlaps with the given one,
 * and is on no device of that name (may be empty). Default routes, and what stands for one, are
 * no collision; nor are single addresses. Returns true and one of them.
 */
bool collision_find(struct weft_host *host, const struct weft_ip *network,
		    const char *device, struct weft_route *ret_route);

/**
 * Where what is sent into the overlap goes: true if to the device. own is the device's address
 * there.
 */
bool collision_is_won(struct weft_host *host, const struct weft_ip *own,
		      const struct weft_route *other, const char *device);

/**
 * Says so if a device's new address lies in a network that this machine has elsewhere: which,
 * who loses, and what can be done (remedy: words in brackets at the end).
 */
void collision_warn(struct weft_host *host, struct output *out, const char *device,
		    const struct weft_ip *address, const char *remedy);

#endif
