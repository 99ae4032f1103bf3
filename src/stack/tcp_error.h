/* SPDX-License-Identifier: MIT */
/*
 * ICMP errors about segments of ours (RFC 9293, 3.9.2.2). Anybody can send one, so it counts
 * only if it quotes a sequence number that is under way (RFC 5927, 4.1), and even then it never
 * ends a connection that has been established (RFC 5461):
 *
 *      too big                  the path's MTU is another one: sent again in smaller segments
 *      port, prohibited         a handshake fails; otherwise as the next
 *      anything else            remembered and reported: if the connection times out, it was
 *                               because of this
 */
#ifndef STACK_TCP_ERROR_H
#define STACK_TCP_ERROR_H

#include "stack/tcp.h"

#include <stdbool.h>
#include <stdint.h>

/** Takes an error about a segment of the flow. Returns true if it can be about one under way. */
bool tcp_on_error(struct tcp *tcp, const struct tcp_flow *flow, uint32_t seq,
		  const struct ip_error *error);

#endif
