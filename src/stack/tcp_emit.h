/* SPDX-License-Identifier: MIT */
/*
 * Writing segments: sequence numbers, flags, window and options for what others have decided to
 * send. Nothing here decides.
 */
#ifndef STACK_TCP_EMIT_H
#define STACK_TCP_EMIT_H

#include "base/time.h"
#include "stack/tcp_conn.h"
#include "stack/tcp_seam.h"

#include <stdbool.h>
#include <stdint.h>

/** Milliseconds of the connection's own clock (RFC 7323, 5.4), at a time in ns. */
static inline uint32_t tcp_timestamp(const struct tcp_conn *conn, uint64_t at_ns)
{
	return (uint32_t)(at_ns / NS_PER_MS) + conn->ts_offset;
}

/** Bytes of data that fit beside the options that a segment carries now (RFC 6691). */
uint32_t tcp_mss_now(const struct tcp_conn *conn);

/**
 * Whether the SYN asks for ECN. One that is sent again does not, because it may have been lost for
 * that; and then it is not used (RFC 3168, 6.1.1 and 6.1.1.1).
 */
bool tcp_asks_ecn(const struct tcp_conn *conn);

/** SYN of an active open; SYN,ACK when SYNs have crossed. */
void tcp_emit_syn(struct tcp_conn *conn, uint64_t now);

/** The bytes [start, end), which are in the queue and may end with the FIN. */
struct tcp_range {
	uint32_t start, end;
	uint16_t flags; /**< Besides those that all segments have, of the first: CWR. */
	bool is_ect; /**< The network may mark it instead of dropping it (RFC 3168, 5). */
};

/** Sends a range in as many super-segments as needed. */
void tcp_emit_range(struct tcp_conn *conn, const struct tcp_range *range, uint64_t now);

/** An acknowledgment with the window that there is. */
void tcp_emit_ack(struct tcp_conn *conn, uint64_t now);

/** An old sequence number, which the peer answers (RFC 9293, 3.8.4). */
void tcp_emit_keepalive(struct tcp_conn *conn, uint64_t now);

/** A reset that the peer will believe. */
void tcp_emit_reset(struct tcp_conn *conn, uint64_t now);

/** A segment outside of a connection: header as given, from the flow's local to its remote. */
struct tcp_bare {
	const struct tcp_flow *flow;
	uint32_t seq, ack;
	uint16_t flags, window;
	const struct tcp_opts *opts; /**< NULL: none. */
	uint8_t tos, ttl;            /**< ttl of 0: the stack's default. */
};
void tcp_emit_bare(struct tcp *tcp, const struct tcp_bare *bare, uint64_t now);

/**
 * Answers a segment for which there is no connection (RFC 9293, 3.5.2 group 1; 3.10.7.1). tos and
 * ttl: of whom it was for; 0 where that is nobody.
 */
void tcp_emit_refusal(struct tcp *tcp, const struct tcp_rx *rx, uint8_t tos, uint8_t ttl,
		      uint64_t now);

#endif
