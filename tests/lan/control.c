/* SPDX-License-Identifier: MIT */
/*
 * Frames of control messages, whole and in pieces, right and wrong.
 */
#include "lan/control.h"

#include "../unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A head that says "three", and three bytes. */
static const uint8_t frame[] = { 0, 0, 0, 3, 'a', 'b', 'c' };

static int feed(struct control_reader *reader, const void *data, size_t len, bool fin,
		struct control_body *body)
{
	const struct control_body piece = { .data = data, .len = len };
	return control_reader_feed(reader, &piece, fin, body);
}

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
	static uint8_t buf[CONTROL_FRAME_MAX];
	struct control_body body;
	const size_t lens[] = { 1, 255, 256, 4711, CONTROL_BODY_MAX };
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		control_emit_head(buf, lens[i]);
		assert_int_equal(control_find(buf, sizeof(buf), &body), 4 + lens[i]);
		assert_int_equal(body.len, lens[i]);
	}
}

static void test_whole_frame_is_not_copied(void **state)
{
	(void)state;
	struct control_reader reader = { 0 };
	struct control_body body;
	assert_int_equal(feed(&reader, frame, sizeof(frame), true, &body), 1);
	assert_ptr_equal(body.data, frame + 4);
	assert_null(reader.buf);
}

static void test_every_cut_in_two(void **state)
{
	(void)state;
	for (size_t cut = 0; cut < sizeof(frame); cut++) {
		struct control_reader reader = { 0 };
		struct control_body body = { 0 };
		assert_int_equal(feed(&reader, frame, cut, false, &body), 0);
		assert_int_equal(
			feed(&reader, frame + cut, sizeof(frame) - cut, false, &body), 1);
		assert_int_equal(body.len, 3);
		assert_memory_equal(body.data, "abc", 3);
		assert_int_equal(feed(&reader, NULL, 0, true, &body), 0);
		control_reader_fini(&reader);
	}
}

static void test_longest_frame_byte_by_byte(void **state)
{
	(void)state;
	static uint8_t longest[CONTROL_FRAME_MAX];
	struct control_reader reader = { 0 };
	struct control_body body = { 0 };
	memset(longest, 'x', sizeof(longest));
	control_emit_head(longest, CONTROL_BODY_MAX);
	for (size_t i = 0; i + 1 < sizeof(longest); i++)
		assert_int_equal(feed(&reader, longest + i, 1, false, &body), 0);
	assert_int_equal(feed(&reader, longest + sizeof(longest) - 1, 1, true, &body), 1);
	assert_int_equal(body.len, CONTROL_BODY_MAX);
	assert_memory_equal(body.data, longest + 4, CONTROL_BODY_MAX);
	control_reader_fini(&reader);
}

static void test_memory_follows_what_arrives(void **state)
{
	(void)state;
	const uint8_t promise[] = { 0, 1, 0, 0, '{' };
	struct control_reader reader = { 0 };
	struct control_body body;
	assert_int_equal(feed(&reader, promise, sizeof(promise), false, &body), 0);
	assert_in_range(reader.room, sizeof(promise), 1024);
	control_reader_fini(&reader);
}

static void test_stream_ends_inside_its_frame(void **state)
{
	(void)state;
	for (size_t len = 0; len < sizeof(frame); len++) {
		struct control_reader reader = { 0 };
		struct control_body body;
		assert_int_equal(feed(&reader, frame, len, true, &body), -EBADMSG);
		control_reader_fini(&reader);
	}
}

static void test_bytes_behind_the_frame(void **state)
{
	(void)state;
	uint8_t more[sizeof(frame) + 1] = { 0 };
	struct control_reader reader = { 0 };
	struct control_body body;
	memcpy(more, frame, sizeof(frame));
	assert_int_equal(feed(&reader, more, sizeof(more), true, &body), -EBADMSG);
	assert_int_equal(feed(&reader, frame, sizeof(frame), false, &body), 1);
	assert_int_equal(feed(&reader, "x", 1, false, &body), -EBADMSG);
	control_reader_fini(&reader);
}

static void test_too_long_is_seen_in_the_head(void **state)
{
	(void)state;
	const uint8_t head[] = { 0, 2, 0, 0 };
	struct control_reader reader = { 0 };
	struct control_body body;
	assert_int_equal(feed(&reader, head, 3, false, &body), 0);
	assert_int_equal(feed(&reader, head + 3, 1, false, &body), -EMSGSIZE);
	control_reader_fini(&reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find_needs_the_whole_frame),
		cmocka_unit_test(test_find_refuses_lengths),
		cmocka_unit_test(test_head_is_found_again),
		cmocka_unit_test(test_whole_frame_is_not_copied),
		cmocka_unit_test(test_every_cut_in_two),
		cmocka_unit_test(test_longest_frame_byte_by_byte),
		cmocka_unit_test(test_memory_follows_what_arrives),
		cmocka_unit_test(test_stream_ends_inside_its_frame),
		cmocka_unit_test(test_bytes_behind_the_frame),
		cmocka_unit_test(test_too_long_is_seen_in_the_head),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
