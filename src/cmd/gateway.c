/* SPDX-License-Identifier: MIT */
/*
 * weft gateway INTERFACE INVITATION: a wired LAN, joined to a room.
 *
 * The interface carries the frames of all members, each with its own source MAC, so it must
 * be wired: an access point takes frames from a station's own MAC only. The machine's own use
 * of the interface is not disturbed, and needs no bridge.
 */
#include "cmd/cmd.h"
#include "cmd/membership.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct option options[] = {
	{ .name = "no-upkeep",
	  .type = OPTION_FLAG,
	  .offset = OFFSET(struct membership_args, no_upkeep),
	  .help = "send nothing of its own: no reminders, no probes" },
	MEMBERSHIP_OPTIONS,
	OUTPUT_OPTIONS(struct membership_args),
	{ 0 },
};

static const struct command command = {
	.verb = "gateway",
	.operands = "INTERFACE [INVITATION]",
	.operands_min = 1,
	.operands_max = 2,
	.summary =
		"Joins the wired LAN on INTERFACE to a room: its members become hosts of that\n"
		"LAN, get their addresses from its DHCP server, and see its broadcasts.",
	.options = options,
	.notes =
		"INTERFACE is a wired network interface, or any link of `weft help links`.\n"
		"INVITATION is what `weft host` or `weft relay` printed; '-' reads it from\n"
		"standard input, '@FILE' from a file. Without one: $WEFT_INVITATION, or what is\n"
		"typed and not shown. With --json: \"state\", \"joined\", \"peer\" for each that\n"
		"comes or leaves, \"lan\" when the cable is pulled or put back, \"loop\" when the\n"
		"LAN is in one or no longer, and \"facts\" each minute and at the end.\n"
		"\n"
		"Switches are reminded of members that have been silent for a minute, and every\n"
		"10 s a probe looks for loops. Neither is sent with --no-upkeep.",
};

struct gateway {
	struct membership m; /* first: the hook leads back from it */
	bool is_cut_off;     /* the wired interface is down, or its cable out */
};

/* What can be known of the wire before a frame is lost on it. */
static int check_interface(struct membership *m, const char *name, struct weft_error *err)
{
	struct weft_interface interface;
	int r = weft_host_interface(m->host, name, err, &interface);

	if (r < 0)
		return r;
	if (!interface.is_ethernet)
		return weft_error_set(err, -EINVAL, "%s is not an Ethernet interface",
				      name);
	if (interface.is_wireless)
		return weft_error_set(
			err, -EINVAL,
			"%s is wireless, and an access point takes only the station's "
			"own frames: use a wired interface",
			name);
	if (!interface.is_up) {
		r = weft_host_set_up(m->host, name, true, err);
		if (r == 0)
			weft_log_info(&m->output.log, "%s was down and is up now", name);
		return r;
	}
	if (!interface.has_carrier)
		return weft_error_set(err, -ENOLINK,
				      "%s has no carrier: is the cable plugged in?",
				      name);
	return 0;
}

/* Says when the cable is pulled out, and when it is back; the device stays all the while. */
static void watch_cable(struct membership *m)
{
	struct gateway *g = (struct gateway *)(void *)m;
	const char *name = weft_link_name(m->link);
	struct weft_interface interface;
	struct weft_error err;
	bool works;

	if (weft_host_interface(m->host, name, &err, &interface) < 0)
		return;
	works = interface.is_up && interface.has_carrier;
	if (works == !g->is_cut_off)
		return;
	g->is_cut_off = !works;
	output_event(&m->output, "lan", json_pack("{s:b}", "carrier", works));
	if (works)
		weft_log_info(&m->output.log, "%s works again", name);
	else
		weft_log_warning(
			&m->output.log,
			"%s %s: the LAN is cut off from the room until it is back", name,
			interface.is_up ? "has lost its carrier" : "is down");
}

static int open_lan(struct membership *m, const char *operand, struct weft_error *err)
{
	char spec[64];
	int r;

	if (strchr(operand, ':'))
		return weft_link_open(operand, err, &m->link);
	m->on_tick = watch_cable;
	r = check_interface(m, operand, err);
	if (r < 0)
		return r;
	(void)snprintf(spec, sizeof(spec), "packet:%s", operand);
	return weft_link_open(spec, err, &m->link);
}

static int gateway(struct membership *m, const char *interface, struct weft_error *err)
{
	static const struct weft_mac none;
	int r = membership_open(m, err);

	if (r == 0)
		r = open_lan(m, interface, err);
	if (r < 0)
		return r;
	return membership_run(m, WEFT_ROLE_GATEWAY, none, err);
}

int cmd_gateway(int argc, char **argv)
{
	struct membership_args args = { .name = NULL };
	struct gateway g = { .m = { .verb = "gateway", .args = &args } };
	struct weft_error err = { .text = "" };
	int status, r;

	const int n = options_parse(&command, argc, argv, &args, &status);
	if (n < 0 ||
	    membership_secrets(&command, n > 1 ? argv[2] : NULL, &g.m, &status) < 0)
		return status;
	output_init(&g.m.output, &args.output);
	r = gateway(&g.m, argv[1], &err);
	membership_close(&g.m);
	return r < 0 ? output_fail("gateway", err.text) : STATUS_OK;
}
