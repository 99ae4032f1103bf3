/* SPDX-License-Identifier: MIT */
/*
 * A client of DOSBox's IPX: a server that answers as DOSBox 0.74 and ipxbox do, or does not, and
 * one machine of the bridge that has the node that the server gave.
 */
#include "../unit.h"
#include "base/mac.h"
#include "ipx_server.h"
#include "link/dosbox.h"
#include "wire/cursor.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct outlet o;

static const struct weft_mac nobody;
static const struct weft_mac everybody = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };
static const struct weft_mac machine = { { 0x00, 0x00, 0x1b, 0x01, 0x02, 0x03 } };
static const struct weft_mac printer = { { 0x00, 0x00, 0x1b, 0x04, 0x05, 0x06 } };

/* A DOSBox on the server: 127.0.0.1, port 4660; as a node, and as a MAC. */
static const struct weft_mac box = { { 0x7f, 0x00, 0x00, 0x01, 0x12, 0x34 } };
static const struct weft_mac box_mac = { { 0x7e, 0x00, 0x00, 0x01, 0x12, 0x34 } };

/* Whom ipxbox asks by, and by what it is answered. */
static const struct weft_mac pinger = { { 0x02, 0xff, 0xff, 0xff, 0x00, 0x00 } };

/* ---- the bridge -------------------------------------------------------------------------- */

static void frame_to_client(enum ipx_framing framing, const struct ipx_hdr *hdr,
			    struct weft_mac mac)
{
	uint8_t buf[2048];
	size_t hdr_len = ipx_frame_hdr_len(framing);
	ipx_hdr_emit(buf + hdr_len, hdr);
	memset(buf + hdr_len + IPX_LEN, 'x', hdr->len - IPX_LEN);
	ipx_frame_emit(buf, framing, hdr);
	mac_store(buf + ETHER_OFF_SRC, mac);
	const struct weft_frame frame = { .data = buf,
					  .len = (uint32_t)hdr_len + hdr->len };
	weft_link_send(o.links[0]->link, &frame, 1, o.now);
	outlet_run(&o);
}

static void bridge_says(struct weft_mac dst, struct weft_mac src)
{
	struct ipx_hdr hdr = header(dst, src, DOOM);
	hdr.len += 4;
	frame_to_client(IPX_8022, &hdr, src);
}

static uint64_t dropped(void)
{
	return weft_link_stats(o.links[0]->link).tx_dropped;
}

static uint64_t errors(void)
{
	return weft_link_stats(o.links[0]->link).rx_errors;
}

static size_t frames_heard(void)
{
	return o.links[0]->inbox.n;
}

static struct ipx_place last_frame(void)
{
	const struct inbox *inbox = &o.links[0]->inbox;
	struct ipx_place place;
	assert_true(inbox->n > 0);
	const struct weft_frame *frame = &inbox->frames[inbox->n - 1];
	assert_int_equal(ipx_frame_parse(frame->data, frame->len, &place), 0);
	/* On Ethernet a node is a MAC. */
	assert_memory_equal(frame->data, place.hdr.dst.node.octet, MAC_LEN);
	assert_memory_equal(frame->data + ETHER_OFF_SRC, place.hdr.src.node.octet,
			    MAC_LEN);
	return place;
}

/* ---- registration ------------------------------------------------------------------------ */

/* By one socket, however long the server takes: each one would be a client to it. */
static void it_asks_until_it_is_answered(void **state)
{
	(void)state;
	struct ipx_server s = asked(&o, "");
	struct weft_mac node = s.node;
	for (unsigned i = 0; i < 20; i++) {
		peer_expect_nothing(s.fd);
		outlet_pass(&o, SECOND);
		hears_registration(&s, node);
	}
	assert_int_equal(o.links_n, 0);
	says_registered(&s, node);
	assert_int_equal(o.links_n, 1);
	assert_int_equal(o.troubles, 0);
	/* The other 20 answers are nothing for the bridge. */
	says_registered(&s, node);
	assert_int_equal(frames_heard(), 0);
	assert_int_equal(errors(), 0);
	server_close(&s);
}

