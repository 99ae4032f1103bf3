/* SPDX-License-Identifier: MIT */
/*
 * Between what callers send and what a driver takes.
 *
 *   weft_link_send -> too long? -> cut what caps cannot take -> merge, if wanted -> driver
 *
 * Cutting happens at once. Merging holds frames until the link's task runs, which is in the
 * same turn of the loop (see weft/loop.h on deadlines of 0): forty datagrams that arrive
 * one by one become one write. The adapter is made when a frame needs it first; a link
 * between equals never has one.
 */
#ifndef LINK_ADAPTER_H
#define LINK_ADAPTER_H

#include "link/link.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Takes a batch on behalf of link: everything that weft_link_send does. */
void adapter_send(struct weft_link *link, const struct weft_frame *frames, size_t n,
		  uint64_t now);

/** Sends what is held back for merging. */
void adapter_flush(struct weft_link *link, uint64_t now);

/** True while something is held. */
bool adapter_is_pending(const struct weft_link *link);

/** Frames absorbed into super-frames so far. */
uint64_t adapter_merged(const struct weft_link *link);

/** NULL is allowed; what is held is lost. */
void adapter_free(struct link_adapter *adapter);

#endif
