/* SPDX-License-Identifier: MIT */
/*
 * DHCP in Ethernet frames: what is emitted is parsed back, and a frame that is not whole is
 * not taken.
 */
#include "service/dhcp_frame.h"

#include "../unit.h"
#include "base/array.h"
#include "base/mac.h"
#include "base/rng.h"

#include <errno.h>
#include <string.h>

static const struct udp_path path = {
	.src_mac = { { 2, 0, 0, 0, 0, 1 } },
	.dst_mac = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
	.src = 0xc0a80701,
	.dst = 0xffffffff,
	.sport = DHCP_SERVER_PORT,
	.dport = DHCP_CLIENT_PORT,
};

struct bytes {
	uint8_t data[DHCP_FRAME_LEN_MAX + 8];
	struct weft_frame frame;
};

/* An offer of 192.168.7.10. */
static void make_offer(struct bytes *bytes)
{
	const struct dhcp_msg msg = {
		.op = DHCP_OP_REPLY,
		.type = DHCP_OFFER,
		.xid = 0x12345678,
		.yiaddr = 0xc0a8070a,
		.chaddr = { { 2, 0, 0, 0, 0, 7 } },
	};
	int len = dhcp_frame_emit(bytes->data, sizeof(bytes->data), &path, &msg);
	assert_int_equal(len, 14 + 20 + 8 + DHCP_LEN_MIN);
	bytes->frame = (struct weft_frame){ .data = bytes->data, .len = (uint32_t)len };
}

static int parse(const struct bytes *bytes)
{
	struct udp_path ret_path;
	struct dhcp_msg ret_msg;
	return dhcp_frame_parse(&bytes->frame, DHCP_CLIENT_PORT, &ret_path, &ret_msg);
}

static void test_emitted_frames_are_parsed_back(void **state)
{
	(void)state;
	struct bytes bytes;
	struct udp_path back;
	struct dhcp_msg msg;
	make_offer(&bytes);
	assert_int_equal(dhcp_frame_parse(&bytes.frame, DHCP_CLIENT_PORT, &back, &msg),
			 0);
	assert_true(mac_equal(back.src_mac, path.src_mac));
	assert_true(mac_is_broadcast(back.dst_mac));
	assert_int_equal(back.src, path.src);
	assert_int_equal(back.dst, path.dst);
	assert_int_equal(back.sport, 67);
	assert_int_equal(back.dport, 68);
	assert_int_equal(msg.type, DHCP_OFFER);
	assert_int_equal(msg.xid, 0x12345678);
	assert_int_equal(msg.yiaddr, 0xc0a8070a);
}

/* The headers byte by byte, from RFC 894, 791 and 768; the checksums by hand. */
static void test_the_headers_on_the_wire(void **state)
{
	(void)state;
	struct bytes bytes;
	make_offer(&bytes);
	static const uint8_t headers[] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x00,
		0x00, 0x00, 0x00, 0x01, /* */
		0x08, 0x00,             /* */
		0x45, 0x00, 0x01, 0x48, 0x00, 0x00, 0x40, 0x00,
		0x40, 0x11, 0x71, 0xfc,                         /* */
		0xc0, 0xa8, 0x07, 0x01, 0xff, 0xff, 0xff, 0xff, /* */
		0x00, 0x43, 0x00, 0x44, 0x01, 0x34,
	};
	assert_memory_equal(bytes.data, headers, sizeof(headers));
}

static void test_a_short_buffer_is_refused(void **state)
{
	(void)state;
	const struct dhcp_msg msg = { .op = DHCP_OP_REQUEST, .type = DHCP_DISCOVER };
	uint8_t buf[14 + 20 + 8 + DHCP_LEN_MIN];
	for (size_t len = 0; len < sizeof(buf); len++)
		assert_int_equal(dhcp_frame_emit(buf, len, &path, &msg), -ENOBUFS);
	assert_int_equal(dhcp_frame_emit(buf, sizeof(buf), &path, &msg), sizeof(buf));
}

