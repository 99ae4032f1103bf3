/* SPDX-License-Identifier: MIT */
/*
 * What ICMP and ICMPv6 share: when an error may be sent, and what is made of one that comes.
 */
#ifndef STACK_ICMP_H
#define STACK_ICMP_H

#include "stack/ip.h"
#include "wire/icmp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Fills the buckets of the limits that opts say. */
void icmp_init_limits(struct weft_stack *stack);

/** An error of this type, code and rest about the packet, if rules and rate allow one. */
void icmp_send_error(const struct ip_rx *about, const struct icmp_hdr *hdr, uint64_t now);

/** Answers an echo request, if the rate allows it. reply: type and rest of the answer. */
enum weft_stack_outcome icmp_answer_echo(struct weft_stack *stack, const struct ip_rx *rx,
					 uint8_t reply, uint64_t now);

/** A packet that an error quotes. */
struct icmp_quote {
	struct ip_addr src, dst;
	uint8_t protocol;
	size_t packet_len; /**< As its header says. */
	const uint8_t *transport;
	size_t len; /**< What is there of it. */
};

/* Read what an error quotes. False for what is no packet, or a later fragment of one. */
bool icmp4_read_quote(const uint8_t *packet, size_t len, struct icmp_quote *ret_quote);
bool icmp6_read_quote(const uint8_t *packet, size_t len, struct icmp_quote *ret_quote);

/** Hands an error about a quoted packet to the protocol it is about; notes an MTU. */
enum weft_stack_outcome icmp_take_error(struct weft_stack *stack, const struct ip_rx *rx,
					const struct icmp_quote *quote,
					struct ip_error *error, uint64_t now);

/** Tells who sent a packet that its next hop does not answer. */
void icmp_send_unreachable_host(const struct ip_rx *rx, uint64_t now);

/** A packet has waited in vain to leave by the interface: another host that sent it is told. */
void icmp_give_back(struct weft_iface *iface, const uint8_t *packet, size_t len,
		    uint64_t now);

/**
 * Judges a redirect (RFC 1122 3.2.2.2, RFC 4861 8.1): it has to come from the router that
 * packets to target go to now, and name a neighbour.
 */
enum weft_stack_outcome icmp_take_redirect(const struct ip_rx *rx,
					   const struct ip_addr *target,
					   const struct ip_addr *gateway, uint64_t now);

#endif
