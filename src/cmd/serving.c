/* SPDX-License-Identifier: MIT */
/*
 * The server as a process. What needs root comes first, each with its own way to give it up:
 *
 *   stays       everything is open before the first client; nothing is kept
 *   once        kept until the client is there: what it takes to make the interface and to
 *               become another user; then nothing. No byte of the client has been read yet.
 *   on demand   CAP_NET_ADMIN is kept to the end, because interfaces come and go
 *
 * A device that was there before us keeps CAP_NET_ADMIN, too, so that its settings can be
 * undone. A program that is started begins before the rights are given up, or it would have
 * none, and runs as the same user as this process, so that it can be ended. Where clients
 * make sockets themselves (VDE, datagrams), this process has to be of their user: the one
 * that --user names, or else the one that it was.
 */
#include "cmd/serving.h"

#include "cli/facts.h"
#include "cli/hexdump.h"
#include "cli/privilege.h"
#include "cli/program.h"
#include "cli/run.h"
#include "cli/state.h"
#include "cli/units.h"
#include "cli/user.h"
#include "cmd/cmd.h"
#include "cmd/status.h"

#include <weft/loop.h>
#include <weft/serve.h>

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* All that runs. */
struct serving {
	const struct serving_args *args;
	const struct serving_words *words;
	struct output out;
	struct weft_loop *loop;
	struct weft_serve *serve;
	struct interface interface;
	struct program program;
	struct ticker ticker;
	struct rates rates;
	int status;
};

/* ---- the interface ----------------------------------------------------------------------- */

static void tell_interface(struct serving *s)
{
	const char *name = weft_link_name(weft_serve_uplink(s->serve));
	json_t *addresses = json_array();
	char text[WEFT_IP_TEXT], mac_text[WEFT_MAC_TEXT] = "";
	struct weft_mac mac;
	for (size_t i = 0; i < s->args->interface.addresses_n; i++)
		(void)json_array_append_new(
			addresses, json_string(weft_ip_print(
					   &s->args->interface.addresses[i], text)));
	if (weft_link_mac(weft_serve_uplink(s->serve), &mac))
		(void)weft_mac_print(mac, mac_text);
	output_event(&s->out, "interface",
		     json_pack("{s:s, s:s, s:o}", "name", name, "mac", mac_text,
			       "addresses", addresses));
	if (s->args->interface.addresses_n)
		weft_log_info(&s->out.log, "interface %s is up, %s", name,
			      weft_ip_print(&s->args->interface.addresses[0], text));
	else
		weft_log_info(&s->out.log, "interface %s is up", name);
}

static int make_interface(struct serving *s, struct weft_error *err)
{
	struct interface_opts opts = s->args->interface;
	if (s->args->no_link)
		return 0;
	opts.log = &s->out.log;
	int r = interface_open(&opts, err, &s->interface);
	if (r < 0)
		return r;
	r = weft_serve_set_uplink(s->serve, s->interface.link, err);
	if (r < 0) {
		weft_link_free(s->interface.link);
		interface_close(&s->interface);
		return r;
	}
	tell_interface(s);
	return 0;
}

static void drop_interface(struct serving *s)
{
	weft_serve_drop_uplink(s->serve);
	interface_close(&s->interface);
}

/* ---- rights ------------------------------------------------------------------------------ */

/* The last step: nothing more will be opened, but what --on-demand opens. */
static int confine(struct serving *s, struct weft_error *err)
{
	const struct serving_args *args = s->args;
	const bool on_demand = args->life == SERVING_ON_DEMAND;
	char runtime[STATE_PATH_LEN];
	struct writable writable = { .n = 0 };
	struct privilege_opts opts = {
		.keep_net_admin = on_demand || s->interface.host || s->program.pid,
		.writable = &writable,
	};
	if (args->user && user_become(args->user, on_demand, err) < 0)
		return -EPERM;
	if (on_demand || s->interface.host)
		writable_add(&writable, state_runtime_dir(runtime));
	if (on_demand)
		writable_add(&writable, "/dev/net");
	if (on_demand && (args->interface.nud || args->interface.ra))
		writable_add(&writable, "/proc/sys/net");
	for (size_t i = 0; i < args->plugs.n; i++)
		opts.keep_net_admin |=
			writable_add_spec(&writable, args->plugs.items[i]) && !args->user;
	return privilege_drop(&opts, err);
}

