/* SPDX-License-Identifier: MIT */
/*
 * weft serve: network interfaces over local sockets, for emulators, VMs and programs.
 */
#include "cli/units.h"
#include "cmd/cmd.h"
#include "cmd/serving.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct args {
	struct output_opts output;
	struct serving_args serving;
	struct option_list listen, fds, addresses, modem_dns;
	const char *modem_address, *modem_router;
	const char *mode, *owner;
	unsigned nud, ra; /* enum interface_switch */
	bool once, on_demand;
};

/* clang-format off */
static const struct option options[] = {
	{ .name = "listen", .letter = 'l', .type = OPTION_LIST, .syntax = "WHERE",
	  .offset = OFFSET(struct args, listen),
	  .help = "the same as DIALECT:WHERE, with --dialect; WHERE\n" OPTION_INDENT
		  "is /PATH, PORT, ADDRESS:PORT or [IPv6]:PORT" },
	{ .name = "fd", .type = OPTION_LIST, .syntax = "N",
	  .offset = OFFSET(struct args, fds),
	  .help = "a connected socket that was inherited" },
	{ .name = "dialect", .letter = 'd', .type = OPTION_TEXT, .syntax = "DIALECT",
	  .offset = OFFSET(struct args, serving.dialect),
	  .help = "of --listen, --fd and PROGRAM [tapserver]" },
	{ .name = "mode", .type = OPTION_TEXT, .syntax = "OCTAL",
	  .offset = OFFSET(struct args, mode),
	  .help = "permissions of sockets that are made [0600]" },
	{ .name = "owner", .type = OPTION_TEXT, .syntax = "USER[:GROUP]",
	  .offset = OFFSET(struct args, owner), .help = "and whose they are" },
	{ .name = "name", .letter = 'n', .type = OPTION_TEXT, .syntax = "NAME",
	  .offset = OFFSET(struct args, serving.interface.name),
	  .help = "of the TAP [the first free of weft0, weft1 ...]" },
	{ .name = "address", .letter = 'a', .type = OPTION_LIST, .syntax = "IP/LEN",
	  .offset = OFFSET(struct args, addresses),
	  .help = "this machine's on the TAP; may be given again" },
	{ .name = "mac", .type = OPTION_MAC, .syntax = "MAC",
	  .offset = OFFSET(struct args, serving.interface.mac),
	  .help = "of the TAP [the kernel's choice]" },
	{ .name = "mtu", .type = OPTION_NUMBER, .syntax = "N", .min = 68, .max = 65535,
	  .offset = OFFSET(struct args, serving.interface.mtu),
	  .help = "of the TAP [1500]" },
	{ .name = "metric", .type = OPTION_NUMBER, .syntax = "N",
	  .offset = OFFSET(struct args, serving.interface.metric),
	  .help = "of the routes to its networks [the kernel's]" },
	{ .name = "nud", .type = OPTION_CHOICE, .syntax = "system|on|off",
	  .offset = OFFSET(struct args, nud),
	  .help = "whether IPv6 neighbours are probed [system]" },
	{ .name = "accept-ra", .type = OPTION_CHOICE, .syntax = "system|on|off",
	  .offset = OFFSET(struct args, ra),
	  .help = "whether routers' advertisements are taken [system]" },
	{ .name = "link", .type = OPTION_TEXT, .syntax = "LINK",
	  .offset = OFFSET(struct args, serving.interface.link),
	  .help = "the uplink instead of a TAP, see `weft help links`" },
	{ .name = "no-link", .type = OPTION_FLAG,
	  .offset = OFFSET(struct args, serving.no_link),
	  .help = "only the clients among themselves; needs no root" },
	{ .name = "isolate", .letter = 'i', .type = OPTION_FLAG,
	  .offset = OFFSET(struct args, serving.isolated),
	  .help = "clients reach the uplink, not each other" },
	{ .name = "once", .letter = '1', .type = OPTION_FLAG,
	  .offset = OFFSET(struct args, once),
	  .help = "one client, the interface while it is there" },
	{ .name = "on-demand", .type = OPTION_FLAG,
	  .offset = OFFSET(struct args, on_demand),
	  .help = "the interface while there are clients" },
	{ .name = "clients", .type = OPTION_NUMBER, .syntax = "N",
	  .offset = OFFSET(struct args, serving.clients_max),
	  .help = "most at once of each DIALECT:ADDRESS [64]" },
	{ .name = "modem-address", .type = OPTION_TEXT, .syntax = "IP/LEN",
	  .offset = OFFSET(struct args, modem_address),
	  .help = "of the first modem, others count up [by DHCP]" },
	{ .name = "modem-router", .type = OPTION_TEXT, .syntax = "IP",
	  .offset = OFFSET(struct args, modem_router),
	  .help = "that modems send through [the --address beside them]" },
	{ .name = "modem-dns", .type = OPTION_LIST, .syntax = "IP",
	  .offset = OFFSET(struct args, modem_dns),
	  .help = "name server of modems; may be given twice" },
	{ .name = "client-fdb", .type = OPTION_NUMBER, .syntax = "N",
	  .offset = OFFSET(struct args, serving.client_fdb_max),
	  .help = "learn at most so many addresses of each [256]" },
	{ .name = "user", .letter = 'u', .type = OPTION_TEXT, .syntax = "USER",
	  .offset = OFFSET(struct args, serving.user),
	  .help = "whose process to become [nobody]" },
	{ .name = "show-data", .type = OPTION_FLAG,
	  .offset = OFFSET(struct args, serving.show_data),
	  .help = "print every frame in hex" },
	{ .name = "show-size-warnings", .type = OPTION_FLAG,
	  .offset = OFFSET(struct args, serving.show_size_warnings),
	  .help = "and those that need the framed protocol" },
	{ .name = "busy-poll", .type = OPTION_FLAG,
	  .offset = OFFSET(struct args, serving.busy_poll),
	  .help = "never sleep: least delay, one core at 100 %" },
	{ .name = "interval", .type = OPTION_DURATION, .syntax = "TIME",
	  .offset = OFFSET(struct args, serving.interval_ns),
	  .help = "between status lines [1s]" },
	OUTPUT_OPTIONS(struct args),
	{ 0 },
};
/* clang-format on */

