/* SPDX-License-Identifier: MIT */
/*
 * weft tunnel CONFIG.json: the interfaces of a configuration, as tapotun has it, until a signal
 * comes.
 *
 * Another configuration comes by SIGHUP, which has the file read again, or by the socket, with
 * which `weft reload` brings the text itself: whoever calls that may read the file, while this
 * process may have lost the right to, and it can show what is wrong where it was typed
 * (cmd/reloading.h).
 */
#include "cmd/tunnel.h"

#include "cli/options.h"
#include "cli/output.h"
#include "cli/privilege.h"
#include "cli/remote.h"
#include "cli/run.h"
#include "cli/state.h"
#include "cli/units.h"
#include "cmd/cmd.h"
#include "cmd/config_file.h"
#include "cmd/reloading.h"
#include "cmd/status.h"
#include "cmd/tunnel_user.h"

#include <weft/host.h>
#include <weft/tunnel.h>

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* How long clients have to take their regular end. */
#define ENDING_NS      (NS_PER_S / 2)
#define ENDING_LOOK_NS (NS_PER_S / 100)

struct args {
	struct output_opts output;
	struct rootless_args rootless;
};

struct tunnel {
	struct output output;
	struct weft_loop *loop;
	struct weft_host *host;
	struct weft_tunnel_config *config;
	struct weft_tunnels *tunnels;
	struct tunnel_user user; /* the host on them with --user */
	struct remote *remote;
	char *path; /* of the configuration, absolute; NULL if it is none of a file */
	struct ticker ticker;
	struct ticker ending; /* since a signal has asked for the end */
	uint64_t ending_until;
	struct rates rates;
};

static const struct option options[] = {
	ROOTLESS_OPTIONS(struct args),
	OUTPUT_OPTIONS(struct args),
	{ 0 },
};

static const struct command command = {
	.verb = "tunnel",
	.operands = "CONFIG.json",
	.operands_min = 1,
	.operands_max = 1,
	.summary =
		"Carries IP or Ethernet in long HTTP streams, for sites behind nothing but a web\n"
		"proxy: servers and clients as the configuration has them.",
	.options = options,
	.notes =
		"Without a file:\n"
		"  weft tunnel server [OPTION]...       a server, and what its clients type\n"
		"  weft tunnel client [OPTION]... URL   a client of one\n"
		"  weft tunnel token                    a token, and its hash\n"
		"Each explains itself with --help. The configuration is tapotun's and more, see\n"
		"docs/tunnel.md; `weft check` says what is wrong with one. With --json: "
		"\"ready\",\n"
		"\"connected\" and \"disconnected\" for each peer, \"refused\" for "
		"wrong tokens and\n"
		"\"refused-more\" for how many more, \"lost\" and \"restored\" for a "
		"device that is\n"
		"taken away, \"reloaded\", \"not-reloaded\", and \"facts\" each minute "
		"and at the end.\n"
		"SIGHUP, or `weft reload`, has it take another configuration.",
};

/* Whether the host on the interface is one in this process. */
static bool is_user(const struct tunnel *t)
{
	return t->user.args->is_user;
}

/* ---- what happens ------------------------------------------------------------------------ */

static json_t *peer_json(const struct weft_tunnel_peer *peer, const char *reason)
{
	return json_pack("{s:s, s:s, s:s, s:s*}", "interface", peer->interface, "name",
			 peer->name, "address", peer->address, "reason", reason);
}

static void on_connected(void *user, const struct weft_tunnel_peer *peer, uint64_t now)
{
	struct tunnel *t = user;
	(void)now;
	output_event(&t->output, "connected", peer_json(peer, NULL));
	const bool has_address =
		peer->address[0] != '\0'; /* in Ethernet a client has none */
	weft_log_info(&t->output.log, "%s: %s is connected%s%s%s", peer->interface,
		      peer->name, has_address ? " (" : "", peer->address,
		      has_address ? ")" : "");
}

static void on_disconnected(void *user, const struct weft_tunnel_peer *peer,
			    const char *reason, uint64_t now)
{
	struct tunnel *t = user;
	(void)now;
	output_event(&t->output, "disconnected", peer_json(peer, reason));
	weft_log_info(&t->output.log, "%s: %s is gone (%s)", peer->interface, peer->name,
		      reason);
}

