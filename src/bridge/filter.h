/* SPDX-License-Identifier: MIT */
/*
 * What the members of a room may send each other: a function of the frame, of who sends it,
 * and of what was seen before. It sends nothing and has no clock, so it can stand at the relay
 * as well as at a member, and every rule is a line of a table in its test.
 *
 *     frame of a client --- headers --- guards --- addresses --- rates ---> bridge
 *     frame of a gateway -- headers -------------- addresses (learned) ---> bridge
 *
 *     headers     what is between a switch and its neighbour, and goes no further
 *     guards      what only a LAN's own machines may say: leases, routers
 *     addresses   ARP and Neighbour Discovery: nobody claims another's address
 *     rates       groups, unknown stations, bytes
 *
 * A rule drops a frame with an outcome of its own, which is counted, and can be switched off.
 * docs/filters.md has a line on each.
 */
#ifndef BRIDGE_FILTER_H
#define BRIDGE_FILTER_H

#include "base/bucket.h"
#include "base/hash.h"
#include "base/time.h"

#include <weft/addr.h>
#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum filter_outcome {
	FILTER_PASS,
	FILTER_DROP_EAPOL, /**< 802.1X: between a switch's port and who is plugged in. */
	FILTER_DROP_LLDP,
	FILTER_DROP_SLOW,        /**< LACP and its like (802.3 57A). */
	FILTER_DROP_VLAN,        /**< A client's tagged frame. */
	FILTER_DROP_DHCP_SERVER, /**< A client that plays DHCP server. */
	FILTER_DROP_DHCP6_SERVER,
	FILTER_DROP_QUERY,  /**< A client that asks as a multicast router (IGMP, MLD). */
	FILTER_DROP_ROUTER, /**< A client's router advertisement or redirect (RFC 6105). */
	FILTER_DROP_FRAGMENT, /**< One that hides what the guards look for (RFC 7113). */
	FILTER_DROP_HEADERS,  /**< Headers of IP that make no sense; too many of any. */
	FILTER_DROP_ADDRESS,  /**< ARP or ND that claims another's address. */
	FILTER_DROP_GROUP_RATE,
	FILTER_DROP_UNKNOWN_RATE,
	FILTER_DROP_BYTE_RATE,
	FILTER_OUTCOMES
};

/** "drop-router" and the like; the same words that facts print. */
const char *filter_outcome_name(enum filter_outcome outcome);

/** Rules that can be switched off. */
enum filter_rule {
	FILTER_RULE_EAPOL = 1u << 0,
	FILTER_RULE_LLDP = 1u << 1,
	FILTER_RULE_SLOW = 1u << 2,
	FILTER_RULE_VLAN = 1u << 3,
	FILTER_RULE_DHCP = 1u << 4, /**< Servers of either version. */
	FILTER_RULE_ROUTER = 1u << 5,
	FILTER_RULE_ADDRESS = 1u << 6,
	FILTER_RULE_QUERY = 1u << 7,
};

/** So many per second, and that many at once. */
struct filter_rate {
	uint32_t rate; /**< 0 for no limit. */
	uint32_t burst;
};

/** What holds for one member. */
struct filter_opts {
	unsigned off;               /**< FILTER_RULE_* that do not hold. */
	struct filter_rate group;   /**< Frames to groups, of one client. */
	struct filter_rate unknown; /**< Frames to stations that nobody knows. */
	struct filter_rate bytes;   /**< All of a client's. */
	/** An address is who used it last's for so long; 0: a minute. */
	uint64_t address_ns;
	uint16_t addresses_max; /**< Of a client; 0 for FILTER_CLIENT_ADDRESSES_MAX. */
};

/** Rates of frames that no game comes near. */
#define FILTER_RATE  200u
#define FILTER_BURST 400u

/** All rules, and those rates. */
struct filter_opts filter_defaults(void);

/** Addresses that are remembered of a room; beyond, new ones are not looked after. */
#define FILTER_ADDRESSES_MAX 1024u

/** Addresses that are remembered of one client, unless told otherwise. */
#define FILTER_CLIENT_ADDRESSES_MAX 16u

/** When who was asked alone and has not answered may be asked alone again. */
#define FILTER_DIRECT_NS (10 * NS_PER_S)

/** An address belongs to who used it last for so long, unless told otherwise. */
#define FILTER_ADDRESS_NS (60 * NS_PER_S)

/** Traffic from an address shows that it is in use; that is noted once in so long. */
#define FILTER_USE_NS (100 * NS_PER_MS)

/** An IPv4 address stands in the first four bytes, the others are zero. */
struct filter_address {
	uint8_t family; /**< 4 or 6. */
	uint8_t octet[16];
};

/** What is kept of a room. */
struct filter;

/** One sender: a client, or the gateway with all of its LAN. Embedded. */
struct filter_member {
	bool is_gateway;
	uint16_t addresses_n;
	struct filter_opts opts; /**< What holds for it. */
	struct bucket group, unknown, bytes;
	struct filter_address used; /**< By its last packet that was looked at so. */
	uint64_t used_ns;
	uint64_t counts[FILTER_OUTCOMES];
};

/** opts, which hold for who joins, are copied. Returns 0 or -ENOMEM. */
int filter_new(const struct filter_opts *opts, const uint8_t secret[HASH_SECRET_LEN],
	       struct filter **ret_filter) WEFT_MUST_CHECK;

/** NULL is allowed. */
void filter_free(struct filter *f);

/** To whom an address was given. */
enum filter_gift { FILTER_GIFT_NOBODYS, FILTER_GIFT_OWN, FILTER_GIFT_ANOTHERS };

/** What who gives addresses out says of an IPv4 address that the member claims. */
typedef enum filter_gift filter_gift_fn(void *user, const struct filter_member *member,
					uint32_t address, uint64_t now);

/** Has gift_of asked about each claim. What it says goes before what was seen. */
void filter_set_gifts(struct filter *f, filter_gift_fn *gift_of, void *user);

/** Begins a member. */
void filter_join(const struct filter *f, struct filter_member *member, bool is_gateway);

/** Has other rules hold for a member from now on. What it has used up stays used up. */
void filter_change(struct filter_member *member, const struct filter_opts *opts);

/** Forgets what it has claimed. */
void filter_leave(struct filter *f, struct filter_member *member);

/** Who uses an address, as ARP and Neighbour Discovery have last shown it. */
struct filter_binding {
	struct filter_member *member;
	struct weft_mac mac;
	bool is_fresh;      /**< Seen within the member's address_ns. */
	bool is_advertised; /**< IPv6: is_router is known, from an advertisement. */
	bool is_router;
	bool may_direct; /**< A question sent to it alone has not just been in vain. */
};

/** Finds who uses the address; false where nobody is known to, or not under which MAC. */
bool filter_find(const struct filter *f, const struct weft_ip *address, uint64_t now,
		 struct filter_binding *ret_binding);

/** Notes that somebody asks for the address, and that only its user is told. */
void filter_note_directed(struct filter *f, const struct weft_ip *address, uint64_t now);

/**
 * Says what becomes of a frame that the member has sent, and counts it. is_known: the frame's
 * destination is a station that the room knows.
 */
enum filter_outcome filter_decide(struct filter *f, struct filter_member *member,
				  const struct weft_frame *frame, bool is_known,
				  uint64_t now);

#endif
