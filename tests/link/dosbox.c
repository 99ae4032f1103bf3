/* SPDX-License-Identifier: MIT */
/*
 * DOSBox's IPX: registrations and pings as DOSBox 0.74 sends them, and the way to Ethernet and
 * back.
 */
#include "link/dosbox.h"

#include "../unit.h"
#include "base/mac.h"
#include "outlet.h"
#include "wire/cursor.h"
#include "wire/ether.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DOOM 0x869cu

static struct outlet o;

static const struct weft_mac nobody;
static const struct weft_mac everybody = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };
static const struct weft_mac machine = { { 0x00, 0x00, 0x1b, 0x01, 0x02, 0x03 } };

/* A packet with data_len bytes of 'x' behind the header. Returns its length. */
static size_t packet(uint8_t *buf, struct weft_mac dst, struct weft_mac src,
		     uint16_t socket, size_t data_len)
{
	const struct ipx_hdr hdr = {
		.checksum = IPX_NO_CHECKSUM,
		.len = (uint16_t)(IPX_LEN + data_len),
		.type = 4,
		.dst = { .node = dst, .socket = socket },
		.src = { .node = src, .socket = socket },
	};
	ipx_hdr_emit(buf, &hdr);
	memset(buf + IPX_LEN, 'x', data_len);
	return hdr.len;
}

static void say(int fd, struct weft_mac dst, struct weft_mac src, uint16_t socket,
		size_t data_len)
{
	uint8_t buf[2048];
	peer_send_udp(fd, &o, buf, packet(buf, dst, src, socket, data_len));
	outlet_run(&o);
}

static struct ipx_hdr hear(int fd)
{
	uint8_t buf[2048];
	struct ipx_hdr hdr;
	int got = peer_recv(fd, buf, sizeof(buf));
	assert_true(got > 0);
	assert_int_equal(ipx_hdr_parse(buf, (size_t)got, &hdr), IPX_LEN);
	assert_int_equal(hdr.len, got);
	return hdr;
}

/* Returns the node that the server gave. */
static struct weft_mac dosbox_connect(int fd)
{
	say(fd, nobody, nobody, IPX_SOCKET_ECHO, 0);
	struct ipx_hdr hdr = hear(fd);
	assert_int_equal(hdr.len, IPX_LEN);
	assert_int_equal(hdr.checksum, IPX_NO_CHECKSUM);
	assert_int_equal(hdr.dst.network, 0);
	assert_int_equal(hdr.dst.socket, IPX_SOCKET_ECHO);
	assert_int_equal(hdr.src.network, 1);
	return hdr.dst.node;
}

static int open_with_dosbox(const char *options, struct weft_mac *ret_node)
{
	char spec[80];
	(void)snprintf(spec, sizeof(spec), "dosbox:127.0.0.1:0%s", options);
	outlet_open(&o, spec);
	outlet_run(&o);
	int fd = peer_udp(0);
	*ret_node = dosbox_connect(fd);
	assert_int_equal(o.links_n, 1);
	return fd;
}

/* A frame of the machine's on the bridge, sent to the i-th DOSBox. */
static void bridge_says(size_t i, enum ipx_framing framing, struct weft_mac dst,
			size_t data_len)
{
	uint8_t buf[2048];
	size_t hdr_len = ipx_frame_hdr_len(framing);
	size_t len = packet(buf + hdr_len, dst, machine, DOOM, data_len);
	struct ipx_hdr hdr;
	assert_int_equal(ipx_hdr_parse(buf + hdr_len, len, &hdr), IPX_LEN);
	ipx_frame_emit(buf, framing, &hdr);
	const struct weft_frame frame = { .data = buf, .len = (uint32_t)(hdr_len + len) };
	weft_link_send(o.links[i]->link, &frame, 1, o.now);
	outlet_run(&o);
}

static struct ipx_place last_frame(size_t i)
{
	const struct inbox *box = &o.links[i]->inbox;
	struct ipx_place place;
	assert_true(box->n > 0);
	const struct weft_frame *frame = &box->frames[box->n - 1];
	assert_int_equal(ipx_frame_parse(frame->data, frame->len, &place), 0);
	return place;
}