static void what_is_no_answer(void **state)
{
	struct ipx_hdr hdr;
	(void)state;
	struct ipx_server s = asked(&o, "");
	says_bytes(&s, "IPX?", 4);
	says_registered(&s, nobody);
	says_registered(&s, everybody);
	hdr = header(s.node, nobody, IPX_SOCKET_ECHO);
	says(&s, &hdr); /* Not on network 1: the answer to a ping. */
	hdr.src.network = 1;
	hdr.len = 40;
	says(&s, &hdr);
	says_doom(&s, everybody, box);
	assert_int_equal(o.links_n, 0);
	says_registered(&s, s.node);
	assert_int_equal(o.links_n, 1);
	assert_int_equal(frames_heard(), 0);
	server_close(&s);
}

static void nobody_answers_at_all(void **state)
{
	(void)state;
	struct ipx_server s = asked(&o, "");
	outlet_pass(&o, 31 * (uint64_t)SECOND);
	assert_int_equal(o.troubles, 1);
	assert_non_null(strstr(o.trouble, "does not answer"));
	assert_int_equal(o.links_n, 0);
	server_close(&s);
}

/* ---- both ways --------------------------------------------------------------------------- */

static void a_game_of_two(void **state)
{
	(void)state;
	struct ipx_server s = registered(&o, "");
	bridge_says(everybody, machine);
	struct ipx_hdr hdr = hears(&s);
	assert_int_equal(hdr.len, IPX_LEN + 4);
	assert_int_equal(hdr.dst.socket, DOOM);
	assert_true(mac_is_broadcast(hdr.dst.node));
	assert_true(mac_equal(hdr.src.node, s.node));

	says_doom(&s, s.node, box);
	struct ipx_place place = last_frame();
	assert_int_equal(place.hdr.len, IPX_LEN + 4);
	assert_true(mac_equal(place.hdr.dst.node, machine));
	assert_true(mac_equal(place.hdr.src.node, box_mac));

	bridge_says(box_mac, machine);
	hdr = hears(&s);
	assert_true(mac_equal(hdr.dst.node, box));
	assert_true(mac_equal(hdr.src.node, s.node));

	says_doom(&s, everybody, box);
	assert_true(mac_is_broadcast(last_frame().hdr.dst.node));
	assert_int_equal(frames_heard(), 2);
	assert_int_equal(errors() + dropped(), 0);
	server_close(&s);
}

static void the_data_and_the_rest_of_the_header_stay(void **state)
{
	uint8_t sent[64], got[64];
	struct ipx_hdr hdr = header(everybody, machine, DOOM);
	(void)state;
	struct ipx_server s = registered(&o, "");
	hdr.len = 36;
	hdr.hops = 3;
	hdr.type = 20;
	hdr.dst.network = 0x01020304;
	hdr.src.network = 0x05060708;
	frame_to_client(IPX_SNAP, &hdr, machine);
	assert_int_equal(peer_recv(s.fd, got, sizeof(got)), 36);
	hdr.src.node = s.node;
	ipx_hdr_emit(sent, &hdr);
	memset(sent + IPX_LEN, 'x', 6);
	assert_memory_equal(got, sent, 36);
	server_close(&s);
}

/* One covers the nodes, which are other ones on the other side. */
static void a_checksum_is_taken_off(void **state)
{
	struct ipx_hdr hdr = header(everybody, machine, DOOM);
	(void)state;
	struct ipx_server s = registered(&o, "");
	hdr.checksum = 0x1234;
	frame_to_client(IPX_8022, &hdr, machine);
	assert_int_equal(hears(&s).checksum, IPX_NO_CHECKSUM);
	hdr = header(s.node, box, DOOM);
	hdr.checksum = 0x1234;
	says(&s, &hdr);
	assert_int_equal(last_frame().hdr.checksum, IPX_NO_CHECKSUM);
	server_close(&s);
}

