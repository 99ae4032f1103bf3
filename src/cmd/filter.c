/* SPDX-License-Identifier: MIT */
/*
 * weft filter: the rules of the rooms of a relay or host that runs on this machine, and of their
 * members; shown, and changed while it runs. The relay keeps what it was told here over a
 * restart; what its own command line says goes before then.
 */
#include "cli/options.h"
#include "cli/output.h"
#include "cli/remote.h"
#include "cmd/cmd.h"
#include "cmd/rooms_here.h"
#include "cmd/rules_text.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* A room, a member, and each rule once. */
#define OPERANDS_MAX 24u

/* "ROOM/MEMBER:RULE=VALUE" with a key for the member. */
#define LINE_TEXT 160u

static const struct command command = {
	.verb = "filter",
	.operands = "[ROOM [MEMBER]] [RULE=VALUE]...",
	.operands_max = OPERANDS_MAX,
	.summary =
		"Shows what the rooms of the relay or host that runs here let through, or changes\n"
		"it: for all rooms, for one, or for one of its members.",
	.options = output_options,
	.notes =
		"MEMBER is a name, a MAC, the key of a pass (see `weft members --json`) or, of\n"
		"who is there, the id. The rules and their values are those of --filter of\n"
		"`weft relay`, see docs/filters.md; RULE=default takes back what was said of the\n"
		"same before. They hold at once, and over restarts. With --json: \"filter\" for\n"
		"each room.",
};

/* What the command line says. */
struct wish {
	const char *room, *member; /* NULL for all */
	char **rules;
	int rules_n;
};

/* ---- showing ----------------------------------------------------------------------------- */

static long long id_of(const json_t *member)
{
	return json_integer_value(json_object_get(member, "id"));
}

static bool is_meant(const json_t *member, const char *text)
{
	char id[24];
	(void)snprintf(id, sizeof(id), "%lld", id_of(member));
	return strcmp(remote_text(member, "name"), text) == 0 || strcmp(id, text) == 0 ||
	       strcasecmp(remote_text(member, "mac"), text) == 0 ||
	       strcasecmp(remote_text(member, "pass"), text) == 0;
}

/* All that hold for a member: the room's, and on top those that are others for it. */
static json_t *whole_rules(const json_t *room, const json_t *member)
{
	json_t *rules = json_copy(json_object_get(room, "rules"));
	json_t *own = json_object_get(member, "rules");
	if (own)
		(void)json_object_update(rules, own);
	return rules;
}

static void print_member(const json_t *member, json_t *rules)
{
	(void)printf("  member %lld %s %s\n", id_of(member), remote_text(member, "name"),
		     remote_text(member, "mac"));
	rules_text_print(rules, "   ");
}

/* Who was asked for is shown in full, and of the others what is different for them. */
static json_t *show_member(const struct output *out, const struct wish *wish,
			   const json_t *room, const json_t *member)
{
	json_t *whole = whole_rules(room, member);
	json_t *own = json_object_get(member, "rules");
	if (!out->json && wish->member)
		print_member(member, whole);
	else if (!out->json && own)
		print_member(member, own);
	return json_pack("{s:I, s:s, s:s, s:o}", "id", (json_int_t)id_of(member), "name",
			 remote_text(member, "name"), "mac", remote_text(member, "mac"),
			 "rules", whole);
}

static void show_room(struct output *out, const struct wish *wish, json_t *room)
{
	json_t *rules = json_object_get(room, "rules");
	json_t *members = json_array();
	const json_t *member;
	size_t i;
	if (!out->json)
		(void)printf("room %s\n", remote_text(room, "name"));
	if (!out->json && !wish->member)
		rules_text_print(rules, " ");
	json_array_foreach(json_object_get(room, "members"), i, member)
	{
		if (!wish->member || is_meant(member, wish->member))
			(void)json_array_append_new(members,
						    show_member(out, wish, room, member));
	}
	if (!out->json && wish->member && json_array_size(members) == 0)
		(void)printf("  nobody there is called %s now\n", wish->member);
	output_event(out, "filter",
		     json_pack("{s:s, s:O, s:o}", "room", remote_text(room, "name"),
			       "rules", rules, "members", members));
}

