/* SPDX-License-Identifier: MIT */
/*
 * The relay's inside: one QUIC endpoint, its rooms, and a visitor for each connection.
 *
 *     quic events ---> visitor (hello, proof, admission) ---> room (bridge) ---> other visitors
 *
 * The relay is one task: the endpoint's descriptor and deadline, and two heaps, with the
 * deadlines of the visitors and those of the rooms.
 */
#ifndef LAN_RELAY_H
#define LAN_RELAY_H

#include "base/heap.h"
#include "base/list.h"
#include "base/refusals.h"
#include "base/time.h"
#include "io/dgram.h"
#include "lan/room.h"
#include "lan/rulebook.h"
#include "lan/session.h"
#include "lan/shut_out.h"
#include "quic/quic.h"

#include <weft/lan.h>

#include <stdint.h>

/** How long places are kept unless the options say another. */
#define RELAY_GRACE_NS (120 * NS_PER_S)

#define RELAY_ROOMS_DEFAULT   256u
#define RELAY_CLIENTS_DEFAULT 16u

/** Of one address: a hall full of players is behind one, too. */
#define RELAY_ADDRESS_SESSIONS_DEFAULT 256u

/** New connections a second. Each costs the relay a millisecond. */
#define RELAY_HANDSHAKE_RATE_DEFAULT 200u

/** Connections that a relay takes however few its rooms hold. */
#define RELAY_CONNS_MIN 4096u

/** What a member costs at most; tests/lan/crowd.c holds the relay to it. */
#define RELAY_CONNS_PER_MIB 16u

/** Members ask more often; these are PINGs for those who have fallen silent. */
#define RELAY_KEEP_ALIVE_NS (7500 * NS_PER_MS)

/**
 * MTU of a room of one-datagram frames that is opened before anyone has come: what a path with
 * a UDP payload of 1,406 bytes carries. Path MTU discovery finds 1,444, 1,406, 1,342 or 1,232,
 * and 1,406 fits where IPv6 carries IPv4 (DS-Lite), through most PPPoE and through most VPNs of
 * 1,500 below.
 */
#define RELAY_AUTO_MTU 1348u

/** How long a relay that ends waits for its members to hear of it. */
#define RELAY_DRAIN_NS (2 * NS_PER_S)

/** In what time its members come back, by their number: as many a second as handshakes. */
#define RELAY_WAIT_MIN_MS 1000u
#define RELAY_WAIT_MAX_MS 60000u

/** What the relay has carried for members who are gone, and for those who are here. */
struct relay_totals {
	uint64_t rx_frames, tx_frames, rx_bytes, tx_bytes;
	uint64_t drops; /**< At sessions. */
	uint64_t sessions[SESSION_OUTCOMES];
	uint64_t bridges[WEFT_BRIDGE_OUTCOMES];
};

struct weft_relay {
	struct weft_task task;
	struct quic_endpoint *endpoint;
	struct quic_tls *tls;
	struct table *rooms; /**< struct room by name, filled up with zeros. */
	struct list visitors;
	struct list locals; /**< Links of its own in rooms (lan/relay_local.c). */
	struct heap timers; /**< Of visitors. */
	struct heap rooms_due;
	const struct weft_log *log;
	void (*on_member)(void *user, const char *room, const struct weft_peer *peer,
			  bool is_here, const char *reason); /**< May be NULL. */
	void *user;
	uint32_t rooms_max, clients_max;
	uint32_t handshake_rate;
	uint64_t grace_ns;
	uint64_t sweep_at;    /**< When places are looked at that may be over. */
	uint64_t drain_until; /**< WEFT_NEVER while it does not end. */
	void (*on_drained)(void *user);       /**< NULL once it was called. */
	char drain_to[MESSAGE_PLACE_MAX + 1]; /**< Where members go then, or empty. */
	bool no_dhcp;
	struct weft_ip network; /**< As in weft_relay_opts; and so is the next. */
	bool (*network_is_taken)(void *user, const struct weft_ip *network);
	uint64_t (*unix_s)(void); /**< NULL: nobody knows the time. */
	struct shut_out shut_out;
	struct rulebook rules;
	bool asks_for_token;                  /**< From who opens a room. */
	uint8_t opening_key[OPENING_KEY_LEN]; /**< Made from that token. */
	/** Of its rooms; 0: what one datagram of the first path carries. */
	unsigned mtu;
	uint16_t last_room_id;
	uint8_t hash_secret[HASH_SECRET_LEN];
	uint64_t now;                   /**< Of the last run. */
	uint64_t rejects[REJECT_CODES]; /**< Hellos that were answered so. */
	struct refusals refusals;       /**< Which of them are logged. */
	uint64_t closes[CLOSE_CODES];   /**< Connections that it has closed. */
	uint64_t early_datagrams;       /**< Of who was no member yet. */
	struct relay_totals gone; /**< Of members and rooms that are no longer here. */
};

