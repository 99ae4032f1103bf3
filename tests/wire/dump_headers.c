/* SPDX-License-Identifier: MIT */
/*
 * Headers field by field: whole frames against their text, then cut short at every byte and
 * changed at random.
 */
#include "base/array.h"
#include "base/rng.h"
#include "bytes.h"

#include <weft/dump.h>

#include <stdio.h>

#define ADDRS "020000000002 020000000001 "
#define ETHER(type, len)                                                        \
	"ether: type=" type ", len=" len "\n            src: 02:00:00:00:00:01" \
	"\n            dst: 02:00:00:00:00:02"                                  \
	"\n           type: " type "\n"

static const struct {
	const char *hex;
	const char *text;
} frames[] = {
	{ ADDRS "0806 0001080006040001020000000001c0000202000000000000c0000201",
	  ETHER("0x0806", "42") "arp: op=Request, 192.0.2.2 > 192.0.2.1, len=28\n"
				"             op: 1 (Request)\n"
				"            sha: 02:00:00:00:00:01\n"
				"            spa: 192.0.2.2\n"
				"            tha: 00:00:00:00:00:00\n"
				"            tpa: 192.0.2.1\n" },
	{ ADDRS "0800 45000021000100004011f6c7c0000201c0000202 "
		"13880007000d246f68656c6c6f",
	  ETHER("0x0800", "47") "ip: 192.0.2.1 > 192.0.2.2, protocol=UDP, len=33\n"
				"            vhl: 0x45 [v: 4, hl: 5 (20)]\n"
				"            tos: 0x00\n"
				"          total: 33 (payload: 13)\n"
				"             id: 1\n"
				"         offset: 0 [df=0, mf=0]\n"
				"            ttl: 64\n"
				"       protocol: 17 (UDP)\n"
				"            sum: 0xf6c7 (right)\n"
				"            src: 192.0.2.1\n"
				"            dst: 192.0.2.2\n"
				"udp: 5000 > 7, len=13 (payload=5)\n"
				"            src: 5000\n"
				"            dst: 7\n"
				"            len: 13\n"
				"            sum: 0x246f (right)\n" },
	{ ADDRS "86dd "
		"600000000019064020010db800000000000000000000000120010db80000000000000000"
		"00000002 9c4000500000000200000065501801f6eaff0000474554202f",
	  ETHER("0x86dd", "79") "ip6: 2001:db8::1 > 2001:db8::2, next=TCP, len=65\n"
				"          class: 0x00\n"
				"           flow: 0x00000\n"
				"        payload: 25\n"
				"           next: 6 (TCP)\n"
				"      hop limit: 64\n"
				"            src: 2001:db8::1\n"
				"            dst: 2001:db8::2\n"
				"tcp: 40000 > 80, flags=---AP---, len=25 (payload=5)\n"
				"            src: 40000\n"
				"            dst: 80\n"
				"            seq: 2\n"
				"            ack: 101\n"
				"            off: 5 (20)\n"
				"            flg: 0x18 (---AP---)\n"
				"            wnd: 502\n"
				"            sum: 0xeaff (right)\n"
				"             up: 0\n" },
};

/* 101 bytes. */
#define ZEROES                                                                 \
	"00000000000000000000000000000000000000000000000000000000000000000000" \
	"00000000000000000000000000000000000000000000000000000000000000000000" \
	"000000000000000000000000000000000000000000000000000000000000000000"

