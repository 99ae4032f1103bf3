/* SPDX-License-Identifier: MIT */
/*
 * weft invite: an invitation that can be taken back, made from that of the room, without asking
 * anybody.
 */
#include "cli/options.h"
#include "cli/output.h"
#include "cli/qr.h"
#include "cmd/cmd.h"
#include "cmd/invitation.h"
#include "cmd/membership.h"

#include <weft/lan.h>

#include <sodium.h>
#include <stdio.h>

struct args {
	uint64_t expires_ns; /* 0 for never */
	bool qr;
	struct output_opts output;
};

static const struct option options[] = {
	{ .name = "expires",
	  .letter = 'e',
	  .type = OPTION_DURATION,
	  .syntax = "TIME",
	  .offset = OFFSET(struct args, expires_ns),
	  .help = "lets nobody in after TIME, such as 2h or 7d [never]" },
	{ .name = "qr",
	  .type = OPTION_FLAG,
	  .offset = OFFSET(struct args, qr),
	  .help = "print it as a QR code as well" },
	OUTPUT_OPTIONS(struct args),
	{ 0 },
};

static const struct command command = {
	.verb = "invite",
	.operands = "[INVITATION]",
	.operands_max = 1,
	.summary =
		"Makes an invitation for one person from that of a room, which lets in\n"
		"everybody: it can expire, and be taken back by `weft kick`.",
	.options = options,
	.notes =
		"INVITATION is what `weft host` or `weft relay` printed; '-' reads it from\n"
		"standard input, '@FILE' from a file. Nothing is sent anywhere. Whoever has the\n"
		"room's own invitation can make others; whoever has one of these cannot, nor be\n"
		"a gateway. With --json: \"invitation\".",
};

static int print(struct output *out, const struct args *args,
		 const struct weft_invite *invite)
{
	char text[WEFT_INVITE_TEXT];
	weft_invite_print(invite, text);
	if (out->json) {
		output_event(out, "invitation",
			     json_pack("{s:s, s:s, s:I}", "room", invite->room,
				       "invitation", text, "expires",
				       (json_int_t)invite->pass.expires_s));
		return 0;
	}
	int r = printf("%s\n", text) < 0 ? -1 : 0;
	if (r == 0 && args->qr)
		r = qr_print(stdout, text);
	return r == 0 && fflush(stdout) == 0 ? 0 : -1;
}

int cmd_invite(int argc, char **argv)
{
	struct args args = { .expires_ns = 0 };
	struct weft_invite invite, restricted;
	struct output out;
	int status;
	const int n = options_parse(&command, argc, argv, &args, &status);
	if (n < 0 ||
	    membership_invitation(&command, n > 0 ? argv[1] : NULL, &invite, &status) < 0)
		return status;
	const int64_t expires_s = invitation_expiry(args.expires_ns);
	if (expires_s < 0)
		return options_fail(&command, "--expires: that is too far away");
	output_init(&out, &args.output);
	int r = weft_invite_restrict(&invite, (uint32_t)expires_s, &restricted);
	sodium_memzero(&invite, sizeof(invite));
	if (r < 0)
		return output_fail(command.verb, "this invitation is for one person "
						 "itself: only the room's own can "
						 "make others");
	r = print(&out, &args, &restricted);
	sodium_memzero(&restricted, sizeof(restricted));
	output_end(&out);
	return r < 0 ? output_fail(command.verb, "the invitation cannot be printed")
		     : STATUS_OK;
}
