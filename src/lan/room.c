/* SPDX-License-Identifier: MIT */
/*
 * Addresses. A room without a LAN has nobody who hands out addresses, so the relay offers
 * some: a /24 that hangs on the room's name and key, which makes it the same each time the
 * room is opened and another one for most other rooms. The relay's own link is host 1, and
 * clients get the lowest number that is free, stations behind them the highest, by DHCP. A
 * gateway's addresses come from its LAN.
 *
 * Ids. The next one is always the first unused one behind the last, so that an id comes back
 * only after all others have been used: what is still under way to a member that left does
 * not reach its successor.
 */
#include "lan/room.h"

#include "base/mac.h"
#include "base/net.h"
#include "lan/room_host.h"
#include "wire/cursor.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST_FIRST 2u
#define HOST_LAST  253u

/* Networks that are tried for one that is not taken. */
#define NETWORK_TRIES 32u

unsigned room_mtu_of_budget(size_t budget)
{
	if (budget < LAN_MTU_MIN + ROOM_OVERHEAD)
		return LAN_MTU_MIN;
	return budget - ROOM_OVERHEAD < LAN_MTU_MAX ? (unsigned)(budget - ROOM_OVERHEAD)
						    : LAN_MTU_MAX;
}

unsigned room_budget_of_mtu(unsigned mtu)
{
	return (mtu + ETHER_LEN + ETHER_TAG_LEN + 1) / 2 + OVERLAY_LEN;
}

/* 100.64.0.0/10 has 14 bits for the /24s in it. The first try hangs on name and key alone. */
static struct weft_ip network_by_name(const struct room_opts *opts, uint8_t attempt)
{
	uint8_t digest[crypto_generichash_BYTES_MIN];
	crypto_generichash_state hash;
	(void)crypto_generichash_init(&hash, opts->key, sizeof(opts->key),
				      sizeof(digest));
	(void)crypto_generichash_update(&hash, (const uint8_t *)opts->name,
					strlen(opts->name));
	if (attempt > 0)
		(void)crypto_generichash_update(&hash, &attempt, 1);
	(void)crypto_generichash_final(&hash, digest, sizeof(digest));
	return (struct weft_ip){ .family = AF_INET,
				 .prefix = 24,
				 .octet = { 100, (uint8_t)(64 | (digest[0] & 63)),
					    digest[1] } };
}

/* Where all of them are taken the first will do: somebody has to tell people anyway. */
static struct weft_ip network_of(const struct room_opts *opts)
{
	const struct weft_ip first = network_by_name(opts, 0);
	if (opts->network.family)
		return net_of(&opts->network);
	for (uint8_t i = 0; i < NETWORK_TRIES && opts->is_taken; i++) {
		const struct weft_ip network = network_by_name(opts, i);
		if (!opts->is_taken(opts->user, &network))
			return network;
	}
	return first;
}

/* Beside a gateway nobody does, but for a host whose server is the only one. */
static bool gives_addresses(const struct room *room)
{
	return !room->gateway || (room->host && room_host_is_server(room->host));
}

/* For the filter: an address of the room's network may be a member's offer, or leased by DHCP. */
static enum filter_gift gift_of(void *user, const struct filter_member *claimant,
				uint32_t address, uint64_t now)
{
	const struct room *room = user;
	const struct room_member *member =
		container_of_const(claimant, struct room_member, filter);
	const uint8_t host = (uint8_t)address;
	if ((address ^ host) != load_be32(room->network.octet) || !gives_addresses(room))
		return FILTER_GIFT_NOBODYS;
	if (room->hosts[host])
		return room->hosts[host] == member ? FILTER_GIFT_OWN
						   : FILTER_GIFT_ANOTHERS;
	return room->host ? room_host_gift(room->host, member, host, now)
			  : FILTER_GIFT_NOBODYS;
}

