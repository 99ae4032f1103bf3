/* SPDX-License-Identifier: MIT */
/*
 * NewReno (RFC 5681, 3.1 and 3.2; RFC 6582): one segment more per round trip, and half after
 * a loss.
 *
 *      cwnd      /|      /|      /|
 *               / |     / |     / |
 *              /  |    /  |    /  |      AIMD: additive increase, multiplicative decrease
 *             /   |   /   |   /
 *                 |  /    |  /
 *                 | /     | /
 *
 * Bytes are counted, not acknowledgments (RFC 3465): a receiver that splits its ACKs gains
 * nothing, and one that delays them loses nothing.
 */
#include "stack/tcp_cc.h"

static uint32_t half_of(const struct tcp_cc *cc, uint32_t flight)
{
	uint32_t half = flight / 2, least = 2 * cc->mss;
	return half > least ? half : least;
}

static void newreno_start(struct tcp_cc *cc)
{
	cc->acked = 0;
}

static void newreno_acked(struct tcp_cc *cc, const struct tcp_cc_ack *ack)
{
	uint32_t acked = ack->acked;
	if (cc_is_slow_start(cc))
		acked = cc_slow_start(cc, acked);
	cc->acked += acked;
	while (acked > 0 && cc->acked >= cc->cwnd) {
		cc->acked -= cc->cwnd;
		cc->cwnd += cc->mss;
	}
}

static void newreno_lost(struct tcp_cc *cc, uint32_t flight, uint64_t now)
{
	(void)now;
	cc_remember(cc);
	cc->ssthresh = half_of(cc, flight);
	cc->acked = 0;
}

static void newreno_timed_out(struct tcp_cc *cc, uint32_t flight, uint64_t now)
{
	newreno_lost(cc, flight, now);
	cc->cwnd = cc->mss;
}

static void newreno_undone(struct tcp_cc *cc)
{
	if (cc->cwnd < cc->cwnd_prior)
		cc->cwnd = cc->cwnd_prior;
	cc->ssthresh = cc->ssthresh_prior;
}

static void newreno_paused(struct tcp_cc *cc)
{
	cc->acked = 0;
}

const struct tcp_cc_ops tcp_newreno_ops = {
	.name = "newreno",
	.start = newreno_start,
	.acked = newreno_acked,
	.lost = newreno_lost,
	.timed_out = newreno_timed_out,
	.undone = newreno_undone,
	.paused = newreno_paused,
};
