/* SPDX-License-Identifier: MIT */
/*
 * "Did you mean ...?": which of several words a mistyped one is nearest to.
 */
#ifndef CMD_NEAREST_H
#define CMD_NEAREST_H

#include <stddef.h>

/** A search that is under way. Begin with all zero. */
struct nearest {
	const char *word; /**< The nearest so far; NULL if none is near. */
	size_t cost;
};

/** Offers a word that may have been meant by typed. word is kept. */
void nearest_offer(struct nearest *nearest, const char *typed, const char *word);

#endif
