/* SPDX-License-Identifier: MIT */
/*
 * The status lines of members and relays. They fit a terminal of 80 columns, because a line
 * is cut where the screen ends and what stands last (the round trip) would be lost.
 */
#ifndef CMD_STATUS_H
#define CMD_STATUS_H

#include <weft/addr.h>
#include <weft/lan.h>

#include <stddef.h>
#include <stdint.h>

/** Bits per second in both directions between two looks at counters of bytes. */
struct rates {
	uint64_t in_bps, out_bps;
	uint64_t rx_bytes, tx_bytes; /**< At the last look. */
	uint64_t at;                 /**< When that was, in ns; 0: never. */
};

/** Looks at the counters again. Rates stay as they are until some time has passed. */
void rates_update(struct rates *rates, uint64_t now, uint64_t rx_bytes,
		  uint64_t tx_bytes);

/**
 * "weft0 192.168.77.162 | 2 others | in 1.1 kbit/s, out 1.7 kbit/s | RTT 1.3 ms", and where
 * no frames flow yet "weft0 connecting". Behind it stand ", loss 0.5 %" and ", jitter 200 us"
 * where there are such and as far as they fit; for a
 * loss the rates are left out. address may have a prefix length, which is left
 * out, or be empty. Returns buf.
 */
const char *status_member(const char *device, const char *address,
			  const struct weft_member_stats *stats,
			  const struct rates *rates, char *buf, size_t len);

/**
 * "1 room, 2 members, 0 gateways | in 3.4 kbit/s, out 560 bit/s | RTT <= 25 ms", which is the
 * longest of the members'. It is left out while there is none, and where the line would not
 * fit with it. Returns buf.
 */
const char *status_relay(const struct weft_relay_stats *stats, const struct rates *rates,
			 char *buf, size_t len);

#endif
