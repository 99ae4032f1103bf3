/* SPDX-License-Identifier: MIT */
/*
 * IPX between stations that frame it differently: each pair of framings, broadcast, those who
 * speak several, and what must stay as it is.
 */
#include "bridge/ipx_stations.h"

#include "../unit.h"
#include "base/mac.h"
#include "bridge/bridge.h"
#include "fake.h"
#include "wire/cursor.h"
#include "wire/ether.h"

#include <weft/bridge.h>

#include <string.h>

#define S UINT64_C(1000000000)

static const struct weft_mac everybody = { { 255, 255, 255, 255, 255, 255 } };

/* An IPX packet with len bytes of data. */
static struct weft_frame packet(uint8_t *buf, enum ipx_framing framing, unsigned src,
				struct weft_mac dst, size_t len)
{
	static const uint8_t data[] = { 'D', 'o', 'o', 'm' };
	const struct ipx_hdr hdr = { .checksum = IPX_NO_CHECKSUM,
				     .len = (uint16_t)(IPX_LEN + len),
				     .type = 4,
				     .dst = { .node = dst, .socket = 0x869c },
				     .src = { .node = test_mac(src), .socket = 0x869c } };
	const size_t off = ipx_frame_hdr_len(framing);
	ipx_frame_emit(buf, framing, &hdr);
	ipx_hdr_emit(buf + off, &hdr);
	memset(buf + off + IPX_LEN, 0, len);
	memcpy(buf + off + IPX_LEN, data, sizeof(data));
	return (struct weft_frame){ .data = buf, .len = (uint32_t)(off + IPX_LEN + len) };
}

/* Station src is known to use the framing. */
static void spoke(struct ipx_stations *stations, unsigned src, enum ipx_framing framing,
		  uint64_t now)
{
	uint8_t buf[128];
	const struct weft_frame frame = packet(buf, framing, src, everybody, 4);
	ipx_stations_learn(stations, &frame, now);
}

/* In which framings a frame goes out; checks that each copy is the same packet. */
static unsigned framings_of(const struct ipx_stations *stations,
			    const struct weft_frame *frame, uint64_t now)
{
	uint8_t buf[IPX_TRANSLATED_MAX];
	struct weft_frame copy;
	struct ipx_place before, after;
	unsigned framings = 0;
	struct ipx_copies copies = ipx_copies_of(stations, frame, now);
	assert_int_equal(ipx_frame_parse(frame->data, frame->len, &before), 0);
	while (ipx_copies_next(&copies, buf, &copy)) {
		assert_int_equal(ipx_frame_parse(copy.data, copy.len, &after), 0);
		assert_memory_equal(copy.data, frame->data, 12);
		assert_int_equal(after.hdr.len, before.hdr.len);
		assert_memory_equal(copy.data + after.off, frame->data + before.off,
				    before.hdr.len);
		framings |= 1u << after.framing;
	}
	return framings;
}

static void each_framing_into_each(void **state)
{
	uint8_t buf[128];
	(void)state;
	for (unsigned from = 0; from < IPX_FRAMINGS; from++)
		for (unsigned to = 0; to < IPX_FRAMINGS; to++) {
			struct ipx_stations stations = { .n = 0 };
			spoke(&stations, 7, (enum ipx_framing)to, S);
			const struct weft_frame frame =
				packet(buf, (enum ipx_framing)from, 1, test_mac(7), 4);
			assert_int_equal(framings_of(&stations, &frame, 2 * S), 1u << to);
		}
}

static void broadcast_reaches_all(void **state)
{
	struct ipx_stations stations = { .n = 0 };
	uint8_t buf[128];
	(void)state;
	const struct weft_frame frame = packet(buf, IPX_SNAP, 1, everybody, 4);
	assert_int_equal(framings_of(&stations, &frame, S), 1u << IPX_SNAP);
	spoke(&stations, 7, IPX_8023, S);
	assert_int_equal(framings_of(&stations, &frame, 2 * S), 1u << IPX_8023);
	spoke(&stations, 8, IPX_8022, S);
	spoke(&stations, 9, IPX_SNAP, S);
	assert_int_equal(framings_of(&stations, &frame, 2 * S),
			 1u << IPX_8023 | 1u << IPX_8022 | 1u << IPX_SNAP);
	/* To one of them, in its own only. */
	const struct weft_frame one = packet(buf, IPX_SNAP, 1, test_mac(8), 4);
	assert_int_equal(framings_of(&stations, &one, 2 * S), 1u << IPX_8022);
}

