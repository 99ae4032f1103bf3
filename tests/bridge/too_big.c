/* SPDX-License-Identifier: MIT */
/*
 * Who is told that a packet is too big, what it is told, and who must not be.
 */
#include "bridge/too_big.h"

#include "../unit.h"
#include "base/mac.h"
#include "fake.h"
#include "wire/checksum.h"
#include "wire/compose.h"
#include "wire/cursor.h"
#include "wire/ether.h"
#include "wire/icmp.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

#include <weft/bridge.h>

#include <netinet/in.h>
#include <string.h>

#define MTU 1300u

static struct weft_ip ip_of(const char *text)
{
	struct weft_ip ip;
	assert_int_equal(weft_ip_parse(text, &ip), 0);
	return ip;
}

/* 1,400 bytes of payload from station 1 to station 2. */
static struct weft_frame big(uint8_t *buf, const char *src, const char *dst)
{
	static const uint8_t payload[1400];
	const struct compose packet = { .is_ether = true,
					.dst_mac = test_mac(2),
					.src_mac = test_mac(1),
					.src = ip_of(src),
					.dst = ip_of(dst),
					.sport = 5,
					.dport = 6,
					.df = true };
	int len = compose_udp(&packet, payload, sizeof(payload), buf, 2048);
	assert_true(len > 0);
	return (struct weft_frame){ .data = buf, .len = (uint32_t)len };
}

static void of_ipv4(void **state)
{
	uint8_t buf[2048], out[TOO_BIG_FRAME_MAX];
	struct ip4_hdr ip;
	struct icmp_hdr icmp;
	(void)state;
	const struct weft_frame frame = big(buf, "10.0.0.1", "10.0.0.2");
	size_t len = too_big_answer(&frame, MTU, out);
	assert_int_equal(len, ETHER_LEN + 576);
	assert_true(mac_equal(mac_load(out), test_mac(1)));
	assert_true(mac_equal(mac_load(out + 6), test_mac(2)));
	int off = ip4_hdr_parse(out + ETHER_LEN, len - ETHER_LEN, &ip);
	assert_int_equal(off, IP4_LEN);
	assert_true(checksum_is_right(0, out + ETHER_LEN, IP4_LEN));
	assert_int_equal(ip.src, 0x0a000002);
	assert_int_equal(ip.dst, 0x0a000001);
	const uint8_t *body = out + ETHER_LEN + off;
	assert_true(checksum_is_right(0, body, 556));
	assert_true(icmp_hdr_parse(body, 556, &icmp) > 0);
	assert_int_equal(icmp.type, ICMP4_UNREACHABLE);
	assert_int_equal(icmp.code, ICMP4_CODE_FRAG_NEEDED);
	assert_int_equal(icmp.rest, MTU);
	assert_memory_equal(body + ICMP_LEN, buf + ETHER_LEN, 548);
}

static void of_ipv6(void **state)
{
	uint8_t buf[2048], out[TOO_BIG_FRAME_MAX];
	struct ip6_hdr ip;
	struct icmp_hdr icmp;
	(void)state;
	const struct weft_frame frame = big(buf, "fe80::1", "fe80::2");
	size_t len = too_big_answer(&frame, MTU, out);
	assert_int_equal(len, ETHER_LEN + 1280);
	int off = ip6_hdr_parse(out + ETHER_LEN, len - ETHER_LEN, &ip);
	assert_int_equal(off, IP6_LEN);
	const uint8_t *body = out + ETHER_LEN + off;
	uint32_t pseudo = checksum_pseudo6(ip.src.octet, ip.dst.octet, IPPROTO_ICMPV6,
					   ip.payload_len);
	assert_true(checksum_is_right(pseudo, body, ip.payload_len));
	assert_true(icmp_hdr_parse(body, ip.payload_len, &icmp) > 0);
	assert_int_equal(icmp.type, ICMP6_PACKET_TOO_BIG);
	assert_int_equal(icmp.rest, MTU);
	assert_memory_equal(ip.src.octet, buf + ETHER_LEN + IP6_OFF_DST, 16);
	assert_memory_equal(body + ICMP_LEN, buf + ETHER_LEN, 1232);
}

static size_t answer(const struct weft_frame *frame)
{
	uint8_t out[TOO_BIG_FRAME_MAX];
	return too_big_answer(frame, MTU, out);
}

