/* SPDX-License-Identifier: MIT */
/*
 * Who else is in the room, as a member knows it: the list of its welcome, and what peer-joined
 * and peer-left have changed since.
 */
#ifndef LAN_ROSTER_H
#define LAN_ROSTER_H

#include "base/list.h"
#include "lan/message.h"

#include <weft/lan.h>

#include <stdbool.h>
#include <stdint.h>

/** Most peers: more than a relay admits. */
#define ROSTER_MAX 1024u

struct roster_entry {
	struct list node;
	struct weft_peer peer;
	size_t claims_n;
	struct weft_mac claims[LAN_CLAIMS_MAX]; /**< MACs of stations behind it. */
};

struct roster {
	struct list entries;
	uint32_t n;
	uint32_t gateways_n;
};

/** Begins an empty roster. */
void roster_init(struct roster *roster);

/** Forgets everyone. */
void roster_fini(struct roster *roster);

/** Notes a peer. Returns 0, -EPROTO if its id is known, -ENOSPC or -ENOMEM. */
int roster_add(struct roster *roster, const struct weft_peer *peer) WEFT_MUST_CHECK;

/** Notes that a peer has left. True and what was known of it, if it was known. */
bool roster_remove(struct roster *roster, uint16_t id, struct roster_entry *ret_entry);

/** Who has a MAC, as its own or by a claim; NULL for nobody. Valid until the roster changes. */
const struct weft_peer *roster_find_mac(const struct roster *roster, struct weft_mac mac);

/** Notes a MAC of a peer; false if the peer is not known or has too many. */
bool roster_claim(struct roster *roster, uint16_t id, struct weft_mac mac);

/** Forgets one; false if it was not noted. */
bool roster_release(struct roster *roster, uint16_t id, struct weft_mac mac);

#endif
