/* SPDX-License-Identifier: MIT */
/*
 * TCP (RFC 9293) of one stack: all of its connections, and the few calls through which segments
 * and time come in. How a segment travels:
 *
 *      tcp_input                                                        tcp_in.c
 *        '- tcp_table_find: whose is it?                                tcp_table.c
 *             |- nobody's: a listener's, or refused                     tcp_listen.c
 *             |- a SYN entry's: becomes a connection                    tcp_syn.c
 *             |- TIME-WAIT's                                            tcp_timewait.c
 *             '- a connection's: the steps of RFC 9293 3.10.7           tcp_in.c
 *                   '- an ACK: what arrived, what is lost, how fast     tcp_ack.c
 *                        '- tcp_sent.c  tcp_rack.c  tcp_recovery.c  tcp_cubic.c
 *      tcp_flush                                                        tcp.c
 *        |- events for the user
 *        '- tcp_output: what may be sent, and an ACK if one is due      tcp_out.c
 *             '- tcp_emit_*: headers and options                        tcp_emit.c
 *
 * Input changes connections and puts them on a list of work; flush, once for a whole batch of
 * segments, tells the users and sends. So many segments are answered by one ACK, and no user
 * is ever called while a connection is half changed. The exceptions are answers that must not
 * wait: duplicate ACKs, resets, handshakes.
 *
 * What the user asks for (OPEN, SEND, RECEIVE, CLOSE, ABORT, STATUS) stands in tcp_user.h.
 */
#ifndef STACK_TCP_H
#define STACK_TCP_H

#include "base/pool.h"
#include "stack/tcp_conn.h"
#include "stack/tcp_outcome.h"
#include "stack/tcp_seam.h"

#include <weft/frame.h>

#include <stdbool.h>
#include <stdint.h>

/** Limits and habits. Zero is the default that is named. */
struct tcp_config {
	uint32_t connections_max; /**< 0 for 65,536. SYN entries do not count. */
	uint32_t time_waits_max;  /**< 0 for 16,384; the oldest gives way. */
	uint32_t records_max;     /**< Segments under way, of all; 0 for 262,144. */
	size_t memory_max;        /**< Bytes in all queues together; 0 for 256 MiB. */
	uint32_t send_max;        /**< Send queue of a connection; 0 for 4 MiB. */
	uint32_t receive_first;   /**< Receive buffer at first; 0 for 128 KiB. */
	uint32_t receive_max;     /**< ... and at most; 0 for 6 MiB. */
	uint16_t blocks_max;      /**< Early blocks of a connection; 0 for 256. */
	uint16_t cuts_max; /**< Records cut by SACKs, beyond two per segment; 0 for 32. */
	uint16_t mss_min;  /**< Less is not sent; 0 for TCP_MSS_MIN, the least. */
	uint16_t spares_max;   /**< Chunks put by, of each size; 0 for 16. */
	uint32_t challenge_ms; /**< Between answers to what may be forged; 0 for 500. */
	uint32_t rto_min_ms;   /**< 0 for 200 ms. */
	uint32_t rto_max_ms;   /**< 0 for 60 s. */
	uint32_t ack_delay_ms; /**< How long an ACK may wait; 0 for 40 ms. */
	/** Give up when nothing is acknowledged; 0 for 5 min. */
	uint32_t user_timeout_ms;
	uint32_t open_timeout_ms; /**< Give up connecting; 0 for 3 min. */
	uint32_t time_wait_ms;    /**< 2 MSL; 0 for 60 s. */
	uint32_t fin_wait_ms;     /**< FIN-WAIT-2 of a closed connection; 0 for 60 s. */
	const struct tcp_cc_ops *cc; /**< NULL for CUBIC. */
	bool ecn;           /**< Ask for ECN; it is agreed to when the peer asks. */
	bool no_timestamps; /**< Do not use RFC 7323 timestamps, ... */
	bool no_wscale;     /**< ... window scaling, ... */
	bool no_sack;       /**< ... selective acknowledgments, ... */
	bool no_pacing;     /**< ... pacing. */
};

