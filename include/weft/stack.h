/* SPDX-License-Identifier: MIT */
/*
 * A host in user space: IPv4 and IPv6 with all that belongs to them (ARP, Neighbour Discovery,
 * SLAAC, fragments, ICMP, path MTU, multicast groups, forwarding) on any number of
 * links. What stands on it has headers of its own: <weft/udp.h>, <weft/tcp.h>.
 *
 *     program --- sockets --- [ stack ] --- interface --- link     "tap:weft0", a room,
 *                                      '--- interface --- link     a tunnel, a pair in memory
 *
 * The stack owns no thread, no clock and no descriptor. It is the receiver of its links: what
 * comes in is handled in the link's run, and the answers of a whole batch are sent by one
 * weft_link_send. Everything else it does in its own task's run. Both tasks, the stack's and
 * each link's, are put into a loop by the caller.
 *
 *     struct weft_stack *stack;
 *     struct weft_iface *eth0;
 *     struct weft_ip ip;
 *     if (weft_stack_new(&(struct weft_stack_opts){ .secret = secret }, now, &stack) < 0 ||
 *         weft_stack_add_interface(stack, link, NULL, now, &eth0) < 0 ||
 *         weft_ip_parse("10.1.0.2/24", &ip) < 0 ||
 *         weft_iface_add_address(eth0, &ip, 0, now) < 0)
 *             fail();
 *     weft_loop_add(loop, weft_link_task(link));
 *     weft_loop_add(loop, weft_stack_task(stack));       ... and it answers to ping
 *
 * Nothing that a peer sends is an error: each packet ends in exactly one outcome, counted. All
 * that a peer can make grow has a limit among the options.
 */
#ifndef WEFT_STACK_H
#define WEFT_STACK_H

#include <weft/addr.h>
#include <weft/frame.h>
#include <weft/link.h>
#include <weft/loop.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weft_stack;
struct weft_iface;

/** How a packet that came in can end. Each is counted. */
enum weft_stack_outcome {
	WEFT_STACK_DELIVERED, /**< To a socket, or an error to whom it was about. */
	WEFT_STACK_ANSWERED,  /**< An echo, an ARP request, a solicitation. */
	WEFT_STACK_NOTED,     /**< News for a table: neighbour, router, MTU, group. */
	WEFT_STACK_FORWARDED, /**< On to another host. */
	WEFT_STACK_HELD,      /**< A fragment: the others are awaited. */
	WEFT_STACK_IGNORED,   /**< Valid, and nothing had to be done. */

	/* The link's layer. */
	WEFT_STACK_DROP_RUNT,      /**< Shorter than its header. */
	WEFT_STACK_DROP_NOT_OURS,  /**< For another MAC. */
	WEFT_STACK_DROP_ETHERTYPE, /**< Neither ARP nor IP; a tag that is not ours. */
	WEFT_STACK_DROP_OFFLOAD,   /**< The virtio-net header is not true. */
	WEFT_STACK_DROP_ARP, /**< Malformed, or from an impossible sender (RFC 826, 5227). */

	/* IP. */
	WEFT_STACK_DROP_IP_HEADER, /**< Version, lengths, extension headers. */
	WEFT_STACK_DROP_IP_CHECKSUM,
	WEFT_STACK_DROP_MARTIAN,     /**< A source or destination that cannot be. */
	WEFT_STACK_DROP_NO_HOST,     /**< For somebody else, and this is no router. */
	WEFT_STACK_DROP_OPTION,      /**< Source routes, options that say "discard". */
	WEFT_STACK_DROP_NO_PROTOCOL, /**< Nobody here speaks it. */
	WEFT_STACK_DROP_FRAGMENT, /**< Overlaps, is impossible, or of a packet given up. */
	WEFT_STACK_DROP_FRAGMENT_LIMIT, /**< No room left for fragments. */
	WEFT_STACK_DROP_TTL,            /**< To be forwarded, but has come too far. */
	WEFT_STACK_DROP_NO_ROUTE,       /**< To be forwarded, but nobody knows where. */
	WEFT_STACK_DROP_TOO_BIG, /**< To be forwarded, but too long for the next link. */

	/* ICMP, ND, IGMP, MLD. */
	WEFT_STACK_DROP_ICMP,       /**< Malformed, wrong checksum, or not for hosts. */
	WEFT_STACK_DROP_ICMP_QUOTE, /**< An error about nothing that was sent from here. */
	WEFT_STACK_DROP_ECHO_LIMIT, /**< More echo requests than are answered. */
	WEFT_STACK_DROP_ND,    /**< Malformed, or not from this link (hop limit 255). */
	WEFT_STACK_DROP_GROUP, /**< IGMP or MLD malformed, or not from this link. */

