/* SPDX-License-Identifier: MIT */
/*
 * The overlay header: the eight bytes as docs/protocol.md draws them, and every other value
 * of the bytes that are fixed.
 */
#include "wire/overlay.h"

#include "bytes.h"

#include <errno.h>

#define HEADER "57 11 0000 0102 0304"

static int parse(const uint8_t *data, size_t len)
{
	struct overlay_hdr hdr;
	return overlay_hdr_parse(data, len, &hdr);
}

static void header(void **state)
{
	(void)state;
	struct bytes b = bytes_of(HEADER);
	struct overlay_hdr hdr;
	assert_int_equal(overlay_hdr_parse(b.data, b.len, &hdr), OVERLAY_LEN);
	assert_int_equal(hdr.type, OVERLAY_ETHERNET);
	assert_int_equal(hdr.room, 0x0102);
	assert_int_equal(hdr.peer, 0x0304);

	uint8_t out[OVERLAY_LEN];
	memset(out, 0xff, sizeof(out));
	overlay_hdr_emit(out, &hdr);
	assert_memory_equal(out, b.data, OVERLAY_LEN);
}

static void every_truncation_is_refused(void **state)
{
	(void)state;
	struct bytes b = bytes_of(HEADER);
	assert_needs_all(b.data, b.len, parse);
}

static void parts_have_a_number(void **state)
{
	(void)state;
	struct bytes b = bytes_of("57 12 fffe 0102 0304");
	struct overlay_hdr hdr;
	uint8_t out[OVERLAY_LEN];
	assert_int_equal(overlay_hdr_parse(b.data, b.len, &hdr), OVERLAY_LEN);
	assert_int_equal(hdr.type, OVERLAY_FIRST);
	assert_int_equal(hdr.number, 0xfffe);
	overlay_hdr_emit(out, &hdr);
	assert_memory_equal(out, b.data, OVERLAY_LEN);
	b = bytes_of("57 13 0000 0102 0304");
	assert_int_equal(overlay_hdr_parse(b.data, b.len, &hdr), OVERLAY_LEN);
	assert_int_equal(hdr.type, OVERLAY_LAST);
	assert_int_equal(hdr.number, 0);
}

/* Magic and number have one right value, and the byte of version and type has three. */
static void fixed_bytes_take_one_value(void **state)
{
	(void)state;
	for (size_t off = 0; off < OVERLAY_OFF_ROOM; off++) {
		unsigned taken = 0;
		for (unsigned value = 0; value < 256; value++) {
			struct bytes b = bytes_of(HEADER);
			b.data[off] = (uint8_t)value;
			int r = parse(b.data, b.len);
			assert_true(r == OVERLAY_LEN || r == -EBADMSG);
			taken += r == OVERLAY_LEN;
		}
		assert_int_equal(taken, off == OVERLAY_OFF_VERSION ? 3 : 1);
	}
}

static void error_leaves_the_header_alone(void **state)
{
	(void)state;
	struct bytes b = bytes_of("57 11 0001 0102 0304");
	struct overlay_hdr hdr = { .room = 9 };
	assert_int_equal(overlay_hdr_parse(b.data, b.len, &hdr), -EBADMSG);
	assert_int_equal(hdr.room, 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(parts_have_a_number),
		cmocka_unit_test(fixed_bytes_take_one_value),
		cmocka_unit_test(error_leaves_the_header_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
