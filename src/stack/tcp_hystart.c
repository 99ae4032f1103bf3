/* SPDX-License-Identifier: MIT */
/*
 * RFC 9406, 4.2 and 4.3, whose constants these are.
 */
#include "stack/tcp_hystart.h"

#include "stack/tcp_seq.h"

#define RTT_THRESH_MIN_US  4000u
#define RTT_THRESH_MAX_US  16000u
#define RTT_DIVISOR        8u
#define SAMPLES_MIN        8u
#define CSS_GROWTH_DIVISOR 4u
#define CSS_ROUNDS         5u
#define BURST_SEGMENTS     8u /* L, for who does not pace. */

static void begin_round(struct tcp_hystart *h, uint32_t nxt)
{
	h->has_round = true;
	h->round_end = nxt;
	h->last_us = h->least_us;
	h->least_us = 0;
	h->samples = 0;
}

/* One that ended long ago, while cwnd held nobody back, may seem to be ahead. */
static bool round_is_over(const struct tcp_hystart *h, const struct tcp_cc_ack *ack)
{
	return !seq_before(ack->una, h->round_end) || seq_after(h->round_end, ack->nxt);
}

static void take_sample(struct tcp_hystart *h, uint32_t rtt_us)
{
	if (rtt_us == 0)
		return;
	if (h->least_us == 0 || rtt_us < h->least_us)
		h->least_us = rtt_us;
	if (h->samples < SAMPLES_MIN)
		h->samples++;
}

/* How long a round trip is long, after one of last_us: longer by RttThresh. */
static uint64_t long_us(uint32_t last_us)
{
	uint32_t thresh = last_us / RTT_DIVISOR;
	if (thresh < RTT_THRESH_MIN_US)
		thresh = RTT_THRESH_MIN_US;
	else if (thresh > RTT_THRESH_MAX_US)
		thresh = RTT_THRESH_MAX_US;
	return (uint64_t)last_us + thresh;
}

/* Enters CSS when a queue shows, and leaves it when there was none. */
static void look_for_queue(struct tcp_hystart *h)
{
	if (h->samples < SAMPLES_MIN)
		return;
	if (h->css_us != 0) {
		if (h->least_us < h->css_us)
			h->css_us = 0;
	} else if (h->last_us != 0 && h->least_us >= long_us(h->last_us)) {
		h->css_us = h->least_us;
		h->css_rounds = 0;
	}
}

static uint32_t growth(const struct tcp_cc *cc, const struct tcp_cc_ack *ack)
{
	uint32_t most = ack->is_paced ? UINT32_MAX : BURST_SEGMENTS * cc->mss;
	uint32_t grow = ack->acked < most ? ack->acked : most;
	return cc->hystart.css_us != 0 ? grow / CSS_GROWTH_DIVISOR : grow;
}

void hystart_acked(struct tcp_cc *cc, const struct tcp_cc_ack *ack)
{
	struct tcp_hystart *h = &cc->hystart;
	if (!h->has_round)
		begin_round(h, ack->nxt);
	take_sample(h, ack->rtt_us);
	look_for_queue(h);
	(void)cc_slow_start(cc, growth(cc, ack));
	if (!round_is_over(h, ack))
		return;
	begin_round(h, ack->nxt);
	/* The round in which CSS was entered counts as one. */
	if (h->css_us != 0 && ++h->css_rounds == CSS_ROUNDS)
		cc->ssthresh = cc->cwnd;
}
