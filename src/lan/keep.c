/* SPDX-License-Identifier: MIT */
/*
 * A list in the order in which the places were left: there are as many as clients at most.
 */
#include "lan/keep.h"

#include "base/container.h"
#include "base/mac.h"
#include "lan/room.h"

#include <weft/loop.h>

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static struct kept *kept_of(struct list *node)
{
	return container_of(node, struct kept, node);
}

void keep_drop(struct room *room, struct kept *place)
{
	list_remove(&place->node);
	room->kept_n--;
	free(place);
}

struct kept *keep_find(const struct room *room, struct weft_mac mac)
{
	list_for_each (node, &room->kept)
		if (mac_equal(kept_of(node)->mac, mac))
			return kept_of(node);
	return NULL;
}

void keep_place(struct room *room, const struct kept *place)
{
	struct kept *old = keep_find(room, place->mac);
	struct kept *copy = malloc(sizeof(*copy));
	if (!old && room->kept_n >= room->clients_max)
		old = kept_of(list_first(&room->kept));
	if (old)
		keep_drop(room, old);
	if (!copy)
		return;
	*copy = *place;
	list_push_back(&room->kept, &copy->node);
	room->kept_n++;
}

bool keep_is_for_another(const struct room *room, const struct hello *hello)
{
	const struct kept *place = keep_find(room, hello->mac);
	if (!place)
		return false;
	if (place->has_pass != hello->has_pass)
		return true;
	return place->has_pass && sodium_memcmp(place->pass_key, hello->pass.key,
						sizeof(place->pass_key)) != 0;
}

bool keep_has_id(const struct room *room, uint16_t id)
{
	list_for_each (node, &room->kept)
		if (kept_of(node)->id == id)
			return true;
	return false;
}

bool keep_has_host(const struct room *room, uint8_t host)
{
	list_for_each (node, &room->kept)
		if (kept_of(node)->host == host)
			return true;
	return false;
}

uint64_t keep_expire(struct room *room, uint64_t now)
{
	uint64_t next = WEFT_NEVER;
	list_for_each (node, &room->kept) {
		struct kept *place = kept_of(node);
		if (place->until <= now)
			keep_drop(room, place);
		else if (place->until < next)
			next = place->until;
	}
	return next;
}

void keep_clear(struct room *room)
{
	list_for_each (node, &room->kept)
		keep_drop(room, kept_of(node));
}