	/* UDP. */
	WEFT_STACK_DROP_UDP_HEADER,
	WEFT_STACK_DROP_UDP_CHECKSUM,
	WEFT_STACK_DROP_UDP_NO_SOCKET,
	WEFT_STACK_DROP_UDP_FULL, /**< The socket's queue. */

	/* TCP. */
	WEFT_STACK_DROP_TCP_HEADER,
	WEFT_STACK_DROP_TCP_CHECKSUM,
	WEFT_STACK_DROP_TCP_NO_SOCKET, /**< Answered by a reset. */
	WEFT_STACK_DROP_TCP_UNACCEPTED, /**< Outside the window, an old ACK, a blind attack. */
	WEFT_STACK_DROP_TCP_LIMIT, /**< No room for another connection or for data. */
	WEFT_STACK_OUTCOMES
};

/** "delivered", "drop-no-route" and the like; the same words that --json prints. */
WEFT_API const char *weft_stack_outcome_name(enum weft_stack_outcome outcome);

/** What else happened. Each is counted. */
enum weft_stack_event {
	WEFT_STACK_NEIGH_FAILED,     /**< A neighbour did not answer. */
	WEFT_STACK_NEIGH_EVICTED,    /**< An entry gave way to another: neighbours_max. */
	WEFT_STACK_NEIGH_QUEUE_FULL, /**< A waiting packet gave way to a later one. */
	WEFT_STACK_CONFLICT,         /**< Somebody else has one of our addresses. */
	WEFT_STACK_FRAGMENT_TIMEOUT, /**< Some of a packet's fragments never came. */
	WEFT_STACK_FRAGMENT_EVICTED, /**< A packet in pieces gave way to another. */
	WEFT_STACK_ERROR_SENT,       /**< An ICMP error. */
	WEFT_STACK_ERROR_LIMITED,    /**< An ICMP error not sent: the rate limit. */
	WEFT_STACK_EVENTS
};

/** "neigh-failed" and the like. */
WEFT_API const char *weft_stack_event_name(enum weft_stack_event event);

/** secret is needed; the rest may be zero, which is the default that is named. */
struct weft_stack_opts {
	/** 16 random bytes: hash keys, IP identifiers, ports, sequence numbers. Copied. */
	const uint8_t *secret;
	bool forwarding;     /**< Be a router between the interfaces. */
	bool no_echo;        /**< Do not answer to ping. */
	bool broadcast_echo; /**< Answer to ping to a broadcast or multicast address, too. */

	uint32_t interfaces_max; /**< 0 for 64. */
	uint32_t addresses_max;  /**< Per interface, and those of SLAAC; 0 for 32. */
	/** Of them, those by router advertisements; 0 for 8. */
	uint32_t advertised_addresses_max;
	uint32_t routes_max; /**< Also those of router advertisements; 0 for 256. */
	/** Of them, those by router advertisements, on one interface; 0 for 16. */
	uint32_t advertised_routes_max;
	uint32_t neighbours_max; /**< 0 for 1,024. */
	/** Packets that wait for one neighbour; 0 for 64. */
	uint32_t neighbour_queue_max;
	size_t neighbour_bytes_max; /**< Of all packets that wait for any; 0 for 1 MiB. */
	uint32_t fragments_max; /**< Packets whose fragments are collected; 0 for 64. */
	size_t fragment_bytes_max;    /**< Bytes of all of them together; 0 for 1 MiB. */
	uint32_t fragment_pieces_max; /**< Fragments of one packet; 0 for 128. */
	/** How long the others are waited for; 0 for 30 s, and 60 s in IPv6 (RFC 8200). */
	uint32_t fragment_time_s;
	uint32_t extension_headers_max; /**< Of an IPv6 packet, at most 8; 0 for 8. */
	uint32_t extension_bytes_max;   /**< Of all of them, at most 512; 0 for 512. */
	uint32_t path_mtus_max; /**< Destinations with an MTU of their own; 0 for 256. */
	uint32_t groups_max;    /**< Multicast groups per interface; 0 for 32. */
	uint32_t udp_sockets_max;   /**< 0 for 1,024. */
	uint32_t socket_groups_max; /**< Multicast groups per UDP socket; 0 for 32. */
	uint32_t pings_max;         /**< Of weft_ping_new, at most 32,768; 0 for 64. */
	/** ICMP errors that are sent, a tenth of them to one address; 0 for 1,000. */
	uint32_t errors_per_s;
	uint32_t echoes_per_s; /**< Echo requests that are answered; 0 for no limit. */
};

