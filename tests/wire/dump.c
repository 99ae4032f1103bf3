/* SPDX-License-Identifier: MIT */
/*
 * Dump lines: frames that scapy built and the lines that tcpdump -S agrees with in substance;
 * then the same frames cut short at every byte, and bytes that are nothing at all.
 */
#include "base/array.h"
#include "base/rng.h"
#include "bytes.h"
#include "wire/dhcp.h"
#include "wire/ip4.h"
#include "wire/udp.h"

#include <weft/dump.h>

#include <stdio.h>

#define ADDRS     "020000000002 020000000001 "
#define ADDR_TEXT "02:00:00:00:00:01 > 02:00:00:00:00:02, "
#define ETHER_LEN 14u

/* From the EtherType on, and the line behind the addresses. */
static const struct {
	const char *hex;
	const char *line;
} frames[] = {
	{ "0806 0001080006040001020000000001c0000202000000000000c0000201",
	  "ARP who-has 192.0.2.1 tell 192.0.2.2" },
	{ "0806 0001080006040002020000000001c0000202020000000002c0000201",
	  "ARP 192.0.2.2 is-at 02:00:00:00:00:01" },
	{ "0800 45000021000100004011f6c7c0000201c0000202 13880007000d246f68656c6c6f",
	  "IP 192.0.2.1.5000 > 192.0.2.2.7: UDP, length 5" },
	{ "810060070800 45000021000100004011f6c7c0000201c0000202 "
	  "13880007000d246f68656c6c6f",
	  "vlan 7 p 3, IP 192.0.2.1.5000 > 192.0.2.2.7: UDP, length 5" },
	{ "88a80064810000070800 45000021000100004011f6c7c0000201c0000202 "
	  "13880007000d246f68656c6c6f",
	  "s-vlan 100, vlan 7, IP 192.0.2.1.5000 > 192.0.2.2.7: UDP, length 5" },
	{ "0800 4500003c000100004006f6b7c0000201c0000202 "
	  "9c4000500000000100000000a002faf02c590000020405b40402080a0000000b00000016 "
	  "01030307",
	  "IP 192.0.2.1.40000 > 192.0.2.2.80: Flags [S], seq 1, win 64240, "
	  "options [mss 1460,sackOK,TS val 11 ecr 22,wscale 7], length 0" },
	{ "0800 4500002c000100004006f6c7c0000201c0000202 "
	  "00509c4000000064000000026012fe8878930000020405b4",
	  "IP 192.0.2.1.80 > 192.0.2.2.40000: Flags [S.], seq 100, ack 2, win "
	  "65160, options [mss 1460], length 0" },
	{ "86dd "
	  "600000000019064020010db800000000000000000000000120010db80000000000000000 "
	  "00000002 9c4000500000000200000065501801f6eaff0000474554202f",
	  "IP6 2001:db8::1.40000 > 2001:db8::2.80: Flags [P.], seq 2:7, ack 101, "
	  "win 502, length 5" },
	{ "86dd "
	  "600000000028064020010db800000000000000000000000120010db80000000000000000 "
	  "00000002 "
	  "9c4000500000000200000065a01001f6383b000001010512000003e8000007d000000bb8 "
	  "00000fa0",
	  "IP6 2001:db8::1.40000 > 2001:db8::2.80: Flags [.], ack 101, win 502, "
	  "options [sack 2 {1000:2000}{3000:4000}], length 0" },
	{ "0800 45000028000100004006f6cbc0000201c0000202 "
	  "9c4000500000000700000009503901f68d0e0003",
	  "IP 192.0.2.1.40000 > 192.0.2.2.80: Flags [FP.U], seq 7, ack 9, win "
	  "502, urg 3, length 0" },
	{ "0800 45000028000100004006f6cbc0000201c0000202 "
	  "9c4000500000000700000000500400008f450000",
	  "IP 192.0.2.1.40000 > 192.0.2.2.80: Flags [R], seq 7, win 0, length 0" },
	{ "0800 45000028000100004006f6cbc0000201c0000202 "
	  "9c4000500000000700000000500000008f490000",
	  "IP 192.0.2.1.40000 > 192.0.2.2.80: Flags [none], win 0, length 0" },
	{ "0800 45000024000100004001f6d4c0000201c0000202 "
	  "0800726f000500066161616161616161",
	  "IP 192.0.2.1 > 192.0.2.2: ICMP echo request, id 5, seq 6, length 16" },
	{ "0800 45000038000100004001f6c0c0000201c0000202 "
	  "03047ba1000005784500001c000100004011f6ccc0000201c0000202138800070008684b",
	  "IP 192.0.2.1 > 192.0.2.2: ICMP need to frag (mtu 1400), length 36" },
	{ "0800 45000038000100004001f6c0c0000201c0000202 "
	  "0303811a000000004500001c000100004011f6ccc0000201c0000202138800070008684b",
	  "IP 192.0.2.1 > 192.0.2.2: ICMP port unreachable, length 36" },
	{ "0800 4500001c000100004001f6dcc0000201c0000202 2a01d5fe00000000",
	  "IP 192.0.2.1 > 192.0.2.2: ICMP type 42 code 1, length 8" },
	{ "86dd "
	  "60000000000b3a4020010db800000000000000000000000120010db80000000000000000 "
	  "00000002 80005fd700050006616263",
	  "IP6 2001:db8::1 > 2001:db8::2: ICMP6, echo request, id 5, seq 6, length 11" },
	{ "86dd "
	  "6000000000203afffe800000000000000000000000000001ff0200000000000000000001 "
	  "ff000002 "
	  "87007a9700000000fe8000000000000000000000000000020101020000000001",
	  "IP6 fe80::1 > ff02::1:ff00:2: ICMP6, neighbor solicitation, who has "
	  "fe80::2, length 32" },
	{ "86dd "
	  "6000000000203afffe800000000000000000000000000002fe8000000000000000000000 "
	  "00000001 "
	  "8800181b60000000fe8000000000000000000000000000020201020000000001",
	  "IP6 fe80::2 > fe80::1: ICMP6, neighbor advertisement, tgt is fe80::2, "
	  "length 32" },
	{ "86dd "
	  "6000000000103afffe800000000000000000000000000002ff0200000000000000000000 "
	  "00000001 8600751e000807080000000000000000",
	  "IP6 fe80::2 > ff02::1: ICMP6, router advertisement, length 16" },
	{ "86dd "
	  "6000000000303a4020010db800000000000000000000000120010db80000000000000000 "
	  "00000002 "
	  "0200a66a000005006000000000003b4020010db800000000000000000000000120010db8 "
	  "000000000000000000000002",
	  "IP6 2001:db8::1 > 2001:db8::2: ICMP6, packet too big (mtu 1280), length 48" },
	{ "86dd "
	  "6000000000100001fe800000000000000000000000000002ff0200000000000000000000 "
	  "00000016 3a000502000001008f00732100000000",
	  "IP6 fe80::2 > ff02::16: ICMP6, multicast listener report v2, length 8" },
	{ "0800 4600002000010000010281dac0000201e00000fb94040000 161408f0e00000fb",
	  "IP 192.0.2.1 > 224.0.0.251: IGMP v2 report 224.0.0.251, length 8" },
	{ "0800 4500001c00010000010217c8c0000201e0000016 2200f9fd00000000",
	  "IP 192.0.2.1 > 224.0.0.22: IGMP v3 report, length 8" },
	{ "0800 45000024000920004011d6bcc0000201c0000202 "
	  "138800070bc072a17a7a7a7a7a7a7a7a",
	  "IP 192.0.2.1.5000 > 192.0.2.2.7: fragment id 9 offset 0+, UDP, length 3000" },
	{ "0800 4500001c000900b94011f60bc0000201c0000202 7a7a7a7a7a7a7a7a",
	  "IP 192.0.2.1 > 192.0.2.2: fragment id 9 offset 1480, UDP, length 8" },
	{ "86dd "
	  "6000000000102c4020010db800000000000000000000000120010db80000000000000000 "
	  "00000002 110004d00000004d6162636465666768",
	  "IP6 2001:db8::1 > 2001:db8::2: fragment id 77 offset 1232, UDP, length 8" },
	{ "0800 4500001800010000402ff6b2c0000201c0000202 00000000",
	  "IP 192.0.2.1 > 192.0.2.2: GRE, length 4" },
	{ "0800 45000018000100004063f67ec0000201c0000202 00000000",
	  "IP 192.0.2.1 > 192.0.2.2: protocol 99, length 4" },
	{ "0007 00000000000000", "802.3 LLC dsap 0x00 ssap 0x00, length 7" },
	{ "000c aaaa0300000c20006364702e",
	  "802.3 SNAP oui 00000c type 0x2000, length 12" },
	{ "88cc 6c6c6470", "LLDP 0x88cc, length 4" },
	{ "0806 0001080006040003020000000001c0000202020000000002c0000201",
	  "ARP operation 3" },
	{ "0007 42420300000000", "802.3 STP, length 7" },
	{ "8137 61626364", "IPX 0x8137, length 4" },
	{ "8809 61626364", "slow protocol 0x8809, length 4" },
	{ "8863 61626364", "PPPoE discovery 0x8863, length 4" },
	{ "8864 61626364", "PPPoE 0x8864, length 4" },
	{ "888e 61626364", "EAPOL 0x888e, length 4" },
	{ "88b5 61626364", "local experiment 0x88b5, length 4" },
	{ "0800 4500001800010000 4032f6af c0000201c0000202 00000000",
	  "IP 192.0.2.1 > 192.0.2.2: ESP, length 4" },
	{ "1234 61626364", "ethertype 0x1234, length 4" },
};

