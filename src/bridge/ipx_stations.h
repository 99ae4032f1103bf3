/* SPDX-License-Identifier: MIT */
/*
 * In which of IPX's four framings (wire/ipx.h) the stations behind a port speak, so that what
 * is for them reaches them in theirs: Doom on one machine says Ethernet II, NetWare's DOS
 * client on the next 802.3 or 802.2, and neither hears the other although both do IPX.
 *
 *     station that has spoken       gets the framing of the packet if it has used that
 *                                   itself, or else the one that it has used last
 *     broadcast to several          once in each framing that one of them needs
 *     nobody known to do IPX        gets the packet as it is
 *
 * A station is known by its MAC, from what it sends, for IPX_STATION_NS. There are few behind
 * a port, and beyond IPX_STATIONS_MAX the one that has been silent longest is forgotten.
 */
#ifndef BRIDGE_IPX_STATIONS_H
#define BRIDGE_IPX_STATIONS_H

#include "base/time.h"
#include "wire/ipx.h"

#include <weft/addr.h>
#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IPX_STATIONS_MAX 32u
#define IPX_STATION_NS   (600 * NS_PER_S)

/** Longest frame that a translation can be, in bytes. */
#define IPX_TRANSLATED_MAX 1514u

struct ipx_station {
	struct weft_mac mac;
	/** When it used each framing last; 0 for never. */
	uint64_t used_ns[IPX_FRAMINGS];
};

/** All zero: nobody is known. */
struct ipx_stations {
	unsigned n;
	struct ipx_station entries[IPX_STATIONS_MAX];
};

/** Whether the frame may be IPX at all: what most frames are asked, in a few instructions. */
bool ipx_is_possible(const struct weft_frame *frame);

/** Learns from a frame that came from there, if it is IPX. */
void ipx_stations_learn(struct ipx_stations *stations, const struct weft_frame *frame,
			uint64_t now);

/** A frame as it is to go out to stations: once, or in several framings. */
struct ipx_copies {
	const struct weft_frame *frame;
	struct ipx_place place;
	unsigned framings; /**< Still to be made: bits of 1 << framing. */
};

/** Begins the copies of a frame, which is borrowed; one that is no IPX has itself alone. */
struct ipx_copies ipx_copies_of(const struct ipx_stations *stations,
				const struct weft_frame *frame, uint64_t now);

/**
 * The next copy: the frame itself, or a translation in buf. Of the IPX packet nothing is
 * changed, but for a checksum, which 802.3 has no way to carry. False when all were made;
 * those that would be too long are passed over.
 */
bool ipx_copies_next(struct ipx_copies *copies, uint8_t buf[IPX_TRANSLATED_MAX],
		     struct weft_frame *ret_frame);

#endif
