/* SPDX-License-Identifier: MIT */
/*
 * The options of PPP's control of IPv4 (RFC 1332), and the name servers that it can tell
 * (RFC 1877). The peer gets the address that it is given here and no other; where there is
 * one name server it is the second as well, because some peers will not do with less.
 */
#ifndef SERVE_IPCP_H
#define SERVE_IPCP_H

#include "serve/negotiation.h"

#include <stdbool.h>
#include <stdint.h>

/** Addresses are numbers: 192.0.2.1 is 0xc0000201. */
struct ipcp_addresses {
	uint32_t peer;
	uint32_t gateway; /**< That we say is ours. */
	uint32_t dns[2];  /**< 0 for none. */
};

struct ipcp {
	struct negotiation negotiation; /**< First: ops find the rest behind it. */
	struct ipcp_addresses addresses;
	bool has_asked; /**< The peer's request named an address, right or wrong. */
	bool asks_address;
};

/** Sets up the layer; its negotiation is in STARTING. */
void ipcp_init(struct ipcp *ipcp, const struct negotiation_events *events, void *user);

/** What is to be told, before negotiation_up. */
void ipcp_set_addresses(struct ipcp *ipcp, const struct ipcp_addresses *addresses);

#endif