static void a_node_is_a_mac(void **state)
{
	static const struct {
		const char *ip;
		const char *mac;
	} nodes[] = {
		{ "127.0.0.1", "7e:00:00:01:12:34" },
		{ "192.168.1.2", "c2:a8:01:02:12:34" },
		{ "10.0.0.5", "0a:00:00:05:12:34" },
		{ "203.0.113.9", "ca:00:71:09:12:34" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		char text[80], mac[WEFT_MAC_TEXT];
		union weft_sockaddr addr;
		(void)snprintf(text, sizeof(text), "%s:4660", nodes[i].ip);
		assert_int_equal(weft_listen_parse(text, &addr), 0);
		struct weft_mac node = dosbox_mac(dosbox_node(&addr));
		assert_string_equal(weft_mac_print(node, mac), nodes[i].mac);
		assert_true(mac_is_local(node) && !mac_is_group(node));
		(void)snprintf(text, sizeof(text), "[::ffff:%s]:4660", nodes[i].ip);
		assert_int_equal(weft_listen_parse(text, &addr), 0);
		assert_true(mac_equal(dosbox_mac(dosbox_node(&addr)), node));
	}
}

static void a_registration_and_again(void **state)
{
	struct weft_mac node;
	(void)state;
	int fd = open_with_dosbox("", &node);
	assert_int_equal(node.octet[0], 0x7e);
	assert_true(mac_equal(dosbox_connect(fd), node));
	assert_int_equal(o.links_n, 1);
	assert_int_equal(o.links[0]->inbox.n, 0);
	outlet_close(&o);
	(void)close(fd);
}

static void who_is_not_registered_is_nobody(void **state)
{
	(void)state;
	outlet_open(&o, "dosbox:127.0.0.1:0");
	outlet_run(&o);
	int fd = peer_udp(0);
	say(fd, everybody, machine, DOOM, 4);
	peer_send_udp(fd, &o, "IPX?", 4);
	outlet_run(&o);
	assert_int_equal(o.links_n, 0);
	peer_expect_nothing(fd);
	outlet_close(&o);
	(void)close(fd);
}

static void a_packet_becomes_a_frame(void **state)
{
	static const struct {
		const char *option;
		enum ipx_framing framing;
		uint32_t len; /* Of 35 bytes of IPX, made even. */
	} framings[] = {
		{ ",framing=ethernet2", IPX_ETHERNET2, 14 + 36 },
		{ ",framing=802.3", IPX_8023, 14 + 36 },
		{ ",framing=802.2", IPX_8022, 17 + 36 },
		{ ",framing=snap", IPX_SNAP, 22 + 36 },
		{ "", IPX_8022, 17 + 36 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(framings) / sizeof(framings[0]); i++) {
		struct weft_mac node;
		int fd = open_with_dosbox(framings[i].option, &node);
		say(fd, everybody, node, DOOM, 5);
		struct ipx_place place = last_frame(0);
		assert_int_equal(place.framing, framings[i].framing);
		assert_int_equal(place.hdr.len, 35);
		const struct weft_frame *frame = &o.links[0]->inbox.frames[0];
		assert_int_equal(frame->len, framings[i].len);
		assert_true(mac_is_broadcast(mac_load(frame->data)));
		assert_memory_equal(frame->data + ETHER_OFF_SRC, node.octet, MAC_LEN);
		outlet_close(&o);
		(void)close(fd);
	}
}

static void a_frame_becomes_a_packet(void **state)
{
	struct weft_mac node;
	(void)state;
	int fd = open_with_dosbox("", &node);
	for (int framing = 0; framing < IPX_FRAMINGS; framing++) {
		bridge_says(0, (enum ipx_framing)framing, everybody, 4);
		assert_true(mac_equal(hear(fd).src.node, machine));
		bridge_says(0, (enum ipx_framing)framing, node, 500);
		assert_int_equal(hear(fd).len, 530);
		/* And what is heard last is what is spoken. */
		say(fd, machine, node, DOOM, 4);
		assert_int_equal(last_frame(0).framing, framing);
	}
	assert_int_equal(weft_link_stats(o.links[0]->link).rx_errors, 0);
	outlet_close(&o);
	(void)close(fd);
}

/* A framing that was asked for stays. */
static void a_fixed_framing(void **state)
{
	struct weft_mac node;
	(void)state;
	int fd = open_with_dosbox(",framing=802.3", &node);
	bridge_says(0, IPX_SNAP, everybody, 4);
	(void)hear(fd);
	say(fd, machine, node, DOOM, 4);
	assert_int_equal(last_frame(0).framing, IPX_8023);
	outlet_close(&o);
	(void)close(fd);
}

/* DOSBox looks at sockets only, so that others' packets must not come to it. */
static void what_is_for_others_is_not_sent(void **state)
{
	static uint8_t arp[60] = { [ETHER_OFF_TYPE] = 0x08, [ETHER_OFF_TYPE + 1] = 0x06 };
	const struct weft_frame frame = { .data = arp, .len = sizeof(arp) };
	const struct weft_mac other = { { 2, 2, 2, 2, 2, 2 } };
	struct weft_mac node;
	(void)state;
	int fd = open_with_dosbox("", &node);
	bridge_says(0, IPX_8022, other, 4);
	weft_link_send(o.links[0]->link, &frame, 1, o.now);
	peer_expect_nothing(fd);
	assert_int_equal(weft_link_stats(o.links[0]->link).tx_dropped, 0);
	outlet_close(&o);
	(void)close(fd);
}

static void what_makes_no_sense_is_counted(void **state)
{
	const struct weft_mac group = { { 3, 0, 0, 0, 0, 1 } };
	struct weft_mac node;
	(void)state;
	int fd = open_with_dosbox("", &node);
	say(fd, everybody, machine, DOOM, 4); /* Not its own node. */
	say(fd, group, node, DOOM, 4);
	say(fd, nobody, node, DOOM, 4);
	say(fd, machine, node, DOOM, 1500); /* Too long for Ethernet. */
	peer_send_udp(fd, &o, "short", 5);
	outlet_run(&o);
	assert_int_equal(o.links[0]->inbox.n, 0);
	assert_int_equal(weft_link_stats(o.links[0]->link).rx_errors, 5);
	say(fd, machine, node, DOOM, 1462);
	assert_int_equal(o.links[0]->inbox.n, 1);
	outlet_close(&o);
	(void)close(fd);
}

/* 802.3 has no place for a checksum: it is taken off. */
static void a_checksum_is_taken_off_for_802_3(void **state)
{
	uint8_t buf[64];
	struct weft_mac node;
	(void)state;
	int fd = open_with_dosbox(",framing=802.3", &node);
	size_t len = packet(buf, machine, node, DOOM, 4);
	store_be16(buf, 0x1234);
	peer_send_udp(fd, &o, buf, len);
	outlet_run(&o);
	assert_int_equal(last_frame(0).hdr.checksum, IPX_NO_CHECKSUM);
	outlet_close(&o);
	(void)close(fd);
}

/* IPXNET PING: a broadcast to the echo socket, which the others answer. */
static void a_ping_and_its_answer(void **state)
{
	struct weft_mac a, b;
	(void)state;
	int fd = open_with_dosbox("", &a);
	int other = peer_udp(0);
	b = dosbox_connect(other);
	assert_false(mac_equal(a, b));
	say(fd, everybody, a, IPX_SOCKET_ECHO, 0);
	assert_int_equal(o.links[0]->inbox.n, 1);
	weft_link_send(o.links[1]->link, &o.links[0]->inbox.frames[0], 1, o.now);
	struct ipx_hdr ping = hear(other);
	assert_true(mac_is_broadcast(ping.dst.node) && mac_equal(ping.src.node, a));
	say(other, a, b, IPX_SOCKET_ECHO, 0);
	assert_int_equal(o.links[1]->inbox.n, 1);
	weft_link_send(o.links[0]->link, &o.links[1]->inbox.frames[0], 1, o.now);
	assert_true(mac_equal(hear(fd).src.node, b));
	(void)close(other);
	outlet_close(&o);
	(void)close(fd);
}

static void a_silent_peer_is_pinged_and_goes_at_last(void **state)
{
	struct weft_mac node;
	(void)state;
	int fd = open_with_dosbox(",idle=1min", &node);
	for (unsigned i = 0; i < 20; i++) {
		outlet_pass(&o, 10 * (uint64_t)SECOND);
		struct ipx_hdr ping = hear(fd);
		assert_true(mac_is_broadcast(ping.dst.node));
		assert_int_equal(ping.dst.socket, IPX_SOCKET_ECHO);
		assert_false(mac_is_zero(ping.src.node));
		/* The answer is to the pinger, and nothing for the bridge. */
		say(fd, ping.src.node, node, IPX_SOCKET_ECHO, 0);
	}
	assert_int_equal(o.links[0]->inbox.n, 0);
	assert_non_null(o.links[0]->link);
	outlet_pass(&o, 70 * (uint64_t)SECOND);
	assert_null(o.links[0]->link);
	outlet_close(&o);
	(void)close(fd);
}

static void what_it_cannot_do_is_said(void **state)
{
	struct weft_error err;
	(void)state;
	assert_int_equal(outlet_try(&o, "dosbox:/run/x", &err), -EINVAL);
	assert_int_equal(outlet_try(&o, "dosbox:,framing=arcnet", &err), -EINVAL);
	assert_int_equal(
		outlet_try(&o, "dosbox:,connect,station=01:00:00:00:00:01", &err),
		-EINVAL);
	assert_non_null(strstr(err.text, "station"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_node_is_a_mac),
		cmocka_unit_test(a_registration_and_again),
		cmocka_unit_test(who_is_not_registered_is_nobody),
		cmocka_unit_test(a_packet_becomes_a_frame),
		cmocka_unit_test(a_frame_becomes_a_packet),
		cmocka_unit_test(a_fixed_framing),
		cmocka_unit_test(what_is_for_others_is_not_sent),
		cmocka_unit_test(what_makes_no_sense_is_counted),
		cmocka_unit_test(a_checksum_is_taken_off_for_802_3),
		cmocka_unit_test(a_ping_and_its_answer),
		cmocka_unit_test(a_silent_peer_is_pinged_and_goes_at_last),
		cmocka_unit_test(what_it_cannot_do_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