/* Of two nodes that differ in bits that a MAC does not have, each is found again. */
static void nodes_are_found_again(void **state)
{
	(void)state;
	struct ipx_server s = registered(&o, "");
	for (uint8_t i = 0; i < 16; i++) {
		struct weft_mac node = { { 193, 0, 2, i, 0x12, 0x34 } };
		struct weft_mac mac = { { 0xc2, 0, 2, i, 0x12, 0x34 } };
		says_doom(&s, everybody, node);
		assert_true(mac_equal(last_frame().hdr.src.node, mac));
	}
	for (uint8_t i = 0; i < 16; i++) {
		struct weft_mac mac = { { 0xc2, 0, 2, i, 0x12, 0x34 } };
		bridge_says(mac, machine);
		struct weft_mac node = hears(&s).dst.node;
		assert_int_equal(node.octet[0], 193);
		assert_int_equal(node.octet[3], i);
	}
	server_close(&s);
}

/* More nodes than can be remembered cost those that were heard first. */
static void a_server_with_too_many_nodes(void **state)
{
	struct weft_mac node = { { 193, 0, 0, 0, 0, 1 } };
	(void)state;
	struct ipx_server s = registered(&o, "");
	for (unsigned i = 0; i < 1000; i++) {
		store_be16(node.octet + 2, (uint16_t)i);
		says_doom(&s, everybody, node);
	}
	bridge_says(dosbox_mac(node), machine);
	assert_true(mac_equal(hears(&s).dst.node, node));
	store_be16(node.octet + 2, 0);
	bridge_says(dosbox_mac(node), machine);
	assert_true(mac_equal(hears(&s).dst.node, dosbox_mac(node)));
	server_close(&s);
}

static void the_framing_follows_the_bridge(void **state)
{
	struct ipx_hdr hdr = header(everybody, machine, DOOM);
	(void)state;
	struct ipx_server s = registered(&o, "");
	for (int framing = 0; framing < IPX_FRAMINGS; framing++) {
		frame_to_client((enum ipx_framing)framing, &hdr, machine);
		(void)hears(&s);
		says_doom(&s, s.node, box);
		assert_int_equal(last_frame().framing, framing);
	}
	server_close(&s);
	s = registered(&o, ",framing=ethernet2");
	bridge_says(everybody, machine);
	says_doom(&s, s.node, box);
	assert_int_equal(last_frame().framing, IPX_ETHERNET2);
	server_close(&s);
}

/* ---- the station ------------------------------------------------------------------------- */

static void others_are_not_carried_and_are_counted(void **state)
{
	(void)state;
	struct ipx_server s = registered(&o, "");
	says_doom(&s, s.node, box); /* For whom, nobody knows yet. */
	assert_int_equal(frames_heard(), 0);
	bridge_says(everybody, machine);
	(void)hears(&s);
	bridge_says(everybody, printer);
	bridge_says(box_mac, printer);
	peer_expect_nothing(s.fd);
	assert_int_equal(dropped(), 2);
	bridge_says(everybody, machine);
	(void)hears(&s);
	says_doom(&s, s.node, box);
	assert_true(mac_equal(last_frame().hdr.dst.node, machine));
	server_close(&s);
}

static void what_is_no_station(void **state)
{
	static uint8_t arp[60] = { [ETHER_OFF_TYPE] = 0x08, [ETHER_OFF_TYPE + 1] = 0x06 };
	const struct weft_frame frame = { .data = arp, .len = sizeof(arp) };
	struct ipx_hdr hdr = header(everybody, printer, DOOM);
	(void)state;
	struct ipx_server s = registered(&o, "");
	weft_link_send(o.links[0]->link, &frame, 1, o.now);
	assert_int_equal(dropped(), 0);
	frame_to_client(IPX_8022, &hdr, machine); /* A router. */
	bridge_says(everybody, everybody);
	bridge_says(everybody, nobody);
	assert_int_equal(dropped(), 3);
	peer_expect_nothing(s.fd);
	bridge_says(nobody, machine);
	bridge_says((struct weft_mac){ { 3, 0, 0, 0, 0, 1 } }, machine);
	peer_expect_nothing(s.fd);
	bridge_says(everybody, machine);
	(void)hears(&s);
	server_close(&s);
}

