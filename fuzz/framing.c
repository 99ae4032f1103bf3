/* SPDX-License-Identifier: MIT */
/*
 * What turns a peer's stream into frames: every framing, the sizing of bare frames, VPNKit's
 * messages and the telling of dialects. The first byte chooses. A stream must be cut into the
 * same frames whether it comes at once or byte by byte, and no unit may be without length,
 * reach outside or be longer than it was allowed to be.
 *
 *     clang -g -fsanitize=fuzzer,address,undefined -Iinclude -Isrc fuzz/framing.c ...
 */
#include "wire/framing.h"

#include "wire/detect.h"
#include "wire/frame_size.h"
#include "wire/vpnkit.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_MAX 2048u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct tally {
	size_t frames, bad, pads;
	bool broken;
	uint64_t sum; /* Of the frames' lengths in their order. */
};

/* What is at hand is copied to a block of its own, so that a read behind it is seen. */
static enum framing_outcome decode(struct framing *f, const uint8_t *data, size_t len,
				   struct framing_unit *ret_unit)
{
	uint8_t *copy = malloc(len);
	assert(copy);
	memcpy(copy, data, len);
	enum framing_outcome r = framing_decode(f, copy, len, ret_unit);
	free(copy);
	return r;
}

static struct tally cut(const struct framing_ops *ops, const uint8_t *data, size_t size,
			size_t piece)
{
	struct framing f = framing_of(ops, FRAME_MAX);
	struct tally t = { 0 };
	struct framing_unit unit;
	size_t start = 0, end = 0;

	while (end < size && !t.broken) {
		end += piece < size - end ? piece : size - end;
		while (start < end && !t.broken) {
			enum framing_outcome r =
				decode(&f, data + start, end - start, &unit);
			if (r == FRAMING_MORE)
				break;
			t.broken = r == FRAMING_BROKEN;
			assert(!t.broken || f.why[0]);
			if (t.broken)
				break;
			assert(unit.len > 0);
			assert(r == FRAMING_BAD || unit.len <= end - start);
			if (r == FRAMING_FRAME) {
				assert(unit.frame_len >= 14);
				assert(unit.frame_len <= FRAME_MAX);
				assert(unit.frame_off + unit.frame_len <= unit.len);
				t.frames++;
				t.sum = t.sum * 31 + unit.frame_len;
			}
			t.bad += r == FRAMING_BAD;
			t.pads += r == FRAMING_PAD;
			start += unit.len;
		}
		if (start > end)
			end = start < size ? start : size;
	}
	return t;
}

static void fuzz_framing(const struct framing_ops *ops, const uint8_t *data, size_t size)
{
	struct tally whole = cut(ops, data, size, size);
	struct tally bytes = cut(ops, data, size, 1);
	assert(whole.frames == bytes.frames && whole.sum == bytes.sum);
	assert(whole.bad == bytes.bad && whole.pads == bytes.pads);
	assert(whole.broken == bytes.broken);
}

/* More bytes never change an answer that was given. */
static void fuzz_size(const uint8_t *data, size_t size)
{
	uint16_t type = 0;
	int settled = 0;
	for (size_t len = 0; len <= size && len <= 100; len++) {
		int r = frame_size(data, len, &type);
		assert(settled == 0 || r == settled);
		assert(r <= 0 || r >= 17);
		assert(r != 0 || len < FRAME_SIZE_MIN + 8);
		settled = r;
	}
}

static void fuzz_detect(const uint8_t *data, size_t size)
{
	enum detect_result settled = DETECT_MORE;
	for (size_t len = 0; len <= size && len <= DETECT_LEN; len++) {
		enum detect_result r = detect(data, len, false);
		assert(r != DETECT_MORE || len < DETECT_LEN);
		if (settled == DETECT_MORE)
			settled = r;
		assert(detect(data, len, true) != DETECT_MORE);
	}
}

static void fuzz_vpnkit(const uint8_t *data, size_t size)
{
	uint8_t uuid[VPNKIT_UUID_LEN], out[VPNKIT_REPLY_LEN];
	struct vpnkit_reply reply, again;

	if (size > 0)
		(void)vpnkit_is_init(data, size);
	if (size >= VPNKIT_COMMAND_LEN && vpnkit_command_parse(data, uuid) == 0)
		assert((vpnkit_mac_of(uuid).octet[0] & 3) == 2);
	if (size < VPNKIT_REPLY_LEN || vpnkit_reply_parse(data, &reply) < 0)
		return;
	vpnkit_reply_emit(out, &reply);
	assert(vpnkit_reply_parse(out, &again) == 0);
	assert(again.is_refused == reply.is_refused && again.mtu == reply.mtu);
	assert(strcmp(again.why, reply.why) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct framing_ops *const framings[] = {
		&framing_u16_le,
		&framing_u16_be,
		&framing_u32_be,
		&framing_bare,
	};
	if (size < 2)
		return 0;
	unsigned choice = data[0] % 7;
	data++;
	size--;
	if (choice < 4)
		fuzz_framing(framings[choice], data, size);
	else if (choice == 4)
		fuzz_size(data, size);
	else if (choice == 5)
		fuzz_detect(data, size);
	else
		fuzz_vpnkit(data, size);
	return 0;
}
