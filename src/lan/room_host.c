/* SPDX-License-Identifier: MIT */
/*
 * It answers within the call that brings the question: the bridge allows that, and an answer
 * goes to one member at most once per question.
 */
#include "lan/room_host.h"

#include "base/container.h"
#include "base/mac.h"
#include "link/link.h"
#include "service/dhcp_defer.h"
#include "service/dhcpd.h"
#include "service/dnsd.h"
#include "wire/arp.h"
#include "wire/compose.h"
#include "wire/cursor.h"
#include "wire/ether.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define REPLY_LEN_MAX                                                 \
	(DHCP_FRAME_LEN_MAX > DNSD_FRAME_LEN_MAX ? DHCP_FRAME_LEN_MAX \
						 : DNSD_FRAME_LEN_MAX)

struct room_host {
	struct weft_link link; /* first: it is the link; in no loop */
	struct room *room;
	struct weft_mac mac;
	uint32_t address;
	struct weft_bridge_port *port;
	struct dhcpd *dhcpd;
	struct dhcp_defer defer; /* while there is a gateway */
	enum room_host_news news;
	bool has_answered; /* beside this gateway */
	struct dnsd *dnsd; /* NULL where the room's name is none for a domain */
};

/* ---- what DHCP asks of the room ---------------------------------------------------------- */

static uint8_t host_of(void *user, struct weft_mac mac)
{
	const struct room *room = user;
	list_for_each (node, &room->members) {
		const struct room_member *member =
			container_of(node, struct room_member, of_room);
		if (member != room->gateway && mac_equal(member->peer.mac, mac))
			return member->host;
	}
	return 0;
}

static bool is_taken(void *user, uint8_t number)
{
	const struct room *room = user;
	return number == ROOM_HOST_OF_RELAY || room_has_host(room, number);
}

static bool may_answer(void *user, const struct dhcp_msg *msg, bool holds, uint64_t now)
{
	const struct room *room = user;
	struct room_host *host = room->host;
	static_assert(DHCP_DEFER_CLIENTS > 2 * (LAN_CLAIMS_MAX + 1),
		      "one member alone does not take all places of those who wait");
	if (!room->gateway)
		return true;
	if (!dhcp_defer_may_answer(&host->defer, msg, holds, now))
		return false;
	if (msg->type == DHCP_DISCOVER && !host->has_answered) {
		host->news = ROOM_HOST_ANSWERS;
		host->has_answered = true;
	}
	return true;
}

/* ---- what DNS asks of the room ----------------------------------------------------------- */

/* Names are the members' own, and two may have the same: then both are told. */
static size_t find_member(void *user, const char *name,
			  uint32_t ret_addresses[DNSD_ADDRESSES_MAX])
{
	const struct room *room = user;
	size_t n = 0;
	list_for_each (node, &room->members) {
		const struct room_member *member =
			container_of(node, struct room_member, of_room);
		if (n < DNSD_ADDRESSES_MAX && member->host != 0 &&
		    strcasecmp(member->peer.name, name) == 0)
			ret_addresses[n++] =
				load_be32(room->network.octet) | member->host;
	}
	return n;
}

static bool name_of_member(void *user, uint32_t address, char ret_name[DNSD_NAME_TEXT])
{
	const struct room *room = user;
	const struct room_member *member = room->hosts[(uint8_t)address];
	static_assert(WEFT_MEMBER_NAME_MAX < DNSD_NAME_TEXT, "all names can be told");
	if (!member || !member->peer.name[0])
		return false;
	(void)snprintf(ret_name, DNSD_NAME_TEXT, "%s", member->peer.name);
	return true;
}

/* ---- frames ------------------------------------------------------------------------------ */

/* True if it was for us to answer. */
static bool answer_arp(struct room_host *host, const struct weft_frame *frame,
		       uint64_t now)
{
	uint8_t buf[COMPOSE_ARP_LEN];
	struct ether_hdr ether;
	struct arp_hdr arp;
	int off = ether_hdr_parse(frame->data, frame->len, &ether);
	if (off < 0 || ether.tags_n > 0 || ether.type != ETHER_TYPE_ARP ||
	    arp_hdr_parse(frame->data + off, frame->len - (size_t)off, &arp) < 0 ||
	    arp.op != ARP_OP_REQUEST || arp.target_ip != host->address)
		return false;
	const struct arp_hdr answer = { .op = ARP_OP_REPLY,
					.sender_mac = host->mac,
					.sender_ip = host->address,
					.target_mac = arp.sender_mac,
					.target_ip = arp.sender_ip };
	compose_arp(&ether.src, &answer, buf);
	const struct weft_frame reply = { .data = buf, .len = sizeof(buf) };
	link_deliver(&host->link, &reply, 1, now);
	return true;
}

