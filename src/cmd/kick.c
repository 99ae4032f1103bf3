/* SPDX-License-Identifier: MIT */
/*
 * weft kick: throws a member out of a room of a relay that runs on this machine, or all who came
 * with an invitation, or from an address; keeps them out, tells who is kept out, and lets in again.
 *
 * Where that is written is not the relay's to say, which has fewer rights than we have: it is told,
 * and we write the file that it reads when it starts.
 */
#include "cli/options.h"
#include "cli/output.h"
#include "cli/remote.h"
#include "cli/units.h"
#include "cmd/cmd.h"
#include "cmd/membership.h"
#include "cmd/rooms_here.h"
#include "cmd/shut_out_file.h"

#include <errno.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

struct args {
	bool address;
	char *invitation;
	bool undo, list;
	const char *room;
	const char *state;
	struct output_opts output;
};

static const struct option options[] = {
	{ .name = "address",
	  .letter = 'a',
	  .type = OPTION_FLAG,
	  .offset = OFFSET(struct args, address),
	  .help = "also keep out of the room the address it comes from" },
	{ .name = "invitation",
	  .letter = 'i',
	  .type = OPTION_LINK,
	  .syntax = "INVITATION",
	  .offset = OFFSET(struct args, invitation),
	  .help = "instead: takes back this one, for all who have it" },
	{ .name = "undo",
	  .letter = 'u',
	  .type = OPTION_FLAG,
	  .offset = OFFSET(struct args, undo),
	  .help = "let in again who was kept out by MEMBER or INVITATION" },
	{ .name = "list",
	  .letter = 'l',
	  .type = OPTION_FLAG,
	  .offset = OFFSET(struct args, list),
	  .help = "say who is kept out" },
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
	.notes =
		"MEMBER is its id or else its name, see `weft status`. Who came with an\n"
		"invitation of its own (`weft invite`, --expires) stays out; who came with the\n"
		"room's can come back, unless --address keeps its address out (of IPv6 its /64),\n"
		"with all who come from there later. With it MEMBER may be an address or network.\n"
		"INVITATION as for `weft join`, or 'weft:': who came with it is out, nobody comes\n"
		"in with it any more, and others hold. --undo takes a name, an address, or what\n"
		"--list shows. With --json: \"kicked\", \"revoked\", \"let_in\", \"kept_out\".",
};

/* ---- a member ---------------------------------------------------------------------------- */

/* So that they stay out when the relay runs anew. */
static int keep_out(const json_t *answer, const char *dir, struct weft_error *err)
{
	const json_t *shut_out = json_object_get(answer, "shut_out"), *who;
	struct state state;
	size_t i;
	if (!json_is_array(shut_out))
		return weft_error_set(
			err, -EPROTO,
			"the relay is of another version of weft and may not "
			"keep the member out: start it again, and kick again");
	if (json_array_size(shut_out) == 0)
		return 0;
	int r = state_open(dir, err, &state);
	json_array_foreach(shut_out, i, who)
	{
		if (r == 0)
			r = shut_out_file_add(&state, json_string_value(who),
					      remote_text(answer, "name"), err);
	}
	return r;
}

/* What holds and what does not, and how it could be made to. */
static void print_kicked(const struct room_here *room, const char *member,
			 const json_t *answer, bool by_address)
{
	const bool stays_out = json_array_size(json_object_get(answer, "shut_out")) > 0;
	const char *from = remote_text(answer, "from");
	const uint64_t others = remote_number(answer, "others");
	char count[UNITS_COUNT_TEXT];
	if (!stays_out)
		(void)printf("%s is out of room %s; with the room's own invitation it "
			     "can come back, unless\nits address is kept out: weft kick "
			     "--room %s --address %s\n",
			     member, room->name, room->name, from);
	else
		(void)printf("%s is out of room %s, and stays out%s%s\n", member,
			     room->name, by_address ? " with all who come from " : "",
			     by_address ? from : "");
	if (others > 0)
		(void)printf("%s in the room from there: who leaves cannot come back\n",
			     units_print_count(others, "other is", "others are", count));
}

