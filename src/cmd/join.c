/* SPDX-License-Identifier: MIT */
/*
 * weft join INVITATION: a TAP, joined to a room.
 *
 * The TAP's address comes, in this order of preference, from --address, from the DHCP server
 * of the LAN behind the room's gateway, or from the relay's offer where the room has no LAN.
 * The DHCP client runs in here: its frames go into the room as if the TAP had sent them, and
 * the answers are taken out before the TAP sees them. A default route is never taken from a
 * room, neither by DHCP nor by router advertisements. With --user there is no TAP, but a host
 * in this process, to which all of this applies; that has the room's router for itself.
 */
#include "cmd/cmd.h"
#include "cmd/collision.h"
#include "cmd/conflict.h"
#include "cmd/discovery.h"
#include "cmd/identity.h"
#include "cmd/membership.h"
#include "cmd/place.h"
#include "cmd/plugged.h"
#include "cmd/units.h"

#include <weft/dhcpc.h>

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINGER_NS (NS_PER_S / 50)

struct join {
	struct membership m; /* first: the hooks lead back from it */
	struct weft_dhcpc *dhcpc;
	struct weft_mac mac;
	struct weft_ip address; /* set on the TAP now; family 0 for none */
	struct weft_ip fixed;   /* from --address */
	bool wants_dhcp, wants_offer;
	bool has_lingered;
	bool is_bad_link; /* --link is wrong, rather than the machine */
	struct conflict conflict;
	struct plugged plugged;
	struct rootless rootless;
};

/* Where this machine takes part unless told otherwise. */
#define DEVICE "tap:weft0"

/* The words of --address. */
enum { ADDRESS_AUTO, ADDRESS_DHCP, ADDRESS_NONE, ADDRESS_GIVEN };

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
	{ .name = "user",
	  .type = OPTION_FLAG,
	  .offset = OFFSET(struct membership_args, rootless.is_user),
	  .help = "a host in this process joins: no TAP, no root; with" },
	{ .name = "socks",
	  .type = OPTION_TEXT,
	  .syntax = "[ADDR:]PORT",
	  .offset = OFFSET(struct membership_args, rootless.socks),
	  .help = "a SOCKS5 proxy of this machine into the room," },
	{ .name = "socks-user",
	  .type = OPTION_TEXT,
	  .syntax = "FILE",
	  .offset = OFFSET(struct membership_args, rootless.socks_user),
	  .help = "for those who know its line NAME:PASSWORD," },
	{ .name = "forward",
	  .type = OPTION_LIST,
	  .syntax = "HERE=ROOM",
	  .offset = OFFSET(struct membership_args, rootless.forwards),
	  .help = "such as tcp:8080=10.0.0.5:80, a port of this machine" },
	{ .name = "expose",
	  .type = OPTION_LIST,
	  .syntax = "ROOM=HERE",
	  .offset = OFFSET(struct membership_args, rootless.exposes),
	  .help = "such as udp:27015=127.0.0.1:27015, a port in the room" },
	{ .name = "address",
	  .letter = 'a',
	  .type = OPTION_IP,
	  .syntax = "auto|dhcp|none|IP/LEN",
	  .offset = OFFSET(struct membership_args, address),
	  .help = "auto: the LAN's DHCP, else the relay's offer [auto]" },
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
	.operands = "INVITATION",
	.operands_min = 1,
	.operands_max = 1,
	.summary = "Joins this machine to a room: a network interface appears on which "
		   "everybody\n"
		   "in the room, and the LAN behind its gateway, is reached as on one "
		   "Ethernet.",
	.options = options,
	.notes = "INVITATION is what `weft host` or `weft relay` printed: "
		 "weft://HOST/ROOM#KEY.\n"
		 "'-' reads it from standard input, '@FILE' from a file.\n"
		 "\n"
		 "weft join --plug tapserver:/tmp/dolphin-tap INVITATION    Dolphin "
		 "joins\n"
		 "With --json: \"state\", \"joined\", \"address\", \"peer\", \"route\", "
		 "\"plugged\", \"facts\".",
};

static struct join *of(struct membership *m)
{
	return (struct join *)(void *)m;
}

static bool is_rootless(const struct join *j)
{
	return j->m.args->rootless.is_user;
}

/* Where the address is, for people. */
static const char *device_name(const struct join *j)
{
	return is_rootless(j) ? "no device" : weft_link_name(j->m.link);
}

static void clear_device(struct join *j)
{
	struct weft_error err;

	if (!j->m.args->no_discovery)
		discovery_end(j->m.host, weft_link_name(j->m.link), &j->m.output.log);
	if (weft_host_remove_address(j->m.host, weft_link_name(j->m.link), &j->address,
				     &err) < 0)
		weft_log_warning(&j->m.output.log, "%s", err.text);
}

