/* SPDX-License-Identifier: MIT */
/*
 * weft status [NAME]: what runs on this machine, as it says itself (cli/remote.h).
 */
#include "cli/options.h"
#include "cli/output.h"
#include "cli/remote.h"
#include "cli/units.h"
#include "cmd/cmd.h"

#include <jansson.h>
#include <stdio.h>

struct args {
	struct output_opts output;
};

static const struct option options[] = {
	OUTPUT_OPTIONS(struct args),
	{ 0 },
};

static const struct command command = {
	.verb = "status",
	.operands = "[NAME]",
	.operands_max = 1,
	.summary = "Says what of weft runs on this machine, and how it does.",
	.options = options,
	.notes = "NAME is a program's name, as it is printed first, or its process ID.\n"
		 "With --json: \"status\" for each, with all its facts. Ends with "
		 "status 1 where\n"
		 "nothing runs.",
};

static uint64_t number(const json_t *object, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(object, key));
}

static const char *text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));
	return value ? value : "";
}

static void print_peer(const json_t *peer)
{
	char in[UNITS_TEXT], out[UNITS_TEXT], rtt[UNITS_TEXT];
	const uint64_t rtt_ns = number(peer, "rtt_ns");
	if (!json_is_true(json_object_get(peer, "connected"))) {
		(void)printf("    %-24s away\n", text(peer, "name"));
		return;
	}
	const char *address = text(peer, "address"); /* none in Ethernet */
	(void)printf("    %-24s %s%sin %s, out %s", text(peer, "name"), address,
		     address[0] ? ", " : "",
		     units_print_bytes(number(peer, "rx_bytes"), in),
		     units_print_bytes(number(peer, "tx_bytes"), out));
	if (rtt_ns > 0)
		(void)printf(", RTT %s", units_print_duration(rtt_ns, rtt));
	(void)putchar('\n');
}

static void print_interface(const json_t *interface)
{
	size_t i;
	const json_t *peer;
	(void)printf("  %s, %s\n", text(interface, "interface"), text(interface, "role"));
	json_array_foreach(json_object_get(interface, "peers"), i, peer) print_peer(peer);
}

/* How good a path is: "RTT 25 ms, jitter 1.2 ms, loss 0.5 %". */
static void print_path(const json_t *path)
{
	char rtt[UNITS_TEXT], jitter[UNITS_TEXT], loss[UNITS_TEXT];
	const uint32_t loss_ppm = (uint32_t)number(path, "loss_ppm");
	(void)printf("RTT %s, jitter %s",
		     units_print_duration(number(path, "rtt_us") * 1000, rtt),
		     units_print_duration(number(path, "jitter_us") * 1000, jitter));
	if (loss_ppm > 0)
		(void)printf(", loss %s", units_print_share(loss_ppm, loss));
}

/* A room as one of its members knows it. */
static void print_membership(const json_t *answer, const json_t *facts)
{
	size_t i;
	const json_t *peer, *path = json_object_get(facts, "path");
	const char *reason = text(facts, "reason"), *address = text(answer, "address");
	(void)printf("  room %s at %s: %s%s%s\n", text(facts, "room"),
		     text(facts, "relay"), text(facts, "state"), reason[0] ? ": " : "",
		     reason);
	if (path) {
		(void)printf("    %s%s%s, to the relay ", text(answer, "place"),
			     address[0] ? " " : "", address);
		print_path(path);
		(void)putchar('\n');
	}
	json_array_foreach(json_object_get(facts, "peers"), i, peer)
	{
		(void)printf("    %-3d %-24s %s\n", (int)number(peer, "id"),
			     text(peer, "name"), text(peer, "role"));
	}
}

static void print_member(const json_t *member)
{
	const json_t *path = json_object_get(member, "path");
	(void)printf("    %-3d %-24s %s", (int)number(member, "id"), text(member, "name"),
		     text(member, "role"));
	if (path) {
		(void)printf(", %s, ", text(path, "address"));
		print_path(path);
	}
	(void)putchar('\n');
}

static void print_room(const json_t *room)
{
	size_t i;
	const json_t *member;
	(void)printf("  room %s, MTU %d\n", text(room, "name"), (int)number(room, "mtu"));
	json_array_foreach(json_object_get(room, "members"), i, member)
		print_member(member);
}

static void print_program(const struct remote_place *place, const json_t *answer)
{
	const json_t *facts = json_object_get(answer, "facts");
	size_t i;
	const json_t *interface, *room;
	const char *config = text(answer, "config");
	(void)printf("%s (%ld): weft %s%s%s\n", place->name, place->pid,
		     text(answer, "command"), config[0] ? " " : "", config);
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
	struct args args = { .output = { .json = false } };
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