/** What else happened. Each is counted. */
enum tcp_count {
	TCP_COUNT_OPENED,      /**< Connections that this side began. */
	TCP_COUNT_ACCEPTED,    /**< Connections that the peer began. */
	TCP_COUNT_ABORTED,     /**< Ended by a time-out or by the user. */
	TCP_COUNT_RETRANSMITS, /**< Segments sent again. */
	TCP_COUNT_TIMEOUTS,    /**< Retransmission time-outs. */
	TCP_COUNT_RECOVERIES,  /**< Fast recoveries begun. */
	TCP_COUNT_UNDONE,      /**< Reductions that were mistakes. */
	TCP_COUNT_PROBES,      /**< Tail loss probes. */
	TCP_COUNT_RESETS_SENT,
	TCP_COUNT_COOKIES_SENT,
	TCP_COUNT_COOKIES_TAKEN,
	TCP_COUNT_TIME_WAITS_LOST, /**< TIME-WAITs that gave way to others. */
	TCP_COUNT_SPLITS_REFUSED,  /**< Of records: records_max, or too many by SACKs. */
	TCP_COUNTS
};

struct tcp {
	struct tcp_config config; /**< With the defaults filled in. */
	const struct tcp_ops *ops;
	void *user; /**< Of ops. */
	struct wheel *wheel;
	uint8_t secret[HASH_SECRET_LEN];

	struct tcp_table table;
	struct list listeners;
	uint32_t conns;
	struct list work;  /**< Connections that flush has to look after. */
	struct list awake; /**< struct tcp_active, who was looked at first first. */
	struct timer sleep_timer;
	bool is_flushing;
	struct pool records;
	struct tcp_budget budget;

	struct list time_waits; /**< In the order in which they end. */
	uint32_t time_waits_n;
	struct timer time_wait_timer;

	uint16_t next_port; /**< Where the search for a port goes on (RFC 6056). */
	struct tcp_rto_limits rto_limits;
	uint64_t outcomes[TCP_OUTCOMES];
	uint64_t counts[TCP_COUNTS];
};

/** What tcp_init needs. All is copied but the wheel, which must outlive the TCP. */
struct tcp_setup {
	const struct tcp_config *config; /**< May be NULL. */
	const uint8_t *secret;           /**< 16 bytes. */
	const struct tcp_ops *ops;
	void *user;
	struct wheel *wheel;
};

/** Has another configuration count from now on. */
void tcp_configure(struct tcp *tcp, const struct tcp_config *config);

/** Begins. Returns 0 or -ENOMEM. */
int tcp_init(struct tcp *tcp, const struct tcp_setup *setup) WEFT_MUST_CHECK;

/** Frees all connections and listeners, without a word to anybody. Also if init failed. */
void tcp_fini(struct tcp *tcp);

/** Takes a segment. What it leads to happens at tcp_flush. */
enum tcp_outcome tcp_input(struct tcp *tcp, const struct tcp_rx *rx, uint64_t now);

/** Counts a segment whose header or options could not be read. */
enum tcp_outcome tcp_input_bad(struct tcp *tcp, enum tcp_outcome outcome);

/** The batch is over: users are told, and what is due is sent. */
void tcp_flush(struct tcp *tcp, uint64_t now);

/** Has flush look after the connection. */
void tcp_touch(struct tcp_conn *conn);

/**
 * Whether what may be forged may be answered now (RFC 5961, 7). next_ns is when the next answer to
 * the same flow may leave, 0 at first; where this one may, it is moved on.
 */
bool tcp_may_challenge(const struct tcp *tcp, uint64_t *next_ns, uint64_t now);

static inline void tcp_count(struct tcp *tcp, enum tcp_count count)
{
	tcp->counts[count]++;
}

#endif