static void forget_address(struct join *j)
{
	if (j->address.family && is_rootless(j))
		rootless_remove_address(&j->rootless, &j->address);
	else if (j->address.family)
		clear_device(j);
	j->address = (struct weft_ip){ 0 };
	j->m.address[0] = '\0';
}

/* Sets it on the TAP, or on the host in this process. Returns 0 or -Exxx with err. */
static int set_address(struct join *j, const struct weft_ip *address,
		       const struct weft_ip *router, struct weft_error *err)
{
	const char *device = weft_link_name(j->m.link);
	int r;

	if (!is_rootless(j)) {
		relay_way_expect(&j->m.way, address);
		r = weft_host_add_address(j->m.host, device, address, err);
		if (r == 0 && !j->m.args->no_discovery)
			discovery_begin(j->m.host, device, &j->m.output.log);
		return r;
	}
	r = rootless_add_address(&j->rootless, address, router);
	return r < 0 ? weft_error_set(err, r, "the address cannot be used: %s",
				      strerror(-r))
		     : 0;
}

/* The address was somebody else's before. */
static void give_address_up(void *user)
{
	forget_address(user);
}

/* Who can give one of two networks that collide other addresses. */
static const char *collision_remedy(const char *from)
{
	if (strcmp(from, "DHCP") == 0)
		return "ask whoever runs the LAN, or change your own";
	return strcmp(from, "--address") == 0
		       ? "everybody in the room has to take them, or change your own"
		       : "whoever opens the room has --network for that";
}

static void use_address(struct join *j, const struct weft_ip *address,
			const struct weft_ip *router, const char *from)
{
	struct weft_error err;

	if (memcmp(address, &j->address, sizeof(*address)) == 0)
		return; /* a lease renewed */
	forget_address(j);
	if (set_address(j, address, router, &err) < 0) {
		weft_log_error(&j->m.output.log, "%s", err.text);
		return;
	}
	j->address = *address;
	weft_ip_print(address, j->m.address);
	if (j->m.has_device)
		collision_warn(j->m.host, &j->m.output, weft_link_name(j->m.link),
			       address, collision_remedy(from));
	conflict_begin(&j->conflict, j->mac, address, strcmp(from, "DHCP") == 0);
	output_event(&j->m.output, "address",
		     json_pack("{s:s, s:s, s:s}", "address", j->m.address, "device",
			       device_name(j), "from", from));
	weft_log_info(&j->m.output.log, "you are %s on %s (from %s)", j->m.address,
		      device_name(j), from);
}

static void dhcp_send(void *user, const struct weft_frame *frame, uint64_t now)
{
	struct join *j = user;

	weft_member_send(j->m.member, frame, 1, now);
}

static void dhcp_bound(void *user, const struct weft_dhcpc_lease *lease)
{
	use_address(user, &lease->address, &lease->router, "DHCP");
}

static void dhcp_lost(void *user)
{
	struct join *j = user;

	weft_log_warning(&j->m.output.log, "the lease of %s has ended", j->m.address);
	conflict_end(&j->conflict);
	forget_address(j);
}

static void dhcp_conflict(void *user, const struct weft_ip *address, struct weft_mac mac)
{
	struct join *j = user;

	conflict_tell(&j->m, address, mac,
		      "the LAN's DHCP server is asked for another one");
}

static void start_dhcp(struct join *j)
{
	char name[WEFT_MEMBER_NAME_MAX + 1];
	struct weft_dhcpc_opts opts = {
		.mac = j->mac,
		.hostname = j->m.args->name,
		.send = dhcp_send,
		.bound = dhcp_bound,
		.lost = dhcp_lost,
		.conflict = dhcp_conflict,
		.user = j,
	};

	if (j->dhcpc)
		return;
	membership_own_name(name);
	if (!opts.hostname && name[0])
		opts.hostname = name;
	randombytes_buf(&opts.seed, sizeof(opts.seed));
	if (weft_dhcpc_new(&opts, &j->dhcpc) == 0 &&
	    weft_loop_add(j->m.loop, weft_dhcpc_task(j->dhcpc)) == 0)
		return;
	weft_log_error(&j->m.output.log, "no memory for a DHCP client");
	weft_dhcpc_free(j->dhcpc);
	j->dhcpc = NULL;
}

/* Called at once, and again when the time is over. */
static void end_linger(void *user, uint64_t now)
{
	struct join *j = user;

	(void)now;
	if (j->has_lingered)
		weft_loop_stop(j->m.loop);
	j->has_lingered = true;
}

static void linger(struct join *j)
{
	struct ticker ticker = { .period_ns = 0 };

	if (ticker_start(&ticker, j->m.loop, LINGER_NS, end_linger, j) == 0)
		weft_loop_run(j->m.loop);
	ticker_stop(&ticker, j->m.loop);
}

