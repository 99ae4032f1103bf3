/* SPDX-License-Identifier: MIT */
/*
 * Neighbour Discovery (RFC 4861): router and neighbour solicitations and advertisements,
 * each an ICMPv6 message whose options are type, length in units of 8 bytes, value.
 *
 *     router advertisement                        neighbour solicitation, advertisement
 *     +------+------+-------------+               +------+------+-------------+
 *     | 134  |  0   |  checksum   |               |135,6 |  0   |  checksum   |
 *     +------+------+-------------+               +------+------+-------------+
 *     | hops |M|O|..|  lifetime s |               |R|S|O|   reserved          |
 *     +------+------+-------------+               +---------------------------+
 *     |       reachable ms        |               |     target, 16 bytes      |
 *     |        retrans ms         |               +---------------------------+
 *     +---------------------------+               | options ...
 *     | options ...
 *
 * A receiver has to check three things that do not stand in the message (6.1, 7.1): that its
 * checksum is right, that the hop limit is 255 (so that it comes from this link), and that
 * the IP source suits the options.
 */
#ifndef WIRE_ND_H
#define WIRE_ND_H

#include "wire/cursor.h"
#include "wire/icmp.h"
#include "wire/ip6.h"

#include <weft/addr.h>
#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ND_HOP_LIMIT    255u
#define ND_PREFIXES_MAX 8u /**< Most prefixes taken from one advertisement. */

/** A prefix information option (4.6.2). */
struct nd_prefix {
	struct ip6_addr prefix;
	uint8_t prefix_len; /**< 0..128. */
	bool on_link, autonomous;
	uint32_t valid_s, preferred_s; /**< 0xffffffff is for ever. */
};

struct nd_msg {
	uint8_t type; /**< ICMP6_ROUTER_SOLICIT .. ICMP6_NEIGHBOR_ADVERT. */

	struct ip6_addr target;           /**< Neighbour messages. */
	bool router, solicited, override; /**< Neighbour advertisement. */

	uint8_t hop_limit; /**< Router advertisement, as all to retrans_ms; 0: unspecified. */
	bool managed, other_config;
	uint16_t lifetime_s; /**< 0: not a default router. */
	uint32_t reachable_ms, retrans_ms;

	bool has_source_mac, has_target_mac; /**< Link-layer address options. */
	struct weft_mac source_mac, target_mac;
	uint32_t mtu; /**< MTU option; 0 without it. */
	uint8_t prefixes_n;
	struct nd_prefix prefixes[ND_PREFIXES_MAX];
};

/**
 * Reads a whole ICMPv6 message. Options of unknown type or strange length are passed over,
 * and so are prefixes beyond ND_PREFIXES_MAX.
 * Returns 0; -EPROTONOSUPPORT when the type is not one of the four; -EBADMSG when the code is
 * not 0, the message is too short, the target is multicast, or an option has length 0 or goes
 * past the end (6.1, 7.1: the whole message is discarded).
 */
int nd_msg_parse(const uint8_t *data, size_t len, struct nd_msg *ret_msg) WEFT_MUST_CHECK;

/**
 * Writes a message with a checksum of 0, for the caller to fill in at ICMP_OFF_CSUM. Returns
 * its length; -ENOBUFS when buf is too small; -EINVAL for another type or too many prefixes.
 */
int nd_msg_emit(uint8_t *buf, size_t len, const struct nd_msg *msg) WEFT_MUST_CHECK;

/** One option. */
struct nd_option {
	uint8_t type;
	struct reader value; /**< What stands behind type and length: 8 n - 2 bytes. */
};

/**
 * Reads the next option of a message. False at the end, and where an option has length 0 or
 * goes past the end: then r is bad, and the whole message is to be discarded.
 */
bool nd_option_next(struct reader *r, struct nd_option *ret_option);

#endif
