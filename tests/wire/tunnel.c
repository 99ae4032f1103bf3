/* SPDX-License-Identifier: MIT */
/*
 * The records of a tunnel: bytes as tapotun's format has them, a stream cut at every offset,
 * and headers that lie.
 */
#include "wire/tunnel.h"

#include "../unit.h"
#include "traffic.h"
#include "wire/cursor.h"
#include "wire/tcp.h"

#include <errno.h>
#include <string.h>

#define STREAM_MAX 16384u

static uint8_t stream[STREAM_MAX];
static size_t stream_len;

static int reset(void **state)
{
	(void)state;
	stream_len = 0;
	return 0;
}

static void put(const struct weft_frame *frame)
{
	int n = tunnel_emit(stream + stream_len, STREAM_MAX - stream_len, frame);
	assert_true(n > 0);
	stream_len += (size_t)n;
}

static void put_ping(void)
{
	tunnel_ping_emit(stream + stream_len);
	stream_len += TUNNEL_PING_LEN;
}

static struct weft_frame make(const struct traffic *t)
{
	static uint8_t buf[TRAFFIC_BUF_LEN];
	return traffic_frame(t, buf);
}

static const struct traffic segment = { .is_ip = true, .payload_len = 100 };
static const struct traffic super_frame = {
	.is_ip = true,
	.payload_len = 3000,
	.gso_size = 1400,
};

/* What stands first in exactly len bytes, with nothing readable behind them. */
static enum tunnel_outcome decode_exactly(const uint8_t *data, size_t len,
					  struct tunnel_unit *ret_unit)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	assert_non_null(copy);
	memcpy(copy, data, len);
	enum tunnel_outcome r = tunnel_decode(copy, len, true, ret_unit);
	free(copy);
	return r;
}

/* The outcome of the one record in the stream. */
static enum tunnel_outcome decode_stream(struct tunnel_unit *ret_unit)
{
	return tunnel_decode(stream, stream_len, true, ret_unit);
}

static void a_record_on_the_wire(void **state)
{
	(void)state;
	uint8_t packet[20] = { 0x45, 0, 0, 20 };
	const struct weft_frame frame = {
		.data = packet,
		.len = sizeof(packet),
		.offload = { .flags = WEFT_OFFLOAD_NEEDS_CSUM | WEFT_OFFLOAD_ECN,
			     .gso = WEFT_GSO_TCP4,
			     .hdr_len = 0x0102,
			     .gso_size = 0x0304,
			     .csum_start = 0x0506,
			     .csum_offset = 0x0708 },
	};
	static const uint8_t head[TUNNEL_LEN] = { 20, 0, 1, 0x81, 2, 1, 4,
						  3,  6, 5, 8,    7, 0, 0 };
	memset(stream, 0xff, sizeof(stream));
	put(&frame);
	assert_int_equal(stream_len, TUNNEL_LEN + 20);
	assert_memory_equal(stream, head, sizeof(head));
	assert_memory_equal(stream + TUNNEL_LEN, packet, sizeof(packet));
}

static void a_ping_is_two_bytes(void **state)
{
	(void)state;
	struct tunnel_unit unit;
	put_ping();
	assert_memory_equal(stream, "\0\0", 2);
	assert_int_equal(decode_stream(&unit), TUNNEL_PING);
	assert_int_equal(unit.len, 2);
}

static void a_record_comes_back(void **state)
{
	(void)state;
	struct tunnel_unit unit;
	struct weft_frame frame = make(&super_frame);
	put(&frame);
	assert_int_equal(decode_stream(&unit), TUNNEL_FRAME);
	assert_int_equal(unit.len, stream_len);
	assert_int_equal(unit.frame.len, frame.len);
	assert_memory_equal(unit.frame.data, frame.data, frame.len);
	assert_int_equal(unit.frame.offload.gso, WEFT_GSO_TCP4);
	assert_int_equal(unit.frame.offload.gso_size, 1400);
	assert_int_equal(unit.frame.offload.csum_start, 20);
	assert_int_equal(unit.frame.offload.csum_offset, TCP_OFF_CSUM);
}

