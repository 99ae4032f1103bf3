/* SPDX-License-Identifier: MIT */
/*
 * What a handler can ask of a packet, and its answers as they come out of the device.
 */
#include "../unit.h"
#include "recorder.h"
#include "wire/compose.h"

#include <weft/port.h>

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

static struct weft_device_memory *memory;
static struct weft_protocol *ethernet, *ip, *udp;
static struct recorder handler;
static struct weft_port *port;
static int reply_result;

static int setup(void **state)
{
	(void)state;
	assert_int_equal(weft_device_memory_new(NULL, &memory), 0);
	make_layers(&ethernet, &ip, &udp);
	reply_result = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	weft_port_free(port);
	port = NULL;
	weft_protocol_free(udp);
	weft_protocol_free(ip);
	weft_protocol_free(ethernet);
	weft_device_memory_free(memory);
	recorder_clear(&handler);
	return 0;
}

static struct weft_tunnel *start(struct weft_protocol *top)
{
	const struct weft_port_opts opts = { .protocol = top,
					     .system =
						     weft_device_memory_system(memory) };
	struct weft_error err = { "" };
	if (weft_port_new(&opts, &err, &port) < 0 || weft_port_start(port, &err) < 0)
		fail_msg("%s", err.text);
	return weft_device_memory_tunnel(memory, weft_port_fd(port));
}

/* ---- intact ------------------------------------------------------------------------------ */

