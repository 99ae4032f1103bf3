/* SPDX-License-Identifier: MIT */
/*
 * weft status [NAME]: what runs on this machine, as it says itself (cli/remote.h).
 */
#include "cli/options.h"
#include "cli/output.h"
#include "cli/remote.h"
#include "cli/units.h"
#include "cmd/cmd.h"
#include "cmd/rules_text.h"

#include <jansson.h>
#include <stdio.h>

static const struct command command = {
	.verb = "status",
	.operands = "[NAME]",
	.operands_max = 1,
	.summary = "Says what of weft runs on this machine, and how it does.",
	.options = output_options,
	.notes =
		"NAME is a program's name, as it is printed first, or its process ID.\n"
		"With --json: \"status\" for each, with all its facts. Ends with status 1 where\n"
		"nothing runs.",
};

static void print_peer(const json_t *peer)
{
	char in[UNITS_TEXT], out[UNITS_TEXT], rtt[UNITS_TEXT];
	const uint64_t rtt_ns = remote_number(peer, "rtt_ns");
	if (!json_is_true(json_object_get(peer, "connected"))) {
		(void)printf("    %-24s away\n", remote_text(peer, "name"));
		return;
	}
	const char *address = remote_text(peer, "address"); /* none in Ethernet */
	(void)printf("    %-24s %s%sin %s, out %s", remote_text(peer, "name"), address,
		     address[0] ? ", " : "",
		     units_print_bytes(remote_number(peer, "rx_bytes"), in),
		     units_print_bytes(remote_number(peer, "tx_bytes"), out));
	if (rtt_ns > 0)
		(void)printf(", RTT %s", units_print_duration(rtt_ns, rtt));
	(void)putchar('\n');
}

/* Of a rule that balances, which part of all flows each has: "gateway-a 67 %, gateway-b 33 %". */
static void print_exit(const json_t *exit)
{
	size_t i;
	const json_t *name, *usable = json_object_get(exit, "usable");
	const json_t *shares = json_object_get(exit, "shares_permille");
	(void)printf("    %s of line %d: ", remote_text(exit, "mode"),
		     (int)remote_number(exit, "line"));
	json_array_foreach(usable, i, name)
	{
		char share[UNITS_TEXT];
		const json_int_t permille = json_integer_value(json_array_get(shares, i));
		(void)printf("%s%s", i > 0 ? ", " : "", json_string_value(name));
		if (json_array_size(usable) > 1)
			(void)printf(" %s",
				     units_print_share((uint32_t)permille * 1000, share));
	}
	(void)puts(json_array_size(usable) > 0 ? "" : "no exit is good");
}

static void print_interface(const json_t *interface)
{
	size_t i;
	const json_t *peer, *exit;
	(void)printf("  %s, %s\n", remote_text(interface, "interface"),
		     remote_text(interface, "role"));
	json_array_foreach(json_object_get(interface, "peers"), i, peer) print_peer(peer);
	json_array_foreach(json_object_get(interface, "exits"), i, exit) print_exit(exit);
}

/* How good a path is: "RTT 25 ms, jitter 1.2 ms, path MTU 1472, loss 0.5 %". */
static void print_path(const json_t *path)
{
	char rtt[UNITS_TEXT], jitter[UNITS_TEXT], loss[UNITS_TEXT];
	const uint32_t loss_ppm = (uint32_t)remote_number(path, "loss_ppm");
	(void)printf(
		"RTT %s, jitter %s, path MTU %d",
		units_print_duration(remote_number(path, "rtt_us") * 1000, rtt),
		units_print_duration(remote_number(path, "jitter_us") * 1000, jitter),
		(int)remote_number(path, "path_mtu"));
	if (loss_ppm > 0)
		(void)printf(", loss %s", units_print_share(loss_ppm, loss));
}

/* A room as one of its members knows it. */
static void print_membership(const json_t *answer, const json_t *facts)
{
	size_t i;
	const json_t *peer, *path = json_object_get(facts, "path");
	const char *reason = remote_text(facts, "reason"),
		   *address = remote_text(answer, "address");
	(void)printf("  room %s at %s: %s%s%s\n", remote_text(facts, "room"),
		     remote_text(facts, "relay"), remote_text(facts, "state"),
		     reason[0] ? ": " : "", reason);
	if (path) {
		(void)printf("    %s%s%s, to the relay ", remote_text(answer, "place"),
			     address[0] ? " " : "", address);
		print_path(path);
		(void)putchar('\n');
	}
	json_array_foreach(json_object_get(facts, "peers"), i, peer)
	{
		(void)printf("    %-3d %-24s %s\n", (int)remote_number(peer, "id"),
			     remote_text(peer, "name"), remote_text(peer, "role"));
	}
}

static void print_member(const json_t *member)
{
	const json_t *path = json_object_get(member, "path");
	(void)printf("    %-3d %-24s %s", (int)remote_number(member, "id"),
		     remote_text(member, "name"), remote_text(member, "role"));
	if (path) {
		(void)printf(", %s, ", remote_text(path, "address"));
		print_path(path);
	}
	(void)putchar('\n');
	rules_text_print(json_object_get(member, "rules"), "       ");
}

static void print_room(const json_t *room)
{
	size_t i;
	const json_t *member;
	(void)printf("  room %s, MTU %d\n", remote_text(room, "name"),
		     (int)remote_number(room, "mtu"));
	rules_text_print(json_object_get(room, "own_rules"), "   ");
	json_array_foreach(json_object_get(room, "members"), i, member)
		print_member(member);
}

static void print_program(const struct remote_place *place, const json_t *answer)
{
	const json_t *facts = json_object_get(answer, "facts");
	size_t i;
	const json_t *interface, *room;
	const char *config = remote_text(answer, "config");
	(void)printf("%s (%ld): weft %s%s%s\n", place->name, place->pid,
		     remote_text(answer, "command"), config[0] ? " " : "", config);
	json_array_foreach(json_object_get(facts, "interfaces"), i, interface)
		print_interface(interface);
	json_array_foreach(json_object_get(facts, "rooms"), i, room) print_room(room);
	if (json_object_get(facts, "relay"))
		print_membership(answer, facts);
}

static int show(struct output *out, const struct remote_place *place,
		struct weft_error *err)
{
	json_t *answer;
	int r = remote_ask_status(place, err, &answer);
	if (r < 0)
		return r;
	if (!out->json)
		print_program(place, answer);
	(void)json_object_set_new(answer, "name", json_string(place->name));
	(void)json_object_set_new(answer, "pid", json_integer(place->pid));
	output_event(out, "status", answer);
	return 0;
}

static int show_all(struct output *out, const char *name, struct weft_error *err)
{
	struct remote_place places[REMOTE_PLACES_MAX];
	int n = remote_find_here(name, places, err);
	if (n < 0)
		return n;
	if (n == 0)
		return weft_error_set(err, -1, "nothing of weft runs here%s%s%s",
				      name ? " that is called " : "", name ? name : "",
				      name ? "" : " that you may speak to");
	int r = 0;
	for (int i = 0; i < n && r == 0; i++)
		r = show(out, &places[i], err);
	return r;
}

int cmd_status(int argc, char **argv)
{
	struct output_args args = { .output = { .json = false } };
	struct weft_error err;
	struct output out;
	int status;
	int n = options_parse(&command, argc, argv, &args, &status);
	if (n < 0)
		return status;
	output_init(&out, &args.output);
	int r = show_all(&out, n > 0 ? argv[1] : NULL, &err);
	output_end(&out);
	return r < 0 ? output_fail(command.verb, err.text) : STATUS_OK;
}
