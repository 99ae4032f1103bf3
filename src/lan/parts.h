/* SPDX-License-Identifier: MIT */
/*
 * Frames that came in two datagrams (wire/overlay.h), put together again.
 *
 *     FIRST 7 ---> waits
 *     FIRST 8 ---> waits
 *     LAST 7  ---> frame 7 is whole
 *                  8 still has the rest of its 50 ms, then it is lost
 *
 * The two leave together, so what has not come soon will not come. Few wait at a time: each
 * costs its sender's room and not the reader's, who keeps PARTS_MAX of them at most.
 */
#ifndef LAN_PARTS_H
#define LAN_PARTS_H

#include "base/time.h"
#include "wire/ether.h"
#include "wire/overlay.h"

#include <stddef.h>
#include <stdint.h>

/** Parts that wait for their other part; then the oldest gives way. */
#define PARTS_MAX 16u

/** How long a part waits. */
#define PARTS_AGE_NS (50 * NS_PER_MS)

/** Longest frame that is put together, in bytes: of an MTU of 1500 with two tags. */
#define PARTS_FRAME_MAX ((size_t)ETHER_LEN + (size_t)2 * ETHER_TAG_LEN + 1500)

struct part;

/** All zero: none waits. */
struct parts {
	struct part *oldest, *newest;
	unsigned n;
	uint64_t lost; /**< Parts whose other part did not come in time. */
};

/**
 * Takes a part, of type FIRST or LAST. Returns the frame's length once both have come, in buf;
 * 0 while the other is missing; -EMSGSIZE where both together are longer than
 * PARTS_FRAME_MAX, or this one alone; -ENOMEM.
 */
int parts_take(struct parts *parts, const struct overlay_hdr *hdr, const uint8_t *data,
	       size_t len, uint64_t now, uint8_t buf[PARTS_FRAME_MAX]) WEFT_MUST_CHECK;

/** Forgets all. */
void parts_fini(struct parts *parts);

#endif
