/* SPDX-License-Identifier: MIT */
/*
 * Throwing members out. What keeps one out is that its pass is known and refused from then on;
 * who has the room's own secret can make itself a new name, so there is no list of those.
 */
#include "base/container.h"
#include "base/table.h"
#include "lan/relay.h"
#include "lan/visitor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Passes that a relay shuts out, of all its rooms. */
#define SHUT_OUT_MAX 65536u

bool relay_has_shut_out(const struct weft_relay *relay, const uint8_t key[PROOF_KEY_LEN])
{
	return relay->shut_out && table_get(relay->shut_out, key);
}

int weft_relay_shut_out(struct weft_relay *relay, const uint8_t key[WEFT_PASS_KEY_LEN])
{
	int r = 0;
	if (!relay->shut_out)
		r = table_new(PROOF_KEY_LEN, SHUT_OUT_MAX, relay->hash_secret,
			      &relay->shut_out);
	if (r == 0)
		r = table_set(relay->shut_out, key, relay);
	return r < 0 ? r : 0;
}

static bool has_id(const struct weft_peer *peer, const char *text)
{
	char id[8];
	(void)snprintf(id, sizeof(id), "%u", peer->id);
	return strcmp(id, text) == 0;
}

/*
 * By its id, before all who call themselves like that. Those on the relay's own links are not
 * asked for: they are its operator's. NULL with err.
 */
static struct visitor *find_visitor(const struct room *room, const char *text,
				    struct weft_error *err)
{
	struct visitor *found = NULL;
	unsigned found_n = 0;
	list_for_each (node, &room->members) {
		const struct room_member *member =
			container_of(node, struct room_member, of_room);
		if (member->user && has_id(&member->peer, text))
			return member->user;
		if (!member->user || strcmp(member->peer.name, text) != 0)
			continue;
		found = member->user;
		found_n++;
	}
	if (found_n == 1)
		return found;
	(void)weft_error_set(
		err, -ENOENT,
		found_n > 1 ? "several in room %s are called %s; name the one by "
			      "its id"
			    : "nobody in room %s is called %s",
		room->name, text);
	return NULL;
}

int weft_relay_revoke(struct weft_relay *relay, const uint8_t key[WEFT_PASS_KEY_LEN])
{
	int n = 0;
	int r = weft_relay_shut_out(relay, key);
	if (r < 0)
		return r;
	list_for_each (node, &relay->visitors) {
		struct visitor *visitor = container_of(node, struct visitor, node);
		const struct hello *hello = &visitor->hello;
		if (!hello->has_pass || memcmp(hello->pass.key, key, PROOF_KEY_LEN) != 0)
			continue;
		n += visitor->state == VISITOR_JOINED;
		visitor_close(visitor, CLOSE_KICKED, "the invitation has been taken back",
			      relay->now);
	}
	return n;
}

int weft_relay_kick(struct weft_relay *relay, const char *room_name, const char *member,
		    struct weft_error *err, uint8_t ret_key[WEFT_PASS_KEY_LEN])
{
	const struct room *room = relay_find_room(relay, room_name);
	int r = 0;
	if (!room)
		return weft_error_set(err, -ENOENT, "there is no room %s now", room_name);
	struct visitor *visitor = find_visitor(room, member, err);
	if (!visitor)
		return -ENOENT;
	const struct hello *hello = &visitor->hello;
	const bool has_pass = hello->has_pass;
	if (has_pass)
		r = weft_relay_shut_out(relay, hello->pass.key);
	if (r < 0)
		return weft_error_set(err, r, "the pass cannot be shut out: %s",
				      strerror(-r));
	if (has_pass && ret_key)
		memcpy(ret_key, hello->pass.key, WEFT_PASS_KEY_LEN);
	visitor_close(visitor, CLOSE_KICKED, "thrown out by the relay's operator",
		      relay->now);
	return has_pass ? 1 : 0;
}
