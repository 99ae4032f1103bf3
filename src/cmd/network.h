/* SPDX-License-Identifier: MIT */
/*
 * Networks that a program enters by itself, where others are given a device: a room, or a tunnel.
 * They are named where links are (`weft help links`), and are links to whoever has them:
 *
 *     weft://relay.example.org/friday#...   a room, by its invitation; or weft:@FILE, or
 *                                             weft: for $WEFT_INVITATION or the terminal
 *     tunnel:CONFIG.json                    the tunnel that the file has one end of
 *
 *     program --- link ===== far --- member --- relay         a pair in memory; wrappers around
 *                               '--- tunnel --- server        its near end (capture:, impair:)
 *
 * A network says what its host shall be (struct network_terms), once it has been entered and
 * again when that is another. Nothing of this machine is changed, which takes no rights.
 *
 *     struct network n = { .command = ..., .loop = ..., .output = ... };
 *     status = network_open(&n, spec);           files are read here,
 *     privilege_drop(...);
 *     status = network_wait(&n);                 and the first byte from outside here
 */
#ifndef CMD_NETWORK_H
#define CMD_NETWORK_H

#include "cli/options.h"
#include "cli/output.h"
#include "cmd/names.h"

#include <weft/addr.h>
#include <weft/error.h>
#include <weft/lan.h>
#include <weft/link.h>
#include <weft/loop.h>
#include <weft/tunnel.h>

#include <stdbool.h>
#include <stdint.h>

#define NETWORK_IPS_MAX WEFT_TUNNEL_CLIENT_IPS_MAX

/** What a network says to a host. */
struct network_terms {
	uint32_t mtu;
	struct weft_ip ips[NETWORK_IPS_MAX]; /**< Its addresses, with their networks. */
	size_t ips_n;
	bool has_lan;       /**< A LAN is behind it, whose DHCP server is to be asked. */
	struct names names; /**< Of a room that has none. */
};

struct network {
	/* Set by the caller: */
	const struct command *command;
	struct weft_loop *loop;
	struct output *output;
	const char *name; /**< In a room; NULL for this machine's. */
	/** In a room; zero for one by chance, which is then here. */
	struct weft_mac mac;
	bool has_stations;           /**< Others than one host are on the link. */
	void (*changed)(void *user); /**< The terms are others. May be NULL. */
	void *user;

	/* To be read: */
	struct weft_link *link; /**< The program's end; NULL while there is no network. */
	char title[96];         /**< "room friday", "tunnel tun0" */
	bool is_in;             /**< It has been entered, and the terms are known. */
	struct network_terms terms;
	struct weft_error failure; /**< Why it cannot be any more; empty while it can. */

	/* Its own: */
	struct weft_link *far; /**< Of a room; a tunnel's is the tunnel's. */
	bool is_waited_for;
	struct weft_invite invite;
	struct weft_member *member;
	char waiting_for[400]; /**< What was said last of why it is not in the room. */
	struct weft_tunnel_config *config;
	struct weft_tunnels *tunnels;
};

/** Whether a spec names a network, perhaps within wrappers. */
bool network_is_named(const char *spec);

/**
 * Opens the network of such a spec, in which a secret is blanked. Returns STATUS_OK, or what the
 * program ends with: then the reason has been said. network_close follows in both cases.
 */
int network_open(struct network *n, char *spec) WEFT_MUST_CHECK;

/** Runs the loop until the network has been entered. Returns as network_open. */
int network_wait(struct network *n) WEFT_MUST_CHECK;

/** Runs the loop on for a moment, so that what has been sent by now leaves. */
void network_linger(struct network *n);

/** Takes leave and frees, link and all; before the loop. Harmless where nothing is open. */
void network_close(struct network *n);

/* For the two kinds: */

/** Each opens what is named behind the wrappers; as network_open. */
int network_open_room(struct network *n, char *text) WEFT_MUST_CHECK;
int network_open_tunnel(struct network *n, const char *path) WEFT_MUST_CHECK;

/** The network has been entered, and all terms are known; or some are others now. */
void network_entered(struct network *n);

/** Nothing more can be had of it. */
void network_fail(struct network *n, const char *reason);

#endif
