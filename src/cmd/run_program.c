/* SPDX-License-Identifier: MIT */
/*
 * weft run INVITATION -- PROGRAM: a program in a room, and in no other network.
 *
 *     program --- kernel --- weft0 | in namespaces (enclosure.h)
 *                              |
 *                            member --- relay, by this machine's own network
 *
 * The program is started when there is an address, and its exit status becomes weft's. What the
 * room says about routers and names is good for it, as it has no others.
 */
#include "cmd/addressing.h"
#include "cmd/cmd.h"
#include "cmd/enclosure.h"
#include "cmd/identity.h"
#include "cmd/membership.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* So long an address is waited for once the room is joined. */
#define PATIENCE_S 15u

#define ARGUMENTS_MAX 4096u

/* Where execvp(3) looks without a PATH. */
#define PATH_STANDARD "/bin:/usr/bin"

struct run {
	struct membership m; /* first: the hooks lead back from it */
	struct addressing addressing;
	struct enclosure enclosure;
	struct names given; /* by --dns */
	unsigned waited_s;
	bool has_joined;
	int status; /* the program's; -1: it has none */
};

static const struct option options[] = {
	ADDRESS_OPTION,
	{ .name = "dns",
	  .type = OPTION_LIST,
	  .syntax = "IP",
	  .offset = OFFSET(struct membership_args, rootless.dns),
	  .help = "asks this name server [the room's]" },
	{ .name = "mac",
	  .type = OPTION_MAC,
	  .syntax = "MAC",
	  .offset = OFFSET(struct membership_args, mac),
	  .help = "its Ethernet address [made once and kept]" },
	MEMBERSHIP_OPTIONS,
	{ .name = "quiet",
	  .letter = 'q',
	  .type = OPTION_FLAG,
	  .offset = OFFSET(struct membership_args, output.quiet),
	  .help = "print warnings and errors only [so without -v]" },
	{ .name = "verbose",
	  .letter = 'v',
	  .type = OPTION_FLAG,
	  .offset = OFFSET(struct membership_args, output.verbose),
	  .help = "print what happens" },
	{ 0 },
};

static const struct command command = {
	.verb = "run",
	.operands = "INVITATION -- PROGRAM [ARGUMENT]...",
	.operands_min = 2,
	.operands_max = ARGUMENTS_MAX,
	.summary =
		"Runs a program whose only network is a room, or the LAN behind its gateway: in\n"
		"namespaces of its own, without root. Nothing else on this machine takes part.",
	.options = options,
	.notes =
		"weft run INVITATION -- minetest\n"
		"weft run INVITATION -- bash        then, in there: ip address, ping alice ...\n"
		"\n"
		"INVITATION as for `weft join`; 'weft:' takes $WEFT_INVITATION, or asks for it.\n"
		"Ends when the program does, with its exit status (128 + N after signal N; 127:\n"
		"there is no such program), and ends what the program has left running.",
};

static struct run *of(struct membership *m)
{
	return (struct run *)(void *)m;
}

/* ---- the address ------------------------------------------------------------------------- */

static void use_names(struct run *run, const struct given *given)
{
	char text[ENCLOSURE_NAMES_LEN];
	struct names names = given->names;
	if (run->given.servers_n > 0) {
		names.servers_n = run->given.servers_n;
		memcpy(names.servers, run->given.servers, sizeof(names.servers));
	}
	enclosure_use_names(&run->enclosure, names_print(&names, text, sizeof(text)));
}

static void start(struct run *run)
{
	struct weft_error err;
	if (enclosure_start(&run->enclosure, &err) == 0)
		return;
	weft_error_set(&run->m.failure, -ECHILD, "%s", err.text);
	weft_loop_stop(run->m.loop);
}

static int run_set(void *user, const struct given *given, struct weft_error *err)
{
	struct run *run = user;
	int r = enclosure_set_address(&run->enclosure, &given->address, &given->router,
				      err);
	use_names(run, given);
	if (r == 0)
		start(run);
	return r;
}

static void run_clear(void *user, const struct weft_ip *address)
{
	struct run *run = user;
	enclosure_clear_address(&run->enclosure, address);
}

static void run_renew(void *user, const struct given *given)
{
	use_names(user, given);
}

static const struct addressing_ops ops = { .set = run_set,
					   .clear = run_clear,
					   .renew = run_renew };

/* ---- the room ---------------------------------------------------------------------------- */

static void run_joined(struct membership *m, const struct weft_joined *joined,
		       uint64_t now)
{
	struct run *run = of(m);
	struct weft_error err;
	(void)now;
	run->has_joined = true;
	if (enclosure_set_up(&run->enclosure, joined->mtu, &err) < 0)
		weft_log_error(&m->output.log, "%s", err.text);
	addressing_joined(&run->addressing, joined);
	if (m->args->address.word == ADDRESS_NONE)
		start(run);
}

static void run_peer(struct membership *m, const struct weft_peer *peer, bool is_here)
{
	addressing_peer(&of(m)->addressing, peer, is_here);
}