static int kick(struct output *out, const struct args *args, const struct room_here *room,
		const char *member, struct weft_error *err)
{
	json_t *answer;
	int r = remote_ask(&room->place,
			   json_pack("{s:s, s:s, s:s, s:b}", "do", "kick", "room",
				     room->name, "member", member, "address",
				     (int)args->address),
			   err, &answer);
	if (r < 0)
		return r;
	r = keep_out(answer, args->state, err);
	if (r == 0) {
		json_t *shut_out = json_object_get(answer, "shut_out");
		output_event(out, "kicked",
			     json_pack("{s:s, s:s, s:b, s:s, s:I, s:O}", "room",
				       room->name, "member", member, "stays_out",
				       (int)(json_array_size(shut_out) > 0), "from",
				       remote_text(answer, "from"), "others",
				       (json_int_t)remote_number(answer, "others"),
				       "shut_out", shut_out));
		if (!out->json && !out->quiet)
			print_kicked(room, member, answer, args->address);
	}
	json_decref(answer);
	return r;
}

static int kick_member(struct output *out, const struct args *args, const char *member,
		       struct weft_error *err)
{
	struct room_here room;
	int r = rooms_here_find(args->room, err, &room);
	return r < 0 ? r : kick(out, args, &room, member, err);
}

/* ---- an invitation, or an address -------------------------------------------------------- */

/* Tells every relay here: it may be any's, and a room that is not open now may be later. */
static int tell_relays(const char *what, const char *who, struct weft_error *err,
		       json_int_t *ret_members)
{
	struct remote_place places[REMOTE_PLACES_MAX];
	struct weft_error refused;
	int told = 0, n = remote_find_here(NULL, places, err);
	*ret_members = 0;
	for (int i = 0; i < n; i++) {
		json_t *answer;
		if (remote_ask(&places[i],
			       json_pack("{s:s, s:s}", "do", what, "who", who), &refused,
			       &answer) < 0)
			continue;
		*ret_members += json_integer_value(json_object_get(answer, "members"));
		json_decref(answer);
		told++;
	}
	return n < 0 ? n : told;
}

static const char *when(int told)
{
	return told > 0 ? "" : ", from the relay's next start on";
}

/* Who is that: the caller tells people of it. Returns how many relays were told, or -Exxx. */
static int revoke(struct output *out, const struct args *args, const char *who,
		  struct weft_error *err, json_int_t *ret_members)
{
	struct state state;
	int r = state_open(args->state, err, &state);
	if (r == 0)
		r = shut_out_file_add(&state, who, "", err);
	const int told = r < 0 ? r : tell_relays("revoke", who, err, ret_members);
	if (told < 0)
		return told;
	output_event(out, "revoked",
		     json_pack("{s:s%, s:s, s:i, s:I}", "room", who, strcspn(who, "/"),
			       "shut_out", who, "relays", told, "members", *ret_members));
	return told;
}

static int revoke_pass(struct output *out, const struct args *args,
		       const struct weft_invite *invite, struct weft_error *err)
{
	char who[WEFT_SHUT_OUT_TEXT];
	json_int_t members;
	if (weft_invite_print_pass(invite, who) < 0)
		return weft_error_set(
			err, -EINVAL,
			"this is the room's own invitation, which cannot be "
			"taken back alone: `weft host --new-secret` gives the "
			"room another one");
	const int told = revoke(out, args, who, err, &members);
	if (told >= 0 && !out->json && !out->quiet)
		(void)printf("the invitation to room %s is taken back%s; %d with it were "
			     "thrown out\n",
			     invite->room, when(told), (int)members);
	return told;
}

static int revoke_address(struct output *out, const struct args *args,
			  const char *address, struct weft_error *err)
{
	char text[WEFT_SHUT_OUT_TEXT], who[WEFT_SHUT_OUT_TEXT];
	struct room_here here;
	json_int_t members;
	int r = args->room ? 0 : rooms_here_find(NULL, err, &here);
	if (r < 0)
		return r;
	const char *room = args->room ? args->room : here.name;
	(void)snprintf(text, sizeof(text), "%s/%s", room, address);
	r = weft_shut_out_check(text, err, who);
	const int told = r < 0 ? r : revoke(out, args, who, err, &members);
	if (told >= 0 && !out->json && !out->quiet)
		(void)printf("%s is kept out of room %s%s; %d from there were thrown "
			     "out\n",
			     strchr(who, '/') + 1, room, when(told), (int)members);
	return told;
}

/* ---- letting in, and listing ------------------------------------------------------------- */

static int let_in(struct output *out, const struct shut_out_line *line,
		  struct weft_error *err)
{
	json_int_t ignored;
	const int told = tell_relays("let-in", line->who, err, &ignored);
	if (told < 0)
		return told;
	output_event(out, "let_in",
		     json_pack("{s:s, s:s, s:i}", "shut_out", line->who, "name",
			       line->name, "relays", told));
	if (!out->json && !out->quiet)
		(void)printf("%s%s%s may come in again%s\n", line->who,
			     line->name[0] ? " " : "", line->name, when(told));
	return 0;
}