/* Answers a question for an address or a name. Returns the answer's length; 0 for none. */
static size_t answer_ip(struct room_host *host, const struct weft_frame *frame,
			uint64_t now, uint8_t buf[REPLY_LEN_MAX])
{
	size_t len = dhcpd_input(host->dhcpd, frame, now, buf);
	return len == 0 && host->dnsd ? dnsd_input(host->dnsd, frame, buf) : len;
}

/* What is the LAN's, and everything once its server was heard. */
static bool is_for_others(const struct room_host *host, const struct weft_frame *frame)
{
	const struct room *room = host->room;
	return room->gateway && (host->defer.server != 0 ||
				 room_is_of_lan(room, mac_load(frame->data + MAC_LEN)));
}

static size_t host_send(struct weft_link *link, const struct weft_frame *frames, size_t n,
			uint64_t now)
{
	struct room_host *host = container_of(link, struct room_host, link);
	dhcpd_set_lease(host->dhcpd, host->room->gateway ? ROOM_HOST_LEASE_S : 0);
	for (size_t i = 0; i < n; i++) {
		uint8_t buf[REPLY_LEN_MAX];
		if (is_for_others(host, &frames[i]) || answer_arp(host, &frames[i], now))
			continue;
		size_t len = answer_ip(host, &frames[i], now, buf);
		const struct weft_frame reply = { .data = buf, .len = (uint32_t)len };
		if (len > 0)
			link_deliver(&host->link, &reply, 1, now);
	}
	return n;
}

/* ---- the server of a LAN ----------------------------------------------------------------- */

void room_host_defer(struct room_host *host)
{
	dhcp_defer_begin(&host->defer, host->address);
	host->has_answered = false;
}

void room_host_overhear(struct room_host *host, const struct weft_frame *frame)
{
	struct udp_path path;
	struct dhcp_msg msg;
	if (host->defer.server != 0)
		return;
	if ((dhcp_frame_parse(frame, DHCP_CLIENT_PORT, &path, &msg) == 0 ||
	     dhcp_frame_parse(frame, DHCP_SERVER_PORT, &path, &msg) == 0) &&
	    dhcp_defer_hear(&host->defer, &msg))
		host->news = ROOM_HOST_IS_SILENT;
}

enum room_host_news room_host_news(struct room_host *host)
{
	const enum room_host_news news = host->news;
	host->news = ROOM_HOST_NO_NEWS;
	return news;
}

const char *room_host_print_server(const struct room_host *host, char buf[WEFT_IP_TEXT])
{
	struct weft_ip ip = { .family = AF_INET, .prefix = 32 };
	store_be32(ip.octet, host->defer.server);
	return weft_ip_print(&ip, buf);
}

/* ---- whose an address is ----------------------------------------------------------------- */

bool room_host_is_server(const struct room_host *host)
{
	return host->has_answered && host->defer.server == 0;
}

enum filter_gift room_host_gift(const struct room_host *host,
				const struct room_member *member, uint8_t number,
				uint64_t now)
{
	struct weft_mac mac;
	if (number == DHCPD_HOST_SERVER)
		return FILTER_GIFT_ANOTHERS;
	if (dhcpd_lease(host->dhcpd, number, now, &mac) == 0)
		return FILTER_GIFT_NOBODYS;
	const struct weft_bridge_port *port = weft_bridge_lookup(host->room->bridge, mac);
	if (!port)
		return FILTER_GIFT_NOBODYS;
	return port == member->port ? FILTER_GIFT_OWN : FILTER_GIFT_ANOTHERS;
}

/* ---- beginning and end ------------------------------------------------------------------- */

/* Hangs on the room as its network does, so it is the same on the next day. */
struct weft_mac room_host_mac_of(const char *name, const uint8_t key[PROOF_KEY_LEN])
{
	uint8_t digest[crypto_generichash_BYTES_MIN];
	(void)crypto_generichash(digest, sizeof(digest), (const uint8_t *)name,
				 strlen(name), key, PROOF_KEY_LEN);
	struct weft_mac mac = mac_load(digest + 2);
	mac.octet[0] = (uint8_t)((mac.octet[0] | 0x02) & ~0x01u);
	return mac;
}

