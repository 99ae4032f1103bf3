/* SPDX-License-Identifier: MIT */
/*
 * weft join INVITATION: a TAP, joined to a room.
 *
 * The TAP's address comes, in this order of preference, from --address, from the DHCP server
 * of the LAN behind the room's gateway, or from the relay's offer where the room has no LAN.
 * The DHCP client runs in here (addressing.h). A default route is never taken from a
 * room, neither by DHCP nor by router advertisements. With --user there is no TAP, but a host
 * in this process, to which all of this applies; that has the room's router for itself.
 */
#include "cmd/addressing.h"
#include "cmd/cmd.h"
#include "cmd/collision.h"
#include "cmd/discovery.h"
#include "cmd/identity.h"
#include "cmd/membership.h"
#include "cmd/place.h"
#include "cmd/plugged.h"

#include <errno.h>
#include <string.h>

struct join {
	struct membership m; /* first: the hooks lead back from it */
	struct addressing addressing;
	bool is_bad_link;     /* --link is wrong, rather than the machine */
	bool is_bad_rootless; /* what is given with --user is */
	struct plugged plugged;
	struct rootless rootless;
};

/* Where this machine takes part unless told otherwise. */
#define DEVICE "tap:weft0"

static const struct option options[] = {
	{ .name = "link",
	  .letter = 'l',
	  .type = OPTION_TEXT,
	  .syntax = "LINK",
	  .offset = OFFSET(struct membership_args, link),
	  .help = "what joins the room, see `weft help links` [tap:weft0]" },
	{ .name = "plug",
	  .letter = 'p',
	  .type = OPTION_LIST,
	  .syntax = "DIALECT:ADDRESS",
	  .offset = OFFSET(struct membership_args, plugs),
	  .help = "an emulator or VM at that socket joins, and not\n" OPTION_INDENT
		  "this machine: no TAP, no root; may be given again" },
	ROOTLESS_OPTIONS(struct membership_args),
	ADDRESS_OPTION,
	{ .name = "mac",
	  .type = OPTION_MAC,
	  .syntax = "MAC",
	  .offset = OFFSET(struct membership_args, mac),
	  .help = "the TAP's address [made once and kept]" },
	{ .name = "no-discovery",
	  .type = OPTION_FLAG,
	  .offset = OFFSET(struct membership_args, no_discovery),
	  .help = "leave broadcast and multicast to other interfaces" },
	MEMBERSHIP_OPTIONS,
	OUTPUT_OPTIONS(struct membership_args),
	{ 0 },
};

static const struct command command = {
	.verb = "join",
	.operands = "[INVITATION]",
	.operands_max = 1,
	.summary =
		"Joins this machine to a room: a network interface appears on which everybody\n"
		"in the room, and the LAN behind its gateway, is reached as on one Ethernet.",
	.options = options,
	.notes =
		"INVITATION is what `weft host` or `weft relay` printed; '-' reads it from\n"
		"standard input, '@FILE' from a file. Without one: $WEFT_INVITATION, or what is\n"
		"typed and not shown. With --json: \"state\", \"joined\", \"address\", \"peer\",\n"
		"\"route\", \"collision\", \"conflict\", \"facts\", \"plugged\", \"unplugged\".",
};

static struct join *of(struct membership *m)
{
	return (struct join *)(void *)m;
}

static bool is_rootless(const struct join *j)
{
	return j->m.args->rootless.is_user;
}

/* ---- the TAP ----------------------------------------------------------------------------- */

/* Who can give one of two networks that collide other addresses. */
static const char *collision_remedy(const char *from)
{
	if (strcmp(from, "DHCP") == 0)
		return "ask whoever runs the LAN, or change your own";
	return strcmp(from, "--address") == 0
		       ? "everybody in the room has to take them, or change your own"
		       : "whoever opens the room has --network for that";
}

static int tap_set(void *user, const struct given *given, struct weft_error *err)
{
	struct join *j = user;
	const char *device = weft_link_name(j->m.link);
	int r;

	relay_way_expect(&j->m.way, &given->address);
	r = weft_host_add_address(j->m.host, device, &given->address, err);
	if (r == 0)
		collision_warn(j->m.host, &j->m.output, device, &given->address,
			       collision_remedy(given->from));
	if (r == 0 && !j->m.args->no_discovery)
		discovery_begin(j->m.host, device, &j->m.output.log);
	return r;
}

static void tap_clear(void *user, const struct weft_ip *address)
{
	struct join *j = user;
	struct weft_error err;

	if (!j->m.args->no_discovery)
		discovery_end(j->m.host, weft_link_name(j->m.link), &j->m.output.log);
	if (weft_host_remove_address(j->m.host, weft_link_name(j->m.link), address,
				     &err) < 0)
		weft_log_warning(&j->m.output.log, "%s", err.text);
}

static const struct addressing_ops tap_ops = { .set = tap_set, .clear = tap_clear };

/* ---- the host in this process ------------------------------------------------------------ */

static int host_set(void *user, const struct given *given, struct weft_error *err)
{
	struct join *j = user;
	/* Conflicts are looked for in the room (conflict.h), as for a TAP. */
	int r = rootless_add_address(&j->rootless, &given->address, WEFT_ADDRESS_NO_ACD,
				     &given->router);

	rootless_use_names(&j->rootless, &given->names);
	return r < 0 ? weft_error_set(err, r, "the address cannot be used: %s",
				      strerror(-r))
		     : 0;
}

static void host_clear(void *user, const struct weft_ip *address)
{
	struct join *j = user;

	rootless_remove_address(&j->rootless, address);
}

static void host_renew(void *user, const struct given *given)
{
	struct join *j = user;

	rootless_use_names(&j->rootless, &given->names);
}

