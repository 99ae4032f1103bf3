/* SPDX-License-Identifier: MIT */
/*
 * MSS clamping: the one option that a hop may lower for two hosts that believe in a larger
 * MTU than the way between them has, as an emulated console does that never heard of any but
 * 1500. Each host then sends segments that fit (RFC 6691; RFC 4459, 3.2).
 */
#ifndef WIRE_MSS_H
#define WIRE_MSS_H

#include <weft/frame.h>

#include <stddef.h>
#include <stdint.h>

/**
 * Where in an Ethernet frame the MSS of a TCP SYN stands that is too large for an IP MTU;
 * 0 for every frame that may stay as it is. A SYN without the option means 536, which fits.
 */
size_t mss_find(const struct weft_frame *frame, unsigned mtu);

/** Lowers the MSS that mss_find has found to what fits, and its checksum with it. */
void mss_clamp(struct weft_frame *frame, size_t mss_off, unsigned mtu);

#endif
