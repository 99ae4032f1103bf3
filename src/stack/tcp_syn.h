/* SPDX-License-Identifier: MIT */
/*
 * Half-open connections: SYN-RECEIVED after a passive open. All that has to be known then is
 * what the SYN said and what was answered, so that is all that is kept: a flood of SYNs costs
 * some hundred bytes each, up to a limit, and nothing beyond (tcp_cookie.h).
 *
 * The entries of a listener stand in lists by how often they have been answered. In each list
 * they wait equally long, so the first is always the first that is due: no entry has a timer.
 *
 *      syns[0]   SYN,ACK sent once, waits 1 s     [a] [b] [c] [d]
 *      syns[1]   twice, 2 s                       [e] [f]
 *      syns[2]   three times, 4 s                 [g]
 */
#ifndef STACK_TCP_SYN_H
#define STACK_TCP_SYN_H

#include "stack/tcp_listen.h"

#include <stdint.h>

struct tcp_syn {
	struct tcp_node node;
	struct list of_listener;
	struct tcp_listener *listener;
	uint64_t sent_ns;      /**< When the SYN,ACK was sent last. */
	uint64_t challenge_ns; /**< When what may be forged may be answered again. */
	uint32_t irs, iss;
	uint32_t ts_recent, ts_offset;
	uint16_t window;   /**< Of the SYN: not scaled. */
	uint16_t mss_peer; /**< As its option said. */
	uint16_t mss_own;  /**< As ours says. */
	uint8_t wscale_peer;
	uint8_t retries;
	bool has_wscale : 1, has_timestamps : 1, has_sack : 1, has_ecn : 1;
};

/** What the SYN,ACK to this SYN says. Sends nothing and keeps nothing. */
struct tcp_syn tcp_syn_of(struct tcp_listener *listener, const struct tcp_rx *rx,
			  uint64_t now);

/** Sends it. */
void tcp_syn_answer(const struct tcp_syn *syn, uint64_t now);

/** Keeps it and answers. Returns false where there is no memory. */
bool tcp_syn_add(struct tcp_listener *listener, const struct tcp_syn *syn, uint64_t now);

void tcp_syn_free(struct tcp_syn *syn);

/** A segment for a half-open connection (RFC 9293, 3.10.7.4, SYN-RECEIVED). */
enum tcp_outcome tcp_syn_input(struct tcp_syn *syn, const struct tcp_rx *rx,
			       uint64_t now);

/** Makes the connection that syn describes, in SYN-RECEIVED; NULL at a limit. */
struct tcp_conn *tcp_syn_promote(const struct tcp_syn *syn, uint64_t now);

/** Gives it the segment that completes the handshake. What does not complete it is its end. */
enum tcp_outcome tcp_syn_finish(struct tcp_conn *conn, const struct tcp_rx *rx,
				uint64_t now);

/** The listener's timer. */
void tcp_syn_fire(struct timer *timer, void *user, uint64_t now);

#endif
