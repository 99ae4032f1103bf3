/* SPDX-License-Identifier: MIT */
/*
 * "Your packet is too big", said by a bridge. Where a frame of IP does not fit the way on, its
 * sender has to hear so, or it sends the same again for ever (RFC 2923, 2.1): fragmentation
 * needed (RFC 1191, 4) for IPv4 that may not be fragmented, packet too big (RFC 4443, 3.2) for
 * IPv6.
 *
 * A bridge has no address to say it from. It does as the Linux kernel does where it bridges
 * into a tunnel (iptunnel_pmtud_build_icmp): the answer comes from where the packet was going,
 * by address and by MAC. Hosts take such a message from anyone, as it may come from any router
 * on the way, and know it by the packet that it quotes; firewalls let it in for the same
 * reason; and that address is one to which the sender has a way, so no check of sources is in
 * its way either.
 *
 * No answer (RFC 1122, 3.2.2; RFC 4443, 2.4 (e)): to an ICMP error, to a group, from no host,
 * to a later fragment; and to tagged frames.
 */
#ifndef BRIDGE_TOO_BIG_H
#define BRIDGE_TOO_BIG_H

#include <weft/frame.h>

#include <stddef.h>
#include <stdint.h>

/** Longest answer, in bytes: the least MTU of IPv6 in a frame. */
#define TOO_BIG_FRAME_MAX 1294u

/** Answers of one bridge: so many per second, and that many at once. */
#define TOO_BIG_RATE  20u
#define TOO_BIG_BURST 40u

/**
 * Writes the answer to a frame whose IP packet is longer than mtu, and returns its length; 0
 * where none may be given.
 */
size_t too_big_answer(const struct weft_frame *frame, unsigned mtu,
		      uint8_t buf[TOO_BIG_FRAME_MAX]);

#endif