static void end_dhcp(struct join *j)
{
	weft_loop_remove(j->m.loop, weft_dhcpc_task(j->dhcpc));
	forget_address(j);
	weft_dhcpc_release(j->dhcpc, weft_loop_now(j->m.loop));
}

/*
 * Connections are ended and the lease goes back while there is still a session to send it
 * through. The pacer may hold a frame back for some milliseconds, so the loop runs on for a
 * moment.
 */
static void take_leave(struct join *j)
{
	bool was_host = j->rootless.stack != NULL;

	conflict_end(&j->conflict);
	rootless_end(&j->rootless);
	if (j->dhcpc)
		end_dhcp(j);
	if (j->m.member && (j->dhcpc || was_host))
		linger(j);
	weft_dhcpc_free(j->dhcpc);
	j->dhcpc = NULL;
}

static bool join_from_room(struct membership *m, const struct weft_frame *frame,
			   uint64_t now)
{
	struct join *j = of(m);

	conflict_input(&j->conflict, frame);
	return j->dhcpc && weft_dhcpc_input(j->dhcpc, frame, now);
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
		rootless_joined(&j->rootless, j->mac, joined->mtu);
	else
		set_device_up(m, joined->mtu);
	if (j->fixed.family)
		use_address(j, &j->fixed, NULL, "--address");
	else if (j->wants_offer && !j->dhcpc && !joined->has_gateway &&
		 joined->address.family)
		use_address(j, &joined->address, NULL, "the relay");
	/* Once there was a LAN, its lease outlives the gateway's absence. */
	if (j->wants_dhcp && (joined->has_gateway || !j->wants_offer))
		start_dhcp(j);
}

/* A gateway that comes later brings its LAN's DHCP server with it. */
static void join_peer(struct membership *m, const struct weft_peer *peer, bool is_here)
{
	struct join *j = of(m);

	if (!is_here || peer->role != WEFT_ROLE_GATEWAY || !j->wants_dhcp ||
	    m->has_stations)
		return;
	start_dhcp(j);
	if (j->dhcpc)
		weft_dhcpc_hurry(j->dhcpc, weft_loop_now(m->loop));
}

/*
 * Router advertisements of the room may give addresses, never a default route. The setting is
 * the device's own and goes with it.
 */
static void refuse_default_route(const char *device)
{
	char path[96];
	FILE *stream;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/accept_ra_defrtr",
		 device);
	stream = fopen(path, "we");
	if (!stream)
		return; /* no IPv6 here */
	(void)fputs("0\n", stream);
	(void)fclose(stream);
}

/* The MAC of a member that has no device. Returns 0 or -Exxx with err. */
static int choose_mac(struct join *j, struct weft_error *err)
{
	static const struct weft_mac zero;

	j->mac = j->m.args->mac;
	return memcmp(&j->mac, &zero, sizeof(zero)) == 0
		       ? identity_mac(&j->m.state, err, &j->mac)
		       : 0;
}

/* The member itself sends nothing under its MAC, but has to have one. */
static int open_plugs(struct join *j, struct weft_error *err)
{
	int r = choose_mac(j, err);

	j->m.has_stations = true;
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

	if (r < 0)
		return r;
	j->rootless.output = &j->m.output;
	r = rootless_open(&j->rootless, &j->m.args->rootless, j->m.loop, err, &j->m.link);
	j->is_bad_link = r == -EINVAL;
	return r;
}

static int open_link(struct join *j, struct weft_error *err)
{
	const struct place_opts place = { .spec = j->m.args->link,
					  .mac = j->m.args->mac,
					  .state = &j->m.state,
					  .host = j->m.host };
	int r = place_open(&place, err, &j->m.link, &j->mac);

	j->is_bad_link = r == -EINVAL;
	j->m.has_device = r == 0;
	if (r == 0)
		refuse_default_route(weft_link_name(j->m.link));
	return r;
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
	const struct option_ip *address = &j->m.args->address;
	int r = membership_open(&j->m, err);

	j->fixed = address->ip;
	j->wants_offer = address->word == ADDRESS_AUTO;
	j->wants_dhcp = j->wants_offer || address->word == ADDRESS_DHCP;
	if (r == 0)
		r = open_member_link(j, err);
	if (r < 0)
		return r;
	return membership_run(&j->m, WEFT_ROLE_CLIENT, j->mac, err);
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
	if (!rootless->is_user && (rootless->socks || rootless->socks_user ||
				   rootless->forwards.n > 0 || rootless->exposes.n > 0))
		return "--socks, --forward and --expose are for a host in this process: "
		       "--user";
	return NULL;
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

	j.conflict = (struct conflict){ .m = &j.m, .taken = give_address_up, .user = &j };
	if (options_parse(&command, argc, argv, &args, &status) < 0 ||
	    membership_secrets(&command, argv[1], &j.m, &status) < 0)
		return status;
	const char *wrong = contradiction(&args);
	if (wrong)
		return options_fail(&command, wrong);
	return run(&j);
}
