/* SPDX-License-Identifier: MIT */
/*
 * Cutting and merging under offload facts and frames that nobody would make. The input is a
 * list of steps:
 *
 *     0   a frame as it stands, with facts, all from the input
 *     1   a frame whose lengths fit and whose checksums are right, so that it gets further
 *     2   the next segment of the flow of the last frame
 *     3   a flush
 *
 * Whatever goes into the coalescer is also cut on its own, and so is what comes out. Order
 * aside, both must give the same complete frames: nothing lost, nothing made up, and not a
 * byte changed.
 *
 *     clang -g -fsanitize=fuzzer,address,undefined -Iinclude -Isrc fuzz/segment.c ...
 */
#include "wire/segment.h"

#include "wire/checksum.h"
#include "wire/coalesce.h"
#include "wire/cursor.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/layout.h"
#include "wire/tcp.h"
#include "wire/udp.h"

#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX 200u

struct run {
	struct coalesce *coalesce;
	bool is_ip;
	uint64_t in, out; /* Sums over complete frames; their order does not matter. */
	uint8_t *last;    /* The frame before. */
	size_t last_len;
};

static uint64_t hash(const uint8_t *data, size_t len)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ data[i]) * 0x100000001b3u;
	return h;
}

/* Sum over the complete frames that this one stands for; 0 if it does not hold water. */
static uint64_t worth(const struct weft_frame *frame, bool is_ip)
{
	static _Alignas(16) uint8_t arena[SEGMENT_ARENA_LEN];
	static struct weft_frame cut[SEGMENTS_MAX];
	int n = segment_cut(frame, is_ip, arena, sizeof(arena), cut, SEGMENTS_MAX);
	uint64_t sum = 0;

	for (int i = 0; i < n; i++) {
		assert(cut[i].headroom == WEFT_HEADROOM);
		assert(cut[i].data >= arena + WEFT_HEADROOM);
		assert(cut[i].data + cut[i].len <= arena + sizeof(arena));
		sum += hash(cut[i].data, cut[i].len);
	}
	return sum;
}

static void sink(void *user, const struct weft_frame *frames, size_t n)
{
	struct run *run = user;

	for (size_t i = 0; i < n; i++)
		run->out += worth(&frames[i], run->is_ip);
}

/* Takes data, which is malloc'ed at its exact length. */
static void push(struct run *run, uint8_t *data, size_t len, struct weft_offload offload)
{
	struct weft_frame frame = { .data = data,
				    .len = (uint32_t)len,
				    .offload = offload };

	run->in += worth(&frame, run->is_ip);
	coalesce_push(run->coalesce, &frame);
	free(run->last);
	run->last = data;
	run->last_len = len;
}

static uint8_t *copy_of(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len + !len);

	assert(copy);
	if (len > 0)
		memcpy(copy, data, len);
	return copy;
}

static void fix_ip(uint8_t *ip, size_t len)
{
	if (len >= IP4_LEN && ip[0] == 0x45) {
		store_be16(ip + IP4_OFF_TOTAL_LEN, (uint16_t)len);
		store_be16(ip + IP4_OFF_CSUM, 0);
		store_be16(ip + IP4_OFF_CSUM, checksum(ip, IP4_LEN));
	} else if (len >= IP6_LEN && ip[0] >> 4 == 6) {
		store_be16(ip + IP6_OFF_PAYLOAD_LEN, (uint16_t)(len - IP6_LEN));
	}
}

static void fix_csum(const struct layout *at, uint8_t *data)
{
	const uint8_t *ip = data + at->ip_off;
	uint8_t *transport = data + at->transport_off;
	uint16_t len = (uint16_t)(at->end - at->transport_off);
	bool is_tcp = at->proto == IPPROTO_TCP;
	uint8_t *field = transport + (is_tcp ? TCP_OFF_CSUM : UDP_OFF_CSUM);
	uint32_t sum = at->version == 4
			       ? checksum_pseudo4(ip + IP4_OFF_SRC, ip + IP4_OFF_DST,
						  at->proto, len)
			       : checksum_pseudo6(ip + IP6_OFF_SRC, ip + IP6_OFF_DST,
						  at->proto, len);

	store_be16(field, 0);
	sum = checksum_add(sum, transport, len);
	store_be16(field, is_tcp ? checksum_finish(sum) : checksum_finish_udp(sum));
}

