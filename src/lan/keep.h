/* SPDX-License-Identifier: MIT */
/*
 * Places that a room keeps for clients whom it has lost: who comes back with the same MAC, and
 * the same pass if it had one, has its id and its address again, and nobody else can take the
 * MAC in the meantime. A room with places for somebody stays, with its key and its MTU.
 *
 *     lost (silence, a reset, the relay's own restart) ---> kept ---> back, or over after a grace
 *
 * Who says goodbye wants no place.
 */
#ifndef LAN_KEEP_H
#define LAN_KEEP_H

#include "base/list.h"
#include "lan/message.h"

#include <stdbool.h>
#include <stdint.h>

struct room;

struct kept {
	struct list node;
	struct weft_mac mac;
	uint16_t id;
	uint8_t host; /**< Host number of its address; 0 for none. */
	bool has_pass;
	uint8_t pass_key[PROOF_KEY_LEN];
	uint64_t until;
};

/**
 * Keeps a copy of the place; node is not looked at. The one that was there for the MAC goes; so
 * does the oldest when there are as many as clients fit. Without memory nothing is kept.
 */
void keep_place(struct room *room, const struct kept *place);

/** The place for a MAC, or NULL. */
struct kept *keep_find(const struct room *room, struct weft_mac mac);

/** Whether the place for the hello's MAC is another's: it had another pass, or none. */
bool keep_is_for_another(const struct room *room, const struct hello *hello);

/** Ends it: somebody is in it again, or its time is over. */
void keep_drop(struct room *room, struct kept *place);

/** Whether an id, or a host number, is one of a place. */
bool keep_has_id(const struct room *room, uint16_t id);
bool keep_has_host(const struct room *room, uint8_t host);

/** Drops what is over. Returns when the next one will be, or WEFT_NEVER. */
uint64_t keep_expire(struct room *room, uint64_t now);

/** Drops all. */
void keep_clear(struct room *room);

#endif