uint32_t room_host_address_of(const struct weft_ip *network)
{
	return load_be32(network->octet) | DHCPD_HOST_SERVER;
}

static int attach(struct room_host *host)
{
	static const struct weft_bridge_port_opts opts = { .no_learning = true,
							   .no_flood = true,
							   .locked = true };
	struct weft_bridge *bridge = host->room->bridge;
	int r = weft_bridge_add(bridge, &host->link, &opts, &host->port);
	return r < 0 ? r : weft_bridge_bind(bridge, host->mac, host->port);
}

/* A room whose name is none for a domain has no names for its members. */
static int make_servers(struct room_host *host)
{
	struct room *room = host->room;
	char domain[WEFT_ROOM_DOMAIN_TEXT];
	const struct dhcpd_opts dhcpd = { .mac = host->mac,
					  .network = load_be32(room->network.octet),
					  .mtu = (uint16_t)room->mtu,
					  .domain = weft_room_domain(room->name, domain),
					  .host_of = host_of,
					  .is_taken = is_taken,
					  .may_answer = may_answer,
					  .user = room };
	const struct dnsd_opts dnsd = { .mac = host->mac,
					.address = host->address,
					.domain = domain,
					.find = find_member,
					.name_of = name_of_member,
					.user = room };
	int r = dhcpd_new(&dhcpd, &host->dhcpd);
	if (r == 0)
		r = dnsd_new(&dnsd, &host->dnsd);
	return r == -EINVAL ? 0 : r;
}

int room_host_new(struct room *room, struct room_host **ret_host)
{
	static const struct link_ops ops = { .send = host_send };
	const struct weft_link_caps caps = {
		.frame_len_max = ETHER_LEN + ETHER_TAG_LEN + room->mtu,
	};
	struct room_host *host = calloc(1, sizeof(*host));
	if (!host)
		return -ENOMEM;
	link_init(&host->link, &ops, room->name, -1, caps);
	host->room = room;
	host->mac = room_host_mac_of(room->name, room->key);
	host->address = room_host_address_of(&room->network);
	int r = make_servers(host);
	if (r == 0)
		r = attach(host);
	if (r < 0) {
		room_host_free(host);
		return r;
	}
	*ret_host = host;
	return 0;
}

void room_host_free(struct room_host *host)
{
	if (!host)
		return;
	if (host->port)
		weft_bridge_remove(host->room->bridge, host->port);
	dnsd_free(host->dnsd);
	dhcpd_free(host->dhcpd);
	link_fini(&host->link);
	free(host);
}

struct weft_mac room_host_mac(const struct room_host *host)
{
	return host->mac;
}

bool room_host_has_leased(const struct room_host *host, uint8_t number)
{
	return dhcpd_has_leased(host->dhcpd, number, 0);
}

/* "names": what was asked of the name server. */
static void add_names(json_t *object, const struct dnsd *dnsd)
{
	json_t *names = json_object();
	for (unsigned i = DNSD_ANSWERED; dnsd && i < DNSD_OUTCOMES; i++) {
		uint64_t n = dnsd_count(dnsd, (enum dnsd_outcome)i);
		if (n > 0)
			(void)json_object_set_new(names,
						  dnsd_outcome_name((enum dnsd_outcome)i),
						  json_integer((json_int_t)n));
	}
	if (json_object_size(names) > 0)
		(void)json_object_set(object, "names", names);
	json_decref(names);
}

uint32_t room_host_lease(const struct room_host *host, uint8_t number, uint64_t now,
			 struct weft_mac *ret_mac)
{
	return dhcpd_lease(host->dhcpd, number, now, ret_mac);
}

int room_host_restore(struct room_host *host, uint8_t number, struct weft_mac mac,
		      uint64_t until)
{
	return dhcpd_restore(host->dhcpd, number, mac, until);
}

json_t *room_host_json(const struct room_host *host)
{
	char text[WEFT_IP_TEXT];
	json_t *object = json_object();
	for (unsigned i = DHCPD_OFFERED; i < DHCPD_OUTCOMES; i++) {
		uint64_t n = dhcpd_count(host->dhcpd, (enum dhcpd_outcome)i);
		if (n > 0)
			(void)json_object_set_new(
				object, dhcpd_outcome_name((enum dhcpd_outcome)i),
				json_integer((json_int_t)n));
	}
	add_names(object, host->dnsd);
	if (host->room->gateway && host->defer.server != 0)
		(void)json_object_set_new(
			object, "lan_server",
			json_string(room_host_print_server(host, text)));
	return object;
}