/* Lengths and checksums as they should be, where there is something that has them. */
static void fix(const struct run *run, uint8_t *data, size_t len)
{
	struct layout at;

	if (layout_find(data, len, run->is_ip, &at) < 0 || at.end > UINT16_MAX)
		return;
	if (at.version)
		fix_ip(data + at.ip_off, len - at.ip_off);
	if (layout_find(data, len, run->is_ip, &at) < 0 ||
	    at.payload_off == at.transport_off)
		return;
	if (at.proto == IPPROTO_UDP)
		store_be16(data + at.transport_off + UDP_OFF_LEN,
			   (uint16_t)(at.end - at.transport_off));
	fix_csum(&at, data);
}

static void push_raw(struct run *run, struct reader *r)
{
	struct weft_offload offload = {
		.flags = reader_u8(r) & (uint8_t)~WEFT_OFFLOAD_CSUM_VALID,
		.gso = reader_u8(r) % 6,
		.hdr_len = reader_u16(r),
		.gso_size = reader_u16(r),
		.csum_start = reader_u16(r),
		.csum_offset = reader_u16(r),
	};
	size_t len = reader_u16(r);
	const uint8_t *data =
		reader_bytes(r, len < reader_left(r) ? len : reader_left(r));
	size_t got = (size_t)(r->data + r->off - data);

	push(run, copy_of(data, got), got, offload);
}

static void push_fixed(struct run *run, struct reader *r)
{
	size_t len = reader_u16(r);
	if (len > reader_left(r))
		len = reader_left(r);
	uint8_t *data = copy_of(reader_bytes(r, len), len);

	fix(run, data, len);
	push(run, data, len, (struct weft_offload){ 0 });
}

/* Moves the last frame on by its payload; the input says how much shorter it gets. */
static void push_next(struct run *run, struct reader *r)
{
	uint8_t shorter = reader_u8(r), flags = reader_u8(r);
	struct layout at;

	if (!run->last || layout_find(run->last, run->last_len, run->is_ip, &at) < 0 ||
	    at.payload_off == at.transport_off)
		return;
	size_t len = at.end - (shorter < at.end - at.payload_off ? shorter : 0);
	uint8_t *data = copy_of(run->last, len);
	uint8_t *transport = data + at.transport_off;

	if (at.version == 4)
		store_be16(data + at.ip_off + IP4_OFF_ID,
			   (uint16_t)(load_be16(data + at.ip_off + IP4_OFF_ID) + 1));
	if (at.proto == IPPROTO_TCP) {
		store_be32(transport + TCP_OFF_SEQ,
			   load_be32(transport + TCP_OFF_SEQ) + at.end - at.payload_off);
		transport[TCP_OFF_FLAGS + 1] ^= flags & (TCP_PSH | TCP_FIN);
	}
	if (at.version == 4 || at.proto == IPPROTO_UDP || len != at.end) {
		fix_ip(data + at.ip_off, len - at.ip_off);
		if (at.proto == IPPROTO_UDP)
			store_be16(transport + UDP_OFF_LEN,
				   (uint16_t)(len - at.transport_off));
	}
	fix(run, data, len);
	push(run, data, len, (struct weft_offload){ 0 });
}

static void step(struct run *run, struct reader *r)
{
	switch (reader_u8(r) & 3) {
	case 0:
		push_raw(run, r);
		break;
	case 1:
		push_fixed(run, r);
		break;
	case 2:
		push_next(run, r);
		break;
	default:
		coalesce_flush(run->coalesce);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_of(data, size);
	uint8_t config = reader_u8(&r);
	struct run run = { .is_ip = config & 1 };
	struct coalesce_opts opts = {
		.link_flags = WEFT_LINK_TSO4 | WEFT_LINK_TSO6 | WEFT_LINK_USO,
		.is_ip = run.is_ip,
		.flows_max = config >> 1 & 3,
		.emit = sink,
		.user = &run,
	};

	if (coalesce_new(&opts, &run.coalesce) < 0)
		return 0;
	for (unsigned i = 0; i < STEPS_MAX && reader_left(&r) > 0; i++)
		step(&run, &r);
	coalesce_flush(run.coalesce);
	assert(!coalesce_is_pending(run.coalesce));
	assert(run.in == run.out);
	coalesce_free(run.coalesce);
	free(run.last);
	return 0;
}
