/* SPDX-License-Identifier: MIT */
/*
 * What a frame costs on its way over a bridge, in one process and on one core:
 *
 *     source --- pair --- [bridge] --- pair --- sink        and more ports beside them
 *
 * Frames a second for each length and number of ports, known unicast in batches of 64. Best
 * and median of many short rounds: on a shared machine a mean tells of the neighbours.
 *
 *     bench-bridge
 */
#include <weft/bridge.h>
#include <weft/link.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS    101u
#define PER_ROUND 20000u /* Frames. */
#define BATCH     64u
#define PORTS_MAX 64u

struct port {
	struct weft_link *outside, *inside;
	struct weft_bridge_port *port;
};

struct bench {
	struct weft_bridge *bridge;
	struct port ports[PORTS_MAX];
	unsigned ports_n;
	struct weft_frame batch[BATCH];
	uint8_t bytes[BATCH][1514];
	size_t received;
};

static void die(const char *what)
{
	(void)fprintf(stderr, "bench-bridge: %s\n", what);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void count(void *user, struct weft_link *link, const struct weft_frame *frames,
		  size_t n, uint64_t now)
{
	struct bench *b = user;

	(void)link, (void)frames, (void)now;
	b->received += n;
}

static void run(struct weft_link *link, uint64_t now)
{
	struct weft_task *task = weft_link_task(link);

	task->run(task, now);
}

/* One batch from the first port to the second. */
static void pass(struct bench *b, uint64_t now)
{
	weft_link_send(b->ports[0].outside, b->batch, BATCH, now);
	run(b->ports[0].inside, now);
	run(b->ports[1].inside, now);
	run(b->ports[1].outside, now);
}

static void fill(struct bench *b, size_t len, uint8_t dst, uint8_t src)
{
	const uint8_t head[14] = { 2, 0, 0, 0, 0, dst, 2, 0, 0, 0, 0, src, 0x88, 0xb5 };

	for (unsigned i = 0; i < BATCH; i++) {
		memcpy(b->bytes[i], head, sizeof(head));
		b->batch[i] =
			(struct weft_frame){ .data = b->bytes[i], .len = (uint32_t)len };
	}
}

/* So that the bridge knows where the sink is. */
static void teach(struct bench *b)
{
	fill(b, 60, 1, 2);
	weft_link_send(b->ports[1].outside, b->batch, 1, now_ns());
	run(b->ports[1].inside, now_ns());
	for (unsigned i = 0; i < b->ports_n; i++)
		if (i != 1) {
			run(b->ports[i].inside, now_ns());
			run(b->ports[i].outside, now_ns());
		}
	b->received = 0;
}

static void begin(struct bench *b, unsigned ports_n)
{
	memset(b, 0, sizeof(*b));
	b->ports_n = ports_n;
	if (weft_bridge_new(NULL, &b->bridge) < 0)
		die("out of memory");
	for (unsigned i = 0; i < ports_n; i++) {
		struct port *port = &b->ports[i];
		if (weft_link_pair(2 * BATCH, &port->outside, &port->inside) < 0 ||
		    weft_bridge_add(b->bridge, port->inside, NULL, &port->port) < 0)
			die("out of memory");
		weft_link_on_receive(port->outside, count, b);
	}
	teach(b);
}

static void end(struct bench *b)
{
	weft_bridge_free(b->bridge);
	for (unsigned i = 0; i < b->ports_n; i++) {
		weft_link_free(b->ports[i].inside);
		weft_link_free(b->ports[i].outside);
	}
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(unsigned ports_n, size_t len)
{
	static struct bench b;
	static double ns[ROUNDS];

	begin(&b, ports_n);
	fill(&b, len, 2, 1);
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t start = now_ns();
		for (unsigned n = 0; n < PER_ROUND; n += BATCH)
			pass(&b, start);
		ns[i] = (double)(now_ns() - start) / PER_ROUND;
	}
	if (b.received < (size_t)ROUNDS * PER_ROUND)
		die("frames were lost");
	end(&b);
	qsort(ns, ROUNDS, sizeof(ns[0]), compare);
	printf("%6u %6zu %12.1f %12.1f %16.2f\n", ports_n, len, ns[0], ns[ROUNDS / 2],
	       1e3 / ns[ROUNDS / 2]);
}

int main(void)
{
	static const unsigned ports[] = { 2, 10, 64 };
	static const size_t lens[] = { 64, 1514 };

	printf(" ports  bytes   ns (best)  ns (median)  M frames/s (median)\n");
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		for (size_t j = 0; j < sizeof(lens) / sizeof(lens[0]); j++)
			measure(ports[i], lens[j]);
	return 0;
}