static const struct addressing_ops host_ops = { .set = host_set,
						.clear = host_clear,
						.renew = host_renew };

/* ---- the room ---------------------------------------------------------------------------- */

static void take_leave(struct join *j)
{
	bool was_host = j->rootless.stack != NULL;

	rootless_end(&j->rootless);
	addressing_leave(&j->addressing, was_host);
}

static bool join_from_room(struct membership *m, const struct weft_frame *frame,
			   uint64_t now)
{
	return addressing_take(&of(m)->addressing, frame, now);
}

static void set_device_up(struct membership *m, unsigned mtu)
{
	const char *device = weft_link_name(m->link);
	struct weft_error err;

	if (weft_host_set_mtu(m->host, device, mtu, &err) < 0)
		weft_log_warning(&m->output.log, "%s", err.text);
	if (weft_host_set_up(m->host, device, true, &err) < 0)
		weft_log_error(&m->output.log, "%s", err.text);
}

static void join_joined(struct membership *m, const struct weft_joined *joined,
			uint64_t now)
{
	struct join *j = of(m);

	(void)now;
	if (m->has_stations)
		return;
	if (is_rootless(j))
		rootless_joined(&j->rootless, j->addressing.mac, joined->mtu);
	else
		set_device_up(m, joined->mtu);
	addressing_joined(&j->addressing, joined);
}

static void join_peer(struct membership *m, const struct weft_peer *peer, bool is_here)
{
	if (!m->has_stations)
		addressing_peer(&of(m)->addressing, peer, is_here);
}

/* The MAC of a member that has no device. Returns 0 or -Exxx with err. */
static int choose_mac(struct join *j, struct weft_error *err)
{
	return identity_mac(&j->m.state, j->m.args->mac, err, &j->addressing.mac);
}

/* The member itself sends nothing under its MAC, but has to have one. */
static int open_plugs(struct join *j, struct weft_error *err)
{
	int r = choose_mac(j, err);

	j->m.has_stations = true;
	j->m.place = "plugs";
	if (r < 0)
		return r;
	j->plugged.output = &j->m.output;
	r = plugged_open(&j->plugged, &j->m.args->plugs, j->m.loop, err, &j->m.link);
	j->is_bad_link = r == -EINVAL;
	return r;
}

static int open_rootless(struct join *j, struct weft_error *err)
{
	int r = choose_mac(j, err);

	j->m.place = "stack";
	if (r < 0)
		return r;
	j->rootless.output = &j->m.output;
	r = rootless_open(&j->rootless, &j->m.args->rootless, j->m.loop, err, &j->m.link);
	j->is_bad_rootless = r == -EINVAL;
	return r;
}

/* A device is not the only way into a room. */
static int name_other_ways(int r, struct weft_error *err)
{
	const struct weft_error why = *err;

	return weft_error_set(
		err, r, "%.320s; without root there are --user, --plug and `weft run`",
		why.text);
}

static int open_link(struct join *j, struct weft_error *err)
{
	const struct place_opts place = { .spec = j->m.args->link,
					  .mac = j->m.args->mac,
					  .state = &j->m.state,
					  .host = j->m.host,
					  .log = &j->m.output.log };
	int r = place_open(&place, err, &j->m.link, &j->addressing.mac);

	j->is_bad_link = r == -EINVAL;
	j->m.has_device = r == 0;
	return r == -EPERM || r == -EACCES ? name_other_ways(r, err) : r;
}

/* What joins the room, by the command line. */
static int open_member_link(struct join *j, struct weft_error *err)
{
	if (is_rootless(j))
		return open_rootless(j, err);
	return j->m.args->plugs.n > 0 ? open_plugs(j, err) : open_link(j, err);
}

static int join(struct join *j, struct weft_error *err)
{
	int r = membership_open(&j->m, err);

	addressing_init(&j->addressing, &j->m, is_rootless(j) ? &host_ops : &tap_ops, j);
	if (r == 0)
		r = open_member_link(j, err);
	if (r < 0)
		return r;
	return membership_run(&j->m, WEFT_ROLE_CLIENT, j->addressing.mac, err);
}

static int run(struct join *j)
{
	struct weft_error err = { .text = "" };
	int r;

	output_init(&j->m.output, &j->m.args->output);
	r = join(j, &err);
	take_leave(j);
	plugged_close(&j->plugged);
	rootless_close(&j->rootless);
	membership_close(&j->m);
	if (j->is_bad_link)
		return output_fail_link("join", r, err.text);
	if (j->is_bad_rootless)
		return options_fail(&command, err.text);
	return r < 0 ? output_fail("join", err.text) : STATUS_OK;
}

/* What cannot be had together; NULL for nothing. */
static const char *contradiction(const struct membership_args *args)
{
	const struct rootless_args *rootless = &args->rootless;
	bool has_link = strcmp(args->link, DEVICE) != 0;

	if (args->plugs.n > 0 && has_link)
		return "--plug and --link: this machine takes part by a second `weft "
		       "join`";
	if (rootless->is_user && (args->plugs.n > 0 || has_link))
		return "--user: who is on a link or a plug takes part by a second `weft "
		       "join`";
	return rootless_contradiction(rootless);
}

int cmd_join(int argc, char **argv)
{
	struct membership_args args = { .link = DEVICE };
	struct join j = { .m = { .verb = "join",
				 .args = &args,
				 .on_joined = join_joined,
				 .on_peer = join_peer,
				 .from_room = join_from_room } };
	int status;

	const int n = options_parse(&command, argc, argv, &args, &status);
	if (n < 0 ||
	    membership_secrets(&command, n > 0 ? argv[1] : NULL, &j.m, &status) < 0)
		return status;
	const char *wrong = contradiction(&args);
	if (wrong)
		return options_fail(&command, wrong);
	return run(&j);
}