static const struct command command = {
	.verb = "serve",
	.operands = "[DIALECT:ADDRESS]... [-- PROGRAM [ARGUMENT]...]",
	.operands_max = PLUG_SPECS_MAX,
	.summary =
		"Gives network interfaces to emulators, VMs and programs that come to local\n"
		"sockets, and joins all of them and a TAP of this machine's in one Ethernet.",
	.options = options,
	.notes =
		"weft serve --address 172.30.0.1/16 tapserver:/tmp/dolphin-tap    for Dolphin\n"
		"weft serve --link packet:eth0 qemu:/run/a.sock vde:/run/vde      the wired LAN\n"
		"weft serve --no-link -d qemu -- qemu-system-x86_64 \\\n"
		"     -netdev stream,id=n0,addr.type=fd,addr.str={} -device virtio-net,netdev=n0\n"
		"\n"
		"`weft help links` lists the dialects and their options. PROGRAM finds the number\n"
		"of its socket in place of {} or {fd} and in $WEFT_FD; weft ends when it does,\n"
		"with its status. With --json: \"listening\", \"interface\", \"ready\", "
		"\"plugged\",\n"
		"\"unplugged\", \"modem\", \"trouble\", \"uplink-ended\", and \"facts\" "
		"at the end.",
};

/* ---- words ------------------------------------------------------------------------------- */

static void listening(struct output *out, const struct weft_plug *plug)
{
	weft_log_info(&out->log, "%s", weft_plug_name(plug));
}

static void waiting(struct output *out)
{
	weft_log_debug(&out->log, "waiting for clients");
}

static void connected(struct output *out, const struct weft_serve_client *client)
{
	weft_log_info(&out->log, "client %" PRIu32 " plugged in: %s (%s)", client->id,
		      client->peer, weft_plug_name(client->plug));
}

static int disconnected(struct output *out, const struct weft_serve_client *client,
			const char *reason)
{
	weft_log_info(&out->log, "client %" PRIu32 " is gone%s%s", client->id,
		      *reason ? ": " : "", reason);
	return STATUS_OK;
}

static void uplink_ended(struct output *out, const char *name, const char *reason)
{
	weft_log_error(&out->log, "%s has ended%s%s", name, *reason ? ": " : "", reason);
}

static int cannot_start(int r, const char *text)
{
	return output_fail_link("serve", r, text);
}

static const struct serving_words words = {
	.verb = "serve",
	.failed = STATUS_FAILED,
	.listening = listening,
	.waiting = waiting,
	.connected = connected,
	.disconnected = disconnected,
	.uplink_ended = uplink_ended,
	.cannot_start = cannot_start,
};

/* ---- the command line -------------------------------------------------------------------- */

/* Cuts "-- PROGRAM ..." off; argv then ends in front of it. */
static void take_program(struct args *args, int *argc, char **argv)
{
	for (int i = 1; i < *argc; i++) {
		if (strcmp(argv[i], "--") != 0)
			continue;
		argv[i] = NULL;
		*argc = i;
		args->serving.program = argv + i + 1;
		return;
	}
}

static const char *take_addresses(struct args *args)
{
	struct interface_opts *interface = &args->serving.interface;
	for (size_t i = 0; i < args->addresses.n; i++) {
		if (interface->addresses_n == INTERFACE_ADDRESSES_MAX)
			return "--address: more than 16 times";
		if (!strchr(args->addresses.items[i], '/') ||
		    weft_ip_parse(args->addresses.items[i],
				  &interface->addresses[interface->addresses_n]) < 0)
			return "--address takes an address with its prefix length, such "
			       "as 172.30.0.1/16 or fd00::1/64";
		interface->addresses_n++;
	}
	return NULL;
}

static bool parse_ip4(const char *text, bool has_prefix, struct weft_ip *ret_ip)
{
	return !strchr(text, '/') == !has_prefix && weft_ip_parse(text, ret_ip) == 0 &&
	       ret_ip->family == AF_INET;
}

