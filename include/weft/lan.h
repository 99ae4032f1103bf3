/* SPDX-License-Identifier: MIT */
/*
 * A LAN over QUIC: rooms on a relay, and the members who join them.
 *
 *   [member: a TAP]---- session ----.                .---- session ----[member: a wired NIC]
 *                                    |--- relay ---- |
 *   [member: a TAP]---- session ----'     (room)     '---- [the relay's own TAP: `weft host`]
 *
 * A *room* is one Ethernet broadcast domain on a *relay*: a bridge whose ports are sessions.
 * A *member* joins one local link to a room: a TAP as a client, a wired NIC as the room's
 * gateway. docs/protocol.md has every byte.
 *
 * Who knows the invitation may join: it carries the hash of the relay's public key and the
 * room's secret. The secret never leaves the members. It is the seed of an Ed25519 key; each
 * hello signs keying material of its own TLS connection with it, and the relay, which sees
 * only the public key, lets in who has the same key as the room's first member.
 *
 *     struct weft_member_opts opts = { .link = tap, .mac = mac, .events = &events };
 *     if (weft_invite_parse(text, &err, &opts.invite) < 0 ||
 *         weft_member_new(&opts, loop, &err, &member) < 0)
 *             fail(err.text);
 *     weft_loop_add(loop, weft_link_task(tap));
 */
#ifndef WEFT_LAN_H
#define WEFT_LAN_H

#include <weft/addr.h>
#include <weft/bridge.h>
#include <weft/error.h>
#include <weft/link.h>
#include <weft/log.h>
#include <weft/loop.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** UDP port of a relay where none is named. */
#define WEFT_RELAY_PORT 443u

#define WEFT_PIN_LEN         32u  /**< SHA-256, in bytes. */
#define WEFT_ROOM_SECRET_LEN 16u  /**< In bytes. */
#define WEFT_ROOM_NAME_MAX   32u  /**< Letters, digits, '-', '_' and '.'; at least one. */
#define WEFT_MEMBER_NAME_MAX 32u  /**< Same letters; may be empty. */
#define WEFT_INVITE_TEXT     600u /**< Any invitation and its NUL. */
#define WEFT_PASS_SEED_LEN   32u  /**< In bytes; so is the room's key. */
#define WEFT_PASS_NEVER      UINT32_MAX /**< A pass that does not expire. */

/** What lets its holders into a room, until a time. It tells nothing of the room's secret. */
struct weft_pass {
	uint8_t seed[WEFT_PASS_SEED_LEN];     /**< Private half of its key. */
	uint8_t room_key[WEFT_PASS_SEED_LEN]; /**< The room's public key. */
	uint32_t expires_s;                   /**< Unix time, or WEFT_PASS_NEVER. */
	uint8_t signature[64];                /**< By the room's key. */
};

/**
 * weft://host[:port]/ROOM#KEY where KEY is base64url without padding of the relay's pin (32
 * bytes; not where the relay's certificate is signed by a CA) followed by the room's secret (16
 * bytes), or by a pass (132 bytes, as they stand in struct weft_pass).
 */
struct weft_invite {
	char host[256];
	uint16_t port;
	char room[WEFT_ROOM_NAME_MAX + 1];
	bool has_pin;
	uint8_t pin[WEFT_PIN_LEN];
	uint8_t secret[WEFT_ROOM_SECRET_LEN]; /**< Zero with a pass. */
	bool has_pass;
	struct weft_pass pass;
};

/** Parses an invitation. Returns 0, or -EINVAL with err saying which part is wrong and how. */
WEFT_API WEFT_MUST_CHECK int weft_invite_parse(const char *text, struct weft_error *err,
					       struct weft_invite *ret_invite);

/** Prints an invitation into buf and returns buf. */
WEFT_API const char *weft_invite_print(const struct weft_invite *invite,
				       char buf[WEFT_INVITE_TEXT]);

/**
 * Makes an invitation that can be taken back, from one that has the room's secret: with a pass in
 * its place, which is random and expires at that Unix time, or WEFT_PASS_NEVER. Needs no network.
 * Returns 0, or -EINVAL for an invitation that has a pass itself, and so cannot make others.
 */
