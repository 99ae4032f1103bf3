/* SPDX-License-Identifier: MIT */
/*
 * The rooms of a relay, by their names: opened by who asks for one first, or by the relay's own
 * user (weft_relay_open_room), and closed once nobody is in them or missed.
 */
#include "base/table.h"
#include "lan/relay.h"
#include "lan/visitor.h"

#include <weft/log.h>

#include <assert.h>
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
	whole.filter = relay->filter;
	whole.off = relay->rooms_off;
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

void relay_touch_room(struct weft_relay *relay, struct room *room, uint64_t now)
{
	const uint64_t due = room_deadline(room, now);
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

/* ---- the relay's own room ---------------------------------------------------------------- */

/* A room of that name that only waits for members with another key waits no longer. */
static struct room *find_own_room(struct weft_relay *relay, const char *name,
				  const uint8_t key[PROOF_KEY_LEN])
{
	struct room *room = relay_find_room(relay, name);
	if (!room || room->stays || !room_is_empty(room) ||
	    memcmp(room->key, key, sizeof(room->key)) == 0)
		return room;
	keep_clear(room);
	relay_close_room(relay, room);
	return NULL;
}

/* The room of that name and key, opened if it is not there. */
static int get_room(struct weft_relay *relay, const char *name,
		    const uint8_t key[PROOF_KEY_LEN], struct weft_error *err,
		    struct room **ret_room)
{
	struct room *room = find_own_room(relay, name, key);
	struct room_opts opts = { .name = name,
				  .mtu = relay->mtu ? relay->mtu : RELAY_AUTO_MTU };
	memcpy(opts.key, key, sizeof(opts.key));
	if (!room) {
		int r = relay_open_room(relay, &opts, &room);
		if (r < 0)
			return weft_error_set(err, r, "room %s could not be opened: %s",
					      name, strerror(-r));
	}
	if (memcmp(room->key, key, sizeof(room->key)) != 0)
		return weft_error_set(err, -EEXIST, "room %s is open with another key",
				      name);
	*ret_room = room;
	return 0;
}

static int join_locally(struct weft_relay *relay, struct room *room,
			struct weft_link *link, struct weft_mac mac,
			struct weft_error *err)
{
	struct hello hello = { .mac = mac, .budget = UINT16_MAX };
	struct reject reject;
	struct room_member *member;
	memcpy(hello.key, room->key, sizeof(hello.key));
	if (room_refuses(room, &hello, &reject))
		return weft_error_set(err, -EEXIST, "%s", reject.text);
	const struct weft_peer peer = { .mac = mac, .name = "host" };
	int r = room_add(room, &peer, NULL, &member);
	if (r < 0)
		return weft_error_set(err, r, "out of memory");
	r = room_attach(member, link);
	if (r < 0) {
		room_remove(member);
		return weft_error_set(err, r, "%s cannot be put into room %s: %s",
				      weft_link_name(link), room->name, strerror(-r));
	}
	visitor_announce_joined(member, relay->now);
	relay_touch_room(relay, room, relay->now);
	return 0;
}

int weft_relay_open_room(struct weft_relay *relay, const char *room_name,
			 const uint8_t secret[WEFT_ROOM_SECRET_LEN],
			 struct weft_link *link, struct weft_mac mac,
			 struct weft_error *err)
{
	uint8_t key[PROOF_KEY_LEN];
	struct room *room = NULL;
	if (!weft_room_name_is_valid(room_name))
		return weft_error_set(
			err, -EINVAL,
			"\"%.40s\" is no room: 1 to %u letters, digits, \"-\", "
			"\"_\" and \".\" are",
			room_name, WEFT_ROOM_NAME_MAX);
	proof_key(secret, key);
	int r = get_room(relay, room_name, key, err, &room);
	if (r < 0)
		return r;
	assert(room);
	if (link)
		r = join_locally(relay, room, link, mac, err);
	if (r < 0) {
		relay_close_room(relay, room);
		return r;
	}
	room->stays = true;
	return (int)room->mtu;
}

struct weft_ip weft_relay_room_address(const struct weft_relay *relay,
				       const char *room_name)
{
	const struct room *room = weft_room_name_is_valid(room_name)
					  ? relay_find_room(relay, room_name)
					  : NULL;
	struct weft_ip address = room ? room->network : (struct weft_ip){ .family = 0 };
	if (room)
		address.octet[3] = ROOM_HOST_OF_RELAY;
	return address;
}
