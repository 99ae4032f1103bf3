/* SPDX-License-Identifier: MIT */
/*
 * Who else is in the room, as a member knows it.
 *
 * The welcome, and each peer-joined and peer-left, travel on streams of their own, so that one
 * may overtake another when a packet is lost. An id is used again only after all others, so
 * the ids of those who left lately are enough to put that right: a peer-joined, or a welcome,
 * that comes after the peer-left is late and is passed over.
 */
#ifndef LAN_ROSTER_H
#define LAN_ROSTER_H

#include "base/list.h"

#include <weft/lan.h>

#include <stdbool.h>
#include <stdint.h>

/** Most peers at a time: more than a relay admits, as late news may overlap. */
#define ROSTER_MAX 1024u

/** How many of those who left are remembered. */
#define ROSTER_GONE 64u

struct roster_entry {
	struct list node;
	struct weft_peer peer;
};

struct roster {
	struct list entries;
	uint32_t n;
	uint32_t gateways_n;
	uint16_t gone[ROSTER_GONE]; /**< A ring; 0 for none. */
	uint32_t gone_next;
};

/** Begins an empty roster. */
void roster_init(struct roster *roster);

/** Forgets everyone, also those who left. */
void roster_fini(struct roster *roster);

/** Notes a peer. Returns 1 if it is new, 0 if it is known or gone, -ENOSPC or -ENOMEM. */
int roster_add(struct roster *roster, const struct weft_peer *peer) WEFT_MUST_CHECK;

/** Notes that a peer has left. True and the peer if it was known. */
bool roster_remove(struct roster *roster, uint16_t id, struct weft_peer *ret_peer);

/** Whether a peer with that MAC is here. */
bool roster_has_mac(const struct roster *roster, struct weft_mac mac);

#endif
