/* SPDX-License-Identifier: MIT */
/*
 * What goes in as segments comes out as super-frames, and what those are cut into is again
 * what went in: checked by hand for each rule of merging, then for random trains of several
 * flows with mistakes among them.
 *
 * The sink below takes what the coalescer emits and cuts it at once, so that most tests
 * only compare two lists of complete frames. It also notes how many segments each emitted
 * frame held, which is how the tests see what was merged: {3, 1} is a super-frame of three,
 * then a single frame.
 */
#include "wire/coalesce.h"

#include "../unit.h"
#include "traffic.h"
#include "wire/cursor.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/segment.h"
#include "wire/superframe.h"
#include "wire/tcp.h"
#include "wire/udp.h"

#include <errno.h>
#include <string.h>

#define FRAMES_MAX 600u
#define TSO        (WEFT_LINK_TSO4 | WEFT_LINK_TSO6 | WEFT_LINK_USO)

/* Complete frames, one behind the other. */
struct list {
	size_t n;
	size_t len;
	size_t end[FRAMES_MAX];
	uint8_t bytes[FRAMES_MAX * 2200];
};

static struct coalesce *c;
static struct list sent, got;
static bool bare_ip;
static uint32_t emitted[FRAMES_MAX]; /* Segments in each frame that was emitted. */
static size_t emitted_n;
static struct weft_frame last_emitted;
static uint8_t last_bytes[TRAFFIC_BUF_LEN];
static _Alignas(16) uint8_t arena[SEGMENT_ARENA_LEN];
static uint8_t buf[TRAFFIC_BUF_LEN];

static void list_add(struct list *list, const struct weft_frame *frame)
{
	assert_true(list->n < FRAMES_MAX);
	assert_true(frame->len <= sizeof(list->bytes) - list->len);
	memcpy(list->bytes + list->len, frame->data, frame->len);
	list->len += frame->len;
	list->end[list->n++] = list->len;
}

static void sink(void *user, const struct weft_frame *frames, size_t n)
{
	(void)user;
	static struct weft_frame cut[SEGMENTS_MAX];

	for (size_t i = 0; i < n; i++) {
		int count = segment_cut(&frames[i], bare_ip, arena, sizeof(arena), cut,
					SEGMENTS_MAX);
		assert_true(count > 0);
		assert_true(count == 1 || frames[i].len <= WEFT_FRAME_LEN_MAX);
		for (int k = 0; k < count; k++)
			list_add(&got, &cut[k]);
		assert_true(emitted_n < FRAMES_MAX);
		emitted[emitted_n++] = (uint32_t)count;
		last_emitted = frames[i];
		memcpy(last_bytes, frames[i].data, frames[i].len);
		last_emitted.data = last_bytes;
	}
}

static void begin_with(struct coalesce_opts opts)
{
	coalesce_free(c);
	opts.emit = sink;
	opts.link_flags = opts.link_flags ? opts.link_flags : TSO;
	bare_ip = opts.is_ip;
	assert_int_equal(coalesce_new(&opts, &c), 0);
	sent.n = sent.len = got.n = got.len = emitted_n = 0;
}

static int begin(void **state)
{
	(void)state;
	begin_with((struct coalesce_opts){ 0 });
	return 0;
}

static int end(void **state)
{
	(void)state;
	coalesce_free(c);
	c = NULL;
	return 0;
}

static void push_frame(const struct weft_frame *frame)
{
	list_add(&sent, frame);
	coalesce_push(c, frame);
}

static void push(struct traffic t)
{
	struct weft_frame frame = traffic_frame(&t, buf);
	push_frame(&frame);
}

/* All that was sent came out, in this order and in frames of that many segments. */
#define ASSERT_EMITTED(...)                                                         \
	do {                                                                        \
		const uint32_t want[] = { __VA_ARGS__ };                            \
		coalesce_flush(c);                                                  \
		assert_false(coalesce_is_pending(c));                               \
		assert_int_equal(emitted_n, sizeof(want) / sizeof(want[0]));        \
		assert_memory_equal(emitted, want, sizeof(want));                   \
		assert_int_equal(got.n, sent.n);                                    \
		assert_memory_equal(got.end, sent.end, got.n * sizeof(got.end[0])); \
		assert_memory_equal(got.bytes, sent.bytes, got.len);                \
	} while (0)