static int undo(struct output *out, const struct args *args, const char *text,
		struct weft_error *err)
{
	const struct shut_out_query query = { .room = args->room, .text = text };
	struct shut_out_lines removed = { 0 };
	struct state state;
	int r = state_open(args->state, err, &state);
	if (r == 0)
		r = shut_out_file_remove(&state, &query, err, &removed);
	if (r < 0)
		return r;
	if (removed.n == 0)
		r = weft_error_set(
			err, -ENOENT,
			"nobody is kept out by that: `weft kick --list` says who "
			"is, as far as %s knows (--state)",
			state.dir);
	for (size_t i = 0; i < removed.n && r == 0; i++)
		r = let_in(out, &removed.items[i], err);
	shut_out_lines_fini(&removed);
	return r;
}

static void list_line(struct output *out, const struct shut_out_line *line)
{
	const char *what = shut_out_line_what(line);
	const int room_len = (int)(what - line->who) - (what > line->who);
	const bool is_address = shut_out_line_is_address(line);
	output_event(out, "kept_out",
		     json_pack("{s:s, s:s%, s:s, s:s}", "shut_out", line->who, "room",
			       line->who, (size_t)room_len, "name", line->name,
			       is_address ? "address" : "pass", what));
	if (!out->json)
		(void)printf("%-12.*s %-16s %s%s\n", room_len, line->who,
			     line->name[0] ? line->name : "-", is_address ? "" : "pass ",
			     what);
}

static int list(struct output *out, const struct args *args, struct weft_error *err)
{
	struct shut_out_lines lines = { 0 };
	struct state state;
	int r = state_open(args->state, err, &state);
	if (r == 0)
		r = shut_out_file_read(&state, err, &lines);
	if (r < 0)
		return r;
	if (!out->json)
		(void)(lines.n > 0
			       ? printf("%-12s %-16s %s\n", "ROOM", "NAME", "KEPT OUT")
			       : printf("nobody is kept out\n"));
	for (size_t i = 0; i < lines.n; i++)
		list_line(out, &lines.items[i]);
	shut_out_lines_fini(&lines);
	return 0;
}

/* ---- the command ------------------------------------------------------------------------- */

static int by_invitation(struct output *out, const struct args *args,
			 const struct weft_invite *invite, struct weft_error *err)
{
	char who[WEFT_SHUT_OUT_TEXT];
	if (args->undo && weft_invite_print_pass(invite, who) == 0)
		return undo(out, args, strchr(who, '/') + 1, err);
	return revoke_pass(out, args, invite, err);
}

static int by_operand(struct output *out, const struct args *args, const char *operand,
		      struct weft_error *err)
{
	struct weft_ip ip;
	if (args->list)
		return list(out, args, err);
	if (args->undo)
		return undo(out, args, operand, err);
	if (args->address && weft_ip_parse(operand, &ip) == 0)
		return revoke_address(out, args, operand, err);
	return kick_member(out, args, operand, err);
}

/* NULL if the options go together. */
static const char *wrong_with(const struct args *args, int operands)
{
	const int named = operands + (args->invitation != NULL);
	if (named != !args->list)
		return "name a MEMBER, or an --invitation, or ask for the --list";
	if (args->list && (args->undo || args->address))
		return "--list goes with neither --undo nor --address";
	if (args->invitation && args->address)
		return "--address is a MEMBER's, and no --invitation's";
	return NULL;
}

int cmd_kick(int argc, char **argv)
{
	struct args args = { .room = NULL };
	struct weft_invite invite;
	struct weft_error err;
	struct output out;
	int status;
	const int n = options_parse(&command, argc, argv, &args, &status);
	if (n < 0)
		return status;
	const char *wrong = wrong_with(&args, n);
	if (wrong)
		return options_fail(&command, wrong);
	if (args.invitation &&
	    membership_invitation(&command, args.invitation, &invite, &status) < 0)
		return status;
	output_init(&out, &args.output);
	int r;
	if (args.invitation) {
		r = by_invitation(&out, &args, &invite, &err);
		sodium_memzero(&invite, sizeof(invite));
	} else {
		r = by_operand(&out, &args, argv[1], &err);
	}
	output_end(&out);
	return r < 0 ? output_fail(command.verb, err.text) : STATUS_OK;
}
