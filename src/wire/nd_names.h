/* SPDX-License-Identifier: MIT */
/*
 * What a router advertisement says about names (RFC 8106): options of their own, because few
 * who read advertisements want them, and names are long.
 *
 *     RDNSS, 5.1                                DNSSL, 5.2
 *     +------+------+-------------+             +------+------+-------------+
 *     |  25  |  n   |  reserved   |             |  31  |  n   |  reserved   |
 *     +------+------+-------------+             +------+------+-------------+
 *     |        lifetime s         |             |        lifetime s         |
 *     +---------------------------+             +---------------------------+
 *     | address, 16 bytes * (n-1)/2             | 3 l a n 7 e x a m p l e 0 ... | 0 ...
 *
 * A lifetime of 0 takes back what was said before.
 */
#ifndef WIRE_ND_NAMES_H
#define WIRE_ND_NAMES_H

#include "wire/dns.h"
#include "wire/nd.h"

#include <stddef.h>
#include <stdint.h>

#define ND_SERVERS_MAX 8u /**< Most that are taken from one advertisement. */
#define ND_DOMAINS_MAX 6u /**< Likewise. */

#define ND_FOREVER_S UINT32_MAX /**< A lifetime without end. */

struct nd_server {
	struct ip6_addr addr;
	uint32_t lifetime_s;
};

struct nd_domain {
	struct dns_name name;
	uint32_t lifetime_s;
};

struct nd_names {
	uint8_t servers_n, domains_n;
	struct nd_server servers[ND_SERVERS_MAX];
	struct nd_domain domains[ND_DOMAINS_MAX];
};

/**
 * Reads the two options out of a whole router advertisement, which nd_msg_parse has taken. An
 * option whose length is not its own, or with a name that is none, is passed over (5.3.1), and
 * so is what is beyond the limits above. Returns 0, or -EBADMSG where nd_msg_parse would.
 */
int nd_names_parse(const uint8_t *data, size_t len,
		   struct nd_names *ret_names) WEFT_MUST_CHECK;

/**
 * Writes the options, to stand behind those of nd_msg_emit; one for each server and domain.
 * Returns their length; -ENOBUFS when buf is too small; -EINVAL beyond the limits above.
 */
int nd_names_emit(uint8_t *buf, size_t len, const struct nd_names *names) WEFT_MUST_CHECK;

#endif
