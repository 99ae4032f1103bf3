/* SPDX-License-Identifier: MIT */
/*
 * A stream of known records, given in pieces: what comes out, and from where.
 */
#include "tunnel/records.h"

#include "../unit.h"
#include "base/rng.h"
#include "packets.h"
#include "wire/tunnel.h"
#include "wire/virtio.h"

#include <errno.h>

#define STREAM_LEN ((size_t)1024 * 1024)

struct fixture {
	struct records records;
	struct records_sink sink;
	uint8_t stream[STREAM_LEN], copy[STREAM_LEN];
	size_t len;
	unsigned frames, calls, texts;
	unsigned in_place; /* frames that lie in the bytes that were given */
	bool resets;       /* at the next text */
};

static void take_frames(void *user, const struct weft_frame *frames, size_t n)
{
	struct fixture *f = user;
	f->calls++;
	for (size_t i = 0; i < n; i++) {
		const uint8_t *data = frames[i].data;
		const uint8_t number = (uint8_t)f->frames++;
		assert_int_equal(data[0], 0x45);
		for (uint32_t at = 1; at < frames[i].len; at++)
			assert_int_equal(data[at], number);
		assert_int_equal(frames[i].headroom, TUNNEL_LEN);
		f->in_place += data >= f->copy && data < f->copy + STREAM_LEN;
		/* The headroom and the frame are the taker's to write over. */
		memset(frames[i].data - TUNNEL_LEN, 0xee, TUNNEL_LEN + frames[i].len);
	}
}

static void take_text(void *user, const char *text, size_t len)
{
	struct fixture *f = user;
	assert_true(len >= 4 && memcmp(text, "text", 4) == 0);
	f->texts++;
	if (f->resets)
		records_reset(&f->records);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	if (!f)
		return -1;
	f->sink = (struct records_sink){
		.is_ip = true, .frames = take_frames, .control = take_text, .user = f
	};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	records_fini(&f->records);
	free(f);
	return 0;
}

/* ---- a stream ---------------------------------------------------------------------------- */

/* The packet that says which one it is: as many have been added. */
static void add(struct fixture *f, uint32_t len, unsigned number)
{
	static uint8_t packet[TUNNEL_PACKET_MAX];
	struct weft_frame frame = packet_make(packet, len, (uint8_t)number);
	int n = tunnel_emit(f->stream + f->len, STREAM_LEN - f->len, &frame);
	assert_true(n > 0);
	f->len += (size_t)n;
}

static void add_text(struct fixture *f)
{
	int n = tunnel_control_emit(f->stream + f->len, STREAM_LEN - f->len, "text", 4);
	assert_true(n > 0);
	f->len += (size_t)n;
}

/* The next piece of the stream, as a copy that may be written over. */
static int give(struct fixture *f, size_t from, size_t len)
{
	memcpy(f->copy, f->stream + from, len);
	return records_input(&f->records, f->copy, len, &f->sink);
}

/* ---- what comes out ---------------------------------------------------------------------- */

static void what_is_whole_stays_where_it_lies(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 10; i++)
		add(f, 65000, i);
	assert_int_equal(give(f, 0, f->len), 0);
	assert_int_equal(f->frames, 10);
	assert_int_equal(f->in_place, 10);
	assert_int_equal(f->calls, 1);
	assert_null(f->records.buf);
}

static void only_what_is_cut_is_copied(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 10; i++)
		add(f, 1000, i);
	assert_int_equal(give(f, 0, 4500), 0);
	assert_int_equal(f->frames, 4);
	assert_int_equal(give(f, 4500, f->len - 4500), 0);
	assert_int_equal(f->frames, 10);
	assert_int_equal(f->in_place, 9);
	assert_int_equal(f->calls, 2);
}

/* The longest there is, byte by byte: the buffer is as long as that. */
static void the_longest_record_can_come_in_bytes(void **state)
{
	struct fixture *f = *state;
	add(f, TUNNEL_PACKET_MAX, 0);
	for (size_t at = 0; at < f->len; at++)
		assert_int_equal(give(f, at, 1), 0);
	assert_int_equal(f->frames, 1);
	assert_int_equal(f->records.len, 0);
}

