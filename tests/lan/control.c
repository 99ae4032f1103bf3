/* SPDX-License-Identifier: MIT */
/*
 * Frames of control messages, whole and in pieces, right and wrong.
 */
#include "lan/control.h"

#include "../unit.h"
#include "base/rng.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A head that says "three", and three bytes. */
static const uint8_t frame[] = { 0, 0, 0, 3, 'a', 'b', 'c' };

static void test_find_needs_the_whole_frame(void **state)
{
	(void)state;
	struct control_body body = { 0 };
	for (size_t len = 0; len < sizeof(frame); len++)
		assert_int_equal(control_find(frame, len, &body), 0);
	assert_null(body.data);
	assert_int_equal(control_find(frame, sizeof(frame), &body), 7);
	assert_ptr_equal(body.data, frame + 4);
	assert_int_equal(body.len, 3);
}

static void test_find_refuses_lengths(void **state)
{
	(void)state;
	struct control_body body;
	const uint8_t empty[] = { 0, 0, 0, 0 }, longest[] = { 0, 1, 0, 0 };
	const uint8_t longer[] = { 0, 1, 0, 1 }, huge[] = { 0xff, 0xff, 0xff, 0xff };
	assert_int_equal(control_find(empty, 4, &body), -EBADMSG);
	assert_int_equal(control_find(longest, 4, &body), 0);
	assert_int_equal(control_find(longer, 4, &body), -EMSGSIZE);
	assert_int_equal(control_find(huge, 4, &body), -EMSGSIZE);
}

static void test_head_is_found_again(void **state)
{
	(void)state;
	static uint8_t buf[CONTROL_HEAD_LEN + CONTROL_BODY_MAX];
	struct control_body body;
	const size_t lens[] = { 1, 255, 256, 4711, CONTROL_BODY_MAX };
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		control_emit_head(buf, lens[i]);
		assert_int_equal(control_find(buf, sizeof(buf), &body), 4 + lens[i]);
		assert_int_equal(body.len, lens[i]);
	}
}

/* ---- the reader -------------------------------------------------------------------------- */

static void assert_next(struct control_reader *reader, const char *text)
{
	struct control_body body = { 0 };
	assert_int_equal(control_reader_next(reader, &body), 1);
	assert_int_equal(body.len, strlen(text));
	assert_memory_equal(body.data, text, body.len);
}

static void assert_none(struct control_reader *reader)
{
	struct control_body body;
	assert_int_equal(control_reader_next(reader, &body), 0);
}

static void test_whole_frame_is_not_copied(void **state)
{
	(void)state;
	struct control_reader reader = { 0 };
	control_reader_feed(&reader, frame, sizeof(frame));
	assert_next(&reader, "abc");
	assert_none(&reader);
	assert_null(reader.buf);
}

static void test_frames_behind_each_other(void **state)
{
	(void)state;
	static const uint8_t three[] = { 0, 0,   0,   1, 'a', 0, 0, 0,
					 2, 'b', 'c', 0, 0,   0, 1, 'd' };
	for (size_t cut = 0; cut <= sizeof(three); cut++) {
		struct control_reader reader = { 0 };
		struct control_body body;
		char text[8] = "";
		control_reader_feed(&reader, three, cut);
		while (control_reader_next(&reader, &body) > 0)
			strncat(text, (const char *)body.data, body.len);
		control_reader_feed(&reader, three + cut, sizeof(three) - cut);
		while (control_reader_next(&reader, &body) > 0)
			strncat(text, (const char *)body.data, body.len);
		assert_string_equal(text, "abcd");
		control_reader_fini(&reader);
	}
}

static void test_longest_frame_byte_by_byte(void **state)
{
	(void)state;
	static uint8_t longest[CONTROL_HEAD_LEN + CONTROL_BODY_MAX];
	struct control_reader reader = { 0 };
	struct control_body body = { 0 };
	memset(longest, 'x', sizeof(longest));
	control_emit_head(longest, CONTROL_BODY_MAX);
	for (size_t i = 0; i + 1 < sizeof(longest); i++) {
		control_reader_feed(&reader, longest + i, 1);
		assert_none(&reader);
	}
	control_reader_feed(&reader, longest + sizeof(longest) - 1, 1);
	assert_int_equal(control_reader_next(&reader, &body), 1);
	assert_int_equal(body.len, CONTROL_BODY_MAX);
	assert_memory_equal(body.data, longest + 4, CONTROL_BODY_MAX);
	assert_none(&reader);
	assert_null(reader.buf);
}

static void test_memory_follows_what_arrives(void **state)
{
	(void)state;
	const uint8_t promise[] = { 0, 1, 0, 0, '{' };
	struct control_reader reader = { 0 };
	control_reader_feed(&reader, promise, sizeof(promise));
	assert_none(&reader);
	assert_in_range(reader.room, sizeof(promise), 1024);
	control_reader_fini(&reader);
}

static void test_wrong_length_is_seen_in_the_head(void **state)
{
	(void)state;
	static const struct {
		uint8_t head[4];
		int error;
	} rows[] = { { { 0, 0, 0, 0 }, -EBADMSG }, { { 0, 2, 0, 0 }, -EMSGSIZE } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct control_reader reader = { 0 };
		struct control_body body;
		control_reader_feed(&reader, rows[i].head, 3);
		assert_none(&reader);
		control_reader_feed(&reader, rows[i].head + 3, 1);
		assert_int_equal(control_reader_next(&reader, &body), rows[i].error);
		control_reader_fini(&reader);
	}
}

/* Random frames in random pieces. */
static void test_any_pieces(void **state)
{
	(void)state;
	static uint8_t stream[200000];
	struct rng rng;
	rng_init(&rng, test_seed());
	for (unsigned round = 0; round < 50; round++) {
		struct control_reader reader = { 0 };
		struct control_body body;
		size_t len = 0, off = 0, seen = 0, frames = 0, found = 0;
		while (len < 100000) {
			size_t body_len =
				1 + rng_below(&rng, rng_below(&rng, 2) ? 60000 : 90);
			control_emit_head(stream + len, body_len);
			memset(stream + len + 4, (int)frames, body_len);
			len += 4 + body_len;
			frames++;
		}
		while (off < len) {
			size_t n = 1 + rng_below(&rng, 3000);
			n = n < len - off ? n : len - off;
			control_reader_feed(&reader, stream + off, n);
			off += n;
			while (control_reader_next(&reader, &body) > 0) {
				assert_int_equal(body.data[0], (uint8_t)found);
				assert_int_equal(body.data[body.len - 1], (uint8_t)found);
				seen += 4 + body.len;
				found++;
			}
		}
		assert_int_equal(found, frames);
		assert_int_equal(seen, len);
		assert_null(reader.buf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find_needs_the_whole_frame),
		cmocka_unit_test(test_find_refuses_lengths),
		cmocka_unit_test(test_head_is_found_again),
		cmocka_unit_test(test_whole_frame_is_not_copied),
		cmocka_unit_test(test_frames_behind_each_other),
		cmocka_unit_test(test_longest_frame_byte_by_byte),
		cmocka_unit_test(test_memory_follows_what_arrives),
		cmocka_unit_test(test_wrong_length_is_seen_in_the_head),
		cmocka_unit_test(test_any_pieces),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
