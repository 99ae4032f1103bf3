/* SPDX-License-Identifier: MIT */
/*
 * Whether an IPv4 address on an Ethernet is somebody else's already (RFC 5227), without I/O:
 * frames go in and out by the caller's hands, and time is told to it.
 *
 *     PROBING ---three probes, no answer---> ANNOUNCING ---two announcements---> WATCHING
 *        | somebody has it                        | somebody says that it is his |
 *        v                                        v                              v
 *     opts.conflict(PROBING), over            opts.conflict(...), and an announcement in
 *                                             defence, at most once in ten seconds
 *
 * Probes and announcements are a second and two apart, as the RFC has them; the answer of a
 * machine in the room comes in some milliseconds. The address is to be set before: who else probes
 * for it is answered by the machine that has it, and gives way.
 */
#ifndef WEFT_ACD_H
#define WEFT_ACD_H

#include <weft/addr.h>
#include <weft/frame.h>
#include <weft/loop.h>

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weft_acd;

/** How far it is with an address. */
enum weft_acd_state {
	WEFT_ACD_PROBING,
	WEFT_ACD_ANNOUNCING,
	WEFT_ACD_WATCHING,
	WEFT_ACD_OVER, /**< The address is another's. */
};

/** All are needed but those that say otherwise. */
struct weft_acd_opts {
	struct weft_mac mac;    /**< Of the interface that has the address. */
	struct weft_ip address; /**< IPv4; its prefix is not looked at. */
	uint64_t seed;          /**< Of the pauses between probes. */
	/** It was probed already, by whoever gave it: begin with the announcements. */
	bool was_probed;
	/**
	 * It is not set yet, and a server that should know has just offered it: it is asked for
	 * in half a second, and who asks for it at the same time has it.
	 */
	bool is_offered;
	/** It is in use while it is asked for, in half a second; else as if nothing were said. */
	bool is_used;
	/** Sends one frame, borrowed for the call. */
	void (*send)(void *user, const struct weft_frame *frame, uint64_t now);
	/**
	 * A machine with that MAC has the address as well. In the state PROBING it was first, and
	 * the address must not be used; that is told once. Later it is told at most once in ten
	 * seconds. Called from weft_acd_run; must not free.
	 */
	void (*conflict)(void *user, enum weft_acd_state state, struct weft_mac mac);
	void *user; /**< May be NULL. */
};

/** Begins at its first run. Returns 0, -EINVAL for an address that is no IPv4, or -ENOMEM. */
WEFT_API WEFT_MUST_CHECK int weft_acd_new(const struct weft_acd_opts *opts,
					  struct weft_acd **ret_acd);

/** Frees; sends nothing. NULL is allowed. */
WEFT_API void weft_acd_free(struct weft_acd *acd);

/** Looks at a frame that came from the network; calls nothing back. */
WEFT_API void weft_acd_input(struct weft_acd *acd, const struct weft_frame *frame);

/** Does what is due: sends at most one frame, calls conflict at most once. */
WEFT_API void weft_acd_run(struct weft_acd *acd, uint64_t now);

/** run as a task, for weft_loop_add. Belongs to the object. */
WEFT_API struct weft_task *weft_acd_task(struct weft_acd *acd);

/** The state it is in now. */
WEFT_API enum weft_acd_state weft_acd_state(const struct weft_acd *acd);

#ifdef __cplusplus
}
#endif
#endif