/**
 * Makes a stack without interfaces. opts is copied. now is CLOCK_MONOTONIC in ns, as in all
 * calls. Returns 0, -EINVAL without a secret or with an option above its most, or -ENOMEM.
 */
WEFT_API WEFT_MUST_CHECK int weft_stack_new(const struct weft_stack_opts *opts,
					    uint64_t now, struct weft_stack **ret_stack);

/**
 * Frees the stack, its interfaces and all its sockets, which must not be used any more; not the
 * links, which have no receiver then. NULL is allowed; not from a callback.
 */
WEFT_API void weft_stack_free(struct weft_stack *stack);

/** The stack's timers, and the sending of what was put off; for weft_loop_add. */
WEFT_API struct weft_task *weft_stack_task(struct weft_stack *stack);

/** Packets that ended so. */
WEFT_API uint64_t weft_stack_count(const struct weft_stack *stack,
				   enum weft_stack_outcome outcome);

/** How often that happened. */
WEFT_API uint64_t weft_stack_event_count(const struct weft_stack *stack,
					 enum weft_stack_event event);

/* ---- interfaces -------------------------------------------------------------------------- */

/** Zero is the defaults. */
struct weft_iface_opts {
	/** Zero: one made of the secret. No meaning on an IP link. */
	struct weft_mac mac;
	uint32_t mtu;  /**< Of IP in bytes, 1280 or more; 0: the link's, at most 1500. */
	uint16_t vlan; /**< 802.1Q VLAN, 1..4094: all frames carry its tag. 0: none. */
	bool no_slaac; /**< Take no addresses or routes of router advertisements. */
	bool no_ip6;   /**< No IPv6: not even a link-local address. */
};

/**
 * Puts an interface on a link, Ethernet or IP. The link stays the caller's, must outlive the
 * interface, and gets the stack as receiver. opts may be NULL. An Ethernet interface gives
 * itself an IPv6 link-local address and looks for routers. Returns 0, -EINVAL for an MTU that
 * the link does not carry, a PPP link, a wrong VLAN or a group's MAC, -ENOSPC at interfaces_max,
 * -ENOMEM.
 */
WEFT_API WEFT_MUST_CHECK int weft_stack_add_interface(struct weft_stack *stack,
						      struct weft_link *link,
						      const struct weft_iface_opts *opts,
						      uint64_t now,
						      struct weft_iface **ret_iface);

/** Takes the interface off with its addresses, routes and neighbours. Not from a callback. */
WEFT_API void weft_stack_remove_interface(struct weft_iface *iface, uint64_t now);

/** 1 for the first, 2 for the second ...: sin6_scope_id of link-local addresses. */
WEFT_API uint32_t weft_iface_index(const struct weft_iface *iface);

/** Its MAC; zero on an IP link. */
WEFT_API struct weft_mac weft_iface_mac(const struct weft_iface *iface);

/** Its MTU: the longest IP packet in bytes. */
WEFT_API uint32_t weft_iface_mtu(const struct weft_iface *iface);

/** Called with a frame; true if it was taken. Borrowed, as for a weft_link_receiver. */
typedef bool weft_iface_filter(void *user, const struct weft_frame *frame, uint64_t now);

/**
 * Has fn look at each frame that comes in on the interface before the stack does, for who
 * speaks in frames himself, such as weft_dhcpc. What it takes counts as delivered. NULL: nobody.
 */
WEFT_API void weft_iface_on_frame(struct weft_iface *iface, weft_iface_filter *fn,
				  void *user);

/** IPv6: use the address at once, without asking whether somebody has it. */
#define WEFT_ADDRESS_NO_DAD 0x1u
/** IPv4: ask whether somebody has the address before it is used, by ARP probes (4 to 7 s). */
#define WEFT_ADDRESS_PROBE  0x2u
/** IPv4: the caller announces and defends the address (<weft/acd.h>), and the stack does not. */
#define WEFT_ADDRESS_NO_ACD 0x4u

