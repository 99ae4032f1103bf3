/* SPDX-License-Identifier: MIT */
/*
 * The header of ICMP and ICMPv6.
 */
#include "wire/icmp.h"

#include "bytes.h"

#include <errno.h>

static int parse(const uint8_t *data, size_t len)
{
	struct icmp_hdr icmp;
	return icmp_hdr_parse(data, len, &icmp);
}

static void echo(void **state)
{
	(void)state;
	struct bytes b = bytes_of("08 00 f7f4 0005 0006");
	struct icmp_hdr icmp;
	assert_int_equal(icmp_hdr_parse(b.data, b.len, &icmp), ICMP_LEN);
	assert_int_equal(icmp.type, ICMP4_ECHO);
	assert_int_equal(icmp.code, 0);
	assert_int_equal(icmp.csum, 0xf7f4);
	assert_int_equal(icmp_echo_id(&icmp), 5);
	assert_int_equal(icmp_echo_seq(&icmp), 6);
	assert_int_equal(icmp_echo_rest(5, 6), icmp.rest);

	uint8_t out[ICMP_LEN];
	assert_int_equal(icmp_hdr_emit(out, sizeof(out), &icmp), ICMP_LEN);
	assert_memory_equal(out, b.data, ICMP_LEN);
	assert_int_equal(icmp_hdr_emit(out, sizeof(out) - 1, &icmp), -ENOBUFS);
	assert_needs_all(b.data, b.len, parse);
}

/* No error is sent about an error: who asks must get all 256 types right. */
static void kinds(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 256; type++) {
		bool error4 =
			type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
		assert_int_equal(icmp4_is_error((uint8_t)type), error4);
		assert_int_equal(icmp6_is_error((uint8_t)type), type < 128);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(echo),
		cmocka_unit_test(kinds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