/* From one client to another a packet is not copied: its old head becomes the new one. */
static void a_record_is_pushed_in_place(void **state)
{
	(void)state;
	static uint8_t before[STREAM_MAX];
	struct tunnel_unit unit;
	uint8_t *record;
	struct weft_frame frame = make(&super_frame);
	put(&frame);
	assert_int_equal(decode_stream(&unit), TUNNEL_FRAME);
	assert_int_equal(unit.frame.headroom, TUNNEL_LEN);
	memcpy(before, stream, stream_len);
	memset(stream, 0xff, TUNNEL_LEN);
	assert_int_equal(tunnel_push(&unit.frame, &record), stream_len);
	assert_ptr_equal(record, stream);
	store_le16(before + 2 + VIRTIO_OFF_HDR_LEN, unit.frame.offload.hdr_len);
	assert_memory_equal(stream, before, stream_len);
}

static void what_does_not_fit_is_not_written(void **state)
{
	(void)state;
	static uint8_t bytes[TUNNEL_RECORD_MAX + 1];
	uint8_t *record = NULL;
	struct weft_frame frame = { .data = bytes + TUNNEL_LEN, .headroom = TUNNEL_LEN };
	frame.len = TUNNEL_PACKET_MIN - 1;
	assert_int_equal(tunnel_push(&frame, &record), -EMSGSIZE);
	frame.len = TUNNEL_PACKET_MAX + 1;
	assert_int_equal(tunnel_push(&frame, &record), -EMSGSIZE);
	assert_int_equal(tunnel_emit(stream, sizeof(stream), &frame), -EMSGSIZE);
	frame.len = TUNNEL_PACKET_MAX;
	assert_int_equal(tunnel_emit(stream, sizeof(stream), &frame), -ENOBUFS);
	frame.headroom = TUNNEL_LEN - 1;
	assert_int_equal(tunnel_push(&frame, &record), -ENOBUFS);
	assert_null(record);
	frame.headroom = TUNNEL_LEN;
	assert_int_equal(tunnel_push(&frame, &record), TUNNEL_RECORD_MAX);
	frame.len = TUNNEL_PACKET_MIN;
	assert_int_equal(tunnel_emit(stream, TUNNEL_LEN + TUNNEL_PACKET_MIN - 1, &frame),
			 -ENOBUFS);
}

/* L = 0 is a ping, 1..19 end the stream, all others are records. */
static void every_length(void **state)
{
	(void)state;
	static uint8_t bytes[TUNNEL_RECORD_MAX];
	struct tunnel_unit unit;
	for (unsigned l = 0; l <= UINT16_MAX; l++) {
		memset(bytes, 0, TUNNEL_LEN);
		store_le16(bytes, (uint16_t)l);
		enum tunnel_outcome r = tunnel_decode(bytes, sizeof(bytes), true, &unit);
		if (l == 0)
			assert_int_equal(r, TUNNEL_PING);
		else
			assert_int_equal(r, l < 20 ? TUNNEL_BROKEN : TUNNEL_FRAME);
		assert_int_equal(unit.len, l == 0 ? 2 : l < 20 ? l : TUNNEL_LEN + l);
		/* That it is broken shows as soon as there is a length. */
		if (l > 0 && l < 20)
			assert_int_equal(tunnel_decode(bytes, 2, true, &unit),
					 TUNNEL_BROKEN);
	}
}

/* What came of a stream. */
struct tally {
	size_t frames, pings, bad;
	uint64_t sum; /* Of the frames' bytes and facts in their order. */
	bool broken;
	size_t left;
};

static uint64_t mix(uint64_t sum, const void *data, size_t len)
{
	const uint8_t *bytes = data;
	for (size_t i = 0; i < len; i++)
		sum = sum * 31 + bytes[i];
	return sum;
}

static void take(struct tally *t, enum tunnel_outcome r, const struct weft_frame *frame)
{
	t->frames += r == TUNNEL_FRAME;
	t->pings += r == TUNNEL_PING;
	t->bad += r == TUNNEL_BAD;
	t->broken = r == TUNNEL_BROKEN;
	t->sum = mix(t->sum, frame->data, frame->len);
	t->sum = mix(t->sum, &frame->offload, sizeof(frame->offload));
}