/**
 * weft_relay_new on any datagram socket, which becomes the relay's when it succeeds.
 * opts->listen is not looked at.
 */
int relay_new_on(const struct weft_relay_opts *opts, struct dgram *dgram,
		 struct weft_error *err, struct weft_relay **ret_relay) WEFT_MUST_CHECK;

/** Tells the relay's owner that a member came or left. */
void relay_tell_member(const struct weft_relay *relay, const struct room_member *member,
		       bool is_here, const char *reason);

/** Whether the relay is about to end. */
static inline bool relay_is_draining(const struct weft_relay *relay)
{
	return relay->drain_until != WEFT_NEVER;
}

/** Does what drain_until was for, or what it waited for has come. */
void relay_look_drained(struct weft_relay *relay, uint64_t now);

/** The room of that name, or NULL. */
struct room *relay_find_room(const struct weft_relay *relay, const char *name);

/** Opens an empty room. Returns 0, -ENOSPC at the relay's limit, or -ENOMEM. */
int relay_open_room(struct weft_relay *relay, const struct room_opts *opts,
		    struct room **ret_room) WEFT_MUST_CHECK;

/** Sees to it that what the room has to do is done in time, after something came to it. */
void relay_touch_room(struct weft_relay *relay, struct room *room, uint64_t now);

/** Keeps the place of a client that was lost, whose hello that was. */
void relay_keep(struct weft_relay *relay, const struct room_member *member,
		const struct hello *hello, uint64_t now);

/** The rules that hold for a room, and for a member of one. */
struct rules relay_rules_of_room(const struct weft_relay *relay, const char *name);
struct rules relay_rules_of_member(const struct weft_relay *relay,
				   const struct room_member *member);

/** Has the rules hold that are a newcomer's. */
void relay_rule_member(const struct weft_relay *relay, struct room_member *member);

/** Drops places whose time is over, and the rooms that were kept for them. */
void relay_sweep(struct weft_relay *relay, uint64_t now);

/** Makes room for another room, if one stands only for who is gone. True if there was one. */
bool relay_evict(struct weft_relay *relay);

/** Begins with no rooms; rooms_max and hash_secret are set. Returns 0 or -ENOMEM. */
int relay_init_rooms(struct weft_relay *relay) WEFT_MUST_CHECK;

/** Frees all rooms and what is in them. */
void relay_free_rooms(struct weft_relay *relay);

/** Lets go of the relay's own links, once their rooms are gone. */
void relay_free_locals(struct weft_relay *relay);

/**
 * What becomes of a frame that the member has sent (at least ETHER_LEN bytes): SESSION_RECEIVED
 * for on to the bridge, SESSION_TAKEN or SESSION_DROP_FILTERED. Who uses another's address is
 * told of in the log.
 */
enum session_outcome relay_judge(const struct weft_relay *relay,
				 struct room_member *member,
				 const struct weft_frame *frame, uint64_t now);

/** Ends a room if it is empty, keeps no places and does not stay. */
void relay_close_room(struct weft_relay *relay, struct room *room);

/** Adds what members and rooms have counted to the totals. */
void relay_count_session(struct relay_totals *totals, const struct session *session);
void relay_count_bridge(struct relay_totals *totals, const struct weft_bridge *bridge);

#endif
