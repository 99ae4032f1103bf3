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
 * A gateway's LAN may have a server of its own. The host then stands back (service/dhcp_defer.h):
 * it answers members, and nobody on the LAN, and only those to whom nobody else has spoken; and
 * once the LAN's server is heard it is silent until there is another gateway, or none. What it
 * leases beside a gateway ends soon, so that members turn to the LAN's server when there is one.
 */
#ifndef LAN_ROOM_HOST_H
#define LAN_ROOM_HOST_H

#include "lan/room.h"

#include <jansson.h>

struct room_host;

/** Of leases that are given while there is a gateway. */
#define ROOM_HOST_LEASE_S 300u

/** What is worth a line in the log. */
enum room_host_news {
	ROOM_HOST_NO_NEWS,
	ROOM_HOST_IS_SILENT, /**< The LAN's server was heard. */
	ROOM_HOST_ANSWERS,   /**< Beside a gateway, for the first time. */
};

/** Makes the host on the room's bridge. Returns 0, -ENOMEM or what weft_bridge_add returns. */
int room_host_new(struct room *room, struct room_host **ret_host) WEFT_MUST_CHECK;

/** Takes it off the bridge, frees. NULL is allowed. */
void room_host_free(struct room_host *host);

/** A gateway has come, whose LAN may have a server. */
void room_host_defer(struct room_host *host);

/** A frame that the gateway has sent. */
void room_host_overhear(struct room_host *host, const struct weft_frame *frame);

/** Whether nobody else hands out addresses beside a gateway: it has answered, no other has. */
bool room_host_is_server(const struct room_host *host);

/**
 * To whom DHCP has given the room's address of that number, as long as that station is in the
 * room; the host's own is always another's.
 */
enum filter_gift room_host_gift(const struct room_host *host,
				const struct room_member *member, uint8_t number,
				uint64_t now);

/** What has happened since this was last asked. */
enum room_host_news room_host_news(struct room_host *host);

/** The LAN's server, of which there was news. Returns buf. */
const char *room_host_print_server(const struct room_host *host, char buf[WEFT_IP_TEXT]);

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

/**
 * {"offered": 2, "acked": 2, "names": {"answered": 3} ...}: what has happened, by outcome; and with
 * a gateway whose LAN's server was heard, "lan_server".
 */
json_t *room_host_json(const struct room_host *host);

#endif
