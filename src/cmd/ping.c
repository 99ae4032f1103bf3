/* SPDX-License-Identifier: MIT */
/*
 * `weft ping`: echo requests from a host of its own, with what ping(8) prints and how it ends.
 *
 *     request   sequence number 1, 2, 3 ...   data: when it was sent, then a pattern
 *     answer    the same data                 -> round trip; twice the same number: DUP!
 *
 * The time is in the data, so that nothing has to be kept about a request but whether it has
 * been answered: one bit for each number.
 */
#include "cli/units.h"
#include "cmd/cmd.h"
#include "cmd/onlink.h"

#include <weft/udp.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define DATA_MAX  65507u /* With IPv4's and ICMP's header in one packet of 65,535. */
#define SEQUENCES 65536u
#define KEY_LEN   8u

struct args {
	struct output_opts output;
	struct onlink_args on;
	uint32_t count;
	uint64_t interval_ns;
	uint32_t size;
	uint32_t ttl;
	uint64_t wait_ns;
};

static const struct option options[] = {
	ONLINK_OPTIONS(struct args),
	{ .name = "count",
	  .letter = 'c',
	  .type = OPTION_NUMBER,
	  .syntax = "N",
	  .offset = OFFSET(struct args, count),
	  .help = "end after N requests [until SIGINT]" },
	{ .name = "interval",
	  .letter = 'i',
	  .type = OPTION_DURATION,
	  .syntax = "TIME",
	  .offset = OFFSET(struct args, interval_ns),
	  .help = "one request each TIME [1s]" },
	{ .name = "size",
	  .letter = 's',
	  .type = OPTION_NUMBER,
	  .syntax = "N",
	  .offset = OFFSET(struct args, size),
	  .min = 16,
	  .max = DATA_MAX,
	  .help = "bytes of data in each [56]" },
	{ .name = "ttl",
	  .letter = 't',
	  .type = OPTION_NUMBER,
	  .syntax = "N",
	  .offset = OFFSET(struct args, ttl),
	  .max = 255,
	  .help = "routers to be passed at most [64]" },
	{ .name = "wait",
	  .letter = 'W',
	  .type = OPTION_DURATION,
	  .syntax = "TIME",
	  .offset = OFFSET(struct args, wait_ns),
	  .help = "wait for the last answer so long [10s]" },
	OUTPUT_OPTIONS(struct args),
	{ 0 },
};

static const struct command command = {
	.verb = "ping",
	.operands = "HOST",
	.operands_min = 1,
	.operands_max = 1,
	.summary =
		"Is a host on a link that asks another one whether it is there, by ICMP.",
	.options = options,
	.notes =
		"weft ping --link tap:weft0 --address 10.1.0.2/24 -c 3 10.1.0.1\n"
		"\n"
		"HOST is an address, or a name that a name server of the link knows. Ends with\n"
		"status 1 if no answer came. With --json: \"reply\" for each answer,\n"
		"\"error\" for what a router says instead, and \"end\".",
};

struct pinging {
	struct onlink on;
	const struct args *args;
	const char *host;  /* as it was given */
	struct weft_ip to; /* family 0 until a name is found */
	struct weft_ping *ping;
	struct ticker ticker;
	uint8_t key[KEY_LEN]; /* In the data: nobody answers before he was asked. */
	uint64_t sent, received, repeated, errors;
	uint64_t begun_at;
	uint64_t last_at; /* When one has left last, that may be answered; 0: none. */
	uint64_t min_ns, max_ns, sum_ns;
	uint8_t is_open[SEQUENCES / 8]; /* A bit for each request without an answer. */
	uint8_t data[DATA_MAX];
};

/* ---- requests ---------------------------------------------------------------------------- */

static void data_make(struct pinging *p, uint64_t now)
{
	memcpy(p->data, p->key, KEY_LEN);
	memcpy(p->data + KEY_LEN, &now, sizeof(now));
	for (size_t i = KEY_LEN + sizeof(now); i < p->args->size; i++)
		p->data[i] = (uint8_t)i;
}

