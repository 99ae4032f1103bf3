/* SPDX-License-Identifier: MIT */
/*
 * A stream that has little to carry looks like a slow one, and is given little: that costs a few
 * calls more in the first window after it, and a burst finds a short queue.
 */
#include "tunnel/grant.h"

size_t grant_len(const struct grant *g)
{
	return g->len > 0 ? g->len : GRANT_MIN;
}

static size_t clamp(uint64_t bytes)
{
	if (bytes < GRANT_CUT)
		return GRANT_MIN;
	return bytes < GRANT_MAX ? (size_t)bytes : GRANT_MAX;
}

void grant_gave(struct grant *g, size_t bytes, uint64_t now)
{
	g->bytes += bytes;
	if (now < g->since + GRANT_WINDOW_NS)
		return;
	g->len = clamp(g->bytes * GRANT_NS / (now - g->since));
	g->since = now;
	g->bytes = 0;
}