static const struct traffic base = {
	.tos = 0,
	.ttl = 64,
	.id = 100,
	.df = true,
	.host = 1,
	.sport = 40000,
	.seq = 1000,
	.ack = 77,
	.flags = TCP_ACK,
	.window = 501,
	.options_len = 12,
	.options_fill = TCP_OPT_NOP,
	.payload_len = 1000,
};

/* Segment i of a train of equal ones. */
static struct traffic nth(uint32_t i)
{
	struct traffic t = base;
	t.id = (uint16_t)(t.id + i);
	t.seq += i * t.payload_len;
	t.payload_at = i * t.payload_len;
	return t;
}

static struct traffic nth_udp(uint32_t i)
{
	struct traffic t = nth(i);
	t.is_udp = true;
	return t;
}

/* What the super-frame says, byte for byte: that of a host which made it whole. */
static void assert_last_is_super(struct traffic t)
{
	struct weft_frame want = traffic_frame(&t, buf);

	assert_int_equal(last_emitted.len, want.len);
	assert_memory_equal(last_emitted.data, want.data, want.len);
	assert_int_equal(last_emitted.headroom, WEFT_HEADROOM);
	assert_memory_equal(&last_emitted.offload, &want.offload, sizeof(want.offload));
}

static void test_merges_every_kind(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 8; kind++) {
		struct traffic t[3];
		begin_with((struct coalesce_opts){ .is_ip = kind & 4 });
		for (uint32_t i = 0; i < 3; i++) {
			t[i] = nth(i);
			t[i].is_udp = kind & 1;
			t[i].is_ip6 = kind & 2;
			t[i].is_ip = kind & 4;
			t[i].tags_n = t[i].is_ip ? 0 : kind % 3;
			push(t[i]);
		}
		assert_true(coalesce_is_pending(c));
		ASSERT_EMITTED(3);
		t[0].payload_len = 3000;
		t[0].gso_size = 1000;
		assert_last_is_super(t[0]);
		assert_int_equal(coalesce_merged(c), 2);
	}
}

static void test_single_leaves_as_it_came(void **state)
{
	(void)state;
	struct traffic t = nth(0);
	struct weft_frame frame = traffic_frame(&t, buf);

	frame.offload.flags = WEFT_OFFLOAD_CSUM_VALID;
	push_frame(&frame);
	ASSERT_EMITTED(1);
	assert_int_equal(last_emitted.offload.flags, WEFT_OFFLOAD_CSUM_VALID);
	assert_int_equal(last_emitted.offload.gso, WEFT_GSO_NONE);
	assert_int_equal(coalesce_merged(c), 0);
}

static void test_short_one_is_the_last(void **state)
{
	(void)state;
	struct traffic t = nth(2);
	t.payload_len = 999;

	push(nth(0));
	push(nth(1));
	push(t);
	assert_false(coalesce_is_pending(c));
	push(nth(3));
	ASSERT_EMITTED(3, 1);
}

static void test_short_datagram_is_the_last(void **state)
{
	(void)state;
	struct traffic t = nth_udp(1);
	t.payload_len = 1;

	push(nth_udp(0));
	push(t);
	push(nth_udp(2));
	ASSERT_EMITTED(2, 1);
}

static void test_longer_one_begins_anew(void **state)
{
	(void)state;
	struct traffic t = nth(1);
	t.payload_len = 1001;

	push(nth(0));
	push(t);
	ASSERT_EMITTED(1, 1);
}

static void test_push_and_fin_end_it(void **state)
{
	(void)state;
	struct traffic psh = nth(1), fin = nth(4);
	psh.flags |= TCP_PSH;
	fin.flags |= TCP_PSH | TCP_FIN;

	push(nth(0));
	push(psh);
	assert_false(coalesce_is_pending(c));
	push(nth(2));
	push(nth(3));
	push(fin);
	assert_false(coalesce_is_pending(c));
	ASSERT_EMITTED(2, 3);
}

/* PSH on the first of two would move to the second. */
static void test_push_first_is_not_held(void **state)
{
	(void)state;
	struct traffic t = nth(0);
	t.flags |= TCP_PSH;

	push(t);
	assert_false(coalesce_is_pending(c));
	push(nth(1));
	ASSERT_EMITTED(1, 1);
}

