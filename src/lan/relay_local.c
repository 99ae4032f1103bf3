/* SPDX-License-Identifier: MIT */
/*
 * The relay's own room, and its own link there: how `weft host` takes part without a session.
 *
 *     TAP ---> local: the room's rules ---> bridge
 *     TAP <------------ local <------------ bridge
 *
 * The same rules hold for it as for those who come from afar: a program that floods the room or
 * a DHCP server that was forgotten does as much harm on the host's machine. What a session
 * does for its member, a wrapper around the link does here; super-frames pass it whole.
 */
#include "base/container.h"
#include "lan/relay.h"
#include "lan/visitor.h"
#include "link/link.h"
#include "wire/ether.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- the relay's own link ---------------------------------------------------------------- */

struct local {
	struct weft_link link; /* First: it is the link. In no loop. */
	struct list node;
	struct weft_link *tap; /* The caller's. */
	struct weft_relay *relay;
	struct room_member *member;
};

static size_t local_send(struct weft_link *link, const struct weft_frame *frames,
			 size_t n, uint64_t now)
{
	weft_link_send(container_of(link, struct local, link)->tap, frames, n, now);
	return n;
}

/* What is no frame has no address to be judged by; the bridge counts it. */
static bool passes(struct local *local, const struct weft_frame *frame, uint64_t now)
{
	return frame->len < ETHER_LEN ||
	       relay_judge(local->relay, local->member, frame, now) == SESSION_RECEIVED;
}

/* Frames that pass one behind the other stay together. */
static void from_tap(void *user, struct weft_link *tap, const struct weft_frame *frames,
		     size_t n, uint64_t now)
{
	struct local *local = user;
	size_t first = 0;
	(void)tap;
	for (size_t i = 0; i < n; i++) {
		if (passes(local, &frames[i], now))
			continue;
		if (i > first)
			link_deliver(&local->link, &frames[first], i - first, now);
		first = i + 1;
	}
	if (n > first)
		link_deliver(&local->link, &frames[first], n - first, now);
	relay_touch_room(local->relay, local->member->room, now);
}

static void local_free(struct local *local)
{
	weft_link_on_receive(local->tap, NULL, NULL);
	list_remove(&local->node);
	link_fini(&local->link);
	free(local);
}

static int local_new(struct weft_relay *relay, struct room_member *member,
		     struct weft_link *tap)
{
	static const struct link_ops ops = { .send = local_send };
	struct local *local = calloc(1, sizeof(*local));
	if (!local)
		return -ENOMEM;
	link_init(&local->link, &ops, weft_link_name(tap), -1, weft_link_caps(tap));
	local->tap = tap;
	local->relay = relay;
	local->member = member;
	list_push_back(&relay->locals, &local->node);
	int r = room_attach(member, &local->link);
	if (r < 0)
		local_free(local);
	else
		weft_link_on_receive(tap, from_tap, local);
	return r;
}

void relay_free_locals(struct weft_relay *relay)
{
	list_for_each (node, &relay->locals)
		local_free(container_of(node, struct local, node));
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
	relay_rule_member(relay, member);
	r = local_new(relay, member, link);
	if (r < 0) {
		room_remove(member);
		return weft_error_set(err, r, "%s cannot be put into room %s: %s",
				      weft_link_name(link), room->name, strerror(-r));
	}
	visitor_announce_joined(member, relay->now);
	relay_touch_room(relay, room, relay->now);
	return 0;
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