/* A packet with a right sum at csum_offset, of len bytes; then each bit of it turned. */
static void assert_sum_is_seen(const char *src, const char *dst, uint8_t proto,
			       uint8_t csum_offset, size_t len)
{
	const struct weft_headers headers = { .src = test_ip(src),
					      .dst = test_ip(dst),
					      .proto = proto,
					      .csum_offset = csum_offset };
	const struct weft_ip_header header = { .src = headers.src,
					       .dst = headers.dst,
					       .version = headers.src.family == AF_INET
								  ? 4
								  : 6,
					       .proto = proto };
	const uint8_t zero[64] = { 0, 1, 2, 3, 4, 5, 6, 7, 80 };
	uint8_t buf[200];
	int n = weft_ip_build(&headers, zero, len, buf, sizeof(buf));
	assert_true(n > 0);
	uint8_t *payload = buf + (size_t)n - len;
	const struct weft_packet packet = { .data = payload, .len = len, .ip = &header };
	assert_true(weft_packet_is_intact(&packet));
	for (size_t bit = 0; bit < 8 * len; bit++) {
		payload[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(weft_packet_is_intact(&packet));
		payload[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static void sums_are_verified(void **state)
{
	(void)state;
	assert_sum_is_seen("192.0.2.1", "192.0.2.2", IPPROTO_ICMP, 2, 8);
	assert_sum_is_seen("192.0.2.1", "192.0.2.2", IPPROTO_ICMP, 2, 33);
	assert_sum_is_seen("192.0.2.1", "224.0.0.1", IPPROTO_IGMP, 2, 8);
	assert_sum_is_seen("192.0.2.1", "192.0.2.2", IPPROTO_TCP, 16, 25);
	assert_sum_is_seen("2001:db8::1", "2001:db8::2", IPPROTO_TCP, 16, 20);
	assert_sum_is_seen("2001:db8::1", "2001:db8::2", IPPROTO_ICMPV6, 2, 9);
}

static void what_cannot_be_summed_is_not_intact(void **state)
{
	const struct weft_ip_header icmp = { .version = 4, .proto = IPPROTO_ICMP };
	struct weft_ip_header fragment = { .version = 4, .proto = 99 };
	const uint8_t echo[8] = { 8, 0, 0xf7, 0xff };
	struct weft_packet packet = { .data = echo, .len = 8 };
	(void)state;
	assert_false(weft_packet_is_intact(&packet)); /* no IP header */
	packet.ip = &icmp;
	assert_true(weft_packet_is_intact(&packet));
	packet.partial = true;
	assert_false(weft_packet_is_intact(&packet));
	packet.partial = false;
	packet.len = 7;
	assert_false(weft_packet_is_intact(&packet));
	packet.ip = &fragment; /* a protocol without a sum that weft knows */
	assert_true(weft_packet_is_intact(&packet));
	fragment.more_fragments = true;
	assert_false(weft_packet_is_intact(&packet));
	fragment.more_fragments = false;
	fragment.fragment_offset = 8;
	assert_false(weft_packet_is_intact(&packet));
	fragment.fragment_offset = 0;
	fragment.proto = IPPROTO_UDP; /* too short for one */
	assert_false(weft_packet_is_intact(&packet));
}

/* ---- ARP --------------------------------------------------------------------------------- */

static void arp_is_parsed(void **state)
{
	const uint8_t arp[] = { 0,   1, 8, 0, 6, 4, 0, 2, 2, 0, 0,   0, 0, 1,
				192, 0, 2, 1, 2, 0, 0, 0, 0, 2, 192, 0, 2, 2 };
	struct weft_packet packet = { .data = arp, .len = sizeof(arp) };
	struct weft_arp parsed;
	char text[WEFT_IP_TEXT];
	(void)state;
	assert_int_equal(weft_arp_parse(&packet, &parsed), 0);
	assert_int_equal(parsed.op, 2);
	assert_int_equal(parsed.sender_mac.octet[5], 1);
	assert_int_equal(parsed.target_mac.octet[5], 2);
	assert_string_equal(weft_ip_print(&parsed.sender_ip, text), "192.0.2.1");
	assert_string_equal(weft_ip_print(&parsed.target_ip, text), "192.0.2.2");
	packet.len--;
	assert_int_equal(weft_arp_parse(&packet, &parsed), -EBADMSG);
	uint8_t frame_relay[sizeof(arp)];
	memcpy(frame_relay, arp, sizeof(arp));
	frame_relay[1] = 15;
	packet = (struct weft_packet){ .data = frame_relay, .len = sizeof(frame_relay) };
	assert_int_equal(weft_arp_parse(&packet, &parsed), -EPROTONOSUPPORT);
}

/* ---- making ------------------------------------------------------------------------------ */

static void built_packets_come_back(void **state)
{
	const struct weft_ethernet_header link = { .dst = { { 2, 0, 0, 0, 0, 1 } },
						   .src = { { 2, 0, 0, 0, 0, 2 } } };
	struct weft_headers headers = { .ethernet = &link,
					.src = test_ip("192.0.2.1"),
					.dst = test_ip("192.0.2.2"),
					.src_port = 1000,
					.dst_port = 2000,
					.ttl = 9,
					.tos = 4 };
	uint8_t buf[200];
	(void)state;
	recorder_init(&handler, WEFT_LAYER_DATAGRAM, "handler");
	add(udp, 2000, &handler);
	int n = weft_udp_build(&headers, "hello", 5, buf, sizeof(buf));
	assert_int_equal(n, 14 + 20 + 8 + 5);
	feed(ethernet, buf, (size_t)n);
	headers.src = test_ip("2001:db8::1");
	headers.dst = test_ip("2001:db8::2");
	n = weft_udp_build(&headers, "hello", 5, buf, sizeof(buf));
	assert_int_equal(n, 14 + 40 + 8 + 5);
	feed(ethernet, buf, (size_t)n);
	headers.ethernet = NULL;
	n = weft_udp_build(&headers, "hello", 5, buf, sizeof(buf));
	assert_int_equal(n, 40 + 8 + 5);
	feed(ip, buf, (size_t)n);
	assert_int_equal(handler.n, 3);
	for (size_t i = 0; i < 3; i++) {
		const struct record *r = &handler.records[i];
		assert_record(&handler, i, "hello");
		assert_int_equal(r->udp.src_port, 1000);
		assert_int_equal(r->ip.ttl, 9);
		assert_int_equal(r->ip.tos, 4);
	}
	assert_memory_equal(&handler.records[0].ethernet.src, &link.src, 6);
	assert_memory_equal(&handler.records[0].ethernet.dst, &link.dst, 6);
	headers.dst = test_ip("192.0.2.2");
	assert_int_equal(weft_udp_build(&headers, "x", 1, buf, sizeof(buf)), -EINVAL);
	headers.src = test_ip("192.0.2.1");
	assert_int_equal(weft_udp_build(&headers, "x", 1, buf, 28), -ENOBUFS);
}

/* ---- answering --------------------------------------------------------------------------- */

static void reply_udp(struct recorder *r, const struct weft_packet *packet)
{
	(void)r;
	reply_result = weft_udp_reply(packet, "answer", 6);
}

static void assert_answered(struct weft_tunnel *wire, const char *to)
{
	const struct weft_ip back = test_ip(to);
	char answer[20];
	assert_int_equal(weft_tunnel_take_udp(wire, &back, WEFT_TUNNEL_UDP_PORT, answer,
					      sizeof(answer)),
			 6);
	assert_memory_equal(answer, "answer", 6);
}

static void a_datagram_is_answered_on_a_tun(void **state)
{
	const struct weft_ip four = test_ip("192.0.2.7");
	const struct weft_ip six = test_ip("2001:db8::7");
	(void)state;
	recorder_init(&handler, WEFT_LAYER_DATAGRAM, "handler");
	handler.on_received = reply_udp;
	add(udp, 7, &handler);
	struct weft_tunnel *wire = start(ip);
	assert_int_equal(weft_tunnel_put_udp(wire, &four, 7, "question", 8), 0);
	assert_int_equal(weft_tunnel_put_udp(wire, &six, 7, "question", 8), 0);
	assert_int_equal(weft_port_read(port, 1), 2);
	assert_int_equal(reply_result, 40 + 8 + 6);
	assert_answered(wire, WEFT_TUNNEL_UDP_IP4);
	assert_answered(wire, WEFT_TUNNEL_UDP_IP6);
	assert_int_equal(weft_tunnel_written(wire), 0);
}

/* Between two stations, on Ethernet; to the last byte of the headers. */
static void a_datagram_is_answered_on_a_tap(void **state)
{
	const struct weft_ethernet_header link = { .dst = { { 2, 0, 0, 0, 0, 1 } },
						   .src = { { 2, 0, 0, 0, 0, 2 } } };
	const struct weft_headers headers = { .ethernet = &link,
					      .src = test_ip("192.0.2.2"),
					      .dst = test_ip("192.0.2.1"),
					      .src_port = 1000,
					      .dst_port = 7 };
	const struct weft_ethernet_header back = { .dst = link.src, .src = link.dst };
	const struct weft_headers expected = { .ethernet = &back,
					       .src = headers.dst,
					       .dst = headers.src,
					       .src_port = 7,
					       .dst_port = 1000 };
	uint8_t frame[100], answer[100], whole[100];
	(void)state;
	recorder_init(&handler, WEFT_LAYER_DATAGRAM, "handler");
	handler.on_received = reply_udp;
	add(udp, 7, &handler);
	struct weft_tunnel *wire = start(ethernet);
	int n = weft_udp_build(&headers, "question", 8, frame, sizeof(frame));
	assert_int_equal(weft_tunnel_put(wire, frame, (size_t)n), 0);
	assert_int_equal(weft_port_read(port, 1), 1);
	int got = weft_tunnel_take(wire, answer, sizeof(answer));
	n = weft_udp_build(&expected, "answer", 6, whole, sizeof(whole));
	assert_int_equal(got, n);
	assert_memory_equal(answer, whole, (size_t)n);
}

/* A group is no sender: neither as an IP address nor as a MAC. */
static void what_was_for_a_group_is_not_answered(void **state)
{
	const char *const groups[] = { "224.0.0.251", "255.255.255.255", "0.0.0.0",
				       "ff02::fb", "::" };
	const struct weft_ip station = test_ip("192.0.2.7");
	(void)state;
	recorder_init(&handler, WEFT_LAYER_DATAGRAM, "handler");
	handler.on_received = reply_udp;
	add(udp, 7, &handler);
	struct weft_tunnel *wire = start(ip);
	for (size_t i = 0; i < 5; i++) {
		const struct weft_ip to = test_ip(groups[i]);
		assert_int_equal(weft_tunnel_put_udp(wire, &to, 7, "question", 8), 0);
		assert_int_equal(weft_port_read(port, 1), 1);
		assert_int_equal(reply_result, -EINVAL);
	}
	weft_port_free(port);
	wire = start(ethernet);
	reply_result = 0;
	/* This frame is for everyone. */
	assert_int_equal(weft_tunnel_put_udp(wire, &station, 7, "question", 8), 0);
	assert_int_equal(weft_port_read(port, 1), 1);
	assert_int_equal(reply_result, -EINVAL);
	assert_int_equal(weft_tunnel_written(wire), 0);
}

static void reply_ip(struct recorder *r, const struct weft_packet *packet)
{
	const uint8_t answer[] = { 0, 0, 0xff, 0xff, 0, 1, 0, 2 };
	(void)r;
	reply_result = weft_ip_reply(packet, answer, sizeof(answer), 2);
}

static void a_packet_is_answered_with_its_sum(void **state)
{
	const struct weft_headers headers = { .src = test_ip("192.0.2.2"),
					      .dst = test_ip("192.0.2.1"),
					      .proto = 1,
					      .csum_offset = 2 };
	const uint8_t expected[] = { 0, 0, 0xff, 0xfc, 0, 1, 0, 2 };
	const uint8_t echo[8] = { 8 };
	uint8_t packet[100], answer[100];
	(void)state;
	recorder_init(&handler, WEFT_LAYER_TRANSPORT, "handler");
	handler.on_received = reply_ip;
	add(ip, 1, &handler);
	struct weft_tunnel *wire = start(ip);
	int n = weft_ip_build(&headers, echo, sizeof(echo), packet, sizeof(packet));
	assert_int_equal(weft_tunnel_put(wire, packet, (size_t)n), 0);
	assert_int_equal(weft_port_read(port, 1), 1);
	assert_int_equal(reply_result, 28);
	assert_int_equal(weft_tunnel_take(wire, answer, sizeof(answer)), 28);
	assert_memory_equal(answer + 20, expected, sizeof(expected));
	assert_memory_equal(answer + 12, headers.dst.octet, 4);
	assert_memory_equal(answer + 16, headers.src.octet, 4);
}

/* Without a port there is nowhere to answer to, and what has no such header has no sender. */
static void what_cannot_be_answered_says_so(void **state)
{
	const struct weft_ip_header header = { .src = test_ip("192.0.2.1"),
					       .dst = test_ip("192.0.2.2"),
					       .version = 4 };
	const struct weft_udp_header ports = { .src_port = 1, .dst_port = 2 };
	struct weft_packet packet = { .ip = &header, .udp = &ports };
	(void)state;
	recorder_init(&handler, WEFT_LAYER_PACKET, "handler");
	struct weft_tunnel *wire = start(&handler.protocol);
	assert_int_equal(weft_udp_reply(&packet, "x", 1), -EINVAL);
	assert_int_equal(weft_ip_reply(&packet, "x", 1, 0), -EINVAL);
	packet.port = port;
	assert_int_equal(weft_udp_reply(&packet, "x", 1), 29);
	packet.udp = NULL;
	assert_int_equal(weft_udp_reply(&packet, "x", 1), -EINVAL);
	assert_int_equal(weft_ip_reply(&packet, "x", 1, 0), 21);
	assert_int_equal(weft_ip_reply(&packet, "x", 1, 2), -EINVAL);
	static const uint8_t too_long[65536];
	assert_int_equal(weft_ip_reply(&packet, too_long, sizeof(too_long), 0),
			 -EMSGSIZE);
	packet.ip = NULL;
	assert_int_equal(weft_ip_reply(&packet, "x", 1, 0), -EINVAL);
	assert_int_equal(weft_tunnel_written(wire), 2);
	packet.ip = &header;
	weft_port_stop(port);
	assert_int_equal(weft_ip_reply(&packet, "x", 1, 0), -ENOTCONN);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sums_are_verified),
		TEST(what_cannot_be_summed_is_not_intact),
		TEST(arp_is_parsed),
		TEST(built_packets_come_back),
		TEST(a_datagram_is_answered_on_a_tun),
		TEST(a_datagram_is_answered_on_a_tap),
		TEST(what_was_for_a_group_is_not_answered),
		TEST(a_packet_is_answered_with_its_sum),
		TEST(what_cannot_be_answered_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