/* ---- what happens to clients ------------------------------------------------------------- */

static void fail(struct serving *s, const char *text)
{
	output_event(&s->out, "error", json_pack("{s:s}", "text", text));
	weft_log_error(&s->out.log, "%s", text);
	s->status = s->words->failed;
	weft_loop_stop(s->loop);
}

static void on_plugged(void *user, const struct weft_serve_client *client, uint64_t now)
{
	struct serving *s = user;
	struct weft_error err = { "" };
	int r = 0;
	(void)now;
	s->words->connected(&s->out, client);
	output_event(&s->out, "plugged", facts_client(client));
	if (s->args->life == SERVING_STAYS)
		return;
	if (s->args->life == SERVING_ONCE)
		weft_serve_close(s->serve);
	if (!weft_serve_uplink(s->serve))
		r = make_interface(s, &err);
	if (r == 0 && s->args->life == SERVING_ONCE)
		r = confine(s, &err);
	if (r < 0)
		fail(s, err.text);
}

static void on_unplugged(void *user, const struct weft_serve_client *client,
			 const char *reason, uint64_t now)
{
	struct serving *s = user;
	json_t *fields = facts_client(client);
	(void)now;
	(void)json_object_set_new(fields, "reason", json_string(reason));
	int status = s->words->disconnected(&s->out, client, reason);
	output_event(&s->out, "unplugged", fields);
	if (s->args->life == SERVING_ON_DEMAND && weft_serve_stats(s->serve).clients == 0)
		drop_interface(s);
	if (!weft_serve_is_over(s->serve) || s->program.pid)
		return;
	s->status = s->status ? s->status : status;
	weft_loop_stop(s->loop);
}

static void on_trouble(void *user, const char *text, uint64_t now)
{
	struct serving *s = user;
	(void)now;
	output_event(&s->out, "trouble", json_pack("{s:s}", "text", text));
	weft_log_warning(&s->out.log, "%s", text);
}

static void on_modem(void *user, const struct weft_serve_client *client, const char *text,
		     uint64_t now)
{
	struct serving *s = user;
	json_t *fields = facts_client(client);
	(void)now;
	(void)json_object_set_new(fields, "text", json_string(text));
	output_event(&s->out, "modem", fields);
	weft_log_info(&s->out.log, "client %" PRIu32 " %s", client->id, text);
}

static void on_uplink_ended(void *user, const char *name, const char *reason,
			    uint64_t now)
{
	struct serving *s = user;
	(void)now;
	output_event(&s->out, "uplink-ended",
		     json_pack("{s:s, s:s}", "name", name, "reason", reason));
	s->words->uplink_ended(&s->out, name, reason);
	weft_loop_stop(s->loop);
}

/* ---- frames for people ------------------------------------------------------------------- */

static void dump(const struct serving *s, const struct weft_frame *frame)
{
	char line[HEXDUMP_TEXT];
	for (size_t off = 0; off < frame->len; off += HEXDUMP_BYTES)
		weft_log_info(&s->out.log, "%s",
			      hexdump_line(frame->data, frame->len, off, line));
}

static void tell_frame(struct serving *s, const char *event, uint32_t id,
		       bool from_client, const struct weft_frame *frame)
{
	char *hex = malloc(2 * (size_t)frame->len + 1);
	for (uint32_t i = 0; hex && i < frame->len; i++)
		(void)sprintf(hex + 2 * (size_t)i, "%02x", frame->data[i]);
	output_event(&s->out, event,
		     json_pack("{s:i, s:b, s:s#}", "client", (int)id, "from_client",
			       (int)from_client, "frame", hex ? hex : "",
			       hex ? (int)(2 * frame->len) : 0));
	free(hex);
}

