/* SPDX-License-Identifier: MIT */
/*
 * Where strangers and villains come to: a relay, and a network and a clock to reach it by. It
 * is one in memory (party.h), or a real one (tests/e2e/villain.c).
 */
#ifndef LAN_VENUE_H
#define LAN_VENUE_H

#include "io/dgram.h"

#include <weft/lan.h>

#include <stdint.h>

struct venue {
	struct weft_invite invite; /**< Into the room that everybody is in. */
	union weft_sockaddr relay;
	uint64_t (*now)(const struct venue *venue);
	/** A socket for the guest of that number. */
	struct dgram *(*socket)(const struct venue *venue, uint8_t number);
	void (*add)(const struct venue *venue, struct weft_task *task);
	void (*remove)(const struct venue *venue, struct weft_task *task);
};

/** 02:00:00:00:00:number. */
struct weft_mac guest_mac(uint8_t number);

extern const struct weft_mac party_broadcast;

#endif
