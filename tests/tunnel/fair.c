/* SPDX-License-Identifier: MIT */
/*
 * Flows in an outbox, in virtual time: who gets how much, how long it waits, and in what order
 * it comes, also while lanes come and go.
 */
#include "../unit.h"
#include "base/hash.h"
#include "base/rng.h"
#include "packets.h"
#include "tunnel/outbox.h"
#include "wire/flow_key.h"
#include "wire/tunnel.h"

#define START     (100 * S)
#define FLOWS_MAX 64u
#define ROOM      ((size_t)256 * 1024)
#define USUAL     1500u
#define ECT0      2u
#define CE        3u

static const uint8_t secret[16] = { 1, 2, 3 };

/* What of one flow came out. */
struct tally {
	uint64_t bytes, packets, marked;
	uint32_t last; /* number of the last one */
	bool is_in_order;
};

struct fixture {
	struct outbox q;
	uint8_t packet[65535], out[ROOM], record[OUTBOX_LANES_MAX][TUNNEL_RECORD_MAX];
	size_t record_len[OUTBOX_LANES_MAX];
	uint16_t flows[FLOWS_MAX]; /* none of which share a queue */
	struct tally tallies[FLOWS_MAX];
	uint32_t numbers[FLOWS_MAX];
	uint64_t now;
};

static unsigned bucket_of(struct fixture *f, uint16_t flow)
{
	uint8_t key[FLOW_KEY_MAX];
	struct weft_frame packet = packet_of_flow(f->packet, 100, flow, 0, 0);
	size_t len = flow_key(packet.data, packet.len, true, key);
	return (unsigned)(hash_bytes(secret, key, len) % OUTBOX_FLOWS);
}

static void choose_flows(struct fixture *f)
{
	bool taken[OUTBOX_FLOWS] = { false };
	unsigned n = 0;
	for (uint16_t flow = 1; n < FLOWS_MAX; flow++) {
		unsigned bucket = bucket_of(f, flow);
		if (!taken[bucket])
			f->flows[n++] = flow;
		taken[bucket] = true;
	}
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	if (!f)
		return -1;
	outbox_init(&f->q, secret, true);
	outbox_open(&f->q, 0);
	choose_flows(f);
	for (unsigned i = 0; i < FLOWS_MAX; i++)
		f->tallies[i].is_in_order = true;
	f->now = START;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	outbox_fini(&f->q);
	free(f);
	return 0;
}

static int push(struct fixture *f, unsigned i, uint32_t len, uint8_t ecn)
{
	struct weft_frame packet =
		packet_of_flow(f->packet, len, f->flows[i], ++f->numbers[i], ecn);
	return outbox_push(&f->q, &packet, f->now);
}

static void count(struct fixture *f, const uint8_t *packet, size_t len)
{
	unsigned i = 0;
	while (f->flows[i] != packet_flow(packet))
		i++;
	struct tally *t = &f->tallies[i];
	t->bytes += len;
	t->packets++;
	t->marked += (packet[1] & CE) == CE;
	t->is_in_order = t->is_in_order && packet_number(packet) > t->last;
	t->last = packet_number(packet);
}

/* Puts records together that come in pieces. */
static void take(struct fixture *f, unsigned lane, const uint8_t *data, size_t len)
{
	uint8_t *record = f->record[lane];
	size_t *have = &f->record_len[lane];
	while (len > 0) {
		size_t whole = TUNNEL_LEN;
		if (*have >= TUNNEL_LEN)
			whole += (size_t)(record[0] | record[1] << 8);
		size_t n = whole - *have < len ? whole - *have : len;
		memcpy(record + *have, data, n);
		*have += n;
		data += n;
		len -= n;
		if (*have < whole || whole == TUNNEL_LEN)
			continue;
		count(f, record + TUNNEL_LEN, whole - TUNNEL_LEN);
		*have = 0;
	}
}

static size_t put(struct fixture *f, unsigned lane, size_t len)
{
	size_t n = outbox_put(&f->q, lane, f->out, len, f->now);
	take(f, lane, f->out, n);
	return n;
}

