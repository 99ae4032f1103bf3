/* SPDX-License-Identifier: MIT */
/*
 * Two machines with one address: found by ARP (<weft/acd.h>), and told with the name of the
 * member that has it, because "duplicate address" helps nobody to find the other one.
 */
#ifndef CMD_CONFLICT_H
#define CMD_CONFLICT_H

#include <weft/acd.h>
#include <weft/lan.h>

struct membership;

struct conflict {
	struct membership *m;
	struct weft_acd *acd; /**< NULL while nothing is watched. */
	struct weft_ip address;
	/** The address was another's before us; it must not be used. */
	void (*taken)(void *user);
	void *user;
};

/**
 * Watches over an address that is set in the room under a MAC. m, taken and user are set. With
 * was_probed it is known that nobody had it before. What was watched before is not any more.
 */
void conflict_begin(struct conflict *conflict, struct weft_mac mac,
		    const struct weft_ip *address, bool was_probed);

/** Ends it. */
void conflict_end(struct conflict *conflict);

/** Sees a frame from the room. */
void conflict_input(struct conflict *conflict, const struct weft_frame *frame);

/** Says who has an address, and what follows: the end of a sentence. */
void conflict_tell(struct membership *m, const struct weft_ip *address,
		   struct weft_mac mac, const char *remedy);

#endif