int room_new(const struct room_opts *opts, struct room **ret_room)
{
	const struct weft_ip network = network_of(opts);
	const struct weft_bridge_opts bridge_opts = {
		.fdb_max = ROOM_LAN_MAX,
		.ports_max = opts->clients_max + 2,
		.secret = opts->secret,
		.snooping = true,
		.asker_mac = room_host_mac_of(opts->name, opts->key),
		.asker_ip4 = room_host_address_of(&network),
	};
	struct rules rules = rules_defaults();
	rules_lay(&rules, &opts->rules);
	const struct filter_opts filter = rules_filter(&rules);
	struct room *room = calloc(1, sizeof(*room));
	if (!room)
		return -ENOMEM;
	if (weft_bridge_new(&bridge_opts, &room->bridge) < 0) {
		free(room);
		return -ENOMEM;
	}
	list_init(&room->members);
	list_init(&room->kept);
	(void)snprintf(room->name, sizeof(room->name), "%s", opts->name);
	memcpy(room->key, opts->key, sizeof(room->key));
	room->clients_max = opts->clients_max;
	room->network = network;
	room->mtu = opts->mtu;
	room->id = opts->id;
	room_rule(room, &rules);
	int r = filter_new(&filter, opts->secret, &room->filter);
	if (r == 0)
		filter_set_gifts(room->filter, gift_of, room);
	if (r == 0 && !opts->no_dhcp)
		r = room_host_new(room, &room->host);
	if (r < 0) {
		room_free(room);
		return r;
	}
	*ret_room = room;
	return 0;
}

void room_free(struct room *room)
{
	if (!room)
		return;
	list_for_each (node, &room->members)
		room_remove(container_of(node, struct room_member, of_room));
	keep_clear(room);
	room_host_free(room->host);
	filter_free(room->filter);
	weft_bridge_free(room->bridge);
	free(room);
}

void room_rule(struct room *room, const struct rules *rules)
{
	const struct bridge_help help = rules_help(rules);
	room->rules = *rules;
	bridge_set_help(room->bridge, &help);
}

void room_rule_member(struct room_member *member, const struct rules *rules)
{
	const struct filter_opts filter = rules_filter(rules);
	filter_change(&member->filter, &filter);
	member->claims_max = (uint8_t)rules->values[RULE_MACS].number;
}

/* ---- who may come in --------------------------------------------------------------------- */

static uint8_t find_claim(const struct room_member *member, struct weft_mac mac)
{
	uint8_t i = 0;
	while (i < member->claims_n && !mac_equal(member->claims[i], mac))
		i++;
	return i;
}

static bool has_mac(const struct room *room, struct weft_mac mac)
{
	list_for_each (node, &room->members) {
		const struct room_member *member =
			container_of(node, struct room_member, of_room);
		if (mac_equal(member->peer.mac, mac) ||
		    find_claim(member, mac) < member->claims_n)
			return true;
	}
	return room->host && mac_equal(room_host_mac(room->host), mac);
}

static bool refuses_gateway(const struct room *room, struct reject *reject)
{
	if (!room->gateway)
		return false;
	reject->code = REJECT_GATEWAY_TAKEN;
	message_print(reject->text, "room %s has a gateway already", room->name);
	return true;
}

static bool refuses_client(const struct room *room, const struct hello *hello,
			   struct reject *reject)
{
	const struct weft_mac mac = hello->mac;
	char text[WEFT_MAC_TEXT];
	if (room_is_of_lan(room, mac)) {
		reject->code = REJECT_MAC_TAKEN;
		message_print(reject->text,
			      "a machine of the LAN in room %s has the MAC %s; a "
			      "copy of it needs a --mac of its own",
			      room->name, weft_mac_print(mac, text));
		return true;
	}
	if (has_mac(room, mac) || keep_is_for_another(room, hello)) {
		reject->code = REJECT_MAC_TAKEN;
		message_print(
			reject->text,
			"a member with the MAC %s is in room %s already; if that was "
			"you before a crash, the relay forgets it by itself soon; a "
			"copy of another machine needs a --mac of its own",
			weft_mac_print(mac, text), room->name);
		return true;
	}
	if (room->clients_n >= room->clients_max) {
		reject->code = REJECT_ROOM_FULL;
		message_print(reject->text, "room %s is full: it takes %u at a time",
			      room->name, room->clients_max);
		return true;
	}
	return false;
}

static bool refuses_path(const struct room *room, size_t budget, struct reject *reject)
{
	if (budget >= room_budget_of_mtu(room->mtu))
		return false;
	reject->code = REJECT_PATH_TOO_SMALL;
	message_print(reject->text,
		      "room %s with its MTU of %u needs datagrams of %u bytes, and this "
		      "path carries no more than %zu",
		      room->name, room->mtu, room_budget_of_mtu(room->mtu), budget);
	return true;
}

