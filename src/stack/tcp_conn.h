/* SPDX-License-Identifier: MIT */
/*
 * One connection: the transmission control block of RFC 9293, 3.3.1, with what later RFCs have
 * added to it.
 *
 *      send sequence space          1         2          3          4
 *                              ----------|----------|----------|----------
 *                                     SND.UNA    SND.NXT    SND.UNA
 *                                                          +SND.WND
 *        1 acknowledged   2 sent, waiting   3 may be sent   4 may not be sent yet
 *
 *      receive sequence space           1          2          3
 *                                   ----------|----------|----------
 *                                          RCV.NXT    RCV.NXT
 *                                                    +RCV.WND
 *        1 received and acknowledged   2 may come   3 may not come yet
 *
 * The queue to_send holds areas 2 and 3 (and what the user has written beyond); the set of
 * records of board says of area 2 what was sent when, and what is known to have arrived or to
 * be lost. SYN and FIN take a sequence number each and have their places in the records, so
 * that they are sent again like data.
 *
 * An idle connection takes 512 bytes or less (tests/stack/tcp_conn.c): all that can be large
 * is allocated while it is used.
 */
#ifndef STACK_TCP_CONN_H
#define STACK_TCP_CONN_H

#include "base/list.h"
#include "stack/tcp_cc.h"
#include "stack/tcp_chain.h"
#include "stack/tcp_reassembly.h"
#include "stack/tcp_rto.h"
#include "stack/tcp_seq.h"
#include "stack/tcp_state.h"
#include "stack/tcp_table.h"
#include "stack/wheel.h"

#include <weft/tcp.h>

#include <stdbool.h>
#include <stdint.h>

struct tcp;
struct tcp_conn;
struct tcp_listener;

/** Things that are due at a time. One timer is armed for the earliest of them. */
enum tcp_due {
	TCP_DUE_RETRANSMIT, /**< The retransmission time-out (RFC 6298). */
	TCP_DUE_PERSIST, /**< Ask a closed window whether it has opened (RFC 9293 3.8.6.1). */
	TCP_DUE_REORDER, /**< RACK: what is late by now is lost (RFC 8985, 6.2). */
	TCP_DUE_PROBE,   /**< Tail loss probe (RFC 8985, 7). */
	TCP_DUE_PACE,    /**< The next segment may leave. */
	TCP_DUE_ACK,     /**< An acknowledgment has waited long enough. */
	TCP_DUE_QUIET,   /**< Keep-alive; in FIN-WAIT-2, the end of patience. */
	TCP_DUES
};

#define TCP_NOT_DUE UINT64_MAX

/** What has been sent and not acknowledged (tcp_sent.h). */
struct tcp_board {
	struct list by_seq; /**< All records, in order of their sequence numbers. */
	/** Those that are under way, in the order they were sent. */
	struct list by_time;
	struct list lost_list; /**< Those that are to be sent again, in that order. */
	uint32_t sacked, lost; /**< In bytes. */
	uint32_t cuts;         /**< Records that were cut off others. */
};

enum tcp_phase {
	TCP_OPEN,     /**< Nothing is being recovered. */
	TCP_RECOVERY, /**< Something was lost and is sent again (fast recovery). */
	TCP_LOSS,     /**< The retransmission timer has fired. */
};

/** Loss detection and recovery (tcp_rack.h, tcp_recovery.h). */
struct tcp_recovery {
	/* RACK, names of RFC 8985, 5.2. */
	uint64_t rack_xmit_ns; /**< When what was delivered last had been sent. */
	uint32_t rack_end;     /**< Its end. */
	uint32_t rack_rtt_us;
	uint32_t fack;        /**< Highest end that was delivered. */
	uint32_t min_rtt_us;  /**< 0: none yet. */
	uint32_t dsack_round; /**< Until SND.UNA passes this, DSACKs are one event. */
	uint8_t reo_mult;     /**< Quarters of min_rtt that the reordering window has. */
	uint8_t reo_persist;  /**< Recoveries until it goes back to one quarter. */
	bool reordering_seen;
	bool dsack_seen; /**< dsack_round counts. */