/* Of these, the text ends so. */
static const struct {
	const char *hex;
	const char *text;
} uppers[] = {
	{ ADDRS
	  "0800 "
	  "45000024000100004001f6d4c0000201c00002020304b283000005784500000000000000",
	  "icmp: type=DestinationUnreachable, len=16\n"
	  "           type: 3 (DestinationUnreachable)\n"
	  "           code: 4\n"
	  "            sum: 0xb283 (right)\n"
	  "         values: 0x00000578\n"
	  "            mtu: 1400\n" },
	{ ADDRS
	  "0800 "
	  "4500002400010000010217c0c0000201e00000162200e8f90000000104000000ef010203",
	  "igmp: type=Report, len=16\n"
	  "           type: 0x22 (Report)\n"
	  "            sum: 0xe8f9 (right)\n"
	  "        records: 1\n" },
	{ ADDRS "86dd "
		"6000000000403afffe800000000000000000000000000001ff0200000000000000000000"
		"00000001860028154040070800000000000003e801010200000000010501000000000578"
		"030440c000015180000038400000000020010db8000000000000000000000000",
	  "icmp6: type=RouterAdvertisement, len=64\n"
	  "           type: 134 (RouterAdvertisement)\n"
	  "           code: 0\n"
	  "            sum: 0x2815 (right)\n"
	  "      hop limit: 64\n"
	  "            flg: managed=0, other=1\n"
	  "       lifetime: 1800 s\n"
	  "      reachable: 0 ms\n"
	  "        retrans: 1000 ms\n"
	  "            mtu: 1400\n"
	  "         prefix: 2001:db8::\n"
	  "     prefix len: 64 [on link: 1, autonomous: 1]\n"
	  "          valid: 86400 s, preferred 14400 s\n"
	  "     source mac: 02:00:00:00:00:01\n" },
	{ ADDRS "86dd "
		"6000000000182c4020010db800000000000000000000000120010db80000000000000000"
		"000000023a0000010000000980004256000700017878787878787878",
	  "ip6_fragment: next=ICMPv6, len=8\n"
	  "           next: 58 (ICMPv6)\n"
	  "         offset: 0 [mf=1]\n"
	  "             id: 9\n"
	  "icmp6: type=EchoRequest, len=16\n"
	  "           type: 128 (EchoRequest)\n"
	  "           code: 0\n"
	  "            sum: 0x4256\n"
	  "             id: 7\n"
	  "            seq: 1\n" },
	{ ADDRS "0800 "
		"45000128000100004011f5c0c0000201c000020200430044011400000201060012345678"
		"0003800000000000c00002090000000000000000020000000002" ZEROES ZEROES
		"63825363350105330400000e103604c00002010104ffffff000304c0000201ff",
	  "dhcp: type=DHCPACK, len=268\n"
	  "             op: 2\n"
	  "           type: 5 (DHCPACK)\n"
	  "           hops: 0\n"
	  "            xid: 0x12345678\n"
	  "           secs: 3\n"
	  "            flg: broadcast=1\n"
	  "         ciaddr: 0.0.0.0\n"
	  "         yiaddr: 192.0.2.9\n"
	  "         siaddr: 0.0.0.0\n"
	  "         giaddr: 0.0.0.0\n"
	  "         chaddr: 02:00:00:00:00:02\n"
	  "         server: 192.0.2.1\n"
	  "           mask: 255.255.255.0\n"
	  "         router: 192.0.2.1\n"
	  "          lease: 3600 s\n" },
	{ ADDRS
	  "0800 "
	  "45000050000100004006f6a3c0000201c0000202 9c400050000000010000000af0020200"
	  "00000000 020405b4 0402 080a0000000700000009 01 030307 "
	  "0101 0512 0000000b0000000c 0000000d0000000e",
	  "             up: 0\n"
	  "            mss: 1460\n"
	  "         wscale: 7\n"
	  "           sack: permitted\n"
	  "      timestamp: 7, echo 9\n"
	  "           sack: 11 to 12\n"
	  "           sack: 13 to 14\n" },
	{ ADDRS "0800 4500001c000100004001f6dcc0000201c0000202 0000f3f700050c03",
	  "icmp: type=EchoReply, len=8\n"
	  "           type: 0 (EchoReply)\n"
	  "           code: 0\n"
	  "            sum: 0xf3f7 (right)\n"
	  "             id: 5\n"
	  "            seq: 3075\n" },
	{ ADDRS "0800 4500001c000100004001f6dcc0000201c0000202 05013940c0000201",
	  "         values: 0xc0000201\n"
	  "        gateway: 192.0.2.1\n" },
	{ ADDRS "86dd "
		"6000000000203afffe800000000000000000000000000001fe8000000000000000000000"
		"00000002880000004000000020010db8000000000000000000000001020102000000000"
		"9",
	  "            flg: router=0, solicited=1, override=0\n"
	  "         target: 2001:db8::1\n"
	  "     target mac: 02:00:00:00:00:09\n" },
	{ ADDRS "0800 "
		"4500001d000100004011f6cbc0000201c0000202138800070009123478",
	  "udp: 5000 > 7, len=9 (payload=1)\n"
	  "            src: 5000\n"
	  "            dst: 7\n"
	  "            len: 9\n"
	  "            sum: 0x1234 (wrong)\n" },
};

#define SAMPLES (ARRAY_LEN(frames) + ARRAY_LEN(uppers))

static struct bytes sample(size_t i)
{
	return bytes_of(i < ARRAY_LEN(frames) ? frames[i].hex
					      : uppers[i - ARRAY_LEN(frames)].hex);
}

