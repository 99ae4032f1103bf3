/* SPDX-License-Identifier: MIT */
/*
 * First all that is not for us becomes blanks (comments, code, commands), line ends excepted;
 * then each line that is not blank is read.
 */
#include "script.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOLERANCE_US 4000u
#define SCRIPT_MAX   (1u << 20)

/* ---- what is not for us ------------------------------------------------------------------ */

static void blank(char *from, const char *to)
{
	for (; from < to; from++) {
		if (*from != '\n')
			*from = ' ';
	}
}

/* Where what begins with opening at `at` ends; NULL: it does not begin there. */
static char *end_of(char *at, const char *opening, const char *closing)
{
	size_t len = strlen(opening);
	if (strncmp(at, opening, len) != 0)
		return NULL;
	char *end = strstr(at + len, closing);
	if (!end)
		return at + strlen(at);
	return *closing == '\n' ? end : end + strlen(closing);
}

static void blank_out(char *text, unsigned *ret_passed_over)
{
	static const struct {
		const char *opening, *closing;
		bool is_code;
	} pairs[] = { { "/*", "*/", false },
		      { "//", "\n", false },
		      { "#", "\n", false },
		      { "%{", "}%", true },
		      { "`", "`", true } };
	for (char *at = text; *at; at++) {
		for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
			char *end = end_of(at, pairs[i].opening, pairs[i].closing);
			if (!end)
				continue;
			blank(at, end);
			*ret_passed_over += pairs[i].is_code;
			break;
		}
	}
}

/* ---- times ------------------------------------------------------------------------------- */

static void skip_blanks(char **at)
{
	while (isspace((unsigned char)**at))
		(*at)++;
}

/* Seconds, as "1", ".5", "0.000250". The text may go on with "...". */
static bool take_seconds(char **at, uint64_t *ret_us)
{
	uint64_t us = 0, unit = 1000000;
	char *from = *at;
	while (isdigit((unsigned char)**at))
		us = us * 10 + (uint64_t)(*(*at)++ - '0') * 1000000;
	if (**at == '.' && isdigit((unsigned char)(*at)[1])) {
		for ((*at)++; isdigit((unsigned char)**at); (*at)++) {
			unit /= 10;
			us += (uint64_t)(**at - '0') * unit;
		}
	}
	*ret_us = us;
	return *at > from;
}

static bool take_time(char **at, struct event *event)
{
	if (**at == '*') {
		(*at)++;
		event->is_any_time = true;
		return true;
	}
	event->is_relative = **at == '+';
	*at += event->is_relative;
	if (!take_seconds(at, &event->at_us))
		return false;
	if (**at == '~') {
		event->has_range = true;
		*at += (*at)[1] == '+' ? 2 : 1;
		return take_seconds(at, &event->end_us);
	}
	if (strncmp(*at, "...", 3) == 0) {
		event->has_end = true;
		*at += 3;
		return take_seconds(at, &event->end_us);
	}
	return true;
}

/* ---- lines ------------------------------------------------------------------------------- */

static void take_option(const char *line, struct script *script)
{
	if (strncmp(line, "--tolerance_usecs=", 18) == 0)
		script->tolerance_us = strtoull(line + 18, NULL, 10);
	else if (strncmp(line, "--ip_version=ipv4", 17) == 0)
		script->is_ip4_only = true;
	else if (strncmp(line, "--ip_version=ipv6", 17) == 0)
		script->is_ip6_only = true;
}

/* Ends the line at `at`, and returns what is behind it: where all brackets are closed. */
static char *cut_line(char *at, unsigned *line)
{
	int depth = 0;
	for (; *at && (*at != '\n' || depth > 0); at++) {
		depth += *at == '(' || *at == '[';
		depth -= *at == ')' || *at == ']';
		if (*at == '\n') {
			++*line;
			*at = ' ';
		}
	}
	if (!*at)
		return at;
	*at = '\0';
	return at + 1;
}

static bool parse_event(char *at, struct event *event)
{
	if (!take_time(&at, event))
		return false;
	skip_blanks(&at);
	event->kind = *at == '<' ? EVENT_IN : *at == '>' ? EVENT_OUT : EVENT_CALL;
	if (event->kind == EVENT_CALL && *at == '\0')
		event->kind = EVENT_PAUSE;
	if (event->kind == EVENT_IN || event->kind == EVENT_OUT)
		at++;
	event->text = strdup(at);
	return event->text != NULL;
}

static int add_line(struct script *script, char *text, unsigned line)
{
	struct event event = { .line = line };
	skip_blanks(&text);
	if (*text == '\0')
		return 0;
	if (strncmp(text, "--", 2) == 0) {
		take_option(text, script);
		return 0;
	}
	if (!parse_event(text, &event)) {
		(void)fprintf(stderr, "%s:%u: error: no event: %s\n", script->file, line,
			      text);
		return -EINVAL;
	}
	struct event *events =
		realloc(script->events, (script->n + 1) * sizeof(*script->events));
	if (!events) {
		free(event.text);
		return -ENOMEM;
	}
	script->events = events;
	script->events[script->n++] = event;
	return 0;
}

static int parse(struct script *script, char *text)
{
	unsigned line = 1;
	int r = 0;
	blank_out(text, &script->passed_over);
	while (*text && r >= 0) {
		unsigned first = line;
		char *next = cut_line(text, &line);
		r = add_line(script, text, first);
		text = next;
		line++;
	}
	return r;
}

static char *read_file(const char *file)
{
	FILE *f = fopen(file, "r");
	char *text = f ? calloc(1, SCRIPT_MAX + 1) : NULL;
	size_t n = text ? fread(text, 1, SCRIPT_MAX, f) : 0;
	if (n == 0) {
		(void)fprintf(stderr, "%s: error: cannot be read, or is empty\n", file);
		free(text);
		text = NULL;
	}
	if (f)
		(void)fclose(f);
	return text;
}

int script_read(const char *file, struct script *ret_script)
{
	struct script script = { .file = file, .tolerance_us = TOLERANCE_US };
	char *text = read_file(file);
	if (!text)
		return -ENOENT;
	int r = parse(&script, text);
	free(text);
	if (r < 0) {
		script_free(&script);
		return r;
	}
	*ret_script = script;
	return 0;
}

void script_free(struct script *script)
{
	for (size_t i = 0; i < script->n; i++)
		free(script->events[i].text);
	free(script->events);
}
