/* SPDX-License-Identifier: MIT */
/*
 * The member's inside: one local link, one session with the relay, a bridge between them, and
 * the patience to come back.
 *
 *                 address        handshake        path measured,    welcome
 *                  found          complete         hello sent
 *     RESOLVING ----------> CONNECTING ------> JOINING ---------------------> JOINED
 *        ^  ^                   |    '-> next     |                              |
 *        |  |                   |      address    | reject for later, closed,    | closed
 *        |  | 0.5 .. 15 s       v                 v no answer                    v
 *        |  '--------------- WAITING <-----------------------------------------'
 *        |
 *        '--- 30 s, or never --- REFUSED <--- another relay's key, a reject for good
 *
 * Only one connection counts at a time. One that has been given up no longer has the member
 * as its user, so that nothing that it still says reaches us.
 */
#ifndef LAN_MEMBER_H
#define LAN_MEMBER_H

#include "base/rng.h"
#include "base/time.h"
#include "io/dgram.h"
#include "lan/channel.h"
#include "lan/claims.h"
#include "lan/duplicate.h"
#include "lan/loopcheck.h"
#include "lan/refresh.h"
#include "lan/roster.h"
#include "lan/session.h"
#include "quic/quic.h"

#include <weft/lan.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Of a relay's name or address, as in an invitation. */
#define MEMBER_HOST_LEN sizeof(((struct weft_invite *)NULL)->host)

/** Most addresses of a relay that are tried. */
#define MEMBER_ADDRESSES_MAX 8u

#define MEMBER_IDLE_NS         (15 * NS_PER_S)   /**< Unless the options say another. */
#define MEMBER_HANDSHAKE_NS    (5 * NS_PER_S)    /**< Then an address is given up. */
#define MEMBER_STAGGER_NS      (250 * NS_PER_MS) /**< Then the next one is tried as well. */
#define MEMBER_MEASURE_NS      NS_PER_S /**< Path MTU discovery is waited for so long. */
#define MEMBER_MEASURE_POLL_NS (10 * NS_PER_MS)
#define MEMBER_ANSWER_NS       (10 * NS_PER_S) /**< From hello to welcome or reject. */
#define MEMBER_BACKOFF_MIN_NS  (500 * NS_PER_MS)
#define MEMBER_BACKOFF_MAX_NS  (15 * NS_PER_S)
#define MEMBER_REFUSED_NS      (30 * NS_PER_S)
#define MEMBER_STATS_NS        (60 * NS_PER_S)
#define MEMBER_KNOCK_MIN_NS    (3 * NS_PER_S) /**< From the first to the second at home, */
#define MEMBER_KNOCK_MAX_NS    (30 * NS_PER_S) /**< and later; up to twice as long. */

/** Called with what resolving a name has found, as weft_loop_resolve has it. */
typedef void member_resolved(void *user, int status, const union weft_sockaddr *addrs,
			     size_t n);

/** What a member has from outside. */
struct member_env {
	struct dgram *dgram;   /**< Becomes the member's when it is made. */
	const uint8_t *secret; /**< 32 bytes; borrowed for the making. */
	uint64_t seed;         /**< Of the jitter. */
	uint64_t now;
	/** Resolves; NULL where only IP literals will do. */
	int (*resolve)(void *user, const char *host, uint16_t port, member_resolved *fn,
		       void *fn_user, struct weft_job **ret_job);
	void *resolve_user;
};

/**
 * A relay that ends may send its members to another one, which proves itself by the same key.
 * They are away then, and knock at home until somebody answers (member_away.c).
 */
struct member_away {
	char host[MEMBER_HOST_LEN]; /**< Empty: there is none. */
	uint16_t port;
	bool is_next;            /**< The next try goes there. */
	bool is_there;           /**< The last one did. */
	unsigned knocks_n;       /**< Since home was left. */
	uint64_t knock_at;       /**< When to knock next; WEFT_NEVER for not. */
	struct weft_job *job;    /**< Looks home up; NULL when not. */
	struct quic_conn *knock; /**< A handshake with home; NULL when not. */
};

