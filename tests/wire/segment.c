/* SPDX-License-Identifier: MIT */
/*
 * What segment_cut makes of super-frames, compared with the segments that traffic.c builds
 * one by one from the same description; and what it says to offload facts that lie.
 */
#include "wire/segment.h"

#include "../unit.h"
#include "traffic.h"
#include "wire/cursor.h"
#include "wire/tcp.h"

#include <cmocka.h>
#include <errno.h>
#include <string.h>

static _Alignas(16) uint8_t arena[SEGMENT_ARENA_LEN];
static uint8_t super_buf[TRAFFIC_BUF_LEN], segment_buf[TRAFFIC_BUF_LEN];
static struct weft_frame cut[SEGMENTS_MAX];

static int cut_frame(const struct weft_frame *frame, bool is_ip)
{
	return segment_cut(frame, is_ip, arena, sizeof(arena), cut, SEGMENTS_MAX);
}

static void assert_frame_is(const struct weft_frame *got, const struct traffic *want)
{
	struct weft_frame frame = traffic_frame(want, segment_buf);

	assert_int_equal(got->len, frame.len);
	assert_memory_equal(got->data, frame.data, frame.len);
	assert_int_equal(got->headroom, WEFT_HEADROOM);
	assert_int_equal((uintptr_t)got->data % 16, 0);
	assert_int_equal(got->offload.flags, 0);
	assert_int_equal(got->offload.gso, WEFT_GSO_NONE);
}

static void assert_cuts_well(const struct traffic *t)
{
	struct weft_frame frame = traffic_frame(t, super_buf);
	int n = cut_frame(&frame, t->is_ip);

	assert_int_equal(n, traffic_segments(t));
	for (uint32_t i = 0; i < (uint32_t)n; i++) {
		struct traffic want = traffic_segment(t, i);
		assert_frame_is(&cut[i], &want);
	}
}

static const struct traffic tcp4 = {
	.ttl = 64,
	.id = 0xfffe,
	.df = true,
	.host = 1,
	.sport = 40000,
	.seq = 0xffffff00,
	.ack = 77,
	.flags = TCP_ACK,
	.window = 501,
	.options_len = 12,
	.options_fill = TCP_OPT_NOP,
	.payload_len = 5000,
	.gso_size = 1448,
};

static struct weft_frame tcp4_frame(void)
{
	return traffic_frame(&tcp4, super_buf);
}

/* Identification and sequence number wrap on the way; written out once, by hand. */
static void test_tcp4_by_hand(void **state)
{
	(void)state;
	struct weft_frame frame = tcp4_frame();

	assert_int_equal(cut_frame(&frame, false), 4);
	const uint8_t *last = cut[3].data;
	assert_int_equal(cut[3].len, 14 + 20 + 32 + 5000 - 3 * 1448);
	assert_int_equal(load_be16(last + 14 + 2), 20 + 32 + 5000 - 3 * 1448);
	assert_int_equal(load_be16(last + 14 + 4), 1);
	assert_int_equal(load_be32(last + 34 + 4), 3 * 1448 - 0x100);
	assert_int_equal(traffic_sum(0, last + 14, 20), 0xffff);
	assert_memory_equal(cut[2].data + 66, frame.data + 66 + 2896, 1448);
}

static void test_every_kind(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 16; kind++) {
		struct traffic t = tcp4;
		t.is_udp = kind & 1;
		t.is_ip6 = kind & 2;
		t.is_ip = kind & 4;
		t.tags_n = t.is_ip ? 0 : kind >> 3;
		t.ext_len = t.is_ip6 && kind >> 3 ? 16 : 0;
		assert_cuts_well(&t);
	}
}

static void test_lengths_at_the_edge(void **state)
{
	(void)state;
	const uint32_t lens[] = { 1448, 1449, 2895, 2896, 2897, 65535 - 52 };

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct traffic t = tcp4;
		t.payload_len = lens[i];
		assert_cuts_well(&t);
	}
	struct traffic t = tcp4;
	t.payload_len = SEGMENTS_MAX * 3;
	t.gso_size = 3;
	assert_cuts_well(&t);
	t.payload_len++;
	struct weft_frame frame = traffic_frame(&t, super_buf);
	assert_int_equal(cut_frame(&frame, false), -EBADMSG);
}

