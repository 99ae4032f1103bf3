/* SPDX-License-Identifier: MIT */
/*
 * What parts of a configuration lay claim to (a port, an address, a network), to find those
 * that want the same. Sorted first, so that a file of any size is checked in
 * O(n log n).
 */
#ifndef CONFIG_STAKES_H
#define CONFIG_STAKES_H

#include "config/document.h"

#include <weft/addr.h>

#include <stddef.h>
#include <stdint.h>

/** A claim to one of text, number and ip; the others are zero. */
struct stake {
	const char *text; /**< The node's. */
	uint64_t number;
	struct weft_ip ip;
	const struct node *node; /**< Whose it is. */
};

/** All zero: none. */
struct stakes {
	struct stake *items;
	size_t n, room;
};

/** Forgets all and keeps the memory. */
void stakes_clear(struct stakes *stakes);

void stakes_fini(struct stakes *stakes);

/** Returns 0 or -ENOMEM. */
int stakes_add(struct stakes *stakes, const struct stake *stake) WEFT_MUST_CHECK;

/** Puts them in the order in which stakes_find looks. */
void stakes_sort(struct stakes *stakes);

/** One of the sorted that claims the same as like does; NULL for none. */
const struct stake *stakes_find(const struct stakes *stakes, const struct stake *like);

/**
 * Adds a fault for each that was claimed before: "WHAT is also at PATH (line N); WHY". Sorts.
 */
void stakes_check_unique(struct stakes *stakes, struct faults *faults,
			 enum severity severity, const char *what, const char *why);

/**
 * The same for ports (number) at addresses (ip): without an address one is claimed at all of
 * them. Sorts.
 */
void stakes_check_ports(struct stakes *stakes, struct faults *faults);

/**
 * The same for networks of clients, which may lie in each other, too: equal ones are an error,
 * and one in another a warning, unless that is everything (0.0.0.0/0), which has exceptions by
 * its nature. Sorts.
 */
void stakes_check_networks(struct stakes *stakes, struct faults *faults);

#endif
