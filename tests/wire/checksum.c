/* SPDX-License-Identifier: MIT */
/*
 * The checksum against the plainest one there is (traffic_sum, two bytes at a time), at
 * every length and alignment that the fast one treats differently, and against figures
 * from the standards.
 */
#include "wire/checksum.h"

#include "../unit.h"
#include "traffic.h"
#include "wire/cursor.h"

#include <netinet/in.h>
#include <string.h>

/* RFC 1071, 3: the worked example. */
static void test_example_of_the_standard(void **state)
{
	(void)state;
	const uint8_t data[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

	assert_int_equal(checksum_fold(checksum_add(0, data, sizeof(data))), 0xddf2);
	assert_int_equal(checksum(data, sizeof(data)), 0x220d);
	assert_int_equal(checksum_fold(checksum_add(0, data, 3)), 0xf201);
	assert_int_equal(checksum(data, 0), 0xffff);
}

/* An IPv4 header of a real packet, its checksum 0xb861. */
static void test_ip4_header(void **state)
{
	(void)state;
	uint8_t ip[20] = { 0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
			   0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7 };

	assert_true(checksum_is_right(0, ip, sizeof(ip)));
	ip[10] = ip[11] = 0;
	assert_int_equal(checksum(ip, sizeof(ip)), 0xb861);
	assert_false(checksum_is_right(0, ip, sizeof(ip)));
}

static void test_every_length_and_alignment(void **state)
{
	(void)state;
	uint8_t data[300], copy[300];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = traffic_byte((uint32_t)i);
	for (size_t off = 0; off < 33; off++) {
		for (size_t len = 0; len <= 200; len++) {
			uint16_t want = traffic_sum(0, data + off, len);
			uint8_t *dst = copy + 40 - off;
			memset(copy, 0xee, sizeof(copy));
			assert_int_equal(checksum_fold(checksum_add(0, data + off, len)),
					 want);
			assert_int_equal(
				checksum_fold(checksum_copy(0, dst, data + off, len)),
				want);
			assert_memory_equal(dst, data + off, len);
			assert_int_equal(dst[-1], 0xee);
			assert_int_equal(dst[len], 0xee);
		}
	}
}

/* All ones is where carries get lost. */
static void test_carries(void **state)
{
	(void)state;
	static uint8_t ones[65536];

	memset(ones, 0xff, sizeof(ones));
	for (size_t len = 1; len < sizeof(ones); len = len * 3 / 2 + 1)
		assert_int_equal(checksum_fold(checksum_add(0, ones, len)),
				 traffic_sum(0, ones, len));
	assert_int_equal(checksum_fold(checksum_add(0, ones, sizeof(ones))), 0xffff);
	assert_int_equal(checksum_fold(UINT32_MAX), 0xffff);
}

static void test_random_pieces(void **state)
{
	(void)state;
	static uint8_t data[65536], copy[65536];
	uint64_t seed = test_seed();

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)traffic_below(&seed, 256);
	for (unsigned round = 0; round < 200; round++) {
		size_t len = traffic_below(&seed, sizeof(data) + 1), at = 0;
		uint16_t want = traffic_sum(0, data, len);
		uint32_t sum = 0;

		while (at < len) {
			size_t piece = 2 + 2 * traffic_below(&seed, 3000);
			if (piece > len - at)
				piece = len - at;
			sum = traffic_below(&seed, 2)
				      ? checksum_add(sum, data + at, piece)
				      : checksum_copy(sum, copy + at, data + at, piece);
			at += piece;
		}
		assert_int_equal(checksum_fold(sum), want);
	}
}

static void test_pseudo_headers(void **state)
{
	(void)state;
	const uint8_t pseudo4[12] = {
		10, 0, 0, 1, 10, 0, 0, 2, 0, IPPROTO_TCP, 0x12, 0x34
	};
	uint8_t pseudo6[40] = { 0xfd, [15] = 1, [16] = 0xfe, [31] = 0xff,          0x00,
				0x01, 0x23,     0x45,        [39] = IPPROTO_ICMPV6 };

	assert_int_equal(checksum_fold(checksum_pseudo4(pseudo4, pseudo4 + 4, IPPROTO_TCP,
							0x1234)),
			 traffic_sum(0, pseudo4, sizeof(pseudo4)));
	assert_int_equal(checksum_fold(checksum_pseudo6(pseudo6, pseudo6 + 16,
							IPPROTO_ICMPV6, 0x12345)),
			 traffic_sum(0, pseudo6, sizeof(pseudo6)));
}

/* RFC 1624, 4: the case that equation 4 of RFC 1141 gets wrong. */
static void test_update_of_the_standard(void **state)
{
	(void)state;
	assert_int_equal(checksum_update(0xdd2f, 0x5555, 0x3285), 0x0000);
}

static void test_updates(void **state)
{
	(void)state;
	uint64_t seed = test_seed();

	for (unsigned round = 0; round < 20000; round++) {
		uint8_t data[8] = { 1 };
		for (size_t i = 0; i < sizeof(data); i++)
			data[i] = (uint8_t)(0 - traffic_below(&seed, 3));
		uint16_t before = checksum(data, sizeof(data));
		uint16_t from = load_be16(data + 2);
		uint16_t to = (uint16_t)(traffic_below(&seed, 4)
						 ? traffic_below(&seed, UINT16_MAX)
						 : 0);
		store_be16(data + 2, to);
		uint16_t after = checksum_update(before, from, to);
		uint16_t want = checksum(data, sizeof(data));
		/* Over nothing but zeros 0xffff is right, which no update can know. */
		assert_true(after == want || (want == 0xffff && after == 0));
	}
}

static void test_udp_without_checksum(void **state)
{
	(void)state;
	uint8_t udp[8] = { 0x12, 0x34, 0x56, 0x78, 0, 8, 0, 0 };

	assert_true(checksum_udp_is_right(5, udp, sizeof(udp), false));
	assert_false(checksum_udp_is_right(5, udp, sizeof(udp), true));
	uint16_t csum = checksum_finish_udp(checksum_add(5, udp, sizeof(udp)));
	udp[6] = (uint8_t)(csum >> 8);
	udp[7] = (uint8_t)csum;
	assert_true(checksum_udp_is_right(5, udp, sizeof(udp), false));
	assert_true(checksum_udp_is_right(5, udp, sizeof(udp), true));
	assert_false(checksum_udp_is_right(6, udp, sizeof(udp), false));
	assert_int_equal(checksum_finish_udp(0xffff), 0xffff);
	assert_int_equal(checksum_finish(0xffff), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_example_of_the_standard),
		cmocka_unit_test(test_ip4_header),
		cmocka_unit_test(test_every_length_and_alignment),
		cmocka_unit_test(test_carries),
		cmocka_unit_test(test_random_pieces),
		cmocka_unit_test(test_pseudo_headers),
		cmocka_unit_test(test_update_of_the_standard),
		cmocka_unit_test(test_updates),
		cmocka_unit_test(test_udp_without_checksum),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