/* Reads on from *start as far as it goes with the bytes up to end. */
static void feed(struct tally *t, size_t *start, size_t end)
{
	struct tunnel_unit unit = { .len = 1 };
	while (!t->broken) {
		uint8_t *copy = malloc(end - *start + 1);
		assert_non_null(copy);
		memcpy(copy, stream + *start, end - *start);
		uint8_t *exact = realloc(copy, end > *start ? end - *start : 1);
		assert_non_null(exact);
		enum tunnel_outcome r = tunnel_decode(exact, end - *start, true, &unit);
		if (r != TUNNEL_MORE)
			take(t, r, &unit.frame);
		free(exact);
		if (r == TUNNEL_MORE)
			break;
		*start += t->broken ? 0 : unit.len;
	}
	assert_true(t->broken || unit.len > end - *start);
	t->left = end - *start;
}

/* A ping between records of each kind, one of them with a header that is not true. */
static void put_all_kinds(void)
{
	struct weft_frame frame = make(&super_frame);
	put_ping();
	put(&frame);
	frame = make(&segment);
	put(&frame);
	frame.offload = (struct weft_offload){ .gso = WEFT_GSO_TCP6, .gso_size = 10 };
	put(&frame);
	put_ping();
	put_ping();
	const struct traffic ip6 = {
		.is_ip = true, .is_ip6 = true, .is_udp = true, .payload_len = 50
	};
	frame = make(&ip6);
	put(&frame);
}

static void a_stream_is_cut_at_every_offset(void **state)
{
	(void)state;
	put_all_kinds();
	struct tally whole = { 0 };
	size_t start = 0;
	feed(&whole, &start, stream_len);
	assert_int_equal(whole.frames, 3);
	assert_int_equal(whole.pings, 3);
	assert_int_equal(whole.bad, 1);
	assert_int_equal(whole.left, 0);
	for (size_t cut = 0; cut <= stream_len; cut++) {
		struct tally t = { 0 };
		start = 0;
		feed(&t, &start, cut);
		feed(&t, &start, stream_len);
		assert_memory_equal(&t, &whole, sizeof(t));
	}
}

static void a_stream_comes_byte_by_byte_until_it_breaks(void **state)
{
	(void)state;
	put_all_kinds();
	stream[stream_len++] = 19;
	stream[stream_len++] = 0;
	put_ping();
	struct tally t = { 0 };
	size_t start = 0;
	for (size_t end = 1; end <= stream_len && !t.broken; end++)
		feed(&t, &start, end);
	assert_true(t.broken);
	assert_int_equal(t.frames, 3);
	assert_int_equal(t.pings, 3);
	assert_int_equal(start, stream_len - 4);
}

static void what_is_missing_is_told(void **state)
{
	(void)state;
	struct tunnel_unit unit;
	struct weft_frame frame = make(&segment);
	put(&frame);
	for (size_t len = 0; len < stream_len; len++) {
		assert_int_equal(decode_exactly(stream, len, &unit), TUNNEL_MORE);
		assert_int_equal(unit.len, len < 2 ? 2 : stream_len);
	}
	assert_int_equal(decode_exactly(stream, stream_len, &unit), TUNNEL_FRAME);
}

/* ---- headers that lie -------------------------------------------------------------------- */

static enum tunnel_outcome outcome_of(const struct traffic *t, struct weft_offload facts,
				      struct weft_offload *ret_facts)
{
	struct tunnel_unit unit;
	struct weft_frame frame = make(t);
	stream_len = 0;
	frame.offload = facts;
	put(&frame);
	enum tunnel_outcome r = decode_stream(&unit);
	assert_int_equal(unit.len, stream_len);
	*ret_facts = unit.frame.offload;
	return r;
}

#define CSUM WEFT_OFFLOAD_NEEDS_CSUM
#define ECN  WEFT_OFFLOAD_ECN

static const struct traffic udp = { .is_ip = true, .is_udp = true, .payload_len = 3000 };
static const struct traffic tcp6 = { .is_ip = true, .is_ip6 = true, .payload_len = 3000 };

