/* SPDX-License-Identifier: MIT */
/*
 * DHCP for IPv6 (RFC 8415), as far as a client needs it that has its addresses from routers and
 * asks for the rest ("stateless", 6.1), with the options of names (RFC 3646).
 *
 *     0       1                       4
 *     +-------+-----------------------+
 *     | type  |    transaction id     |
 *     +-------+-------+---------------+
 *     | option code   | length        |  value ...        8, 21: and the next
 *     +---------------+---------------+
 *
 * Messages between relay agents and servers have another head (9), and are none of these.
 */
#ifndef WIRE_DHCP6_H
#define WIRE_DHCP6_H

#include "wire/dns.h"
#include "wire/ip6.h"

#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DHCP6_CLIENT_PORT 546u
#define DHCP6_SERVER_PORT 547u

/** Fits into the smallest MTU: no message of ours is longer. */
#define DHCP6_LEN_MAX 1232u

#define DHCP6_HDR_LEN       4u
#define DHCP6_DUID_MAX      130u /**< With its type (11.1). */
#define DHCP6_REQUESTED_MAX 16u
#define DHCP6_SERVERS_MAX   8u /**< Most that are taken of one message. */
#define DHCP6_DOMAINS_MAX   6u /**< Likewise. */
#define DHCP6_FOREVER_S     UINT32_MAX

enum dhcp6_type {
	DHCP6_REPLY = 7,
	DHCP6_INFORMATION_REQUEST = 11,
	DHCP6_RELAY_FORWARD = 12,
	DHCP6_RELAY_REPLY = 13,
};

enum dhcp6_option {
	DHCP6_OPT_CLIENT_ID = 1,
	DHCP6_OPT_SERVER_ID = 2,
	DHCP6_OPT_REQUEST = 6,
	DHCP6_OPT_ELAPSED = 8,
	DHCP6_OPT_STATUS = 13,
	DHCP6_OPT_DNS_SERVERS = 23, /**< RFC 3646, 3. */
	DHCP6_OPT_DOMAINS = 24,     /**< RFC 3646, 4. */
	DHCP6_OPT_REFRESH = 32,
	DHCP6_OPT_SOL_MAX_RT = 82,
	DHCP6_OPT_INF_MAX_RT = 83,
};

/** Who somebody is, for as long as he lives (11). len 0: nobody. */
struct dhcp6_duid {
	uint8_t len;
	uint8_t octet[DHCP6_DUID_MAX];
};

/** One message. What is 0 is absent, unless there is a has_. */
struct dhcp6_msg {
	uint8_t type; /**< enum dhcp6_type, and others. */
	uint32_t xid; /**< 24 bits. */
	struct dhcp6_duid client_id, server_id;
	uint8_t requested_n;
	uint16_t requested[DHCP6_REQUESTED_MAX]; /**< Codes of options. */
	bool has_elapsed, has_refresh;
	uint16_t elapsed_cs; /**< Hundredths of a second since the first try. */
	uint16_t status;     /**< 0: success (21.13). */
	uint32_t refresh_s;  /**< DHCP6_FOREVER_S: never. */
	uint32_t sol_max_rt_s, inf_max_rt_s;
	uint8_t servers_n, domains_n;
	struct ip6_addr servers[DHCP6_SERVERS_MAX];
	struct dns_name domains[DHCP6_DOMAINS_MAX];
};

/** A DUID made of a MAC (11.4, DUID-LL). */
struct dhcp6_duid dhcp6_duid_of_mac(struct weft_mac mac);

bool dhcp6_duid_equal(const struct dhcp6_duid *a, const struct dhcp6_duid *b);

/**
 * Reads a UDP payload. Options that are unknown, come again, or whose length is not their own
 * are passed over, and longer lists are cut at the limits above. Returns 0; -EBADMSG when it is
 * shorter than its head or an option goes past the end; -EPROTONOSUPPORT for a relay's message.
 */
int dhcp6_msg_parse(const uint8_t *data, size_t len,
		    struct dhcp6_msg *ret_msg) WEFT_MUST_CHECK;

/**
 * Writes a UDP payload. Returns its length; -ENOBUFS when buf is too small; -EINVAL when a list
 * or an identifier of msg is longer than it may be.
 */
int dhcp6_msg_emit(uint8_t *buf, size_t len, const struct dhcp6_msg *msg) WEFT_MUST_CHECK;

#endif