WEFT_API WEFT_MUST_CHECK int weft_invite_restrict(const struct weft_invite *invite,
						  uint32_t expires_s,
						  struct weft_invite *ret_invite);

/** Fills a room secret with random bytes. */
WEFT_API void weft_room_secret_make(uint8_t ret_secret[WEFT_ROOM_SECRET_LEN]);

/** True if the name can be a room's (and, unless it is to be empty, a member's). */
WEFT_API bool weft_room_name_is_valid(const char *name);

/** Bytes of a room's domain, with its NUL. */
#define WEFT_ROOM_DOMAIN_TEXT (WEFT_ROOM_NAME_MAX + sizeof(".weft"))

/** Prints the domain that the names of a room's members are in: "friday.weft". Returns buf. */
WEFT_API const char *weft_room_domain(const char *room, char buf[WEFT_ROOM_DOMAIN_TEXT]);

/** What is behind a member: its own address (or a few), or a whole LAN. */
enum weft_role { WEFT_ROLE_CLIENT, WEFT_ROLE_GATEWAY };

/** How a sender finds out what its path carries (BBR; RFC 9438; RFC 9002 7). */
enum weft_cc { WEFT_CC_BBR, WEFT_CC_CUBIC, WEFT_CC_RENO };

/** A member of a room as others see it. */
struct weft_peer {
	uint16_t id;
	enum weft_role role;
	struct weft_mac mac; /**< Zero for a gateway. */
	char name[WEFT_MEMBER_NAME_MAX + 1];
};

/* ---- relay ------------------------------------------------------------------------------- */

struct weft_relay;

/**
 * Makes a self-signed identity, as PEM texts that the caller keeps, wipes and frees. Its dates
 * do not hang on this machine's clock; members know it by its key. Returns 0 or -Exxx.
 */
WEFT_API WEFT_MUST_CHECK int weft_relay_make_identity(char **ret_cert_pem,
						      char **ret_key_pem);

/** listen, cert_pem, key_pem and secret are needed; the rest may be zero. */
struct weft_relay_opts {
	union weft_sockaddr listen; /**< See weft_listen_parse. */
	const char *cert_pem; /**< From weft_relay_make_identity, or a CA-signed chain. */
	const char *key_pem;
	const uint8_t *secret; /**< 32 bytes, kept over restarts: reset tokens, hashes. */
	const struct weft_log *log; /**< May be NULL. */
	/** A member came (is_here) or left, and why, in a few words. May be NULL. */
	void (*member)(void *user, const char *room, const struct weft_peer *peer,
		       bool is_here, const char *reason);
	/** weft_relay_drain is done: the loop may be stopped. May be NULL. */
	void (*drained)(void *user);
	void *user; /**< For member, drained and network_is_taken. */
	enum weft_cc cc;
	uint32_t rooms_max;        /**< 0 for 256; at most 65,534. */
	uint32_t room_members_max; /**< Clients per room; 0 for 16; at most 511. */
	/**
	 * Connections of one IPv4 address or IPv6 /64; 0 for 256. It may begin twice as many at
	 * once, and an eighth of it each second.
	 */
	uint32_t address_sessions_max;
	/** How long the place of a client that was lost is kept; 0 for 2 minutes. */
	uint64_t grace_ns;
	/** New connections a second before addresses have to prove themselves; 0 for 200. */
	uint32_t handshake_rate;
	/**
	 * Memory of all connections in MiB, at 64 KiB each: fewer are taken than the rooms hold.
	 * 0 for no limit beyond theirs.
	 */
	uint32_t memory_mib;
	uint32_t mtu;  /**< IP MTU of its rooms, 1,000 to 1,500; 0 for 1,500. */
	bool mtu_auto; /**< Instead: what one datagram carries on the path of the first. */
	/** Unix time in s, for passes that expire: NULL refuses those. */
	uint64_t (*unix_s)(void);
	/**
	 * What it takes to open a room that is not there, 12 bytes at least; NULL for nothing.
	 * Members of a room that is open need none.
	 */
	const char *open_token;
	/**
	 * Of rooms without a LAN: a /24 of IPv4 (host bits do not matter); family 0: each room has
	 * one of 100.64.0.0/10 by its name and key.
	 */
	struct weft_ip network;
	/**
	 * Whether a network that hangs on a room's name cannot be the room's, because this machine
	 * takes part and has it elsewhere: another one is tried then. With user; may be NULL.
	 */
	bool (*network_is_taken)(void *user, const struct weft_ip *network);
	/**
	 * "host:port" of another relay with the same key (or, where a CA vouches for this one, a
	 * certificate for the same name), to which weft_relay_drain sends the members until this
	 * one is back; NULL for none.
	 */
	const char *drain_to;
	bool no_dhcp;      /**< Nobody hands out addresses in rooms without a gateway. */
	bool always_retry; /**< Every address has to prove itself by Retry. */
};