/* Returns how many rooms there are, or -Exxx with err. */
static int show_place(struct output *out, const struct wish *wish,
		      const struct remote_place *place, struct weft_error *err)
{
	json_t *answer, *room;
	int n = 0;
	size_t i;
	int r = remote_ask_status(place, err, &answer);
	if (r < 0)
		return r;
	json_array_foreach(json_object_get(json_object_get(answer, "facts"), "rooms"), i,
			   room)
	{
		if (wish->room && strcmp(wish->room, remote_text(room, "name")) != 0)
			continue;
		show_room(out, wish, room);
		n++;
	}
	json_decref(answer);
	return n;
}

static int show(struct output *out, const struct wish *wish, struct weft_error *err)
{
	struct remote_place places[REMOTE_PLACES_MAX];
	int n = remote_find_here(NULL, places, err);
	int rooms_n = 0;
	for (int i = 0; i < n; i++) {
		struct weft_error ignored; /* it is something else, or about to end */
		int r = show_place(out, wish, &places[i], &ignored);
		rooms_n += r > 0 ? r : 0;
	}
	if (n < 0)
		return n;
	if (rooms_n == 0)
		return weft_error_set(err, -ENOENT,
				      "no relay that runs here and that you may speak "
				      "to has %s%s",
				      wish->room ? "a room " : "a room",
				      wish->room ? wish->room : "");
	return 0;
}

/* ---- changing ---------------------------------------------------------------------------- */

static void print_line(const struct wish *wish, const char *rule, char buf[LINE_TEXT])
{
	(void)snprintf(buf, LINE_TEXT, "%s%s%s%s%s", wish->room ? wish->room : "",
		       wish->member ? "/" : "", wish->member ? wish->member : "",
		       wish->room ? ":" : "", rule);
}

/* Before the first of them is sent: either all of them hold, or none. */
static int check(const struct wish *wish, struct weft_error *err)
{
	char line[LINE_TEXT];
	int r = 0;
	for (int i = 0; i < wish->rules_n && r == 0; i++) {
		print_line(wish, wish->rules[i], line);
		r = weft_rule_check(line, err);
	}
	return r;
}

/* The relay that has the room, or the one that will have it. */
static int find_place(const struct wish *wish, struct weft_error *err,
		      struct remote_place *ret_place)
{
	struct room_here room;
	if (!wish->room || rooms_here_find(wish->room, err, &room) < 0)
		return rooms_here_find_relay(err, ret_place);
	*ret_place = room.place;
	return 0;
}

static int change(struct output *out, const struct wish *wish, struct weft_error *err)
{
	struct remote_place place;
	char line[LINE_TEXT];
	int r = find_place(wish, err, &place);
	for (int i = 0; i < wish->rules_n && r == 0; i++) {
		json_t *answer = NULL;
		print_line(wish, wish->rules[i], line);
		r = remote_ask(&place,
			       json_pack("{s:s, s:s}", "do", "filter", "rule", line), err,
			       &answer);
		json_decref(answer);
	}
	if (r < 0)
		return r;
	r = show_place(out, wish, &place, err);
	if (r == 0 && !out->json)
		(void)printf("no room%s%s is open now; the rules hold once one is\n",
			     wish->room ? " " : "", wish->room ? wish->room : "");
	return r;
}

/* ---- the command ------------------------------------------------------------------------- */

/* What stands in front of the rules is whom they are for. */
static const char *read_wish(int n, char **operands, struct wish *ret_wish)
{
	struct wish wish = { .room = NULL };
	int i = 0;
	if (i < n && !strchr(operands[i], '='))
		wish.room = operands[i++];
	if (i < n && !strchr(operands[i], '='))
		wish.member = operands[i++];
	wish.rules = operands + i;
	wish.rules_n = n - i;
	for (; i < n; i++)
		if (!strchr(operands[i], '='))
			return "a room and a member come first, then RULE=VALUE";
	if (wish.room && !weft_room_name_is_valid(wish.room))
		return "that is no name of a room";
	*ret_wish = wish;
	return NULL;
}

int cmd_filter(int argc, char **argv)
{
	struct output_args args = { .output = { .json = false } };
	struct weft_error err;
	struct output out;
	struct wish wish;
	int status;
	const int operands = options_parse(&command, argc, argv, &args, &status);
	if (operands < 0)
		return status;
	const char *wrong = read_wish(operands, argv + 1, &wish);
	if (!wrong && check(&wish, &err) < 0)
		wrong = err.text;
	if (wrong)
		return options_fail(&command, wrong);
	output_init(&out, &args.output);
	int r = wish.rules_n > 0 ? change(&out, &wish, &err) : show(&out, &wish, &err);
	output_end(&out);
	return r < 0 ? output_fail(command.verb, err.text) : STATUS_OK;
}
