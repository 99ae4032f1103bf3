/* SPDX-License-Identifier: MIT */
/*
 * weft host [ROOM]: a relay and this machine's own place in one room of it. The TAP is a port
 * of the room's bridge, without a session in between.
 */
#include "cli/privilege.h"
#include "cmd/cmd.h"
#include "cmd/collision.h"
#include "cmd/discovery.h"
#include "cmd/identity.h"
#include "cmd/place.h"
#include "cmd/relaying.h"

#include <weft/host.h>

#include <errno.h>

/* The words of --address. */
enum { ADDRESS_AUTO, ADDRESS_NONE, ADDRESS_GIVEN };

static const struct option options[] = {
	{ .name = "address",
	  .letter = 'a',
	  .type = OPTION_IP,
	  .syntax = "auto|none|IP/LEN",
	  .offset = OFFSET(struct relaying_args, address),
	  .help = "this machine's in the room [auto: the room's first]" },
	{ .name = "link",
	  .type = OPTION_TEXT,
	  .syntax = "LINK",
	  .offset = OFFSET(struct relaying_args, link),
	  .help = "what takes part, see `weft help links` [tap:weft0]" },
	{ .name = "mac",
	  .type = OPTION_MAC,
	  .syntax = "MAC",
	  .offset = OFFSET(struct relaying_args, mac),
	  .help = "the TAP's address [made once and kept]" },
	{ .name = "no-discovery",
	  .type = OPTION_FLAG,
	  .offset = OFFSET(struct relaying_args, no_discovery),
	  .help = "leave broadcast and multicast to other interfaces" },
	{ .name = "new-secret",
	  .type = OPTION_FLAG,
	  .offset = OFFSET(struct relaying_args, new_secret),
	  .help = "take back all invitations to the room before" },
	RELAYING_OPTIONS,
	OUTPUT_OPTIONS(struct relaying_args),
	{ 0 },
};

static const struct command command = {
	.verb = "host",
	.operands = "[ROOM]",
	.operands_max = 1,
	.summary =
		"Opens a room on this machine, takes part in it, and prints the invitation that\n"
		"lets others in. ROOM is its name [lan].",
	.options = options,
	.notes =
		"Others need to reach one UDP port of this machine. With --json: \"listening\",\n"
		"\"address\", \"collision\", \"invitation\", \"came\", \"left\", and "
		"\"facts\" each minute.",
};

struct hosting {
	struct relaying r;
	struct weft_host *host;
	struct weft_link *link;
	struct weft_mac mac;
	bool is_bad_link; /* --link is wrong, rather than the machine. */
};

static void report_recovered(void *user, const char *text)
{
	struct hosting *h = user;

	weft_log_info(&h->r.output.log, "after an earlier crash: %s", text);
}

/* This machine takes part, so what it has elsewhere cannot be the room's. */
static bool is_taken(void *user, const struct weft_ip *network)
{
	struct hosting *h = user; /* its first member */
	char text[WEFT_IP_TEXT], other[WEFT_IP_TEXT];
	struct weft_route route;

	if (!h->link ||
	    !collision_find(h->host, network, weft_link_name(h->link), &route))
		return false;
	weft_log_info(&h->r.output.log,
		      "%s cannot be the room's network, %s leads to %s; trying another",
		      weft_ip_print(network, text), route.ifname,
		      weft_ip_print(&route.dest, other));
	return true;
}

static int open_link(struct hosting *h, struct weft_error *err)
{
	char runtime[STATE_PATH_LEN];
	const struct weft_host_opts opts = { .state_dir = state_runtime_dir(runtime) };
	int r = weft_host_new(&opts, err, &h->host);

	if (r < 0)
		return r;
	(void)weft_host_recover(h->host, report_recovered, h);
	const struct place_opts place = { .spec = h->r.args->link,
					  .mac = h->r.args->mac,
					  .state = &h->r.state,
					  .host = h->host,
					  .log = &h->r.output.log };
	r = place_open(&place, err, &h->link, &h->mac);
	h->is_bad_link = r == -EINVAL;
	return r;
}

