/* SPDX-License-Identifier: MIT */
/*
 * The live line uses two things that every terminal since the VT100 knows: carriage return,
 * and "erase to the end of the line". It is cut to the terminal's width, because a line that
 * wraps could not be taken back.
 */
#include "cli/output.h"

#include "cli/exit_status.h"
#include "cli/units.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

const struct option output_options[] = {
	OUTPUT_OPTIONS(struct output_args),
	{ 0 },
};

#define ERASE_LINE "\r\033[K"

/* Time between plain status lines, and between facts. */
#define PLAIN_PERIOD_NS (60 * NS_PER_S)

static unsigned terminal_width(void)
{
	struct winsize size;
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < 2)
		return 80;
	return size.ws_col;
}

static void draw(struct output *out)
{
	if (!out->is_live || !out->status[0])
		return;
	(void)fprintf(stderr, ERASE_LINE "%.*s", (int)terminal_width() - 1, out->status);
	(void)fflush(stderr);
	out->is_drawn = true;
}

static void erase(struct output *out)
{
	if (out->is_drawn)
		(void)fputs(ERASE_LINE, stderr);
	out->is_drawn = false;
}

static void write_log(void *user, enum weft_log_level level, const char *text)
{
	static const char *const prefix[] = {
		[WEFT_LOG_ERROR] = "error: ",
		[WEFT_LOG_WARNING] = "warning: ",
		[WEFT_LOG_INFO] = "",
		[WEFT_LOG_DEBUG] = "",
	};
	struct output *out = user;
	erase(out);
	(void)fprintf(stderr, "%s%s\n", prefix[level], text);
	draw(out);
}

static bool can_redraw(void)
{
	const char *term = getenv("TERM");
	return isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
}

void output_init(struct output *out, const struct output_opts *opts)
{
	*out = (struct output){
		.log = { .write = write_log, .user = out, .level = WEFT_LOG_INFO },
		.json = opts->json,
		.quiet = opts->quiet,
		.is_live = !opts->json && !opts->quiet && can_redraw(),
	};
	if (opts->quiet)
		out->log.level = WEFT_LOG_WARNING;
	if (opts->verbose)
		out->log.level = WEFT_LOG_DEBUG;
}

void output_end(struct output *out)
{
	erase(out);
	(void)fflush(stderr);
	out->status[0] = '\0';
}

/* Where no line can be redrawn: the first status, and then one a minute if it changes. */
static bool plain_is_due(const struct output *out, uint64_t now, const char *text)
{
	if (strcmp(text, out->status) == 0)
		return false;
	return !out->status[0] || now - out->printed_at >= PLAIN_PERIOD_NS;
}

void output_status(struct output *out, uint64_t now, const char *text)
{
	if (out->json || out->quiet)
		return;
	if (!out->is_live) {
		if (!plain_is_due(out, now, text))
			return;
		(void)fprintf(stderr, "%s\n", text);
		out->printed_at = now;
	}
	(void)snprintf(out->status, sizeof(out->status), "%s", text);
	draw(out);
}

int output_json(json_t *object)
{
	int r = object ? json_dumpf(object, stdout, JSON_COMPACT | JSON_ENSURE_ASCII)
		       : -1;
	json_decref(object);
	return r < 0 || putchar('\n') == EOF || fflush(stdout) == EOF ? -EIO : 0;
}

void output_event(struct output *out, const char *name, json_t *fields)
{
	json_t *event = out->json ? json_pack("{s:s}", "event", name) : NULL;
	if (event) {
		(void)json_object_update(event, fields);
		(void)output_json(event);
	}
	json_decref(fields);
}

bool output_facts_are_due(struct output *out, uint64_t now)
{
	bool is_first = !out->printed_at;
	if (!out->json || (!is_first && now - out->printed_at < PLAIN_PERIOD_NS))
		return false;
	out->printed_at = now;
	return !is_first;
}

int output_fail(const char *verb, const char *text)
{
	(void)fprintf(stderr, "weft %s: %s\n", verb, text);
	return STATUS_FAILED;
}

int output_fail_link(const char *verb, int r, const char *text)
{
	if (r != -EINVAL)
		return output_fail(verb, text);
	(void)fprintf(stderr, "weft %s: %s (see `weft help links`)\n", verb, text);
	return STATUS_USAGE;
}
