/* SPDX-License-Identifier: MIT */
/*
 * The rooms of a relay, by their names: opened by who asks for one first, or by the relay's own
 * user (lan/relay_local.c), and closed once nobody is in them or missed. And what becomes of a
 * frame that somebody in a room has sent.
 */
#include "base/table.h"
#include "lan/relay.h"
#include "lan/room_host.h"

#include <weft/log.h>

#include <errno.h>
#include <string.h>

struct room_key {
	char name[WEFT_ROOM_NAME_MAX + 1]; /* Filled up with zeros. */
};

static struct room_key room_key_of(const char *name)
{
	struct room_key key = { .name = "" };
	memcpy(key.name, name, strlen(name));
	return key;
}

int relay_init_rooms(struct weft_relay *relay)
{
	return table_new(sizeof(struct room_key), relay->rooms_max, relay->hash_secret,
			 &relay->rooms);
}

struct room *relay_find_room(const struct weft_relay *relay, const char *name)
{
	const struct room_key key = room_key_of(name);
	return table_get(relay->rooms, &key);
}

static bool room_id_is_used(const struct weft_relay *relay, uint16_t id)
{
	struct table_iter it;
	const void *key;
	void *value;
	table_iter_init(&it, relay->rooms);
	while (table_iter_next(&it, &key, &value))
		if (((const struct room *)value)->id == id)
			return true;
	return false;
}

static uint16_t next_room_id(struct weft_relay *relay)
{
	do {
		relay->last_room_id = relay->last_room_id < LAN_ID_MAX
					      ? (uint16_t)(relay->last_room_id + 1)
					      : (uint16_t)LAN_ID_MIN;
	} while (room_id_is_used(relay, relay->last_room_id));
	return relay->last_room_id;
}

int relay_open_room(struct weft_relay *relay, const struct room_opts *opts,
		    struct room **ret_room)
{
	const struct room_key key = room_key_of(opts->name);
	struct room_opts whole = *opts;
	struct room *room;
	if (table_count(relay->rooms) >= relay->rooms_max && !relay_evict(relay))
		return -ENOSPC;
	whole.id = next_room_id(relay);
	whole.clients_max = relay->clients_max;
	whole.no_dhcp = relay->no_dhcp;
	whole.network = relay->network;
	whole.is_taken = relay->network_is_taken;
	whole.user = relay->user;
	whole.rules = relay_rules_of_room(relay, opts->name);
	memcpy(whole.secret, relay->hash_secret, sizeof(whole.secret));
	int r = room_new(&whole, &room);
	if (r < 0)
		return r;
	room->timer.deadline = relay->now + ROOM_PAUSE_NS;
	r = heap_insert(&relay->rooms_due, &room->timer);
	if (r == 0)
		r = table_set(relay->rooms, &key, room);
	if (r < 0) {
		heap_remove(&relay->rooms_due, &room->timer);
		room_free(room);
		return r;
	}
	weft_log_info(relay->log, "room %s: opened, MTU %u", room->name, room->mtu);
	*ret_room = room;
	return 0;
}

/* Who hands out addresses while there is a gateway. */
static void tell_of_dhcp(const struct weft_relay *relay, const struct room *room)
{
	char text[WEFT_IP_TEXT];
	switch (room_host_news(room->host)) {
	case ROOM_HOST_NO_NEWS:
		break;
	case ROOM_HOST_IS_SILENT:
		weft_log_info(relay->log,
			      "room %s: the gateway's LAN has a DHCP server, %s; the "
			      "room's own keeps quiet",
			      room->name, room_host_print_server(room->host, text));
		break;
	case ROOM_HOST_ANSWERS:
		weft_log_info(
			relay->log,
			"room %s: no DHCP server of the gateway's LAN has answered; "
			"the room's own does",
			room->name);
		break;
	}
}

void relay_touch_room(struct weft_relay *relay, struct room *room, uint64_t now)
{
	const uint64_t due = room_deadline(room, now);
	if (room->host)
		tell_of_dhcp(relay, room);
	if (due < room->timer.deadline)
		heap_change(&relay->rooms_due, &room->timer, due);
}

void relay_close_room(struct weft_relay *relay, struct room *room)
{
	if (room->stays || !room_is_empty(room) || room->kept_n > 0)
		return;
	const struct room_key key = room_key_of(room->name);
	weft_log_info(relay->log, "room %s: closed, nobody is in it", room->name);
	relay_count_bridge(&relay->gone, room->bridge);
	(void)table_remove(relay->rooms, &key);
	heap_remove(&relay->rooms_due, &room->timer);
	room_free(room);
}

void relay_free_rooms(struct weft_relay *relay)
{
	struct table_iter it;
	const void *key;
	void *room;
	if (!relay->rooms)
		return;
	table_iter_init(&it, relay->rooms);
	heap_fini(&relay->rooms_due); /* its nodes are the rooms' */
	while (table_iter_next(&it, &key, &room))
		room_free(room);
	table_free(relay->rooms);
}

/* ---- frames of members ------------------------------------------------------------------- */

/* Somebody has this address already: a person has to find out which two machines. */
static void tell_conflict(const struct weft_relay *relay, struct room_member *member,
			  uint64_t now)
{
	if (now < member->conflict_told_ns)
		return;
	member->conflict_told_ns = now + ROOM_CONFLICT_NS;
	weft_log_warning(relay->log,
			 "room %s: %s %u %s uses an address that is another's; what it "
			 "says of that is dropped",
			 member->room->name, role_name(member->peer.role),
			 member->peer.id, member->peer.name);
}

enum session_outcome relay_judge(const struct weft_relay *relay,
				 struct room_member *member,
				 const struct weft_frame *frame, uint64_t now)
{
	const enum filter_outcome outcome = room_filter(member, frame, now);
	if (outcome == FILTER_DROP_ADDRESS)
		tell_conflict(relay, member, now);
	if (outcome != FILTER_PASS)
		return SESSION_DROP_FILTERED;
	if (member == member->room->gateway && member->room->host)
		room_host_overhear(member->room->host, frame);
	return room_answer(member, frame, now) ? SESSION_TAKEN : SESSION_RECEIVED;
}