static struct bytes frame_of(const char *hex)
{
	struct bytes b = bytes_of(ADDRS);
	struct bytes rest = bytes_of(hex);
	memcpy(b.data + b.len, rest.data, rest.len);
	b.len += rest.len;
	return b;
}

/* Dumps the first n bytes from memory that ends there. */
static const char *dump(const uint8_t *data, size_t n, bool is_ip,
			char text[WEFT_DUMP_LEN])
{
	uint8_t *copy = bytes_exactly(data, n);
	struct weft_frame frame = { .data = copy, .len = (uint32_t)n };
	weft_dump_frame(&frame, is_ip, text, WEFT_DUMP_LEN);
	free(copy);
	return text;
}

static void frames_become_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
		char text[WEFT_DUMP_LEN];
		char want[WEFT_DUMP_LEN];
		struct bytes b = frame_of(frames[i].hex);
		snprintf(want, sizeof(want), ADDR_TEXT "%s", frames[i].line);
		assert_string_equal(dump(b.data, b.len, false, text), want);
	}
}

/* Whatever is missing, there is one line; where a length stands in the frame, it says so. */
static void check_truncations(const struct bytes *b)
{
	bool has_length =
		b->data[12] == 0x08 || b->data[12] == 0x86; /* ARP has a fixed one. */
	for (size_t n = 0; n < b->len; n++) {
		char text[WEFT_DUMP_LEN];
		dump(b->data, n, false, text);
		assert_true(strlen(text) > 0);
		assert_null(strchr(text, '\n'));
		if ((has_length || n < ETHER_LEN) && !strstr(text, "[truncated]"))
			fail_msg("%zu of %zu bytes: %s", n, b->len, text);
	}
}