static void pieces_of_any_length_make_the_same(void **state)
{
	struct fixture *f = *state;
	struct rng rng;
	rng_init(&rng, test_seed());
	unsigned n = 0, texts = 0, pings = 0;
	while (f->len < STREAM_LEN - 2 * TUNNEL_RECORD_MAX) {
		const uint64_t kind = rng_below(&rng, 10);
		if (kind == 0) {
			add_text(f);
			texts++;
		} else if (kind == 1) {
			tunnel_ping_emit(f->stream + f->len);
			f->len += TUNNEL_PING_LEN;
			pings++;
		} else {
			add(f, (uint32_t)(20 + rng_below(&rng, kind < 6 ? 100 : 65000)),
			    n++);
		}
	}
	for (size_t at = 0; at < f->len;) {
		const size_t left = f->len - at;
		size_t len = 1 + rng_below(&rng, rng_below(&rng, 2) ? 50 : 200000);
		len = len < left ? len : left;
		assert_int_equal(give(f, at, len), 0);
		at += len;
	}
	assert_int_equal(f->frames, n);
	assert_int_equal(f->texts, texts);
	assert_int_equal(f->records.pings, pings);
	assert_int_equal(f->records.len, 0);
}

/* ---- ends -------------------------------------------------------------------------------- */

static void nothing_is_heard_of_bytes_behind_a_reset(void **state)
{
	struct fixture *f = *state;
	add(f, 100, 0);
	add_text(f);
	add(f, 100, 1);
	add(f, 100, 2);
	f->resets = true;
	assert_int_equal(give(f, 0, f->len - 50), 0);
	assert_int_equal(f->frames, 1);
	assert_int_equal(f->texts, 1);
	assert_int_equal(f->records.len, 0);
	/* Another stream begins with a whole record, in the buffer of the former as well. */
	assert_int_equal(give(f, 0, 50), 0);
	f->frames = 0;
	assert_int_equal(give(f, 50, TUNNEL_LEN + 50), 0);
	assert_int_equal(f->frames, 1);
}

static void a_reset_from_what_was_kept_ends_it_as_well(void **state)
{
	struct fixture *f = *state;
	add_text(f);
	add(f, 100, 0);
	f->resets = true;
	assert_int_equal(give(f, 0, 10), 0);
	assert_int_equal(give(f, 10, f->len - 10), 0);
	assert_int_equal(f->texts, 1);
	assert_int_equal(f->frames, 0);
	assert_int_equal(f->records.len, 0);
}

static void a_length_that_cannot_be_ends_it(void **state)
{
	struct fixture *f = *state;
	add(f, 100, 0);
	f->stream[f->len] = 19;
	f->len += 40;
	assert_int_equal(give(f, 0, f->len), -EBADMSG);
	assert_int_equal(f->frames, 1);
	records_reset(&f->records);
	const size_t bad = TUNNEL_LEN + 100;
	assert_int_equal(give(f, bad, 1), 0);
	assert_int_equal(give(f, bad + 1, 1), -EBADMSG);
}

static void a_header_that_is_not_true_is_passed_over(void **state)
{
	struct fixture *f = *state;
	add(f, 100, 7);
	f->stream[f->len - 100 - VIRTIO_LEN + 1] = 0x77; /* no kind of super-frame */
	add(f, 100, 0);
	assert_int_equal(give(f, 0, f->len), 0);
	assert_int_equal(f->frames, 1);
	assert_int_equal(f->records.bad, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_whole_stays_where_it_lies, setup,
						teardown),
		cmocka_unit_test_setup_teardown(only_what_is_cut_is_copied, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_longest_record_can_come_in_bytes,
						setup, teardown),
		cmocka_unit_test_setup_teardown(pieces_of_any_length_make_the_same, setup,
						teardown),
		cmocka_unit_test_setup_teardown(nothing_is_heard_of_bytes_behind_a_reset,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_reset_from_what_was_kept_ends_it_as_well, setup, teardown),
		cmocka_unit_test_setup_teardown(a_length_that_cannot_be_ends_it, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_header_that_is_not_true_is_passed_over,
						setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
