/* SPDX-License-Identifier: MIT */
/*
 * What was not told counts for the next minute where nobody asks in between: no number is lost.
 */
#include "base/refusals.h"

static bool is_over(const struct refusals *r, uint64_t now)
{
	return now - r->since >= REFUSALS_MINUTE_NS;
}

bool refusals_tell(struct refusals *r, uint64_t now)
{
	if (r->told == 0 || is_over(r, now)) {
		r->since = now;
		r->told = 0;
	}
	if (r->told == REFUSALS_TOLD) {
		r->rest++;
		return false;
	}
	r->told++;
	return true;
}

uint64_t refusals_rest(struct refusals *r, uint64_t now)
{
	const uint64_t rest = is_over(r, now) ? r->rest : 0;
	r->rest -= rest;
	return rest;
}
