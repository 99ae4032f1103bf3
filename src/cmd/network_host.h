/* SPDX-License-Identifier: MIT */
/*
 * A host on a network's link that is what the network says: it has its addresses, and on a link
 * of IP packets sends there whatever it sends, as there is nowhere else.
 */
#ifndef CMD_NETWORK_HOST_H
#define CMD_NETWORK_HOST_H

#include "cmd/network.h"

#include <weft/stack.h>

/** stack and iface are set; the rest is zero. */
struct network_host {
	struct weft_stack *stack;
	struct weft_iface *iface;
	const struct output *output;
	struct weft_ip ips[NETWORK_IPS_MAX]; /**< That it has. */
	size_t ips_n;
};

/** Sends whatever goes elsewhere into the network. Returns 0 or -Exxx. */
int network_host_route(struct network_host *h) WEFT_MUST_CHECK;

/** Gives it the addresses that it has not got, and takes away those that are none any more. */
void network_host_apply(struct network_host *h, const struct network_terms *terms,
			uint64_t now);

#endif