/**
 * Opens the socket and makes the relay. opts and what it points to (but log and user) are not
 * needed afterwards. Returns 0, or -Exxx with err: -EINVAL for options or identity, -ERANGE for an
 * open_token that is too short, -EADDRINUSE, -EACCES, -ENOMEM ...
 */
WEFT_API WEFT_MUST_CHECK int weft_relay_new(const struct weft_relay_opts *opts,
					    struct weft_error *err,
					    struct weft_relay **ret_relay);

/**
 * Has a rule hold from now on (docs/filters.md): "RULE=VALUE" in every room, "ROOM:RULE=VALUE" in
 * that one, "ROOM/MEMBER:RULE=VALUE" for one of its members, who is named by name, MAC or the
 * key of its pass in hex, or, if it is there, by its id. What is said of fewer goes before; the
 * value "default" takes back what was said of the same. Nobody has to be there yet. keep: it is
 * part of what weft_relay_save saves.
 * Returns 0, or -Exxx with err: -EINVAL for what is no rule, -ENOSPC, -ENOMEM.
 */
WEFT_API WEFT_MUST_CHECK int weft_relay_rule(struct weft_relay *relay, const char *text,
					     bool keep, struct weft_error *err);

/** Whether weft_relay_rule can read it. Returns 0, or -EINVAL with err. */
WEFT_API WEFT_MUST_CHECK int weft_rule_check(const char *text, struct weft_error *err);

/**
 * What a relay has to remember over a restart, as text that the caller frees: rooms that have
 * clients, with their keys (which are no secrets), MTU, places of their clients and leases; and
 * rules. NULL without memory.
 */
WEFT_API char *weft_relay_save(const struct weft_relay *relay, uint64_t now);

/**
 * Has a new relay go on where another has saved: rooms and places are kept for the grace.
 * Returns how many rooms, or -EBADMSG with err for a text that is none of weft_relay_save's.
 */
WEFT_API WEFT_MUST_CHECK int weft_relay_restore(struct weft_relay *relay,
						const char *text, uint64_t now,
						struct weft_error *err);

/**
 * Begins to end the relay: every member is told, and in what time to come back, a part of it by
 * chance for each, or to go to opts->drain_to meanwhile; new ones are turned away. opts->drained
 * is called, from the relay's task, when all have heard of it, or after 2 s. Once is enough.
 */
WEFT_API void weft_relay_drain(struct weft_relay *relay, uint64_t now);

/**
 * Tells every member goodbye and frees. The task must be out of its loop. Not from within one
 * of the relay's callbacks. NULL is allowed.
 */
WEFT_API void weft_relay_free(struct weft_relay *relay);

/** The relay as a task, for weft_loop_add: socket, connections and rooms together. */
WEFT_API struct weft_task *weft_relay_task(struct weft_relay *relay);

/** SHA-256 of the relay's public key, for invitations. */
WEFT_API void weft_relay_pin(const struct weft_relay *relay,
			     uint8_t ret_pin[WEFT_PIN_LEN]);

/** The address it listens on, with the port in use. */
WEFT_API union weft_sockaddr weft_relay_addr(const struct weft_relay *relay);

/**
 * Opens a room that stays and joins a local link to it as a client with the given MAC: how
 * `weft host` takes part without a session. The link stays the caller's and is added to the
 * loop by the caller. link may be NULL to open the room alone.
 * Returns the room's MTU (> 0), or -Exxx with err.
 */