static void assert_apart(struct traffic first, struct traffic then)
{
	begin_with((struct coalesce_opts){ 0 });
	push(first);
	push(then);
	ASSERT_EMITTED(1, 1);
}

/* t would follow first, but for one thing. */
#define ASSERT_APART(make, is_v6, change)                    \
	do {                                                 \
		struct traffic first = make(0), t = make(1); \
		first.is_ip6 = t.is_ip6 = (is_v6);           \
		(change);                                    \
		assert_apart(first, t);                      \
	} while (0)

static void test_tcp_that_does_not_follow(void **state)
{
	(void)state;
	ASSERT_APART(nth, false, t.seq++);
	ASSERT_APART(nth, false, t.seq--);
	ASSERT_APART(nth, false, t.seq -= 1000);
	ASSERT_APART(nth, false, t.ack++);
	ASSERT_APART(nth, false, t.window++);
	ASSERT_APART(nth, false, t.urgent++);
	ASSERT_APART(nth, false, t.options_len = 16);
	ASSERT_APART(nth, false, t.options_len = 0);
	ASSERT_APART(nth, false, t.options_fill = 2);
	ASSERT_APART(nth, false, t.flags |= TCP_ECE);
	ASSERT_APART(nth, false, t.flags |= TCP_CWR);
	ASSERT_APART(nth, false, t.flags |= TCP_URG);
	ASSERT_APART(nth, false, t.flags |= TCP_RST);
	ASSERT_APART(nth, false, t.flags |= TCP_SYN);
	ASSERT_APART(nth, false, t.flags |= TCP_AE);
	ASSERT_APART(nth, false, t.flags = 0);
	ASSERT_APART(nth, false, t.payload_len = 0);
	ASSERT_APART(nth, false, first.flags |= TCP_CWR);
}

static void test_ip_that_does_not_follow(void **state)
{
	(void)state;
	ASSERT_APART(nth, false, t.tos = 3); /* Congestion experienced. */
	ASSERT_APART(nth, false, t.ttl--);
	ASSERT_APART(nth, false, t.df = false);
	ASSERT_APART(nth, false, t.id++);
	ASSERT_APART(nth, false, t.id--); /* The same for all: not to be made again. */
	ASSERT_APART(nth, false, t.tags_n = 1);
	ASSERT_APART(nth, true, t.tos = 3);
	ASSERT_APART(nth, true, t.ttl--);
	ASSERT_APART(nth, true, t.flow_label++);
	ASSERT_APART(nth, true, t.ext_len = 8);
	ASSERT_APART(nth, true, first.ext_len = t.ext_len = 8);
	ASSERT_APART(nth_udp, false, t.id++);
	ASSERT_APART(nth_udp, false, t.ttl--);
	ASSERT_APART(nth_udp, true, t.flow_label++);
	ASSERT_APART(nth_udp, true, t.payload_len = 0);
}

static void test_other_flows(void **state)
{
	(void)state;
	ASSERT_APART(nth, false, t.host++);
	ASSERT_APART(nth, true, t.host++);
	ASSERT_APART(nth, true, t.is_ip6 = false);
	ASSERT_APART(nth, false, t.sport++);
	ASSERT_APART(nth, false, t.is_udp = true);
}

/* The same fields, but in all segments of the train. */
static void test_what_all_have_is_kept(void **state)
{
	(void)state;
#define ASSERT_TOGETHER(is_v6, change)                   \
	do {                                             \
		begin_with((struct coalesce_opts){ 0 }); \
		for (uint32_t i = 0; i < 3; i++) {       \
			struct traffic t = nth(i);       \
			t.is_ip6 = (is_v6);              \
			(change);                        \
			push(t);                         \
		}                                        \
		ASSERT_EMITTED(3);                       \
	} while (0)
	ASSERT_TOGETHER(false, t.flags |= TCP_ECE);
	ASSERT_TOGETHER(false, t.flags |= TCP_AE);
	ASSERT_TOGETHER(false, t.urgent = 9);
	ASSERT_TOGETHER(false, t.tos = 0xff);
	ASSERT_TOGETHER(false, t.df = false);
	ASSERT_TOGETHER(false, t.id += 0xfffe - 100);
	ASSERT_TOGETHER(false, t.seq += 0xfffff830 - 1000);
	ASSERT_TOGETHER(false, t.options_len = 40);
	ASSERT_TOGETHER(true, t.flow_label = 0xabcde);
}

