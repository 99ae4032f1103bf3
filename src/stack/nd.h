/* SPDX-License-Identifier: MIT */
/*
 * Neighbour Discovery for a host (RFC 4861): neighbours and redirects in nd.c, routers and
 * addresses from prefixes (RFC 4862) in slaac.c.
 */
#ifndef STACK_ND_H
#define STACK_ND_H

#include "stack/iface.h"
#include "stack/ip.h"
#include "wire/nd.h"

#include <stddef.h>
#include <stdint.h>

/** Sets what a host begins with (RFC 4861, 10). */
void nd_init_iface(struct weft_iface *iface);

/** Takes one of the five messages of Neighbour Discovery, its checksum checked. */
enum weft_stack_outcome nd_input(const struct ip_rx *rx, uint64_t now);

/** Asks for the MAC of addr: all who might have it, or its last known one if to is not NULL. */
void nd_ask(struct weft_iface *iface, const struct ip_addr *addr,
	    const struct weft_mac *to, uint64_t now);

/** Asks whether somebody has addr, which is not ours yet (RFC 4862, 5.4.2). */
void nd_probe(struct weft_iface *iface, const struct ip_addr *addr, uint64_t now);

/** Says to all that addr is ours (RFC 4861, 7.2.6). */
void nd_announce(struct weft_iface *iface, const struct ip_addr *addr, uint64_t now);

/** The interface's link-local address, with an identifier as RFC 7217 has it. */
struct ip_addr nd_link_local(const struct weft_iface *iface);

/** Begins to look for routers. */
void nd_solicit_routers(struct weft_iface *iface, uint64_t now);

/** Takes a router advertisement. */
enum weft_stack_outcome slaac_input(const struct ip_rx *rx, const struct nd_msg *msg,
				    uint64_t now);

/** Sends a message by the interface. */
void nd_send(struct weft_iface *iface, const struct ip_addr *src,
	     const struct ip_addr *dst, const struct nd_msg *msg, uint64_t now);

/** A router has said that it is none any more. */
void slaac_router_gone(struct weft_iface *iface, const struct ip_addr *router);

#endif
