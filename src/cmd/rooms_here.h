/* SPDX-License-Identifier: MIT */
/*
 * The rooms of the relays and hosts that run on this machine: which of them has the room that
 * a command is about. A command that names no room means the only one there is.
 */
#ifndef CMD_ROOMS_HERE_H
#define CMD_ROOMS_HERE_H

#include "cli/remote.h"

#include <weft/error.h>
#include <weft/lan.h>

struct room_here {
	struct remote_place place; /**< Of the program that has it. */
	char name[WEFT_ROOM_NAME_MAX + 1];
};

/** room may be NULL. Returns 0, -ENOENT or -EEXIST (there are several) with err, or -Exxx. */
int rooms_here_find(const char *room, struct weft_error *err,
		    struct room_here *ret_room) WEFT_MUST_CHECK;

/**
 * The only relay there is, whatever rooms it has: what is said of all rooms, or of one that is
 * not open, is for that one. Returns as rooms_here_find.
 */
int rooms_here_find_relay(struct weft_error *err,
			  struct remote_place *ret_place) WEFT_MUST_CHECK;

#endif