/* CWR on the first, FIN and PSH on the last, ECE and AE on all of them. */
static void test_tcp_flags(void **state)
{
	(void)state;
	struct traffic t = tcp4;
	t.flags = TCP_ACK | TCP_CWR | TCP_ECE | TCP_AE | TCP_PSH | TCP_FIN;
	struct weft_frame frame = traffic_frame(&t, super_buf);
	const uint16_t want[] = {
		TCP_ACK | TCP_CWR | TCP_ECE | TCP_AE,
		TCP_ACK | TCP_ECE | TCP_AE,
		TCP_ACK | TCP_ECE | TCP_AE,
		TCP_ACK | TCP_ECE | TCP_AE | TCP_PSH | TCP_FIN,
	};

	assert_int_equal(cut_frame(&frame, false), 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(load_be16(cut[i].data + 34 + TCP_OFF_FLAGS) &
					 TCP_FLAGS_MASK,
				 want[i]);
	t.payload_len = t.gso_size;
	assert_cuts_well(&t);
}

static void test_random_frames(void **state)
{
	(void)state;
	uint64_t seed = test_seed();

	for (unsigned i = 0; i < 300; i++) {
		struct traffic t = traffic_random(&seed);
		assert_cuts_well(&t);
	}
}

/* Whoever made the pseudo header's sum wrong must not get a right checksum for it. */
static void test_wrong_sum_stays_wrong(void **state)
{
	(void)state;
	struct weft_frame frame = tcp4_frame();
	frame.data[34 + TCP_OFF_CSUM] ^= 1;

	assert_int_equal(cut_frame(&frame, false), 4);
	for (uint32_t i = 0; i < 4; i++) {
		struct traffic t = traffic_segment(&tcp4, i);
		struct weft_frame want = traffic_frame(&t, segment_buf);
		assert_memory_not_equal(cut[i].data + 34 + TCP_OFF_CSUM,
					want.data + 34 + TCP_OFF_CSUM, 2);
	}
}

/* A datagram whose sum comes to 0 is sent with 0xffff; 0 would mean that there is none. */
static void test_udp_never_says_no_checksum(void **state)
{
	(void)state;
	struct traffic t = tcp4;
	t.is_udp = true;
	t.payload_len = 3000;
	t.gso_size = 1000;
	struct weft_frame frame = traffic_frame(&t, super_buf);
	struct traffic second = traffic_segment(&t, 1);
	struct weft_frame want = traffic_frame(&second, segment_buf);
	uint8_t *word = frame.data + 42 + 1000;

	/* Adding its own checksum to the sum of the second segment takes that to 0xffff. */
	uint8_t csum[2] = { want.data[40], want.data[41] };
	store_be16(word, traffic_sum(load_be16(word), csum, 2));
	assert_int_equal(cut_frame(&frame, false), 3);
	assert_int_equal(load_be16(cut[1].data + 40), 0xffff);
}

#define ASSERT_LIE(lie)                                               \
	do {                                                          \
		struct weft_frame frame = tcp4_frame();               \
		(lie);                                                \
		assert_int_equal(cut_frame(&frame, false), -EBADMSG); \
	} while (0)

static void test_lies_in_the_offload_facts(void **state)
{
	(void)state;
	ASSERT_LIE(frame.offload.gso = WEFT_GSO_TCP6);
	ASSERT_LIE(frame.offload.gso = WEFT_GSO_UDP);
	ASSERT_LIE(frame.offload.gso = 3); /* UFO, which nobody offers. */
	ASSERT_LIE(frame.offload.gso = 0xff);
	ASSERT_LIE(frame.offload.gso_size = 0);
	ASSERT_LIE(frame.offload.gso_size = 4); /* Too many segments. */
	ASSERT_LIE(frame.offload.gso_size = 5001);
	ASSERT_LIE(frame.offload.flags = 0);
	ASSERT_LIE(frame.offload.hdr_len = (uint16_t)(frame.len + 1));
	ASSERT_LIE(frame.offload.csum_start = 6); /* The source address. */
	ASSERT_LIE(frame.offload.csum_start = 0xffff);
	ASSERT_LIE(frame.offload.csum_offset = 0);
	ASSERT_LIE(frame.offload.csum_offset = 0xffff);
}

static void test_lies_in_the_headers(void **state)
{
	(void)state;
	ASSERT_LIE(frame.len--);
	ASSERT_LIE(frame.len = 40);
	ASSERT_LIE(frame.len = 13);
	ASSERT_LIE(frame.data[12] = 0x86);  /* No IP. */
	ASSERT_LIE(frame.data[14] = 0x65);  /* The other version. */
	ASSERT_LIE(frame.data[14] = 0x4f);  /* Options into the TCP header. */
	ASSERT_LIE(frame.data[16]--);       /* Shorter than the frame. */
	ASSERT_LIE(frame.data[20] |= 0x20); /* A fragment. */
	ASSERT_LIE(frame.data[21] |= 1);
	ASSERT_LIE(frame.data[23] = 17);
	ASSERT_LIE(frame.data[34 + 12] = 0x40); /* A header of 16 bytes. */
}

static void test_udp_length_must_be_true(void **state)
{
	(void)state;
	struct traffic t = tcp4;
	t.is_udp = true;
	struct weft_frame frame = traffic_frame(&t, super_buf);

	frame.data[39]--;
	assert_int_equal(cut_frame(&frame, false), -EBADMSG);
}

static void test_no_room(void **state)
{
	(void)state;
	struct weft_frame frame = tcp4_frame();
	size_t slot =
		1584; /* 64 of headroom, 66 of headers, 1448, to a multiple of 16. */

	assert_int_equal(segment_cut(&frame, false, arena, 4 * slot, cut, 4), 4);
	assert_int_equal(segment_cut(&frame, false, arena, 4 * slot - 1, cut, 4),
			 -ENOBUFS);
	assert_int_equal(segment_cut(&frame, false, arena, 4 * slot, cut, 3), -ENOBUFS);
	frame.offload = (struct weft_offload){ 0 };
	assert_int_equal(segment_cut(&frame, false, arena, frame.len, cut, 1), -ENOBUFS);
	assert_int_equal(segment_cut(&frame, false, arena, sizeof(arena), cut, 0),
			 -ENOBUFS);
}

/* One frame with only its checksum open, of whichever protocol. */
static struct weft_frame open_csum_frame(const struct traffic *t)
{
	struct traffic super = *t;
	super.gso_size = 1448;
	struct weft_frame frame = traffic_frame(&super, super_buf);

	frame.offload.gso = WEFT_GSO_NONE;
	frame.offload.gso_size = 0;
	return frame;
}

static void test_completes_checksums(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 8; kind++) {
		struct traffic t = tcp4;
		t.payload_len = 1001;
		t.gso_size = 0;
		t.is_udp = kind & 1;
		t.is_ip6 = kind & 2;
		t.is_ip = kind & 4;
		struct weft_frame frame = open_csum_frame(&t);

		assert_int_equal(cut_frame(&frame, t.is_ip), 1);
		assert_frame_is(&cut[0], &t);
	}
}

