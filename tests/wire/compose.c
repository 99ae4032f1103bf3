/* SPDX-License-Identifier: MIT */
/*
 * Packets around payloads: to the byte for one of each kind, and read back by the parsers.
 */
#include "wire/compose.h"

#include "bytes.h"
#include "wire/checksum.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/udp.h"

#include <errno.h>
#include <netinet/in.h>

static struct weft_ip ip(const char *text)
{
	struct weft_ip ip;
	assert_int_equal(weft_ip_parse(text, &ip), 0);
	return ip;
}

static void assert_bytes(const uint8_t *data, int len, const char *hex)
{
	struct bytes expected = bytes_of(hex);
	assert_int_equal(len, expected.len);
	assert_memory_equal(data, expected.data, expected.len);
}

/* Sums worked out by hand with RFC 1071's rule. */
static void udp_over_ip4_in_ethernet(void **state)
{
	(void)state;
	const struct compose c = {
		.is_ether = true,
		.dst_mac = { { 2, 0, 0, 0, 0, 1 } },
		.src_mac = { { 2, 0, 0, 0, 0, 2 } },
		.src = ip("192.0.2.1"),
		.dst = ip("192.0.2.2"),
		.sport = 5000,
		.dport = 7,
	};
	uint8_t buf[64];
	int len = compose_udp(&c, "hello", 5, buf, sizeof(buf));
	assert_bytes(buf, len,
		     "020000000001 020000000002 0800"
		     "45000021 00000000 4011f6c8 c0000201 c0000202"
		     "1388 0007 000d 246f"
		     "68656c6c6f");
}

static void icmp6_without_ethernet(void **state)
{
	(void)state;
	const struct compose c = {
		.src = ip("2001:db8::1"),
		.dst = ip("2001:db8::2"),
		.proto = IPPROTO_ICMPV6,
		.ttl = 255,
		.tos = 0xb8,
		.csum_offset = 2,
	};
	const struct bytes echo = bytes_of("8000 ffff 00010002 6162");
	uint8_t buf[64];
	int len = compose_ip(&c, echo.data, echo.len, buf, sizeof(buf));
	struct ip6_hdr hdr;
	assert_int_equal(ip6_hdr_parse(buf, (size_t)len, &hdr), IP6_LEN);
	assert_int_equal(hdr.hop_limit, 255);
	assert_int_equal(hdr.tclass, 0xb8);
	assert_int_equal(hdr.payload_len, echo.len);
	uint32_t pseudo = checksum_pseudo6(c.src.octet, c.dst.octet, IPPROTO_ICMPV6, 10);
	assert_true(checksum_is_right(pseudo, buf + IP6_LEN, echo.len));
	assert_memory_equal(buf + IP6_LEN + 4, echo.data + 4, echo.len - 4);
}

/* ICMP over IPv4 has no pseudo header, and what is asked for no sum keeps what it had. */
static void sums_are_made_where_they_are_asked_for(void **state)
{
	(void)state;
	struct compose c = { .src = ip("10.0.0.1"),
			     .dst = ip("10.0.0.2"),
			     .proto = IPPROTO_ICMP,
			     .id = 7,
			     .df = true,
			     .csum_offset = 2 };
	const struct bytes echo = bytes_of("0000 ffff 00010002");
	uint8_t buf[64];
	int len = compose_ip(&c, echo.data, echo.len, buf, sizeof(buf));
	struct ip4_hdr hdr;
	assert_int_equal(ip4_hdr_parse(buf, (size_t)len, &hdr), IP4_LEN);
	assert_true(hdr.df);
	assert_int_equal(hdr.id, 7);
	assert_true(checksum_is_right(0, buf, IP4_LEN));
	assert_true(checksum_is_right(0, buf + IP4_LEN, echo.len));
	c.csum_offset = 0;
	assert_int_equal(compose_ip(&c, echo.data, echo.len, buf, sizeof(buf)), len);
	assert_memory_equal(buf + IP4_LEN, echo.data, echo.len);
}

/* A sum that comes to 0 is sent as 0xffff: this payload was made for that. */
static void udp_never_sends_a_sum_of_zero(void **state)
{
	(void)state;
	const struct compose c = { .src = ip("0.0.0.1"), .dst = ip("0.0.0.2") };
	/* Pseudo header 1 + 2 + 17 + 10, UDP length 10: the word that makes 0xffff. */
	const uint8_t payload[] = { 0xff, 0xff - 1 - 2 - 17 - 10 - 10 };
	uint8_t buf[64];
	int len = compose_udp(&c, payload, 2, buf, sizeof(buf));
	assert_int_equal(len, IP4_LEN + UDP_LEN + 2);
	assert_int_equal(buf[IP4_LEN + UDP_OFF_CSUM], 0xff);
	assert_int_equal(buf[IP4_LEN + UDP_OFF_CSUM + 1], 0xff);
}

