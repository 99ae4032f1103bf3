/* SPDX-License-Identifier: MIT */
/*
 * Neighbour discovery: the four messages as scapy builds them, and options that lie.
 */
#include "wire/nd.h"

#include "base/array.h"
#include "base/mac.h"
#include "bytes.h"

#include <errno.h>

#define TARGET "fe800000000000000000000000000002 "
#define NS     "87007a97 00000000 " TARGET "0101 020000000001"
#define NA     "8800181a 60000000 " TARGET "0201 020000000002"
/* Source MAC, MTU 1400, prefix 2001:db8::/64, and RDNSS (25), which is passed over. */
#define RA                                                                        \
	"8600e4bc 40 40 0708 00000007 00000008 "                                  \
	"0101020000000002 0501000000000578 "                                      \
	"0304 40 c0 00015180 00003840 00000000 20010db8000000000000000000000000 " \
	"19030000ffffffff 20010db8000000000000000000000053"

static int parse(const uint8_t *data, size_t len)
{
	struct nd_msg msg;
	return nd_msg_parse(data, len, &msg);
}

/* Emits what was parsed and compares all but the checksum. */
static void assert_emits(const struct nd_msg *msg, const struct bytes *want, size_t len)
{
	uint8_t out[512];
	assert_int_equal(nd_msg_emit(out, len, msg), len);
	assert_memory_equal(out, want->data, 2);
	assert_memory_equal(out + ICMP_OFF_REST, want->data + ICMP_OFF_REST,
			    len - ICMP_OFF_REST);
	for (size_t n = 0; n < len; n++)
		assert_int_equal(nd_msg_emit(out, n, msg), -ENOBUFS);
}

static void neighbor_solicitation(void **state)
{
	(void)state;
	struct bytes b = bytes_of(NS);
	struct nd_msg msg;
	assert_int_equal(nd_msg_parse(b.data, b.len, &msg), 0);
	assert_int_equal(msg.type, ICMP6_NEIGHBOR_SOLICIT);
	assert_int_equal(msg.target.octet[15], 2);
	assert_true(msg.has_source_mac && !msg.has_target_mac);
	assert_true(mac_to_u64(msg.source_mac) == 0x020000000001);
	assert_emits(&msg, &b, b.len);
}

static void neighbor_advertisement(void **state)
{
	(void)state;
	struct bytes b = bytes_of(NA);
	struct nd_msg msg;
	assert_int_equal(nd_msg_parse(b.data, b.len, &msg), 0);
	assert_int_equal(msg.type, ICMP6_NEIGHBOR_ADVERT);
	assert_true(msg.solicited && msg.override && !msg.router);
	assert_true(msg.has_target_mac && !msg.has_source_mac);
	assert_true(mac_to_u64(msg.target_mac) == 0x020000000002);
	assert_emits(&msg, &b, b.len);
}

/* Each is one bit of its own (RFC 4861, 4.2 and 4.4). */
static void flags_stand_alone(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 8; bit++) {
		const uint8_t flags = (uint8_t)(1u << bit);
		struct bytes na = bytes_of(NA), ra = bytes_of(RA);
		struct nd_msg msg;
		uint8_t buf[256];
		na.data[4] = flags;
		assert_int_equal(nd_msg_parse(na.data, na.len, &msg), 0);
		assert_int_equal(msg.router, flags == 0x80);
		assert_int_equal(msg.solicited, flags == 0x40);
		assert_int_equal(msg.override, flags == 0x20);
		assert_true(nd_msg_emit(buf, sizeof(buf), &msg) > 0);
		assert_int_equal(buf[4], flags & 0xe0);
		ra.data[5] = flags;
		assert_int_equal(nd_msg_parse(ra.data, ra.len, &msg), 0);
		assert_int_equal(msg.managed, flags == 0x80);
		assert_int_equal(msg.other_config, flags == 0x40);
		assert_true(nd_msg_emit(buf, sizeof(buf), &msg) > 0);
		assert_int_equal(buf[5], flags & 0xc0);
	}
}

static void router_solicitation(void **state)
{
	(void)state;
	struct bytes b = bytes_of("8500 7bb8 00000000");
	struct nd_msg msg;
	assert_int_equal(nd_msg_parse(b.data, b.len, &msg), 0);
	assert_int_equal(msg.type, ICMP6_ROUTER_SOLICIT);
	assert_false(msg.has_source_mac);
	assert_emits(&msg, &b, b.len);
	assert_needs_all(b.data, b.len, parse);
}