/* TCP inside VXLAN: the open checksum is that of the inner packet. */
static void test_completes_inside_a_tunnel(void **state)
{
	(void)state;
	struct traffic t = tcp4;
	t.is_udp = true;
	t.payload_len = 500;
	struct weft_frame frame = open_csum_frame(&t);
	const uint16_t start = 42 + 8 + 14 + 20;

	frame.offload.csum_start = start;
	frame.offload.csum_offset = 16;
	uint16_t sum = traffic_sum(0, frame.data + start, frame.len - start);
	assert_int_equal(cut_frame(&frame, false), 1);
	assert_int_equal(load_be16(cut[0].data + start + 16), (uint16_t)~sum);
	assert_memory_equal(cut[0].data, frame.data, start + 16);
}

/* Of a protocol that weft does not know, or inside a tunnel, some lies remain. */
static void test_lies_where_little_is_known(void **state)
{
	(void)state;
	struct traffic t = tcp4;
	struct weft_frame frame = open_csum_frame(&t);

	frame.data[23] = 47; /* GRE. */
	frame.offload.csum_start = 34 + 100;
	assert_int_equal(cut_frame(&frame, false), 1);
	frame.offload.csum_start = 33;
	assert_int_equal(cut_frame(&frame, false), -EBADMSG);
	frame.offload.csum_start = (uint16_t)(frame.len - 18);
	assert_int_equal(cut_frame(&frame, false), 1);
	frame.offload.csum_start++;
	assert_int_equal(cut_frame(&frame, false), -EBADMSG);
}