/* Jain's index of what the first n flows got. */
static double jain(const struct fixture *f, unsigned n)
{
	double sum = 0, squares = 0;
	for (unsigned i = 0; i < n; i++) {
		double x = (double)f->tallies[i].bytes;
		sum += x;
		squares += x * x;
	}
	return sum * sum / (n * squares);
}

/* ---- shares ------------------------------------------------------------------------------ */

/* Twenty flows want twice what the line takes, by packets of very different lengths. */
static void bytes_are_shared_whatever_the_lengths(void **state)
{
	struct fixture *f = *state;
	static const uint32_t lens[] = { 200, 1500, 9000, 65000 };
	uint64_t offered[20] = { 0 };
	for (unsigned ms = 0; ms < 2000; ms++, f->now += MS) {
		for (unsigned i = 0; i < 20; i++)
			for (; offered[i] < (uint64_t)ms * 2500;
			     offered[i] += lens[i % 4])
				(void)push(f, i, lens[i % 4], 0);
		(void)put(f, 0, 25000);
	}
	assert_true(jain(f, 20) > 0.95);
	for (unsigned i = 0; i < 20; i++)
		assert_true(f->tallies[i].is_in_order);
}

/* One flow floods; another sends little, and nothing of that is lost or waits. */
static void who_sends_little_hardly_waits(void **state)
{
	struct fixture *f = *state;
	for (unsigned ms = 0; ms < 2000; ms++, f->now += MS) {
		(void)push(f, 1, 65000, 0);
		(void)put(f, 0, 12500);
		if (ms % 10 != 9)
			continue;
		(void)push(f, 0, 100, 0);
		for (unsigned more = 0; more < 6; more++, f->now += MS)
			(void)put(f, 0, 12500);
		assert_int_equal(f->tallies[0].last, f->numbers[0]);
	}
	assert_int_equal(f->tallies[0].packets, 200);
	assert_true(f->q.dropped_codel + f->q.dropped_old + f->q.dropped_full > 0);
}

/* Many that were empty do not keep waiting ones from their turn for ever. */
static void newcomers_do_not_starve_who_waits(void **state)
{
	struct fixture *f = *state;
	for (unsigned ms = 0; ms < 1000; ms++, f->now += MS) {
		(void)push(f, 0, USUAL, 0);
		for (unsigned i = 1; i < FLOWS_MAX; i++)
			(void)push(f, i, USUAL, 0);
		(void)put(f, 0, (size_t)30 * USUAL);
	}
	assert_true(jain(f, FLOWS_MAX) > 0.95);
}

/* ---- the queue of one sender ------------------------------------------------------------- */

/* A sender that halves what it has under way when it learns of a queue. */
struct sender {
	double window;
	uint64_t acked[20]; /* bytes that come back in so many ms */
	uint64_t flying, sent, lost_before, recover;
};

static void on_ack(struct sender *s, uint64_t lost, uint64_t marked, uint64_t ms)
{
	const bool is_told = lost + marked > s->lost_before;
	s->lost_before = lost + marked;
	if (is_told && ms >= s->recover) {
		s->window = s->window * 0.7;
		s->recover = ms + 40;
	}
	s->window += 400;
}

/*
 * 200 Mbit/s, 20 ms: 500 KB are a path full. Packets of len. Returns the share of the line that
 * was used in the second half; *ret_queue_ms is what waited then, on average.
 */
static double run_sender(struct fixture *f, uint32_t len, uint8_t ecn,
			 double *ret_queue_ms)
{
	struct sender s = { .window = 100000 };
	uint64_t used = 0, queue = 0, samples = 0, lost_bytes = 0;
	for (uint64_t ms = 0; ms < 8000; ms++, f->now += MS) {
		uint64_t dropped = f->q.dropped_codel + f->q.dropped_old;
		s.flying -= s.acked[ms % 20];
		s.acked[ms % 20] = 0;
		s.flying -= dropped * len - lost_bytes;
		lost_bytes = dropped * len;
		on_ack(&s, dropped, f->tallies[0].marked, ms);
		for (; (double)(s.flying + len) < s.window; s.flying += len)
			(void)push(f, 0, len, ecn);
		uint64_t before = f->tallies[0].bytes;
		size_t n = put(f, 0, 25000);
		s.acked[ms % 20] += f->tallies[0].bytes - before;
		used += ms >= 4000 ? n : 0;
		queue += ms >= 4000 ? f->q.len : 0;
		samples += ms >= 4000;
	}
	*ret_queue_ms = (double)queue / (double)samples / 25000;
	return (double)used / 4000 / 25000;
}