/* Returns true if the number was awaited, and is not any more. */
static bool sequence_take(struct pinging *p, uint16_t sequence)
{
	uint8_t bit = (uint8_t)(1u << (sequence % 8));
	bool is_open = p->is_open[sequence / 8] & bit;
	p->is_open[sequence / 8] &= (uint8_t)~bit;
	return is_open;
}

static void send_one(struct pinging *p, uint64_t now)
{
	uint16_t sequence = (uint16_t)(p->sent + 1);
	const struct weft_ping_request request = {
		.to = p->to,
		.sequence = sequence,
		.ttl = (uint8_t)p->args->ttl,
		.data = p->data,
		.len = p->args->size,
	};
	data_make(p, now);
	p->is_open[sequence / 8] |= (uint8_t)(1u << (sequence % 8));
	p->sent++;
	int r = weft_ping_send(p->ping, &request, now);
	if (r < 0)
		weft_log_warning(&p->on.out.log, "request %u: %s", sequence,
				 strerror(-r));
	else
		p->last_at = now;
}

static void tick(void *user, uint64_t now)
{
	struct pinging *p = user;
	bool is_done = p->args->count && p->sent >= p->args->count;
	if (!is_done)
		send_one(p, now);
	else if (!p->last_at || now - p->last_at >= p->args->wait_ns)
		onlink_stop(&p->on, STATUS_OK);
}

/* ---- answers ----------------------------------------------------------------------------- */

static void tell_reply(struct pinging *p, const struct weft_ping_reply *reply,
		       uint64_t trip_ns, bool is_repeated)
{
	char from[WEFT_IP_TEXT];
	double ms = (double)trip_ns / NS_PER_MS;
	weft_ip_print(&reply->from, from);
	output_event(&p->on.out, "reply",
		     json_pack("{s:s, s:i, s:i, s:i, s:f, s:b}", "from", from, "sequence",
			       reply->sequence, "ttl", reply->ttl, "length",
			       (int)reply->len, "ms", ms, "duplicate", is_repeated));
	if (p->on.out.json || p->on.out.quiet)
		return;
	printf("%zu bytes from %s: icmp_seq=%u ttl=%u time=%.3f ms%s\n", reply->len + 8,
	       from, reply->sequence, reply->ttl, ms, is_repeated ? " (DUP!)" : "");
	(void)fflush(stdout);
}

static void tell_error(struct pinging *p, const struct weft_ping_reply *reply)
{
	char from[WEFT_IP_TEXT];
	weft_ip_print(&reply->from, from);
	p->errors++;
	output_event(&p->on.out, "error",
		     json_pack("{s:s, s:i, s:s}", "from", from, "sequence",
			       reply->sequence, "text", strerror(-reply->error)));
	if (!p->on.out.json)
		printf("From %s icmp_seq=%u %s\n", from, reply->sequence,
		       strerror(-reply->error));
}

static void count_trip(struct pinging *p, uint64_t trip_ns)
{
	p->received++;
	p->sum_ns += trip_ns;
	if (p->received == 1 || trip_ns < p->min_ns)
		p->min_ns = trip_ns;
	if (trip_ns > p->max_ns)
		p->max_ns = trip_ns;
}

static void answered(void *user, const struct weft_ping_reply *reply, uint64_t now)
{
	struct pinging *p = user;
	uint64_t sent_at;
	if (reply->error < 0) {
		tell_error(p, reply);
		return;
	}
	if (reply->len != p->args->size || memcmp(reply->data, p->key, KEY_LEN) != 0)
		return;
	memcpy(&sent_at, (const uint8_t *)reply->data + KEY_LEN, sizeof(sent_at));
	if (sent_at > now || sent_at < p->begun_at)
		return;
	bool is_first = sequence_take(p, reply->sequence);
	if (is_first)
		count_trip(p, now - sent_at);
	else
		p->repeated++;
	tell_reply(p, reply, now - sent_at, !is_first);
	if (p->args->count && p->received + p->errors >= p->args->count)
		onlink_stop(&p->on, STATUS_OK);
}

