/* SPDX-License-Identifier: MIT */
/*
 * `weft bridge`: opens links, makes each a port of one bridge, and runs until a signal or
 * until fewer than two links are left.
 *
 * Devices that are down are set up through struct weft_host, which sets them down again at
 * the end; everything else that was made here goes with the process.
 */
#include "cli/facts.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/privilege.h"
#include "cli/run.h"
#include "cli/state.h"
#include "cli/units.h"
#include "cmd/bridged.h"
#include "cmd/cmd.h"

#include <weft/bridge.h>
#include <weft/error.h>
#include <weft/host.h>
#include <weft/link.h>
#include <weft/loop.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define PORTS_MAX 64u

struct args {
	struct output_opts output;
	struct option_list isolate;
	uint64_t ageing_ns;
	uint64_t interval_ns;
	uint32_t fdb_max;
	bool busy_poll;
};

static const struct option options[] = {
	{ .name = "isolate",
	  .letter = 'i',
	  .type = OPTION_LIST,
	  .syntax = "LINK",
	  .offset = OFFSET(struct args, isolate),
	  .help = "one more link, or one of those named: it talks\n" OPTION_INDENT
		  "to no other isolated link; may be given again" },
	{ .name = "ageing",
	  .letter = 'a',
	  .type = OPTION_DURATION,
	  .syntax = "TIME",
	  .offset = OFFSET(struct args, ageing_ns),
	  .help = "forget an address that was silent for so long [300s]" },
	{ .name = "fdb-max",
	  .type = OPTION_NUMBER,
	  .syntax = "N",
	  .offset = OFFSET(struct args, fdb_max),
	  .help = "learn at most so many addresses [4096]" },
	{ .name = "busy-poll",
	  .type = OPTION_FLAG,
	  .offset = OFFSET(struct args, busy_poll),
	  .help = "never sleep: least delay, one core at 100 %" },
	{ .name = "interval",
	  .type = OPTION_DURATION,
	  .syntax = "TIME",
	  .offset = OFFSET(struct args, interval_ns),
	  .help = "between status lines and \"stats\" events [1s]" },
	OUTPUT_OPTIONS(struct args),
	{ 0 },
};

static const struct command command = {
	.verb = "bridge",
	.operands = "LINK LINK...",
	.operands_min = 0, /* Isolated links count as well: see ports_check. */
	.operands_max = PORTS_MAX,
	.summary =
		"Joins Ethernet links into one segment, as a learning switch does, until\n"
		"SIGINT or SIGTERM. Devices that are down are set up meanwhile.",
	.options = options,
	.notes =
		"weft bridge tap:near impair:loss=1%,delay=20ms:tap:far   two hosts, a bad line\n"
		"weft bridge packet:eth0 tap:vm0 tap:vm1                  guests on the wired LAN\n"
		"\n"
		"`weft help links` lists the links. With --json: \"ready\", \"stats\" each\n"
		"--interval, \"link-down\", and \"end\", which has all that \"stats\" has.",
};

/* All that runs. */
struct switching {
	struct output out;
	struct bridged ports[PORTS_MAX];
	size_t ports_n;
	struct weft_host *host; /* Undoes what was set up; NULL where nothing was. */
	struct weft_bridge *bridge;
	struct weft_loop *loop;
	struct ticker ticker;
	uint64_t ticked_at;
	unsigned alone; /* Ticks with fewer than two links. */
	int status;
};

/* ---- ports ------------------------------------------------------------------------------- */

static int usage(const char *text)
{
	(void)fprintf(stderr, "weft bridge: %s (see `weft help bridge`)\n", text);
	return STATUS_USAGE;
}

static struct bridged *port_find(struct switching *s, const char *spec)
{
	for (size_t i = 0; i < s->ports_n; i++)
		if (strcmp(s->ports[i].spec, spec) == 0)
			return &s->ports[i];
	return NULL;
}