static void a_sender_is_told_before_its_queue_stands(void **state)
{
	struct fixture *f = *state;
	double queue_ms, used = run_sender(f, USUAL, 0, &queue_ms);
	assert_true(used > 0.9);
	assert_true(queue_ms < 12);
	assert_in_range(f->q.dropped_codel, 5, 2000);
	assert_int_equal(f->q.marked, 0);
}

static void who_understands_marks_loses_nothing(void **state)
{
	struct fixture *f = *state;
	double queue_ms, used = run_sender(f, USUAL, ECT0, &queue_ms);
	assert_true(used > 0.9);
	assert_true(queue_ms < 12);
	assert_int_equal(f->q.dropped_codel + f->q.dropped_old, 0);
	assert_int_equal(f->tallies[0].marked, f->q.marked);
	assert_true(f->q.marked > 5);
}

/* One super-frame takes 2.6 ms of this line: a queue of two is still none. */
static void super_frames_fill_the_line_as_well(void **state)
{
	struct fixture *f = *state;
	double queue_ms, used = run_sender(f, 65000, 0, &queue_ms);
	assert_true(used > 0.9);
	assert_true(queue_ms < 20);
	assert_in_range(f->q.dropped_codel, 2, 2000);
}

/* ---- no room ----------------------------------------------------------------------------- */

static void the_longest_queue_loses_where_there_is_no_room(void **state)
{
	struct fixture *f = *state;
	while (push(f, 0, 65000, 0) >= 0)
		;
	assert_int_equal(f->q.dropped_full, 1);
	for (unsigned i = 0; i < 100; i++)
		assert_true(push(f, 1, USUAL, 0) >= 0);
	assert_in_range(f->q.dropped_full, 2, 70);
	assert_true(f->q.len <= OUTBOX_LEN_MAX);
	(void)put(f, 0, ROOM);
	assert_true(f->tallies[1].packets > 80);
}

/* How long a queue is, and not what has gone through it. */
static void who_has_sent_much_loses_nothing(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 1000; i++) {
		(void)push(f, 2, 65000, 0);
		(void)put(f, 0, ROOM);
	}
	(void)push(f, 2, USUAL, 0);
	while (push(f, 0, 65000, 0) >= 0)
		;
	for (unsigned i = 0; i < 100; i++)
		assert_true(push(f, 1, USUAL, 0) >= 0);
	(void)put(f, 0, ROOM);
	assert_int_equal(f->tallies[2].packets, 1001);
}

/* ---- lanes ------------------------------------------------------------------------------- */

static void open_lanes(struct fixture *f, unsigned n)
{
	outbox_set_lanes(&f->q, n);
	for (unsigned i = 1; i < n; i++)
		outbox_open(&f->q, i);
}

static void a_flow_has_one_lane(void **state)
{
	struct fixture *f = *state;
	int lanes[FLOWS_MAX];
	unsigned used = 0;
	open_lanes(f, 4);
	for (unsigned i = 0; i < FLOWS_MAX; i++) {
		lanes[i] = push(f, i, USUAL, 0);
		used |= 1u << lanes[i];
	}
	assert_int_equal(used, 0xf);
	for (unsigned i = 0; i < FLOWS_MAX; i++)
		assert_int_equal(push(f, i, USUAL, 0), lanes[i]);
	for (unsigned lane = 0; lane < 4; lane++)
		while (put(f, lane, ROOM) > 0)
			assert_true(outbox_is_empty(&f->q, lane));
	for (unsigned i = 0; i < FLOWS_MAX; i++)
		assert_int_equal(f->tallies[i].packets, 2);
}