WEFT_API WEFT_MUST_CHECK int weft_relay_open_room(
	struct weft_relay *relay, const char *room,
	const uint8_t secret[WEFT_ROOM_SECRET_LEN], struct weft_link *link,
	struct weft_mac mac, struct weft_error *err);

/** Address in the room that the relay gives to the local link of weft_relay_open_room. */
WEFT_API struct weft_ip weft_relay_room_address(const struct weft_relay *relay,
						const char *room);

/** What a relay has now (the first three, and the round trips), and counts that only grow. */
struct weft_relay_stats {
	uint32_t rooms, members, gateways;
	uint64_t rx_frames, tx_frames, rx_bytes, tx_bytes;
	uint64_t drops;    /**< Frames that did not reach a member they were for. */
	uint64_t rejected; /**< Hellos refused. */
	/** Shortest and longest smoothed round trip to a member now; 0 while there is none. */
	uint64_t rtt_min_ns, rtt_max_ns;
};

/** The figures of now. */
WEFT_API struct weft_relay_stats weft_relay_stats(const struct weft_relay *relay);

/**
 * Bytes of the text that says who is shut out of a relay's rooms, with its NUL: "friday/" and
 * behind it the key of a pass in hex, an address, or a network. Of IPv6 an address stands for its
 * /64. A pass is good for one room, which may be left out with it.
 */
#define WEFT_SHUT_OUT_TEXT (WEFT_ROOM_NAME_MAX + 66u)

/** Brings such a text into its one form, in ret_text. Returns 0, or -EINVAL with err. */
WEFT_API WEFT_MUST_CHECK int weft_shut_out_check(const char *text, struct weft_error *err,
						 char ret_text[WEFT_SHUT_OUT_TEXT]);

/** What is known of a member that was thrown out. */
struct weft_kicked {
	char name[WEFT_MEMBER_NAME_MAX + 1]; /**< As it gave it; may be empty. */
	char from[WEFT_IP_TEXT];             /**< The address that it came from. */
	char pass[WEFT_SHUT_OUT_TEXT];       /**< Shut out now; empty for none. */
	char address[WEFT_SHUT_OUT_TEXT];    /**< Shut out now; empty for none. */
	unsigned others; /**< Who are in the room from that address, and stay. */
};

/**
 * Throws a member out, by its id or else by the name that it gave. If it came with a pass, that
 * is shut out; by_address: so is where it comes from, for this room, but the others who are there
 * stay. ret_kicked may be NULL. Returns 1 if something of it was shut out, and 0 if not: with the
 * room's own invitation it comes back when its user wants it to. -ENOENT with err where not
 * exactly one is called so in such a room, -EADDRNOTAVAIL for an address of this machine.
 */
WEFT_API WEFT_MUST_CHECK int weft_relay_kick(struct weft_relay *relay, const char *room,
					     const char *member, bool by_address,
					     struct weft_error *err,
					     struct weft_kicked *ret_kicked);

/**
 * Lets somebody in no more, as WEFT_SHUT_OUT_TEXT says; who is there stays. Returns 0, or with
 * err -EINVAL, -ENOMEM, or -ENOSPC beyond 65,536 passes or 1,024 networks.
 */
WEFT_API WEFT_MUST_CHECK int weft_relay_shut_out(struct weft_relay *relay,
						 const char *text,
						 struct weft_error *err);

/** The same, and throws out all who are there by it. Returns how many those are, or -Exxx. */
WEFT_API WEFT_MUST_CHECK int weft_relay_revoke(struct weft_relay *relay, const char *text,
					       struct weft_error *err);

/** Takes that back. Returns 1, 0 for who was not shut out, or -EINVAL with err. */
WEFT_API WEFT_MUST_CHECK int weft_relay_let_in(struct weft_relay *relay, const char *text,
					       struct weft_error *err);

/**
 * Prints the pass of an invitation as weft_relay_shut_out takes it. Returns 0, or -EINVAL for one
 * without.
 */
WEFT_API WEFT_MUST_CHECK int weft_invite_print_pass(const struct weft_invite *invite,
						    char ret_text[WEFT_SHUT_OUT_TEXT]);