static void arp_to_everybody_and_to_one(void **state)
{
	(void)state;
	const struct weft_mac asker = { { 2, 0, 0, 0, 0, 1 } };
	const struct arp_hdr question = { .op = ARP_OP_REQUEST,
					  .sender_mac = { { 2, 0, 0, 0, 0, 1 } },
					  .target_ip = 0xc0000202 };
	const struct arp_hdr answer = { .op = ARP_OP_REPLY,
					.sender_mac = { { 2, 0, 0, 0, 0, 2 } },
					.sender_ip = 0xc0000202,
					.target_mac = { { 2, 0, 0, 0, 0, 1 } },
					.target_ip = 0xc0000201 };
	uint8_t buf[COMPOSE_ARP_LEN];
	compose_arp(NULL, &question, buf);
	assert_bytes(buf, sizeof(buf),
		     "ffffffffffff0200000000010806"
		     "0001080006040001"
		     "02000000000100000000"
		     "000000000000c0000202");
	compose_arp(&asker, &answer, buf);
	assert_bytes(buf, sizeof(buf),
		     "0200000000010200000000020806"
		     "0001080006040002"
		     "020000000002c0000202"
		     "020000000001c0000201");
}

static void what_cannot_be_said_is_refused(void **state)
{
	(void)state;
	static uint8_t buf[70000];
	static const uint8_t payload[70000];
	struct compose c = { .src = ip("10.0.0.1"), .dst = ip("10.0.0.2") };
	assert_int_equal(compose_udp(&c, payload, 65507, buf, sizeof(buf)), 65535);
	assert_int_equal(compose_udp(&c, payload, 65508, buf, sizeof(buf)), -EMSGSIZE);
	assert_int_equal(compose_ip(&c, payload, 65516, buf, sizeof(buf)), -EMSGSIZE);
	c.dst = ip("2001:db8::1");
	assert_int_equal(compose_udp(&c, payload, 1, buf, sizeof(buf)), -EINVAL);
	c.src = ip("2001:db8::2");
	assert_int_equal(compose_udp(&c, payload, 65527, buf, sizeof(buf)), 65575);
	assert_int_equal(compose_udp(&c, payload, 65528, buf, sizeof(buf)), -EMSGSIZE);
	assert_int_equal(compose_ip(&c, payload, 65535, buf, sizeof(buf)), 65575);
	assert_int_equal(compose_ip(&c, payload, 65536, buf, sizeof(buf)), -EMSGSIZE);
	c.csum_offset = 2;
	assert_int_equal(compose_ip(&c, payload, 3, buf, sizeof(buf)), -EINVAL);
	assert_int_equal(compose_ip(&c, NULL, 0, buf, sizeof(buf)), -EINVAL);
	c.src.family = 0;
	c.dst.family = 0;
	assert_int_equal(compose_ip(&c, payload, 4, buf, sizeof(buf)), -EINVAL);
}

/* Whatever room there is, nothing is written behind it. */
static void short_buffers_are_left_alone(void **state)
{
	(void)state;
	struct compose c = { .is_ether = true,
			     .src = ip("10.0.0.1"),
			     .dst = ip("10.0.0.2") };
	for (unsigned family = 4; family <= 6; family += 2) {
		if (family == 6) {
			c.src = ip("2001:db8::1");
			c.dst = ip("2001:db8::2");
		}
		uint8_t whole[128];
		int need = compose_udp(&c, "hello", 5, whole, sizeof(whole));
		assert_true(need > 0);
		for (int room = 0; room < need; room++) {
			uint8_t *buf = malloc((size_t)room + 1);
			assert_non_null(buf);
			assert_int_equal(compose_udp(&c, "hello", 5, buf, (size_t)room),
					 -ENOBUFS);
			free(buf);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(udp_over_ip4_in_ethernet),
		cmocka_unit_test(icmp6_without_ethernet),
		cmocka_unit_test(sums_are_made_where_they_are_asked_for),
		cmocka_unit_test(udp_never_sends_a_sum_of_zero),
		cmocka_unit_test(arp_to_everybody_and_to_one),
		cmocka_unit_test(what_cannot_be_said_is_refused),
		cmocka_unit_test(short_buffers_are_left_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
