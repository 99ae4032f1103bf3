/* SPDX-License-Identifier: MIT */
/*
 * The end point that a modem dials: around a link that carries PPP it puts one that is an
 * IPv4 host on an Ethernet.
 *
 *     game --PPP--> [ LCP  PAP  IPCP | IPv4 <-> ARP, Ethernet ] --frames--> bridge
 *                     this wrapper, link->inner is the modem
 *
 * It speaks when it is spoken to (a modem must be silent until it has been dialled), and then
 * as an internet provider of 1998 did: LCP (RFC 1661) asks for the peer's name by PAP
 * (RFC 1334) and takes any name and password, or none if the peer will not; IPCP (RFC 1332)
 * tells the peer its address and name servers (RFC 1877). Where no address is given in the
 * options, DHCP asks the network for one, from the peer's first word on, and IPCP is answered
 * when it is there; after PPP_ADDRESS_WAIT_NS without one the peer is hung up on.
 *
 * Once there is an address, the outside is a host of its own MAC: it answers ARP, announces
 * its address, resolves the next hop of what the peer sends (a neighbour on the same network,
 * or else the router) and passes on what comes for the peer, broadcasts and multicasts
 * included. Packets pass as they are, with their TTL: it is the peer's network interface,
 * not a hop. What is longer than the peer's MRU is cut into fragments, or where that is
 * forbidden answered by "fragmentation needed" (RFC 1191). Other protocols than IPv4 get
 * Protocol-Reject on one side and are passed over on the other.
 */
#ifndef SERVE_PPP_H
#define SERVE_PPP_H

#include "base/time.h"
#include "link/link.h"
#include "serve/iphost.h"

#include <weft/addr.h>

#include <stdbool.h>
#include <stdint.h>

#define PPP_DNS_MAX 2u

/** How long a peer that has logged in waits for an address. */
#define PPP_ADDRESS_WAIT_NS (25 * NS_PER_S)

/** How long it may take to say who it is. */
#define PPP_LOGIN_WAIT_NS (20 * NS_PER_S)

/** What has become of the peer. */
enum ppp_event {
	PPP_LOGGED_IN, /**< text is the name it gave, as far as it can be printed; or empty. */
	PPP_UP,        /**< text is its address with the prefix length. */
	PPP_DOWN, /**< text says why; empty where the peer wanted it. It may dial again. */
};

struct ppp_opts {
	/** Of the host on the Ethernet. Zero: made of the seed, locally administered. */
	struct weft_mac mac;
	/** For magic numbers, and DHCP: random. */
	uint64_t seed;
	/** The peer's, IPv4 with the network's prefix length; family 0: by DHCP. */
	struct weft_ip address;
	struct weft_ip router; /**< Family 0: none (with DHCP: the lease's). */
	/** As many as have a family (with DHCP and none here: the lease's). */
	struct weft_ip dns[PPP_DNS_MAX];
	const char *hostname; /**< For DHCP; NULL for none. Copied. */
	/** Told of what happens, for a log; may be NULL. Must not free the link. */
	void (*told)(void *user, struct weft_link *link, enum ppp_event event,
		     const char *text, uint64_t now);
	void *user;
};

/**
 * Makes the end point. It takes over inner, which has WEFT_LINK_PPP, when it succeeds.
 * Returns 0; -EINVAL when inner carries no PPP, or an address in opts is no IPv4 address that
 * a host can have; -ENOMEM.
 */
int ppp_new(const struct ppp_opts *opts, struct weft_link *inner,
	    struct weft_link **ret_link) WEFT_MUST_CHECK;

/** How a PPP frame of the peer can end; IPv4 goes on in iphost.h. Each is counted. */
enum ppp_outcome {
	PPP_TAKEN,           /**< Acted on. */
	PPP_DROP_MALFORMED,  /**< Lengths or options are wrong. */
	PPP_DROP_UNEXPECTED, /**< Not a packet for the present phase or state. */
	PPP_DROP_PROTOCOL,   /**< Not one of ours; an open link says so. */
	PPP_OUTCOMES
};

/** "drop-malformed" and the like. */
const char *ppp_outcome_name(enum ppp_outcome outcome);

/** How many frames ended in the given way. */
uint64_t ppp_count(const struct weft_link *link, enum ppp_outcome outcome);

/** The host on the Ethernet, to be looked at. */
const struct iphost *ppp_host(const struct weft_link *link);

#endif
