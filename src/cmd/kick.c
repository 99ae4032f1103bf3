/* SPDX-License-Identifier: MIT */
/*
 * weft kick: throws a member out of a room of a relay that runs on this machine, or all who came
 * with an invitation, which is taken back.
 */
#include "cli/options.h"
#include "cli/output.h"
#include "cli/remote.h"
#include "cmd/cmd.h"
#include "cmd/membership.h"
#include "cmd/rooms_here.h"
#include "cmd/shut_out.h"

#include <errno.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

struct args {
	char *invitation;
	const char *room;
	const char *state;
	struct output_opts output;
};

static const struct option options[] = {
	{ .name = "invitation",
	  .letter = 'i',
	  .type = OPTION_LINK,
	  .syntax = "INVITATION",
	  .offset = OFFSET(struct args, invitation),
	  .help = "instead: takes back this one, for all who have it" },
	{ .name = "room",
	  .letter = 'r',
	  .type = OPTION_NAME,
	  .syntax = "ROOM",
	  .offset = OFFSET(struct args, room),
	  .help = "whose member it is [the only one there is]" },
	{ .name = "state",
	  .type = OPTION_TEXT,
	  .syntax = "DIR",
	  .offset = OFFSET(struct args, state),
	  .help = "the relay's own [/var/lib/weft for root]" },
	OUTPUT_OPTIONS(struct args),
	{ 0 },
};

static const struct command command = {
	.verb = "kick",
	.operands = "[MEMBER]",
	.operands_max = 1,
	.summary = "Throws a member out of a room of the relay or host that runs here.",
	.options = options,
	.notes = "MEMBER is its id or else its name, see `weft status`. Who came with "
		 "an\n"
		 "invitation of its own (`weft invite`, --expires) stays out; who came "
		 "with the\n"
		 "room's can come back. INVITATION as for `weft join`, or 'weft:': who "
		 "came with\n"
		 "it is out, nobody comes in with it any more, and others hold. With "
		 "--json:\n"
		 "\"kicked\", \"revoked\".",
};

/*
 * So that it stays out when the relay runs anew. Where that is written is not the relay's to say,
 * which has fewer rights than we have.
 */
static int keep_out(const json_t *answer, const char *dir, struct weft_error *err)
{
	const char *key = json_string_value(json_object_get(answer, "shut_out"));
	struct state state;
	if (!key)
		return 0;
	int r = state_open(dir, err, &state);
	return r < 0 ? r : shut_out_add(&state, key, err);
}

static int kick(struct output *out, const struct args *args, const struct room_here *room,
		const char *member, struct weft_error *err)
{
	json_t *answer;
	int r = remote_ask(&room->place,
			   json_pack("{s:s, s:s, s:s}", "do", "kick", "room", room->name,
				     "member", member),
			   err, &answer);
	if (r < 0)
		return r;
	const bool stays_out = json_is_string(json_object_get(answer, "shut_out"));
	r = keep_out(answer, args->state, err);
	json_decref(answer);
	if (r < 0)
		return r;
	output_event(out, "kicked",
		     json_pack("{s:s, s:s, s:b}", "room", room->name, "member", member,
			       "stays_out", (int)stays_out));
	if (!out->json && !out->quiet)
		(void)printf("%s is out of room %s%s\n", member, room->name,
			     stays_out ? ", and stays out"
				       : "; with the room's own invitation it can come "
					 "back");
	return 0;
}

/* ---- an invitation ----------------------------------------------------------------------- */

/* Tells every relay here: it may be any's, and a room that is not open now may be later. */
static int tell_relays(const char *key, struct weft_error *err, json_int_t *ret_members)
{
	struct remote_place places[REMOTE_PLACES_MAX];
	struct weft_error refused;
	int told = 0, n = remote_find_here(NULL, places, err);
	*ret_members = 0;
	for (int i = 0; i < n; i++) {
		json_t *answer;
		if (remote_ask(&places[i],
			       json_pack("{s:s, s:s}", "do", "revoke", "key", key),
			       &refused, &answer) < 0)
			continue;
		*ret_members += json_integer_value(json_object_get(answer, "members"));
		json_decref(answer);
		told++;
	}
	return n < 0 ? n : told;
}

static int revoke_pass(struct output *out, const struct args *args,
		       const struct weft_invite *invite, struct weft_error *err)
{
	uint8_t key[WEFT_PASS_KEY_LEN];
	char hex[2 * WEFT_PASS_KEY_LEN + 1];
	struct state state;
	json_int_t members = 0;
	if (weft_invite_pass_key(invite, key) < 0)
		return weft_error_set(
			err, -EINVAL,
			"this is the room's own invitation, which cannot be "
			"taken back alone: `weft host --new-secret` gives the "
			"room another one");
	(void)sodium_bin2hex(hex, sizeof(hex), key, sizeof(key));
	int r = state_open(args->state, err, &state);
	if (r == 0)
		r = shut_out_add(&state, hex, err);
	const int told = r < 0 ? r : tell_relays(hex, err, &members);
	if (told < 0)
		return told;
	output_event(out, "revoked",
		     json_pack("{s:s, s:i, s:I}", "room", invite->room, "relays", told,
			       "members", members));
	if (!out->json && !out->quiet)
		(void)printf("the invitation to room %s is taken back%s; %d with it were "
			     "thrown out\n",
			     invite->room,
			     told > 0 ? "" : ", from the relay's next start on",
			     (int)members);
	return 0;
}

static int take_back(const struct args *args)
{
	struct weft_invite invite;
	struct weft_error err;
	struct output out;
	int status;
	if (membership_invitation(&command, args->invitation, &invite, &status) < 0)
		return status;
	output_init(&out, &args->output);
	const int r = revoke_pass(&out, args, &invite, &err);
	sodium_memzero(&invite, sizeof(invite));
	output_end(&out);
	return r < 0 ? output_fail(command.verb, err.text) : STATUS_OK;
}

int cmd_kick(int argc, char **argv)
{
	struct args args = { .room = NULL };
	struct weft_error err;
	struct room_here room;
	struct output out;
	int status;
	const int n = options_parse(&command, argc, argv, &args, &status);
	if (n < 0)
		return status;
	if ((n > 0) == (args.invitation != NULL))
		return options_fail(&command, "name a MEMBER, or an --invitation");
	if (args.invitation)
		return take_back(&args);
	output_init(&out, &args.output);
	int r = rooms_here_find(args.room, &err, &room);
	if (r == 0)
		r = kick(&out, &args, &room, argv[1], &err);
	output_end(&out);
	return r < 0 ? output_fail(command.verb, err.text) : STATUS_OK;
}
