/* SPDX-License-Identifier: MIT */
/*
 * Where the address of a member comes from, whatever has it then: a TAP of this machine, a host
 * in this process, or a network namespace.
 *
 *     --address IP/LEN ---.
 *     the room's DHCP ----+--> use --> ops.set, ops.clear
 *     the relay's offer --'
 *
 * The DHCP client runs in here: its frames go into the room as if the device had sent them, and
 * the answers are taken out before the device sees them.
 */
#ifndef CMD_ADDRESSING_H
#define CMD_ADDRESSING_H

#include "cmd/conflict.h"
#include "cmd/membership.h"
#include "cmd/names.h"

#include <weft/dhcpc.h>

/** What a network has given. */
struct given {
	struct weft_ip address;
	struct weft_ip router; /**< family 0 for none. */
	struct names names;
	const char *from; /**< "DHCP", "the relay" or "--address". */
};

/** Who is to have the address. */
struct addressing_ops {
	/** Uses an address, while it has none. Returns 0 or -Exxx with err. */
	int (*set)(void *user, const struct given *given, struct weft_error *err);
	/** Uses it no more. */
	void (*clear)(void *user, const struct weft_ip *address);
	/** The same address is given again, perhaps with other names. May be NULL. */
	void (*renew)(void *user, const struct given *given);
};

/** The words of --address. */
enum { ADDRESS_AUTO, ADDRESS_DHCP, ADDRESS_NONE, ADDRESS_GIVEN };

#define ADDRESS_OPTION                                                        \
	{                                                                     \
		.name = "address", .letter = 'a', .type = OPTION_IP,          \
		.syntax = "auto|dhcp|none|IP/LEN",                            \
		.offset = OFFSET(struct membership_args, address),            \
		.help = "auto: the LAN's DHCP, else the relay's offer [auto]" \
	}

struct addressing {
	struct membership *m;
	const struct addressing_ops *ops;
	void *user;
	struct weft_mac mac;
	struct weft_dhcpc *dhcpc;
	struct weft_ip address; /**< That is used now; family 0 for none. */
	struct weft_ip fixed;   /**< From --address. */
	struct conflict conflict;
	bool wants_dhcp, wants_offer;
};

/** Begins, by --address among m's args. mac is set before the room is joined. */
void addressing_init(struct addressing *a, struct membership *m,
		     const struct addressing_ops *ops, void *user);

/** The room has let us in: what is offered is used, and what is not, is asked for. */
void addressing_joined(struct addressing *a, const struct weft_joined *joined);

/** A member has come or gone: a gateway brings its LAN's DHCP server with it. */
void addressing_peer(struct addressing *a, const struct weft_peer *peer, bool is_here);

/** Sees a frame from the room; true for what is the DHCP client's. */
bool addressing_take(struct addressing *a, const struct weft_frame *frame, uint64_t now);

/**
 * Gives a lease back while there is still a session to send it through, and the address. With
 * lingers, the loop runs on for a moment, for the device's last frames as well.
 */
void addressing_leave(struct addressing *a, bool lingers);

#endif
