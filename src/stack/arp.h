/* SPDX-License-Identifier: MIT */
/*
 * ARP (RFC 826) with conflict detection (RFC 5227): what is read and said. What is believed of
 * it is for neigh.h, and what becomes of an address that somebody else has for iface.h.
 */
#ifndef STACK_ARP_H
#define STACK_ARP_H

#include "stack/iface.h"

#include <stdint.h>

/** Takes an ARP packet. */
enum weft_stack_outcome arp_input(const struct iface_rx *rx, uint64_t now);

/** Asks for the MAC of addr: everybody, or its last known one if to is not NULL. */
void arp_ask(struct weft_iface *iface, const struct ip_addr *addr,
	     const struct weft_mac *to, uint64_t now);

/** Asks whether somebody has addr, which is not ours yet (RFC 5227, 2.1.1). */
void arp_probe(struct weft_iface *iface, const struct ip_addr *addr, uint64_t now);

/** Says that addr is ours (RFC 5227, 2.3). */
void arp_announce(struct weft_iface *iface, const struct ip_addr *addr, uint64_t now);

#endif
