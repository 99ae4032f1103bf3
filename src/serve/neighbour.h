/* SPDX-License-Identifier: MIT */
/*
 * Who has which address on an Ethernet: the ARP cache of one IPv4 host (RFC 826, RFC 1122
 * 2.3.2), with packets that wait for an answer.
 *
 *     FREE --send--> ASKING --reply--> KNOWN --5 min--> FREE
 *                      | three requests, a second apart, without an answer
 *                      '--> FREE: what has waited is dropped and counted
 *
 * A reply counts for an address that was asked for, and a request for us makes its sender
 * known; nothing else adds an entry. All is bounded: where the table is full the entry that
 * was used longest ago goes.
 */
#ifndef SERVE_NEIGHBOUR_H
#define SERVE_NEIGHBOUR_H

#include "base/time.h"

#include <weft/addr.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NEIGHBOURS_MAX      64u
#define NEIGHBOUR_QUEUE_MAX 4u /**< Packets that wait for one neighbour. */

#define NEIGHBOUR_RETRY_NS    NS_PER_S
#define NEIGHBOUR_TRIES_MAX   3u
#define NEIGHBOUR_LIFETIME_NS (300 * NS_PER_S)

enum neighbour_state { NEIGHBOUR_FREE, NEIGHBOUR_ASKING, NEIGHBOUR_KNOWN };

/** A packet that waits; its own copy. */
struct neighbour_packet {
	uint8_t *data;
	size_t len;
};

struct neighbour {
	enum neighbour_state state;
	uint32_t ip; /**< 192.0.2.1 is 0xc0000201. */
	struct weft_mac mac;
	uint64_t due;  /**< ASKING: when to ask again. KNOWN: when it is forgotten. */
	uint64_t used; /**< When a packet was for it last. */
	unsigned tries;
	unsigned waiting_n;
	struct neighbour_packet waiting[NEIGHBOUR_QUEUE_MAX];
};

struct neighbours {
	struct neighbour entries[NEIGHBOURS_MAX];
	uint64_t dropped; /**< Packets that waited in vain, or had no room to wait. */
	/** Asks the network who has ip. */
	void (*ask)(void *user, uint32_t ip, uint64_t now);
	/** Sends a packet to a neighbour; borrowed. */
	void (*emit)(void *user, struct weft_mac to, const uint8_t *packet, size_t len,
		     uint64_t now);
	void *user;
};

/** Forgets everybody and drops what waits. The callbacks stay. */
void neighbours_clear(struct neighbours *ns);

/**
 * Sends a packet to a neighbour, now or when it has answered. Returns true if it went out or
 * waits, false if it was dropped.
 */
bool neighbours_send(struct neighbours *ns, uint32_t ip, const uint8_t *packet,
		     size_t len, uint64_t now);

/**
 * Somebody says that it has ip. Of one who is not in the table only if is_new says that it
 * may come in.
 */
void neighbours_learn(struct neighbours *ns, uint32_t ip, struct weft_mac mac,
		      bool is_new, uint64_t now);

/** Asks again, gives up and forgets, as it is due. */
void neighbours_run(struct neighbours *ns, uint64_t now);

/** When to be run next; WEFT_NEVER for not. */
uint64_t neighbours_deadline(const struct neighbours *ns);

#endif
