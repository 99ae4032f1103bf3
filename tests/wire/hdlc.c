/* SPDX-License-Identifier: MIT */
/*
 * Framing for modems: the values of RFC 1662, and what a bad line makes of frames.
 */
#include "wire/hdlc.h"

#include "base/rng.h"
#include "bytes.h"

#include <errno.h>

/* LCP Configure-Request: MRU 1500, ACCM 0, magic 12347e7d, PFC, ACFC. Both encodings of it
   were made by another program, bit by bit from RFC 1662, C.1. */
#define CONTENT "c021 0101 0018 0104 05dc 0206 00000000 0506 12347e7d 0702 0802"
#define ENCODED_ALL                                                              \
	"7e ff 7d23 c0 21 7d21 7d21 7d20 7d38 7d21 7d24 7d25 dc 7d22 7d26 7d20 " \
	"7d20 7d20 7d20 7d25 7d26 7d32 34 7d5e 7d5d 7d27 7d22 7d28 7d22 7d31 73 7e"
#define ENCODED_NONE                                                              \
	"7e ff 03 c0 21 01 01 00 18 01 04 05 dc 02 06 00 00 00 00 05 06 12 34 7d" \
	"5e 7d5d 07 02 08 02 11 73 7e"

/* A decoder under test, and what came out of it. */
struct line {
	struct hdlc_decoder decoder;
	uint8_t last[HDLC_CONTENT_MAX + 2];
	size_t last_len;
	unsigned frames;
};

static void feed(struct line *line, const uint8_t *data, size_t len)
{
	struct hdlc_content content;
	while (len > 0) {
		uint8_t *copy = bytes_exactly(data, len);
		size_t taken = hdlc_decode(&line->decoder, copy, len, &content);
		free(copy);
		assert_in_range(taken, 1, len);
		data += taken;
		len -= taken;
		if (!content.data) {
			assert_int_equal(len, 0);
			return;
		}
		assert_in_range(content.len, 1, sizeof(line->last));
		memcpy(line->last, content.data, content.len);
		line->last_len = content.len;
		line->frames++;
	}
}

static void feed_hex(struct line *line, const char *hex)
{
	struct bytes b = bytes_of(hex);
	feed(line, b.data, b.len);
}

static void assert_last(const struct line *line, const char *hex)
{
	struct bytes b = bytes_of(hex);
	assert_int_equal(line->last_len, b.len);
	assert_memory_equal(line->last, b.data, b.len);
}

/* Feeds it, and says how its only frame ended. */
static void assert_ends(const char *hex, enum hdlc_outcome outcome)
{
	struct line line = { 0 };
	feed_hex(&line, hex);
	for (unsigned i = 0; i < HDLC_OUTCOMES; i++)
		if (line.decoder.counts[i] != (i == outcome))
			fail_msg("%s: %s counted %u times", hex, hdlc_outcome_name(i),
				 (unsigned)line.decoder.counts[i]);
}

static void fcs_of_the_check_string(void **state)
{
	(void)state;
	/* The catalogued check value of CRC-16/X-25, which is this FCS. */
	assert_int_equal(hdlc_fcs((const uint8_t *)"123456789", 9), 0x906e);
	assert_int_equal(hdlc_fcs(NULL, 0), 0);
}

static void assert_encodes(const char *content_hex, uint32_t accm, const char *hex)
{
	struct bytes in = bytes_of(content_hex);
	struct bytes expected = bytes_of(hex);
	const struct hdlc_content content = { in.data, in.len };
	uint8_t out[256];
	assert_int_equal(hdlc_emit(out, sizeof(out), &content, accm), expected.len);
	assert_memory_equal(out, expected.data, expected.len);
	assert_int_equal(hdlc_emit(out, expected.len, &content, accm), expected.len);
	assert_int_equal(hdlc_emit(out, expected.len - 1, &content, accm), -ENOBUFS);
}

static void encodes_with_and_without_control_characters(void **state)
{
	(void)state;
	assert_encodes(CONTENT, HDLC_ACCM_ALL, ENCODED_ALL);
	assert_encodes(CONTENT, 0, ENCODED_NONE);
}

/* RFC 1662, 4.2: XON and XOFF alone, the map that software flow control asks for. */
static void escapes_what_the_map_names(void **state)
{
	(void)state;
	struct bytes in = bytes_of("0021 11 13 12 7d 7e 91");
	const struct hdlc_content content = { in.data, in.len };
	uint8_t out[64];
	int len = hdlc_emit(out, sizeof(out), &content, 0x000a0000);
	struct bytes expected = bytes_of("7e ff03 0021 7d31 7d33 12 7d5d 7d5e 91");
	assert_true(len > (int)expected.len);
	assert_memory_equal(out, expected.data, expected.len);
}

static void decodes_whole_frames(void **state)
{
	(void)state;
	struct line line = { 0 };
	feed_hex(&line, ENCODED_ALL ENCODED_NONE);
	assert_int_equal(line.frames, 2);
	assert_last(&line, CONTENT);
	assert_int_equal(line.decoder.counts[HDLC_TAKEN], 2);
}

static void decodes_octet_by_octet(void **state)
{
	(void)state;
	struct line line = { 0 };
	struct bytes b = bytes_of(ENCODED_ALL);
	for (size_t i = 0; i < b.len; i++)
		feed(&line, b.data + i, 1);
	assert_int_equal(line.frames, 1);
	assert_last(&line, CONTENT);
}

static void one_flag_may_divide_two_frames(void **state)
{
	(void)state;
	struct line line = { 0 };
	feed_hex(&line, "7e 21450000 fd50 7e 21450000 fd50 7e");
	assert_int_equal(line.frames, 2);
	assert_last(&line, "21450000");
}

