/* SPDX-License-Identifier: MIT */
/*
 * The way to the relay, past the room: where the network that a device gets from the room has
 * the relay's own address in it, what is meant for the relay would go into the room that it
 * carries. Then a host route leads it by the way that it had before (weft_host_pin), and
 * follows that way as the machine moves from one network to another.
 *
 * Nothing else of a room can take the way: no default route comes from one. If somebody sets
 * one into it by hand (a router of the LAN as the way out), that is seen, and the relay pinned.
 *
 * And where the way changes, because the machine has moved to another network, the member is
 * told to move as well: the relay would look for it at its old address until it next has
 * something to say.
 */
#ifndef CMD_RELAY_WAY_H
#define CMD_RELAY_WAY_H

#include "cli/output.h"

#include <weft/host.h>
#include <weft/lan.h>

/** Most addresses of a relay: as many as a member tries. */
#define RELAY_WAY_MAX 8u

struct relay_way {
	struct weft_host *host; /**< NULL before relay_way_begin. */
	struct weft_loop *loop;
	struct weft_member *member;
	struct output *output;
	char device[16];
	struct weft_host_watch *watch;
	int failure; /**< Of the last look; 0 for none. */
	struct {
		struct weft_ip address;
		struct weft_host_pin *pin; /**< NULL without a device. */
		/** As the kernel has it; its ifname may be empty. */
		struct weft_route now;
	} pins[RELAY_WAY_MAX];
	size_t pins_n;
};

/**
 * Watches over the way of a member whose room is on the device; NULL where it is on none that
 * has routes. host, loop, member and output of way are set. Without a watch it goes on, and
 * says so.
 */
void relay_way_begin(struct relay_way *way, const char *device);

/** The member is about to connect; the relay's addresses may be others than before. */
void relay_way_on_addresses(struct relay_way *way);

/** The device is about to get this address with its network. */
void relay_way_expect(struct relay_way *way, const struct weft_ip *address);

/** Removes what was set. No-op where nothing was begun. */
void relay_way_end(struct relay_way *way);

#endif