/* Puts the operands and the isolated links into the ports. */
static int ports_collect(struct switching *s, const struct args *args, char **operands,
			 size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (port_find(s, operands[i]))
			return usage("a link is named twice");
		s->ports[s->ports_n++].spec = operands[i];
	}
	for (size_t i = 0; i < args->isolate.n; i++) {
		struct bridged *port = port_find(s, args->isolate.items[i]);
		if (!port && s->ports_n == PORTS_MAX)
			return usage("more than 64 links");
		if (!port) {
			port = &s->ports[s->ports_n++];
			port->spec = args->isolate.items[i];
		}
		port->isolated = true;
	}
	return s->ports_n < 2 ? usage("a bridge joins at least two: LINK LINK") : 0;
}

static int port_add(struct switching *s, struct bridged *port)
{
	const struct weft_bridge_port_opts opts = { .isolated = port->isolated };
	struct weft_error err;
	int r = bridged_check(port, s->ports, (size_t)(port - s->ports), &err);
	if (r < 0)
		return output_fail_link("bridge", r, err.text);
	r = weft_bridge_add(s->bridge, port->link, &opts, &port->port);
	return r < 0 ? output_fail("bridge", strerror(-r)) : STATUS_OK;
}

static int ports_open(struct switching *s)
{
	int status = STATUS_OK;
	for (size_t i = 0; i < s->ports_n && status == STATUS_OK; i++) {
		status = bridged_open(&s->ports[i], &command, s->loop, &s->out);
		if (status == STATUS_OK)
			status = port_add(s, &s->ports[i]);
	}
	return status;
}

/* ---- devices ----------------------------------------------------------------------------- */

/* Whether a link stands on a device of this machine that is down. */
static bool is_set_down(struct weft_host *host, const struct weft_link *link)
{
	struct weft_interface facts;
	struct weft_mac mac;
	return weft_link_mac(link, &mac) &&
	       weft_host_interface(host, weft_link_name(link), NULL, &facts) == 0 &&
	       !facts.is_up;
}

static void log_recovered(void *user, const char *text)
{
	weft_log_info(user, "left behind by an earlier run: %s", text);
}

/* Sets one device up; true if there is something to undo now. */
static bool device_up(struct switching *s, const struct weft_link *link)
{
	const char *name = weft_link_name(link);
	struct weft_error err;
	if (!is_set_down(s->host, link))
		return false;
	if (weft_host_set_up(s->host, name, true, &err) < 0) {
		weft_log_warning(&s->out.log, "%s is down, and stays so: %s", name,
				 err.text);
		return false;
	}
	weft_log_debug(&s->out.log, "%s was down and is set up", name);
	return true;
}

/* Sets up what is down. The host is kept if that has to be undone. */
static void devices_up(struct switching *s, const char *runtime_dir)
{
	const struct weft_host_opts opts = { .state_dir = runtime_dir };
	struct weft_error err;
	bool any = false;
	if (weft_host_new(&opts, &err, &s->host) < 0) {
		weft_log_warning(&s->out.log, "devices stay as they are: %s", err.text);
		return;
	}
	(void)weft_host_recover(s->host, log_recovered, &s->out.log);
	for (size_t i = 0; i < s->ports_n; i++)
		any |= device_up(s, s->ports[i].link);
	if (any)
		return;
	weft_host_free(s->host);
	s->host = NULL;
}

/* ---- what is told ------------------------------------------------------------------------ */

static json_t *port_facts(const struct switching *s, const struct bridged *port)
{
	json_t *facts = facts_link(port->spec, port->link);
	(void)json_object_set_new(facts, "isolated", json_boolean(port->isolated));
	(void)json_object_set_new(facts, "outcomes",
				  facts_outcomes(s->bridge, port->port));
	return facts;
}

static json_t *all_facts(const struct switching *s)
{
	json_t *ports = json_array();
	for (size_t i = 0; i < s->ports_n; i++)
		(void)json_array_append_new(ports, port_facts(s, &s->ports[i]));
	return json_pack("{s:o, s:o, s:o}", "ports", ports, "fdb", facts_fdb(s->bridge),
			 "outcomes", facts_outcomes(s->bridge, NULL));
}