static void on_shown(void *user, const struct weft_serve_client *client, bool from_client,
		     const struct weft_frame *frame, uint64_t now)
{
	struct serving *s = user;
	(void)now;
	if (s->out.json) {
		tell_frame(s, "frame", client->id, from_client, frame);
		return;
	}
	weft_log_info(&s->out.log, "\n%s tap client:", from_client ? "From" : "To");
	dump(s, frame);
}

static void on_misjudged(void *user, const struct weft_serve_client *client,
			 bool from_client, const struct weft_frame *frame, int computed,
			 uint64_t now)
{
	struct serving *s = user;
	(void)now;
	if (s->out.json) {
		tell_frame(s, "size-warning", client->id, from_client, frame);
		return;
	}
	weft_log_info(&s->out.log,
		      from_client ? "warning: frame size (0x%zX) would be incorrectly "
				    "computed (0x%zX)"
				  : "\nWarning: outgoing frame size (0x%zX) would be "
				    "incorrectly computed (0x%zX)",
		      (size_t)frame->len, (size_t)computed);
	dump(s, frame);
}

/* ---- running ----------------------------------------------------------------------------- */

static void tick(void *user, uint64_t now)
{
	struct serving *s = user;
	const struct weft_serve_stats stats = weft_serve_stats(s->serve);
	const struct weft_link *uplink = weft_serve_uplink(s->serve);
	char text[OUTPUT_STATUS_LEN], in[UNITS_TEXT], out[UNITS_TEXT];
	char clients[UNITS_COUNT_TEXT];
	rates_update(&s->rates, now, stats.rx_bytes, stats.tx_bytes);
	(void)snprintf(text, sizeof(text),
		       "%s | %s | in %s, out %s | %" PRIu64 " dropped",
		       uplink ? weft_link_name(uplink) : "no interface",
		       units_print_count(stats.clients, "client", "clients", clients),
		       units_print_rate(s->rates.in_bps, in),
		       units_print_rate(s->rates.out_bps, out), stats.drops);
	output_status(&s->out, now, text);
}

static void on_program_ended(void *user, int status)
{
	struct serving *s = user;
	s->status = status;
	weft_loop_stop(s->loop);
}

/* The plug of the program's socket, before there is a program. */
static int open_program_plug(struct serving *s, struct weft_error *err, int *ret_theirs)
{
	struct plug_specs plug = { .n = 0 };
	char address[24];
	int fd = program_sockets(plug_socket_type(s->args->dialect), err, ret_theirs);
	if (fd < 0)
		return fd;
	(void)snprintf(address, sizeof(address), "fd:%d", fd);
	int r = plug_specs_add(&plug, s->args->dialect, address, NULL);
	if (r == 0)
		r = weft_serve_plug(s->serve, plug.items[0], err);
	if (r < 0) {
		(void)close(*ret_theirs);
		(void)close(fd);
	}
	return r;
}

static int open_plugs(struct serving *s, struct weft_error *err)
{
	for (size_t i = 0; i < s->args->plugs.n; i++) {
		int r = weft_serve_plug(s->serve, s->args->plugs.items[i], err);
		if (r < 0)
			return r;
		const struct weft_plug *plug = weft_serve_plug_at(s->serve, i);
		output_event(&s->out, "listening",
			     json_pack("{s:s, s:s}", "plug", weft_plug_name(plug),
				       "address", weft_plug_address(plug)));
		s->words->listening(&s->out, plug);
	}
	return 0;
}

