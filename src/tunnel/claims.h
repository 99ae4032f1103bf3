/* SPDX-License-Identifier: MIT */
/*
 * What several parts of a configuration claim for themselves (a port, an address, a network),
 * to find those that claim the same. Sorted first, so that a file of any size is checked in
 * O(n log n).
 */
#ifndef TUNNEL_CLAIMS_H
#define TUNNEL_CLAIMS_H

#include "tunnel/document.h"

#include <weft/addr.h>

#include <stddef.h>
#include <stdint.h>

/** What is claimed is one of text, number and ip; the others are zero. */
struct claim {
	const char *text; /**< The node's. */
	uint64_t number;
	struct weft_ip ip;
	const struct node *node; /**< Whose claim it is. */
};

/** All zero: none. */
struct claims {
	struct claim *items;
	size_t n, room;
};

/** Forgets all and keeps the memory. */
void claims_clear(struct claims *claims);

void claims_fini(struct claims *claims);

/** Returns 0 or -ENOMEM. */
int claims_add(struct claims *claims, const struct claim *claim) WEFT_MUST_CHECK;

/**
 * Adds a fault for each that was claimed before: "WHAT is also at PATH (line N); WHY". Sorts.
 */
void claims_check_unique(struct claims *claims, struct faults *faults, bool is_warning,
			 const char *what, const char *why);

/**
 * The same for networks of clients, which may lie in each other, too: equal ones are an error,
 * and one in another a warning, unless that is everything (0.0.0.0/0), which has exceptions by
 * its nature. Sorts.
 */
void claims_check_networks(struct claims *claims, struct faults *faults);

#endif
