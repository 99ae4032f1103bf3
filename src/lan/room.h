/* SPDX-License-Identifier: MIT */
/*
 * A room: one Ethernet segment, and who is in it.
 *
 *     client ---[locked, no_flood]---.          .---[no_flood, locked]--- client
 *                                   bridge
 *     client ---[locked, no_flood]---'   '---[floods]--- gateway --- the wired LAN
 *
 * Each client's MAC is bound to its port when it joins, and so are those that it claims for
 * stations behind it (emulators, virtual machines). Addresses are learned only behind the
 * gateway, so that nobody can claim one of the LAN's, or join with it. From that and the flags
 * of the ports follows where frames go:
 *
 *     from     to                     goes to
 *     client   MAC of a client        that client
 *     client   other unicast          the gateway; nowhere without one
 *     client   broadcast, multicast   everyone else
 *     gateway  MAC of a client        that client
 *     gateway  other unicast          nowhere: it belongs to the LAN
 *     gateway  broadcast, multicast   all clients
 *     any      where it came from     nowhere
 *
 * and that a client cannot send under a MAC that is not its own, nor the gateway under one
 * that is a client's. The links of the members are the caller's; the room only joins them.
 *
 * The room's MTU is fixed for its whole life, because the members' interfaces have it: that of
 * an ordinary LAN, or what one datagram on the path of the first member carries, as the relay
 * was told. What a member's path does not carry in one datagram goes in two.
 */
#ifndef LAN_ROOM_H
#define LAN_ROOM_H

#include "base/hash.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/time.h"
#include "bridge/filter.h"
#include "bridge/suppress.h"
#include "lan/keep.h"
#include "lan/message.h"
#include "lan/rules.h"
#include "wire/ether.h"
#include "wire/overlay.h"

#include <weft/bridge.h>
#include <weft/lan.h>

#include <stdbool.h>
#include <stdint.h>

/** Bytes of a DATAGRAM that are not the IP packet: overlay header, Ethernet header, one tag. */
#define ROOM_OVERHEAD (OVERLAY_LEN + ETHER_LEN + ETHER_TAG_LEN)

/** Most MACs that all members of a room together claim, and most learned of its LAN. */
#define ROOM_CLAIMS_MAX 1024u
#define ROOM_LAN_MAX    4096u

/** How long a room is left alone at most: stations of its LAN age by the minute. */
#define ROOM_PAUSE_NS (60 * NS_PER_S)

/** A conflict of addresses is told once in so long for each member. */
#define ROOM_CONFLICT_NS (60 * NS_PER_S)

/** Host number of the relay's own link in the room's network. */
#define ROOM_HOST_OF_RELAY 1u

/** The IP MTU at which each frame goes in one datagram of the budget, LAN_MTU_MAX at most. */
unsigned room_mtu_of_budget(size_t budget);

/** The least budget for an IP MTU: two DATAGRAMs of it hold any frame. */
unsigned room_budget_of_mtu(unsigned mtu);

struct room_host;

struct room_opts {
	const char *name;
	uint16_t id;
	uint8_t key[PROOF_KEY_LEN];
	unsigned mtu;
	uint32_t clients_max; /**< At most LAN_MEMBERS_MAX - 1. */
	uint8_t secret[HASH_SECRET_LEN];
	bool no_dhcp;           /**< Nobody hands out addresses by DHCP. */
	struct rules rules;     /**< Those that are not the defaults. */
	struct weft_ip network; /**< A /24 of IPv4; family 0: by name and key. */
	/** Whether a network cannot be the room's; NULL for none. */
	bool (*is_taken)(void *user, const struct weft_ip *network);
	void *user;
};

struct room_member {
	struct list of_room;
	struct room *room;
	struct weft_peer peer;
	uint8_t host; /**< Host number of the address that it is offered; 0 for none. */
	struct weft_bridge_port *port; /**< NULL until attached. */
	struct filter_member filter;
	uint64_t conflict_told_ns; /**< When a conflict may be told again. */
	void *user;      /**< Of who added it; NULL for a local link of the relay. */
	uint64_t denied; /**< Claims of MACs that it did not get. */
	uint8_t claims_n, claims_max;
	struct weft_mac claims[LAN_CLAIMS_MAX]; /**< MACs beside its own; bound. */
};