static void test_other_frames_are_not_dhcp(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		size_t off;
		uint8_t value;
	} changes[] = {
		{ "IPv6 by its type", 12, 0x86 },   { "a VLAN tag", 12, 0x81 },
		{ "IP version 6", 14, 0x65 },       { "IHL 4", 14, 0x44 },
		{ "longer than the frame", 16, 2 }, { "a first fragment", 20, 0x20 },
		{ "a later fragment", 21, 1 },      { "TCP", 23, 6 },
		{ "another port", 37, 67 },
	};
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		struct bytes bytes;
		make_offer(&bytes);
		bytes.data[changes[i].off] = changes[i].value;
		if (parse(&bytes) != -ENOMSG)
			fail_msg("taken for DHCP: %s", changes[i].what);
	}
}

static void test_wrong_lengths_and_checksums_are_malformed(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		size_t off;
		uint8_t value;
	} changes[] = {
		{ "IP checksum", 24, 0 },         { "TTL under the checksum", 22, 7 },
		{ "UDP length too long", 38, 9 }, { "UDP length too short", 38, 0 },
		{ "UDP checksum", 40, 0x55 },     { "a byte of the message", 60, 0x55 },
	};
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		struct bytes bytes;
		make_offer(&bytes);
		bytes.data[changes[i].off] = changes[i].value;
		if (parse(&bytes) != -EBADMSG)
			fail_msg("not found malformed: %s", changes[i].what);
	}
}

/* All around it is right, and what it is about is not. */
static void test_what_is_no_message_is_malformed(void **state)
{
	(void)state;
	struct bytes bytes;
	make_offer(&bytes);
	bytes.frame.offload.flags = WEFT_OFFLOAD_CSUM_VALID;
	assert_int_equal(parse(&bytes), 0);
	bytes.data[14 + 20 + 8 + 236] ^= 1; /* of the magic cookie */
	assert_int_equal(parse(&bytes), -EBADMSG);
}

static void test_checksums_that_are_not_there_are_not_missed(void **state)
{
	(void)state;
	struct bytes bytes;
	make_offer(&bytes);
	bytes.data[40] ^= 0x55;
	assert_int_equal(parse(&bytes), -EBADMSG);
	bytes.frame.offload.flags = WEFT_OFFLOAD_NEEDS_CSUM;
	assert_int_equal(parse(&bytes), 0);
	bytes.frame.offload.flags = WEFT_OFFLOAD_CSUM_VALID;
	assert_int_equal(parse(&bytes), 0);
	bytes.frame.offload.flags = 0;
	bytes.data[40] = 0; /* RFC 768: the sender made none. */
	bytes.data[41] = 0;
	assert_int_equal(parse(&bytes), 0);
}

static void test_no_frame_is_read_past_its_end(void **state)
{
	(void)state;
	struct bytes bytes;
	make_offer(&bytes);
	for (uint32_t len = 0; len < bytes.frame.len; len++) {
		/* A block of its own, so that ASan sees one byte too many. */
		uint8_t *copy = malloc(len + 1);
		assert_non_null(copy);
		memcpy(copy + 1, bytes.data, len);
		struct weft_frame frame = { .data = copy + 1, .len = len };
		struct udp_path ret_path;
		struct dhcp_msg ret_msg;
		assert_true(dhcp_frame_parse(&frame, DHCP_CLIENT_PORT, &ret_path,
					     &ret_msg) < 0);
		free(copy);
	}
}

static void test_link_padding_is_not_part_of_it(void **state)
{
	(void)state;
	struct bytes bytes;
	make_offer(&bytes);
	memset(bytes.data + bytes.frame.len, 0xaa, 8);
	bytes.frame.len += 8;
	assert_int_equal(parse(&bytes), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_emitted_frames_are_parsed_back),
		cmocka_unit_test(test_the_headers_on_the_wire),
		cmocka_unit_test(test_a_short_buffer_is_refused),
		cmocka_unit_test(test_other_frames_are_not_dhcp),
		cmocka_unit_test(test_wrong_lengths_and_checksums_are_malformed),
		cmocka_unit_test(test_what_is_no_message_is_malformed),
		cmocka_unit_test(test_checksums_that_are_not_there_are_not_missed),
		cmocka_unit_test(test_no_frame_is_read_past_its_end),
		cmocka_unit_test(test_link_padding_is_not_part_of_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