static void address_and_control_may_be_left_out(void **state)
{
	(void)state;
	struct line line = { 0 };
	feed_hex(&line, "7e 21450000 fd50 7e");
	assert_int_equal(line.frames, 1);
	assert_last(&line, "21450000");
}

/* What a modem says before it connects is no frame. */
static void everything_before_the_first_flag_is_passed_over(void **state)
{
	(void)state;
	struct line line = { 0 };
	feed_hex(&line, "4154 4454 0d 7d" ENCODED_NONE);
	assert_int_equal(line.frames, 1);
	assert_last(&line, CONTENT);
	assert_int_equal(line.decoder.counts[HDLC_DROP_FCS], 0);
}

static void flags_in_a_row_are_no_frames(void **state)
{
	(void)state;
	struct line line = { 0 };
	feed_hex(&line, "7e7e7e7e");
	for (unsigned i = 0; i < HDLC_OUTCOMES; i++)
		assert_int_equal(line.decoder.counts[i], 0);
}

static void bad_frames_end_by_name(void **state)
{
	(void)state;
	assert_ends("7e 21450000 fd51 7e", HDLC_DROP_FCS);
	assert_ends("7e 21450000 fd50 7d 7e", HDLC_DROP_ABORTED);
	assert_ends("7e 7d 7e", HDLC_DROP_ABORTED);
	assert_ends("7e 00 7e", HDLC_DROP_RUNT);
	assert_ends("7e 0000 7e", HDLC_DROP_RUNT);
	/* Right FCS, over nothing but address and control; over FF alone; over FF 13. */
	assert_ends("7e ff03 1cc2 7e", HDLC_DROP_RUNT);
	assert_ends("7e ff 00ff 7e", HDLC_DROP_ADDRESS);
	assert_ends("7e ff13 9dd2 7e", HDLC_DROP_ADDRESS);
}

static void the_frame_behind_a_bad_one_counts(void **state)
{
	(void)state;
	struct line line = { 0 };
	feed_hex(&line, "7e 21450000 fd51 7d 7e 21450000 fd50 7e");
	assert_int_equal(line.frames, 1);
}

static void data_without_a_flag_is_bounded(void **state)
{
	(void)state;
	struct line line = { 0 };
	uint8_t zeros[1000] = { 0 };
	feed_hex(&line, "7e");
	for (unsigned i = 0; i < 1000; i++)
		feed(&line, zeros, sizeof(zeros));
	feed_hex(&line, "7e 21450000 fd50 7e");
	assert_int_equal(line.decoder.counts[HDLC_DROP_TOO_LONG], 1);
	assert_int_equal(line.frames, 1);
}

/* The longest that is taken, and one octet more. */
static void longest_content(void **state)
{
	(void)state;
	static uint8_t data[HDLC_CONTENT_MAX + 1];
	static uint8_t out[HDLC_ENCODED_MAX(sizeof(data))];
	static struct line line;
	for (size_t n = HDLC_CONTENT_MAX; n <= HDLC_CONTENT_MAX + 1; n++) {
		const struct hdlc_content content = { data, n };
		int len = hdlc_emit(out, sizeof(out), &content, HDLC_ACCM_ALL);
		assert_in_range(len, n, HDLC_ENCODED_MAX(n));
		feed(&line, out, (size_t)len);
	}
	assert_int_equal(line.frames, 1);
	assert_int_equal(line.last_len, HDLC_CONTENT_MAX);
	assert_int_equal(line.decoder.counts[HDLC_DROP_TOO_LONG], 1);
}

/* Whatever goes in comes out, by any map and in pieces of any size. */
static void round_trip(void **state)
{
	(void)state;
	static struct line line;
	uint8_t data[300];
	uint8_t out[HDLC_ENCODED_MAX(sizeof(data))];
	struct rng rng;
	rng_init(&rng, test_seed());
	for (unsigned i = 0; i < 2000; i++) {
		const struct hdlc_content content = { data, 1 + rng_below(&rng, 300) };
		for (size_t k = 0; k < content.len; k++)
			data[k] = (uint8_t)rng_u64(&rng);
		data[0] = 0; /* Not FF, which would be taken for the address. */
		int len = hdlc_emit(out, sizeof(out), &content, (uint32_t)rng_u64(&rng));
		assert_true(len > 0);
		for (size_t off = 0, n; off < (size_t)len; off += n) {
			n = 1 + rng_below(&rng, 40);
			n = n < (size_t)len - off ? n : (size_t)len - off;
			feed(&line, out + off, n);
		}
		assert_int_equal(line.frames, i + 1);
		assert_int_equal(line.last_len, content.len);
		assert_memory_equal(line.last, data, content.len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fcs_of_the_check_string),
		cmocka_unit_test(encodes_with_and_without_control_characters),
		cmocka_unit_test(escapes_what_the_map_names),
		cmocka_unit_test(decodes_whole_frames),
		cmocka_unit_test(decodes_octet_by_octet),
		cmocka_unit_test(one_flag_may_divide_two_frames),
		cmocka_unit_test(address_and_control_may_be_left_out),
		cmocka_unit_test(everything_before_the_first_flag_is_passed_over),
		cmocka_unit_test(flags_in_a_row_are_no_frames),
		cmocka_unit_test(bad_frames_end_by_name),
		cmocka_unit_test(the_frame_behind_a_bad_one_counts),
		cmocka_unit_test(data_without_a_flag_is_bounded),
		cmocka_unit_test(longest_content),
		cmocka_unit_test(round_trip),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
