/* SPDX-License-Identifier: MIT */
/*
 * How good a path is, beside its round trip: how much that varies, and how much is lost.
 *
 * Jitter is that of RFC 3550, 6.4.1 and A.8, J += (|D| - J) / 16, where D is what one round
 * trip differs from the one before. The round trips are those that QUIC takes anyway. The
 * latest one of them has the time in it for which the peer held its acknowledgement back
 * (RFC 9002, 5.3), and only the smoothed one is free of it; so a sample is taken back out of
 * two smoothed ones:
 *
 *     smoothed' = 7/8 smoothed + 1/8 sample      =>      sample = 8 smoothed' - 7 smoothed
 *
 * Loss is what loss detection says of the last half minute to minute: since a connection was
 * made says little about a path that lives for a day.
 */
#ifndef QUIC_QUALITY_H
#define QUIC_QUALITY_H

#include "base/time.h"

#include <stdint.h>

/** Loss is looked back at for one to two of these. */
#define QUALITY_SPAN_NS (30 * NS_PER_S)

/** Zero is a path of which nothing is known. */
struct quality {
	uint64_t latest_ns, smoothed_ns; /**< As they were seen last; 0 for not yet. */
	uint64_t sample_ns;              /**< The last round trip. */
	uint64_t jitter_16;              /**< Jitter in ns, times 16. */
	uint64_t since_ns;               /**< When the present span began. */
	uint64_t sent, lost;             /**< As they were counted last. */
	uint64_t sent_at[2], lost_at[2]; /**< As the last two spans began. */
};

/** A look at the round trips: the same as last time is no new sample; latest 0 is none. */
void quality_on_trip(struct quality *q, uint64_t latest_ns, uint64_t smoothed_ns);

/** A look at the counters, which only grow. */
void quality_on_counts(struct quality *q, uint64_t sent, uint64_t lost, uint64_t now);

uint64_t quality_jitter_ns(const struct quality *q);

/** What was sent of late, and how much of it was lost. */
uint64_t quality_sent(const struct quality *q);
uint64_t quality_lost(const struct quality *q);

#endif