static uint64_t drops(const struct switching *s)
{
	uint64_t n = 0;
	for (unsigned i = WEFT_BRIDGE_DROP_RUNT; i < WEFT_BRIDGE_OUTCOMES; i++)
		n += weft_bridge_count(s->bridge, NULL, i);
	for (size_t i = 0; i < s->ports_n; i++) {
		const struct weft_link_stats stats = weft_link_stats(s->ports[i].link);
		n += stats.tx_dropped + stats.tx_too_long;
	}
	return n;
}

/* "in: a 1.2 Gbit/s, b 34.0 Mbit/s; 5 addresses, 3 dropped" */
static void show_status(struct switching *s, uint64_t now)
{
	char text[OUTPUT_STATUS_LEN] = "in: ", rate[UNITS_TEXT],
	     addresses[UNITS_COUNT_TEXT];
	size_t off = strlen(text);
	uint64_t elapsed = now - s->ticked_at;
	for (size_t i = 0; i < s->ports_n && off < sizeof(text); i++) {
		struct bridged *port = &s->ports[i];
		uint64_t bytes = weft_link_stats(port->link).rx_bytes;
		double bps = 8e9 * (double)(bytes - port->rx_bytes) / (double)elapsed;
		port->rx_bytes = bytes;
		off += (size_t)snprintf(text + off, sizeof(text) - off, "%s%s %s",
					i ? ", " : "", bridged_name(port),
					units_print_rate((uint64_t)bps, rate));
	}
	if (off < sizeof(text))
		(void)snprintf(text + off, sizeof(text) - off,
			       "; %s, %" PRIu64 " dropped",
			       units_print_count(weft_bridge_fdb_stats(s->bridge).learned,
						 "address", "addresses", addresses),
			       drops(s));
	output_status(&s->out, now, text);
}

/* Says which links have ended since; returns how many are left. */
static size_t watch_links(struct switching *s)
{
	size_t up = 0;
	for (size_t i = 0; i < s->ports_n; i++) {
		struct bridged *port = &s->ports[i];
		const char *reason;
		const bool is_down = bridged_is_down(port, &reason);
		up += !is_down;
		if (!is_down || port->was_down)
			continue;
		port->was_down = true;
		output_event(
			&s->out, "link-down",
			json_pack("{s:s, s:s}", "link", port->spec, "reason", reason));
		if (!bridged_is_device(port)) {
			weft_log_info(&s->out.log, "%s is at its end%s%s", port->spec,
				      *reason ? ": " : "", reason);
			continue;
		}
		weft_log_error(&s->out.log, "%s: the device is gone", port->spec);
		s->status = STATUS_FAILED;
	}
	return up;
}

/* One whole tick passes before the end, so that frames under way arrive. */
static void tick(void *user, uint64_t now)
{
	struct switching *s = user;
	if (s->ticked_at) {
		show_status(s, now);
		output_event(&s->out, "stats", s->out.json ? all_facts(s) : NULL);
	}
	s->ticked_at = now;
	s->alone = watch_links(s) < 2 ? s->alone + 1 : 0;
	if (s->alone < 2)
		return;
	weft_log_info(&s->out.log, "fewer than two links are left");
	weft_loop_stop(s->loop);
}

static void say_goodbye(struct switching *s)
{
	output_end(&s->out);
	output_event(&s->out, "end", s->out.json ? all_facts(s) : NULL);
	for (size_t i = 0; i < s->ports_n && !s->out.json; i++) {
		const struct weft_link_stats stats = weft_link_stats(s->ports[i].link);
		char in[UNITS_TEXT], out[UNITS_TEXT], count[UNITS_COUNT_TEXT];
		weft_log_info(
			&s->out.log,
			"%s: in %s (%s), out %" PRIu64 " (%s), "
			"%" PRIu64 " dropped",
			bridged_name(&s->ports[i]),
			units_print_count(stats.rx_frames, "frame", "frames", count),
			units_print_bytes(stats.rx_bytes, in), stats.tx_frames,
			units_print_bytes(stats.tx_bytes, out),
			stats.tx_dropped + stats.tx_too_long);
	}
	for (unsigned i = 0; i < WEFT_BRIDGE_OUTCOMES && !s->out.json; i++) {
		uint64_t n = weft_bridge_count(s->bridge, NULL, i);
		char count[UNITS_COUNT_TEXT];
		if (n > 0)
			weft_log_info(&s->out.log, "%s: %s", weft_bridge_outcome_name(i),
				      units_print_count(n, "frame", "frames", count));
	}
}