/* What no host sends in the middle of a stream is not merged even where all have it. */
static void test_flags_that_are_never_merged(void **state)
{
	(void)state;
	const uint16_t flags[] = { TCP_SYN, TCP_RST, TCP_URG, TCP_CWR };

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		struct traffic a = nth(0), b = nth(1);
		a.flags |= flags[i];
		b.flags |= flags[i];
		begin_with((struct coalesce_opts){ 0 });
		push(a);
		push(b);
		assert_false(coalesce_is_pending(c));
		ASSERT_EMITTED(1, 1);
	}
}

static void push_patched(struct traffic t, size_t off, uint8_t value)
{
	struct weft_frame frame = traffic_frame(&t, buf);
	frame.data[off] = value;
	push_frame(&frame);
}

static void test_other_link_addresses(void **state)
{
	(void)state;
	push(nth(0));
	push_patched(nth(1), 5, 0x0c);
	push(nth(2));
	ASSERT_EMITTED(1, 1, 1);
}

static void test_damage_passes(void **state)
{
	(void)state;
	const size_t last = 14 + 20 + 32 + 999;

	push(nth(0));
	push_patched(nth(1), last, (uint8_t)~traffic_byte(1999)); /* Payload. */
	push(nth(1));
	push(nth(2));
	push_patched(nth(3), 24, 1); /* IPv4 checksum. */
	push(nth(3));
	push_patched(nth(4), 14 + 20 + TCP_OFF_CSUM, 1);
	ASSERT_EMITTED(1, 1, 2, 1, 1, 1);
}

/* Who says that it has verified the checksum is believed: no second look at it. */
static void test_verified_is_not_verified_again(void **state)
{
	(void)state;
	struct traffic t = nth(1);

	push(nth(0));
	struct weft_frame frame = traffic_frame(&t, buf);
	frame.offload.flags = WEFT_OFFLOAD_CSUM_VALID;
	frame.data[14 + 20 + TCP_OFF_CSUM] ^= 1;
	coalesce_push(c, &frame);
	coalesce_flush(c);
	assert_int_equal(emitted_n, 1);
	assert_int_equal(emitted[0], 2);
}

static void test_datagram_without_checksum_passes(void **state)
{
	(void)state;
	struct traffic t = nth_udp(1);

	push(nth_udp(0));
	struct weft_frame frame = traffic_frame(&t, buf);
	store_be16(frame.data + 14 + 20 + UDP_OFF_CSUM, 0);
	frame.offload.flags = WEFT_OFFLOAD_CSUM_VALID;
	push_frame(&frame);
	push(nth_udp(2));
	ASSERT_EMITTED(1, 1, 1);
}

/* Both spellings of zero are right, but only one of them can be made again. */
static void test_other_zero_passes(void **state)
{
	(void)state;
	struct traffic t = nth(1);
	struct weft_frame frame = traffic_frame(&t, buf);
	uint8_t *tcp = frame.data + 34;
	uint8_t csum[2] = { tcp[TCP_OFF_CSUM], tcp[TCP_OFF_CSUM + 1] };
	uint8_t bytes[2000];

	store_be16(tcp + 32, traffic_sum(load_be16(tcp + 32), csum, 2));
	store_be16(tcp + TCP_OFF_CSUM, 0xffff);
	memcpy(bytes, frame.data, frame.len);
	frame.data = bytes;
	push(nth(0));
	push_frame(&frame);
	ASSERT_EMITTED(1, 1);

	begin_with((struct coalesce_opts){ 0 });
	store_be16(bytes + 34 + TCP_OFF_CSUM, 0);
	push(nth(0));
	push_frame(&frame);
	ASSERT_EMITTED(2);
}

static void test_padding_passes(void **state)
{
	(void)state;
	struct traffic t = nth(1);
	struct weft_frame frame;

	push(nth(0));
	frame = traffic_frame(&t, buf);
	frame.data[frame.len++] = 0;
	push_frame(&frame);
	push(nth(2));
	ASSERT_EMITTED(1, 1, 1);
}

