/* SPDX-License-Identifier: MIT */
/*
 * Streams that are cut into frames: whatever the framing, the frames that come out are the
 * same for every way in which the stream arrives in pieces.
 */
#include "wire/framing.h"

#include "../unit.h"
#include "wire/cursor.h"

#include <stdbool.h>
#include <string.h>

#define STREAM_MAX 8192u

struct stream {
	uint8_t bytes[STREAM_MAX];
	size_t len;
};

/* What came of a stream: the lengths of its frames, and how it ended. */
struct outcome {
	uint32_t lens[64];
	uint8_t marks[64]; /* The last byte of each frame. */
	size_t n;
	size_t bad, pads;
	bool broken;
	size_t left;
};

static struct stream in;

static void put(const void *bytes, size_t n)
{
	assert_true(n <= STREAM_MAX - in.len);
	memcpy(in.bytes + in.len, bytes, n);
	in.len += n;
}

static void put_zeros(size_t n)
{
	memset(in.bytes + in.len, 0, n);
	in.len += n;
}

/* An ARP frame of 42 bytes that is known by its last byte. */
static void put_arp(uint8_t mark)
{
	uint8_t frame[42] = "\2\0\0\0\0\2\2\0\0\0\0\1\x08\x06\0\1\x08\0\x06\x04\0\1";
	frame[41] = mark;
	put(frame, sizeof(frame));
}

/* An IPv4 frame of len bytes to a destination that begins with zeros, as 00:00:00:... does. */
static void put_ip4(uint16_t len, unsigned zeros, uint8_t mark)
{
	uint8_t frame[1514] = "\x52\x54\x56\x58\x5a\x5c\2\0\0\0\0\1\x08\0\x45\0";
	memset(frame, 0, zeros);
	store_be16(frame + 16, (uint16_t)(len - 14));
	frame[len - 1] = mark;
	put(frame, len);
}

/*
 * Feeds the stream in pieces of so many bytes, as a reader with a buffer would. Behind what has
 * come stands what does not belong to it.
 */
static struct outcome run(struct framing f, size_t piece)
{
	static uint8_t buf[STREAM_MAX];
	struct outcome o = { .n = 0 };
	size_t start = 0, end = 0, skip = 0;
	struct framing_unit unit;

	memset(buf, 0xa5, sizeof(buf));
	while (end < in.len && !o.broken) {
		size_t come = piece < in.len - end ? piece : in.len - end;
		memcpy(buf + end, in.bytes + end, come);
		end += come;
		while (start < end) {
			size_t step = skip < end - start ? skip : end - start;
			start += step;
			skip -= step;
			if (start == end)
				break;
			enum framing_outcome r =
				framing_decode(&f, buf + start, end - start, &unit);
			if (r == FRAMING_MORE)
				break;
			if (r == FRAMING_BROKEN) {
				o.broken = true;
				assert_true(strlen(f.why) > 0);
				break;
			}
			assert_true(unit.len > 0);
			if (r == FRAMING_FRAME) {
				assert_true(unit.len <= end - start);
				o.marks[o.n] = buf[start + unit.len - 1];
				o.lens[o.n++] = unit.frame_len;
			}
			o.bad += r == FRAMING_BAD;
			o.pads += r == FRAMING_PAD;
			skip = unit.len;
		}
	}
	o.left = end - start + skip;
	return o;
}

static struct outcome run_all_ways(const struct framing_ops *ops, uint32_t max)
{
	struct outcome whole = run(framing_of(ops, max), STREAM_MAX);
	for (size_t piece = 1; piece < 60; piece++) {
		struct outcome o = run(framing_of(ops, max), piece);
		assert_int_equal(o.n, whole.n);
		assert_memory_equal(o.lens, whole.lens, o.n * sizeof(o.lens[0]));
		assert_memory_equal(o.marks, whole.marks, o.n);
		assert_int_equal(o.bad, whole.bad);
		assert_int_equal(o.pads, whole.pads);
		assert_int_equal(o.broken, whole.broken);
	}
	return whole;
}

static int reset(void **state)
{
	(void)state;
	in.len = 0;
	return 0;
}

static void put_framed(const struct framing_ops *ops, uint32_t len, uint8_t mark)
{
	uint8_t hdr[FRAMING_HDR_MAX], body[3000] = { 0 };
	body[len - 1] = mark;
	ops->encode(hdr, len);
	put(hdr, ops->hdr_len);
	put(body, len);
}

static void headers_on_the_wire(void **state)
{
	uint8_t hdr[4];
	(void)state;
	framing_u16_le.encode(hdr, 0x1234);
	assert_memory_equal(hdr, "\x34\x12", 2);
	framing_u16_be.encode(hdr, 0x1234);
	assert_memory_equal(hdr, "\x12\x34", 2);
	framing_u32_be.encode(hdr, 0x10203);
	assert_memory_equal(hdr, "\0\1\2\3", 4);
	assert_int_equal(framing_bare.hdr_len, 0);
}

