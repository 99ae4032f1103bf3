/* SPDX-License-Identifier: MIT */
/*
 * Fragments, put together through the IP protocol that they come in on.
 */
#include "../unit.h"
#include "recorder.h"
#include "wire/compose.h"
#include "wire/cursor.h"

#include <weft/protocol.h>

#include <string.h>

#define SECOND     UINT64_C(1000000000)
#define PACKET_MAX 70000u

static struct weft_protocol *ip;
static struct recorder upper;
static struct weft_ip_opts limits = { .reassembly_max = 3, .reassembly_ns = 2 * SECOND };

static int setup(void **state)
{
	(void)state;
	assert_int_equal(weft_protocol_new_ip(&limits, &ip), 0);
	recorder_init(&upper, WEFT_LAYER_TRANSPORT, "upper");
	add(ip, 17, &upper);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	weft_protocol_free(ip);
	recorder_clear(&upper);
	return 0;
}

/* What stands at a place of every packet of these tests. */
static uint8_t byte_at(size_t i)
{
	return (uint8_t)(i * 31 + i / 251);
}

static uint8_t *payload_from(size_t off, size_t len)
{
	static uint8_t payload[PACKET_MAX];
	for (size_t i = 0; i < len; i++)
		payload[i] = byte_at(off + i);
	return payload;
}

/* One fragment of the packet that id names. */
struct piece {
	bool is_ip6;
	uint8_t proto; /* Of IPv4; 0: UDP. */
	uint32_t id;
	size_t off, len;
	bool more;
	uint64_t now;
};

static size_t put_piece6(uint8_t *buf, const struct piece *p, const uint8_t *payload)
{
	const struct compose c = { .src = test_ip("2001:db8::1"),
				   .dst = test_ip("2001:db8::2"),
				   .proto = 44 };
	static uint8_t body[PACKET_MAX];
	body[0] = 17;
	body[1] = 0;
	store_be16(body + 2, (uint16_t)(p->off | p->more));
	store_be32(body + 4, p->id);
	memcpy(body + 8, payload, p->len);
	int n = compose_ip(&c, body, 8 + p->len, buf, PACKET_MAX);
	assert_true(n > 0);
	return (size_t)n;
}

static void feed_bytes(const struct piece *p, const uint8_t *payload)
{
	static uint8_t packet[PACKET_MAX];
	const struct ip4_fields fields = {
		.proto = p->proto,
		.id = (uint16_t)p->id,
		.frag = (uint16_t)(p->off / 8 | (p->more ? 0x2000 : 0)),
	};
	size_t len = p->is_ip6 ? put_piece6(packet, p, payload)
			       : put_ip4(packet, &fields, payload, p->len);
	feed_at(ip, packet, len, p->now);
}

static void feed_piece(const struct piece *p)
{
	feed_bytes(p, payload_from(p->off, p->len));
}

static void feed4(size_t off, size_t len, bool more)
{
	feed_piece(&(struct piece){ .id = 1, .off = off, .len = len, .more = more });
}

static void assert_whole(size_t i, size_t len)
{
	assert_true(i < upper.n);
	const struct record *r = &upper.records[i];
	assert_int_equal(r->len, len);
	assert_memory_equal(r->data, payload_from(0, len), len);
	assert_true(r->ip.reassembled);
	assert_int_equal(r->ip.fragment_offset, 0);
	assert_false(r->ip.more_fragments);
	assert_int_equal(r->ip.total_len, r->ip.hdr_len + len);
}

static void assert_stats(uint64_t completed, uint64_t given_up, uint32_t waiting)
{
	struct weft_reassembly_stats stats = weft_protocol_reassembly(ip);
	assert_int_equal(stats.completed, completed);
	assert_int_equal(stats.given_up, given_up);
	assert_int_equal(stats.waiting, waiting);
}