static void nobody_is_told(void **state)
{
	uint8_t buf[2048], *ip = buf + ETHER_LEN;
	(void)state;
	struct weft_frame frame = big(buf, "10.0.0.1", "10.0.0.2");
	assert_true(answer(&frame) > 0);
	ip[IP4_OFF_FRAG] = 0; /* it may be fragmented */
	assert_int_equal(answer(&frame), 0);
	store_be16(ip + IP4_OFF_FRAG, IP4_FRAG_DF | 8); /* a later fragment */
	assert_int_equal(answer(&frame), 0);
	frame = big(buf, "10.0.0.1", "10.0.0.2");
	buf[0] |= 1; /* to a group */
	assert_int_equal(answer(&frame), 0);
	frame = big(buf, "10.0.0.1", "239.1.2.3");
	assert_int_equal(answer(&frame), 0);
	frame = big(buf, "0.0.0.0", "10.0.0.2");
	assert_int_equal(answer(&frame), 0);
	frame = big(buf, "255.255.255.255", "10.0.0.2");
	assert_int_equal(answer(&frame), 0);
	frame = big(buf, "::", "fe80::2");
	assert_int_equal(answer(&frame), 0);
	frame = big(buf, "ff02::1", "fe80::2");
	assert_int_equal(answer(&frame), 0);
	frame = big(buf, "fe80::1", "ff02::1");
	assert_int_equal(answer(&frame), 0);
	frame = big(buf, "10.0.0.1", "10.0.0.2");
	ip[IP4_OFF_PROTO] = IPPROTO_ICMP; /* an error itself */
	ip[IP4_LEN] = ICMP4_UNREACHABLE;
	assert_int_equal(answer(&frame), 0);
	ip[IP4_LEN] = ICMP4_ECHO; /* a ping is none */
	assert_true(answer(&frame) > 0);
	frame = big(buf, "10.0.0.1", "10.0.0.2");
	store_be16(buf + ETHER_OFF_TYPE, ETHER_TYPE_VLAN);
	assert_int_equal(answer(&frame), 0);
	frame = big(buf, "10.0.0.1", "10.0.0.2");
	assert_int_equal(too_big_answer(&frame, 1500, buf), 0); /* it fits */
	assert_int_equal(too_big_answer(&frame, frame.len - ETHER_LEN, buf), 0);
}

/* Every length of a frame, in memory of its own. */
static void every_length(void **state)
{
	uint8_t buf[2048], out[TOO_BIG_FRAME_MAX];
	static const char *const hosts[][2] = { { "10.0.0.1", "10.0.0.2" },
						{ "fe80::1", "fe80::2" } };
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct weft_frame frame = big(buf, hosts[i][0], hosts[i][1]);
		for (uint32_t len = 0; len < frame.len; len++) {
			uint8_t *copy = malloc(len + 1);
			assert_non_null(copy);
			memcpy(copy, buf, len);
			const struct weft_frame cut = { .data = copy, .len = len };
			assert_int_equal(too_big_answer(&cut, MTU, out), 0);
			free(copy);
		}
	}
}

/* Sent back by the way it came, and no oftener than TOO_BIG_RATE allows. */
static void on_a_bridge(void **state)
{
	const struct weft_bridge_opts opts = { .too_big = true };
	struct fake_link wide, narrow;
	struct weft_bridge *bridge;
	struct weft_bridge_port *port;
	uint8_t buf[2048];
	(void)state;
	fake_init(&wide, 0);
	fake_init(&narrow, 0);
	narrow.link.caps.frame_len_max = MTU + ETHER_LEN + ETHER_TAG_LEN;
	assert_int_equal(weft_bridge_new(&opts, &bridge), 0);
	assert_int_equal(weft_bridge_add(bridge, &wide.link, NULL, &port), 0);
	assert_int_equal(weft_bridge_add(bridge, &narrow.link, NULL, &port), 0);
	struct weft_frame frame = big(buf, "10.0.0.1", "239.1.2.3"); /* not to be told */
	link_deliver(&wide.link, &frame, 1, 1);
	assert_int_equal(wide.sent_n, 0);
	frame = big(buf, "10.0.0.1", "10.0.0.2");
	link_deliver(&wide.link, &frame, 1, 1);
	assert_int_equal(wide.sent_n, 1);
	assert_int_equal(wide.sent[0].len, ETHER_LEN + 576);
	assert_int_equal(narrow.sent_n, 0);
	assert_int_equal(narrow.link.stats.tx_too_long, 2);
	for (unsigned i = 0; i < 200; i++)
		link_deliver(&wide.link, &frame, 1, 1);
	assert_int_equal(wide.sent_n, TOO_BIG_BURST);
	assert_int_equal(weft_bridge_event_count(bridge, WEFT_BRIDGE_TOO_BIG),
			 TOO_BIG_BURST);
	weft_bridge_free(bridge);
	fake_fini(&wide);
	fake_fini(&narrow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_ipv4),        cmocka_unit_test(of_ipv6),
		cmocka_unit_test(nobody_is_told), cmocka_unit_test(every_length),
		cmocka_unit_test(on_a_bridge),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
