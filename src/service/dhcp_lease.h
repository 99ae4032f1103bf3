/* SPDX-License-Identifier: MIT */
/*
 * What an offer or an acknowledgement is worth: whether its address, network and times can
 * be used, and the lease that they make.
 */
#ifndef SERVICE_DHCP_LEASE_H
#define SERVICE_DHCP_LEASE_H

#include "wire/dhcp.h"

#include <weft/dhcpc.h>

/** Shortest lease that is taken, in seconds: a shorter one is a busy loop. */
#define DHCP_LEASE_MIN_S 10u

/**
 * Makes a lease of what a server sent. Returns WEFT_DHCPC_TAKEN and the lease, or why it
 * cannot be used. allow_public: networks outside private address space will do, too.
 */
enum weft_dhcpc_outcome dhcp_lease_of(const struct dhcp_msg *msg, bool allow_public,
				      struct weft_dhcpc_lease *ret_lease);

/** An IPv4 address for one host: not 0/8, 127/8, multicast or beyond (RFC 1122, 3.2.1.3). */
bool dhcp_is_host(uint32_t addr);

/** The number as an address with prefix length. */
struct weft_ip dhcp_ip(uint32_t addr, uint8_t prefix);

/** And back. */
uint32_t dhcp_ip_number(const struct weft_ip *ip);

#endif
