/* SPDX-License-Identifier: MIT */
/*
 * The pseudo code of RFC 8289, section 5, turned from a loop that takes packets into an answer
 * for each. Whether its caller drops the packet or marks it makes no difference here.
 */
#include "tunnel/codel.h"

/* A queue that drops again so soon goes on nearly where it was (RFC 8289, 5.4). */
#define AGAIN_NS (16 * CODEL_INTERVAL_NS)

/* The square root, rounded down. */
static uint64_t root(uint64_t x)
{
	uint64_t r = 0;
	for (uint64_t bit = UINT64_C(1) << 62; bit > 0; bit >>= 2) {
		bool fits = x >= r + bit;
		x -= fits ? r + bit : 0;
		r = (r >> 1) + (fits ? bit : 0);
	}
	return r;
}

/* t + interval / sqrt(count), rounded down. */
static uint64_t control_law(uint64_t t, uint32_t count)
{
	return t + root(CODEL_INTERVAL_NS * CODEL_INTERVAL_NS / count);
}

/* Whether it has been above target for a whole interval. */
static bool stands(struct codel *c, uint64_t sojourn, bool is_short, uint64_t now)
{
	if (sojourn < CODEL_TARGET_NS || is_short) {
		c->first_above = 0;
		return false;
	}
	if (c->first_above == 0)
		c->first_above = now + CODEL_INTERVAL_NS;
	return now >= c->first_above;
}

static void begin_to_drop(struct codel *c, uint64_t now)
{
	const uint32_t delta = c->count - c->count_before;
	const bool is_again = delta > 1 && now < c->drop_next + AGAIN_NS;
	c->is_dropping = true;
	c->has_dropped = false;
	c->count = is_again ? delta : 1;
	c->count_before = c->count;
	c->drop_next = control_law(now, c->count);
}

bool codel_drops(struct codel *c, uint64_t sojourn, bool is_short, uint64_t now)
{
	if (!stands(c, sojourn, is_short, now)) {
		c->is_dropping = false;
		return false;
	}
	if (!c->is_dropping) {
		begin_to_drop(c, now);
		return true;
	}
	if (c->has_dropped)
		c->drop_next = control_law(c->drop_next, c->count);
	c->has_dropped = now >= c->drop_next;
	c->count += c->has_dropped && c->count < UINT32_MAX;
	return c->has_dropped;
}

void codel_empty(struct codel *c)
{
	c->first_above = 0;
	c->is_dropping = false;
}