/* A server with several framings hears each in its own, and others in its latest. */
static void one_that_speaks_several(void **state)
{
	struct ipx_stations stations = { .n = 0 };
	uint8_t buf[128];
	(void)state;
	spoke(&stations, 7, IPX_8023, 1 * S);
	spoke(&stations, 7, IPX_8022, 2 * S);
	struct weft_frame frame = packet(buf, IPX_8023, 1, everybody, 4);
	assert_int_equal(framings_of(&stations, &frame, 3 * S), 1u << IPX_8023);
	frame = packet(buf, IPX_ETHERNET2, 1, everybody, 4);
	assert_int_equal(framings_of(&stations, &frame, 3 * S), 1u << IPX_8022);
}

static void who_is_silent_is_forgotten(void **state)
{
	struct ipx_stations stations = { .n = 0 };
	uint8_t buf[128];
	(void)state;
	spoke(&stations, 7, IPX_8023, S);
	const struct weft_frame frame = packet(buf, IPX_SNAP, 1, test_mac(7), 4);
	assert_int_equal(framings_of(&stations, &frame, S + IPX_STATION_NS),
			 1u << IPX_SNAP);
	for (unsigned i = 0; i < 1000; i++)
		spoke(&stations, 100 + i, IPX_8022, 2 * S + i);
	assert_int_equal(stations.n, IPX_STATIONS_MAX);
	assert_int_equal(framings_of(&stations, &frame, 3 * S), 1u << IPX_SNAP);
	const struct weft_frame last = packet(buf, IPX_SNAP, 1, test_mac(1099), 4);
	assert_int_equal(framings_of(&stations, &last, 3 * S), 1u << IPX_8022);
}

/* Whose place it is goes by who spoke, and not by who came first. */
static void the_most_silent_makes_room(void **state)
{
	struct ipx_stations stations = { .n = 0 };
	uint8_t buf[128];
	(void)state;
	for (unsigned i = 0; i < IPX_STATIONS_MAX; i++)
		spoke(&stations, 100 + i, IPX_8022, S + i);
	for (unsigned i = 0; i < IPX_STATIONS_MAX; i++)
		if (i != 1)
			spoke(&stations, 100 + i, IPX_8022, 2 * S);
	spoke(&stations, 7, IPX_8023, 3 * S);
	for (unsigned i = 0; i < IPX_STATIONS_MAX; i++) {
		const struct weft_frame frame =
			packet(buf, IPX_SNAP, 1, test_mac(100 + i), 4);
		assert_int_equal(framings_of(&stations, &frame, 3 * S),
				 1u << (i == 1 ? IPX_SNAP : IPX_8022));
	}
}

/* SNAP has eight bytes more than Ethernet II; a packet that fills the frame does not go. */
static void one_that_gets_too_long(void **state)
{
	struct ipx_stations stations = { .n = 0 };
	uint8_t buf[2048];
	(void)state;
	spoke(&stations, 7, IPX_SNAP, S);
	struct weft_frame frame = packet(buf, IPX_ETHERNET2, 1, test_mac(7), 1500 - 30);
	assert_int_equal(framings_of(&stations, &frame, S), 0);
	frame = packet(buf, IPX_ETHERNET2, 1, test_mac(7), 1500 - 30 - 8);
	assert_int_equal(framings_of(&stations, &frame, S), 1u << IPX_SNAP);
}

