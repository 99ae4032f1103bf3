/* SPDX-License-Identifier: MIT */
/*
 * The cursor: what it reads is what was written, in either byte order, and past the end it
 * gives zero and stays bad.
 */
#include "wire/cursor.h"

#include "base/rng.h"
#include "bytes.h"

static void loads_and_stores_by_byte_order(void **state)
{
	(void)state;
	uint8_t b[8] = { 0x81, 0x92, 0xa3, 0xb4, 0xc5, 0xd6, 0xe7, 0xf8 };
	assert_int_equal(load_be16(b), 0x8192);
	assert_int_equal(load_be24(b), 0x8192a3);
	assert_int_equal(load_be32(b), 0x8192a3b4);
	assert_true(load_be64(b) == 0x8192a3b4c5d6e7f8);
	assert_int_equal(load_le16(b), 0x9281);
	assert_int_equal(load_le32(b), 0xb4a39281);
	assert_true(load_le64(b) == 0xf8e7d6c5b4a39281);

	store_be64(b, 0x0102030405060708);
	assert_memory_equal(b, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);
	store_le64(b, 0x0102030405060708);
	assert_memory_equal(b, "\x08\x07\x06\x05\x04\x03\x02\x01", 8);
	store_be16(b, 0xa1b2);
	store_be24(b + 2, 0xc3d4e5);
	assert_memory_equal(b, "\xa1\xb2\xc3\xd4\xe5\x03\x02\x01", 8);
	store_le16(b, 0xa1b2);
	store_le32(b + 2, 0xc3d4e5f6);
	assert_memory_equal(b, "\xb2\xa1\xf6\xe5\xd4\xc3\x02\x01", 8);
	store_be32(b, 0xc3d4e5f6);
	assert_memory_equal(b, "\xc3\xd4\xe5\xf6\xd4\xc3\x02\x01", 8);
}

static void reads_in_order(void **state)
{
	(void)state;
	struct bytes b =
		bytes_of("01 0203 040506 0708090a 0b0c0d0e0f101112 3412 78563412 "
			 "efcdab8967452301 6869");
	struct reader r = reader_of(b.data, b.len);
	assert_int_equal(reader_u8(&r), 0x01);
	assert_int_equal(reader_u16(&r), 0x0203);
	assert_int_equal(reader_u24(&r), 0x040506);
	assert_int_equal(reader_u32(&r), 0x0708090a);
	assert_true(reader_u64(&r) == 0x0b0c0d0e0f101112);
	assert_int_equal(reader_u16_le(&r), 0x1234);
	assert_int_equal(reader_u32_le(&r), 0x12345678);
	assert_true(reader_u64_le(&r) == 0x0123456789abcdef);
	assert_memory_equal(reader_bytes(&r, 2), "hi", 2);
	assert_int_equal(reader_left(&r), 0);
	assert_false(r.bad);
}

static void past_the_end_is_zero_and_bad_for_good(void **state)
{
	(void)state;
	const uint8_t data[3] = { 0xff, 0xff, 0xff };
	struct reader r = reader_of(data, sizeof(data));
	assert_int_equal(reader_u32(&r), 0);
	assert_true(r.bad);
	/* The three bytes that were there are not given out afterwards. */
	assert_int_equal(reader_u8(&r), 0);
	assert_int_equal(reader_left(&r), 0);
	assert_null(reader_bytes(&r, 1));
	reader_skip(&r, 0);
	assert_true(r.bad);
}

static void huge_lengths_do_not_wrap(void **state)
{
	(void)state;
	const uint8_t data[4] = { 1, 2, 3, 4 };
	struct reader r = reader_of(data, sizeof(data));
	reader_skip(&r, 2);
	assert_null(reader_bytes(&r, SIZE_MAX));
	assert_true(r.bad);
	r = reader_of(data, sizeof(data));
	reader_skip(&r, 2);
	assert_null(reader_bytes(&r, SIZE_MAX - 1));
	assert_true(r.bad);

	uint8_t out[4];
	struct writer w = writer_of(out, sizeof(out));
	writer_u16(&w, 1);
	assert_null(writer_reserve(&w, SIZE_MAX - 1));
	assert_true(w.bad);
}

