/* SPDX-License-Identifier: MIT */
/*
 * Time is that at which losses are found, not that of sending: after a path was dead for a while
 * all is found lost at once, and the next large one arrives within a round trip.
 */
#include "quic/blackhole.h"

#define DOUBLINGS_MAX 4u

/* Long enough for more than chance, on a path where things take that time. */
static bool is_long(uint64_t span_ns, uint64_t time_ns)
{
	return span_ns >= BLACKHOLE_SPAN_NS && span_ns >= 4 * time_ns;
}

void blackhole_on_lost(struct blackhole *b, uint64_t srtt_ns, uint64_t now)
{
	if (blackhole_is_open(b, now))
		return;
	if (b->raise_at_ns != 0)
		*b = (struct blackhole){ .in_vain = b->in_vain };
	if (b->lost++ == 0)
		b->since_ns = now;
	if (b->lost < BLACKHOLE_LOST || !b->has_heard ||
	    !is_long(now - b->since_ns, srtt_ns))
		return;
	b->raise_at_ns = now + (BLACKHOLE_RAISE_NS << b->in_vain);
	if (b->in_vain < DOUBLINGS_MAX)
		b->in_vain++;
}

void blackhole_on_timer(struct blackhole *b, bool is_waiting, uint64_t pto_ns,
			uint64_t now)
{
	if (!is_waiting)
		b->waiting_ns = 0;
	else if (b->waiting_ns == 0)
		b->waiting_ns = now;
	else if (is_long(now - b->waiting_ns, pto_ns) && !blackhole_is_open(b, now))
		b->raise_at_ns = now + BLACKHOLE_SILENCE_RAISE_NS;
}

void blackhole_on_acked(struct blackhole *b, bool is_large)
{
	b->waiting_ns = 0;
	b->has_heard |= b->lost > 0;
	if (is_large)
		*b = (struct blackhole){ 0 };
}

bool blackhole_is_open(const struct blackhole *b, uint64_t now)
{
	return now < b->raise_at_ns;
}
