/* SPDX-License-Identifier: MIT */
/*
 * TIME-WAIT (RFC 9293, 3.6.1): for 2 MSL after an orderly end, somebody has to answer a FIN
 * whose ACK was lost, and keep segments of the old connection out of a new one. It takes a few
 * numbers and no connection:
 *
 *      FIN again         acknowledged, and 2 MSL begin anew
 *      a reset           ignored (RFC 1337: it would end the wait too early)
 *      a new SYN         accepted if it cannot be an old one: a later timestamp (RFC 6191), or
 *                        a sequence number beyond all that was used
 *
 * All wait equally long, so they stand in one list in the order of their ends. At the limit the
 * one that has waited longest gives way.
 */
#ifndef STACK_TCP_TIMEWAIT_H
#define STACK_TCP_TIMEWAIT_H

#include "stack/tcp.h"

struct tcp_time_wait {
	struct tcp_node node;
	struct list of_tcp;
	uint64_t end_ns;
	uint64_t challenge_ns; /**< When the next ACK may be sent. */
	uint32_t snd_nxt, rcv_nxt;
	uint32_t ts_recent, ts_offset;
	uint16_t window; /**< As last advertised: a field, not bytes. */
	bool has_timestamps;
	uint8_t tos, ttl; /**< As the connection had them. */
};

/** The connection becomes a record, after a last ACK, and is dead. */
void tcp_enter_time_wait(struct tcp_conn *conn, uint64_t now);

/** A segment for the record (RFC 9293, 3.10.7.4 TIME-WAIT). */
enum tcp_outcome tcp_time_wait_input(struct tcp *tcp, struct tcp_time_wait *tw,
				     const struct tcp_rx *rx, uint64_t now);

void tcp_time_wait_free(struct tcp *tcp, struct tcp_time_wait *tw);

/** The timer of all of them. */
void tcp_time_wait_fire(struct timer *timer, void *user, uint64_t now);

#endif