/* ---- beginning and end ------------------------------------------------------------------- */

static void begin_with(void *user, const struct weft_ip *ip, uint64_t now)
{
	struct pinging *p = user;
	char to[WEFT_IP_TEXT];
	p->to = *ip;
	int r = weft_ping_new(p->on.stack, answered, p, &p->ping);
	p->begun_at = now;
	if (r == 0)
		r = ticker_start(&p->ticker, p->on.loop, p->args->interval_ns, tick, p);
	if (r < 0)
		onlink_fail(&p->on, strerror(-r));
	else if (!p->on.out.json)
		printf("PING %s: %u bytes of data\n", weft_ip_print(&p->to, to),
		       p->args->size);
}

static void begin(void *user, uint64_t now)
{
	struct pinging *p = user;
	if (p->to.family)
		begin_with(p, &p->to, now);
	else
		onlink_find(&p->on, p->host, begin_with);
}

static double ms_of(uint64_t ns)
{
	return (double)ns / NS_PER_MS;
}

static void tell_end(struct pinging *p)
{
	double loss =
		p->sent ? 100.0 * (double)(p->sent - p->received) / (double)p->sent : 0.0;
	double mean = p->received ? ms_of(p->sum_ns / p->received) : 0.0;
	output_event(&p->on.out, "end",
		     json_pack("{s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:f}", "sent",
			       (json_int_t)p->sent, "received", (json_int_t)p->received,
			       "duplicates", (json_int_t)p->repeated, "errors",
			       (json_int_t)p->errors, "loss", loss, "min_ms",
			       ms_of(p->min_ns), "avg_ms", mean, "max_ms",
			       ms_of(p->max_ns)));
	if (p->on.out.json)
		return;
	printf("\n--- %s ping statistics ---\n%" PRIu64 " packets transmitted, %" PRIu64
	       " received, ",
	       p->host, p->sent, p->received);
	if (p->repeated)
		printf("+%" PRIu64 " duplicates, ", p->repeated);
	if (p->errors)
		printf("+%" PRIu64 " errors, ", p->errors);
	printf("%.4g%% packet loss\n", loss);
	if (p->received)
		printf("rtt min/avg/max = %.3f/%.3f/%.3f ms\n", ms_of(p->min_ns), mean,
		       ms_of(p->max_ns));
}

static int pinging_run(struct pinging *p)
{
	if (getrandom(p->key, KEY_LEN, 0) != (ssize_t)KEY_LEN)
		return output_fail("ping", "no random numbers");
	int status = onlink_run(&p->on, begin, p);
	tell_end(p);
	return status == STATUS_OK && p->received == 0 ? STATUS_FAILED : status;
}

int cmd_ping(int argc, char **argv)
{
	struct args args = { .interval_ns = NS_PER_S,
			     .size = 56,
			     .wait_ns = 10 * NS_PER_S };
	struct weft_ip to = { .family = 0 };
	int status;
	if (options_parse(&command, argc, argv, &args, &status) < 0)
		return status;
	if (strchr(argv[1], '/'))
		return options_fail(&command, "HOST is an address or a name");
	if (weft_ip_parse(argv[1], &to) < 0)
		to.family = 0;
	struct pinging *p = calloc(1, sizeof(*p));
	if (!p)
		return output_fail("ping", "out of memory");
	p->args = &args;
	p->host = argv[1];
	p->to = to;
	status = onlink_start(&p->on, &command, &args.on, &args.output);
	if (status == STATUS_OK)
		status = pinging_run(p);
	weft_ping_free(p->ping);
	onlink_end(&p->on);
	free(p);
	return status;
}