/* flags, gso, hdr_len, gso_size, csum_start, csum_offset */
static const struct {
	const struct traffic *packet;
	struct weft_offload facts;
} lies[] = {
	/* Types that nobody knows; 3 is UFO, which is not carried. */
	{ &super_frame, { CSUM, 2, 0, 1400, 20, 16 } },
	{ &super_frame, { CSUM, 3, 0, 1400, 20, 16 } },
	/* Segments of nothing, too many of them, and one longer than all. */
	{ &super_frame, { CSUM, 1, 0, 0, 20, 16 } },
	{ &super_frame, { CSUM, 1, 0, 1, 20, 16 } },
	{ &super_frame, { CSUM, 1, 0, 3001, 20, 16 } },
	/* A checksum over the source address, at UDP's place, and none. */
	{ &super_frame, { CSUM, 1, 0, 1400, 12, 0 } },
	{ &super_frame, { CSUM, 1, 0, 1400, 20, 6 } },
	{ &super_frame, { 0, 1, 0, 1400, 0, 0 } },
	/* Another protocol's. */
	{ &super_frame, { CSUM, 4, 0, 1400, 20, 16 } },
	{ &super_frame, { CSUM, 5, 0, 1400, 20, 16 } },
	{ &udp, { CSUM, 1, 0, 1400, 20, 6 } },
	{ &udp, { CSUM | ECN, 5, 0, 1400, 20, 6 } },
	{ &tcp6, { CSUM, 1, 0, 1400, 40, 16 } },
	/* Without segments: over the source address, outside, half outside. */
	{ &segment, { CSUM, 0, 0, 0, 12, 0 } },
	{ &segment, { CSUM, 0, 0, 0, 20, 200 } },
	{ &segment, { CSUM, 0, 0, 0, 139, 0 } },
	{ &segment, { CSUM, 0, 0, 0, 65535, 65535 } },
};

static void lies_are_passed_over(void **state)
{
	(void)state;
	struct weft_offload got;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++)
		if (outcome_of(lies[i].packet, lies[i].facts, &got) != TUNNEL_BAD)
			fail_msg("lie %zu was believed", i);
}

/* The same facts where they are true, so that each lie above is one. */
static void truth_is_believed(void **state)
{
	(void)state;
	static const struct traffic all[] = {
		{ .is_ip = true, .payload_len = 3000, .gso_size = 1400 },
		{ .is_ip = true, .payload_len = 3000, .gso_size = 3 },
		{ .is_ip = true, .is_ip6 = true, .payload_len = 3000, .gso_size = 1400 },
		{ .is_ip = true, .is_udp = true, .payload_len = 3000, .gso_size = 1400 },
		{ .is_ip = true,
		  .is_udp = true,
		  .is_ip6 = true,
		  .payload_len = 3000,
		  .gso_size = 1400 },
		{ .is_ip = true,
		  .is_ip6 = true,
		  .ext_len = 16,
		  .payload_len = 99,
		  .gso_size = 50 },
	};
	struct weft_offload got;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct weft_offload facts = make(&all[i]).offload;
		if (!all[i].is_udp)
			facts.flags |= WEFT_OFFLOAD_ECN;
		facts.hdr_len = 0;
		assert_int_equal(outcome_of(&all[i], facts, &got), TUNNEL_FRAME);
		assert_int_equal(got.flags, facts.flags);
		assert_int_equal(got.gso, facts.gso);
		assert_int_equal(got.gso_size, facts.gso_size);
	}
	const struct weft_offload csum = { .flags = WEFT_OFFLOAD_NEEDS_CSUM,
					   .csum_start = 20,
					   .csum_offset = TCP_OFF_CSUM };
	assert_int_equal(outcome_of(&segment, csum, &got), TUNNEL_FRAME);
	assert_memory_equal(&got, &csum, sizeof(got));
}

/* Whatever the peer says of its headers' length, what goes on is what the packet says. */
static void the_hint_is_made_anew(void **state)
{
	(void)state;
	struct weft_offload facts = make(&super_frame).offload, got;
	static const uint16_t hints[] = { 0, 1, 40, 3000, 65535 };
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		facts.hdr_len = hints[i];
		assert_int_equal(outcome_of(&super_frame, facts, &got), TUNNEL_FRAME);
		assert_int_equal(got.hdr_len, 40);
	}
}

static void nobody_vouches_for_a_checksum(void **state)
{
	(void)state;
	struct tunnel_unit unit;
	struct weft_frame frame = make(&segment);
	frame.offload.flags = WEFT_OFFLOAD_CSUM_VALID;
	put(&frame);
	assert_int_equal(stream[2 + VIRTIO_OFF_FLAGS], 0);
	stream[2 + VIRTIO_OFF_FLAGS] = VIRTIO_DATA_VALID;
	assert_int_equal(decode_stream(&unit), TUNNEL_FRAME);
	assert_int_equal(unit.frame.offload.flags, 0);
}

