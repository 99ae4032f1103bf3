/* SPDX-License-Identifier: MIT */
/*
 * What the IPv6 code needs of ICMPv6 (RFC 4443) beyond the seam.
 */
#ifndef STACK_ICMP6_H
#define STACK_ICMP6_H

#include "stack/ip.h"

#include <stddef.h>
#include <stdint.h>

/** A parameter problem at that offset of the packet, as far as rules and rate allow. */
void icmp6_send_parameter_problem(const struct ip_rx *rx, uint8_t code, uint32_t pointer,
				  uint64_t now);

/**
 * Sends an ICMPv6 message that stays on the link: hop limit 255, by the interface, checksum
 * filled in. src may be unspecified, and is then sent so.
 */
void icmp6_send_on_link(struct weft_iface *iface, const struct ip_addr *src,
			const struct ip_addr *dst, uint8_t *message, size_t len,
			uint64_t now);

#endif
