/* SPDX-License-Identifier: MIT */
/*
 * Numbers that nobody outside should be able to guess, made of the flow and a secret: initial
 * sequence numbers (RFC 6528), timestamp offsets (RFC 7323, 5.4) and local ports (RFC 6056).
 *
 *      ISN = M + F(flow, secret)      M: a clock of 4 us, so that a flow that is used again
 *                                        begins beyond where it was
 */
#ifndef STACK_TCP_ISN_H
#define STACK_TCP_ISN_H

#include "stack/tcp_seam.h"

#include <weft/frame.h>

#include <stdint.h>

struct tcp;

/** Ports that are given to connections that ask for none (RFC 6335, 6). */
#define TCP_PORT_FIRST 49152u
#define TCP_PORT_LAST  65535u

uint32_t tcp_isn(const struct tcp *tcp, const struct tcp_flow *flow, uint64_t now);

/** The same for all connections between two hosts: TIME-WAIT can be judged by it. */
uint32_t tcp_ts_offset(const struct tcp *tcp, const struct tcp_flow *flow);

/**
 * Fills in a local port that is free for the flow (RFC 6056, algorithm 3: a keyed hash of the
 * rest of the flow, and a counter). Returns 0 or -EADDRINUSE when all are in use.
 */
int tcp_choose_port(struct tcp *tcp, struct tcp_flow *flow) WEFT_MUST_CHECK;

#endif