bool room_refuses(const struct room *room, const struct hello *hello,
		  struct reject *ret_reject)
{
	ret_reject->retry = true;
	if (sodium_memcmp(hello->key, room->key, sizeof(room->key)) != 0) {
		ret_reject->code = REJECT_WRONG_KEY;
		message_print(ret_reject->text,
			      "room %s is open with another key: the invitation is for "
			      "another room of that name, or an old one",
			      room->name);
		return true;
	}
	return (hello->role == WEFT_ROLE_GATEWAY
			? refuses_gateway(room, ret_reject)
			: refuses_client(room, hello, ret_reject)) ||
	       refuses_path(room, hello->budget, ret_reject);
}

/* ---- coming and going -------------------------------------------------------------------- */

static bool has_id(const struct room *room, uint16_t id)
{
	list_for_each (node, &room->members)
		if (container_of(node, struct room_member, of_room)->peer.id == id)
			return true;
	return keep_has_id(room, id);
}

/* There are far more ids than members. */
static uint16_t next_id(struct room *room)
{
	do {
		room->last_id = room->last_id < LAN_ID_MAX ? (uint16_t)(room->last_id + 1)
							   : (uint16_t)LAN_ID_MIN;
	} while (has_id(room, room->last_id));
	return room->last_id;
}

/* Of two links of the relay's own the first has their number. */
static void set_host(struct room_member *member, uint8_t host)
{
	struct room_member **hosts = member->room->hosts;
	if (hosts[member->host] == member)
		hosts[member->host] = NULL;
	member->host = host;
	if (host != 0 && !hosts[host])
		hosts[host] = member;
}

bool room_has_host(const struct room *room, uint8_t host)
{
	return room->hosts[host] || keep_has_host(room, host);
}

static bool has_leased(const struct room *room, uint8_t host)
{
	return room->host && room_host_has_leased(room->host, host);
}

/* Without those that are leased, as long as there are others. */
static uint8_t next_host(const struct room *room)
{
	uint8_t leased = 0;
	for (uint8_t host = HOST_FIRST; host <= HOST_LAST; host++) {
		if (room_has_host(room, host))
			continue;
		if (!has_leased(room, host))
			return host;
		leased = leased ? leased : host;
	}
	return leased;
}

void room_prefer(struct room_member *member, const struct weft_ip *address)
{
	const struct room *room = member->room;
	const struct weft_ip network = net_of(address);
	const uint8_t host = address->octet[3];
	if (member != room->gateway &&
	    memcmp(&network, &room->network, sizeof(network)) == 0 &&
	    host >= HOST_FIRST && host <= HOST_LAST && !room_has_host(room, host) &&
	    !has_leased(room, host))
		set_host(member, host);
}

/* Its own of before, or a new one. */
static void take_place(struct room_member *member)
{
	struct room *room = member->room;
	struct kept *place = keep_find(room, member->peer.mac);
	if (place) {
		member->peer.id = place->id;
		set_host(member, place->host);
		keep_drop(room, place);
		return;
	}
	member->peer.id = next_id(room);
	set_host(member, member->user ? next_host(room) : ROOM_HOST_OF_RELAY);
}

int room_add(struct room *room, const struct weft_peer *peer, void *user,
	     struct room_member **ret_member)
{
	struct room_member *member = calloc(1, sizeof(*member));
	if (!member)
		return -ENOMEM;
	member->room = room;
	member->user = user;
	member->claims_max = (uint8_t)room->rules.values[RULE_MACS].number;
	member->peer = *peer;
	if (peer->role == WEFT_ROLE_GATEWAY) {
		member->peer.id = next_id(room);
		room->gateway = member;
		if (room->host)
			room_host_defer(room->host);
	} else {
		room->clients_n++;
		take_place(member);
	}
	filter_join(room->filter, &member->filter, peer->role == WEFT_ROLE_GATEWAY);
	list_push_back(&room->members, &member->of_room);
	*ret_member = member;
	return 0;
}

int room_attach(struct room_member *member, struct weft_link *link)
{
	static const struct weft_bridge_port_opts client = { .no_learning = true,
							     .no_flood = true,
							     .locked = true };
	static const struct weft_bridge_port_opts gateway = { .fdb_max = ROOM_LAN_MAX,
							      .router = true };
	struct weft_bridge *bridge = member->room->bridge;
	bool is_gateway = member->peer.role == WEFT_ROLE_GATEWAY;
	struct weft_bridge_port *port;
	int r = weft_bridge_add(bridge, link, is_gateway ? &gateway : &client, &port);
	if (r < 0)
		return r;
	if (!is_gateway)
		r = weft_bridge_bind(bridge, member->peer.mac, port);
	if (r < 0) {
		weft_bridge_remove(bridge, port);
		return r;
	}
	member->port = port;
	return 0;
}

