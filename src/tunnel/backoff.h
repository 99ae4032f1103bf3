/* SPDX-License-Identifier: MIT */
/*
 * Who has shown wrong tokens, and how long nothing more is listened to from there.
 *
 *     wrong:   1 ... 8 free, then 1 s, 2 s, 4 s ... 60 s of silence after each
 *     right:   all is forgotten
 *
 * An IPv6 address counts by its /64, which one host can have all of. At most
 * BACKOFF_PLACES_MAX places are remembered; when they are used up, the one that was wrong
 * longest ago gives way.
 */
#ifndef TUNNEL_BACKOFF_H
#define TUNNEL_BACKOFF_H

#include <weft/addr.h>

#include <stdbool.h>
#include <stdint.h>

#define BACKOFF_PLACES_MAX 1024u

/** Wrong tokens that cost nothing. */
#define BACKOFF_FREE 8u

struct backoff;

/** secret: 16 random bytes. Returns 0 or -ENOMEM. */
int backoff_new(const uint8_t secret[16], struct backoff **ret_backoff) WEFT_MUST_CHECK;

/** NULL is allowed. */
void backoff_free(struct backoff *b);

/** Whether nothing is listened to from this address now. */
bool backoff_is_silent(const struct backoff *b, const struct weft_ip *from, uint64_t now);

/** A wrong token came from there. */
void backoff_wrong(struct backoff *b, const struct weft_ip *from, uint64_t now);

/** A right one came. */
void backoff_right(struct backoff *b, const struct weft_ip *from);

#endif