struct room {
	struct list members;
	struct list kept; /**< Places of who was lost (lan/keep.h). */
	uint32_t kept_n;
	struct heap_node timer; /**< Of its relay: when room_run is due. */
	uint32_t clients_n, clients_max;
	uint32_t claims_n;           /**< Of all members. */
	struct room_member *gateway; /**< NULL while there is none. */
	struct weft_bridge *bridge;
	struct filter *filter;
	struct room_host *host; /**< NULL with no_dhcp. */
	char name[WEFT_ROOM_NAME_MAX + 1];
	uint8_t key[PROOF_KEY_LEN];
	struct weft_ip network; /**< A /24, out of 100.64.0.0/10 (RFC 6598) if by name. */
	struct room_member *hosts[UINT8_MAX + 1]; /**< By the number of their offers. */
	unsigned mtu;
	uint16_t id;
	uint16_t last_id;                      /**< Of a member. */
	struct rules rules;                    /**< All have a value. */
	uint64_t suppressed[SUPPRESS_ACTIONS]; /**< Questions by what became of them. */
	bool stays;                            /**< Also when the last member has left. */
};

/** Makes an empty room. Returns 0 or -ENOMEM. */
int room_new(const struct room_opts *opts, struct room **ret_room) WEFT_MUST_CHECK;

/** Removes all members and frees. NULL is allowed. */
void room_free(struct room *room);

static inline bool room_is_empty(const struct room *room)
{
	return list_is_empty(&room->members);
}

/**
 * Whether a member who says this hello cannot come in; its budget is what both ends of the
 * path can do. If so, ret_reject is what to tell it.
 */
bool room_refuses(const struct room *room, const struct hello *hello,
		  struct reject *ret_reject);

/**
 * Gives a newcomer that room_refuses has let through its ids, which are those of the place that
 * was kept for it; peer->id is not looked at. Returns 0 or -ENOMEM.
 */
int room_add(struct room *room, const struct weft_peer *peer, void *user,
	     struct room_member **ret_member) WEFT_MUST_CHECK;

/**
 * Gives a member the address that it has had before, elsewhere or long ago, if it is one of this
 * room's that nobody has, is missed with, or has leased.
 */
void room_prefer(struct room_member *member, const struct weft_ip *address);

/** Whether somebody is offered the address of that number, or is missed with it. */
bool room_has_host(const struct room *room, uint8_t host);

/** Has other rules hold in the room from now on; all have a value. Members keep theirs. */
void room_rule(struct room *room, const struct rules *rules);

/** The same for a member, whose rules are the room's until then. What it has, it keeps. */
void room_rule_member(struct room_member *member, const struct rules *rules);

/** Puts the member's link on the bridge. Returns 0 or what weft_bridge_add returns. */
int room_attach(struct room_member *member, struct weft_link *link) WEFT_MUST_CHECK;

/** Takes the member out and frees its slot, MAC and ids at once. Allowed from a receiver. */
void room_remove(struct room_member *member);

/**
 * A client says that a station with that MAC is behind it. Returns 0, also when it has said so
 * before; -EEXIST when another has the MAC; -ENOSPC beyond claims_max or ROOM_CLAIMS_MAX;
 * -EINVAL for a gateway, which needs no claims; -ENOMEM.
 */
int room_claim(struct room_member *member, struct weft_mac mac) WEFT_MUST_CHECK;

/** Undoes room_claim. True if there was a claim. */
bool room_release(struct room_member *member, struct weft_mac mac);

/** Whether a station is known to be on the gateway's LAN. */
bool room_is_of_lan(const struct room *room, struct weft_mac mac);

/** Does what is due: forgets stations of the LAN, asks who is in which group. */
void room_run(struct room *room, uint64_t now);

/** When room_run is to be called; ROOM_PAUSE_NS from now at the latest. */
uint64_t room_deadline(const struct room *room, uint64_t now);

/** What becomes of a frame that the member has sent, by the room's rules. */
enum filter_outcome room_filter(struct room_member *member,
				const struct weft_frame *frame, uint64_t now);

/**
 * Answers a question for an address in another's name, or asks only whom it concerns; for
 * frames that the filter has let pass. True: the frame has done its work.
 */
bool room_answer(struct room_member *member, const struct weft_frame *frame,
		 uint64_t now);

/** The address that the member is offered; family 0 for none. */
struct weft_ip room_address(const struct room_member *member);

#endif