/* ---- running ----------------------------------------------------------------------------- */

static int bridge_make(struct switching *s, const struct args *args)
{
	uint8_t secret[16];
	if (getentropy(secret, sizeof(secret)) < 0)
		return -errno;
	const struct weft_bridge_opts opts = { .fdb_max = args->fdb_max,
					       .ageing_ns = args->ageing_ns,
					       .secret = secret };
	return weft_bridge_new(&opts, &s->bridge);
}

static int loop_make(struct switching *s, const struct args *args)
{
	const struct weft_loop_opts opts = { .busy_poll = args->busy_poll };
	int r = weft_loop_new(&opts, &s->loop);
	return r < 0 ? output_fail("bridge", strerror(-r)) : STATUS_OK;
}

static int tasks_add(struct switching *s, const struct args *args)
{
	int r = 0;
	for (size_t i = 0; i < s->ports_n && r == 0; i++)
		r = weft_loop_add(s->loop, weft_link_task(s->ports[i].link));
	if (r == 0)
		r = weft_loop_add(s->loop, weft_bridge_task(s->bridge));
	if (r == 0)
		r = ticker_start(&s->ticker, s->loop, args->interval_ns, tick, s);
	return r < 0 ? r : stop_on_signals(s->loop);
}

static int switching_start(struct switching *s, const struct args *args)
{
	struct writable writable = { .n = 0 };
	struct privilege_opts privileges = { .writable = &writable };
	char runtime_dir[STATE_PATH_LEN];
	struct weft_error err;
	int r = bridge_make(s, args);
	if (r < 0)
		return output_fail("bridge", strerror(-r));
	int status = loop_make(s, args);
	if (status == STATUS_OK)
		status = ports_open(s);
	if (status != STATUS_OK)
		return status;
	devices_up(s, state_runtime_dir(runtime_dir));
	r = tasks_add(s, args);
	if (r < 0)
		return output_fail("bridge", strerror(-r));
	writable_add(&writable, runtime_dir);
	privileges.keep_net_admin = s->host != NULL;
	for (size_t i = 0; i < s->ports_n; i++) {
		if (s->ports[i].network.link)
			continue; /* What it needs is open. */
		privileges.keep_net_admin |=
			writable_add_spec(&writable, s->ports[i].spec);
	}
	if (privilege_drop(&privileges, &err) < 0)
		return output_fail("bridge", err.text);
	return STATUS_OK;
}

static void switching_end(struct switching *s)
{
	weft_host_free(s->host);
	if (s->bridge && s->loop)
		weft_loop_remove(s->loop, weft_bridge_task(s->bridge));
	weft_bridge_free(s->bridge);
	for (size_t i = 0; i < s->ports_n; i++)
		bridged_close(&s->ports[i], s->loop);
	weft_loop_free(s->loop);
}

int cmd_bridge(int argc, char **argv)
{
	struct args args = { .interval_ns = NS_PER_S };
	struct switching *s;
	int status;
	int n = options_parse(&command, argc, argv, &args, &status);
	if (n < 0)
		return status;
	s = calloc(1, sizeof(*s));
	if (!s)
		return output_fail("bridge", "out of memory");
	output_init(&s->out, &args.output);
	status = ports_collect(s, &args, argv + 1, (size_t)n);
	if (status == STATUS_OK)
		status = switching_start(s, &args);
	if (status == STATUS_OK) {
		output_event(&s->out, "ready", s->out.json ? all_facts(s) : NULL);
		(void)weft_loop_run(s->loop);
		say_goodbye(s);
		status = s->status;
	}
	switching_end(s);
	free(s);
	return status;
}
