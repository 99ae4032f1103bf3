/* SPDX-License-Identifier: MIT */
/*
 * weft relay: rooms for others. Whoever knows the relay's key may open a room on it by
 * joining one that is not there yet; --room prints invitations to rooms by name.
 */
#include "cli/privilege.h"
#include "cmd/cmd.h"
#include "cmd/relaying.h"

static const struct option options[] = {
	{ .name = "room",
	  .letter = 'r',
	  .type = OPTION_NAMES,
	  .syntax = "NAME",
	  .offset = OFFSET(struct relaying_args, room),
	  .help = "print an invitation to this room; may be repeated" },
	{ .name = "rooms",
	  .type = OPTION_NUMBER,
	  .syntax = "N",
	  .offset = OFFSET(struct relaying_args, rooms),
	  .max = 65534,
	  .help = "most rooms at a time [256]" },
	{ .name = "sessions",
	  .type = OPTION_NUMBER,
	  .syntax = "N",
	  .offset = OFFSET(struct relaying_args, sessions),
	  .help = "most connections of an address, or IPv6 /64 [256]" },
	{ .name = "handshakes",
	  .type = OPTION_NUMBER,
	  .syntax = "N",
	  .offset = OFFSET(struct relaying_args, handshakes),
	  .max = 1000000,
	  .help = "new ones a second before each proves its address [200]" },
	{ .name = "memory",
	  .type = OPTION_NUMBER,
	  .syntax = "MIB",
	  .offset = OFFSET(struct relaying_args, memory),
	  .max = 1048576,
	  .help = "most for connections, 16 in each [what its rooms need]" },
	{ .name = "grace",
	  .type = OPTION_DURATION,
	  .syntax = "TIME",
	  .offset = OFFSET(struct relaying_args, grace_ns),
	  .help = "keep ids and addresses of who was lost so long [2min]" },
	{ .name = "drain-to",
	  .type = OPTION_HOST,
	  .syntax = "HOST",
	  .offset = OFFSET(struct relaying_args, drain_to),
	  .help = "at its end members go to HOST[:PORT], of the same key" },
	{ .name = "open-token",
	  .type = OPTION_TEXT,
	  .syntax = "FILE",
	  .offset = OFFSET(struct relaying_args, open_token),
	  .help = "opening a room takes the token in its first line" },
	RELAYING_OPTIONS,
	OUTPUT_OPTIONS(struct relaying_args),
	{ 0 },
};

static const struct command command = {
	.verb = "relay",
	.summary = "Runs a relay: joins the members of each room to one Ethernet.",
	.options = options,
	.notes = "See docs/relay.md. --json: \"listening\", \"invitation\", \"came\", "
		 "\"left\", \"facts\".",
};

static int relay(struct relaying *r, struct weft_error *err)
{
	const struct privilege_opts privilege = { .keep_net_admin = false };
	int status = relaying_open(r, err);

	if (status == 0 && r->args->room.n == 0)
		weft_log_info(&r->output.log, "nobody is invited yet: --room NAME prints "
					      "an invitation to a room");
	for (size_t i = 0; i < r->args->room.n && status == 0; i++)
		status = relaying_invite(r, r->args->room.items[i], err);
	if (status == 0)
		status = privilege_drop(&privilege, err);
	return status < 0 ? status : relaying_run(r, err);
}

int cmd_relay(int argc, char **argv)
{
	struct relaying_args args = { .listen = relaying_default_listen(),
				      .mtu = RELAYING_MTU };
	struct relaying r = { .args = &args, .verb = command.verb, .rooms.fd = -1 };
	struct weft_error err = { .text = "" };
	int status;

	if (options_parse(&command, argc, argv, &args, &status) < 0)
		return status;
	if (relaying_check(&args, &err) < 0)
		return options_fail(&command, err.text);
	if (secret_read_open_token(command.verb, args.open_token, r.open_token) < 0)
		return STATUS_FAILED;
	output_init(&r.output, &args.output);
	status = relay(&r, &err);
	relaying_close(&r);
	return status < 0 ? output_fail("relay", err.text) : STATUS_OK;
}
