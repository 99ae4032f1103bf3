/* SPDX-License-Identifier: MIT */
/*
 * RFC 6298, section 2. G, the granularity of the clock, is one tick of 1 ms: the loop that
 * drives the timers is no finer.
 */
#include "stack/tcp_rto.h"

#define GRANULARITY_US 1000u
#define NS_PER_US      1000u

void rto_init(struct tcp_rto *rto)
{
	*rto = (struct tcp_rto){ .rto_us = TCP_RTO_FIRST_US };
}

static uint32_t clamp(uint64_t us, const struct tcp_rto_limits *limits)
{
	if (us < limits->min_us)
		return limits->min_us;
	return us > limits->max_us ? limits->max_us : (uint32_t)us;
}

void rto_sample(struct tcp_rto *rto, const struct tcp_rto_limits *limits, uint32_t rtt_us)
{
	uint64_t srtt = rto->srtt_us, rttvar = rto->rttvar_us;
	if (rtt_us == 0)
		rtt_us = 1;
	if (srtt == 0) {
		srtt = rtt_us;
		rttvar = rtt_us / 2;
	} else {
		uint64_t off = srtt > rtt_us ? srtt - rtt_us : rtt_us - srtt;
		rttvar = (3 * rttvar + off) / 4;
		srtt = (7 * srtt + rtt_us + 4) / 8;
	}
	uint64_t spread = 4 * rttvar > GRANULARITY_US ? 4 * rttvar : GRANULARITY_US;
	rto->srtt_us = (uint32_t)srtt;
	rto->rttvar_us = (uint32_t)rttvar;
	rto->rto_us = clamp(srtt + spread, limits);
	rto->backoff = 0;
}

uint64_t rto_ns(const struct tcp_rto *rto, const struct tcp_rto_limits *limits)
{
	uint64_t us = rto->rto_us;
	for (unsigned i = 0; i < rto->backoff && us < limits->max_us; i++)
		us *= 2;
	return (uint64_t)clamp(us, limits) * NS_PER_US;
}
