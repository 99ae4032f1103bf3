/* SPDX-License-Identifier: MIT */
/*
 * UDP headers, and lengths that are not the datagram's.
 */
#include "wire/udp.h"

#include "bytes.h"

#include <errno.h>

#define HELLO "1388 0007 000d 5f6d 68656c6c6f"

static int parse(const uint8_t *data, size_t len)
{
	struct udp_hdr udp;
	return udp_hdr_parse(data, len, &udp);
}

static int peek(const uint8_t *data, size_t len)
{
	struct udp_hdr udp;
	return udp_hdr_peek(data, len, &udp);
}

static void datagram(void **state)
{
	(void)state;
	struct bytes b = bytes_of(HELLO);
	struct udp_hdr udp;
	assert_int_equal(udp_hdr_parse(b.data, b.len, &udp), UDP_LEN);
	assert_int_equal(udp.sport, 5000);
	assert_int_equal(udp.dport, 7);
	assert_int_equal(udp.len, 13);
	assert_int_equal(udp.csum, 0x5f6d);

	uint8_t out[UDP_LEN];
	assert_int_equal(udp_hdr_emit(out, sizeof(out), &udp), UDP_LEN);
	assert_memory_equal(out, b.data, UDP_LEN);
	assert_int_equal(udp_hdr_emit(out, sizeof(out) - 1, &udp), -ENOBUFS);
}

static void every_truncation_is_refused(void **state)
{
	(void)state;
	struct bytes b = bytes_of(HELLO);
	assert_needs_all(b.data, b.len, parse);
	for (size_t n = 0; n < b.len; n++)
		assert_int_equal(bytes_parse(b.data, n, peek),
				 n < UDP_LEN ? -EBADMSG : 8);
}

static void length_below_the_header_is_refused(void **state)
{
	(void)state;
	struct bytes b = bytes_of(HELLO);
	for (uint8_t len = 0; len < UDP_LEN; len++) {
		b.data[UDP_OFF_LEN + 1] = len;
		assert_int_equal(parse(b.data, b.len), -EBADMSG);
		assert_int_equal(peek(b.data, b.len), -EBADMSG);
	}
	b.data[UDP_OFF_LEN + 1] = UDP_LEN;
	assert_int_equal(parse(b.data, b.len), UDP_LEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(datagram),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(length_below_the_header_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