static void fragments_come_together_in_any_order(void **state)
{
	const size_t orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
				     { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
	(void)state;
	for (unsigned version = 4; version <= 6; version += 2) {
		recorder_clear(&upper);
		for (size_t i = 0; i < 6; i++) {
			for (size_t j = 0; j < 3; j++) {
				size_t k = orders[i][j];
				feed_piece(&(struct piece){ .is_ip6 = version == 6,
							    .id = (uint32_t)i,
							    .off = 16 * k,
							    .len = k < 2 ? 16 : 5,
							    .more = k < 2 });
				assert_int_equal(upper.n, j < 2 ? i : i + 1);
			}
			assert_whole(i, 37);
			assert_int_equal(upper.records[i].ip.version, version);
		}
	}
	assert_stats(12, 0, 0);
	assert_int_equal(weft_protocol_count(ip, WEFT_OUTCOME_HELD), 24);
	assert_int_equal(weft_protocol_count(ip, WEFT_OUTCOME_DELIVERED), 12);
}

/* The fragments of several packets, one by one in turn. */
static void packets_are_told_apart(void **state)
{
	(void)state;
	for (size_t k = 0; k < 3; k++) {
		for (uint32_t id = 0; id < 3; id++)
			feed_piece(&(struct piece){ .is_ip6 = id == 2,
						    .id = id,
						    .off = 8 * k,
						    .len = 8,
						    .more = k < 2 });
	}
	assert_int_equal(upper.n, 3);
	for (size_t i = 0; i < 3; i++)
		assert_whole(i, 24);
}

/* RFC 791: the protocol is part of what names an IPv4 packet. */
static void protocols_are_told_apart(void **state)
{
	(void)state;
	feed_piece(&(struct piece){ .id = 1, .len = 8, .more = true });
	feed_piece(&(struct piece){ .id = 1, .proto = 1, .off = 8, .len = 8 });
	assert_int_equal(upper.n, 0);
	feed_piece(&(struct piece){ .id = 1, .off = 8, .len = 8 });
	assert_int_equal(upper.n, 1);
	assert_stats(1, 0, 1);
}

static void what_is_sent_twice_counts_once(void **state)
{
	(void)state;
	feed4(8, 8, true);
	feed4(8, 8, true);
	feed4(16, 3, false);
	feed4(16, 3, false);
	feed4(8, 8, true);
	assert_int_equal(upper.n, 0);
	feed4(0, 8, true);
	assert_int_equal(upper.n, 1);
	assert_whole(0, 19);
	assert_stats(1, 0, 0);
}

/* The packet that was given up takes its late fragments with it, until its time is over. */
static void assert_given_up(void)
{
	assert_stats(0, 1, 0);
	assert_int_equal(weft_protocol_count(ip, WEFT_OUTCOME_DROP_FRAGMENT), 1);
	feed4(0, 8, true);
	feed4(8, 8, true);
	feed4(16, 8, false);
	assert_int_equal(upper.n, 0);
	assert_int_equal(weft_protocol_count(ip, WEFT_OUTCOME_DROP_FRAGMENT), 4);
	for (size_t k = 0; k < 3; k++)
		feed_piece(&(struct piece){ .id = 1,
					    .off = 8 * k,
					    .len = 8,
					    .more = k < 2,
					    .now = 2 * SECOND });
	assert_whole(0, 24);
	assert_stats(1, 1, 0);
}

static void an_overlap_ends_the_packet(void **state)
{
	(void)state;
	feed4(0, 16, true);
	feed4(8, 16, true);
	assert_given_up();
}

static void other_bytes_in_the_same_place_end_the_packet(void **state)
{
	const struct piece p = { .id = 1, .off = 0, .len = 8, .more = true };
	(void)state;
	feed4(0, 8, true);
	feed_bytes(&p, payload_from(1, 8));
	assert_given_up();
}

static void two_ends_end_the_packet(void **state)
{
	(void)state;
	feed4(16, 8, false);
	feed4(24, 8, false);
	assert_given_up();
}

/* The last fragment says that the packet ends inside of what is there already. */
static void an_end_before_what_is_there_ends_the_packet(void **state)
{
	(void)state;
	feed4(16, 8, true);
	feed4(8, 8, false);
	assert_given_up();
}

static void a_fragment_behind_the_end_ends_the_packet(void **state)
{
	(void)state;
	feed4(8, 8, false);
	feed4(16, 8, true);
	assert_given_up();
}

/* Its block is there, but not all of its bytes. */
static void a_fragment_over_a_shorter_end_ends_the_packet(void **state)
{
	(void)state;
	feed4(16, 3, false);
	feed4(16, 8, true);
	assert_given_up();
}

/* The teardrop: a last fragment that shrinks a block which is there. */
static void a_last_fragment_within_another_ends_the_packet(void **state)
{
	(void)state;
	feed4(0, 16, true);
	feed4(8, 4, false);
	assert_given_up();
}

static void impossible_fragments_are_counted(void **state)
{
	(void)state;
	feed4(0, 9, true);      /* not a multiple of 8 */
	feed4(8, 0, false);     /* nothing */
	feed4(65528, 8, false); /* beyond what any packet can be */
	feed_piece(&(struct piece){ .is_ip6 = true, .off = 8, .len = 9, .more = true });
	assert_outcome(ip, WEFT_OUTCOME_DROP_MALFORMED, 4);
	assert_stats(0, 0, 0);
}

/* 65,535 bytes with the header, and not one more. */
static void the_longest_packet_is_put_together(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		size_t rest = 65515 - 65000 + round;
		feed4(65000, rest, false);
		for (size_t off = 0; off < 65000; off += 1000)
			feed4(off, 1000, true);
	}
	assert_int_equal(upper.n, 1);
	assert_whole(0, 65515);
	assert_int_equal(weft_protocol_count(ip, WEFT_OUTCOME_DROP_FRAGMENT), 1);
	recorder_clear(&upper);
	for (size_t off = 0; off < 65535; off += 21848)
		feed_piece(&(struct piece){ .is_ip6 = true,
					    .off = off,
					    .len = off < 43696 ? 21848 : 65535 - off,
					    .more = off < 43696 });
	assert_whole(0, 65535);
}

