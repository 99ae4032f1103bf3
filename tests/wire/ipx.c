/* SPDX-License-Identifier: MIT */
/*
 * IPX: a registration as DOSBox 0.74 sends it, a packet in each of the four framings, and what
 * lies about its length.
 */
#include "wire/ipx.h"

#include "bytes.h"

#include <errno.h>

#define REGISTRATION \
	"ffff 001e 00 00 00000000 000000000000 0002 00000000 000000000000 0002"
/* 34 bytes: to everybody's socket 869c, with "Doom" behind the header. */
#define PACKET \
	"ffff 0022 00 04 00000000 ffffffffffff 869c 00000001 7e000001ce87 869c 446f6f6d"

#define DST_SRC "ffffffffffff 7e000001ce87"

static int parse(const uint8_t *data, size_t len)
{
	struct ipx_hdr hdr;
	return ipx_hdr_parse(data, len, &hdr);
}

static int parse_frame(const uint8_t *data, size_t len)
{
	struct ipx_place place;
	return ipx_frame_parse(data, len, &place);
}

static void a_header(void **state)
{
	struct bytes b = bytes_of(PACKET);
	struct ipx_hdr hdr;
	uint8_t out[IPX_LEN];
	char text[WEFT_MAC_TEXT];
	(void)state;
	assert_int_equal(ipx_hdr_parse(b.data, b.len, &hdr), IPX_LEN);
	assert_int_equal(hdr.checksum, IPX_NO_CHECKSUM);
	assert_int_equal(hdr.len, 34);
	assert_int_equal(hdr.hops, 0);
	assert_int_equal(hdr.type, 4);
	assert_int_equal(hdr.dst.network, 0);
	assert_string_equal(weft_mac_print(hdr.dst.node, text), "ff:ff:ff:ff:ff:ff");
	assert_int_equal(hdr.dst.socket, 0x869c);
	assert_int_equal(hdr.src.network, 1);
	assert_string_equal(weft_mac_print(hdr.src.node, text), "7e:00:00:01:ce:87");
	ipx_hdr_emit(out, &hdr);
	assert_memory_equal(out, b.data, IPX_LEN);
}

static void a_registration(void **state)
{
	struct bytes b = bytes_of(REGISTRATION);
	(void)state;
	assert_needs_all(b.data, b.len, parse);
}

static void a_length_that_lies(void **state)
{
	struct bytes b = bytes_of(PACKET);
	(void)state;
	b.data[3] = 35;
	assert_int_equal(parse(b.data, b.len), -EBADMSG);
	b.data[3] = 29;
	assert_int_equal(parse(b.data, b.len), -EBADMSG);
	b.data[3] = 30;
	assert_int_equal(parse(b.data, b.len), IPX_LEN);
}

static const struct {
	enum ipx_framing framing;
	const char *hex;
	size_t off;
} frames[] = {
	{ IPX_ETHERNET2, DST_SRC "8137" PACKET, 14 },
	{ IPX_8023, DST_SRC "0022" PACKET, 14 },
	{ IPX_8022, DST_SRC "0025 e0e003" PACKET, 17 },
	{ IPX_SNAP, DST_SRC "002a aaaa03 000000 8137" PACKET, 22 },
};

static void four_framings(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		struct bytes b = bytes_of(frames[i].hex);
		uint8_t out[IPX_FRAME_HDR_LEN_MAX];
		struct ipx_place place;
		assert_needs_all(b.data, b.len, parse_frame);
		assert_int_equal(ipx_frame_parse(b.data, b.len, &place), 0);
		assert_int_equal(place.framing, frames[i].framing);
		assert_int_equal(place.off, frames[i].off);
		assert_int_equal(place.hdr.len, 34);
		assert_int_equal(ipx_frame_hdr_len(place.framing), frames[i].off);
		ipx_frame_emit(out, place.framing, &place.hdr);
		assert_memory_equal(out, b.data, frames[i].off);
		try_each_bit_flipped(b, parse_frame);
	}
}

/* Ethernet pads to 60 bytes: the packet's length counts. */
static void padding_is_no_part_of_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		struct bytes b = bytes_of(frames[i].hex);
		struct ipx_place place;
		b.len += 26;
		assert_int_equal(ipx_frame_parse(b.data, b.len, &place), 0);
		assert_int_equal(place.hdr.len, 34);
	}
}

static void other_frames_are_none(void **state)
{
	static const char *const hexes[] = {
		DST_SRC "0800" PACKET,                    /* IPv4 */
		DST_SRC "8100 0001 8137" PACKET,          /* tagged */
		DST_SRC "0025 424203" PACKET,             /* spanning tree */
		DST_SRC "0025 e0e0f3" PACKET,             /* not an information frame */
		DST_SRC "002a aaaa03 00000c 8137" PACKET, /* another OUI */
		DST_SRC "002a aaaa03 000000 0800" PACKET,
		DST_SRC "0023" PACKET, /* longer than the frame */
		DST_SRC "0021" PACKET, /* shorter than the packet */
	};
	(void)state;
	for (size_t i = 0; i < sizeof(hexes) / sizeof(hexes[0]); i++) {
		struct bytes b = bytes_of(hexes[i]);
		if (parse_frame(b.data, b.len) != -EBADMSG)
			fail_msg("took frame %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header),
		cmocka_unit_test(a_registration),
		cmocka_unit_test(a_length_that_lies),
		cmocka_unit_test(four_framings),
		cmocka_unit_test(padding_is_no_part_of_it),
		cmocka_unit_test(other_frames_are_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