void room_remove(struct room_member *member)
{
	struct room *room = member->room;
	if (member->port)
		weft_bridge_remove(room->bridge, member->port);
	if (room->gateway == member)
		room->gateway = NULL;
	else
		room->clients_n--;
	room->claims_n -= member->claims_n;
	set_host(member, 0);
	filter_leave(room->filter, &member->filter);
	list_remove(&member->of_room);
	free(member);
}

/* ---- stations behind a client ------------------------------------------------------------ */

bool room_is_of_lan(const struct room *room, struct weft_mac mac)
{
	const struct weft_bridge_port *port = weft_bridge_lookup(room->bridge, mac);
	return port && room->gateway && port == room->gateway->port;
}

int room_claim(struct room_member *member, struct weft_mac mac)
{
	struct room *room = member->room;
	if (member->peer.role == WEFT_ROLE_GATEWAY || !member->port)
		return -EINVAL;
	if (find_claim(member, mac) < member->claims_n ||
	    mac_equal(member->peer.mac, mac))
		return 0;
	if (has_mac(room, mac) || room_is_of_lan(room, mac))
		return -EEXIST;
	if (member->claims_n >= member->claims_max || room->claims_n == ROOM_CLAIMS_MAX)
		return -ENOSPC;
	int r = weft_bridge_bind(room->bridge, mac, member->port);
	if (r < 0)
		return r;
	member->claims[member->claims_n++] = mac;
	room->claims_n++;
	return 0;
}

bool room_release(struct room_member *member, struct weft_mac mac)
{
	uint8_t i = find_claim(member, mac);
	if (i == member->claims_n)
		return false;
	weft_bridge_unbind(member->room->bridge, mac);
	member->claims[i] = member->claims[--member->claims_n];
	member->room->claims_n--;
	return true;
}

void room_run(struct room *room, uint64_t now)
{
	struct weft_task *task = weft_bridge_task(room->bridge);
	task->run(task, now);
}

uint64_t room_deadline(const struct room *room, uint64_t now)
{
	const struct weft_task *task = weft_bridge_task(room->bridge);
	const uint64_t due = task->deadline(task);
	return due < now + ROOM_PAUSE_NS ? due : now + ROOM_PAUSE_NS;
}

enum filter_outcome room_filter(struct room_member *member,
				const struct weft_frame *frame, uint64_t now)
{
	const struct room *room = member->room;
	const struct weft_mac dst = mac_load(frame->data);
	const bool is_known =
		member == room->gateway || weft_bridge_lookup(room->bridge, dst) != NULL;
	return filter_decide(room->filter, &member->filter, frame, is_known, now);
}

/* Whether the station is behind the member that is thought to have it. */
static bool is_there(const struct room_member *member, struct weft_mac mac)
{
	return member->port &&
	       weft_bridge_lookup(member->room->bridge, mac) == member->port;
}

bool room_answer(struct room_member *member, const struct weft_frame *frame, uint64_t now)
{
	struct room *room = member->room;
	struct suppress_question question;
	struct filter_binding binding;
	uint8_t buf[SUPPRESS_FRAME_MAX];
	struct weft_frame out = { .data = buf };
	if (room->rules.values[RULE_NEIGHBOUR].number == 0 ||
	    !suppress_parse(frame, &question) || !is_there(member, question.asker_mac) ||
	    !filter_find(room->filter, &question.target, now, &binding))
		return false;
	const struct room_member *target =
		container_of(binding.member, struct room_member, filter);
	const enum suppress_action action =
		is_there(target, binding.mac)
			? suppress_decide(&question, &member->filter, &binding)
			: SUPPRESS_PASS;
	room->suppressed[action]++;
	if (action == SUPPRESS_ANSWER) {
		out.len = (uint32_t)suppress_answer(&question, &binding, buf);
		weft_link_send(weft_bridge_port_link(member->port), &out, 1, now);
	} else if (action == SUPPRESS_DIRECT) {
		filter_note_directed(room->filter, &question.target, now);
		out.len = (uint32_t)suppress_direct(frame, &binding, buf);
		weft_link_send(weft_bridge_port_link(target->port), &out, 1, now);
	}
	return action != SUPPRESS_PASS;
}

struct weft_ip room_address(const struct room_member *member)
{
	struct weft_ip address = member->room->network;
	if (member->host == 0)
		return (struct weft_ip){ .family = 0 };
	address.octet[3] = member->host;
	return address;
}