static void on_refused(void *user, const char *interface, const char *address,
		       uint64_t now)
{
	struct tunnel *t = user;
	(void)now;
	output_event(&t->output, "refused",
		     json_pack("{s:s, s:s}", "interface", interface, "address", address));
	weft_log_warning(&t->output.log, "%s: %s came with a wrong token", interface,
			 address);
}

static void on_refused_more(void *user, const char *interface, uint64_t n, uint64_t now)
{
	struct tunnel *t = user;
	(void)now;
	output_event(
		&t->output, "refused-more",
		json_pack("{s:s, s:I}", "interface", interface, "count", (json_int_t)n));
	weft_log_warning(&t->output.log, "%s: %" PRIu64 " more came with wrong tokens",
			 interface, n);
}

static void on_lost(void *user, const char *interface, const char *reason, uint64_t now)
{
	struct tunnel *t = user;
	(void)now;
	output_event(&t->output, "lost",
		     json_pack("{s:s, s:s}", "interface", interface, "reason", reason));
	weft_log_warning(&t->output.log, "%s is gone%s%s; making it anew", interface,
			 reason[0] ? ": " : "", reason);
}

static void on_restored(void *user, const char *interface, uint64_t now)
{
	struct tunnel *t = user;
	(void)now;
	output_event(&t->output, "restored", json_pack("{s:s}", "interface", interface));
	weft_log_info(&t->output.log, "%s is there again", interface);
}

static const struct weft_tunnels_events events = {
	.connected = on_connected,
	.disconnected = on_disconnected,
	.refused = on_refused,
	.refused_more = on_refused_more,
	.lost = on_lost,
	.restored = on_restored,
};

static json_t *facts(const struct tunnel *t)
{
	char *text = weft_tunnels_json(t->tunnels, weft_loop_now(t->loop));
	json_t *object = text ? json_loads(text, 0, NULL) : NULL;
	free(text);
	return object ? object : json_object();
}

static void print_facts(struct tunnel *t)
{
	if (t->tunnels && t->output.json)
		output_event(&t->output, "facts", facts(t));
}

static void tick(void *user, uint64_t now)
{
	struct tunnel *t = user;
	const struct weft_tunnels_stats stats = weft_tunnels_stats(t->tunnels);
	char text[OUTPUT_STATUS_LEN], in[UNITS_TEXT], out[UNITS_TEXT];
	char interfaces[UNITS_COUNT_TEXT], peers[UNITS_COUNT_TEXT];

	rates_update(&t->rates, now, stats.rx_bytes, stats.tx_bytes);
	(void)snprintf(text, sizeof(text), "%s, %s | in %s, out %s | %" PRIu64 " dropped",
		       units_print_count(stats.interfaces, "interface", "interfaces",
					 interfaces),
		       units_print_count(stats.peers, "peer", "peers", peers),
		       units_print_rate(t->rates.in_bps, in),
		       units_print_rate(t->rates.out_bps, out), stats.drops);
	output_status(&t->output, now, text);
	if (output_facts_are_due(&t->output, now))
		print_facts(t);
}

/* ---- what is asked of it ----------------------------------------------------------------- */

static struct reloading reloading_of(struct tunnel *t)
{
	return (struct reloading){ .output = &t->output,
				   .tunnels = t->tunnels,
				   .config = &t->config };
}

static json_t *reload(struct tunnel *t, const char *text, struct weft_error *err)
{
	const struct reloading of = reloading_of(t);
	json_t *changes = reloading_text(&of, text, err);
	return changes ? json_pack("{s:o}", "changes", changes) : NULL;
}

static json_t *on_asked(void *user, const char *what, const json_t *request,
			struct weft_error *err)
{
	struct tunnel *t = user;
	if (strcmp(what, "status") == 0)
		return json_pack("{s:s, s:s*, s:o}", "command", command.verb, "config",
				 t->path, "facts", facts(t));
	if (strcmp(what, "reload") == 0)
		return reload(t, json_string_value(json_object_get(request, "text")),
			      err);
	(void)weft_error_set(err, -ENOTSUP, "a tunnel does not understand \"%s\"", what);
	return NULL;
}