/* Of the flow, whatever it is: goes out behind what is held. */
static void test_super_frame_and_open_checksum_pass(void **state)
{
	(void)state;
	struct traffic t = nth(1);
	struct weft_frame super, open;
	static uint8_t super_buf[TRAFFIC_BUF_LEN];

	t.payload_len = 2000;
	t.gso_size = 1000;
	super = traffic_frame(&t, super_buf);
	push(nth(0));
	coalesce_push(c, &super);
	assert_false(coalesce_is_pending(c));
	assert_int_equal(emitted_n, 2);
	assert_int_equal(emitted[1], 2);
	assert_memory_equal(&last_emitted.offload, &super.offload, sizeof(super.offload));

	t = nth(4);
	t.gso_size = 1000;
	push(nth(3));
	open = traffic_frame(&t, super_buf);
	open.offload.gso = WEFT_GSO_NONE;
	coalesce_push(c, &open);
	assert_false(coalesce_is_pending(c));
	assert_int_equal(emitted_n, 4);
	assert_int_equal(last_emitted.offload.flags, WEFT_OFFLOAD_NEEDS_CSUM);
}

/* A fragment has no ports, so it may be of any flow that is held. */
static void test_fragment_overtakes_nothing(void **state)
{
	(void)state;
	struct traffic other = nth(0), t = nth_udp(1);
	struct weft_frame frame;

	other.host = 2;
	push(nth(0));
	push(other);
	frame = traffic_frame(&t, buf);
	frame.data[14 + IP4_OFF_FRAG] = 0x20;
	store_be16(frame.data + 14 + IP4_OFF_CSUM, 0);
	store_be16(frame.data + 14 + IP4_OFF_CSUM,
		   (uint16_t)~traffic_sum(0, frame.data + 14, 20));
	push_frame(&frame);
	assert_false(coalesce_is_pending(c));
	ASSERT_EMITTED(1, 1, 1);
}

/* ARP has no flow and waits for none. */
static void test_foreign_frame_overtakes(void **state)
{
	(void)state;
	uint8_t arp[60] = { 1, 2, 3, [12] = 0x08, [13] = 0x06, [59] = 9 };
	struct weft_frame frame = { .data = arp, .len = sizeof(arp) };

	push(nth(0));
	coalesce_push(c, &frame);
	assert_int_equal(emitted_n, 1);
	assert_memory_equal(last_emitted.data, arp, sizeof(arp));
	push(nth(1));
	coalesce_flush(c);
	assert_int_equal(emitted_n, 2);
	assert_int_equal(emitted[1], 2);
}

static void test_only_what_the_link_takes(void **state)
{
	(void)state;
	begin_with(
		(struct coalesce_opts){ .link_flags = WEFT_LINK_TSO6 | WEFT_LINK_CSUM });
	push(nth(0));
	push(nth(1));
	push(nth_udp(0));
	push(nth_udp(1));
	assert_false(coalesce_is_pending(c));
	ASSERT_EMITTED(1, 1, 1, 1);
}

static void test_longest_super_frame(void **state)
{
	(void)state;
	struct traffic t = base;

	t.payload_len = 1448;
	for (uint32_t i = 0; i < 46; i++) {
		push(t);
		t.id++;
		t.seq += t.payload_len;
	}
	/* 20 + 32 + 45 * 1448 is 65212. */
	ASSERT_EMITTED(45, 1);
}

static void test_most_segments(void **state)
{
	(void)state;
	struct traffic t = base;

	t.payload_len = 10;
	for (uint32_t i = 0; i < SUPERFRAME_SEGMENTS_MAX + 2; i++) {
		push(t);
		t.id++;
		t.seq += t.payload_len;
	}
	ASSERT_EMITTED(SUPERFRAME_SEGMENTS_MAX, 2);
}

/* IPv6 counts without its header, so it can say more than a super-frame holds. */
static void test_longest_packet_passes(void **state)
{
	(void)state;
	struct traffic t = nth(0);
	uint8_t *big = calloc(1, TRAFFIC_BUF_LEN + 100);

	assert_non_null(big);
	t.is_ip6 = true;
	t.payload_len = 65535 - 32 - 40;
	memcpy(big, traffic_frame(&t, buf).data, t.payload_len + 14 + 40 + 32);
	struct weft_frame frame = { .data = big, .len = 14 + 40 + 65535 };
	store_be16(big + 14 + IP6_OFF_PAYLOAD_LEN, 65535);
	coalesce_push(c, &frame);
	assert_int_equal(emitted_n, 1);
	assert_false(coalesce_is_pending(c));
	free(big);
}

