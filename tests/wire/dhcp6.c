/* SPDX-License-Identifier: MIT */
/*
 * Messages of DHCPv6 as scapy builds them, each cut at every length, and options that lie.
 */
#include "wire/dhcp6.h"

#include "base/array.h"
#include "bytes.h"

#include <errno.h>
#include <stdio.h>

/* Identifier of 02:00:00:00:00:01, options 23, 24, 32 and 83 wanted, 1.5 s after the first. */
#define REQUEST                                     \
	"0b a1b2c3 0001 000a 00030001020000000001 " \
	"0006 0008 0017001800200053 0008 0002 0096"

#define IDS                               \
	"0001 000a 00030001020000000001 " \
	"0002 000e 000100012c3d4e5f020000000002 "
#define SERVERS                                      \
	"0017 0020 20010db8000000000000000000000053" \
	"fe800000000000000000000000000001 "
#define DOMAINS "0018 0015 036c616e076578616d706c6500 0663616d70757300 "
#define TIMES   "0020 0004 00000e10 0052 0004 00000078 0053 0004 00001c20 "
#define REPLY   "07 a1b2c3 " IDS TIMES SERVERS DOMAINS

static int parse(const uint8_t *data, size_t len)
{
	struct dhcp6_msg msg;
	return dhcp6_msg_parse(data, len, &msg);
}

static struct dhcp6_msg parsed(const char *hex)
{
	struct bytes b = bytes_of(hex);
	struct dhcp6_msg msg;
	assert_int_equal(dhcp6_msg_parse(b.data, b.len, &msg), 0);
	return msg;
}

/* What was parsed comes out as it went in, into a buffer that is long enough, and no other. */
static void assert_emits(const char *hex)
{
	const struct bytes b = bytes_of(hex);
	const struct dhcp6_msg msg = parsed(hex);
	uint8_t out[DHCP6_LEN_MAX];
	assert_int_equal(dhcp6_msg_emit(out, b.len, &msg), b.len);
	assert_memory_equal(out, b.data, b.len);
	for (size_t n = 0; n < b.len; n++)
		assert_int_equal(dhcp6_msg_emit(out, n, &msg), -ENOBUFS);
}

static void assert_name(const struct dns_name *name, const char *want)
{
	char text[DNS_NAME_TEXT];
	assert_string_equal(dns_name_print(name, text), want);
}

static void information_request(void **state)
{
	const struct dhcp6_msg msg = parsed(REQUEST);
	const struct weft_mac mac = { { 2, 0, 0, 0, 0, 1 } };
	const struct dhcp6_duid duid = dhcp6_duid_of_mac(mac);
	(void)state;
	assert_int_equal(msg.type, DHCP6_INFORMATION_REQUEST);
	assert_int_equal(msg.xid, 0xa1b2c3);
	assert_true(dhcp6_duid_equal(&msg.client_id, &duid));
	assert_int_equal(msg.server_id.len, 0);
	assert_int_equal(msg.requested_n, 4);
	assert_int_equal(msg.requested[0], DHCP6_OPT_DNS_SERVERS);
	assert_int_equal(msg.requested[3], DHCP6_OPT_INF_MAX_RT);
	assert_true(msg.has_elapsed && msg.elapsed_cs == 150);
	assert_false(msg.has_refresh);
	assert_emits(REQUEST);
}

static void reply(void **state)
{
	const struct dhcp6_msg msg = parsed(REPLY);
	(void)state;
	assert_int_equal(msg.type, DHCP6_REPLY);
	assert_int_equal(msg.server_id.len, 14);
	assert_false(dhcp6_duid_equal(&msg.server_id, &msg.client_id));
	assert_true(msg.has_refresh && msg.refresh_s == 3600);
	assert_int_equal(msg.sol_max_rt_s, 120);
	assert_int_equal(msg.inf_max_rt_s, 7200);
	assert_int_equal(msg.status, 0);
	assert_int_equal(msg.servers_n, 2);
	assert_int_equal(msg.servers[0].octet[15], 0x53);
	assert_int_equal(msg.servers[1].octet[0], 0xfe);
	assert_int_equal(msg.domains_n, 2);
	assert_name(&msg.domains[0], "lan.example");
	assert_name(&msg.domains[1], "campus");
	assert_emits(REPLY);
}

/* A message may end behind any option, and nowhere else. */
static void truncations(void **state)
{
	static const struct {
		const char *hex;
		size_t ends[9];
	} messages[] = {
		{ REQUEST, { 4, 18, 30, 36 } },
		{ REPLY, { 4, 18, 36, 44, 52, 60, 96, 121 } },
	};
	(void)state;
	for (size_t m = 0; m < ARRAY_LEN(messages); m++) {
		struct bytes b = bytes_of(messages[m].hex);
		for (size_t n = 0; n <= b.len; n++) {
			bool is_whole = false;
			for (size_t i = 0; i < ARRAY_LEN(messages[m].ends); i++)
				is_whole |= n > 0 && n == messages[m].ends[i];
			if (bytes_parse(b.data, n, parse) != (is_whole ? 0 : -EBADMSG))
				fail_msg("message %zu at %zu bytes", m, n);
		}
	}
}