/**
 * Everything worth knowing as one JSON object; free() it. "rooms" lists the rooms, each with
 * its "members", and each of these with its "path": "rtt_us" (the smoothed round trip; also
 * "rttvar_us" and "min_rtt_us"), "jitter_us", "sent" and "lost" (datagrams to the member),
 * "loss_ppm" (of the last half minute to minute), "address", "path_mtu" (RFC 8899: the longest IP
 * packet that is known to get through, in bytes) ... "up" has "sent", "lost" and "jitter_us" as
 * the member last counted them on its side. "pass" is the key of the
 * pass that it came with. "rules" of a room are those that hold in it, "own_rules" those of them
 * that are not the defaults, "rules" of a member those that are others for it alone. "rejects" and
 * "closes" are hellos and connections that the relay has turned down, by the codes of the protocol,
 * "early_datagrams" those of who was no member yet. Counters go
 * by the names of their outcomes; those that are zero are left out. NULL without memory.
 */
WEFT_API char *weft_relay_json(const struct weft_relay *relay, uint64_t now);

/* ---- member ------------------------------------------------------------------------------ */

struct weft_member;

/** Where a member is on its way into the room. */
enum weft_member_state {
	WEFT_MEMBER_RESOLVING,  /**< The relay's name is being looked up. */
	WEFT_MEMBER_CONNECTING, /**< QUIC handshake under way. */
	WEFT_MEMBER_JOINING,    /**< Path measured, hello sent. */
	WEFT_MEMBER_JOINED,     /**< Frames flow. */
	WEFT_MEMBER_WAITING,    /**< Before the next try; reason says what went wrong. */
	WEFT_MEMBER_REFUSED, /**< The relay said no for good (wrong key, wrong version ...). */
};

/** "resolving" and the like; the same words that --json prints. */
WEFT_API const char *weft_member_state_name(enum weft_member_state state);

/** What the welcome said. */
struct weft_joined {
	uint16_t peer;
	uint16_t room;
	/** The relay: the invitation's, or the one that it has sent us to. The member's. */
	const char *relay;
	unsigned mtu; /**< IP MTU of the room in bytes. */
	bool has_gateway;
	/** Offered for a room without a LAN; family 0 for none. */
	struct weft_ip address;
	/** Knows the names in the room's domain, while it has no LAN; family 0 for none. */
	struct weft_ip name_server;
};

/** What a member tells. None of them may free the member. */
struct weft_member_events {
	/** state changed; reason is empty or one sentence for people. May be NULL. */
	void (*state)(void *user, enum weft_member_state state, const char *reason,
		      uint64_t now);
	/**
	 * The relay let us in: before the first frame, so that the MTU can be set. Who is here
	 * is told anew after it, by peer. May be NULL.
	 */
	void (*joined)(void *user, const struct weft_joined *joined, uint64_t now);
	/**
	 * Another member came (is_here) or left; reason says why it left, in its own words
	 * or the relay's, and is empty otherwise. Nobody is said to have left when it is we who
	 * have lost the relay. May be NULL.
	 */
	void (*peer)(void *user, const struct weft_peer *peer, bool is_here,
		     const char *reason, uint64_t now);
	/** Sees each frame from the room first; true keeps it from the link. May be NULL. */
	bool (*from_room)(void *user, const struct weft_frame *frame, uint64_t now);
	/**
	 * A client's machine has an IPv6 address that somebody else in the room has, too, under
	 * that MAC. is_first: he had it before, so that the machine will not use it. Told once
	 * a minute for each address. May be NULL.
	 */
	void (*duplicate)(void *user, const struct weft_ip *address, struct weft_mac mac,
			  bool is_first);
	/**
	 * A gateway's LAN is in a loop: nothing passes between it and the room (is_blocked) until
	 * that is over. reason says what kind of loop and what to do. May be NULL.
	 */
	void (*loop)(void *user, bool is_blocked, const char *reason, uint64_t now);
};

