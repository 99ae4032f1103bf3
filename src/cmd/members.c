/* SPDX-License-Identifier: MIT */
/*
 * weft members [ROOM]: who is in the rooms of a relay or host that runs on this machine, one
 * line each, in the order in which they came.
 */
#include "cli/options.h"
#include "cli/output.h"
#include "cli/remote.h"
#include "cli/units.h"
#include "cmd/cmd.h"
#include "cmd/rules_text.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* Under the names of members. */
#define RULES_INDENT "                  "

static const struct command command = {
	.verb = "members",
	.operands = "[ROOM]",
	.operands_max = 1,
	.summary =
		"Says who is in the rooms of the relay or host that runs here, and how well they\n"
		"are reached.",
	.options = output_options,
	.notes =
		"RTT is a packet's way to the member and back, JITTER how much that varies, LOSS\n"
		"what was lost of late on the way to it, FROM where it comes from. Under it is\n"
		"what rules hold for it alone: `weft filter`. Who runs the relay may throw\n"
		"somebody out: `weft kick`; its --list says who is kept out. With --json:\n"
		"\"member\" for each, with all that the relay knows of it.",
};

struct listing {
	struct output *out;
	const char *room; /* NULL for all */
	unsigned rooms_n, members_n;
};

static const char *text_or_dash(const json_t *object, const char *key)
{
	const char *text = remote_text(object, key);
	return text[0] ? text : "-";
}

static void print_head(const struct listing *listing)
{
	if (listing->members_n == 0)
		(void)printf("%-12s %5s %-16s %-15s %-17s %8s %8s %7s %5s %s\n", "ROOM",
			     "ID", "NAME", "ADDRESS", "MAC", "RTT", "JITTER", "LOSS",
			     "MTU", "FROM");
}

/* A member on the relay's own link has no way that could be measured. */
static void print_member(const char *room, const json_t *member)
{
	const json_t *path = json_object_get(member, "path");
	char rtt[UNITS_TEXT] = "-", jitter[UNITS_TEXT] = "-", loss[UNITS_TEXT] = "-";
	char mtu[sizeof("65535")] = "-";
	char address[WEFT_IP_TEXT];
	const bool is_gateway = strcmp(text_or_dash(member, "role"), "gateway") == 0;
	(void)snprintf(address, sizeof(address), "%s",
		       text_or_dash(member, "offered_address"));
	address[strcspn(address, "/")] = '\0';
	if (path) {
		units_print_duration(remote_number(path, "rtt_us") * NS_PER_US, rtt);
		units_print_duration(remote_number(path, "jitter_us") * NS_PER_US,
				     jitter);
		units_print_share((uint32_t)remote_number(path, "loss_ppm"), loss);
		(void)snprintf(mtu, sizeof(mtu), "%u",
			       (unsigned)(uint16_t)remote_number(path, "path_mtu"));
	}
	(void)printf("%-12s %5llu %-16s %-15s %-17s %8s %8s %7s %5s %s\n", room,
		     (unsigned long long)remote_number(member, "id"),
		     text_or_dash(member, "name"), is_gateway ? "gateway" : address,
		     text_or_dash(member, "mac"), rtt, jitter, loss, mtu,
		     path ? text_or_dash(path, "address") : "here");
	rules_text_print(json_object_get(member, "rules"), RULES_INDENT);
}

static void list_room(struct listing *listing, const json_t *room)
{
	const char *name = text_or_dash(room, "name");
	json_t *member;
	size_t i;
	listing->rooms_n++;
	json_array_foreach(json_object_get(room, "members"), i, member)
	{
		if (listing->out->json) {
			json_t *event = json_pack("{s:s}", "room", name);
			(void)json_object_update(event, member);
			output_event(listing->out, "member", event);
		} else {
			print_head(listing);
			print_member(name, member);
		}
		listing->members_n++;
	}
}

/* What does not answer as a relay does is something else of weft. */
static void list_place(struct listing *listing, const struct remote_place *place)
{
	struct weft_error err;
	json_t *answer;
	const json_t *room;
	size_t i;
	if (remote_ask_status(place, &err, &answer) < 0)
		return;
	const json_t *rooms = json_object_get(json_object_get(answer, "facts"), "rooms");
	json_array_foreach(rooms, i, room)
	{
		if (!listing->room ||
		    strcmp(listing->room, text_or_dash(room, "name")) == 0)
			list_room(listing, room);
	}
	json_decref(answer);
}

static int list(struct listing *listing, struct weft_error *err)
{
	struct remote_place places[REMOTE_PLACES_MAX];
	int n = remote_find_here(NULL, places, err);
	for (int i = 0; i < n; i++)
		list_place(listing, &places[i]);
	if (n < 0)
		return n;
	if (listing->rooms_n == 0)
		return weft_error_set(err, -ENOENT,
				      "no relay that runs here and that you may speak "
				      "to has %s%s",
				      listing->room ? "a room " : "a room",
				      listing->room ? listing->room : "");
	if (listing->members_n == 0 && !listing->out->json)
		(void)puts("nobody is there");
	return 0;
}

int cmd_members(int argc, char **argv)
{
	struct output_args args = { .output = { .json = false } };
	struct weft_error err;
	struct output out;
	int status;
	const int operands = options_parse(&command, argc, argv, &args, &status);
	if (operands < 0)
		return status;
	output_init(&out, &args.output);
	struct listing listing = { .out = &out, .room = operands > 0 ? argv[1] : NULL };
	int r = list(&listing, &err);
	output_end(&out);
	return r < 0 ? output_fail(command.verb, err.text) : STATUS_OK;
}
