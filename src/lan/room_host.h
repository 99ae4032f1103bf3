/* SPDX-License-Identifier: MIT */
/*
 * The relay's own host in a room: number 254 of the room's network, which hands out the
 * addresses of that network by DHCP. Members of weft are told theirs in the welcome; consoles
 * and virtual machines behind them know no other way than DHCP. It knows the members' names,
 * too, and tells them by DNS: alice.friday.weft is alice in the room friday.
 *
 *     client ---.
 *               room's bridge ---- link of the host: ARP, DHCP, DNS
 *     client ---'
 *
 * A gateway brings its LAN's server, so the host is silent while there is one.
 */
#ifndef LAN_ROOM_HOST_H
#define LAN_ROOM_HOST_H

#include "lan/room.h"

#include <jansson.h>

struct room_host;

/** Makes the host on the room's bridge. Returns 0, -ENOMEM or what weft_bridge_add returns. */
int room_host_new(struct room *room, struct room_host **ret_host) WEFT_MUST_CHECK;

/** Takes it off the bridge, frees. NULL is allowed. */
void room_host_free(struct room_host *host);

/** The MAC that the host of a room with that name and key has. */
struct weft_mac room_host_mac_of(const char *name, const uint8_t key[PROOF_KEY_LEN]);

/** The IPv4 address that the host has in a room's network. */
uint32_t room_host_address_of(const struct weft_ip *network);

struct weft_mac room_host_mac(const struct room_host *host);

/** Whether the room's address of that number has ever been leased to somebody. */
bool room_host_has_leased(const struct room_host *host, uint8_t number);

/** The leases that run, as dhcpd_lease has them; and one of before a restart. */
uint32_t room_host_lease(const struct room_host *host, uint8_t number, uint64_t now,
			 struct weft_mac *ret_mac);
int room_host_restore(struct room_host *host, uint8_t number, struct weft_mac mac,
		      uint64_t until) WEFT_MUST_CHECK;

/** {"offered": 2, "acked": 2, "names": {"answered": 3} ...}: what has happened, by outcome. */
json_t *room_host_json(const struct room_host *host);

#endif
