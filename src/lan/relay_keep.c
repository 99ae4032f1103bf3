/* SPDX-License-Identifier: MIT */
/*
 * What outlives a connection, and a relay: places (lan/keep.h) and the rooms that stand for them.
 *
 * Saved is one JSON object. Times are left as they are at the moment, in seconds, because
 * clocks start anew; a place has the whole grace again, for whom a restart has thrown out.
 *
 *     {"rules": ["friday:bytes=1000/2000"],
 *      "rooms": [{"name": "friday", "key": "<hex>", "mtu": 1500, "last_id": 3,
 *                 "places": [{"mac": "02:...", "id": 1, "host": 2, "pass": "<hex>"}],
 *                 "leases": [{"mac": "00:...", "host": 253, "left_s": 3000}]}]}
 *
 * It comes from a file, so what is read is checked as if a stranger had written it.
 */
#include "base/mac.h"
#include "base/table.h"
#include "base/time.h"
#include "lan/relay.h"
#include "lan/room_host.h"
#include "lan/visitor.h"

#include <errno.h>
#include <jansson.h>
#include <sodium.h>
#include <string.h>

/* Of a key in hex, and its NUL. */
#define KEY_TEXT (2 * PROOF_KEY_LEN + 1)

/* Leases are looked at as long as there are host numbers. */
#define LEASE_HOST_MAX 253u
#define LEASE_MAX_S    86400u

/* ---- places ------------------------------------------------------------------------------ */

static struct kept place_of(const struct room_member *member, const struct hello *hello,
			    uint64_t until)
{
	struct kept place = { .mac = member->peer.mac,
			      .id = member->peer.id,
			      .host = member->host,
			      .has_pass = hello->has_pass,
			      .until = until };
	memcpy(place.pass_key, hello->pass.key, sizeof(place.pass_key));
	return place;
}

void relay_keep(struct weft_relay *relay, const struct room_member *member,
		const struct hello *hello, uint64_t now)
{
	const struct kept place = place_of(member, hello, now + relay->grace_ns);
	keep_place(member->room, &place);
	if (place.until < relay->sweep_at)
		relay->sweep_at = place.until;
}

void relay_sweep(struct weft_relay *relay, uint64_t now)
{
	struct table_iter it;
	const void *key;
	void *room;
	relay->sweep_at = WEFT_NEVER;
	table_iter_init(&it, relay->rooms);
	while (table_iter_next(&it, &key, &room)) {
		uint64_t next = keep_expire(room, now);
		if (next < relay->sweep_at)
			relay->sweep_at = next;
		relay_close_room(relay, room);
	}
}

bool relay_evict(struct weft_relay *relay)
{
	struct table_iter it;
	const void *key;
	void *value;
	table_iter_init(&it, relay->rooms);
	while (table_iter_next(&it, &key, &value)) {
		struct room *room = value;
		if (room->stays || !room_is_empty(room))
			continue;
		keep_clear(room);
		relay_close_room(relay, room);
		return true;
	}
	return false;
}

/* ---- saving ------------------------------------------------------------------------------ */

static json_t *save_key(const uint8_t key[PROOF_KEY_LEN])
{
	char text[KEY_TEXT];
	return json_string(sodium_bin2hex(text, sizeof(text), key, PROOF_KEY_LEN));
}

static json_t *save_place(const struct kept *place)
{
	char mac[WEFT_MAC_TEXT];
	return json_pack("{s:s, s:i, s:i, s:o*}", "mac", weft_mac_print(place->mac, mac),
			 "id", place->id, "host", place->host, "pass",
			 place->has_pass ? save_key(place->pass_key) : NULL);
}

static json_t *save_places(const struct room *room)
{
	json_t *places = json_array();
	list_for_each (node, &room->members) {
		const struct room_member *member =
			container_of(node, struct room_member, of_room);
		const struct visitor *visitor = member->user;
		if (!visitor || member == room->gateway)
			continue;
		const struct kept place = place_of(member, &visitor->hello, 0);
		(void)json_array_append_new(places, save_place(&place));
	}
	list_for_each (node, &room->kept)
		(void)json_array_append_new(
			places, save_place(container_of(node, struct kept, node)));
	return places;
}