#define ASSERT_OPEN_LIE(lie)                                          \
	do {                                                          \
		struct weft_frame frame = open_csum_frame(&tcp4);     \
		(lie);                                                \
		assert_int_equal(cut_frame(&frame, false), -EBADMSG); \
	} while (0)

static void test_lies_about_an_open_checksum(void **state)
{
	(void)state;
	ASSERT_OPEN_LIE(frame.offload.csum_start = 0); /* Over the addresses. */
	ASSERT_OPEN_LIE(frame.offload.csum_start = 33);
	ASSERT_OPEN_LIE(frame.offload.csum_start = 35);
	ASSERT_OPEN_LIE(frame.offload.csum_start = 0xffff);
	ASSERT_OPEN_LIE(frame.offload.csum_start =
				34 + 32);               /* There is nothing inside TCP. */
	ASSERT_OPEN_LIE(frame.offload.csum_offset = 2); /* Over the port. */
	ASSERT_OPEN_LIE(frame.offload.csum_offset = 0xffff);
	ASSERT_OPEN_LIE(frame.len = 34 + 17);
	ASSERT_OPEN_LIE(frame.data[14] = 0x44);
}

/* The same frame with an 802.1Q tag. */
static struct weft_frame tagged(const struct weft_frame *frame, uint8_t *buf)
{
	static const uint8_t tag[] = { 0x81, 0, 0, 5 };
	struct weft_frame copy = *frame;
	memcpy(buf, frame->data, 12);
	memcpy(buf + 12, tag, sizeof(tag));
	memcpy(buf + 16, frame->data + 12, frame->len - 12);
	copy.data = buf;
	copy.len += 4;
	copy.offload.csum_start = (uint16_t)(copy.offload.csum_start + 4);
	return copy;
}

/* What is known of plain TCP at a glance is what is found out of it behind a tag. */
static void assert_tag_makes_no_difference(const struct weft_frame *frame)
{
	uint8_t buf[200];
	assert_true(frame->len + 4 <= sizeof(buf));
	struct weft_frame other = tagged(frame, buf);
	int r = segment_check(frame, false);
	if (r != segment_check(&other, false))
		fail_msg("%d, and the opposite behind a tag", r);
}

static void test_a_glance_is_enough(void **state)
{
	struct traffic small = tcp4;
	(void)state;
	small.payload_len = 6;
	struct weft_frame frame = open_csum_frame(&small);
	const uint32_t len = frame.len;
	for (uint32_t at = 14; at < 34 + 20; at++) {
		uint8_t byte = frame.data[at];
		for (unsigned other = 0; other < 256; other++) {
			frame.data[at] = (uint8_t)other;
			assert_tag_makes_no_difference(&frame);
		}
		frame.data[at] = byte;
	}
	for (frame.len = 14; frame.len <= len; frame.len++)
		assert_tag_makes_no_difference(&frame);
	frame.len = len;
	for (uint16_t start = 14; start < len; start++) {
		frame.offload.csum_start = start;
		assert_tag_makes_no_difference(&frame);
	}
}

static void test_copies_what_is_complete(void **state)
{
	(void)state;
	uint8_t arp[60] = { 1, 2, 3, [12] = 0x08, [13] = 0x06, [59] = 9 };
	struct weft_frame frame = { .data = arp, .len = sizeof(arp) };

	assert_int_equal(cut_frame(&frame, false), 1);
	assert_int_equal(cut[0].len, sizeof(arp));
	assert_memory_equal(cut[0].data, arp, sizeof(arp));
}

