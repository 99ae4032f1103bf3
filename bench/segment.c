/* SPDX-License-Identifier: MIT */
/*
 * What the software offloads cost: nanoseconds per segment to cut a super-frame and to merge
 * the segments again, and per 1400 bytes to sum and to copy, with memcpy beside them as the
 * floor. Best and median of many short rounds: on a shared machine a mean tells of the
 * neighbours.
 *
 *     bench-segment [GSO_SIZE]
 */
#include "wire/segment.h"

#include "traffic.h"
#include "wire/checksum.h"
#include "wire/coalesce.h"
#include "wire/tcp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS    201u
#define PER_ROUND 100u /* Super-frames. */

struct bench {
	struct traffic traffic;
	struct weft_frame super;
	struct weft_frame *segments;
	int segments_n;
	uint8_t *arena, *copy;
	struct coalesce *coalesce;
	size_t emitted;
	uint32_t sum; /* Of no use, but nobody can leave it out. */
};

static void die(const char *what)
{
	fprintf(stderr, "bench-segment: %s\n", what);
	exit(1);
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void run_cut(struct bench *b)
{
	b->segments_n = segment_cut(&b->super, false, b->arena, SEGMENT_ARENA_LEN,
				    b->segments, SEGMENTS_MAX);
	if (b->segments_n < 0)
		die("the super-frame was not cut");
}

static void run_merge(struct bench *b)
{
	for (int i = 0; i < b->segments_n; i++)
		coalesce_push(b->coalesce, &b->segments[i]);
	coalesce_flush(b->coalesce);
}

static void run_add(struct bench *b)
{
	for (int i = 0; i < b->segments_n; i++)
		b->sum += checksum_add(0, b->segments[i].data, b->traffic.gso_size);
}

static void run_copy(struct bench *b)
{
	for (int i = 0; i < b->segments_n; i++)
		b->sum += checksum_copy(0, b->copy + (size_t)i * b->traffic.gso_size,
					b->segments[i].data, b->traffic.gso_size);
}

static void run_memcpy(struct bench *b)
{
	for (int i = 0; i < b->segments_n; i++) {
		memcpy(b->copy + (size_t)i * b->traffic.gso_size, b->segments[i].data,
		       b->traffic.gso_size);
		__asm__ volatile("" : : "r"(b->copy) : "memory");
	}
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void measure(struct bench *b, const char *what, void (*run)(struct bench *b))
{
	static double ns[ROUNDS];

	for (unsigned round = 0; round < ROUNDS; round++) {
		double start = now_ns();
		for (unsigned i = 0; i < PER_ROUND; i++)
			run(b);
		ns[round] = (now_ns() - start) / PER_ROUND / b->segments_n;
	}
	qsort(ns, ROUNDS, sizeof(ns[0]), compare);
	printf("%-34s %7.1f %7.1f\n", what, ns[0], ns[ROUNDS / 2]);
}

static void count_emitted(void *user, const struct weft_frame *frames, size_t n)
{
	struct bench *b = user;

	(void)frames;
	b->emitted += n;
}

static void measure_kind(struct bench *b, const char *name, bool is_udp, bool is_ip6)
{
	static uint8_t buf[TRAFFIC_BUF_LEN];
	char what[64];

	b->traffic.is_udp = is_udp;
	b->traffic.is_ip6 = is_ip6;
	b->super = traffic_frame(&b->traffic, buf);
	snprintf(what, sizeof(what), "cut %s", name);
	measure(b, what, run_cut);
	b->emitted = 0;
	snprintf(what, sizeof(what), "merge %s", name);
	measure(b, what, run_merge);
	if (b->emitted != (size_t)ROUNDS * PER_ROUND)
		die("the segments were not merged into one");
}

int main(int argc, char **argv)
{
	struct bench b = {
		.traffic = {
			.ttl = 64,
			.flags = TCP_ACK,
			.options_len = 12,
			.options_fill = TCP_OPT_NOP,
			.gso_size = argc > 1 ? (uint16_t)strtoul(argv[1], NULL, 10) : 1400,
		},
		.arena = malloc(SEGMENT_ARENA_LEN),
		.copy = malloc(WEFT_FRAME_LEN_MAX),
		.segments = calloc(SEGMENTS_MAX, sizeof(*b.segments)),
	};
	struct coalesce_opts opts = {
		.link_flags = WEFT_LINK_TSO4 | WEFT_LINK_TSO6 | WEFT_LINK_USO,
		.emit = count_emitted,
		.user = &b,
	};

	if (b.traffic.gso_size < 1010)
		die("segments below 1010 bytes do not fit one super-frame of 64");
	b.traffic.payload_len = 65000u / b.traffic.gso_size * b.traffic.gso_size;
	if (!b.arena || !b.copy || !b.segments || coalesce_new(&opts, &b.coalesce) < 0)
		die("no memory");

	printf("%u-byte segments, ns each               best  median\n",
	       b.traffic.gso_size);
	measure_kind(&b, "TCP over IPv4", false, false);
	measure_kind(&b, "TCP over IPv6", false, true);
	measure_kind(&b, "UDP over IPv4", true, false);
	measure_kind(&b, "UDP over IPv6", true, true);
	measure(&b, "checksum_add", run_add);
	measure(&b, "checksum_copy", run_copy);
	measure(&b, "memcpy", run_memcpy);
	coalesce_free(b.coalesce);
	free(b.arena);
	free(b.copy);
	free(b.segments);
	return 0;
}