/* With room for two flows, the third takes the place of the one that was quiet longest. */
static void test_more_flows_than_places(void **state)
{
	(void)state;
	struct traffic b = nth(0), third = nth(0);

	b.host = 2;
	third.host = 3;
	begin_with((struct coalesce_opts){ .flows_max = 2 });
	push(nth(0));
	push(b);
	push(nth(1));
	push(third);
	assert_int_equal(emitted_n, 1);
	assert_int_equal(last_emitted.data[14 + IP4_OFF_SRC + 3], 2);
	push(nth(2));
	coalesce_flush(c);
	assert_int_equal(emitted_n, 3);
	assert_int_equal(emitted[1], 1);
	assert_int_equal(emitted[2], 3);
}

/*
 * The property: per flow, the frames that come out are those that went in, in their order,
 * whatever happens between them.
 */

#define RANDOM_FLOWS 6u

static struct list sent_of[RANDOM_FLOWS], got_of[RANDOM_FLOWS];

static void flow_sink(void *user, const struct weft_frame *frames, size_t n)
{
	static struct weft_frame cut[SEGMENTS_MAX];
	const struct traffic *flows = user;

	for (size_t i = 0; i < n; i++) {
		int count = segment_cut(&frames[i], bare_ip, arena, sizeof(arena), cut,
					SEGMENTS_MAX);
		assert_true(count > 0);
		emitted_n++;
		for (int k = 0; k < count; k++) {
			const uint8_t *data = cut[k].data;
			size_t tags = bare_ip            ? 0
				      : data[12] == 0x88 ? 8
				      : data[12] == 0x81 ? 4
							 : 0;
			const uint8_t *ip = data + (bare_ip ? 0 : 14 + tags);
			uint8_t host = ip[0] >> 4 == 4 ? ip[IP4_OFF_SRC + 3]
						       : ip[IP6_OFF_SRC + 15];
			assert_true(host < RANDOM_FLOWS && flows[host].host == host);
			list_add(&got_of[host], &cut[k]);
		}
	}
}

/* Moves t on behind a frame of its, and now and then to where it should not be. */
static void move_on(struct traffic *t, uint64_t *seed)
{
	t->seq += t->payload_len;
	t->payload_at += t->payload_len;
	t->id++;
	switch (traffic_below(seed, 40)) {
	case 0:
		t->seq += traffic_below(seed, 3000);
		break;
	case 1:
		t->ack++;
		break;
	case 2:
		t->id += (uint16_t)traffic_below(seed, 3);
		break;
	case 3:
		t->tos ^= 3;
		break;
	case 4:
		t->window++;
		break;
	case 5:
		t->payload_len = 1 + traffic_below(seed, 2000);
		break;
	default:
		break;
	}
}

static void push_train(struct traffic *t, uint64_t *seed)
{
	const uint16_t rare[] = { TCP_PSH, TCP_FIN, TCP_CWR, TCP_ECE };

	for (uint32_t left = 1 + traffic_below(seed, 10); left > 0; left--) {
		struct traffic now = *t;
		if (traffic_below(seed, 10) == 0)
			now.flags |= rare[traffic_below(seed, 4)];
		if (traffic_below(seed, 20) == 0)
			now.payload_len -= traffic_below(seed, now.payload_len);

		struct weft_frame frame = traffic_frame(&now, buf);
		if (traffic_below(seed, 30) == 0)
			frame.data[frame.len - 1] ^= 0x10;
		list_add(&sent_of[t->host], &frame);
		coalesce_push(c, &frame);
		t->payload_len = now.payload_len;
		move_on(t, seed);
	}
}

