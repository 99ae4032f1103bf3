/* SPDX-License-Identifier: MIT */
/*
 * Selectors of a rule, made ready: whether they speak of one who sends or gets a packet takes
 * a bit of a map, or a look at the rule's networks.
 *
 * Who that is, is two things: an address, and a party: the client whose link the packet goes
 * over, or the server's device. Tags and names speak of parties; networks of addresses,
 * whosever they are.
 */
#ifndef TUNNEL_SELECTION_H
#define TUNNEL_SELECTION_H

#include "bridge/prefix.h"

#include <weft/frame.h>
#include <weft/tunnel.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A party: the number of a client in its interface's configuration, or one of these. */
#define PARTY_SELF   UINT32_MAX       /**< The server, and what lies behind its device. */
#define PARTY_NOBODY (UINT32_MAX - 1) /**< Selected by its address only. */

struct selection {
	struct prefix *networks;
	size_t networks_n;
	uint64_t *clients; /**< A bit for each. */
	size_t clients_n;
	bool has_self;
};

/** Prepares selectors for the interface's clients. Returns 0 or -ENOMEM. */
int selection_init(struct selection *s, const struct weft_tunnel_selectors *selectors,
		   const struct weft_tunnel_interface *conf) WEFT_MUST_CHECK;

/** Harmless for one that is all zeros. */
void selection_fini(struct selection *s);

/** Whether they speak of the client with this number, by its tags or its name. */
bool selection_has_client(const struct selection *s, size_t number);

/** Whether they speak of somebody; addr is a whole address. */
bool selection_holds(const struct selection *s, uint32_t party,
		     const struct prefix *addr);

#endif
