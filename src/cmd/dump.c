/* SPDX-License-Identifier: MIT */
/*
 * `weft dump`: what comes in on a link, decoded. Recording is the capture wrapper's work:
 * --write FILE puts one around the link.
 */
#include "cli/facts.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/privilege.h"
#include "cli/run.h"
#include "cli/units.h"
#include "cmd/cmd.h"
#include "cmd/network.h"

#include <weft/dump.h>
#include <weft/error.h>
#include <weft/link.h>
#include <weft/loop.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How often a link is looked at that may have ended. */
#define WATCH_NS (NS_PER_S / 10)

enum time_form { TIME_CLOCK, TIME_DELTA, TIME_EPOCH, TIME_NONE };

struct args {
	struct output_opts output;
	uint32_t count;
	const char *write;
	unsigned time; /* enum time_form. */
	bool headers;
};

static const struct option options[] = {
	{ .name = "count",
	  .letter = 'c',
	  .type = OPTION_NUMBER,
	  .syntax = "N",
	  .offset = OFFSET(struct args, count),
	  .help = "end after N frames" },
	{ .name = "write",
	  .letter = 'w',
	  .type = OPTION_TEXT,
	  .syntax = "FILE",
	  .offset = OFFSET(struct args, write),
	  .help = "record the frames in FILE as well: in pcapng\n" OPTION_INDENT
		  "where it is called so, else in pcap" },
	{ .name = "time",
	  .letter = 't',
	  .type = OPTION_CHOICE,
	  .syntax = "clock|delta|epoch|none",
	  .offset = OFFSET(struct args, time),
	  .help = "time of day, since the frame before,\n" OPTION_INDENT
		  "since 1970, or no time [clock]" },
	{ .name = "headers",
	  .letter = 'H',
	  .type = OPTION_FLAG,
	  .offset = OFFSET(struct args, headers),
	  .help = "show each field of each header, too" },
	OUTPUT_OPTIONS(struct args),
	{ 0 },
};

static const struct command command = {
	.verb = "dump",
	.operands = "LINK",
	.operands_min = 1,
	.operands_max = 1,
	.summary =
		"Shows the frames that come in on a link, one line for each, until SIGINT,\n"
		"SIGTERM or the end of a capture. Sends nothing.",
	.options = options,
	.notes =
		"weft dump packet:eth0                       what comes in by the cable\n"
		"weft dump packet:eth0,sent                  and what this machine sends\n"
		"weft dump -c 10 pcap:trace.pcap,rate=fast   a capture's first ten frames\n"
		"weft dump --headers pcap:trace.pcap         ... and each field of them\n"
		"\n"
		"Times are those of arrival here; pcap: without rate=fast keeps the distances\n"
		"that frames had. `weft help links` lists the links. With --json: \"frame\"\n"
		"for each, and \"end\".",
};

struct dumping {
	struct output out;
	char *spec;
	struct network network; /* that the link is of, perhaps */
	struct weft_link *link;
	struct weft_loop *loop;
	struct ticker ticker;
	enum time_form time;
	bool is_ip;
	bool headers;
	uint64_t left; /* Frames still to be shown. */
	uint64_t shown;
	int64_t before; /* Time of the frame before, in ns since 1970; 0: there is none. */
	int status;
};

/* ---- frames ------------------------------------------------------------------------------ */

static int64_t wall_clock(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * (int64_t)NS_PER_S + now.tv_nsec;
}

/* Prints the time in front of a line, with microseconds. */
static void print_time(const struct dumping *d, int64_t at)
{
	const int64_t ns_per_s = (int64_t)NS_PER_S;
	time_t seconds = (time_t)(at / ns_per_s);
	int64_t delta = d->before ? at - d->before : 0;
	struct tm local;
	char text[16] = "";
	switch (d->time) {
	case TIME_CLOCK:
		if (localtime_r(&seconds, &local))
			(void)strftime(text, sizeof(text), "%H:%M:%S", &local);
		printf("%s.%06" PRId64 " ", text, at % ns_per_s / 1000);
		break;
	case TIME_DELTA:
		printf("%4" PRId64 ".%06" PRId64 " ", delta / ns_per_s,
		       delta % ns_per_s / 1000);
		break;
	case TIME_EPOCH:
		printf("%" PRId64 ".%06" PRId64 " ", at / ns_per_s, at % ns_per_s / 1000);
		break;
	case TIME_NONE:
		break;
	}
}

/* What --json says of a frame. */
static json_t *frame_facts(const struct dumping *d, const struct weft_frame *frame,
			   int64_t at)
{
	char line[WEFT_DUMP_LEN], headers[WEFT_DUMP_HEADERS_LEN];
	json_t *facts =
		json_pack("{s:f, s:i, s:i, s:s}", "time", (double)at / 1e9, "length",
			  (int)frame->len, "gso_size", (int)frame->offload.gso_size,
			  "text", weft_dump_frame(frame, d->is_ip, line, sizeof(line)));
	if (d->headers)
		(void)json_object_set_new(
			facts, "headers",
			json_string(weft_dump_headers(frame, d->is_ip, headers,
						      sizeof(headers))));
	return facts;
}

