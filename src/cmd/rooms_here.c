/* SPDX-License-Identifier: MIT */
/*
 * All programs are asked for their status: only they know. What does not answer, or has no
 * list of rooms, is something else of weft.
 */
#include "cmd/rooms_here.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

struct look {
	const char *room; /* NULL for any */
	struct room_here found;
	struct remote_place relay;
	unsigned rooms_n, relays_n;
};

static void look_at(const struct remote_place *place, struct look *look)
{
	struct weft_error err;
	json_t *answer;
	const json_t *value;
	size_t i;
	if (remote_ask_status(place, &err, &answer) < 0)
		return;
	const json_t *rooms = json_object_get(json_object_get(answer, "facts"), "rooms");
	if (rooms) {
		look->relay = *place;
		look->relays_n++;
	}
	json_array_foreach(rooms, i, value)
	{
		const char *name = json_string_value(json_object_get(value, "name"));
		if (!name || (look->room && strcmp(look->room, name) != 0))
			continue;
		look->found.place = *place;
		(void)snprintf(look->found.name, sizeof(look->found.name), "%s", name);
		look->rooms_n++;
	}
	json_decref(answer);
}

static int look_at_all(struct look *look, struct weft_error *err)
{
	struct remote_place places[REMOTE_PLACES_MAX];
	int n = remote_find_here(NULL, places, err);
	for (int i = 0; i < n; i++)
		look_at(&places[i], look);
	return n < 0 ? n : 0;
}

int rooms_here_find(const char *room, struct weft_error *err, struct room_here *ret_room)
{
	struct look look = { .room = room };
	int r = look_at_all(&look, err);
	if (r < 0)
		return r;
	if (look.rooms_n == 0)
		return weft_error_set(err, -ENOENT,
				      "no relay that runs here and that you may speak "
				      "to has %s%s",
				      room ? "a room " : "a room", room ? room : "");
	if (look.rooms_n > 1)
		return weft_error_set(err, -EEXIST,
				      "there are several rooms: name one with --room");
	*ret_room = look.found;
	return 0;
}

int rooms_here_find_relay(struct weft_error *err, struct remote_place *ret_place)
{
	struct look look = { .room = NULL };
	int r = look_at_all(&look, err);
	if (r < 0)
		return r;
	if (look.relays_n == 0)
		return weft_error_set(err, -ENOENT,
				      "no relay runs here that you may speak to");
	if (look.relays_n > 1)
		return weft_error_set(err, -EEXIST,
				      "there are several relays here: name a room that "
				      "is open on one of them");
	*ret_place = look.relay;
	return 0;
}
