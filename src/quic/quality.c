/* SPDX-License-Identifier: MIT */
/*
 * All in integers, as RFC 3550's A.8 has it: the jitter is kept sixteenfold, so that nothing
 * is lost by dividing.
 */
#include "quic/quality.h"

static uint64_t difference(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* The smoothed one is cut to whole ns, so what comes out may be 8 ns off. */
static uint64_t sample_of(uint64_t before_ns, uint64_t after_ns)
{
	return 8 * after_ns > 7 * before_ns ? 8 * after_ns - 7 * before_ns : 0;
}

void quality_on_trip(struct quality *q, uint64_t latest_ns, uint64_t smoothed_ns)
{
	if (latest_ns == q->latest_ns && smoothed_ns == q->smoothed_ns)
		return;
	/* Nothing is known of a new path; what was known is no measure for it. */
	const uint64_t before_ns = latest_ns == 0 ? 0 : q->smoothed_ns;
	q->latest_ns = latest_ns;
	q->smoothed_ns = latest_ns == 0 ? 0 : smoothed_ns;
	if (latest_ns == 0)
		return;
	const uint64_t sample_ns =
		before_ns == 0 ? smoothed_ns : sample_of(before_ns, smoothed_ns);
	if (before_ns != 0)
		q->jitter_16 +=
			difference(sample_ns, q->sample_ns) - ((q->jitter_16 + 8) >> 4);
	q->sample_ns = sample_ns;
}

void quality_on_counts(struct quality *q, uint64_t sent, uint64_t lost, uint64_t now)
{
	q->sent = sent;
	q->lost = lost;
	if (q->since_ns == 0)
		q->since_ns = now;
	if (now - q->since_ns < QUALITY_SPAN_NS)
		return;
	q->since_ns = now;
	q->sent_at[0] = q->sent_at[1];
	q->lost_at[0] = q->lost_at[1];
	q->sent_at[1] = sent;
	q->lost_at[1] = lost;
}

uint64_t quality_jitter_ns(const struct quality *q)
{
	return q->jitter_16 >> 4;
}

uint64_t quality_sent(const struct quality *q)
{
	return q->sent - q->sent_at[0];
}

/* What was sent before the span may be found lost in it. */
uint64_t quality_lost(const struct quality *q)
{
	const uint64_t lost = q->lost - q->lost_at[0];
	return lost < quality_sent(q) ? lost : quality_sent(q);
}