static void every_truncation_is_marked(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
		struct bytes b = frame_of(frames[i].hex);
		check_truncations(&b);
	}
}

static void bare_packets_have_no_addresses_in_front(void **state)
{
	(void)state;
	struct bytes b =
		bytes_of("4500002100010000 4011f6c7c0000201 c0000202 1388 0007 000d "
			 "5f6d 68656c6c6f");
	char text[WEFT_DUMP_LEN];
	assert_string_equal(dump(b.data, b.len, true, text),
			    "IP 192.0.2.1.5000 > 192.0.2.2.7: UDP, length 5");
	b = bytes_of("60000000 0008 11 40 20010db8000000000000000000000001 "
		     "20010db8000000000000000000000002 1388 0007 0008 ffff");
	assert_string_equal(dump(b.data, b.len, true, text),
			    "IP6 2001:db8::1.5000 > 2001:db8::2.7: UDP, length 0");
	assert_string_equal(dump(b.data, 0, true, text), "IP [truncated]");
	b.data[0] = 0x10;
	assert_string_equal(dump(b.data, b.len, true, text), "IP [malformed]");
}

static void contradictions_are_marked(void **state)
{
	(void)state;
	static const struct {
		const char *hex;
		const char *line;
	} cases[] = {
		/* IHL 4. */
		{ "0800 4400001400010000 40110000c0000201 c0000202", "IP [malformed]" },
		/* TCP data offset 4. */
		{ "0800 4500002800010000 40060000c0000201 c0000202 "
		  "9c400050000000010000000040020000 00000000",
		  "IP 192.0.2.1 > 192.0.2.2: TCP [malformed]" },
		/* TCP option of length 0. */
		{ "0800 4500002c00010000 40060000c0000201 c0000202 "
		  "9c400050000000010000000060020000 00000000 02000000",
		  "IP 192.0.2.1.40000 > 192.0.2.2.80: Flags [S], seq 1, win 0, "
		  "options [malformed], length 0" },
		/* UDP length 9 in a packet with room for 8, and 7. */
		{ "0800 4500001c00010000 40110000c0000201 c0000202 1388000700090000",
		  "IP 192.0.2.1.5000 > 192.0.2.2.7: UDP, length 1 [malformed]" },
		{ "0800 4500001c00010000 40110000c0000201 c0000202 1388000700070000",
		  "IP 192.0.2.1 > 192.0.2.2: UDP [malformed]" },
		/* Hop-by-hop options behind a destination options header. */
		{ "86dd 6000000000103c40 20010db8000000000000000000000001 "
		  "20010db8000000000000000000000002 0000010400000000 3b00010400000000",
		  "IP6 2001:db8::1 > 2001:db8::2: extension headers [malformed]" },
		/* ARP for IPv6 addresses. */
		{ "0806 000186dd06100001 0000000000000000 0000000000000000 00000000",
		  "ARP for other addresses, length 28" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[WEFT_DUMP_LEN];
		struct bytes b = frame_of(cases[i].hex);
		dump(b.data, b.len, false, text);
		assert_string_equal(text + strlen(ADDR_TEXT), cases[i].line);
	}
}

/* A whole DHCP message, as a bare packet. */
static struct bytes dhcp_packet(const struct dhcp_msg *msg)
{
	struct bytes b = { .len = 0 };
	uint8_t *udp = b.data + IP4_LEN;
	int len = dhcp_msg_emit(udp + UDP_LEN, sizeof(b.data) - IP4_LEN - UDP_LEN, msg);
	assert_true(len > 0);
	const struct udp_hdr udp_hdr = {
		.sport = DHCP_SERVER_PORT,
		.dport = DHCP_CLIENT_PORT,
		.len = (uint16_t)(UDP_LEN + (size_t)len),
	};
	const struct ip4_hdr ip = {
		.total_len = (uint16_t)(IP4_LEN + udp_hdr.len),
		.proto = 17,
		.src = 0xc0000201,
		.dst = 0xffffffff,
	};
	assert_int_equal(udp_hdr_emit(udp, UDP_LEN, &udp_hdr), UDP_LEN);
	assert_int_equal(ip4_hdr_emit(b.data, IP4_LEN, &ip), IP4_LEN);
	b.len = ip.total_len;
	return b;
}

static void dhcp_says_type_and_addresses(void **state)
{
	(void)state;
	char text[WEFT_DUMP_LEN];
	struct dhcp_msg msg = {
		.op = DHCP_OP_REPLY,
		.type = DHCP_OFFER,
		.yiaddr = 0xc000020a,
		.chaddr = { { 2, 0, 0, 0, 0, 1 } },
		.host_name = "\033[2Jnot on my terminal",
	};
	struct bytes b = dhcp_packet(&msg);
	assert_string_equal(dump(b.data, b.len, true, text),
			    "IP 192.0.2.1.67 > 255.255.255.255.68: DHCPOFFER to "
			    "02:00:00:00:00:01, your-address 192.0.2.10, length 300");
	msg = (struct dhcp_msg){ .op = DHCP_OP_REQUEST,
				 .type = DHCP_REQUEST,
				 .requested_ip = 0xc000020a };
	b = dhcp_packet(&msg);
	assert_string_equal(
		dump(b.data, b.len, true, text),
		"IP 192.0.2.1.67 > 255.255.255.255.68: DHCPREQUEST from "
		"00:00:00:00:00:00, requested-address 192.0.2.10, length 300");
	/* Without its magic it is some UDP. */
	b.data[IP4_LEN + UDP_LEN + DHCP_OFF_MAGIC] = 0;
	assert_string_equal(dump(b.data, b.len, true, text),
			    "IP 192.0.2.1.67 > 255.255.255.255.68: UDP, length 300");
	for (size_t n = 0; n < b.len; n++)
		assert_non_null(strstr(dump(b.data, n, true, text), "[truncated]"));
}

static void super_frames_say_how_they_will_be_cut(void **state)
{
	(void)state;
	struct bytes b =
		frame_of("86dd 6000000000b40640 20010db8000000000000000000000001 "
			 "20010db8000000000000000000000002 "
			 "9c400050000000020000006550100200 00000000");
	b.len += 160; /* of payload */
	struct weft_frame frame = {
		.data = b.data,
		.len = (uint32_t)b.len,
		.offload = { .gso = WEFT_GSO_TCP6, .gso_size = 50 },
	};
	char text[WEFT_DUMP_LEN];
	weft_dump_frame(&frame, false, text, sizeof(text));
	assert_string_equal(
		text + strlen(ADDR_TEXT),
		"IP6 2001:db8::1.40000 > 2001:db8::2.80: Flags [.], seq 2:162, "
		"ack 101, win 512, length 160, super-frame 4 x 50");
	/* Facts that make no sense do no harm. */
	frame.offload.gso_size = 0;
	assert_null(strstr(weft_dump_frame(&frame, false, text, sizeof(text)), "super"));
}

static void short_buffers_get_short_lines(void **state)
{
	(void)state;
	struct bytes b = frame_of(frames[5].hex);
	struct weft_frame frame = { .data = b.data, .len = (uint32_t)b.len };
	char whole[WEFT_DUMP_LEN];
	weft_dump_frame(&frame, false, whole, sizeof(whole));
	for (size_t len = 1; len <= strlen(whole) + 1; len++) {
		char *text = malloc(len);
		assert_ptr_equal(weft_dump_frame(&frame, false, text, len), text);
		assert_true(strlen(text) < len);
		if (len > strlen(whole))
			assert_string_equal(text, whole);
		else if (len > 3)
			assert_string_equal(text + strlen(text) - 3, "...");
		free(text);
	}
}

/* Frames with some bytes changed at random, cut anywhere. */
static void noise_is_survived(void **state)
{
	(void)state;
	struct rng rng;
	rng_init(&rng, test_seed());
	for (int round = 0; round < 20000; round++) {
		char text[WEFT_DUMP_LEN];
		struct bytes b = frame_of(frames[rng_below(&rng, ARRAY_LEN(frames))].hex);
		for (uint64_t n = rng_below(&rng, 8); n > 0; n--)
			b.data[rng_below(&rng, b.len)] = (uint8_t)rng_u64(&rng);
		dump(b.data, rng_below(&rng, b.len + 1), rng_below(&rng, 2), text);
		assert_null(strstr(text, "..."));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_become_lines),
		cmocka_unit_test(every_truncation_is_marked),
		cmocka_unit_test(bare_packets_have_no_addresses_in_front),
		cmocka_unit_test(contradictions_are_marked),
		cmocka_unit_test(dhcp_says_type_and_addresses),
		cmocka_unit_test(super_frames_say_how_they_will_be_cut),
		cmocka_unit_test(short_buffers_get_short_lines),
		cmocka_unit_test(noise_is_survived),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