static void frames_behind_their_lengths(void **state)
{
	static const struct framing_ops *const all[] = { &framing_u16_le, &framing_u16_be,
							 &framing_u32_be };
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		in.len = 0;
		put_framed(all[i], 42, 1);
		put_framed(all[i], 1514, 2);
		put_framed(all[i], 14, 3);
		put_framed(all[i], 2048, 4);
		struct outcome o = run_all_ways(all[i], 2048);
		assert_int_equal(o.n, 4);
		assert_int_equal(o.lens[1], 1514);
		assert_memory_equal(o.marks, "\1\2\3\4", 4);
		assert_int_equal(o.left, 0);
	}
}

/* A length that is too long, too short or zero is passed over, and the next frame found. */
static void lengths_that_do_not_fit_are_passed_over(void **state)
{
	(void)state;
	put_framed(&framing_u16_le, 42, 1);
	put("\0\0", 2);
	put_framed(&framing_u16_le, 2049, 2);
	put("\0\0\0\0", 4);
	put_framed(&framing_u16_le, 13, 3);
	put_framed(&framing_u16_le, 60, 4);
	struct outcome o = run_all_ways(&framing_u16_le, 2048);
	assert_int_equal(o.n, 2);
	assert_memory_equal(o.marks, "\1\4", 2);
	assert_int_equal(o.bad, 5);
	assert_int_equal(o.left, 0);
}

/* A length of zero is all there is of its unit: nothing is waited for behind it. */
static void a_length_of_zero_is_whole(void **state)
{
	static const struct framing_ops *const all[] = { &framing_u16_le, &framing_u16_be,
							 &framing_u32_be };
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		in.len = 0;
		put_zeros(all[i]->hdr_len);
		struct outcome o = run_all_ways(all[i], 2048);
		assert_int_equal(o.bad, 1);
		assert_int_equal(o.left, 0);
	}
}

static void what_qemu_would_not_send_ends_the_stream(void **state)
{
	(void)state;
	put_framed(&framing_u32_be, 42, 1);
	put("\0\1\x10\0", 4); /* 69,632: NET_BUFSIZE itself. */
	struct outcome o = run_all_ways(&framing_u32_be, WEFT_FRAME_LEN_MAX);
	assert_false(o.broken);
	assert_int_equal(o.bad, 1);
	assert_int_equal(o.left, 69632);

	reset(NULL);
	put_framed(&framing_u32_be, 42, 1);
	put("\0\1\x10\1", 4);
	o = run_all_ways(&framing_u32_be, WEFT_FRAME_LEN_MAX);
	assert_int_equal(o.n, 1);
	assert_true(o.broken);
}

static void bare_frames_follow_each_other(void **state)
{
	(void)state;
	put_arp(1);
	put_ip4(50, 0, 2);
	put_ip4(1514, 0, 3);
	put_arp(4);
	put_arp(5);
	put_ip4(55, 0, 6);
	put_ip4(59, 0, 7);
	put_ip4(60, 0, 8);
	struct outcome o = run_all_ways(&framing_bare, WEFT_FRAME_LEN_MAX);
	assert_int_equal(o.n, 8);
	assert_memory_equal(o.marks, "\1\2\3\4\5\6\7\x08", 8);
	assert_int_equal(o.pads, 0);
	assert_int_equal(o.left, 0);
}

/* tapserver's mistake 4: the 18 zeros behind an ARP frame were "type 0x0000". */
static void padding_is_no_frame(void **state)
{
	(void)state;
	put_arp(1);
	put_zeros(18);
	put_arp(2);
	put_ip4(54, 0, 3);
	put_zeros(6);
	put_ip4(58, 0, 4);
	put_zeros(2);
	put_ip4(59, 0, 5);
	put_zeros(1);
	put_arp(6);
	put_zeros(18);
	struct outcome o = run_all_ways(&framing_bare, WEFT_FRAME_LEN_MAX);
	assert_int_equal(o.n, 6);
	assert_memory_equal(o.marks, "\1\2\3\4\5\6", 6);
	assert_int_equal(o.pads, 5);
	assert_int_equal(o.left, 0);
}

/* Behind two zeros stands a frame of 802.3 and LLC, and where they stand what only looks so. */
static void a_frame_of_802_3_is_found_behind_padding(void **state)
{
	uint8_t stp[14 + 38] = "\x01\x80\xc2\0\0\0\2\0\0\0\0\x30\0\x26\x42\x42\x03";
	(void)state;
	stp[sizeof(stp) - 1] = 2;
	put_ip4(58, 0, 1);
	put_zeros(2);
	put(stp, sizeof(stp));
	put_zeros(8);
	put_arp(3);
	struct outcome o = run_all_ways(&framing_bare, WEFT_FRAME_LEN_MAX);
	assert_int_equal(o.n, 3);
	assert_memory_equal(o.marks, "\1\2\3", 3);
	assert_int_equal(o.pads, 2);
	assert_int_equal(o.left, 0);
}

