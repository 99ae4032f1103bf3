/* SPDX-License-Identifier: MIT */
/*
 * A LAN party in memory: a relay and its guests on a simulated network, in virtual time. Each
 * guest's local link is a probe: the test hands it frames as a TAP would, and it remembers
 * what came out of the room.
 *
 *     alice 10.0.1.1 ---.
 *     bob   10.0.1.2 ----+--- simulated network --- relay 10.0.0.1:443
 *     lan   10.0.1.9 ---'
 */
#ifndef LAN_PARTY_H
#define LAN_PARTY_H

#include "lan/member.h"
#include "lan/relay.h"
#include "link/link.h"
#include "sim/net.h"
#include "venue.h"

#include <weft/lan.h>

#define PARTY_RELAY "10.0.0.1:443"

/** A local link that remembers. */
struct probe {
	struct weft_link link;
	unsigned frames; /**< That came out of the room. */
	uint8_t last[2048];
	size_t last_len;
};

void probe_init(struct probe *probe);

/** As if the device had received a frame of len bytes (at least 14; content does not matter). */
void probe_sends(struct probe *probe, struct weft_mac src, struct weft_mac dst,
		 size_t len, uint64_t now);

struct party {
	struct sim *sim;
	struct weft_relay *relay;
	struct weft_relay_opts relay_opts; /**< May be changed before party_open_relay. */
	struct dgram *relay_socket;
	char *cert, *key;
	struct venue venue;     /**< Its invitation has the pin once the relay is open. */
	unsigned joins, leaves; /**< That the relay's owner was told of. */
	char reason[256];       /**< Of the last leave. */
	bool is_drained;
};

/** What a guest was told, and its link. */
struct guest {
	struct party *party;
	struct weft_member *member;
	/** May be changed between guest_init and guest_start. */
	struct weft_member_opts opts;
	struct dgram *socket;
	struct probe probe;
	char address[32];
	struct weft_joined joined;
	unsigned joined_n, waits_n, refusals_n, came_n, left_n;
	char reason[400];      /**< The last one that was not empty. */
	struct weft_peer peer; /**< The last one that came or left. */
	char peer_reason[256]; /**< Why it left. */
	bool takes_frames;     /**< What from_room says. */
	unsigned seen;         /**< By from_room. */
};

/** A network with one-way delay; no relay yet. */
void party_init(struct party *party, uint64_t seed);

void party_open_relay(struct party *party);

/** With a goodbye, or as a crash: the sockets are gone, and nothing more is sent. */
void party_close_relay(struct party *party);
void party_kill_relay(struct party *party);

/** Frees everything but the guests, which go first. */
void party_fini(struct party *party);

void party_run(struct party *party, uint64_t ms);

/** A guest with a MAC of 02:00:00:00:00:number, for the room "FRIDAY"; number 0: a gateway. */
void guest_init(struct guest *guest, struct party *party, const char *name,
		uint8_t number);

/** Makes its member. */
void guest_start(struct guest *guest);

/** guest_init, guest_start, and waits until it has joined. */
void guest_join(struct guest *guest, struct party *party, const char *name,
		uint8_t number);

/** Runs until it is in that state, at most so long; false if it is not. */
bool guest_reaches(struct guest *guest, enum weft_member_state state, uint64_t ms);

/** Says goodbye. */
void guest_leave(struct guest *guest);

/** Vanishes without a word. */
void guest_crash(struct guest *guest);

/** Sends a frame of 60 bytes and waits until it must have arrived. */
void guest_sends(struct guest *guest, struct weft_mac dst);

/** Frames that have come out of the room since it was last asked. */
unsigned guest_got(struct guest *guest);

extern const struct weft_mac party_lan_host;

#endif