/**
 * Gives the interface an address; its prefix becomes a route. On Ethernet, an IPv6 address is
 * tentative for a second, while others are asked whether they have it (RFC 4862, 5.4); an IPv4
 * address is announced and from then on defended (RFC 5227). flags: WEFT_ADDRESS_*. Returns 0,
 * -EINVAL for one that is no host's, -EEXIST, -ENOSPC, -ENOMEM.
 */
WEFT_API WEFT_MUST_CHECK int weft_iface_add_address(struct weft_iface *iface,
						    const struct weft_ip *ip,
						    unsigned flags, uint64_t now);

/** Takes an address off, with its network's route. No-op for one that is not there. */
WEFT_API void weft_iface_remove_address(struct weft_iface *iface,
					const struct weft_ip *ip, uint64_t now);

/** How far an address is. */
enum weft_address_state {
	WEFT_ADDRESS_NONE,      /**< Not an address of this interface. */
	WEFT_ADDRESS_TENTATIVE, /**< Being asked for; not used. */
	WEFT_ADDRESS_PREFERRED,
	WEFT_ADDRESS_DEPRECATED, /**< SLAAC: still works, not for what is new. */
	WEFT_ADDRESS_CONFLICT,   /**< Somebody else has it; not used. */
};

/** The state of the address ip (its prefix does not matter). */
WEFT_API enum weft_address_state weft_iface_address_state(const struct weft_iface *iface,
							  const struct weft_ip *ip);

/** The address number i (0 is the first) with its prefix, of whatever state; false at the end. */
WEFT_API bool weft_iface_address(const struct weft_iface *iface, unsigned i,
				 struct weft_ip *ret_ip);

/* ---- what routers advise ----------------------------------------------------------------- */

#define WEFT_DNS_SERVERS_MAX 8u
#define WEFT_DNS_SEARCH_MAX  6u
#define WEFT_DNS_DOMAIN_TEXT 254u /**< Bytes of a domain with its NUL. */

/** What a network tells its hosts about names. */
struct weft_dns {
	struct weft_ip servers[WEFT_DNS_SERVERS_MAX];
	unsigned servers_n;
	/** Domains to look for names in: letters, digits, "-", "_" and dots, none at the end. */
	char search[WEFT_DNS_SEARCH_MAX][WEFT_DNS_DOMAIN_TEXT];
	unsigned search_n;
};

/** What the routers on an interface say that is not for the stack itself. */
struct weft_advice {
	struct weft_dns dns; /**< RFC 8106; each as long as its lifetime. */
	bool has_dhcp6;      /**< A DHCPv6 server has more to say: see <weft/dhcp6c.h>. */
};

/** What they say now. */
WEFT_API void weft_iface_advice(const struct weft_iface *iface,
				struct weft_advice *ret_advice);

/** Called when weft_iface_advice would tell something else than before. May use sockets. */
typedef void weft_iface_advised(void *user, uint64_t now);

/** Has fn called from then on; NULL: nobody. */
WEFT_API void weft_iface_on_advice(struct weft_iface *iface, weft_iface_advised *fn,
				   void *user);

/* ---- routes and neighbours --------------------------------------------------------------- */

/**
 * Sends what is for the network by the gateway, which is a neighbour on the interface, or
 * straight to its hosts if gateway is NULL. The default route is 0.0.0.0/0 or ::/0. Returns 0,
 * -EINVAL (families, prefix, a gateway that is no host), -EEXIST, -ENOSPC, -ENOMEM.
 */
WEFT_API WEFT_MUST_CHECK int weft_stack_add_route(struct weft_stack *stack,
						  const struct weft_ip *network,
						  const struct weft_ip *gateway,
						  struct weft_iface *iface);

/** Takes off a route that was added, the first of several; no-op for one that is not there. */
WEFT_API void weft_stack_remove_route(struct weft_stack *stack,
				      const struct weft_ip *network,
				      struct weft_iface *iface);

/** Names a neighbour's MAC for good: it is never asked for. Returns 0, -EINVAL, -ENOSPC. */
WEFT_API WEFT_MUST_CHECK int weft_iface_add_neighbour(struct weft_iface *iface,
						      const struct weft_ip *ip,
						      struct weft_mac mac, uint64_t now);

/** Forgets a neighbour, whoever told of it. */
WEFT_API void weft_iface_remove_neighbour(struct weft_iface *iface,
					  const struct weft_ip *ip);

/** The MAC that is known of a neighbour; false for none. */
WEFT_API bool weft_iface_neighbour(const struct weft_iface *iface,
				   const struct weft_ip *ip, struct weft_mac *ret_mac);

#ifdef __cplusplus
}
#endif
#endif
