/* SPDX-License-Identifier: MIT */
/*
 * What a gateway does for the switches of its LAN: they are to know at any time that the
 * members of the room stand behind the gateway's port.
 *
 * A switch learns an address from frames that come under it and forgets it after its ageing
 * time (802.1Q 8.8.3: 300 s unless set otherwise; a topology change makes it 15 s). What is
 * for an address that it does not know goes out by all of its ports. Worse, a switch that
 * still knows a member behind the port of another gateway, which was there before, sends into
 * the void. So a frame goes out under the MAC of each member that is new here, and of each that
 * has been silent on the LAN for a minute.
 *
 * The frame is a RARP request to all (RFC 903) about the MAC itself, without an IP address. That
 * is what hypervisors send when a machine has moved to another port (QEMU announces itself so,
 * VMware calls it "notify switches"), so that switches and what watches over them have met it.
 * All switches of the LAN see a broadcast; it says nothing of IP, which ARP inspection could
 * hold against it; and nobody has answered RARP for decades. A frame to the gateway's own MAC
 * would stop at the first switch, and an ARP announcement needs an address that we do not know.
 */
#ifndef LAN_REFRESH_H
#define LAN_REFRESH_H

#include "base/time.h"

#include <weft/addr.h>
#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A member that was silent for this long is shown to the LAN. */
#define REFRESH_SILENT_NS (60 * NS_PER_S)

/** Frames go out by so many at once, and the next ones after a pause. */
#define REFRESH_BURST    32u
#define REFRESH_PAUSE_NS (100 * NS_PER_MS)

/** Most MACs: members, and what they may have claimed. */
#define REFRESH_MAX 2048u

#define REFRESH_FRAME_LEN 60u /**< In bytes, padding and all. */

struct table;

struct refresh {
	struct table *stations; /**< MAC to struct station; NULL while there is none. */
	uint64_t due_at; /**< When somebody may have been silent for long enough. */
	uint64_t sent;   /**< Frames that refresh_next has asked for. */
	unsigned burst;
	uint8_t secret[16];
};

/** secret: 16 random bytes that key the hash. Nothing is allocated before the first MAC. */
void refresh_init(struct refresh *refresh, const uint8_t secret[16]);

/** Forgets everybody. */
void refresh_fini(struct refresh *refresh);

/** A MAC that is in the room now: to be shown at once. Returns 0, -ENOSPC or -ENOMEM. */
int refresh_add(struct refresh *refresh, struct weft_mac mac,
		uint64_t now) WEFT_MUST_CHECK;

/** One that is not there any more. */
void refresh_remove(struct refresh *refresh, struct weft_mac mac);

/** A frame of this MAC has gone to the LAN, which is as good as ours. */
void refresh_saw(struct refresh *refresh, struct weft_mac mac, uint64_t now);

/** The next MAC that is to be shown now; false if there is none. */
bool refresh_next(struct refresh *refresh, uint64_t now, struct weft_mac *ret_mac);

/** When refresh_next is to be asked again; WEFT_NEVER while the room is empty. */
uint64_t refresh_deadline(const struct refresh *refresh);

/** The frame that shows a MAC. */
void refresh_frame(struct weft_mac mac, uint8_t ret_frame[REFRESH_FRAME_LEN]);

#endif
