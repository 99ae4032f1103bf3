/* SPDX-License-Identifier: MIT */
/*
 * `weft doctor URL`: what is wrong with the way to a tunnel's server, and which line of which
 * proxy mends it.
 */
#include "cli/options.h"
#include "cli/output.h"
#include "cli/run.h"
#include "cli/units.h"
#include "cmd/cmd.h"
#include "cmd/tunnel_way.h"

#include <weft/doctor.h>
#include <weft/loop.h>

#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct args {
	struct output_opts output;
	struct tunnel_way_args way;
	bool is_long;
};

struct examination {
	struct output output;
	struct weft_loop *loop;
	const char *url;
	unsigned counts[WEFT_DOCTOR_ERROR + 1];
	bool is_done, is_fit;
};

static const struct option options[] = {
	TUNNEL_WAY_OPTIONS(struct args),
	{ .name = "long",
	  .type = OPTION_FLAG,
	  .offset = OFFSET(struct args, is_long),
	  .help = "take five minutes, and find time-outs below that" },
	OUTPUT_OPTIONS(struct args),
	{ 0 },
};

static const struct command command = {
	.verb = "doctor",
	.operands = "URL",
	.operands_min = 1,
	.operands_max = 1,
	.summary =
		"Examines the way to a tunnel's server: what a proxy on it does to the streams,\n"
		"and which line of its configuration mends that.",
	.options = options,
	.notes =
		"weft doctor https://tunnel.example.org/tunnel/ --token-file token\n"
		"\n"
		"Without --token-file the token is that of $WEFT_TOKEN, or asked for. Takes 15\n"
		"seconds, and sends some MiB. The tunnel of the client whose token it is goes on\n"
		"as it was. Exit status: 0 the way is fit for a tunnel, 1 it is not, 2 the\n"
		"command line is wrong. With --json: \"step\", \"finding\" for each, and\n"
		"\"verdict\". All findings: docs/proxies.md.",
};

/* ---- what is found ----------------------------------------------------------------------- */

static const char *severity_name(enum weft_doctor_severity severity)
{
	static const char *const names[] = { [WEFT_DOCTOR_NOTE] = "note",
					     [WEFT_DOCTOR_WARNING] = "warning",
					     [WEFT_DOCTOR_ERROR] = "error" };
	return names[severity];
}

static void on_step(void *user, const char *text, unsigned seconds)
{
	struct examination *e = user;
	char status[OUTPUT_STATUS_LEN];
	output_event(&e->output, "step",
		     json_pack("{s:s, s:i}", "text", text, "seconds", (int)seconds));
	(void)snprintf(status, sizeof(status), "%s (%u s) ...", text, seconds);
	output_status(&e->output, weft_loop_now(e->loop), status);
}

static json_t *lines_json(const struct weft_doctor_finding *finding)
{
	json_t *array = json_array();
	for (size_t i = 0; i < finding->lines_n; i++)
		(void)json_array_append_new(
			array, json_pack("{s:s, s:s}", "proxy", finding->lines[i].proxy,
					 "line", finding->lines[i].text));
	return array;
}

static void print_finding(const struct weft_doctor_finding *finding)
{
	printf("%s: %s\n", severity_name(finding->severity), finding->text);
	for (size_t i = 0; i < finding->lines_n; i++)
		printf("    %-12s  %s\n", finding->lines[i].proxy,
		       finding->lines[i].text);
}

static void on_finding(void *user, const struct weft_doctor_finding *finding)
{
	struct examination *e = user;
	e->counts[finding->severity]++;
	if (e->output.json)
		output_event(&e->output, "finding",
			     json_pack("{s:s, s:s, s:s, s:o}", "severity",
				       severity_name(finding->severity), "id",
				       finding->id, "text", finding->text, "lines",
				       lines_json(finding)));
	output_end(&e->output);
	if (!e->output.json &&
	    !(e->output.quiet && finding->severity == WEFT_DOCTOR_NOTE))
		print_finding(finding);
}

/* ---- the verdict ------------------------------------------------------------------------- */

/* "1.1" */
static const char *version_text(unsigned version, char buf[UNITS_TEXT])
{
	(void)snprintf(buf, UNITS_TEXT, "%u.%u", version / 10, version % 10);
	return buf;
}

static void print_way(const struct examination *e,
		      const struct weft_doctor_summary *summary)
{
	char here[UNITS_TEXT], there[UNITS_TEXT];
	printf("%s: ", e->url);
	if (!summary->proxy)
		printf("no proxy is seen");
	else if (summary->server[0])
		printf("through %s (%s)", summary->proxy, summary->server);
	else
		printf("through %s", summary->proxy);
	printf("; HTTP/%s here%s", version_text(summary->version, here),
	       summary->has_http2 ? ", and HTTP/2" : "");
	if (summary->version_up > 0)
		printf(", HTTP/%s at the server",
		       version_text(summary->version_up, there));
	(void)putchar('\n');
}