static void another_lane_takes_what_waits(void **state)
{
	struct fixture *f = *state;
	open_lanes(f, 2);
	for (unsigned i = 0; i < FLOWS_MAX; i++)
		(void)push(f, i, USUAL, 0);
	while (put(f, 0, ROOM) > 0)
		;
	outbox_close(&f->q, 1);
	assert_true(outbox_is_empty(&f->q, 1));
	assert_false(outbox_is_empty(&f->q, 0));
	for (unsigned i = 0; i < FLOWS_MAX; i++)
		assert_int_equal(push(f, i, USUAL, 0), 0);
	while (put(f, 0, ROOM) > 0)
		assert_true(outbox_is_empty(&f->q, 0));
	for (unsigned i = 0; i < FLOWS_MAX; i++)
		assert_int_equal(f->tallies[i].packets, 2);
}

/* While nobody is there each queue stands where its lane would be. */
static void the_first_lane_that_opens_takes_what_waits(void **state)
{
	struct fixture *f = *state;
	open_lanes(f, 4);
	for (unsigned lane = 0; lane < 4; lane++)
		outbox_close(&f->q, lane);
	for (unsigned i = 0; i < FLOWS_MAX; i++)
		(void)push(f, i, USUAL, 0);
	outbox_open(&f->q, 2);
	while (put(f, 2, ROOM) > 0)
		;
	for (unsigned i = 0; i < FLOWS_MAX; i++)
		assert_int_equal(f->tallies[i].packets, 1);
}

static void nothing_waits_for_a_lane_that_is_no_more(void **state)
{
	struct fixture *f = *state;
	open_lanes(f, 8);
	for (unsigned lane = 0; lane < 8; lane++)
		outbox_close(&f->q, lane);
	for (unsigned i = 0; i < FLOWS_MAX; i++)
		(void)push(f, i, USUAL, 0);
	outbox_set_lanes(&f->q, 2);
	for (unsigned i = 0; i < FLOWS_MAX; i++)
		assert_in_range(push(f, i, USUAL, 0), 0, 1);
}

/* What was half sent by a lane that ends is dropped; the rest comes, in its order. */
static void order_is_kept_while_lanes_come_and_go(void **state)
{
	struct fixture *f = *state;
	struct rng rng;
	bool is_open[4] = { true, true, true, true };
	rng_init(&rng, test_seed());
	open_lanes(f, 4);
	for (unsigned step = 0; step < 20000; step++, f->now += MS / 10) {
		unsigned lane = (unsigned)rng_below(&rng, 4);
		(void)push(f, (unsigned)rng_below(&rng, 16),
			   100 + (uint32_t)rng_below(&rng, 3000), 0);
		if (is_open[lane])
			(void)put(f, lane, 1 + rng_below(&rng, 6000));
		if (rng_below(&rng, 50) != 0)
			continue;
		is_open[lane] = !is_open[lane];
		f->record_len[lane] = 0;
		if (is_open[lane])
			outbox_open(&f->q, lane);
		else
			outbox_close(&f->q, lane);
	}
	for (unsigned lane = 0; lane < 4; lane++) {
		outbox_open(&f->q, lane);
		f->record_len[lane] = 0;
		while (put(f, lane, ROOM) > 0)
			;
	}
	uint64_t packets = f->q.dropped_cut + f->q.dropped_codel + f->q.dropped_old;
	for (unsigned i = 0; i < 16; i++) {
		assert_true(f->tallies[i].is_in_order);
		packets += f->tallies[i].packets;
	}
	assert_true(f->q.dropped_cut > 0);
	assert_int_equal(packets, 20000);
	assert_int_equal(f->q.len, 0);
}