static void time_ends_what_does_not_come_together(void **state)
{
	const struct piece early = {
		.id = 1, .off = 0, .len = 8, .more = true, .now = 1
	};
	struct piece late = { .id = 1, .off = 8, .len = 8, .now = 2 * SECOND };
	(void)state;
	feed_piece(&early);
	feed_piece(&late);
	assert_whole(0, 16);
	feed_piece(&early);
	late.now = 2 * SECOND + 1;
	feed_piece(&late);
	assert_int_equal(upper.n, 1);
	assert_stats(1, 1, 1);
}

static void the_oldest_makes_room(void **state)
{
	(void)state;
	for (uint32_t id = 1; id <= 4; id++)
		feed_piece(&(struct piece){ .id = id, .len = 8, .more = true });
	assert_stats(0, 1, 3);
	for (uint32_t id = 4; id >= 2; id--)
		feed_piece(&(struct piece){ .id = id, .off = 8, .len = 8 });
	assert_int_equal(upper.n, 3);
	assert_stats(3, 1, 0);
}

/* RFC 6946: a fragment that is all there is waits for nobody. */
static void a_fragment_that_is_all_is_a_packet(void **state)
{
	(void)state;
	feed_piece(&(struct piece){ .is_ip6 = true, .id = 1, .len = 16, .more = true });
	feed_piece(&(struct piece){ .is_ip6 = true, .id = 1, .len = 5 });
	assert_int_equal(upper.n, 1);
	assert_int_equal(upper.records[0].len, 5);
	assert_false(upper.records[0].ip.reassembled);
	assert_stats(0, 0, 1);
}

/* Destination options behind the fragment header, cut in two by it. */
static void extension_headers_of_the_whole_are_no_payload(void **state)
{
	const struct compose c = { .src = test_ip("2001:db8::1"),
				   .dst = test_ip("2001:db8::2"),
				   .proto = 44 };
	/* Fragment header: next is 60, offset and M, id; then options of 8 bytes. */
	const uint8_t first[] = { 60, 0, 0, 1, 0, 0, 0, 7, 17, 0, 1, 4, 0, 0, 0, 0 };
	const uint8_t last[] = { 60, 0, 0, 8, 0, 0, 0, 7, 'h', 'e', 'l', 'l', 'o' };
	uint8_t packet[200];
	(void)state;
	int len = compose_ip(&c, first, sizeof(first), packet, sizeof(packet));
	feed(ip, packet, (size_t)len);
	len = compose_ip(&c, last, sizeof(last), packet, sizeof(packet));
	feed(ip, packet, (size_t)len);
	assert_record(&upper, 0, "hello");
	assert_int_equal(upper.records[0].ip.proto, 17);
	assert_int_equal(upper.records[0].ip.hdr_len, 48);
}

