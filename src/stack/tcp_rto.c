/* SPDX-License-Identifier: MIT */
/*
 * RFC 6298, section 2. G, the granularity of the clock, is one tick of 1 ms: the loop that
 * drives the timers is no finer.
 */
#include "stack/tcp_rto.h"

#include "base/time.h"

#define GRANULARITY_US 1000u

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

static void set_from_estimates(struct tcp_rto *rto, const struct tcp_rto_limits *limits)
{
	uint64_t spread = 4 * (uint64_t)rto->rttvar_us;
	if (spread < GRANULARITY_US)
		spread = GRANULARITY_US;
	rto->rto_us = clamp(rto->srtt_us + spread, limits);
	rto->backoff = 0;
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
	rto->srtt_us = (uint32_t)srtt;
	rto->rttvar_us = (uint32_t)rttvar;
	set_from_estimates(rto, limits);
}

/* RFC 4015, 3.5. SRTT stays: it is also what is paced by, and the time-out is long without it. */
void rto_widen(struct tcp_rto *rto, const struct tcp_rto_limits *limits, uint32_t rtt_us)
{
	if (rto->rttvar_us < rtt_us / 2)
		rto->rttvar_us = rtt_us / 2;
	set_from_estimates(rto, limits);
}

uint64_t rto_ns(const struct tcp_rto *rto, const struct tcp_rto_limits *limits)
{
	uint64_t us = rto->rto_us;
	for (unsigned i = 0; i < rto->backoff && us < limits->max_us; i++)
		us *= 2;
	return (uint64_t)clamp(us, limits) * NS_PER_US;
}