static json_t *save_leases(const struct room *room, uint64_t now)
{
	json_t *leases = json_array();
	for (unsigned number = 1; room->host && number <= LEASE_HOST_MAX; number++) {
		struct weft_mac mac;
		char text[WEFT_MAC_TEXT];
		uint32_t left_s = room_host_lease(room->host, (uint8_t)number, now, &mac);
		if (left_s > 0)
			(void)json_array_append_new(
				leases, json_pack("{s:s, s:i, s:i}", "mac",
						  weft_mac_print(mac, text), "host",
						  (int)number, "left_s", (int)left_s));
	}
	return leases;
}

/* places: handed over. */
static json_t *save_room(const struct room *room, json_t *places, uint64_t now)
{
	return json_pack("{s:s, s:o, s:i, s:i, s:o, s:o}", "name", room->name, "key",
			 save_key(room->key), "mtu", (int)room->mtu, "last_id",
			 room->last_id, "places", places, "leases",
			 save_leases(room, now));
}

/* NULL where there are none. */
static json_t *save_rules(const struct weft_relay *relay)
{
	json_t *lines = rulebook_save(&relay->rules);
	if (json_array_size(lines) > 0)
		return lines;
	json_decref(lines);
	return NULL;
}

/* A room in which nobody would be missed would be closed as soon as it was restored. */
static json_t *save_rooms(const struct weft_relay *relay, uint64_t now)
{
	json_t *rooms = json_array();
	struct table_iter it;
	const void *key;
	void *room;
	table_iter_init(&it, relay->rooms);
	while (table_iter_next(&it, &key, &room)) {
		json_t *places = save_places(room);
		if (json_array_size(places) > 0)
			(void)json_array_append_new(rooms, save_room(room, places, now));
		else
			json_decref(places);
	}
	return rooms;
}

char *weft_relay_save(const struct weft_relay *relay, uint64_t now)
{
	json_t *object = json_pack("{s:o*, s:o}", "rules", save_rules(relay), "rooms",
				   save_rooms(relay, now));
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	return text;
}

/* ---- restoring --------------------------------------------------------------------------- */

static bool read_key(const json_t *value, uint8_t ret_key[PROOF_KEY_LEN])
{
	const char *text = json_string_value(value);
	size_t len = 0;
	return text &&
	       sodium_hex2bin(ret_key, PROOF_KEY_LEN, text, strlen(text), NULL, &len,
			      NULL) == 0 &&
	       len == PROOF_KEY_LEN;
}

/* A number of an object; false where it is none from min to max. */
static bool read_number(const json_t *object, const char *name, uint32_t min,
			uint32_t max, uint32_t *ret_number)
{
	const json_t *value = json_object_get(object, name);
	const json_int_t number = json_integer_value(value);
	if (!json_is_integer(value) || number < (json_int_t)min ||
	    number > (json_int_t)max)
		return false;
	*ret_number = (uint32_t)number;
	return true;
}

static bool read_mac(const json_t *object, struct weft_mac *ret_mac)
{
	const char *text = json_string_value(json_object_get(object, "mac"));
	return text && weft_mac_parse(text, ret_mac) == 0 && !mac_is_group(*ret_mac) &&
	       !mac_is_zero(*ret_mac);
}

/* Two with one id or address would be two members with one later on. */
static bool restore_place(struct room *room, const json_t *object, uint64_t until)
{
	struct kept place = { .until = until };
	const json_t *pass = json_object_get(object, "pass");
	uint32_t id, host;
	if (!read_mac(object, &place.mac) ||
	    !read_number(object, "id", LAN_ID_MIN, LAN_ID_MAX, &id) ||
	    !read_number(object, "host", 0, LEASE_HOST_MAX, &host) ||
	    keep_has_id(room, (uint16_t)id) ||
	    (host > 0 && keep_has_host(room, (uint8_t)host)) ||
	    (pass && !read_key(pass, place.pass_key)))
		return false;
	place.has_pass = pass != NULL;
	place.id = (uint16_t)id;
	place.host = (uint8_t)host;
	keep_place(room, &place);
	return true;
}

