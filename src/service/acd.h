/* SPDX-License-Identifier: MIT */
/*
 * The inside of address conflict detection, for who embeds it: the DHCP client, which checks an
 * address before it takes it.
 */
#ifndef SERVICE_ACD_H
#define SERVICE_ACD_H

#include "base/rng.h"

#include <weft/acd.h>

#include <stdbool.h>
#include <stdint.h>

struct weft_acd {
	struct weft_task task;
	struct weft_acd_opts opts;
	struct rng rng;
	uint32_t address;
	enum weft_acd_state state;
	unsigned sent;  /**< Probes or announcements. */
	uint64_t due;   /**< 0: at once. */
	bool has_rival; /**< rival has said that the address is its own. */
	struct weft_mac rival;
	uint64_t defended_ns; /**< 0: never. */
};

/** Begins. Returns 0, or -EINVAL for an address that is no IPv4. */
int acd_init(struct weft_acd *acd, const struct weft_acd_opts *opts) WEFT_MUST_CHECK;

/** When weft_acd_run has something to do, in ns. */
uint64_t acd_deadline(const struct weft_acd *acd);

#endif