static void ethernet_frames_are_checked_as_such(void **state)
{
	(void)state;
	struct tunnel_unit unit;
	const struct traffic t = { .tags_n = 1, .payload_len = 3000, .gso_size = 1400 };
	struct weft_frame frame = make(&t);
	put(&frame);
	assert_int_equal(tunnel_decode(stream, stream_len, false, &unit), TUNNEL_FRAME);
	assert_int_equal(unit.frame.offload.hdr_len, 18 + 40);
	assert_int_equal(tunnel_decode(stream, stream_len, true, &unit), TUNNEL_BAD);
}

static void a_control_record_on_the_wire(void **state)
{
	(void)state;
	static const uint8_t head[TUNNEL_LEN] = { 20,   0,    0xff, 0xff, 0xff,
						  0xff, 0xff, 0xff, 0xff, 0xff,
						  0xff, 0xff, 0xff, 0xff };
	struct tunnel_unit unit;
	int n = tunnel_control_emit(stream, STREAM_MAX, "{\"type\":\"a\"}", 12);
	assert_int_equal(n, TUNNEL_LEN + 20);
	assert_int_equal(n, tunnel_control_len(12));
	assert_memory_equal(stream, head, sizeof(head));
	assert_memory_equal(stream + TUNNEL_LEN, "{\"type\":\"a\"}        ", 20);
	for (unsigned is_ip = 0; is_ip < 2; is_ip++) {
		assert_int_equal(tunnel_decode(stream, (size_t)n, is_ip, &unit),
				 TUNNEL_CONTROL);
		assert_int_equal(unit.len, n);
		assert_ptr_equal(unit.frame.data, stream + TUNNEL_LEN);
		assert_int_equal(unit.frame.len, 20);
	}
}

/* A header with a single other byte is one that nobody believes. */
static void a_control_record_is_one_by_all_of_its_header(void **state)
{
	(void)state;
	struct tunnel_unit unit;
	int n = tunnel_control_emit(stream, STREAM_MAX, "", 0);
	for (size_t i = 2; i < TUNNEL_LEN; i++) {
		stream[i] = 0xfe;
		assert_int_equal(tunnel_decode(stream, (size_t)n, true, &unit),
				 TUNNEL_BAD);
		stream[i] = 0xff;
	}
	for (size_t len = 0; len < (size_t)n; len++)
		assert_int_equal(decode_exactly(stream, len, &unit), TUNNEL_MORE);
}

static void a_text_may_be_too_long(void **state)
{
	(void)state;
	static uint8_t record[TUNNEL_RECORD_MAX];
	static char text[TUNNEL_PACKET_MAX + 1];
	assert_int_equal(
		tunnel_control_emit(record, sizeof(record), text, TUNNEL_PACKET_MAX),
		TUNNEL_RECORD_MAX);
	assert_int_equal(
		tunnel_control_emit(record, sizeof(record), text, TUNNEL_PACKET_MAX + 1),
		-EMSGSIZE);
	assert_int_equal(tunnel_control_emit(record, TUNNEL_LEN + 19, text, 1), -ENOBUFS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_record_on_the_wire, reset),
		cmocka_unit_test_setup(a_ping_is_two_bytes, reset),
		cmocka_unit_test_setup(a_record_comes_back, reset),
		cmocka_unit_test_setup(a_record_is_pushed_in_place, reset),
		cmocka_unit_test_setup(what_does_not_fit_is_not_written, reset),
		cmocka_unit_test_setup(every_length, reset),
		cmocka_unit_test_setup(a_stream_is_cut_at_every_offset, reset),
		cmocka_unit_test_setup(a_stream_comes_byte_by_byte_until_it_breaks,
				       reset),
		cmocka_unit_test_setup(what_is_missing_is_told, reset),
		cmocka_unit_test_setup(lies_are_passed_over, reset),
		cmocka_unit_test_setup(truth_is_believed, reset),
		cmocka_unit_test_setup(the_hint_is_made_anew, reset),
		cmocka_unit_test_setup(nobody_vouches_for_a_checksum, reset),
		cmocka_unit_test_setup(ethernet_frames_are_checked_as_such, reset),
		cmocka_unit_test_setup(a_control_record_on_the_wire, reset),
		cmocka_unit_test_setup(a_control_record_is_one_by_all_of_its_header,
				       reset),
		cmocka_unit_test_setup(a_text_may_be_too_long, reset),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