/* What was cut at the port is no fragment that can be kept. */
static void a_partial_fragment_is_dropped(void **state)
{
	const struct ip4_fields fields = { .frag = 0x2000 };
	uint8_t packet[100];
	(void)state;
	size_t len = put_ip4(packet, &fields, payload_from(0, 16), 16);
	feed_partial(ip, packet, len - 8);
	assert_outcome(ip, WEFT_OUTCOME_DROP_CUT, 1);
	assert_stats(0, 0, 0);
}

/* ---- at random --------------------------------------------------------------------------- */

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

#define PIECES_MAX 24u

/* Cuts a packet of len bytes at random places, repeats some pieces, and mixes them. */
static size_t cut(uint64_t *seed, size_t len, struct piece pieces[PIECES_MAX])
{
	size_t n = 0;
	size_t off = 0;
	while (off < len) {
		size_t step = 8 * (1 + next_random(seed) % (len / 60 + 1));
		bool is_last = n == PIECES_MAX / 2 - 1 || off + step >= len;
		pieces[n++] = (struct piece){ .off = off,
					      .len = is_last ? len - off : step,
					      .more = !is_last };
		off = is_last ? len : off + step;
	}
	for (size_t i = n, once = n; i < PIECES_MAX && next_random(seed) % 3; i++)
		pieces[n++] = pieces[next_random(seed) % once];
	for (size_t i = n - 1; i > 0; i--) {
		size_t j = next_random(seed) % (i + 1);
		struct piece other = pieces[i];
		pieces[i] = pieces[j];
		pieces[j] = other;
	}
	return n;
}

/* What is there of a packet, byte by byte. */
struct model {
	bool have[4000];
	size_t len, missing;
};

static void model_begin(struct model *m, size_t len)
{
	*m = (struct model){ .len = len, .missing = len };
}

/* True if this was the last that was missing; what comes then begins another packet. */
static bool model_add(struct model *m, const struct piece *p)
{
	for (size_t at = p->off; at < p->off + p->len; at++) {
		m->missing -= !m->have[at];
		m->have[at] = true;
	}
	if (m->missing > 0)
		return false;
	model_begin(m, m->len);
	return true;
}

/* However a packet was cut and mixed, it comes out just when its last byte has come. */
static void any_cut_comes_together(void **state)
{
	static struct model model;
	uint64_t seed = test_seed() | 1;
	(void)state;
	for (unsigned round = 0; round < 2000; round++) {
		struct piece pieces[PIECES_MAX];
		size_t len = 9 + next_random(&seed) % 3900;
		size_t n = cut(&seed, len, pieces);
		size_t expected = 0;
		model_begin(&model, len);
		recorder_clear(&upper);
		for (size_t i = 0; i < n; i++) {
			pieces[i].is_ip6 = round % 2;
			pieces[i].id = round;
			pieces[i].now = round * 3 * SECOND;
			feed_piece(&pieces[i]);
			expected += model_add(&model, &pieces[i]);
			assert_int_equal(upper.n, expected);
		}
		assert_true(expected > 0);
		for (size_t i = 0; i < expected; i++) {
			assert_int_equal(upper.records[i].len, len);
			assert_memory_equal(upper.records[i].data, payload_from(0, len),
					    len);
		}
	}
	assert_int_equal(weft_protocol_count(ip, WEFT_OUTCOME_DROP_FRAGMENT), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(fragments_come_together_in_any_order),
		TEST(packets_are_told_apart),
		TEST(protocols_are_told_apart),
		TEST(what_is_sent_twice_counts_once),
		TEST(an_overlap_ends_the_packet),
		TEST(other_bytes_in_the_same_place_end_the_packet),
		TEST(two_ends_end_the_packet),
		TEST(an_end_before_what_is_there_ends_the_packet),
		TEST(a_fragment_behind_the_end_ends_the_packet),
		TEST(a_fragment_over_a_shorter_end_ends_the_packet),
		TEST(a_last_fragment_within_another_ends_the_packet),
		TEST(impossible_fragments_are_counted),
		TEST(the_longest_packet_is_put_together),
		TEST(time_ends_what_does_not_come_together),
		TEST(the_oldest_makes_room),
		TEST(a_fragment_that_is_all_is_a_packet),
		TEST(extension_headers_of_the_whole_are_no_payload),
		TEST(a_partial_fragment_is_dropped),
		TEST(any_cut_comes_together),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