static int set_up(struct hosting *h, const char *room, unsigned mtu,
		  struct weft_error *err)
{
	const char *device = weft_link_name(h->link);
	char text[WEFT_IP_TEXT];
	struct weft_ip address = h->r.args->address.ip;
	int r = weft_host_set_mtu(h->host, device, mtu, err);

	if (h->r.args->address.word == ADDRESS_AUTO)
		address = weft_relay_room_address(h->r.relay, room);
	if (r == 0)
		r = weft_host_set_up(h->host, device, true, err);
	if (r < 0 || !address.family)
		return r;
	r = weft_host_add_address(h->host, device, &address, err);
	if (r < 0)
		return r;
	if (!h->r.args->no_discovery)
		discovery_begin(h->host, device, &h->r.output.log);
	weft_ip_print(&address, text);
	output_event(&h->r.output, "address",
		     json_pack("{s:s, s:s}", "address", text, "device", device));
	weft_log_info(&h->r.output.log, "you are %s on %s in room %s (MTU %u)", text,
		      device, room, mtu);
	return 0;
}

static int host(struct hosting *h, const char *room, struct weft_error *err)
{
	struct writable writable = { .n = 0 };
	const struct privilege_opts privilege = { .keep_net_admin = true,
						  .writable = &writable };
	char runtime[STATE_PATH_LEN];
	uint8_t secret[WEFT_ROOM_SECRET_LEN];
	int r = relaying_open(&h->r, err);

	if (r == 0 && h->r.args->new_secret)
		r = identity_new_room(&h->r.state, room, err);
	if (r == 0)
		r = identity_room(&h->r.state, room, err, secret);
	if (r == 0)
		r = open_link(h, err);
	if (r == 0)
		r = weft_relay_open_room(h->r.relay, room, secret, h->link, h->mac, err);
	if (r > 0)
		r = set_up(h, room, (unsigned)r, err);
	if (r == 0)
		r = relaying_invite(&h->r, room, err);
	if (r == 0)
		r = weft_loop_add(h->r.loop, weft_link_task(h->link));
	writable_add(&writable, state_runtime_dir(runtime));
	if (r == 0)
		r = privilege_drop(&privilege, err);
	return r < 0 ? r : relaying_run(&h->r, err);
}

static int run(struct hosting *h, const char *room)
{
	struct weft_error err = { .text = "" };
	int r;

	output_init(&h->r.output, &h->r.args->output);
	r = host(h, room, &err);
	if (h->link && h->r.loop)
		weft_loop_remove(h->r.loop, weft_link_task(h->link));
	relaying_close(&h->r);
	weft_host_free(h->host);
	weft_link_free(h->link);
	if (h->is_bad_link)
		return output_fail_link("host", r, err.text);
	return r < 0 ? output_fail("host", err.text) : STATUS_OK;
}

int cmd_host(int argc, char **argv)
{
	struct relaying_args args = { .listen = relaying_default_listen(),
				      .mtu = RELAYING_MTU,
				      .link = "tap:weft0" };
	struct hosting h = { .r = { .args = &args,
				    .verb = command.verb,
				    .rooms.fd = -1,
				    .network_is_taken = is_taken } };
	struct weft_error err;
	int status;
	int operands = options_parse(&command, argc, argv, &args, &status);

	if (operands < 0)
		return status;
	if (operands > 0 && !weft_room_name_is_valid(argv[1]))
		return options_fail(&command, "ROOM is 1 to 32 letters, digits, \"-\", "
					      "\"_\" and \".\"");
	if (relaying_check(&args, &err) < 0)
		return options_fail(&command, err.text);
	return run(&h, operands > 0 ? argv[1] : "lan");
}