static void print_figures(const struct weft_doctor_summary *summary)
{
	char rtt[UNITS_TEXT], down[UNITS_TEXT], up[UNITS_TEXT], silent[UNITS_TEXT];
	printf("a request takes %s; for a moment, one stream had %s down and %s up\n",
	       units_print_duration(summary->rtt_ns, rtt),
	       units_print_rate(summary->down_bps, down),
	       units_print_rate(summary->up_bps, up));
	printf("silence was tried for %s%s\n",
	       units_print_duration(summary->silent_ns, silent),
	       summary->long_ns > 0 ? ", long requests for 5 min"
				    : ": --long tries longer");
}

static void tell_verdict(struct examination *e, const struct weft_doctor_summary *summary)
{
	char errors[UNITS_COUNT_TEXT], warnings[UNITS_COUNT_TEXT];
	if (e->output.quiet && summary->is_fit)
		return;
	if (!e->output.quiet && summary->version > 0)
		print_way(e, summary);
	if (!e->output.quiet && summary->rtt_ns > 0)
		print_figures(summary);
	printf("%s, %s: %s\n",
	       units_print_count(e->counts[WEFT_DOCTOR_ERROR], "error", "errors", errors),
	       units_print_count(e->counts[WEFT_DOCTOR_WARNING], "warning", "warnings",
				 warnings),
	       summary->is_fit ? "it is fit for a tunnel" : "it is not fit for a tunnel");
}

static void on_done(void *user, const struct weft_doctor_summary *summary)
{
	struct examination *e = user;
	e->is_done = true;
	e->is_fit = summary->is_fit;
	output_event(&e->output, "verdict",
		     json_pack("{s:b, s:s?, s:s, s:i, s:i, s:b, s:I, s:I, s:I, s:I, s:I}",
			       "fit", summary->is_fit, "proxy", summary->proxy, "server",
			       summary->server, "version", (int)summary->version,
			       "version_up", (int)summary->version_up, "http2",
			       summary->has_http2, "rtt_ns", (json_int_t)summary->rtt_ns,
			       "down_bps", (json_int_t)summary->down_bps, "up_bps",
			       (json_int_t)summary->up_bps, "silent_ns",
			       (json_int_t)summary->silent_ns, "long_ns",
			       (json_int_t)summary->long_ns));
	output_end(&e->output);
	if (!e->output.json)
		tell_verdict(e, summary);
	weft_loop_stop(e->loop);
}

static const struct weft_doctor_events events = {
	.step = on_step,
	.finding = on_finding,
	.done = on_done,
};

/* ---- the verb ---------------------------------------------------------------------------- */

static int run(struct examination *e, const struct weft_doctor_opts *opts,
	       struct weft_error *err)
{
	struct weft_doctor *doctor = NULL;
	int r = weft_loop_new(NULL, &e->loop);
	if (r == 0)
		r = stop_on_signals(e->loop);
	if (r < 0)
		(void)weft_error_set(err, r, "cannot make an event loop: %s",
				     strerror(-r));
	if (r == 0)
		r = weft_doctor_new(e->loop, opts, &events, e, err, &doctor);
	if (r == 0)
		(void)weft_loop_run(e->loop);
	if (r == 0 && !e->is_done)
		r = weft_error_set(err, -EINTR, "interrupted");
	weft_doctor_free(doctor);
	weft_loop_free(e->loop);
	output_end(&e->output);
	return r;
}

/* What is wrong with the command line, before anybody is asked for a token; NULL for nothing. */
static const char *contradiction(const struct args *args, const char *url)
{
	if (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0)
		return "URL: it begins with http:// or https://, as in "
		       "https://tunnel.example.org/";
	return tunnel_way_indiscretion(&args->way);
}

int cmd_doctor(int argc, char **argv)
{
	struct args args = { .output = { .json = false } };
	struct examination e = { .loop = NULL };
	struct weft_error err = { .text = "" };
	char token[SECRET_LEN];
	uint8_t secret[8];
	int status;
	if (options_parse(&command, argc, argv, &args, &status) < 0)
		return status;
	const char *wrong = contradiction(&args, argv[1]);
	if (wrong)
		return options_fail(&command, wrong);
	if (tunnel_way_take(&args.way, command.verb, token) < 0)
		return STATUS_FAILED;
	const struct weft_doctor_opts opts = { .url = argv[1],
					       .token = token,
					       .proxy = args.way.proxy,
					       .ca_file = args.way.ca_file,
					       .is_long = args.is_long,
					       .secret = secret };
	output_init(&e.output, &args.output);
	e.url = argv[1];
	randombytes_buf(secret, sizeof(secret));
	(void)signal(SIGPIPE, SIG_IGN);
	int r = run(&e, &opts, &err);
	sodium_memzero(token, sizeof(token));
	if (r < 0)
		return output_fail(command.verb, err.text);
	return e.is_fit && fflush(stdout) == 0 ? STATUS_OK : STATUS_FAILED;
}