static void show_frame(struct dumping *d, const struct weft_frame *frame, int64_t at)
{
	char line[WEFT_DUMP_LEN], headers[WEFT_DUMP_HEADERS_LEN];
	if (d->out.json) {
		output_event(&d->out, "frame", frame_facts(d, frame, at));
	} else {
		print_time(d, at);
		(void)puts(weft_dump_frame(frame, d->is_ip, line, sizeof(line)));
		if (d->headers)
			(void)fputs(weft_dump_headers(frame, d->is_ip, headers,
						      sizeof(headers)),
				    stdout);
	}
	d->before = at;
	d->shown++;
}

static void receive(void *user, struct weft_link *link, const struct weft_frame *frames,
		    size_t n, uint64_t now)
{
	struct dumping *d = user;
	int64_t at = wall_clock();
	(void)link;
	(void)now;
	for (size_t i = 0; i < n && d->left > 0; i++, d->left--)
		show_frame(d, &frames[i], at);
	if (fflush(stdout) == EOF) {
		d->status = output_fail("dump", "cannot write to standard output");
		d->left = 0;
	}
	if (d->left == 0)
		weft_loop_stop(d->loop);
}

/* ---- running ----------------------------------------------------------------------------- */

static void watch(void *user, uint64_t now)
{
	struct dumping *d = user;
	struct weft_mac mac;
	(void)now;
	if (d->network.failure.text[0]) {
		d->status = output_fail("dump", d->network.failure.text);
		weft_loop_stop(d->loop);
	}
	if (!weft_link_is_down(d->link))
		return;
	if (weft_link_mac(d->link, &mac))
		d->status = output_fail("dump", "the device is gone");
	weft_loop_stop(d->loop);
}

/* A capture wrapper; a backslash guards the special letters of its file. */
static char *capture_spec(const char *file)
{
	static const char prefix[] = "capture:";
	char *spec = malloc(sizeof(prefix) + 2 * strlen(file));
	if (!spec)
		return NULL;
	char *end = stpcpy(spec, prefix);
	for (; *file; file++) {
		if (strchr(",:=\\", *file))
			*end++ = '\\';
		*end++ = *file;
	}
	*end = '\0';
	return spec;
}

static int record(struct weft_link **link, const char *file)
{
	struct weft_error err = { "out of memory" };
	char *spec = capture_spec(file);
	int r = spec ? weft_link_wrap(spec, &err, link) : -ENOMEM;
	free(spec);
	return r < 0 ? output_fail_link("dump", r, err.text) : STATUS_OK;
}

static int link_open(struct dumping *d, const char *file)
{
	struct weft_error err;
	struct weft_link **link = &d->link;
	int r = 0, status = STATUS_OK;
	if (network_is_named(d->spec)) {
		d->network = (struct network){ .command = &command,
					       .loop = d->loop,
					       .output = &d->out };
		status = network_open(&d->network, d->spec);
		link = &d->network.link;
	} else {
		r = weft_link_open(d->spec, &err, link);
	}
	if (r < 0)
		return output_fail_link("dump", r, err.text);
	if (status == STATUS_OK && file)
		status = record(link, file);
	d->link = *link;
	return status;
}

/* What a network needs is open; a link's peers may come later. */
static int give_up_rights(const struct dumping *d)
{
	struct writable writable = { .n = 0 };
	struct privilege_opts privileges = { .writable = &writable };
	struct weft_error err;
	if (!d->network.link)
		privileges.keep_net_admin = writable_add_spec(&writable, d->spec);
	int r = privilege_drop(&privileges, &err);
	return r < 0 ? output_fail("dump", err.text) : STATUS_OK;
}

static int dumping_start(struct dumping *d, const struct args *args)
{
	int r = weft_loop_new(NULL, &d->loop);
	if (r < 0)
		return output_fail("dump", strerror(-r));
	int status = link_open(d, args->write);
	if (status != STATUS_OK)
		return status;
	d->is_ip = weft_link_caps(d->link).flags & WEFT_LINK_IP;
	weft_link_on_receive(d->link, receive, d);
	r = weft_loop_add(d->loop, weft_link_task(d->link));
	if (r == 0)
		r = ticker_start(&d->ticker, d->loop, WATCH_NS, watch, d);
	if (r == 0)
		r = stop_on_signals(d->loop);
	if (r < 0)
		return output_fail("dump", strerror(-r));
	return give_up_rights(d);
}

static int dumping_run(struct dumping *d)
{
	char count[UNITS_COUNT_TEXT];
	(void)weft_loop_run(d->loop);
	output_event(&d->out, "end", d->out.json ? facts_link(d->spec, d->link) : NULL);
	if (!d->out.json)
		weft_log_info(&d->out.log, "%s",
			      units_print_count(d->shown, "frame", "frames", count));
	return d->status;
}

int cmd_dump(int argc, char **argv)
{
	struct args args = { 0 };
	struct dumping d = { 0 };
	int status;
	if (options_parse(&command, argc, argv, &args, &status) < 0)
		return status;
	output_init(&d.out, &args.output);
	d.spec = argv[1];
	d.time = (enum time_form)args.time;
	d.headers = args.headers;
	d.left = args.count ? args.count : UINT64_MAX;
	status = dumping_start(&d, &args);
	if (status == STATUS_OK)
		status = dumping_run(&d);
	network_close(&d.network);
	weft_loop_free(d.loop);
	if (!d.network.loop)
		weft_link_free(d.link);
	return status;
}
