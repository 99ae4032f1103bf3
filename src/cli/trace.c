/* SPDX-License-Identifier: MIT */
/*
 * The decoder gives "ip: ..." and indented lines; what it cannot know is put in between: the
 * time, the direction, and the link's name.
 */
#include "cli/trace.h"

#include <weft/dump.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#define NS_PER_MS 1000000

static void print_time(void)
{
	struct timespec now;
	struct tm local;
	char text[16] = "";
	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (localtime_r(&now.tv_sec, &local))
		(void)strftime(text, sizeof(text), "%H:%M:%S", &local);
	(void)fprintf(stderr, "%s.%03ld [D] ", text, now.tv_nsec / NS_PER_MS);
}

/* "ip: 10.1.0.1 > ..." becomes "ip_input: dev=tap0, 10.1.0.1 > ...". */
static void print_head(const char *line, size_t len, const char *device, bool is_sent)
{
	const char *colon = memchr(line, ':', len);
	size_t name_len = colon ? (size_t)(colon - line) : len;
	size_t rest = colon ? name_len + 2 : len; /* Behind ": ". */
	print_time();
	(void)fprintf(stderr, "%.*s_%s: dev=%s", (int)name_len, line,
		      is_sent ? "output" : "input", device);
	if (rest < len)
		(void)fprintf(stderr, ", %.*s", (int)(len - rest), line + rest);
	(void)fputc('\n', stderr);
}

static void print_headers(const char *text, const char *device, bool is_sent)
{
	while (*text) {
		size_t len = strcspn(text, "\n");
		if (*text == ' ')
			(void)fprintf(stderr, "%.*s\n", (int)len, text);
		else
			print_head(text, len, device, is_sent);
		text += len + (text[len] == '\n');
	}
}

static void passed(void *user, struct weft_link *link, bool is_sent,
		   const struct weft_frame *frames, size_t n)
{
	const struct trace *trace = user;
	char text[WEFT_DUMP_HEADERS_LEN];
	for (size_t i = 0; i < n; i++)
		print_headers(
			weft_dump_headers(&frames[i], trace->is_ip, text, sizeof(text)),
			weft_link_name(link), is_sent);
}

void trace_start(struct trace *trace, struct weft_link *link)
{
	trace->is_ip = weft_link_caps(link).flags & WEFT_LINK_IP;
	weft_link_on_pass(link, passed, trace);
}