static bool is_same_network(const struct weft_ip *a, const struct weft_ip *b)
{
	for (unsigned bit = 0; bit < a->prefix; bit++)
		if (((a->octet[bit / 8] ^ b->octet[bit / 8]) << bit % 8) & 0x80)
			return false;
	return b->family == AF_INET;
}

/* Without a router of their own, modems use this machine where it is in their network. */
static void find_router(struct serving_args *serving)
{
	const struct interface_opts *interface = &serving->interface;
	for (size_t i = 0; i < interface->addresses_n; i++) {
		if (!is_same_network(&serving->modem_address, &interface->addresses[i]))
			continue;
		serving->modem_router = interface->addresses[i];
		serving->modem_router.prefix = 32;
		return;
	}
}

static const char *take_modems(struct args *args)
{
	struct serving_args *serving = &args->serving;
	if (args->modem_address &&
	    !parse_ip4(args->modem_address, true, &serving->modem_address))
		return "--modem-address takes IPv4 with its prefix length, such as "
		       "172.30.0.100/16";
	if (args->modem_router &&
	    !parse_ip4(args->modem_router, false, &serving->modem_router))
		return "--modem-router takes an IPv4 address";
	if (args->modem_dns.n > 2)
		return "--modem-dns: a modem is told of two at most";
	for (size_t i = 0; i < args->modem_dns.n; i++)
		if (!parse_ip4(args->modem_dns.items[i], false, &serving->modem_dns[i]))
			return "--modem-dns takes an IPv4 address";
	if (serving->modem_address.family && !serving->modem_router.family)
		find_router(serving);
	return NULL;
}

/* Makes specs of --listen and --fd, and takes those that are named. */
static const char *take_plugs(struct args *args, char **operands, int n)
{
	struct plug_specs *plugs = &args->serving.plugs;
	const char *dialect = args->serving.dialect;
	char options_text[160], address[32];
	int r = 0;
	for (int i = 0; i < n; i++)
		if (strspn(operands[i], "/.[0123456789"))
			return "name the dialect as well, as in "
			       "tapserver:/tmp/dolphin-tap, or use --listen";
	(void)snprintf(options_text, sizeof(options_text), "%s%s%s%s%s",
		       args->mode ? "mode=" : "", args->mode ? args->mode : "",
		       args->mode && args->owner ? "," : "", args->owner ? "owner=" : "",
		       args->owner ? args->owner : "");
	for (int i = 0; i < n && r == 0; i++)
		r = plug_specs_add_text(plugs, operands[i], options_text);
	for (size_t i = 0; i < args->listen.n && r == 0; i++)
		r = plug_specs_add(plugs, dialect, args->listen.items[i], options_text);
	for (size_t i = 0; i < args->fds.n && r == 0; i++) {
		(void)snprintf(address, sizeof(address), "fd:%.20s", args->fds.items[i]);
		r = plug_specs_add(plugs, dialect, address, NULL);
	}
	if (r < 0)
		return r == -ENOSPC ? "more than 64 sockets" : "an address is too long";
	return NULL;
}

static const char *check(const struct args *args)
{
	const struct serving_args *serving = &args->serving;
	const struct interface_opts *interface = &serving->interface;
	if (serving->plugs.n == 0 && !serving->program)
		return "name a socket, such as tapserver:/tmp/dolphin-tap, or a PROGRAM";
	if (serving->program && !serving->program[0])
		return "PROGRAM is missing behind --";
	if (args->once && args->on_demand)
		return "--once is --on-demand for one client: give one of them";
	if (serving->program && serving->life != SERVING_STAYS)
		return "with a PROGRAM there is an interface as long as it runs: leave "
		       "out --once and --on-demand";
	if (serving->no_link && (interface->link || interface->name ||
				 interface->addresses_n || interface->mtu))
		return "--no-link is to have no interface: leave out its settings";
	if (interface->link && interface->name)
		return "--link and --name: give one of them";
	return NULL;
}

int cmd_serve(int argc, char **argv)
{
	struct args *args = calloc(1, sizeof(*args));
	int status = STATUS_FAILED;
	if (!args)
		return output_fail("serve", "out of memory");
	args->serving.dialect = "tapserver";
	args->serving.interval_ns = NS_PER_S;
	take_program(args, &argc, argv);
	int n = options_parse(&command, argc, argv, args, &status);
	if (n < 0)
		goto free_args;
	if (args->once || args->on_demand)
		args->serving.life = args->once ? SERVING_ONCE : SERVING_ON_DEMAND;
	args->serving.output = args->output;
	args->serving.interface.nud = (enum interface_switch)args->nud;
	args->serving.interface.ra = (enum interface_switch)args->ra;
	const char *wrong = take_addresses(args);
	wrong = wrong ? wrong : take_modems(args);
	wrong = wrong ? wrong : take_plugs(args, argv + 1, n);
	wrong = wrong ? wrong : check(args);
	status = wrong ? options_fail(&command, wrong)
		       : serving_run(&args->serving, &words);
free_args:
	free(args);
	return status;
}