static void what_is_none_is_refused(void **state)
{
	struct bytes b = bytes_of("0c 00 20010db8000000000000000000000001");
	(void)state;
	assert_int_equal(bytes_parse(b.data, b.len, parse), -EPROTONOSUPPORT);
	b.data[0] = DHCP6_RELAY_REPLY;
	assert_int_equal(bytes_parse(b.data, b.len, parse), -EPROTONOSUPPORT);
}

/* Each would say something if it were believed. */
static void options_of_strange_content_are_passed_over(void **state)
{
	static const char *const options[] = {
		"0001 0002 0003",   /* An identifier that is only a type. */
		"0006 0003 001700", /* Half a code. */
		"0008 0001 05",     /* Half a number. */
		"000d 0001 01",     /* Likewise. */
		"0017 000f 20010db80000000000000000000000", /* Not a whole address. */
		"0018 0002 0161",                           /* A name without its end. */
		"0018 0008 0161 00 0162 c000 00",           /* One that is compressed. */
		"0020 0003 000001",
		"0053 0005 0000003c00",
		"00ff 0004 01020304", /* One that nobody knows. */
	};
	struct dhcp6_msg nothing = parsed("07 000001");
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		uint8_t out[DHCP6_LEN_MAX];
		char hex[128];
		(void)snprintf(hex, sizeof(hex), "07 000001 %s", options[i]);
		const struct dhcp6_msg msg = parsed(hex);
		if (dhcp6_msg_emit(out, sizeof(out), &msg) != (int)DHCP6_HDR_LEN)
			fail_msg("%s says something", options[i]);
	}
	assert_int_equal(nothing.servers_n + nothing.domains_n + nothing.requested_n, 0);
}

/* RFC 8415, 21.1: an identifier has 130 bytes at most. */
static void lists_and_identifiers_have_limits(void **state)
{
	struct bytes b = bytes_of("07 000001 0017 0090");
	struct dhcp6_msg msg;
	uint8_t out[DHCP6_LEN_MAX];
	(void)state;
	for (unsigned i = 0; i < 9 * 16; i++)
		b.data[b.len++] = (uint8_t)(i / 16);
	assert_int_equal(dhcp6_msg_parse(b.data, b.len, &msg), 0);
	assert_int_equal(msg.servers_n, DHCP6_SERVERS_MAX);
	assert_int_equal(msg.servers[7].octet[15], 7);
	b = bytes_of("07 000001 0002 0083");
	b.len += 131;
	assert_int_equal(dhcp6_msg_parse(b.data, b.len, &msg), 0);
	assert_int_equal(msg.server_id.len, 0);
	b = bytes_of("0b 000001 0006 0050");
	for (unsigned i = 0; i < 40; i++) {
		b.data[b.len++] = 0;
		b.data[b.len++] = (uint8_t)i;
	}
	assert_true(DHCP6_REQUESTED_MAX < 40);
	assert_int_equal(dhcp6_msg_parse(b.data, b.len, &msg), 0);
	assert_int_equal(msg.requested_n, DHCP6_REQUESTED_MAX);
	assert_int_equal(msg.requested[DHCP6_REQUESTED_MAX - 1], DHCP6_REQUESTED_MAX - 1);
	msg.domains_n = DHCP6_DOMAINS_MAX + 1;
	assert_int_equal(dhcp6_msg_emit(out, sizeof(out), &msg), -EINVAL);
}

/* A status may say nothing but its number (RFC 8415, 21.13). */
static void a_status_needs_no_words(void **state)
{
	const struct dhcp6_msg msg = parsed("07 000001 000d 0002 0005");
	(void)state;
	assert_int_equal(msg.status, 5);
}

static void the_first_of_two_counts(void **state)
{
	const struct dhcp6_msg msg =
		parsed("07 000001 0020 0004 00000000 0020 0004 00000007 "
		       "0002 0003 000301 0002 0003 000302");
	(void)state;
	assert_true(msg.has_refresh && msg.refresh_s == 0);
	assert_int_equal(msg.server_id.octet[2], 1);
}

static void flipped_bits_stay_inside(void **state)
{
	(void)state;
	try_each_bit_flipped(bytes_of(REQUEST), parse);
	try_each_bit_flipped(bytes_of(REPLY), parse);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(information_request),
		cmocka_unit_test(reply),
		cmocka_unit_test(truncations),
		cmocka_unit_test(what_is_none_is_refused),
		cmocka_unit_test(options_of_strange_content_are_passed_over),
		cmocka_unit_test(lists_and_identifiers_have_limits),
		cmocka_unit_test(a_status_needs_no_words),
		cmocka_unit_test(the_first_of_two_counts),
		cmocka_unit_test(flipped_bits_stay_inside),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
