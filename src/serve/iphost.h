/* SPDX-License-Identifier: MIT */
/*
 * One IPv4 host on an Ethernet, whose packets are made and taken elsewhere: the network
 * interface of a peer that has none.
 *
 *     peer --packet--> from_peer -- next hop, ARP --> emit_frame --> Ethernet
 *     peer <-- emit_packet -- address, size <-- from_ether <--frame-- Ethernet
 *
 * It answers ARP for the address, announces it and defends it (RFC 5227, 2.3 and 2.4). Next
 * hop is the destination itself where that is on the network, or else the router; what can
 * go nowhere is answered by "network unreachable". Packets pass as they are, TTL included.
 * One that is longer than the peer takes is cut into fragments; with "don't fragment" its
 * sender hears of the size that would do (RFC 1191).
 */
#ifndef SERVE_IPHOST_H
#define SERVE_IPHOST_H

#include "base/time.h"
#include "serve/neighbour.h"

#include <weft/addr.h>
#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Longest packet that is passed on, in bytes. */
#define IPHOST_MTU 1500u

#define IPHOST_ANNOUNCE_MAX 2u              /**< RFC 5227: ANNOUNCE_NUM, */
#define IPHOST_ANNOUNCE_NS  (2 * NS_PER_S)  /**< ANNOUNCE_INTERVAL, */
#define IPHOST_DEFEND_NS    (10 * NS_PER_S) /**< DEFEND_INTERVAL. */

/** How a packet or a frame can end. Each is counted. */
enum iphost_outcome {
	IPHOST_TO_ETHER, /**< Sent, or waiting for its neighbour to answer. */
	IPHOST_TO_PEER,
	IPHOST_FRAGMENTED,      /**< To the peer, in pieces. */
	IPHOST_ARP,             /**< Read. */
	IPHOST_DROP_MALFORMED,  /**< Lengths or the header's checksum are wrong. */
	IPHOST_DROP_OTHER,      /**< No untagged IPv4 or ARP. */
	IPHOST_DROP_NOT_OURS,   /**< To another address. */
	IPHOST_DROP_SPOOFED,    /**< From an address that its sender cannot have. */
	IPHOST_DROP_NO_ADDRESS, /**< There is none yet, or no more. */
	IPHOST_DROP_NO_PEER,    /**< For a peer that is not up. */
	IPHOST_DROP_NO_ROUTE,   /**< Off the network, without a router. */
	IPHOST_DROP_TOO_LONG,   /**< Not to be cut. */
	IPHOST_DROP_NEIGHBOUR,  /**< No memory to let it wait. */
	IPHOST_OUTCOMES
};

/** "drop-spoofed" and the like. */
const char *iphost_outcome_name(enum iphost_outcome outcome);

struct iphost_events {
	/** A frame for the Ethernet; borrowed. */
	void (*emit_frame)(void *user, const struct weft_frame *frame, uint64_t now);
	/** A packet for the peer; borrowed. */
	void (*emit_packet)(void *user, const uint8_t *packet, size_t len, uint64_t now);
};

/** Where the host is. Addresses are numbers: 192.0.2.1 is 0xc0000201. */
struct iphost_place {
	uint32_t address;
	uint8_t prefix;  /**< Length of the network's, in bits. */
	uint32_t router; /**< 0 for none. */
};

struct iphost {
	const struct iphost_events *events;
	void *user;
	struct weft_mac mac;
	struct iphost_place place; /**< address 0: none. */
	bool peer_is_up;
	uint16_t mru;       /**< Longest packet that the peer takes. */
	unsigned announced; /**< How often, of IPHOST_ANNOUNCE_MAX. */
	uint64_t due;       /**< Of the next announcement. */
	uint64_t defended;  /**< When last. */
	uint64_t conflicts; /**< Frames of others that have our address. */
	uint16_t icmp_id;   /**< Of the IPv4 header of messages of our own. */
	struct neighbours neighbours;
	uint64_t counts[IPHOST_OUTCOMES];
};

/** Sets up a host without an address. */
void iphost_init(struct iphost *h, const struct iphost_events *events, void *user,
		 struct weft_mac mac);

/** Lets go of what waits for neighbours. */
void iphost_fini(struct iphost *h);

/**
 * Takes an address, or with address 0 gives it up. One that it has already is not announced
 * anew.
 */
void iphost_set_place(struct iphost *h, const struct iphost_place *place, uint64_t now);

/** The peer takes packets of at most mru bytes from now on; 0: it takes none. */
void iphost_set_peer(struct iphost *h, uint16_t mru);

/** A packet from the peer. */
void iphost_from_peer(struct iphost *h, const uint8_t *packet, size_t len, uint64_t now);

/** A complete frame from the Ethernet. */
void iphost_from_ether(struct iphost *h, const struct weft_frame *frame, uint64_t now);

void iphost_run(struct iphost *h, uint64_t now);
uint64_t iphost_deadline(const struct iphost *h);

#endif