static bool restore_lease(struct room *room, const json_t *object, uint64_t now)
{
	struct weft_mac mac;
	uint32_t host, left_s;
	if (!read_mac(object, &mac) ||
	    !read_number(object, "host", 1, LEASE_HOST_MAX, &host) ||
	    !read_number(object, "left_s", 1, LEASE_MAX_S, &left_s))
		return false;
	return !room->host || room_host_restore(room->host, (uint8_t)host, mac,
						now + left_s * NS_PER_S) == 0;
}

/* The MTU is what it was only where nobody has said another: where paths decide. */
static bool read_room(const struct weft_relay *relay, const json_t *object,
		      struct room_opts *opts, uint32_t *ret_last_id)
{
	uint32_t mtu;
	opts->name = json_string_value(json_object_get(object, "name"));
	if (!opts->name || !weft_room_name_is_valid(opts->name) ||
	    relay_find_room(relay, opts->name) ||
	    !read_key(json_object_get(object, "key"), opts->key) ||
	    !read_number(object, "mtu", LAN_MTU_MIN, LAN_MTU_MAX, &mtu) ||
	    !read_number(object, "last_id", 0, LAN_ID_MAX, ret_last_id))
		return false;
	opts->mtu = relay->mtu ? relay->mtu : mtu;
	return true;
}

/* Returns 1, 0 for a room that nobody is missed in, or -EBADMSG, -ENOSPC, -ENOMEM. */
static int restore_room(struct weft_relay *relay, const json_t *object, uint64_t now)
{
	const uint64_t until = now + relay->grace_ns;
	struct room_opts opts = { .name = NULL };
	struct room *room;
	const json_t *entry;
	uint32_t last_id;
	bool is_good = true;
	size_t i;
	if (!read_room(relay, object, &opts, &last_id))
		return -EBADMSG;
	int r = relay_open_room(relay, &opts, &room);
	if (r < 0)
		return r;
	room->last_id = (uint16_t)last_id;
	json_array_foreach(json_object_get(object, "places"), i, entry)
	{
		is_good &= restore_place(room, entry, until);
	}
	json_array_foreach(json_object_get(object, "leases"), i, entry)
	{
		is_good &= restore_lease(room, entry, now);
	}
	r = room->kept_n > 0 ? 1 : 0;
	if (until < relay->sweep_at)
		relay->sweep_at = until;
	relay_close_room(relay, room);
	return is_good ? r : -EBADMSG;
}

static int restore_rules(struct weft_relay *relay, const json_t *lines)
{
	struct weft_error err;
	const json_t *line;
	size_t i;
	json_array_foreach(lines, i, line)
	{
		const char *text = json_string_value(line);
		int r = text ? weft_relay_rule(relay, text, true, &err) : -EINVAL;
		if (r < 0)
			return r == -ENOMEM ? r : -EBADMSG;
	}
	return 0;
}

int weft_relay_restore(struct weft_relay *relay, const char *text, uint64_t now,
		       struct weft_error *err)
{
	json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	const json_t *rooms = json_object_get(object, "rooms"), *room;
	int restored = 0, r = json_is_array(rooms) ? 0 : -EBADMSG;
	size_t i;
	if (r == 0)
		r = restore_rules(relay, json_object_get(object, "rules"));
	json_array_foreach(rooms, i, room)
	{
		if (r >= 0)
			r = restore_room(relay, room, now);
		if (r >= 0)
			restored += r;
	}
	json_decref(object);
	if (r == -EBADMSG)
		return weft_error_set(err, r,
				      "it is not what a relay has saved of its rooms");
	return r < 0 ? weft_error_set(err, r, "%s", strerror(-r)) : restored;
}
