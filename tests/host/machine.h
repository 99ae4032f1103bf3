/* SPDX-License-Identifier: MIT */
/*
 * A machine in memory for tests of the host: interfaces with settings, and a bag of things
 * (addresses, routes, rules). Several netlinks may stand on one machine, as several
 * processes would.
 */
#ifndef TESTS_HOST_MACHINE_H
#define TESTS_HOST_MACHINE_H

#include "host/netlink.h"

#define MACHINE_INTERFACES 4u
#define MACHINE_THINGS     16u

struct machine {
	struct weft_interface interfaces[MACHINE_INTERFACES]; /* Unused: index 0. */
	struct change things[MACHINE_THINGS];
	unsigned n_things;
	int refusal; /* What apply and revert say instead of doing anything; 0 for nothing. */
	unsigned reverts;
};

/* A machine with lo and weft0 (index 7, MTU 1500, 02:00:00:00:00:07, down). */
void machine_init(struct machine *machine);

struct weft_interface *machine_interface(struct machine *machine, const char *ifname);

/* True if a thing of this text is there: "address 192.0.2.1/24 on weft0". */
bool machine_has(const struct machine *machine, const char *text);

/* Takes a thing away behind the host's back. */
void machine_drop(struct machine *machine, const char *text);

/* A netlink on the machine, in the namespace that the number names. */
struct netlink *machine_netlink(struct machine *machine, uint64_t netns);

#endif