/* "office" of /etc/weft/office.json; of a one-liner the interface's. */
static int listen_for_questions(struct tunnel *t, const char *runtime,
				struct weft_error *err)
{
	const char *slash = t->path ? strrchr(t->path, '/') : NULL;
	const char *base = slash ? slash + 1 : t->config->interfaces[0].name;
	const char *dot = slash ? strrchr(base, '.') : NULL;
	char name[REMOTE_NAME_LEN];
	(void)snprintf(name, sizeof(name), "%.*s",
		       (int)(dot && dot > base ? dot - base : (long)strlen(base)), base);
	const struct remote_opts opts = {
		.dir = runtime, .name = name, .fn = on_asked, .user = t
	};
	return remote_new(t->loop, &opts, err, &t->remote);
}

/* ---- signals ----------------------------------------------------------------------------- */

static void look_whether_ended(void *user, uint64_t now)
{
	struct tunnel *t = user;
	if (weft_tunnels_end(t->tunnels) || now >= t->ending_until)
		weft_loop_stop(t->loop);
}

/* A second signal does not wait. */
static void on_end(void *user, int signo)
{
	struct tunnel *t = user;
	(void)signo;
	const bool is_asked_again = t->ending_until != 0;
	rootless_end(&t->user.rootless);
	t->ending_until = weft_loop_now(t->loop) + ENDING_NS;
	if (is_asked_again || !t->tunnels ||
	    ticker_start(&t->ending, t->loop, ENDING_LOOK_NS, look_whether_ended, t) < 0)
		weft_loop_stop(t->loop);
}

/* What was made of a command line has no file: a terminal that goes takes it along. */
static void on_hangup(void *user, int signo)
{
	struct tunnel *t = user;
	const struct reloading of = reloading_of(t);
	if (t->path)
		reloading_file(&of, t->path);
	else
		on_end(user, signo);
}

static int watch_signals(struct tunnel *t)
{
	int r = weft_loop_on_signal(t->loop, SIGINT, on_end, t);
	if (r == 0)
		r = weft_loop_on_signal(t->loop, SIGTERM, on_end, t);
	return r == 0 ? weft_loop_on_signal(t->loop, SIGHUP, on_hangup, t) : r;
}

/* ---- beginning and end ------------------------------------------------------------------- */