static bool needed(uint8_t flags, uint8_t gso, unsigned link_flags)
{
	struct weft_frame frame = { .offload = { .flags = flags, .gso = gso } };
	return segment_is_needed(&frame, link_flags);
}

static void test_when_it_is_needed(void **state)
{
	(void)state;
	const unsigned all =
		WEFT_LINK_CSUM | WEFT_LINK_TSO4 | WEFT_LINK_TSO6 | WEFT_LINK_USO;

	assert_false(needed(0, 0, 0));
	assert_false(needed(WEFT_OFFLOAD_CSUM_VALID, 0, 0));
	assert_true(needed(WEFT_OFFLOAD_NEEDS_CSUM, 0, 0));
	assert_false(needed(WEFT_OFFLOAD_NEEDS_CSUM, 0, WEFT_LINK_CSUM));
	assert_false(needed(WEFT_OFFLOAD_NEEDS_CSUM, 0, WEFT_LINK_TSO6));
	assert_true(
		needed(WEFT_OFFLOAD_NEEDS_CSUM, WEFT_GSO_TCP4, all & ~WEFT_LINK_TSO4));
	assert_true(
		needed(WEFT_OFFLOAD_NEEDS_CSUM, WEFT_GSO_TCP6, all & ~WEFT_LINK_TSO6));
	assert_true(needed(WEFT_OFFLOAD_NEEDS_CSUM, WEFT_GSO_UDP, all & ~WEFT_LINK_USO));
	assert_false(needed(WEFT_OFFLOAD_NEEDS_CSUM, WEFT_GSO_TCP4, WEFT_LINK_TSO4));
	assert_false(needed(WEFT_OFFLOAD_NEEDS_CSUM, WEFT_GSO_TCP6, WEFT_LINK_TSO6));
	assert_false(needed(WEFT_OFFLOAD_NEEDS_CSUM, WEFT_GSO_UDP, WEFT_LINK_USO));
	assert_true(needed(WEFT_OFFLOAD_NEEDS_CSUM, 0x81, all));
}

static uint32_t count(uint8_t gso, uint32_t len, uint16_t hdr_len, uint16_t gso_size)
{
	const struct weft_frame frame = {
		.len = len,
		.offload = { .gso = gso, .hdr_len = hdr_len, .gso_size = gso_size }
	};
	return segment_count(&frame);
}

static void test_how_many_it_is(void **state)
{
	(void)state;
	assert_int_equal(count(WEFT_GSO_NONE, 1514, 0, 0), 1);
	assert_int_equal(count(WEFT_GSO_UDP, 42 + 3000, 42, 1000), 3);
	assert_int_equal(count(WEFT_GSO_UDP, 42 + 3001, 42, 1000), 4);
	assert_int_equal(count(WEFT_GSO_TCP4, 54 + 65000, 54, 1448), 45);
	assert_int_equal(count(WEFT_GSO_UDP, 1042, 42, 0), 1);
	assert_int_equal(count(WEFT_GSO_UDP, 42, 42, 1000), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp4_by_hand),
		cmocka_unit_test(test_every_kind),
		cmocka_unit_test(test_lengths_at_the_edge),
		cmocka_unit_test(test_tcp_flags),
		cmocka_unit_test(test_random_frames),
		cmocka_unit_test(test_wrong_sum_stays_wrong),
		cmocka_unit_test(test_udp_never_says_no_checksum),
		cmocka_unit_test(test_lies_in_the_offload_facts),
		cmocka_unit_test(test_lies_in_the_headers),
		cmocka_unit_test(test_udp_length_must_be_true),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_completes_checksums),
		cmocka_unit_test(test_completes_inside_a_tunnel),
		cmocka_unit_test(test_lies_about_an_open_checksum),
		cmocka_unit_test(test_lies_where_little_is_known),
		cmocka_unit_test(test_a_glance_is_enough),
		cmocka_unit_test(test_copies_what_is_complete),
		cmocka_unit_test(test_when_it_is_needed),
		cmocka_unit_test(test_how_many_it_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