	/* Tail loss probe. */
	bool probe_out;   /**< One is under way, ... */
	bool probe_again; /**< ... and what it sent had been sent before. */
	uint32_t probe_end;

	/* The recovery under way. */
	uint8_t phase;     /**< enum tcp_phase. */
	uint8_t dupacks;   /**< In a row, of a peer without SACK. */
	bool dups_are_old; /**< They answer what the last recovery has sent again. */
	uint32_t point;    /**< SND.NXT at its beginning: it ends when that is acked. */

	/* Of the last reduction, also when the recovery is over. */
	uint8_t undo; /**< The phase for which it may have been a mistake; TCP_OPEN: none. */
	bool undo_by_ts;   /**< The first ACK of what was sent again has still to tell. */
	uint32_t undo_ts;  /**< Timestamp of the first retransmission (RFC 3522). */
	uint32_t undo_una; /**< SND.UNA at the beginning. */
	uint32_t undo_left; /**< Bytes sent again that no DSACK has called needless. */

	/* Likewise of the recovery under way. */
	uint32_t reno_sacked;   /**< Bytes that duplicate ACKs stand for, without SACK. */
	uint32_t prr_delivered; /**< RFC 6937, 2: bytes delivered since then, ... */
	uint32_t prr_out;       /**< ... bytes sent since then, ... */
	uint32_t prr_flight;    /**< ... and RecoverFS. */
};

/** What the receiver's window follows (tcp_window.h). */
struct tcp_tuning {
	uint32_t rtt_us;    /**< As the receiver sees it; 0: unknown. */
	uint32_t copied;    /**< Bytes that the user has read since copied_ns. */
	uint32_t most;      /**< Bytes that the user has ever read in a round trip. */
	uint32_t round_seq; /**< The round trip is over when RCV.NXT is here. */
	uint64_t round_ns, copied_ns;
};

/**
 * What a connection has only while something goes on: made by tcp_wake, and given back when
 * nothing has been under way, unread or early for a second. It begins empty each time: what was
 * learnt about reordering is learnt again.
 */
struct tcp_active {
	struct list of_tcp; /**< In tcp->awake, in the order of looked_ns. */
	struct tcp_conn *conn;
	uint64_t looked_ns; /**< When it was made, or last looked whether it can go. */
	struct ip_path path;
	struct tcp_board board;
	struct tcp_recovery recovery;
	struct tcp_tuning tuning;
	uint64_t pace_ns; /**< When the next segment may leave. */
	uint64_t sent_ns; /**< When data, SYN or FIN were sent last. */
};

struct tcp_conn {
	struct tcp_node node; /**< Its flow, and its place in the table. */
	struct tcp *tcp;
	const struct weft_tcp_events *events; /**< Called from tcp_flush only. */
	void *user;
	struct tcp_listener *listener; /**< While it has not been accepted. */
	struct list queue;             /**< In the listener's queue, or by itself. */
	struct list work;   /**< In tcp->work while it has to be looked after. */
	struct timer timer; /**< For the earliest of due. */
	uint64_t due[TCP_DUES];
	struct tcp_active *active; /**< NULL while it is idle. */

	/* Send sequence space. */
	uint32_t iss, snd_una, snd_nxt;
	uint32_t snd_wnd;          /**< In bytes: scaled. */
	uint32_t snd_wl1, snd_wl2; /**< Segment and ACK of the last window update. */
	uint32_t snd_wnd_max;      /**< The largest window that the peer ever offered. */
	uint32_t snd_limit;        /**< Most bytes that to_send may hold. */
	uint32_t snd_up;           /**< While snd_urgent (tcp_urgent.h). */

	/* Receive sequence space. */
	uint32_t irs, rcv_nxt;
	uint32_t rcv_edge; /**< RCV.NXT + RCV.WND as last advertised: never moves left. */
	uint32_t rcv_buffer; /**< The most that the window offers, in bytes. */
	uint32_t rcv_acked;  /**< RCV.NXT as last sent: Last.ACK.sent of RFC 7323. */
	uint32_t rcv_up;     /**< While rcv_urgent. */

