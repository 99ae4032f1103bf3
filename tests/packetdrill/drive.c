/* SPDX-License-Identifier: MIT */
/*
 * Runs transcripts in packetdrill's language against the stack, in virtual time and without any
 * right: for test suites, and for who has no packetdrill.
 *
 *     drive [--ip_version=ipv4|ipv6] FILE...
 *
 * Each file is run over IPv4 and over IPv6 (with an MTU that is larger by the difference of the
 * headers, so that segments are the same), but for those that say which one they are for. Unlike
 * packetdrill, it also minds the data's bytes, and what was sent and is not in the script.
 */
#include "base/time.h"
#include "run.h"
#include "wire/tcp.h"

#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MTU_IP4     1500u
#define MTU_IP6     1520u
/* How long "*" waits: longer than any timer of TCP. */
#define PATIENCE_US 14400000000u

bool run_fail(const struct run *run, const struct event *event, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	(void)fprintf(stderr, "%s:%u: error (%s): ", run->script->file, event->line,
		      run->is_ip6 ? "IPv6" : "IPv4");
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): clang 14 misses va_start. */
	(void)vfprintf(stderr, fmt, args);
	(void)fputc('\n', stderr);
	va_end(args);
	return false;
}

/* ---- time -------------------------------------------------------------------------------- */

static uint64_t us_of(const struct run *run, uint64_t ns)
{
	return (ns - run->begin) / NS_PER_US;
}

/* What is due until then happens, and a call that waits is tried after each piece of it. */
static bool advance(struct run *run, uint64_t until_us)
{
	uint64_t until = run->begin + until_us * NS_PER_US;
	bool is_right = true;
	while (is_right && run->host.now < until) {
		uint64_t next = host_next(&run->host);
		host_run_until(&run->host, next < until ? next : until);
		is_right = run_pending(run);
	}
	return is_right;
}

/* The same, until a packet has been sent. */
static bool await_packet(struct run *run, uint64_t until_us)
{
	uint64_t until = run->begin + until_us * NS_PER_US;
	while (!host_has_packet(&run->host) && run->host.now < until) {
		uint64_t next = host_next(&run->host);
		if (!advance(run,
			     us_of(run, next < until ? next + NS_PER_US - 1 : until)))
			return false;
		if (next == WEFT_NEVER)
			break;
	}
	return true;
}

/* The event with times since the beginning. */
static struct event absolute(const struct run *run, const struct event *event)
{
	struct event e = *event;
	if (e.is_relative) {
		e.at_us += run->last_us;
		e.end_us += run->last_us;
	}
	return e;
}

/* ---- packets ----------------------------------------------------------------------------- */

static bool packet_in(struct run *run, const struct event *event)
{
	struct segment segment;
	uint8_t bytes[HOST_PACKET_MAX];
	const char *wrong = segment_parse(event->text, run->is_ip6, &segment);
	if (wrong)
		return run_fail(run, event, "%s cannot be read: %s", wrong, event->text);
	int len = segment_emit(&segment, &run->flow, bytes, sizeof(bytes));
	if (len < 0)
		return run_fail(run, event, "cannot be written: %s", event->text);
	if (!run->knows_first_in && segment.flags & TCP_SYN) {
		run->knows_first_in = true;
		run->first_in = segment.seq + 1;
	}
	host_packet_in(&run->host, bytes, (size_t)len);
	return run_pending(run);
}

/* What was sent, as a script would have it. */
static void show(const struct run *run, const char *what, const struct segment *segment,
		 double at)
{
	char text[SEGMENT_TEXT_MAX];
	(void)fprintf(stderr, "  %s: %.6f > %s\n", what, at,
		      segment_print(segment, run->is_ip6, text));
}

/* A packet that the script does not speak of. */
static bool is_none_left(struct run *run, const struct event *event)
{
	struct segment segment;
	struct host_packet *packet = host_packet_out(&run->host);
	if (!packet)
		return true;
	const char *wrong =
		segment_read(packet->bytes, packet->len, &run->flow, &segment);
	(void)run_fail(run, event, "a packet was sent that is not in the script%s%s",
		       wrong ? ": " : "", wrong ? wrong : "");
	show(run, "sent", &segment, (double)us_of(run, packet->at) / 1e6);
	free(packet);
	return false;
}

/* The next packet is already too old for an event of this time. */
static bool is_late(const struct run *run, uint64_t at_us)
{
	const struct list *first = list_first(&run->host.sent);
	if (!first)
		return false;
	const struct host_packet *packet =
		container_of_const(first, struct host_packet, of_sent);
	return us_of(run, packet->at) + run->script->tolerance_us < at_us;
}

static const char *time_differs(const struct run *run, const struct event *event,
				uint64_t at_us)
{
	uint64_t slack = run->script->tolerance_us;
	uint64_t last = event->has_range ? event->end_us : event->at_us;
	if (event->is_any_time)
		return NULL;
	if (at_us + slack < event->at_us)
		return "too early";
	return at_us > last + slack ? "too late" : NULL;
}