static void fewer_lanes_take_over(void **state)
{
	struct fixture *f = *state;
	open_lanes(f, 8);
	for (unsigned i = 0; i < FLOWS_MAX; i++)
		(void)push(f, i, USUAL, 0);
	for (unsigned lane = 3; lane < 8; lane++)
		outbox_close(&f->q, lane);
	outbox_set_lanes(&f->q, 3);
	for (unsigned lane = 0; lane < 3; lane++) {
		assert_false(outbox_is_empty(&f->q, lane));
		while (put(f, lane, ROOM) > 0)
			;
	}
	for (unsigned i = 0; i < FLOWS_MAX; i++)
		assert_int_equal(f->tallies[i].packets, 1);
}

/* ---- control ----------------------------------------------------------------------------- */

static void control_goes_before_all_that_waits(void **state)
{
	struct fixture *f = *state;
	static const char text[] = "{\"type\":\"probe\",\"id\":1}";
	struct tunnel_unit unit;
	open_lanes(f, 2);
	outbox_close(&f->q, 0);
	for (unsigned i = 0; i < 20; i++)
		(void)push(f, i, USUAL, 0);
	(void)put(f, 1, 100);
	assert_int_equal(outbox_push_control(&f->q, 0, text, sizeof(text) - 1), 1);
	(void)put(f, 1, USUAL + TUNNEL_LEN - 100);
	assert_int_equal(f->record_len[1], 0);
	size_t n = outbox_put(&f->q, 1, f->out, ROOM, f->now);
	assert_int_equal(tunnel_decode(f->out, n, true, &unit), TUNNEL_CONTROL);
	assert_memory_equal(unit.frame.data, text, sizeof(text) - 1);
	assert_int_equal(n, unit.len + (size_t)19 * (USUAL + TUNNEL_LEN));
}

static void control_is_bounded(void **state)
{
	struct fixture *f = *state;
	static char text[65000];
	memset(text, ' ', sizeof(text));
	for (unsigned i = 0; i < OUTBOX_CONTROL_MAX; i++)
		assert_true(outbox_push_control(&f->q, 0, text, 20) >= 0);
	assert_true(outbox_push_control(&f->q, 0, text, 20) < 0);
	outbox_drop_control(&f->q);
	assert_true(outbox_is_empty(&f->q, 0));
	for (unsigned i = 0; i < OUTBOX_CONTROL_MAX; i++)
		assert_true(outbox_push_control(&f->q, 0, text, 20) >= 0);
	outbox_drop_control(&f->q);
	for (unsigned i = 0; i < 4; i++)
		assert_true(outbox_push_control(&f->q, 0, text, sizeof(text)) >= 0);
	assert_true(outbox_push_control(&f->q, 0, text, sizeof(text)) < 0);
	assert_int_equal(f->q.dropped_control, 2);
}

/* ---- memory ------------------------------------------------------------------------------ */

static void an_idle_outbox_has_no_memory(void **state)
{
	struct fixture *f = *state;
	(void)push(f, 0, USUAL, 0);
	outbox_trim(&f->q);
	assert_non_null(f->q.flows);
	while (put(f, 0, ROOM) > 0)
		;
	outbox_trim(&f->q);
	assert_null(f->q.flows);
	(void)push(f, 0, USUAL, 0);
	assert_int_equal(put(f, 0, ROOM), USUAL + TUNNEL_LEN);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bytes_are_shared_whatever_the_lengths),
		TEST(who_sends_little_hardly_waits),
		TEST(newcomers_do_not_starve_who_waits),
		TEST(a_sender_is_told_before_its_queue_stands),
		TEST(who_understands_marks_loses_nothing),
		TEST(super_frames_fill_the_line_as_well),
		TEST(the_longest_queue_loses_where_there_is_no_room),
		TEST(who_has_sent_much_loses_nothing),
		TEST(a_flow_has_one_lane),
		TEST(another_lane_takes_what_waits),
		TEST(the_first_lane_that_opens_takes_what_waits),
		TEST(nothing_waits_for_a_lane_that_is_no_more),
		TEST(order_is_kept_while_lanes_come_and_go),
		TEST(fewer_lanes_take_over),
		TEST(control_goes_before_all_that_waits),
		TEST(control_is_bounded),
		TEST(an_idle_outbox_has_no_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
