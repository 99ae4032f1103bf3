/* SPDX-License-Identifier: MIT */
/*
 * Between ip.h and the interfaces: what IP's own files need of each other.
 */
#ifndef STACK_OUTPUT_H
#define STACK_OUTPUT_H

#include "stack/iface.h"
#include "stack/ip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Hands a datagram to its protocol. */
enum weft_stack_outcome ip_deliver(const struct ip_rx *rx, uint64_t now);

/** The pseudo header's sum, not complemented: what NEEDS_CSUM leaves in the field. */
uint16_t ip_pseudo_checksum(const struct ip_addr *src, const struct ip_addr *dst,
			    uint8_t protocol, size_t len);

/**
 * Passes a frame with a whole packet on to the path's next hop. Returns 0, -EHOSTUNREACH or
 * -ENOBUFS.
 */
int ip_send_frame(const struct ip_path *path, const struct ip_addr *dst,
		  struct weft_frame *frame, uint64_t now);

/** As ip_send_error with TOO_BIG, and how much would be right. */
void ip_send_too_big(const struct ip_rx *rx, uint32_t mtu, uint64_t now);

/** As ip_path_find, for a packet of another host's: src is not set. */
int ip_path_onward(struct weft_stack *stack, const struct ip_addr *dst, uint64_t now,
		   struct ip_path *ret_path) WEFT_MUST_CHECK;

/** Forwards a packet that is for somebody else, its header checked. */
enum weft_stack_outcome ip_forward(const struct iface_rx *rx, const struct ip_rx *ip,
				   size_t packet_len, uint64_t now);

#endif