static void a_silent_station_makes_room(void **state)
{
	(void)state;
	struct ipx_server s = registered(&o, ",idle=1min");
	says_doom(&s, everybody, box);
	bridge_says(everybody, machine);
	(void)hears(&s);
	for (unsigned i = 0; i < 12; i++) {
		outlet_pass(&o, 5 * (uint64_t)SECOND);
		says_doom(&s, everybody, box);
		if (i < 11)
			bridge_says(everybody, printer);
		peer_expect_nothing(s.fd);
	}
	assert_int_equal(dropped(), 11);
	bridge_says(everybody, printer);
	(void)hears(&s);
	says_doom(&s, s.node, box);
	assert_true(mac_equal(last_frame().hdr.dst.node, printer));
	bridge_says(everybody, machine);
	peer_expect_nothing(s.fd);
	server_close(&s);
}

static void a_station_that_was_named(void **state)
{
	(void)state;
	struct ipx_server s = registered(&o, ",station=00:00:1b:01:02:03,idle=1min");
	says_doom(&s, s.node, box);
	assert_true(mac_equal(last_frame().hdr.dst.node, machine));
	for (unsigned i = 0; i < 20; i++) {
		outlet_pass(&o, 5 * (uint64_t)SECOND);
		says_doom(&s, everybody, box);
		bridge_says(everybody, printer);
	}
	peer_expect_nothing(s.fd);
	assert_int_equal(dropped(), 20);
	server_close(&s);
}

/* ---- what comes from the server ---------------------------------------------------------- */

static void our_own_broadcasts_do_not_come_back(void **state)
{
	(void)state;
	struct ipx_server s = registered(&o, "");
	bridge_says(everybody, machine);
	(void)hears(&s);
	says_doom(&s, everybody, s.node);
	says_doom(&s, s.node, s.node);
	assert_int_equal(frames_heard(), 0);
	assert_int_equal(errors(), 0);
	server_close(&s);
}

static void what_makes_no_sense_is_counted(void **state)
{
	struct ipx_hdr hdr;
	(void)state;
	struct ipx_server s = registered(&o, "");
	bridge_says(everybody, machine);
	(void)hears(&s);
	says_bytes(&s, "short", 5);
	says_doom(&s, box, box); /* Not for us. */
	says_doom(&s, nobody, box);
	says_doom(&s, everybody, nobody);
	says_doom(&s, everybody, everybody);
	hdr = header(s.node, box, DOOM);
	hdr.len = 1493; /* Too long for Ethernet. */
	says(&s, &hdr);
	uint8_t buf[IPX_LEN];
	hdr.len = 31; /* Cut short. */
	ipx_hdr_emit(buf, &hdr);
	says_bytes(&s, buf, sizeof(buf));
	assert_int_equal(errors(), 7);
	assert_int_equal(frames_heard(), 0);
	/* One that would take the station's place on the bridge. */
	server_close(&s);
	s = registered(&o, ",station=02:00:00:00:00:01");
	says_doom(&s, everybody, (struct weft_mac){ { 3, 0, 0, 0, 0, 1 } });
	assert_int_equal(errors(), 1);
	assert_int_equal(frames_heard(), 0);
	server_close(&s);
}

