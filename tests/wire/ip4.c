/* SPDX-License-Identifier: MIT */
/*
 * IPv4 headers: a real one (whose checksum tcpdump calls right), one with options, a
 * fragment, and each way in which the two lengths can lie.
 */
#include "wire/ip4.h"

#include "base/array.h"
#include "bytes.h"

#include <errno.h>
#include <netinet/in.h>

#define UDP5                                                                    \
	"4500 0021 0001 0000 40 11 f6c7 c0000201 c0000202 1388 0007 000d 5f6d " \
	"68656c6c6f"
#define ROUTER_ALERT \
	"46c0 0020 0000 4000 01 02 4200 c0000201 e0000016 94040000 2200f9fd 00000000"

static int parse(const uint8_t *data, size_t len)
{
	struct ip4_hdr ip;
	return ip4_hdr_parse(data, len, &ip);
}

static int peek(const uint8_t *data, size_t len)
{
	struct ip4_hdr ip;
	return ip4_hdr_peek(data, len, &ip);
}

static void assert_emits(const struct ip4_hdr *ip, const uint8_t *want, size_t len)
{
	uint8_t out[IP4_LEN + IP4_OPTIONS_MAX];
	assert_int_equal(ip4_hdr_emit(out, len, ip), len);
	assert_memory_equal(out, want, len);
	assert_int_equal(ip4_hdr_emit(out, len - 1, ip), -ENOBUFS);
}

static void datagram(void **state)
{
	(void)state;
	struct bytes b = bytes_of(UDP5);
	struct ip4_hdr ip;
	assert_int_equal(ip4_hdr_parse(b.data, b.len, &ip), IP4_LEN);
	assert_int_equal(ip.tos, 0);
	assert_int_equal(ip.total_len, 33);
	assert_int_equal(ip.id, 1);
	assert_int_equal(ip.ttl, 64);
	assert_int_equal(ip.proto, IPPROTO_UDP);
	assert_int_equal(ip.src, 0xc0000201);
	assert_int_equal(ip.dst, 0xc0000202);
	assert_int_equal(ip.options_len, 0);
	assert_false(ip.df || ip.mf || ip4_is_fragment(&ip));
	assert_emits(&ip, b.data, IP4_LEN);
	assert_needs_all(b.data, b.len, parse);
}

static void options(void **state)
{
	(void)state;
	struct bytes b = bytes_of(ROUTER_ALERT);
	struct ip4_hdr ip;
	assert_int_equal(ip4_hdr_parse(b.data, b.len, &ip), 24);
	assert_int_equal(ip.tos, 0xc0);
	assert_true(ip.df);
	assert_true(ip4_is_multicast(ip.dst));
	assert_int_equal(ip.options_len, 4);
	assert_memory_equal(ip.options, "\x94\x04\0\0", 4);
	assert_emits(&ip, b.data, 24);
	assert_needs_all(b.data, b.len, parse);
}

static void fragments(void **state)
{
	(void)state;
	struct bytes b = bytes_of(UDP5);
	b.data[IP4_OFF_FRAG] = 0x20;
	b.data[IP4_OFF_FRAG + 1] = 185;
	struct ip4_hdr ip;
	assert_int_equal(ip4_hdr_parse(b.data, b.len, &ip), IP4_LEN);
	assert_true(ip.mf && ip4_is_fragment(&ip));
	assert_int_equal(ip.frag_off, 1480);

	/* The largest offset that the field can say, and one that it cannot. */
	uint8_t out[IP4_LEN];
	ip = (struct ip4_hdr){ .total_len = 28, .frag_off = 65528 };
	assert_int_equal(ip4_hdr_emit(out, sizeof(out), &ip), IP4_LEN);
	assert_int_equal(ip4_hdr_peek(out, sizeof(out), &ip), IP4_LEN);
	assert_int_equal(ip.frag_off, 65528);
	ip.frag_off = 1;
	assert_int_equal(ip4_hdr_emit(out, sizeof(out), &ip), -EINVAL);
}

static void lies_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *lie;
		const char *hex;
	} cases[] = {
		{ "version 6", "6500 0014 0000 0000 4011 0000 c0000201 c0000202" },
		{ "IHL 0", "4000 0014 0000 0000 4011 0000 c0000201 c0000202" },
		{ "IHL 4", "4400 0014 0000 0000 4011 0000 c0000201 c0000202" },
		{ "IHL past the end",
		  "4600 0018 0000 0000 4011 0000 c0000201 c0000202 0101" },
		{ "total 0", "4500 0000 0000 0000 4011 0000 c0000201 c0000202" },
		{ "total 19", "4500 0013 0000 0000 4011 0000 c0000201 c0000202" },
		{ "total < IHL",
		  "4600 0014 0000 0000 4011 0000 c0000201 c0000202 01010101" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bytes b = bytes_of(cases[i].hex);
		if (bytes_parse(b.data, b.len, parse) != -EBADMSG ||
		    bytes_parse(b.data, b.len, peek) != -EBADMSG)
			fail_msg("took %s", cases[i].lie);
	}
}

static void peek_takes_a_cut_packet(void **state)
{
	(void)state;
	struct bytes b = bytes_of(UDP5);
	for (size_t n = 0; n < b.len; n++)
		assert_int_equal(bytes_parse(b.data, n, peek),
				 n < IP4_LEN ? -EBADMSG : 20);
}

static void padding_is_no_payload(void **state)
{
	(void)state;
	struct bytes b = bytes_of(UDP5 "00000000000000000000000000");
	struct ip4_hdr ip;
	assert_int_equal(ip4_hdr_parse(b.data, b.len, &ip), IP4_LEN);
	assert_int_equal(ip.total_len, 33);
}

static void unsayable_options_are_refused(void **state)
{
	(void)state;
	uint8_t out[80];
	struct ip4_hdr ip = { .options_len = 44 };
	assert_int_equal(ip4_hdr_emit(out, sizeof(out), &ip), -EINVAL);
	ip.options_len = 3;
	assert_int_equal(ip4_hdr_emit(out, sizeof(out), &ip), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(datagram),
		cmocka_unit_test(options),
		cmocka_unit_test(fragments),
		cmocka_unit_test(lies_are_refused),
		cmocka_unit_test(peek_takes_a_cut_packet),
		cmocka_unit_test(padding_is_no_payload),
		cmocka_unit_test(unsayable_options_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
