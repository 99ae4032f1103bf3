/* SPDX-License-Identifier: MIT */
/*
 * SYN cookies (RFC 4987, 3.6): when there is no room for an entry, the entry is put into the
 * sequence number of the SYN,ACK, and read back from the ACK.
 *
 *      31        27      24                                  0
 *      +-----------+-------+----------------------------------+
 *      |  minutes  |  MSS  |  hash of flow, IRS, the rest     |
 *      +-----------+-------+----------------------------------+
 *
 *      timestamp of the SYN,ACK, for peers that have the option and so send it back:
 *      +----------------------------------+-------------------+
 *      |  our clock, in units of 64 ms    | ECN SACK wscale/4 |
 *      +----------------------------------+-------------------+
 *
 * So a connection that began in a flood still has all its options. A cookie is believed for one
 * to two minutes, and only by a listener that has handed some out by then.
 */
#ifndef STACK_TCP_COOKIE_H
#define STACK_TCP_COOKIE_H

#include "stack/tcp_syn.h"

#include <stdbool.h>
#include <stdint.h>

/** Sends a SYN,ACK that remembers syn by itself. */
void tcp_cookie_answer(struct tcp_syn *syn, uint64_t now);

/** Reads it back from the ACK rx. False if it is no cookie of the listener's. */
bool tcp_cookie_read(struct tcp_listener *listener, const struct tcp_rx *rx, uint64_t now,
		     struct tcp_syn *ret_syn);

#endif
