/* SPDX-License-Identifier: MIT */
/*
 * Marks of congestion: on whom they are put, and that nothing else changes by them.
 */
#include "wire/ecn.h"

#include "../unit.h"
#include "traffic.h"
#include "wire/checksum.h"
#include "wire/segment.h"

#include <string.h>

static uint8_t buf[TRAFFIC_BUF_LEN];

static struct weft_frame make(bool is_ip, bool is_ip6, uint16_t gso_size)
{
	const struct traffic t = { .is_ip = is_ip,
				   .is_ip6 = is_ip6,
				   .payload_len = 3000,
				   .gso_size = gso_size };
	return traffic_frame(&t, buf);
}

/* Sets the bits of a packet of IPv4 that begins at ip, with its checksum. */
static void set_ecn4(uint8_t *ip, uint8_t bits)
{
	ip[1] = (uint8_t)((ip[1] & ~3u) | bits);
	ip[10] = ip[11] = 0;
	const uint16_t sum = checksum(ip, 20);
	ip[10] = (uint8_t)(sum >> 8);
	ip[11] = (uint8_t)sum;
}

static void every_kind_of_ip4(void **state)
{
	(void)state;
	for (uint8_t bits = 0; bits < 4; bits++) {
		struct weft_frame frame = make(true, false, 1400);
		set_ecn4(frame.data, bits);
		assert_int_equal(ecn_mark(frame.data, frame.len, true), bits != 0);
		assert_int_equal(frame.data[1] & 3, bits ? 3 : 0);
		assert_true(checksum_is_right(0, frame.data, 20));
	}
}

static void only_the_bits_change(void **state)
{
	(void)state;
	static uint8_t before[TRAFFIC_BUF_LEN];
	struct weft_frame frame = make(true, false, 1400);
	frame.data[1] = 0xb8;
	set_ecn4(frame.data, 2);
	memcpy(before, frame.data, frame.len);
	assert_true(ecn_mark(frame.data, frame.len, true));
	assert_int_equal(frame.data[1], 0xbb);
	before[1] = frame.data[1];
	memcpy(before + 10, frame.data + 10, 2);
	assert_memory_equal(before, frame.data, frame.len);
}

static void every_kind_of_ip6(void **state)
{
	(void)state;
	for (uint8_t bits = 0; bits < 4; bits++) {
		struct weft_frame frame = make(true, true, 1400);
		const uint8_t rest = frame.data[1] & 0xcf;
		frame.data[1] = (uint8_t)(rest | bits << 4);
		assert_int_equal(ecn_mark(frame.data, frame.len, true), bits != 0);
		assert_int_equal(frame.data[1], rest | (bits ? 0x30 : 0));
	}
}

/* Whoever cuts a marked super-frame marks every segment. */
static void each_segment_carries_it(void **state)
{
	(void)state;
	static uint8_t arena[SEGMENT_ARENA_LEN];
	static struct weft_frame segments[SEGMENTS_MAX];
	struct weft_frame frame = make(true, false, 1000);
	set_ecn4(frame.data, 1);
	frame.offload.flags |= WEFT_OFFLOAD_ECN;
	assert_true(ecn_mark(frame.data, frame.len, true));
	int n = segment_cut(&frame, true, arena, sizeof(arena), segments, SEGMENTS_MAX);
	assert_int_equal(n, 3);
	for (int i = 0; i < n; i++) {
		assert_int_equal(segments[i].data[1] & 3, 3);
		assert_true(checksum_is_right(0, segments[i].data, 20));
	}
}

static void in_an_ethernet_frame(void **state)
{
	(void)state;
	struct weft_frame frame = make(false, false, 1400);
	set_ecn4(frame.data + 14, 2);
	assert_true(ecn_mark(frame.data, frame.len, false));
	assert_int_equal(frame.data[15] & 3, 3);
}

/* Bytes of any kind and length, with nothing readable behind them. */
static void what_is_no_ip_is_left_alone(void **state)
{
	(void)state;
	for (size_t len = 0; len < 64; len++) {
		for (unsigned first = 0; first < 256; first++) {
			uint8_t *bytes = malloc(len + !len), *before = malloc(len + !len);
			assert_non_null(bytes);
			assert_non_null(before);
			memset(bytes, 0x02, len);
			if (len > 0)
				bytes[0] = (uint8_t)first;
			memcpy(before, bytes, len);
			if (!ecn_mark(bytes, len, true) && len > 0)
				assert_memory_equal(bytes, before, len);
			free(bytes);
			free(before);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_ip4),
		cmocka_unit_test(only_the_bits_change),
		cmocka_unit_test(every_kind_of_ip6),
		cmocka_unit_test(each_segment_carries_it),
		cmocka_unit_test(in_an_ethernet_frame),
		cmocka_unit_test(what_is_no_ip_is_left_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
