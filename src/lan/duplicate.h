/* SPDX-License-Identifier: MIT */
/*
 * IPv6 addresses that a member's machine and somebody else in the room have both (RFC 4862, 5.4).
 * For IPv4 a member asks by itself (<weft/acd.h>); for IPv6 each machine asks for its own, and a
 * kernel that has lost says so in a place where nobody looks. So this only overhears:
 *
 *     to the room     a probe for A               A is ours, if nobody objects
 *                     anything else about A       A is ours
 *     from the room   somebody else uses A        a duplicate
 *                     somebody else probes for A  a duplicate if we do as well; else our machine
 *                                                 answers, and he gives way
 */
#ifndef LAN_DUPLICATE_H
#define LAN_DUPLICATE_H

#include "base/time.h"
#include "wire/ip6.h"

#include <weft/addr.h>
#include <weft/frame.h>

#include <stdbool.h>
#include <stdint.h>

/** Addresses that are remembered; beyond, the one that was silent longest is forgotten. */
#define DUPLICATE_OWN_MAX 16u

/** How long an address is ours after we have last spoken of it. */
#define DUPLICATE_OWN_NS (600 * NS_PER_S)

/** A duplicate is told once in so long. */
#define DUPLICATE_TOLD_NS (60 * NS_PER_S)

struct duplicate_own {
	struct ip6_addr address;
	struct weft_mac mac;
	bool is_probed; /**< We have asked for it, and not used it yet. */
	uint64_t seen_ns;
	uint64_t told_until;
};

/** All zero: none is known. */
struct duplicate {
	unsigned n;
	struct duplicate_own own[DUPLICATE_OWN_MAX];
};

struct duplicate_found {
	struct weft_ip address; /**< With a prefix of 128. */
	struct weft_mac mac;    /**< Of who else has it. */
	bool is_first;          /**< He had it before us, who have only asked for it. */
};

/** Learns from a frame that goes to the room. */
void duplicate_sent(struct duplicate *d, const struct weft_frame *frame, uint64_t now);

/** Looks at a frame from the room. True if it shows a duplicate that is to be told. */
bool duplicate_received(struct duplicate *d, const struct weft_frame *frame, uint64_t now,
			struct duplicate_found *ret_found);

#endif