struct weft_member {
	struct weft_task task; /**< The endpoint's, and the member's own deadlines. */
	struct weft_member_opts opts;
	char name[WEFT_MEMBER_NAME_MAX + 1];
	bool has_token; /**< To open rooms; opening_key is made from it. */
	uint8_t opening_key[OPENING_KEY_LEN];
	struct weft_loop *loop; /**< NULL in simulations. */
	struct member_env env;
	struct quic_tls *tls;
	struct quic_endpoint *endpoint;
	struct rng rng;
	uint64_t now; /**< When the user or the loop was here last. */

	enum weft_member_state state;
	char reason[400];
	uint64_t state_until; /**< When the state ends by itself; WEFT_NEVER for not. */
	unsigned attempts;    /**< Since it was joined last. */

	struct weft_job *job; /**< Resolving; NULL when not. */
	union weft_sockaddr addresses[MEMBER_ADDRESSES_MAX];
	size_t addresses_n, address; /**< How many, and which one is tried next. */
	struct quic_conn *tries[MEMBER_ADDRESSES_MAX]; /**< Handshakes under way. */
	size_t tries_n;
	uint64_t tx_taken; /**< By the kernel, when it began with these. */

	struct member_away away;

	struct quic_conn *conn; /**< NULL while there is none that counts. */
	struct channel channel; /**< Valid while there is conn. */
	bool said_hello;
	uint64_t measure_by; /**< Until then the path may be measured. */
	uint64_t stats_at;   /**< When to send stats next. */

	struct weft_bridge *bridge;
	struct weft_bridge_port *link_port;
	/** NULL unless joined; session is valid with it. */
	struct weft_bridge_port *room_port;
	struct session session;
	struct weft_joined joined;
	struct weft_ip last_address; /**< That was offered; family 0 for none ever. */
	struct roster roster;
	struct claims claims;       /**< In use if the options say so. */
	struct duplicate duplicate; /**< In use if a client's user wants to know. */
	struct refresh refresh;     /**< A gateway's. */
	struct loopcheck loopcheck; /**< A gateway's. */
	bool is_probing;            /**< What passes the gate now is our own probe. */
	uint64_t early_datagrams;

	struct weft_link_stats gone_stats; /**< Of sessions that are over. */
	uint64_t gone_counts[SESSION_OUTCOMES];
	uint64_t gone_drops;
	uint64_t joins;
};

/** weft_member_new with all that comes from outside handed in. */
int member_new_on(const struct weft_member_opts *opts, const struct member_env *env,
		  struct weft_error *err,
		  struct weft_member **ret_member) WEFT_MUST_CHECK;

struct weft_task *member_task(struct weft_member *member);

/** weft_member_rebind to this socket, which becomes the member's when it succeeds. */
int member_rebind_on(struct weft_member *member, struct dgram *dgram,
		     uint64_t now) WEFT_MUST_CHECK;

/* ---- the way in (member_connect.c) ------------------------------------------------------- */

extern const struct quic_events member_events;

/** Does what state_until was for. */
void member_on_state_timer(struct weft_member *member, uint64_t now);

/** Fills in by what a hello proves the claim: the room's key, or that of a pass. */
void member_prove(const struct weft_invite *invite, const struct proof_claim *claim,
		  struct hello *hello);

/** Gives the connection up, and the room with it. */
void member_drop_conn(struct weft_member *member, uint64_t code, const char *text,
		      uint64_t now);

/** Gives up for now, and tries again after a while. */
void member_wait(struct weft_member *member, const char *reason, uint64_t now);

/** Changes the state and tells the user. reason may be NULL. */
void member_set_state(struct weft_member *member, enum weft_member_state state,
		      const char *reason, uint64_t now);

/* ---- which relay, and where it is (member_relay.c) --------------------------------------- */

/** Begins: looks the relay up, or uses its address. */
void member_start(struct weft_member *member, uint64_t now);

/** Tries one more address; reason is why those before did not do. */
void member_try_next(struct weft_member *member, const char *reason, uint64_t now);