static void router_advertisement(void **state)
{
	(void)state;
	struct bytes b = bytes_of(RA);
	struct nd_msg msg;
	assert_int_equal(nd_msg_parse(b.data, b.len, &msg), 0);
	assert_int_equal(msg.hop_limit, 64);
	assert_true(msg.other_config && !msg.managed);
	assert_int_equal(msg.lifetime_s, 1800);
	assert_int_equal(msg.reachable_ms, 7);
	assert_int_equal(msg.retrans_ms, 8);
	assert_true(msg.has_source_mac);
	assert_int_equal(msg.mtu, 1400);
	assert_int_equal(msg.prefixes_n, 1);
	const struct nd_prefix *prefix = &msg.prefixes[0];
	assert_int_equal(prefix->prefix_len, 64);
	assert_true(prefix->on_link && prefix->autonomous);
	assert_int_equal(prefix->valid_s, 86400);
	assert_int_equal(prefix->preferred_s, 14400);
	assert_int_equal(prefix->prefix.octet[0], 0x20);
	/* All but the unknown last option comes out again. */
	assert_emits(&msg, &b, b.len - 24);
}

/* A message may end behind any option, and nowhere else. */
static void truncations(void **state)
{
	(void)state;
	struct bytes b = bytes_of(RA);
	static const size_t ends[] = { 16, 24, 32, 64, 88 };
	for (size_t n = 0; n <= b.len; n++) {
		bool whole = false;
		for (size_t i = 0; i < ARRAY_LEN(ends); i++)
			whole |= n == ends[i];
		assert_int_equal(bytes_parse(b.data, n, parse), whole ? 0 : -EBADMSG);
	}
}

static void bad_messages_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		const char *hex;
		int error;
	} cases[] = {
		{ "option of length 0", "85000000 00000000 0100020000000001", -EBADMSG },
		{ "unknown option of length 0", "85000000 00000000 fe00020000000001",
		  -EBADMSG },
		{ "option past the end", "85000000 00000000 0102020000000001", -EBADMSG },
		{ "code 1", "85010000 00000000", -EBADMSG },
		{ "multicast target",
		  "87000000 00000000 ff020000000000000000000000000001", -EBADMSG },
		{ "echo", "80000000 00000000", -EPROTONOSUPPORT },
		{ "redirect", "89000000 00000000", -EPROTONOSUPPORT },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bytes b = bytes_of(cases[i].hex);
		if (bytes_parse(b.data, b.len, parse) != cases[i].error)
			fail_msg("wrong answer to %s", cases[i].what);
	}
}

static void options_of_strange_length_are_passed_over(void **state)
{
	(void)state;
	struct bytes b = bytes_of("85000000 00000000 0102 0200000000010000000000000000 "
				  "0502 0000 00000578 0000000000000000");
	struct nd_msg msg;
	assert_int_equal(nd_msg_parse(b.data, b.len, &msg), 0);
	assert_false(msg.has_source_mac);
	assert_int_equal(msg.mtu, 0);
}

static void prefixes_have_a_limit(void **state)
{
	(void)state;
	struct bytes b = bytes_of("86000000 00000000 00000000 00000000");
	for (uint8_t i = 0; i < 12; i++) {
		uint8_t option[32] = { 3, 4, 64, 0xc0, [16] = 0x20, [31] = i };
		memcpy(b.data + b.len, option, sizeof(option));
		b.len += sizeof(option);
	}
	struct nd_msg msg;
	assert_int_equal(nd_msg_parse(b.data, b.len, &msg), 0);
	assert_int_equal(msg.prefixes_n, ND_PREFIXES_MAX);
	assert_int_equal(msg.prefixes[7].prefix.octet[15], 7);

	/* A length that is none counts for nothing. */
	b.data[16 + 2] = 129;
	assert_int_equal(nd_msg_parse(b.data, b.len, &msg), 0);
	assert_int_equal(msg.prefixes[0].prefix.octet[15], 1);
}

static void unsayable_messages_are_refused(void **state)
{
	(void)state;
	uint8_t out[512];
	struct nd_msg msg = { .type = ICMP6_ECHO };
	assert_int_equal(nd_msg_emit(out, sizeof(out), &msg), -EINVAL);
	msg = (struct nd_msg){ .type = ICMP6_ROUTER_ADVERT, .prefixes_n = 9 };
	assert_int_equal(nd_msg_emit(out, sizeof(out), &msg), -EINVAL);
}

static void flipped_bits_stay_inside(void **state)
{
	(void)state;
	try_each_bit_flipped(bytes_of(RA), parse);
	try_each_bit_flipped(bytes_of(NS), parse);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(neighbor_solicitation),
		cmocka_unit_test(neighbor_advertisement),
		cmocka_unit_test(flags_stand_alone),
		cmocka_unit_test(router_solicitation),
		cmocka_unit_test(router_advertisement),
		cmocka_unit_test(truncations),
		cmocka_unit_test(bad_messages_are_refused),
		cmocka_unit_test(options_of_strange_length_are_passed_over),
		cmocka_unit_test(prefixes_have_a_limit),
		cmocka_unit_test(unsayable_messages_are_refused),
		cmocka_unit_test(flipped_bits_stay_inside),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
