/* SPDX-License-Identifier: MIT */
/*
 * "Did you mean ...?": which of several words a mistyped one is nearest to.
 *
 *     struct weft_nearest nearest = { 0 };
 *     weft_nearest_offer(&nearest, "prot", "port");
 *     weft_nearest_offer(&nearest, "prot", "name");
 *     // nearest.word is "port"
 */
#ifndef WEFT_NEAREST_H
#define WEFT_NEAREST_H

#include <weft/frame.h>

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A search that is under way. Begin with all zero. */
struct weft_nearest {
	const char *word; /**< The nearest so far; NULL if none is near. */
	size_t cost;
};

/** Offers a word that may have been meant by typed. word is kept, typed is not. */
WEFT_API void weft_nearest_offer(struct weft_nearest *nearest, const char *typed,
				 const char *word);

#ifdef __cplusplus
}
#endif
#endif