static int make_serve(struct serving *s, const struct weft_serve_events *events)
{
	const struct weft_loop_opts loop = { .busy_poll = s->args->busy_poll };
	uint8_t secret[16];
	if (getentropy(secret, sizeof(secret)) < 0)
		return -errno;
	const struct weft_serve_opts opts = {
		.events = events,
		.user = s,
		.secret = secret,
		.clients_max = s->args->life == SERVING_ONCE ? 1 : s->args->clients_max,
		.client_fdb_max = s->args->client_fdb_max,
		.isolated = s->args->isolated,
		.modem_address = s->args->modem_address,
		.modem_router = s->args->modem_router,
		.modem_dns = { s->args->modem_dns[0], s->args->modem_dns[1] },
	};
	int r = weft_loop_new(&loop, &s->loop);
	return r < 0 ? r : weft_serve_new(&opts, s->loop, &s->serve);
}

static void on_quit(void *user, int signo)
{
	(void)signo;
	weft_loop_stop(user);
}

static int prepare_loop(struct serving *s, struct weft_error *err)
{
	int r = stop_on_signals(s->loop);
	if (r == 0)
		r = weft_loop_on_signal(s->loop, SIGQUIT, on_quit, s->loop);
	if (r == 0 && s->args->interval_ns)
		r = ticker_start(&s->ticker, s->loop, s->args->interval_ns, tick, s);
	return r < 0 ? weft_error_set(err, r, "cannot make an event loop: %s",
				      strerror(-r))
		     : 0;
}

/* Everything that comes before the first client. theirs: the program's end, or -1. */
static int start(struct serving *s, struct weft_error *err)
{
	const struct serving_args *args = s->args;
	int theirs = -1;
	int r = prepare_loop(s, err);
	if (r == 0)
		r = open_plugs(s, err);
	if (r >= 0 && args->program)
		r = open_program_plug(s, err, &theirs);
	if (r >= 0 && args->life == SERVING_STAYS)
		r = make_interface(s, err);
	if (r >= 0 && args->program && args->user)
		r = user_become(args->user, false, err);
	if (r >= 0 && args->program)
		r = program_start(&s->program, args->program, theirs, s->loop, err);
	if (r < 0)
		return r;
	r = args->life == SERVING_ONCE ? user_wait(err) : confine(s, err);
	if (r == 0 && args->plugs.n)
		s->words->waiting(&s->out);
	return r;
}

static void say_goodbye(struct serving *s)
{
	char *text =
		s->out.json ? weft_serve_json(s->serve, weft_loop_now(s->loop)) : NULL;
	if (text)
		output_event(&s->out, "facts", json_loads(text, 0, NULL));
	free(text);
	output_end(&s->out);
}

static void end(struct serving *s)
{
	program_stop(&s->program);
	weft_serve_free(s->serve);
	interface_close(&s->interface);
	weft_loop_free(s->loop);
}

int serving_run(const struct serving_args *args, const struct serving_words *words)
{
	const struct weft_serve_events events = {
		.plugged = on_plugged,
		.unplugged = on_unplugged,
		.trouble = on_trouble,
		.modem = on_modem,
		.uplink_ended = on_uplink_ended,
		.shown = args->show_data ? on_shown : NULL,
		.misjudged = args->show_size_warnings ? on_misjudged : NULL,
	};
	struct serving s = { .args = args, .words = words };
	struct weft_error err = { "" };
	s.program.ended = on_program_ended;
	s.program.user = &s;
	output_init(&s.out, &args->output);
	int r = make_serve(&s, &events);
	if (r < 0) {
		weft_loop_free(s.loop);
		return output_fail(words->verb, strerror(-r));
	}
	(void)signal(SIGPIPE, SIG_IGN);
	r = start(&s, &err);
	if (r == 0) {
		output_event(&s.out, "ready", NULL);
		(void)weft_loop_run(s.loop);
		say_goodbye(&s);
	}
	end(&s);
	return r < 0 ? words->cannot_start(r, err.text) : s.status;
}
