/* SPDX-License-Identifier: MIT */
/*
 * What a tunnel's peer sends: a stream of records and the header with the interface's
 * configuration. The first byte chooses. A stream must become the same frames whether it
 * comes at once or byte by byte; whatever is taken for true can be cut, and written again as
 * it came.
 *
 *     clang -g -fsanitize=fuzzer,address,undefined -Iinclude -Isrc fuzz/tunnel.c ...
 */
#include "wire/tunnel.h"

#include "wire/segment.h"
#include "wire/tunnel_conf.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct tally {
	size_t frames, pings, controls, bad;
	bool broken;
	uint64_t sum; /* Of the frames' bytes in their order. */
};

/* What is true of a frame is enough to cut it. */
static void check_cut(const struct weft_frame *frame, bool is_ip)
{
	static uint8_t arena[SEGMENT_ARENA_LEN];
	static struct weft_frame segments[SEGMENTS_MAX];
	assert(segment_cut(frame, is_ip, arena, sizeof(arena), segments, SEGMENTS_MAX) >
	       0);
}

/* Written to a buffer and in place, the record is one of the same frame. */
static void check_again(struct weft_frame *frame, bool is_ip)
{
	static uint8_t again[TUNNEL_RECORD_MAX];
	struct tunnel_unit unit;
	uint8_t *record;
	int n = tunnel_emit(again, sizeof(again), frame);
	assert(n == tunnel_push(frame, &record) && n > 0);
	assert(memcmp(record, again, (size_t)n) == 0);
	assert(tunnel_decode(again, (size_t)n, is_ip, &unit) == TUNNEL_FRAME);
	assert(unit.len == (size_t)n && unit.frame.len == frame->len);
	assert(memcmp(&unit.frame.offload, &frame->offload, sizeof(frame->offload)) == 0);
}

static void take(struct tally *t, enum tunnel_outcome r, struct tunnel_unit *unit,
		 bool is_ip)
{
	t->frames += r == TUNNEL_FRAME;
	t->pings += r == TUNNEL_PING;
	t->controls += r == TUNNEL_CONTROL;
	t->bad += r == TUNNEL_BAD;
	t->broken = r == TUNNEL_BROKEN;
	if (r != TUNNEL_FRAME)
		return;
	for (uint32_t i = 0; i < unit->frame.len; i++)
		t->sum = t->sum * 31 + unit->frame.data[i];
	check_cut(&unit->frame, is_ip);
	check_again(&unit->frame, is_ip);
}

/* What is at hand is copied to a block of its own, so that a read behind it is seen. */
static size_t decode(struct tally *t, const uint8_t *data, size_t len, bool is_ip)
{
	struct tunnel_unit unit;
	uint8_t *copy = malloc(len + !len);
	assert(copy);
	memcpy(copy, data, len);
	enum tunnel_outcome r = tunnel_decode(copy, len, is_ip, &unit);
	if (r != TUNNEL_MORE)
		take(t, r, &unit, is_ip);
	free(copy);
	assert(r == TUNNEL_MORE ? unit.len > len : unit.len > 0);
	assert(r == TUNNEL_BROKEN || unit.len <= len || r == TUNNEL_MORE);
	return r == TUNNEL_MORE || r == TUNNEL_BROKEN ? 0 : unit.len;
}

static struct tally run(const uint8_t *data, size_t size, size_t piece, bool is_ip)
{
	struct tally t = { 0 };
	size_t start = 0, end = 0;
	while (end < size && !t.broken) {
		end += piece < size - end ? piece : size - end;
		size_t n;
		while (!t.broken &&
		       (n = decode(&t, data + start, end - start, is_ip)) > 0)
			start += n;
	}
	return t;
}

static void fuzz_stream(const uint8_t *data, size_t size, bool is_ip)
{
	struct tally whole = run(data, size, size, is_ip);
	struct tally pieces = run(data, size, size > 600 ? 97 : 1, is_ip);
	assert(whole.frames == pieces.frames && whole.sum == pieces.sum);
	assert(whole.pings == pieces.pings && whole.bad == pieces.bad);
	assert(whole.controls == pieces.controls);
	assert(whole.broken == pieces.broken);
}

static void fuzz_conf(const uint8_t *data, size_t size)
{
	static struct tunnel_conf conf, again;
	char printed[TUNNEL_CONF_TEXT];
	char *text = calloc(1, size + 1);
	assert(text);
	memcpy(text, data, size);
	if (tunnel_conf_parse(text, &conf) == 0) {
		assert(conf.ips_n > 0 && conf.ips[0].prefix <= 32);
		assert(tunnel_conf_print(conf.mtu, &conf.ips[0], printed) == 0);
		assert(tunnel_conf_parse(printed, &again) == 0);
		assert(again.mtu == conf.mtu && again.ips_n == 1);
		assert(memcmp(&again.ips[0], &conf.ips[0], sizeof(conf.ips[0])) == 0);
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	if (data[0] % 3 == 2)
		fuzz_conf(data + 1, size - 1);
	else
		fuzz_stream(data + 1, size - 1, data[0] % 3 == 0);
	return 0;
}
