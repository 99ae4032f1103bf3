/* SPDX-License-Identifier: MIT */
/*
 * Explicit congestion notification (RFC 3168): a queue that stands says so in the IP header
 * instead of dropping, to those who understand.
 *
 *     0 0  not ECN-capable      1 0  ECT(0)      0 1  ECT(1)      1 1  CE: congestion was met
 *
 * The bits are the last two of the IPv4 TOS octet and of the IPv6 traffic class. A super-frame
 * is marked as a whole: whoever cuts it copies its IP header into each segment. CWR, which
 * belongs on the first segment alone (WEFT_OFFLOAD_ECN), is TCP's and stays as it is.
 */
#ifndef WIRE_ECN_H
#define WIRE_ECN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Marks the packet, or the one in the Ethernet frame, as having met congestion. Returns whether
 * it is marked now; false, and unchanged, where it is not ECN-capable or not IP.
 */
bool ecn_mark(uint8_t *data, size_t len, bool is_ip);

#endif