static void a_checksum_is_taken_off_for_8023(void **state)
{
	struct ipx_stations stations = { .n = 0 };
	uint8_t buf[128], out[IPX_TRANSLATED_MAX];
	struct weft_frame copy;
	struct ipx_place place;
	(void)state;
	spoke(&stations, 7, IPX_8023, S);
	const struct weft_frame frame = packet(buf, IPX_8022, 1, test_mac(7), 4);
	store_be16(buf + ipx_frame_hdr_len(IPX_8022), 0x1234);
	struct ipx_copies copies = ipx_copies_of(&stations, &frame, S);
	assert_true(ipx_copies_next(&copies, out, &copy));
	assert_int_equal(ipx_frame_parse(copy.data, copy.len, &place), 0);
	assert_int_equal(place.framing, IPX_8023);
	assert_int_equal(place.hdr.checksum, IPX_NO_CHECKSUM);
}

static void what_is_no_ipx_stays(void **state)
{
	struct ipx_stations stations = { .n = 0 };
	uint8_t bytes[FAKE_FRAME_LEN], out[IPX_TRANSLATED_MAX];
	struct weft_frame frame = test_frame(bytes, 7, 1, 0), copy;
	(void)state;
	spoke(&stations, 7, IPX_8023, S);
	for (unsigned type = 0; type < 0x10000; type += 0x155) {
		store_be16(bytes + ETHER_OFF_TYPE, (uint16_t)type);
		struct ipx_copies copies = ipx_copies_of(&stations, &frame, S);
		assert_true(ipx_copies_next(&copies, out, &copy));
		assert_ptr_equal(copy.data, bytes);
		assert_int_equal(copy.len, frame.len);
		assert_false(ipx_copies_next(&copies, out, &copy));
	}
}

/* The whole: two stations on a bridge that answer each other. */
static void on_a_bridge(void **state)
{
	const struct weft_bridge_opts opts = { .ipx = true };
	struct fake_link links[2];
	struct weft_bridge *bridge;
	struct weft_bridge_port *port;
	uint8_t buf[128];
	(void)state;
	assert_int_equal(weft_bridge_new(&opts, &bridge), 0);
	for (unsigned i = 0; i < 2; i++) {
		fake_init(&links[i], 0);
		assert_int_equal(weft_bridge_add(bridge, &links[i].link, NULL, &port), 0);
	}
	struct weft_frame frame = packet(buf, IPX_8023, 1, everybody, 4);
	link_deliver(&links[0].link, &frame, 1, S);
	assert_int_equal(links[1].sent[0].len, frame.len); /* nobody knows it yet */
	frame = packet(buf, IPX_SNAP, 2, everybody, 4);
	link_deliver(&links[1].link, &frame, 1, S);
	assert_int_equal(links[0].sent[0].len, frame.len - 8);
	frame = packet(buf, IPX_8023, 1, test_mac(2), 4);
	link_deliver(&links[0].link, &frame, 1, S);
	assert_int_equal(links[1].sent[1].len, frame.len + 8);
	assert_int_equal(weft_bridge_event_count(bridge, WEFT_BRIDGE_IPX_TRANSLATED), 2);
	const struct bridge_help none = { .ipx = false }, ipx = { .ipx = true };
	bridge_set_help(bridge, &none);
	link_deliver(&links[0].link, &frame, 1, S);
	assert_int_equal(links[1].sent[2].len, frame.len);
	bridge_set_help(bridge, &ipx);
	link_deliver(&links[0].link, &frame, 1, S);
	assert_int_equal(links[1].sent[3].len, frame.len + 8);
	weft_bridge_free(bridge);
	fake_fini(&links[0]);
	fake_fini(&links[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_framing_into_each),
		cmocka_unit_test(broadcast_reaches_all),
		cmocka_unit_test(one_that_speaks_several),
		cmocka_unit_test(who_is_silent_is_forgotten),
		cmocka_unit_test(the_most_silent_makes_room),
		cmocka_unit_test(one_that_gets_too_long),
		cmocka_unit_test(a_checksum_is_taken_off_for_8023),
		cmocka_unit_test(what_is_no_ipx_stays),
		cmocka_unit_test(on_a_bridge),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