static void sub_reader_ends_where_it_was_told(void **state)
{
	(void)state;
	const uint8_t data[5] = { 1, 2, 3, 4, 5 };
	struct reader r = reader_of(data, sizeof(data));
	struct reader sub = reader_sub(&r, 2);
	assert_int_equal(reader_u8(&r), 3);
	assert_int_equal(reader_u16(&sub), 0x0102);
	assert_int_equal(reader_u8(&sub), 0);
	assert_true(sub.bad);
	assert_false(r.bad);

	struct reader none = reader_sub(&r, 3);
	assert_true(none.bad && r.bad);
	assert_int_equal(reader_left(&none), 0);
}

static void copy_fills_with_zeros(void **state)
{
	(void)state;
	const uint8_t data[3] = { 1, 2, 3 };
	uint8_t out[4] = { 9, 9, 9, 9 };
	struct reader r = reader_of(data, sizeof(data));
	reader_copy(&r, out, 3);
	assert_memory_equal(out, "\1\2\3\x9", 4);
	reader_copy(&r, out, 0);
	assert_false(r.bad);
	reader_copy(&r, out, 2);
	assert_memory_equal(out, "\0\0\3\x9", 4);
	assert_true(r.bad);
}

static void nothing_at_all_is_readable(void **state)
{
	(void)state;
	struct reader r = reader_of(NULL, 0);
	assert_int_equal(reader_left(&r), 0);
	struct reader sub = reader_sub(&r, 0);
	assert_false(r.bad || sub.bad);
	assert_int_equal(reader_u8(&sub), 0);
	assert_true(sub.bad);
}

static void writes_in_order(void **state)
{
	(void)state;
	uint8_t out[40];
	struct writer w = writer_of(out, sizeof(out));
	writer_u8(&w, 0x01);
	writer_u16(&w, 0x0203);
	writer_u24(&w, 0x040506);
	writer_u32(&w, 0x0708090a);
	writer_u64(&w, 0x0b0c0d0e0f101112);
	writer_u16_le(&w, 0x1234);
	writer_u32_le(&w, 0x12345678);
	writer_u64_le(&w, 0x0123456789abcdef);
	writer_bytes(&w, "hi", 2);
	writer_bytes(&w, NULL, 0);
	writer_fill(&w, 0xee, 3);
	struct bytes want =
		bytes_of("01 0203 040506 0708090a 0b0c0d0e0f101112 3412 78563412 "
			 "efcdab8967452301 6869 eeeeee");
	assert_false(w.bad);
	assert_int_equal(w.off, want.len);
	assert_memory_equal(out, want.data, want.len);
}

static void full_writer_drops_the_rest(void **state)
{
	(void)state;
	uint8_t out[4] = { 9, 9, 9, 9 };
	struct writer w = writer_of(out, 3);
	writer_u16(&w, 0x0102);
	writer_u16(&w, 0x0304);
	writer_u8(&w, 0x05);
	assert_true(w.bad);
	assert_int_equal(w.off, 2);
	assert_int_equal(writer_left(&w), 0);
	assert_memory_equal(out, "\1\2\x9\x9", 4);
}

/* Any series of reads adds up: what is left never grows, and bad means that it ran out. */
static void random_reads_stay_inside(void **state)
{
	(void)state;
	struct rng rng;
	rng_init(&rng, test_seed());
	uint8_t data[64] = { 0 };
	for (int round = 0; round < 2000; round++) {
		size_t len = rng_below(&rng, sizeof(data));
		struct reader r = reader_of(data, len);
		size_t taken = 0;
		while (!r.bad) {
			size_t n = rng_below(&rng, 12);
			bool fits = n <= len - taken;
			reader_skip(&r, n);
			assert_int_equal(r.bad, !fits);
			taken += fits ? n : 0;
			assert_int_equal(r.off, fits ? taken : len);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loads_and_stores_by_byte_order),
		cmocka_unit_test(reads_in_order),
		cmocka_unit_test(past_the_end_is_zero_and_bad_for_good),
		cmocka_unit_test(huge_lengths_do_not_wrap),
		cmocka_unit_test(sub_reader_ends_where_it_was_told),
		cmocka_unit_test(copy_fills_with_zeros),
		cmocka_unit_test(nothing_at_all_is_readable),
		cmocka_unit_test(writes_in_order),
		cmocka_unit_test(full_writer_drops_the_rest),
		cmocka_unit_test(random_reads_stay_inside),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
