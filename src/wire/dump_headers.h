/* SPDX-License-Identifier: MIT */
/*
 * The parts of weft_dump_headers: Ethernet, ARP and IP; what tells of hosts and groups (ICMP,
 * Neighbour Discovery, IGMP, MLD); what has ports (TCP, UDP, DHCP).
 */
#ifndef WIRE_DUMP_HEADERS_H
#define WIRE_DUMP_HEADERS_H

#include "base/fmt.h"
#include "wire/ip6.h"

#include <weft/addr.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A line below a header's: the name ends in the same column. */
#define HEADERS_FIELD "%15s: "

/** What is left of the packet, and where it is to be described. */
struct headers {
	struct fmt *f;
	const uint8_t *data;
	size_t len;
	const uint8_t *src, *dst; /**< In the IP header, for sums. */
	bool is_ip6;
	bool is_whole; /**< No fragment, and nothing cut off: a sum can be checked. */
	bool is_left;  /**< The link is to fill in the transport's checksum. */
};

/** Says that the header of that name is malformed. */
void headers_add_flaw(struct headers *h, const char *name);

/** A line with a MAC or an IP address. */
void headers_add_mac(struct headers *h, const char *name, struct weft_mac mac);
void headers_add_ip4(struct headers *h, const char *name, uint32_t addr);
void headers_add_ip6(struct headers *h, const char *name, const struct ip6_addr *addr);

/** A line with a checksum, and what is known of it. */
void headers_add_sum(struct headers *h, uint16_t sum, bool is_right);

/** The pseudo header's sum for an upper layer of len bytes. */
uint32_t headers_pseudo(const struct headers *h, uint8_t proto, size_t len);

/** The upper layers, each from its header on. */
void headers_add_icmp4(struct headers *h);
void headers_add_icmp6(struct headers *h);
void headers_add_igmp(struct headers *h);
void headers_add_tcp(struct headers *h);
void headers_add_udp(struct headers *h);

#endif
