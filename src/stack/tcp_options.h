/* SPDX-License-Identifier: MIT */
/*
 * What two TCPs agree on in their SYNs, and the timestamps that they exchange from then on.
 *
 *      MSS              each says what it takes; the other sends no more than that, nor than
 *                       the path carries (RFC 9293, 3.7.1)
 *      window scale     counts only if both have sent it (RFC 7323, 2.2)
 *      SACK permitted   likewise (RFC 2018, 2)
 *      timestamps       likewise; then every segment must have them (RFC 7323, 3.2)
 *
 * A timestamp older than one that was seen marks a segment of long ago whose sequence number
 * happens to fit again: PAWS (RFC 7323, 5).
 */
#ifndef STACK_TCP_OPTIONS_H
#define STACK_TCP_OPTIONS_H

#include "stack/tcp_conn.h"

#include <stdbool.h>
#include <stdint.h>

/** What is assumed of a peer that names no MSS (RFC 9293, 3.7.1). */
#define TCP_MSS_IP4 536u
#define TCP_MSS_IP6 1220u
/** The least that can be sent per segment, however little a peer asks for (CVE-2019-11479). */
#define TCP_MSS_MIN 88u

/** The MSS that the peer's SYN asks for, or what is assumed. */
uint16_t tcp_mss_of_peer(const struct tcp_flow *flow, const struct tcp_opts *opts);

/** Takes the options of the peer's SYN into the connection. */
void tcp_agree(struct tcp_conn *conn, const struct tcp_opts *opts, uint64_t now);

/** The path or the peer's MSS is another one. */
void tcp_set_mss(struct tcp_conn *conn);

/** PAWS: the timestamp is older than one that has been seen, and not too old to know. */
bool tcp_is_old_timestamp(const struct tcp_conn *conn, uint32_t ts_val, uint64_t now);

/** A segment in order has this timestamp: it is the one to echo. */
void tcp_note_timestamp(struct tcp_conn *conn, uint32_t ts_val, uint64_t now);

#endif