static void run_random(uint64_t *seed)
{
	struct traffic flows[RANDOM_FLOWS];
	bool is_ip = traffic_below(seed, 2);
	struct coalesce_opts opts = {
		.flows_max = 1 + traffic_below(seed, RANDOM_FLOWS),
		.is_ip = is_ip,
		.link_flags = TSO,
		.emit = flow_sink,
		.user = flows,
	};

	bare_ip = is_ip;
	coalesce_free(c);
	assert_int_equal(coalesce_new(&opts, &c), 0);
	for (unsigned i = 0; i < RANDOM_FLOWS; i++) {
		flows[i] = traffic_random(seed);
		flows[i].is_ip = is_ip;
		flows[i].tags_n = is_ip ? 0 : flows[i].tags_n;
		flows[i].host = (uint8_t)i;
		flows[i].flags &= (uint16_t) ~(TCP_FIN | TCP_PSH | TCP_CWR);
		flows[i].payload_len = flows[i].gso_size;
		flows[i].gso_size = 0;
		sent_of[i].n = sent_of[i].len = got_of[i].n = got_of[i].len = 0;
	}
	for (unsigned i = 0; i < 60; i++) {
		push_train(&flows[traffic_below(seed, RANDOM_FLOWS)], seed);
		if (traffic_below(seed, 10) == 0)
			coalesce_flush(c);
	}
	coalesce_flush(c);
}

static void test_random_trains(void **state)
{
	(void)state;
	uint64_t seed = test_seed();
	uint64_t merged = 0;

	for (unsigned round = 0; round < 40; round++) {
		run_random(&seed);
		for (unsigned i = 0; i < RANDOM_FLOWS; i++) {
			const struct list *in = &sent_of[i], *out = &got_of[i];
			assert_int_equal(in->n, out->n);
			assert_memory_equal(in->end, out->end,
					    in->n * sizeof(in->end[0]));
			assert_memory_equal(in->bytes, out->bytes, in->len);
		}
		merged += coalesce_merged(c);
	}
	assert_true(merged > 500);
}

/* Whatever segment_cut makes of a super-frame is merged into that super-frame again. */
static void test_random_super_frames(void **state)
{
	(void)state;
	static struct weft_frame cut[SEGMENTS_MAX];
	static uint8_t super_buf[TRAFFIC_BUF_LEN];
	uint64_t seed = test_seed();

	for (unsigned round = 0; round < 200; round++) {
		struct traffic t = traffic_random(&seed);
		t.flags &= (uint16_t)~TCP_CWR;
		t.ext_len = 0;
		t.gso_size = (uint16_t)(t.gso_size < 1100 ? 1100 : t.gso_size);
		if (t.payload_len <= t.gso_size)
			t.payload_len = t.gso_size + 1u;
		struct weft_frame super = traffic_frame(&t, super_buf);
		static _Alignas(16) uint8_t cut_arena[SEGMENT_ARENA_LEN];
		int n = segment_cut(&super, t.is_ip, cut_arena, sizeof(cut_arena), cut,
				    SEGMENTS_MAX);

		begin_with((struct coalesce_opts){ .is_ip = t.is_ip });
		for (int i = 0; i < n; i++)
			push_frame(&cut[i]);
		ASSERT_EMITTED((uint32_t)n);
		assert_last_is_super(t);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_merges_every_kind),
		TEST(test_single_leaves_as_it_came),
		TEST(test_short_one_is_the_last),
		TEST(test_short_datagram_is_the_last),
		TEST(test_longer_one_begins_anew),
		TEST(test_push_and_fin_end_it),
		TEST(test_push_first_is_not_held),
		TEST(test_tcp_that_does_not_follow),
		TEST(test_ip_that_does_not_follow),
		TEST(test_other_flows),
		TEST(test_what_all_have_is_kept),
		TEST(test_flags_that_are_never_merged),
		TEST(test_other_link_addresses),
		TEST(test_damage_passes),
		TEST(test_verified_is_not_verified_again),
		TEST(test_datagram_without_checksum_passes),
		TEST(test_other_zero_passes),
		TEST(test_padding_passes),
		TEST(test_super_frame_and_open_checksum_pass),
		TEST(test_fragment_overtakes_nothing),
		TEST(test_foreign_frame_overtakes),
		TEST(test_only_what_the_link_takes),
		TEST(test_longest_super_frame),
		TEST(test_most_segments),
		TEST(test_longest_packet_passes),
		TEST(test_more_flows_than_places),
		TEST(test_random_trains),
		TEST(test_random_super_frames),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
