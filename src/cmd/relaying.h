/* SPDX-License-Identifier: MIT */
/*
 * What `weft relay` and `weft host` share: a relay with its key, the invitations to its
 * rooms, and what is said while it runs.
 */
#ifndef CMD_RELAYING_H
#define CMD_RELAYING_H

#include "cli/options.h"
#include "cli/output.h"
#include "cli/remote.h"
#include "cli/run.h"
#include "cli/secret.h"
#include "cli/state.h"
#include "cmd/rooms_file.h"
#include "cmd/status.h"

#include <weft/lan.h>

/** The options of both verbs; each verb's table names those that it takes. */
struct relaying_args {
	union weft_sockaddr listen;
	const char *public;
	const char *cert, *key;
	const char *state;
	const char *open_token; /**< relay: a file. */
	const char *drain_to;   /**< relay: another one, for its end; or NULL. */
	unsigned cc;            /**< enum weft_cc. */
	bool busy_poll, retry, no_dhcp, qr;
	uint64_t expires_ns; /**< Of the invitations; 0: the rooms' own. */
	uint32_t rooms, members, mtu;
	uint32_t sessions, handshakes, memory; /**< relay: limits of connections. */
	struct option_ip network;
	uint64_t grace_ns; /**< relay: of places; 0 for the default. */
	struct option_list filter;
	struct option_list room;  /**< relay: rooms to print invitations for. */
	const char *link;         /**< host: spec of the link that takes part. */
	struct option_ip address; /**< host: by the words of its table. */
	struct weft_mac mac;      /**< host: zero for this machine's own. */
	bool no_discovery;        /**< host: leaves broadcast to others. */
	bool new_secret;          /**< host: the room gets another one. */
	struct output_opts output;
};

/** Of rooms, if nothing else is said: that of an ordinary LAN. */
#define RELAYING_MTU 1500u

#define RELAYING_OPTIONS                                                             \
	{ .name = "listen",                                                          \
	  .letter = 'l',                                                             \
	  .type = OPTION_LISTEN,                                                     \
	  .syntax = "[IP:]PORT",                                                     \
	  .offset = OFFSET(struct relaying_args, listen),                            \
	  .help = "where members reach it [443/udp, every address]" },               \
		{ .name = "public",                                                  \
		  .letter = 'p',                                                     \
		  .type = OPTION_HOST,                                               \
		  .syntax = "HOST",                                                  \
		  .offset = OFFSET(struct relaying_args, public),                    \
		  .help = "HOST[:PORT] for others [this machine's address]" },       \
		{ .name = "cert",                                                    \
		  .type = OPTION_TEXT,                                               \
		  .syntax = "FILE",                                                  \
		  .offset = OFFSET(struct relaying_args, cert),                      \
		  .help = "a certificate of your own, PEM [self-signed, kept]" },    \
		{ .name = "key",                                                     \
		  .type = OPTION_TEXT,                                               \
		  .syntax = "FILE",                                                  \
		  .offset = OFFSET(struct relaying_args, key),                       \
		  .help = "its key, PEM" },                                          \
		{ .name = "members",                                                 \
		  .type = OPTION_NUMBER,                                             \
		  .syntax = "N",                                                     \
		  .offset = OFFSET(struct relaying_args, members),                   \
		  .max = 511,                                                        \
		  .help = "most clients in a room [16]" },                           \
		{ .name = "mtu",                                                     \
		  .type = OPTION_NUMBER,                                             \
		  .syntax = "auto|BYTES",                                            \
		  .offset = OFFSET(struct relaying_args, mtu),                       \
		  .min = 1000,                                                       \
		  .max = 1500,                                                       \
		  .help = "MTU of rooms [1500]; auto: a datagram a frame" },         \
		{ .name = "cc",                                                      \
		  .type = OPTION_CHOICE,                                             \
		  .syntax = "bbr|cubic|reno",                                        \
		  .offset = OFFSET(struct relaying_args, cc),                        \
		  .help = "congestion control to members [bbr]" },                   \
		{ .name = "network",                                                 \
		  .type = OPTION_IP,                                                 \
		  .syntax = "auto|IP/24",                                            \
		  .offset = OFFSET(struct relaying_args, network),                   \
		  .help = "of rooms without a LAN [auto: by their names]" },         \
		{ .name = "no-dhcp",                                                 \
		  .type = OPTION_FLAG,                                               \
		  .offset = OFFSET(struct relaying_args, no_dhcp),                   \
		  .help = "hand out no addresses in rooms without a LAN" },          \
		{ .name = "filter",                                                  \
		  .type = OPTION_LIST,                                               \
		  .syntax = "RULE=VALUE",                                            \
		  .offset = OFFSET(struct relaying_args, filter),                    \
		  .help = "what members may send: docs/filters.md, `weft filter`" }, \
		{ .name = "expires",                                                 \
		  .letter = 'e',                                                     \
		  .type = OPTION_DURATION,                                           \
		  .syntax = "TIME",                                                  \
		  .offset = OFFSET(struct relaying_args, expires_ns),                \
		  .help = "invite clients until then: 3d [all, for ever]" },         \
		{ .name = "qr",                                                      \
		  .type = OPTION_FLAG,                                               \
		  .offset = OFFSET(struct relaying_args, qr),                        \
		  .help = "print invitations as QR codes as well" },                 \
		{ .name = "retry",                                                   \
		  .type = OPTION_FLAG,                                               \
		  .offset = OFFSET(struct relaying_args, retry),                     \
		  .help = "make every address prove itself first" },                 \
		{ .name = "busy-poll",                                               \
		  .type = OPTION_FLAG,                                               \
		  .offset = OFFSET(struct relaying_args, busy_poll),                 \
		  .help = "never sleep: least delay, one core at 100 %" },           \
	{                                                                            \
		.name = "state", .type = OPTION_TEXT, .syntax = "DIR",               \
		.offset = OFFSET(struct relaying_args, state),                       \
		.help = "where keys are kept [/var/lib/weft for root]"               \
	}

struct relaying {
	const struct relaying_args *args;
	const char *verb;
	char open_token[SECRET_LEN]; /**< relay: what opening a room takes; or empty. */
	struct output output;
	struct weft_loop *loop;
	struct weft_relay *relay;
	struct state state;
	struct remote *remote; /**< By which `weft status` and `weft kick` ask. */
	struct rooms_file rooms;
	uint64_t saved_at; /**< When rooms was looked at last. */
	bool is_ending;    /**< A signal has come. */
	/** host: whether a network is in use here; gets the struct relaying. */
	bool (*network_is_taken)(void *user, const struct weft_ip *network);
	struct ticker ticker; /**< Draws the status line each second. */
	struct rates rates;
};

/** Whether the options go together. Returns 0, or -EINVAL with err. */
int relaying_check(const struct relaying_args *args,
		   struct weft_error *err) WEFT_MUST_CHECK;

/** Where relays listen unless told otherwise. */
union weft_sockaddr relaying_default_listen(void);

/**
 * Opens loop, state and relay; args of r are set, output is begun. Returns 0 or -Exxx with
 * err.
 */
int relaying_open(struct relaying *r, struct weft_error *err) WEFT_MUST_CHECK;

/** Prints the invitation to a room whose secret is kept here. Returns 0 or -Exxx with err. */
int relaying_invite(struct relaying *r, const char *room,
		    struct weft_error *err) WEFT_MUST_CHECK;

/** Runs until a signal comes and all members have been told, or another one comes. */
int relaying_run(struct relaying *r, struct weft_error *err) WEFT_MUST_CHECK;

/** Says goodbye to every member and frees. */
void relaying_close(struct relaying *r);

#endif