/* Each client of a server has a connection for each of its streams. */
static void allow_descriptors(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static void report_recovered(void *user, const char *text)
{
	struct tunnel *t = user;
	weft_log_info(&t->output.log, "after an earlier crash: %s", text);
}

static int open_loop(struct tunnel *t, struct weft_error *err)
{
	int r = weft_loop_new(NULL, &t->loop);
	if (r == 0)
		r = watch_signals(t);
	if (r < 0)
		return weft_error_set(err, r, "cannot make an event loop: %s",
				      strerror(-r));
	return 0;
}

/* Of which a host in this process changes nothing. */
static int open_machine(struct tunnel *t, const char *runtime, struct weft_error *err)
{
	const struct weft_host_opts opts = { .state_dir = runtime };
	if (is_user(t))
		return 0;
	int r = weft_host_new(&opts, err, &t->host);
	if (r == 0)
		(void)weft_host_recover(t->host, report_recovered, t);
	return r;
}

static int make_tunnels(struct tunnel *t, struct weft_error *err)
{
	uint8_t secret[16];
	const struct weft_tunnels_opts opts = { .host = t->host,
						.devices = is_user(t)
								   ? &tunnel_user_devices
								   : NULL,
						.devices_user = &t->user,
						.log = &t->output.log,
						.events = &events,
						.user = t,
						.secret = secret };
	randombytes_buf(secret, sizeof(secret));
	t->user.loop = t->loop;
	return weft_tunnels_new(t->config, t->loop, &opts, err, &t->tunnels);
}

/*
 * The right to set addresses is kept: a client's come later, and rules are undone at the end.
 * With it and /dev/net/tun another configuration can have other interfaces.
 */
static int drop_rights(const struct tunnel *t, const char *runtime,
		       struct weft_error *err)
{
	struct writable writable = { .n = 0 };
	const struct privilege_opts opts = { .keep_net_admin = !is_user(t),
					     .writable = &writable };
	writable_add(&writable, runtime);
	if (!is_user(t))
		writable_add(&writable, "/dev/net");
	return privilege_drop(&opts, err);
}

static int run(struct tunnel *t, struct weft_error *err)
{
	char runtime[STATE_PATH_LEN];
	(void)state_runtime_dir(runtime);
	allow_descriptors();
	int r = open_loop(t, err);
	if (r == 0)
		r = open_machine(t, runtime, err);
	if (r == 0)
		r = make_tunnels(t, err);
	if (r == 0)
		r = listen_for_questions(t, runtime, err);
	if (r == 0)
		r = drop_rights(t, runtime, err);
	if (r == 0)
		r = ticker_start(&t->ticker, t->loop, NS_PER_S, tick, t);
	if (r < 0)
		return r;
	output_event(&t->output, "ready", NULL);
	(void)weft_loop_run(t->loop);
	return 0;
}

static void end(struct tunnel *t)
{
	print_facts(t);
	remote_free(t->remote);
	if (t->tunnels) {
		ticker_stop(&t->ticker, t->loop);
		ticker_stop(&t->ending, t->loop);
	}
	weft_tunnels_free(t->tunnels);
	weft_host_free(t->host);
	weft_loop_free(t->loop);
	weft_tunnel_config_free(t->config);
	free(t->path);
	output_end(&t->output);
}

/* What is wrong with it has been said when this fails. */
static int load(struct tunnel *t, const struct tunnel_source *source,
		struct weft_tunnel_config **ret_config)
{
	struct config_file file;
	int r = source->line
			? config_file_make(&file, &t->output, source->line)
			: config_file_read(&file, &t->output, command.verb, source->path);
	if (r < 0)
		return r;
	r = config_file_parse(&file, ret_config);
	config_file_fini(&file);
	if (r == -ENOMEM)
		(void)output_fail(command.verb, strerror(ENOMEM));
	return r;
}

int tunnel_run(const struct tunnel_source *source, const struct rootless_args *rootless,
	       const struct output_opts *opts)
{
	struct weft_error err = { .text = "" };
	struct tunnel t = { .user = { .args = rootless, .output = &t.output } };
	output_init(&t.output, opts);
	if (load(&t, source, &t.config) < 0)
		return STATUS_FAILED;
	if (source->path && strcmp(source->path, "-") != 0)
		t.path = realpath(source->path, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	int r = run(&t, &err);
	end(&t);
	return r < 0 ? output_fail(command.verb, err.text) : STATUS_OK;
}

/* A file that is called so is "./server". */
const struct verb tunnel_words[] = {
	{ .name = "server", .run = tunnel_server },
	{ .name = "client", .run = tunnel_client },
	{ .name = "token", .run = tunnel_token },
	{ 0 },
};

/* The word that is meant by what is no file; NULL for none. */
static const char *nearest_word(const char *path)
{
	return access(path, F_OK) < 0 ? verb_nearest(tunnel_words, path) : NULL;
}

static int mistake_word(const char *said, const char *meant)
{
	char text[160];
	(void)snprintf(text, sizeof(text),
		       "there is neither a file \"%.64s\" nor such a word; did you mean "
		       "\"%s\"?",
		       said, meant);
	return options_fail(&command, text);
}

int cmd_tunnel(int argc, char **argv)
{
	struct args args = { .output = { .json = false } };
	const struct verb *word = argc > 1 ? verb_find(tunnel_words, argv[1]) : NULL;
	int status;

	const char *meant = !word && argc > 1 ? nearest_word(argv[1]) : NULL;
	if (word)
		return word->run(argc - 1, argv + 1);
	if (meant)
		return mistake_word(argv[1], meant);
	if (options_parse(&command, argc, argv, &args, &status) < 0)
		return status;
	const char *wrong = rootless_contradiction(&args.rootless);
	if (wrong)
		return options_fail(&command, wrong);
	return tunnel_run(&(struct tunnel_source){ .path = argv[1] }, &args.rootless,
			  &args.output);
}
