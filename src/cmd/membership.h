/* SPDX-License-Identifier: MIT */
/*
 * What `weft join` and `weft gateway` share: an invitation, a member on a link, and what is
 * said while it lives. Each verb opens its link and adds hooks for its own part.
 */
#ifndef CMD_MEMBERSHIP_H
#define CMD_MEMBERSHIP_H

#include "cli/options.h"
#include "cli/output.h"
#include "cli/remote.h"
#include "cli/run.h"
#include "cli/secret.h"
#include "cli/state.h"
#include "cmd/relay_way.h"
#include "cmd/rootless.h"
#include "cmd/status.h"

#include <weft/host.h>
#include <weft/lan.h>

/** The options of both verbs; each verb's table names those that it takes. */
struct membership_args {
	const char *name;
	const char *state;
	const char *ca;
	const char *open_token; /**< A file. */
	unsigned cc;            /**< enum weft_cc. */
	bool busy_poll;
	bool no_upkeep;           /**< gateway: sends nothing of its own on the LAN. */
	bool no_discovery;        /**< join: leaves broadcast to others. */
	const char *link;         /**< join: spec of the link that joins. */
	struct option_list plugs; /**< join: who joins instead of this machine. */
	struct rootless_args rootless; /**< join: a host in this process joins. */
	struct option_ip address;      /**< join: by the words of its table. */
	struct weft_mac mac;           /**< join: zero for this machine's own. */
	struct output_opts output;
};

#define MEMBERSHIP_OPTIONS                                                        \
	{ .name = "name",                                                         \
	  .letter = 'n',                                                          \
	  .type = OPTION_NAME,                                                    \
	  .syntax = "NAME",                                                       \
	  .offset = OFFSET(struct membership_args, name),                         \
	  .help = "what the others see [this machine's name]" },                  \
		{ .name = "ca",                                                   \
		  .type = OPTION_TEXT,                                            \
		  .syntax = "FILE",                                               \
		  .offset = OFFSET(struct membership_args, ca),                   \
		  .help = "authorities, where no key is pinned [the system's]" }, \
		{ .name = "open-token",                                           \
		  .type = OPTION_TEXT,                                            \
		  .syntax = "FILE",                                               \
		  .offset = OFFSET(struct membership_args, open_token),           \
		  .help = "opens the room where the relay asks for a token" },    \
		{ .name = "cc",                                                   \
		  .type = OPTION_CHOICE,                                          \
		  .syntax = "bbr|cubic|reno",                                     \
		  .offset = OFFSET(struct membership_args, cc),                   \
		  .help = "congestion control to the relay [bbr]" },              \
		{ .name = "busy-poll",                                            \
		  .type = OPTION_FLAG,                                            \
		  .offset = OFFSET(struct membership_args, busy_poll),            \
		  .help = "never sleep: least delay, one core at 100 %" },        \
	{                                                                         \
		.name = "state", .type = OPTION_TEXT, .syntax = "DIR",            \
		.offset = OFFSET(struct membership_args, state),                  \
		.help = "where keys are kept [/var/lib/weft for root]"            \
	}

struct membership {
	const char *verb;
	const struct membership_args *args;
	struct weft_invite invite;
	char open_token[SECRET_LEN]; /**< Empty for none. */
	struct output output;
	struct weft_loop *loop;
	struct weft_link *link;
	const char *place; /**< What takes part, where it is no device. */
	struct weft_host *host;
	struct weft_member *member;
	struct state state;
	char waiting_for[400]; /**< What was said last of why it is not in the room. */
	struct remote *remote; /**< By which `weft status` asks; NULL for none. */
	struct ticker ticker;  /**< Draws the status line each second. */
	struct rates rates;
	char address[WEFT_IP_TEXT]; /**< For the status line; empty for none. */
	struct relay_way way;
	bool leaves_signals;       /**< The verb has its own use for them. */
	bool has_device;           /**< The link is one, with an address in the room. */
	bool has_stations;         /**< Others than this machine are on the link. */
	struct weft_error failure; /**< Why it cannot go on; empty while it can. */

	/* The verb's own part; each may be NULL. */
	void (*on_joined)(struct membership *m, const struct weft_joined *joined,
			  uint64_t now);
	void (*on_peer)(struct membership *m, const struct weft_peer *peer, bool is_here);
	void (*on_tick)(struct membership *m); /**< Each second. */
	bool (*from_room)(struct membership *m, const struct weft_frame *frame,
			  uint64_t now);
};

/**
 * Takes the invitation from an operand, or without one (NULL), as invitation_read does.
 * Returns 0, or -Exxx with the exit status; what is wrong has then been said.
 */
int membership_invitation(const struct command *command, char *operand,
			  struct weft_invite *ret_invite,
			  int *ret_status) WEFT_MUST_CHECK;

/**
 * Takes what is secret: the invitation from an operand, as membership_invitation, and the token
 * to open rooms, where there is one. verb and args of m are set.
 */
int membership_secrets(const struct command *command, char *operand, struct membership *m,
		       int *ret_status) WEFT_MUST_CHECK;

/**
 * Opens loop, state and host; verb, args and invite of m are set, output is begun. What a
 * crashed run left on this machine is undone and reported. Returns 0 or -Exxx with err.
 */
int membership_open(struct membership *m, struct weft_error *err) WEFT_MUST_CHECK;

/**
 * Makes the member on m->link, gives up root's rights but CAP_NET_ADMIN, and runs until a
 * signal comes, the link ends or the relay refuses for good. Returns 0 or -Exxx with err.
 */
int membership_run(struct membership *m, enum weft_role role, struct weft_mac mac,
		   struct weft_error *err) WEFT_MUST_CHECK;

/** The device that is in the room; NULL for none: a host in this process, or plugs. */
const char *membership_device(const struct membership *m);

/** What of this machine is in the room: "weft0", "stack", "plugs". */
const char *membership_place(const struct membership *m);

/** This machine's name as far as it can be a member's ("my-laptop"); empty where it cannot. */
void membership_own_name(char buf[WEFT_MEMBER_NAME_MAX + 1]);

/** Leaves the room, undoes what was changed on this machine, frees. */
void membership_close(struct membership *m);

#endif