/* A destination of 00:00:00:... behind a short frame that was not padded. */
static void an_address_of_zeros_is_no_padding(void **state)
{
	(void)state;
	for (uint16_t len = 55; len < 60; len++) {
		for (unsigned zeros = 1; zeros < 6; zeros++) {
			in.len = 0;
			put_ip4(len, 0, 1);
			put_ip4(80, zeros, 2);
			put_ip4(90, zeros, 3);
			struct outcome o =
				run_all_ways(&framing_bare, WEFT_FRAME_LEN_MAX);
			assert_int_equal(o.n, 3);
			assert_memory_equal(o.marks, "\1\2\3", 3);
			assert_int_equal(o.pads, 0);
		}
	}
}

static void an_odd_ipx_packet_may_be_evened_out(void **state)
{
	uint8_t ipx[14 + 51] = "\2\0\0\0\0\2\2\0\0\0\0\1\x81\x37\xff\xff\0\x33";
	(void)state;
	ipx[sizeof(ipx) - 1] = 7;
	put(ipx, sizeof(ipx));
	put_zeros(1);
	put_arp(1);
	put_zeros(18);
	put(ipx, sizeof(ipx));
	put_arp(2);
	struct outcome o = run_all_ways(&framing_bare, WEFT_FRAME_LEN_MAX);
	assert_int_equal(o.n, 4);
	assert_memory_equal(o.marks, "\7\1\7\2", 4);
}

static void what_cannot_be_sized_says_its_type(void **state)
{
	uint8_t lldp[60] = "\1\x80\xc2\0\0\x0e\2\0\0\0\0\1\x88\xcc";
	struct framing f = framing_of(&framing_bare, WEFT_FRAME_LEN_MAX);
	struct framing_unit unit;
	(void)state;
	assert_int_equal(framing_decode(&f, lldp, sizeof(lldp), &unit), FRAMING_BROKEN);
	assert_non_null(strstr(f.why, "0x88cc"));
	assert_non_null(strstr(f.why, "framed mode"));

	put_arp(1);
	put(lldp, sizeof(lldp));
	struct outcome o = run_all_ways(&framing_bare, WEFT_FRAME_LEN_MAX);
	assert_int_equal(o.n, 1);
	assert_true(o.broken);
}

/* tapserver's mistake 3: a total length of 0, as a guest with TSO sends it, stalled it. */
static void a_total_length_of_zero_ends_the_stream(void **state)
{
	(void)state;
	put_ip4(54, 0, 1);
	store_be16(in.bytes + 16, 0);
	struct outcome o = run_all_ways(&framing_bare, WEFT_FRAME_LEN_MAX);
	assert_int_equal(o.n, 0);
	assert_true(o.broken);
}

/* IPv6 can say more than any link carries. */
static void a_bare_frame_that_is_too_long_is_passed_over(void **state)
{
	static const uint8_t ip6[] =
		"\2\0\0\0\0\2\2\0\0\0\0\1\x86\xdd\x60\0\0\0\xff\xff\x06";
	(void)state;
	put(ip6, sizeof(ip6) - 1);
	struct outcome o = run_all_ways(&framing_bare, WEFT_FRAME_LEN_MAX);
	assert_int_equal(o.bad, 1);
	assert_int_equal(o.left, 14 + 40 + 65535 - (sizeof(ip6) - 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_on_the_wire),
		cmocka_unit_test_setup(frames_behind_their_lengths, reset),
		cmocka_unit_test_setup(lengths_that_do_not_fit_are_passed_over, reset),
		cmocka_unit_test_setup(a_length_of_zero_is_whole, reset),
		cmocka_unit_test_setup(what_qemu_would_not_send_ends_the_stream, reset),
		cmocka_unit_test_setup(bare_frames_follow_each_other, reset),
		cmocka_unit_test_setup(padding_is_no_frame, reset),
		cmocka_unit_test_setup(a_frame_of_802_3_is_found_behind_padding, reset),
		cmocka_unit_test_setup(an_address_of_zeros_is_no_padding, reset),
		cmocka_unit_test_setup(an_odd_ipx_packet_may_be_evened_out, reset),
		cmocka_unit_test_setup(what_cannot_be_sized_says_its_type, reset),
		cmocka_unit_test_setup(a_total_length_of_zero_ends_the_stream, reset),
		cmocka_unit_test_setup(a_bare_frame_that_is_too_long_is_passed_over,
				       reset),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