/** The relay that is tried, or was last: its own host, or the one that it has sent us to. */
const char *member_relay_host(const struct weft_member *member);
uint16_t member_relay_port(const struct weft_member *member);

/** Whether that needs no resolver; if so, its address. */
bool member_host_is_literal(const char *host, uint16_t port,
			    union weft_sockaddr *ret_addr);

/* ---- away from its relay (member_away.c) ------------------------------------------------- */

void member_away_init(struct weft_member *member);
void member_away_fini(struct weft_member *member);

/** The relay ends. True if it sends its members to another one. */
bool member_away_on_goodbye(struct weft_member *member, const char *go_to);

/** A try, or the time in a room, is over: says which relay is next. */
void member_away_on_wait(struct weft_member *member);

/** In a room: at home there is nothing to do; away, home is knocked at from now on. */
void member_away_on_joined(struct weft_member *member, uint64_t now);

/**
 * This relay does not want us. True if there is another one to try: home, for who was sent away,
 * which is not tried again then; or where we come from.
 */
bool member_away_on_refusal(struct weft_member *member);

/** Knocks no more for now. */
void member_away_rest(struct weft_member *member, uint64_t now);

/** A connection was established, or has ended. True if it was one that knocked. */
bool member_away_on_answer(struct weft_member *member, struct quic_conn *conn,
			   uint64_t now);
bool member_away_on_silence(struct weft_member *member, const struct quic_conn *conn);

/** Knocks when away.knock_at is due. */
void member_away_run(struct weft_member *member, uint64_t now);

/* ---- why it ended (member_explain.c) ----------------------------------------------------- */

/** Says why a connection ended: what was wrong, and what its user can do about it. */
void member_explain_close(const struct weft_member *member, const struct quic_close *why,
			  struct weft_error *ret_reason);

/* ---- in the room (member_room.c) --------------------------------------------------------- */

/** The welcome has come. Returns 0 or -Exxx. */
int member_enter(struct weft_member *member, const struct welcome *welcome,
		 uint64_t now) WEFT_MUST_CHECK;

/** Takes the session off the bridge and forgets who was there. No-op outside of a room. */
void member_leave(struct weft_member *member);

/** News of others. Returns 0 or -Exxx. */
int member_on_peer_joined(struct weft_member *member, const struct weft_peer *peer,
			  uint64_t now) WEFT_MUST_CHECK;
void member_on_peer_left(struct weft_member *member, const struct peer_left *left,
			 uint64_t now);

/** The relay says which MACs are whose. Returns 0, or -EPROTO for an unknown peer. */
int member_on_claims(struct weft_member *member, const struct message *message,
		     uint64_t now) WEFT_MUST_CHECK;

/** Asks the relay for what has shown up since. */
void member_ask_claims(struct weft_member *member, uint64_t now);

/* ---- a gateway's LAN (member_gateway.c); all of it does nothing for a client ------------- */

/** secret keys hashes. Needs the options to be set. */
void member_gateway_init(struct weft_member *member, const uint8_t secret[16]);
void member_gateway_fini(struct weft_member *member);

/** The gateway has entered the room; it has left, and knows nobody any more. */
void member_gateway_enter(struct weft_member *member, uint64_t now);
void member_gateway_leave(struct weft_member *member);

/** A MAC has come into the room, or left it. */
void member_gateway_add(struct weft_member *member, struct weft_mac mac, uint64_t now);
void member_gateway_remove(struct weft_member *member, struct weft_mac mac);

/** A frame passes: SESSION_RECEIVED or SESSION_SENT lets it, SESSION_DROP_LOOP does not. */
enum session_outcome member_gateway_from_room(struct weft_member *member,
					      const struct weft_frame *frame,
					      uint64_t now);
enum session_outcome member_gateway_from_lan(struct weft_member *member,
					     const struct weft_frame *frame,
					     uint64_t now);

uint64_t member_gateway_deadline(const struct weft_member *member);
void member_gateway_run(struct weft_member *member, uint64_t now);

/* ---- facts ------------------------------------------------------------------------------- */

/** Tells the relay what has been counted, while in the room. */
void member_send_stats(struct weft_member *member, uint64_t now);

#endif