static bool judge(struct run *run, const struct event *event, struct segment *want,
		  const struct host_packet *packet)
{
	struct segment sent;
	uint64_t at_us = us_of(run, packet->at);
	const char *wrong = segment_read(packet->bytes, packet->len, &run->flow, &sent);
	const char *different = wrong ? wrong : segment_differs(want, &sent, &run->flow);
	const char *untimely = time_differs(run, event, at_us);
	if (!different && !untimely)
		return true;
	(void)run_fail(run, event, "a packet is wrong: %s",
		       different ? different : untimely);
	/* Of what it was like, as much as was asked for. */
	sent.has_ecn = want->has_ecn;
	sent.has_tos = want->has_tos;
	sent.has_ttl = want->has_ttl;
	sent.has_window = want->has_window;
	show(run, "expected", want, (double)event->at_us / 1e6);
	show(run, "    sent", &sent, (double)at_us / 1e6);
	return false;
}

static bool packet_out(struct run *run, struct event *event)
{
	struct segment want;
	const char *wrong = segment_parse(event->text, run->is_ip6, &want);
	if (wrong)
		return run_fail(run, event, "%s cannot be read: %s", wrong, event->text);
	uint64_t until = event->is_any_time ? run->last_us + PATIENCE_US
			 : event->has_range ? event->end_us
					    : event->at_us;
	if (!await_packet(run, until + run->script->tolerance_us))
		return false;
	struct host_packet *packet = host_packet_out(&run->host);
	if (!packet) {
		(void)run_fail(run, event, "nothing was sent");
		show(run, "expected", &want, (double)event->at_us / 1e6);
		return false;
	}
	bool is_right = judge(run, event, &want, packet);
	if (event->is_any_time)
		event->at_us = us_of(run, packet->at);
	free(packet);
	return is_right;
}

/* ---- a script ---------------------------------------------------------------------------- */

static bool run_event(struct run *run, const struct event *given)
{
	struct event event = absolute(run, given);
	bool is_right;
	if (event.kind == EVENT_OUT) {
		is_right = packet_out(run, &event);
	} else {
		if (event.is_any_time)
			event.at_us = us_of(run, run->host.now);
		is_right = advance(run, event.at_us);
		if (is_right && is_late(run, event.at_us))
			is_right = is_none_left(run, &event);
		if (is_right && event.kind == EVENT_IN)
			is_right = packet_in(run, &event);
		if (is_right && event.kind == EVENT_CALL)
			is_right = run_call(run, &event);
	}
	run->last_us = event.at_us;
	return is_right;
}

static bool finish(struct run *run)
{
	const struct event *last = &run->script->events[run->script->n - 1];
	while (run->has_pending && host_next(&run->host) != WEFT_NEVER) {
		if (!advance(run, us_of(run, run->host.now) + 1000000))
			return false;
	}
	if (run->has_pending)
		return run_fail(run, &run->pending.event, "never returns");
	return is_none_left(run, last);
}

static int set_ends(struct run *run)
{
	int r = weft_ip_parse(run->is_ip6 ? HOST_LOCAL6 : HOST_LOCAL4, &run->flow.local);
	run->flow.local.prefix = run->is_ip6 ? 128 : 32;
	run->flow.lport = RUN_BOUND_PORT;
	run->flow.rport = RUN_REMOTE_PORT;
	return r < 0 ? r
		     : weft_ip_parse(run->is_ip6 ? HOST_REMOTE6 : HOST_REMOTE4,
				     &run->flow.remote);
}

static bool run_script(const struct script *script, bool is_ip6)
{
	static struct run run;
	run = (struct run){ .script = script, .is_ip6 = is_ip6 };
	if (set_ends(&run) < 0 || host_init(&run.host, is_ip6 ? MTU_IP6 : MTU_IP4) < 0)
		abort();
	run.begin = run.host.now;
	bool is_right = true;
	for (size_t i = 0; i < script->n && is_right; i++)
		is_right = run_event(&run, &script->events[i]);
	is_right = is_right && finish(&run);
	if (run.has_pending)
		call_free(&run.pending);
	host_fini(&run.host);
	return is_right;
}

static bool run_file(const char *file, bool with_ip4, bool with_ip6)
{
	struct script script;
	bool is_right = true;
	if (script_read(file, &script) < 0)
		return false;
	if (script.passed_over > 0)
		printf("%s: note: %u pieces of code or commands are passed over\n", file,
		       script.passed_over);
	if (script.n > 0 && with_ip4 && !script.is_ip6_only)
		is_right = run_script(&script, false);
	if (script.n > 0 && with_ip6 && !script.is_ip4_only)
		is_right = run_script(&script, true) && is_right;
	printf("%s: %s\n", file, is_right ? "as expected" : "FAILED");
	script_free(&script);
	return is_right;
}

int main(int argc, char **argv)
{
	bool with_ip4 = true, with_ip6 = true, is_right = true;
	int i = 1;
	for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
		if (strcmp(argv[i], "--ip_version=ipv4") == 0)
			with_ip6 = false;
		else if (strcmp(argv[i], "--ip_version=ipv6") == 0)
			with_ip4 = false;
	}
	if (i == argc) {
		(void)fprintf(stderr, "usage: drive [--ip_version=ipv4|ipv6] FILE...\n");
		return 2;
	}
	for (; i < argc; i++)
		is_right = run_file(argv[i], with_ip4, with_ip6) && is_right;
	return is_right ? 0 : 1;
}