/* Dumps the first n bytes from memory that ends there. */
static void dump(const uint8_t *data, size_t n, bool is_ip,
		 char text[WEFT_DUMP_HEADERS_LEN])
{
	uint8_t *copy = bytes_exactly(data, n);
	const struct weft_frame frame = { .data = copy, .len = (uint32_t)n };
	assert_ptr_equal(weft_dump_headers(&frame, is_ip, text, WEFT_DUMP_HEADERS_LEN),
			 text);
	free(copy);
}

static void every_field_has_a_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
		char text[WEFT_DUMP_HEADERS_LEN];
		struct bytes b = bytes_of(frames[i].hex);
		dump(b.data, b.len, false, text);
		assert_string_equal(text, frames[i].text);
	}
}

static void a_bare_packet_begins_with_ip(void **state)
{
	(void)state;
	for (size_t i = 1; i < ARRAY_LEN(frames); i++) {
		char text[WEFT_DUMP_HEADERS_LEN];
		struct bytes b = bytes_of(frames[i].hex);
		dump(b.data + 14, b.len - 14, true, text);
		assert_string_equal(text, strstr(frames[i].text, "\nip") + 1);
	}
}

static void what_ip_carries_is_told_as_well(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(uppers); i++) {
		char text[WEFT_DUMP_HEADERS_LEN];
		struct bytes b = bytes_of(uppers[i].hex);
		dump(b.data, b.len, false, text);
		assert_true(strlen(text) > strlen(uppers[i].text));
		assert_string_equal(text + strlen(text) - strlen(uppers[i].text),
				    uppers[i].text);
	}
}

/* A sum that is made later is neither right nor wrong. */
static void a_sum_may_be_left_to_the_link(void **state)
{
	char text[WEFT_DUMP_HEADERS_LEN];
	struct bytes b = bytes_of(frames[1].hex);
	const struct weft_frame frame = {
		.data = b.data,
		.len = (uint32_t)b.len,
		.offload = { .flags = WEFT_OFFLOAD_NEEDS_CSUM,
			     .csum_start = 34,
			     .csum_offset = 6 },
	};
	(void)state;
	(void)weft_dump_headers(&frame, false, text, sizeof(text));
	assert_non_null(strstr(text, "            sum: 0x246f (left to the link)\n"));
	assert_non_null(strstr(text, "            sum: 0xf6c7 (right)\n"));
}

/* In a capture, which does not say so, the pseudo header's sum does: 0x246f is 0x8422 with data. */
static void a_capture_shows_a_sum_that_was_left(void **state)
{
	static const struct {
		uint16_t sum;
		const char *text;
	} cases[] = {
		{ 0x8422, "            sum: 0x8422 (left to the link)\n" },
		{ 0x8423, "            sum: 0x8423 (wrong)\n" },
		{ 0x246f, "            sum: 0x246f (right)\n" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[WEFT_DUMP_HEADERS_LEN];
		struct bytes b = bytes_of(frames[1].hex);
		b.data[40] = (uint8_t)(cases[i].sum >> 8);
		b.data[41] = (uint8_t)cases[i].sum;
		dump(b.data, b.len, false, text);
		assert_non_null(strstr(text, cases[i].text));
	}
}

/* Whole lines only, and all of it fits. */
static void check_form(const char *text)
{
	size_t len = strlen(text);
	assert_true(len > 0 && text[0] != ' ' && text[len - 1] == '\n');
	assert_null(strstr(text, "..."));
	assert_null(strstr(text, "\n\n"));
}

static void every_truncation_is_survived(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		struct bytes b = sample(i);
		for (size_t n = 0; n < b.len; n++) {
			char text[WEFT_DUMP_HEADERS_LEN];
			dump(b.data, n, false, text);
			check_form(text);
			dump(b.data, n, true, text);
			check_form(text);
		}
	}
}

static void noise_is_survived(void **state)
{
	(void)state;
	struct rng rng;
	rng_init(&rng, test_seed());
	for (int round = 0; round < 20000; round++) {
		char text[WEFT_DUMP_HEADERS_LEN];
		struct bytes b = sample(rng_below(&rng, SAMPLES));
		for (uint64_t n = rng_below(&rng, 8); n > 0; n--)
			b.data[rng_below(&rng, b.len)] = (uint8_t)rng_u64(&rng);
		dump(b.data, rng_below(&rng, b.len + 1), rng_below(&rng, 2), text);
		check_form(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_has_a_line),
		cmocka_unit_test(a_bare_packet_begins_with_ip),
		cmocka_unit_test(what_ip_carries_is_told_as_well),
		cmocka_unit_test(a_sum_may_be_left_to_the_link),
		cmocka_unit_test(a_capture_shows_a_sum_that_was_left),
		cmocka_unit_test(every_truncation_is_survived),
		cmocka_unit_test(noise_is_survived),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