static bool run_from_room(struct membership *m, const struct weft_frame *frame,
			  uint64_t now)
{
	return addressing_take(&of(m)->addressing, frame, now);
}

/* A network without DHCP has IPv6, or the program's own ways. */
static void run_tick(struct membership *m)
{
	struct run *run = of(m);
	if (!run->has_joined || run->enclosure.is_started)
		return;
	if (run->waited_s++ < PATIENCE_S)
		return;
	weft_log_warning(&m->output.log,
			 "nobody gives an address: the program starts without one");
	start(run);
}

/* ---- signals and the end ----------------------------------------------------------------- */

/* What the keyboard sends, it sends to all in the foreground: the program has had it. */
static bool is_of_keyboard(int signo)
{
	if (signo != SIGINT && signo != SIGQUIT)
		return false;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (isatty(fd) && tcgetpgrp(fd) == getpgrp())
			return true;
	return false;
}

static void pass_on(void *user, int signo)
{
	struct run *run = user;
	if (!run->enclosure.is_started || !is_of_keyboard(signo))
		enclosure_signal(&run->enclosure, signo);
}

static int pass_signals(struct run *run)
{
	static const int signals[] = { SIGINT,  SIGQUIT, SIGTERM, SIGHUP,
				       SIGUSR1, SIGUSR2, SIGALRM };
	int r = 0;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]) && r == 0; i++)
		r = weft_loop_on_signal(run->m.loop, signals[i], pass_on, run);
	return r;
}

static void program_ended(void *user, int status)
{
	struct run *run = user;
	run->status = status;
	weft_loop_stop(run->m.loop);
}

static int open_device(struct run *run, int fd, struct weft_error *err)
{
	char spec[128], mac[WEFT_MAC_TEXT];
	struct addressing *a = &run->addressing;
	int r = identity_mac(&run->m.state, run->m.args->mac, err, &a->mac);
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	(void)snprintf(spec, sizeof(spec), "tap:" ENCLOSURE_DEVICE ",fd=%d,mac=%s", fd,
		       weft_mac_print(a->mac, mac));
	return weft_link_open(spec, err, &run->m.link);
}

static int run_room(struct run *run, char **argv, struct weft_error *err)
{
	int r = names_give(&run->given, &run->m.args->rootless.dns, err);
	int fd = r < 0 ? r
		       : enclosure_open(&run->enclosure, argv, &run->m.output.log, err);
	if (fd < 0)
		return fd;
	r = membership_open(&run->m, err);
	addressing_init(&run->addressing, &run->m, &ops, run);
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	r = open_device(run, fd, err);
	if (r < 0)
		return r;
	run->enclosure.ended = program_ended;
	run->enclosure.user = run;
	r = pass_signals(run);
	if (r == 0)
		r = weft_loop_add(run->m.loop, &run->enclosure.task);
	if (r < 0)
		return weft_error_set(err, r, "%s", strerror(-r));
	return membership_run(&run->m, WEFT_ROLE_CLIENT, run->addressing.mac, err);
}

static int run_all(struct run *run, char **argv)
{
	struct weft_error err = { .text = "" };
	output_init(&run->m.output, &run->m.args->output);
	int r = run_room(run, argv, &err);
	if (run->m.loop) {
		weft_loop_remove(run->m.loop, &run->enclosure.task);
		addressing_leave(&run->addressing, true);
	}
	enclosure_close(&run->enclosure);
	membership_close(&run->m);
	if (run->status >= 0)
		return run->status;
	return r < 0 ? output_fail("run", err.text) : STATUS_FAILED;
}

/* Whether execvp(3) will find it: a typing error is told before anybody joins. */
static bool is_found(const char *program)
{
	const char *path = getenv("PATH");
	char candidate[PATH_MAX];
	if (strchr(program, '/'))
		return access(program, F_OK) == 0;
	for (path = path ? path : PATH_STANDARD; *path; path += *path == ':') {
		size_t len = strcspn(path, ":");
		(void)snprintf(candidate, sizeof(candidate), "%.*s/%s",
			       len > 0 ? (int)len : 1, len > 0 ? path : ".", program);
		if (access(candidate, F_OK) == 0)
			return true;
		path += len;
	}
	return false;
}

int cmd_run(int argc, char **argv)
{
	struct membership_args args = { .link = "" };
	struct run run = { .m = { .verb = "run",
				  .args = &args,
				  .leaves_signals = true,
				  .on_joined = run_joined,
				  .on_peer = run_peer,
				  .on_tick = run_tick,
				  .from_room = run_from_room },
			   .enclosure = { .task = { .fd = -1 } },
			   .status = -1 };
	int status;
	int n = options_parse(&command, argc, argv, &args, &status);
	if (n < 0 || membership_secrets(&command, argv[1], &run.m, &status) < 0)
		return status;
	argv[n + 1] = NULL; /* an option that stood there has been read */
	if (!is_found(argv[2])) {
		(void)fprintf(stderr, "weft run: %s: %s\n", argv[2], strerror(ENOENT));
		return ENCLOSURE_NOT_FOUND;
	}
	args.output.quiet = !args.output.verbose;
	return run_all(&run, argv + 2);
}