static void a_ping_is_answered_for_the_node(void **state)
{
	uint8_t buf[IPX_LEN];
	struct ipx_hdr hdr = header(everybody, box, IPX_SOCKET_ECHO);
	(void)state;
	struct ipx_server s = registered(&o, "");
	says(&s, &hdr);
	struct ipx_hdr pong = hears(&s);
	assert_true(mac_equal(pong.dst.node, box) && mac_equal(pong.src.node, s.node));
	assert_int_equal(pong.dst.socket, IPX_SOCKET_ECHO);

	/* As ipxbox sends them: without a length, and from socket 0. */
	hdr = header(everybody, pinger, IPX_SOCKET_ECHO);
	hdr.src.socket = 0;
	hdr.len = 0;
	hdr.checksum = 0;
	ipx_hdr_emit(buf, &hdr);
	says_bytes(&s, buf, sizeof(buf));
	pong = hears(&s);
	assert_true(mac_equal(pong.dst.node, pinger));
	assert_int_equal(pong.dst.socket, IPX_SOCKET_ECHO);
	assert_int_equal(frames_heard(), 0);
	assert_int_equal(errors(), 0);

	/* And the station's own is answered to it. */
	hdr = header(everybody, machine, IPX_SOCKET_ECHO);
	frame_to_client(IPX_8022, &hdr, machine);
	assert_int_equal(hears(&s).dst.socket, IPX_SOCKET_ECHO);
	hdr = header(s.node, box, IPX_SOCKET_ECHO);
	says(&s, &hdr);
	assert_true(mac_equal(last_frame().hdr.dst.node, machine));
	server_close(&s);
}

/* ---- a server that goes ------------------------------------------------------------------ */

static void a_silent_server_is_asked_and_goes_at_last(void **state)
{
	(void)state;
	struct ipx_server s = registered(&o, "");
	struct weft_mac node = s.node;
	for (unsigned i = 0; i < 20; i++) {
		outlet_pass(&o, 10 * (uint64_t)SECOND);
		hears_registration(&s, node);
		says_registered(&s, node);
	}
	peer_expect_nothing(s.fd);
	assert_non_null(o.links[0]->link);
	outlet_pass(&o, 60 * (uint64_t)SECOND);
	assert_null(o.links[0]->link);
	assert_non_null(strstr(o.links[0]->reason, "nothing was heard"));
	for (unsigned i = 0; i < 5; i++)
		hears_registration(&s, node);
	/* From the beginning. */
	outlet_pass(&o, SECOND);
	hears_registration(&s, nobody);
	says_registered(&s, s.node);
	assert_int_equal(o.links_n, 2);
	server_close(&s);
}

/* One that is started again may give another node. */
static void another_node(void **state)
{
	const struct weft_mac other = { { 2, 1, 2, 3, 4, 5 } };
	(void)state;
	struct ipx_server s = registered(&o, "");
	outlet_pass(&o, 10 * (uint64_t)SECOND);
	hears_registration(&s, nobody);
	says_registered(&s, other);
	bridge_says(everybody, machine);
	assert_true(mac_equal(hears(&s).src.node, other));
	says_doom(&s, other, box);
	assert_true(mac_equal(last_frame().hdr.dst.node, machine));
	says_doom(&s, s.node, box);
	assert_int_equal(errors(), 1);
	server_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_asks_until_it_is_answered),
		cmocka_unit_test(what_is_no_answer),
		cmocka_unit_test(nobody_answers_at_all),
		cmocka_unit_test(a_game_of_two),
		cmocka_unit_test(the_data_and_the_rest_of_the_header_stay),
		cmocka_unit_test(a_checksum_is_taken_off),
		cmocka_unit_test(nodes_are_found_again),
		cmocka_unit_test(a_server_with_too_many_nodes),
		cmocka_unit_test(the_framing_follows_the_bridge),
		cmocka_unit_test(others_are_not_carried_and_are_counted),
		cmocka_unit_test(what_is_no_station),
		cmocka_unit_test(a_silent_station_makes_room),
		cmocka_unit_test(a_station_that_was_named),
		cmocka_unit_test(our_own_broadcasts_do_not_come_back),
		cmocka_unit_test(what_makes_no_sense_is_counted),
		cmocka_unit_test(a_ping_is_answered_for_the_node),
		cmocka_unit_test(a_silent_server_is_asked_and_goes_at_last),
		cmocka_unit_test(another_node),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