	/* Agreed on in the handshake, or set by the user. */
	uint16_t mss_gross; /**< Of a segment with its options, without the TCP header. */
	uint16_t mss_peer;  /**< As its option said. */
	uint16_t rcv_mss;   /**< The longest segment that comes from it. */
	uint16_t rcv_size;  /**< The last one that was no message. */
	uint8_t state;      /**< enum tcp_state: set by tcp_set_state only. */
	uint8_t snd_wscale, rcv_wscale;
	uint8_t tos;
	uint8_t ttl; /**< 0: the stack's default. */
	bool has_timestamps : 1, has_sack : 1, has_wscale : 1, has_ecn : 1;
	bool nodelay : 1, cork : 1, keepalive : 1;

	/* Where it stands. */
	bool is_orphan : 1;  /**< The user has closed: nobody will read or be told. */
	bool is_dead : 1;    /**< Nothing more will happen; freed when it is an orphan. */
	bool read_shut : 1;  /**< The user waits for nothing more to read. */
	bool fin_asked : 1;  /**< The user has no more to send. */
	bool snd_urgent : 1; /**< Urgent data waits to be acknowledged, ... */
	bool rcv_urgent : 1; /**< ... to be read. */
	bool fin_sent : 1;   /**< It has a record, or has been acknowledged. */
	bool fin_received : 1;
	bool want_ack : 1;      /**< An ACK is to be sent at the next flush, ... */
	bool want_ack_late : 1; /**< ... or when its time has come. */
	bool want_window : 1; /**< The user has read: perhaps the window has to be told. */
	bool was_blocked : 1;  /**< A call took less than was offered. */
	bool pushed : 1;       /**< All that waits may leave, though it is corked. */
	bool cwnd_limited : 1; /**< cwnd has held the sender back since the last ACK. */
	bool ece : 1; /**< A mark was seen: ECE until CWR comes (RFC 3168, 6.1.3). */
	bool cwr : 1; /**< The next new data says CWR. */
	uint8_t tell; /**< Events that are due: TCP_TELL_*. */
	uint8_t keep_probes; /**< Keep-alive probes without an answer. */
	int16_t error;       /**< Why it ended. */
	int16_t soft_error;  /**< An ICMP error that may explain a time-out. */
	int16_t report;      /**< What on_report is to tell. */

	/* Timestamps (RFC 7323). */
	uint32_t ts_offset;
	uint32_t ts_recent;
	/** When that was, in s: older than 24 days does not count. */
	uint32_t ts_recent_s;
	struct tcp_sack dsack; /**< To be reported with the next ACK; empty: none. */

	/* Time. */
	struct tcp_rto rto;
	uint64_t heard_ns;     /**< When the last segment came that was believed. */
	uint64_t stalled_ns;   /**< Since when the peer has acknowledged nothing new. */
	uint64_t challenge_ns; /**< When the next challenge or duplicate ACK may leave. */
	/* Set by the user; 0: the default. */
	uint32_t user_timeout_ms; /**< RFC 5482. */
	uint16_t keep_idle_s, keep_interval_s;
	uint8_t keep_probes_max;

	const struct tcp_cc_ops *cc_ops;
	struct tcp_cc cc;
	struct tcp_chain to_send;          /**< From SND.UNA (its first data byte) on. */
	struct tcp_chain to_read;          /**< Up to RCV.NXT, in order. */
	struct tcp_reassembly *reassembly; /**< NULL while nothing is early. */
};

/** A connection as its user knows it: opaque, and the same object. */
static inline struct weft_tcp *tcp_conn_public(struct tcp_conn *conn)
{
	return (struct weft_tcp *)(void *)conn;
}

static inline struct tcp_conn *tcp_conn_of(struct weft_tcp *tcp)
{
	return (struct tcp_conn *)(void *)tcp;
}

static inline const struct tcp_conn *tcp_conn_of_const(const struct weft_tcp *tcp)
{
	return (const struct tcp_conn *)(const void *)tcp;
}

/** Events that are due. */
#define TCP_TELL_CONNECTED 0x1u
#define TCP_TELL_READABLE  0x2u
#define TCP_TELL_WRITABLE  0x4u
#define TCP_TELL_CLOSED    0x8u
#define TCP_TELL_REPORT    0x10u
#define TCP_TELL_URGENT    0x20u

#endif
