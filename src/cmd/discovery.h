/* SPDX-License-Identifier: MIT */
/*
 * How machines on a LAN find each other: by sending to everybody (255.255.255.255) or to a
 * multicast group, without a word about the interface. The kernel sends such packets by the
 * default route, which leads to the internet, where nobody plays; so while this machine is in
 * a room they have a route of their own, into the room.
 *
 * Directed broadcasts (192.168.77.255) need nothing: the address on the interface has them.
 */
#ifndef CMD_DISCOVERY_H
#define CMD_DISCOVERY_H

#include <weft/host.h>
#include <weft/log.h>

/** Sends to everybody by the interface. What is another's already stays so, and is told. */
void discovery_begin(struct weft_host *host, const char *ifname,
		     const struct weft_log *log);

/** Undoes it. */
void discovery_end(struct weft_host *host, const char *ifname,
		   const struct weft_log *log);

#endif
