/* SPDX-License-Identifier: MIT */
/*
 * The retransmission time-out (RFC 6298): how long an acknowledgment may take, from how long
 * it has taken and how much that varied.
 *
 *      first sample     SRTT = R                         RTTVAR = R / 2
 *      each later one   SRTT = 7/8 SRTT + 1/8 R          RTTVAR = 3/4 RTTVAR + 1/4 |SRTT - R|
 *      then             RTO  = SRTT + max(G, 4 RTTVAR), at least RTO_MIN
 *
 * Each time-out doubles it, and the first acknowledgment of something new undoes the doubling.
 * A segment that was sent twice gives no sample (Karn), since nobody knows which of the two
 * was acknowledged.
 *
 * The RFC's least RTO is 1 s. Here it is 200 ms unless configured otherwise, as in Linux: the
 * probes of RFC 8985 and the timestamps that tell a spurious time-out have taken over what the
 * second was for.
 */
#ifndef STACK_TCP_RTO_H
#define STACK_TCP_RTO_H

#include <stdint.h>

#define TCP_RTO_FIRST_US    1000000u /**< Before there is a sample (RFC 6298, 2.1). */
#define TCP_RTO_SYN_LOST_US 3000000u /**< Likewise, after a SYN was sent again (5.7). */

/** Times in us: up to 71 minutes. */
struct tcp_rto {
	uint32_t srtt_us; /**< 0: no sample yet. */
	uint32_t rttvar_us;
	uint32_t rto_us; /**< Without back-off. */
	uint8_t backoff; /**< How often it has been doubled since something was acknowledged. */
};

struct tcp_rto_limits {
	uint32_t min_us, max_us;
};

void rto_init(struct tcp_rto *rto);

/** Takes a sample in us. */
void rto_sample(struct tcp_rto *rto, const struct tcp_rto_limits *limits,
		uint32_t rtt_us);

/** After a time-out that was needless: a round trip of so many us is to be expected again. */
void rto_widen(struct tcp_rto *rto, const struct tcp_rto_limits *limits, uint32_t rtt_us);

/** The time-out in ns, with back-off. */
uint64_t rto_ns(const struct tcp_rto *rto, const struct tcp_rto_limits *limits);

/** After a time-out: twice as long the next time. */
static inline void rto_back_off(struct tcp_rto *rto)
{
	if (rto->backoff < UINT8_MAX)
		rto->backoff++;
}

#endif
