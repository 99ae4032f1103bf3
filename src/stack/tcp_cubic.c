/* SPDX-License-Identifier: MIT */
/*
 * CUBIC (RFC 9438): after a reduction the window returns quickly to where it was, lingers
 * there, and then looks for more, faster and faster. How fast depends on the time since the
 * reduction and not on the round-trip time.
 *
 *      cwnd                                        .        convex: look for more
 *                                                 /
 *      w_max  --|                    _.---------.-
 *               |                .-'            |
 *               |             .'  concave       |
 *               |           /                   |
 *               '--------- *                    |
 *                          |<------- K -------->|      time since the reduction: t
 *
 *      W(t) = C (t - K)^3 + w_max      K = cbrt((w_max - cwnd) / C)      C = 0.4 segments/s^3
 *
 * Where windows are small or round trips short, Reno would be faster; then the window follows
 * w_est, what Reno would have (section 4.3). Windows are in bytes and times in ms here.
 */
#include "base/time.h"
#include "stack/tcp_hystart.h"

#define BETA_NUM   7u /* beta = 0.7, 4.6 */
#define BETA_DEN   10u
#define AGE_MAX_MS 100000 /* Beyond 100 s W grows no faster: keeps the cube in 64 bits. */

/* The largest r with r^3 <= x. */
static uint32_t cube_root(uint64_t x)
{
	uint32_t root = 0;
	for (uint32_t bit = 1u << 20; bit > 0; bit >>= 1) {
		uint64_t r = root | bit;
		if (r * r * r <= x)
			root |= bit;
	}
	return root;
}

/* K of 4.2, in ms: the third root of (bytes / mss) / 0.4 s^-3. */
static uint32_t time_to_grow(uint32_t bytes, uint32_t mss)
{
	return cube_root((uint64_t)bytes * 2500000000u / mss);
}

/* C (t - K)^3 + w_max, in bytes; 0 where that is negative. */
static uint64_t w_cubic(const struct tcp_cc *cc, uint64_t t_ms)
{
	int64_t off = (int64_t)t_ms - cc->cubic.k_ms;
	if (off > AGE_MAX_MS)
		off = AGE_MAX_MS;
	int64_t delta = off * off * off / 10000 * 4 * cc->mss / 1000000;
	int64_t w = (int64_t)cc->cubic.w_max + delta;
	return w > 0 ? (uint64_t)w : 0;
}

static bool is_first_slow_start(const struct tcp_cc *cc)
{
	return cc->ssthresh == TCP_SSTHRESH_NONE;
}

static void cubic_start(struct tcp_cc *cc)
{
	cc->acked = 0;
	cc->hystart = (struct tcp_hystart){ 0 };
}

/* Congestion avoidance begins, after a reduction or out of slow start (4.2, 4.8). */
static void begin_epoch(struct tcp_cc *cc, uint64_t now)
{
	struct tcp_cubic *cubic = &cc->cubic;
	cubic->epoch_ns = now;
	cubic->w_est = cc->cwnd;
	if (cubic->w_max < cc->cwnd)
		cubic->w_max = cc->cwnd;
	cubic->k_ms = time_to_grow(cubic->w_max - cc->cwnd, cc->mss);
}

/*
 * 4.3: Reno with a reduction by 0.7 instead of 0.5 grows by alpha = 3 (1 - 0.7) / (1 + 0.7)
 * segments per round trip to be as fast on average; past the old window, by one.
 */
static void grow_w_est(struct tcp_cc *cc, uint32_t acked)
{
	uint64_t grow = (uint64_t)acked * cc->mss / cc->cwnd;
	if (cc->cubic.w_est < cc->cwnd_prior)
		grow = grow * 9 / 17;
	cc->cubic.w_est += (uint32_t)grow;
}

/* 4.4 and 4.5: in a round trip, cwnd gets to where W is in a round trip, at most half more. */
static void grow_cwnd(struct tcp_cc *cc, const struct tcp_cc_ack *ack, uint32_t acked)
{
	uint64_t t_ms = (ack->now - cc->cubic.epoch_ns) / NS_PER_MS;
	uint64_t target = w_cubic(cc, t_ms + ack->srtt_us / 1000);
	uint64_t most = cc->cwnd + cc->cwnd / 2;
	if (target > most)
		target = most;
	if (target > cc->cwnd)
		cc->cwnd += (uint32_t)((target - cc->cwnd) * acked / cc->cwnd);
	if (cc->cwnd < cc->cubic.w_est)
		cc->cwnd = cc->cubic.w_est;
}

static void cubic_acked(struct tcp_cc *cc, const struct tcp_cc_ack *ack)
{
	uint32_t acked = ack->acked;
	if (is_first_slow_start(cc)) {
		hystart_acked(cc, ack); /* 4.10 */
		if (!is_first_slow_start(cc))
			cc->cubic = (struct tcp_cubic){ 0 };
		return;
	}
	if (cc_is_slow_start(cc))
		acked = cc_slow_start(cc, acked);
	if (acked == 0)
		return;
	if (cc->cubic.epoch_ns == 0)
		begin_epoch(cc, ack->now);
	if (acked > cc->cwnd)
		acked = cc->cwnd;
	grow_w_est(cc, acked);
	grow_cwnd(cc, ack, acked);
}

static void cubic_lost(struct tcp_cc *cc, uint32_t flight, uint64_t now)
{
	struct tcp_cubic *cubic = &cc->cubic;
	(void)now;
	if (is_first_slow_start(cc))
		*cubic = (struct tcp_cubic){ 0 };
	cc_remember(cc);
	cubic->w_max_prior = cubic->w_max;
	/* 4.7, fast convergence: who loses before reaching w_max makes room for others. */
	if (cc->cwnd < cubic->w_max)
		cubic->w_max = (uint32_t)((uint64_t)cc->cwnd * (BETA_DEN + BETA_NUM) /
					  BETA_DEN / 2);
	else
		cubic->w_max = cc->cwnd;
	cubic->epoch_ns = 0;
	/* 4.6: of what is under way, so that an idle window is not believed in. */
	uint32_t base = flight < cc->cwnd ? flight : cc->cwnd;
	uint32_t reduced = (uint32_t)((uint64_t)base * BETA_NUM / BETA_DEN);
	cc->ssthresh = reduced > 2 * cc->mss ? reduced : 2 * cc->mss;
}

static void cubic_timed_out(struct tcp_cc *cc, uint32_t flight, uint64_t now)
{
	cubic_lost(cc, flight, now);
	cc->cwnd = cc->mss;
}

static void cubic_undone(struct tcp_cc *cc)
{
	if (cc->cwnd < cc->cwnd_prior)
		cc->cwnd = cc->cwnd_prior;
	cc->ssthresh = cc->ssthresh_prior;
	cc->cubic.w_max = cc->cubic.w_max_prior;
	cc->cubic.epoch_ns = 0;
	if (is_first_slow_start(cc))
		cc->hystart = (struct tcp_hystart){ 0 };
}

/* 5.8: what W would have become by now is no reason to grow, nor what a round trip took. */
static void cubic_paused(struct tcp_cc *cc)
{
	if (is_first_slow_start(cc))
		cc->hystart = (struct tcp_hystart){ 0 };
	else
		cc->cubic.epoch_ns = 0;
}

const struct tcp_cc_ops tcp_cubic_ops = {
	.name = "cubic",
	.start = cubic_start,
	.acked = cubic_acked,
	.lost = cubic_lost,
	.timed_out = cubic_timed_out,
	.undone = cubic_undone,
	.paused = cubic_paused,
};
