/* SPDX-License-Identifier: MIT */
/*
 * Congestion control as a table of six functions: how much may be under way. What is lost,
 * and what is then sent again, is not decided here (tcp_recovery.h); an algorithm is told of
 * acknowledgments, losses and time-outs, and moves two numbers:
 *
 *      cwnd        the congestion window: the most that may be under way, in bytes
 *      ssthresh    below it cwnd grows by what is acknowledged (slow start), above it by the
 *                  algorithm's own rule (congestion avoidance)
 */
#ifndef STACK_TCP_CC_H
#define STACK_TCP_CC_H

#include <stdbool.h>
#include <stdint.h>

/** What CUBIC keeps (tcp_cubic.c). */
struct tcp_cubic {
	uint64_t epoch_ns;    /**< When congestion avoidance began; 0: not yet. */
	uint32_t w_max;       /**< Window before the last reduction. */
	uint32_t w_max_prior; /**< The one before that, for undoing. */
	uint32_t w_est;       /**< What Reno would have by now. */
	uint32_t k_ms;        /**< How long it takes to reach w_max again. */
};

/** What HyStart++ keeps (tcp_hystart.c). */
struct tcp_hystart {
	uint32_t round_end; /**< The round trip is over when this is acknowledged. */
	uint32_t last_us;   /**< Least RTT of the round before; 0: none. */
	uint32_t least_us;  /**< That of this one; 0: none yet. */
	uint32_t css_us;    /**< That with which CSS began; 0: not in CSS. */
	uint8_t samples;    /**< Of this round, as far as they count. */
	uint8_t css_rounds; /**< That have ended in CSS. */
	bool has_round;     /**< One has begun. */
};

/** Congestion control of one connection. */
struct tcp_cc {
	uint32_t cwnd, ssthresh;             /**< In bytes. */
	uint32_t cwnd_prior, ssthresh_prior; /**< Before the last reduction. */
	uint32_t mss;                        /**< The connection's, see cc_set_mss. */
	uint32_t acked; /**< Bytes that cwnd has not grown for yet. */
	/** Of CUBIC: what it keeps in the first slow start, and after it. */
	union {
		struct tcp_hystart hystart;
		struct tcp_cubic cubic;
	};
};

/** An acknowledgment while nothing is being recovered. */
struct tcp_cc_ack {
	uint32_t acked;    /**< Bytes that are newly acknowledged. */
	uint32_t una, nxt; /**< SND.UNA, behind them, and SND.NXT. */
	uint32_t srtt_us;
	uint32_t rtt_us; /**< What this one took; 0: unknown. */
	bool is_paced;   /**< What may leave does not leave in one burst. */
	uint64_t now;
};

struct tcp_cc_ops {
	const char *name; /**< "cubic". */
	/** The connection begins: cwnd is the initial window, ssthresh without bound. */
	void (*start)(struct tcp_cc *cc);
	/** Bytes were acknowledged, and cwnd was what held the sender back. */
	void (*acked)(struct tcp_cc *cc, const struct tcp_cc_ack *ack);
	/** Something was lost, or marked (ECN): once per window. Sets ssthresh. */
	void (*lost)(struct tcp_cc *cc, uint32_t flight, uint64_t now);
	/** The retransmission timer fired: cwnd is one segment. Sets ssthresh. */
	void (*timed_out)(struct tcp_cc *cc, uint32_t flight, uint64_t now);
	/** The last of those two was no loss after all. */
	void (*undone)(struct tcp_cc *cc);
	/** Nothing was under way for a while, and cwnd is what that has left of it. */
	void (*paused)(struct tcp_cc *cc);
};

#define TCP_SSTHRESH_NONE UINT32_MAX

extern const struct tcp_cc_ops tcp_cubic_ops;   /**< RFC 9438. */
extern const struct tcp_cc_ops tcp_newreno_ops; /**< RFC 5681, 6582. */

static inline bool cc_is_slow_start(const struct tcp_cc *cc)
{
	return cc->cwnd < cc->ssthresh;
}

/** RFC 6928: ten segments, as long as they are not huge. */
static inline uint32_t cc_initial_window(uint32_t mss)
{
	uint32_t most = 2 * mss > 14600 ? 2 * mss : 14600;
	return 10 * mss < most ? 10 * mss : most;
}

/** What a window may not be less than, so that a segment always fits. */
static inline void cc_widen(uint32_t *window, uint32_t least)
{
	if (*window < least)
		*window = least;
}

/** Segments are as long from now on; longer ones fit all windows (RFC 5681, 3.1, equation 4). */
static inline void cc_set_mss(struct tcp_cc *cc, uint32_t mss)
{
	cc->mss = mss;
	cc_widen(&cc->cwnd, mss);
	cc_widen(&cc->ssthresh, 2 * mss);
	cc_widen(&cc->ssthresh_prior, 2 * mss);
}

/** Remembers what undone goes back to. */
static inline void cc_remember(struct tcp_cc *cc)
{
	cc->cwnd_prior = cc->cwnd;
	cc->ssthresh_prior = cc->ssthresh;
}

/**
 * Slow start: grows cwnd by what was acknowledged, but not past ssthresh (RFC 3465 with no
 * limit L: a sender that paces does not burst). Returns the bytes that are left over.
 */
static inline uint32_t cc_slow_start(struct tcp_cc *cc, uint32_t acked)
{
	uint32_t room = cc->ssthresh - cc->cwnd;
	uint32_t grown = acked < room ? acked : room;
	cc->cwnd += grown;
	return acked - grown;
}

#endif