/** invite, link, events and a client's mac are needed; the rest may be zero. */
struct weft_member_opts {
	struct weft_invite invite;
	enum weft_role role;
	/** TAP or NIC; stays the caller's, who adds it to the loop; outlives the member. */
	struct weft_link *link;
	struct weft_mac mac; /**< A client's: locally administered unicast. */
	const char *name;    /**< What others see; NULL for none. */
	/** Without a pin: PEM authorities; NULL for the system's. */
	const char *ca_file;
	const struct weft_member_events *events;
	void *user;
	const struct weft_log *log;
	/**
	 * Stations with MACs of their own are behind the link of a client (emulators, virtual
	 * machines): each MAC is claimed at the relay when it shows up, 16 at most. They do
	 * not know the room's MTU, so the MSS of their TCP is clamped to it.
	 */
	bool claims;
	/**
	 * A gateway sends nothing of its own: no frames that remind the LAN's switches of
	 * silent members, and no probes for loops.
	 */
	bool no_upkeep;
	/** What the relay may ask for to open the room; or NULL. */
	const char *open_token;
	enum weft_cc cc;
	/** 0 for a third of idle_timeout_ns: a PING may be lost. */
	uint64_t keep_alive_ns;
	uint64_t idle_timeout_ns; /**< Relay silent for this long is gone; 0 for 15 s. */
};

/**
 * Makes a member; it connects, joins, and comes back by itself with jittered back-off when the
 * relay goes away. It adds its own task to the loop, and not that of opts->link; nobody is
 * called back before the loop runs. opts, but for link, events, user and log, is copied.
 * Returns 0, or -Exxx with err: -EINVAL for options (MAC, name, a link of IP packets) ...
 */
WEFT_API WEFT_MUST_CHECK int weft_member_new(const struct weft_member_opts *opts,
					     struct weft_loop *loop,
					     struct weft_error *err,
					     struct weft_member **ret_member);

/**
 * Says goodbye and frees; before its loop, and not from within its events. The link has no
 * receiver then. NULL is allowed.
 */
WEFT_API void weft_member_free(struct weft_member *member);

/**
 * Sends frames into the room as if they had come in on the link; borrowed for the call. They
 * go nowhere while the member is not joined.
 */
WEFT_API void weft_member_send(struct weft_member *member,
			       const struct weft_frame *frames, size_t n, uint64_t now);

/**
 * Who in the room has a MAC: a client by its own, or the client behind which a station with
 * that MAC is. False for nobody that is known; on a LAN behind the gateway, that is.
 */
WEFT_API bool weft_member_find_peer(const struct weft_member *member, struct weft_mac mac,
				    struct weft_peer *ret_peer);

/**
 * Moves to a new local address (after the network changed): the session stays. Returns 0, or
 * -Exxx and goes on with the old one.
 */
WEFT_API WEFT_MUST_CHECK int weft_member_rebind(struct weft_member *member, uint64_t now);

/**
 * The addresses of the relay as they were last resolved, those that are tried when the member
 * connects. Writes max of them at most and returns how many; 0 before the first time.
 */
WEFT_API size_t weft_member_relay_addresses(const struct weft_member *member,
					    union weft_sockaddr *ret_addrs, size_t max);

/**
 * Something has changed by which a relay that was lost may be reached again (a network came
 * back): a member that waits tries within half a second. No-op in every other state.
 */
WEFT_API void weft_member_hurry(struct weft_member *member, uint64_t now);

/** The state of now, and counts that only grow. Times are in ns, 0 while unknown. */
struct weft_member_stats {
	enum weft_member_state state;
	uint64_t rtt_ns, rttvar_ns;
	uint64_t jitter_ns; /**< Of the round trip (RFC 3550, 6.4.1). */
	/** Datagrams to the relay on this connection, and those that were lost on the way. */
	uint64_t sent, lost;
	/** The same of the last half minute to minute, in millionths. */
	uint32_t loss_ppm;
	uint64_t rx_frames, tx_frames, rx_bytes, tx_bytes;
	uint64_t drops;
	uint32_t peers;
	bool has_gateway;
	unsigned mtu;
};

/** The figures of now. */
WEFT_API struct weft_member_stats weft_member_stats(const struct weft_member *member);

/** Everything worth knowing as one JSON object; free() it. NULL without memory. */
WEFT_API char *weft_member_json(const struct weft_member *member, uint64_t now);

#ifdef __cplusplus
}
#endif
#endif
