/* SPDX-License-Identifier: MIT */
/*
 * Two ends with three lanes and both directions, and everything that can happen to a stream: it
 * is cut, swallowed, silent, or full of garbage, and clocks jump. What comes next arrives whole.
 *
 *     end 0:  tx 0, 1, 2 ----> rx 0, 1, 2  :end 1
 *             rx 0, 1, 2 <---- tx 0, 1, 2
 */
#include "../unit.h"
#include "base/rng.h"
#include "fake_http.h"
#include "packets.h"
#include "tunnel/duplex.h"
#include "wire/tunnel.h"

#include <errno.h>

#define START  (1000 * S)
#define LIFE   (3600 * S)
#define ROOM   8192u
#define LANES  3u
#define PACKET 60u
#define RECORD (PACKET + TUNNEL_LEN)
#define PROBE  (sizeof("{\"type\":\"probe\",\"id\":1}") - 1 + TUNNEL_LEN)

static const uint8_t secret[16] = { 9 };

struct end {
	struct duplex duplex;
	struct http_stream tx[LANES], rx[LANES];
	unsigned received;
	uint32_t number; /* of the last packet */
};

struct fixture {
	struct end ends[2];
	uint16_t flows[LANES]; /* one that goes by each lane */
	uint32_t number;
	uint8_t wire[ROOM], packet[ROOM];
};

static void receive(void *user, struct weft_link *link, const struct weft_frame *frames,
		    size_t n, uint64_t now)
{
	struct end *end = user;
	(void)link;
	(void)now;
	for (size_t i = 0; i < n; i++) {
		end->received++;
		end->number = packet_number(frames[i].data);
		assert_int_equal(frames[i].len, PACKET);
	}
}

static void open_lane(struct fixture *f, unsigned lane, uint64_t now)
{
	for (unsigned i = 0; i < 2; i++) {
		struct end *end = &f->ends[i];
		end->tx[lane] = (struct http_stream){ .is_woken = false };
		end->rx[lane] = (struct http_stream){ .is_woken = false };
		duplex_set_tx(&end->duplex, lane, &end->tx[lane], LIFE, now);
		duplex_set_rx(&end->duplex, lane, &end->rx[lane], now);
	}
}

/* Sends a packet of a flow, with the next number. */
static void say(struct fixture *f, unsigned from, uint16_t flow, uint64_t now)
{
	struct weft_frame packet =
		packet_of_flow(f->packet + WEFT_HEADROOM, PACKET, flow, ++f->number, 0);
	packet.headroom = WEFT_HEADROOM;
	weft_link_send(&f->ends[from].duplex.link, &packet, 1, now);
}

/* Puts out at most len bytes of a lane, and takes them in at the other end. Returns how many. */
static size_t carry(struct fixture *f, unsigned from, unsigned lane, size_t len,
		    uint64_t now)
{
	struct end *a = &f->ends[from], *b = &f->ends[1 - from];
	int n = duplex_output(&a->duplex, &a->tx[lane], f->wire, len, now);
	if (n == -EPIPE)
		return 0; /* its life is over, by a clock that has jumped */
	assert_true(n >= 0);
	duplex_input(&b->duplex, &b->rx[lane], f->wire, (size_t)n, now);
	return (size_t)n;
}

static void find_flows(struct fixture *f)
{
	for (unsigned lane = 0; lane < LANES; lane++)
		for (uint16_t flow = 1; f->flows[lane] == 0; flow++) {
			f->ends[0].tx[lane].is_woken = false;
			say(f, 0, flow, START);
			if (f->ends[0].tx[lane].is_woken)
				f->flows[lane] = flow;
			for (unsigned i = 0; i < LANES; i++)
				(void)carry(f, 0, i, ROOM, START);
		}
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	if (!f)
		return -1;
	for (unsigned i = 0; i < 2; i++) {
		struct end *end = &f->ends[i];
		duplex_init(&end->duplex, "end", WEFT_TUNNEL_IP, secret);
		duplex_set_lanes(&end->duplex, LANES);
		weft_link_on_receive(&end->duplex.link, receive, end);
	}
	for (unsigned lane = 0; lane < LANES; lane++)
		open_lane(f, lane, START);
	find_flows(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	duplex_fini(&f->ends[0].duplex);
	duplex_fini(&f->ends[1].duplex);
	free(f);
	return 0;
}

/* Both streams of a lane are lost, at both ends, and made anew. */
static void lose_lane(struct fixture *f, unsigned lane, uint64_t now)
{
	for (unsigned i = 0; i < 2; i++) {
		struct end *end = &f->ends[i];
		assert_true(duplex_closed(&end->duplex, &end->tx[lane], now));
		assert_true(duplex_closed(&end->duplex, &end->rx[lane], now));
	}
	open_lane(f, lane, now);
}

/* A packet arrives alone, by any of the lanes. */
static void expect_crossing(struct fixture *f, unsigned from, uint16_t flow, uint64_t now)
{
	struct end *to = &f->ends[1 - from];
	to->received = 0;
	say(f, from, flow, now);
	for (unsigned i = 0; i < LANES; i++)
		(void)carry(f, from, i, ROOM, now);
	assert_int_equal(to->received, 1);
	assert_int_equal(to->number, f->number);
}

static void expect_all_is_well(struct fixture *f, uint64_t now)
{
	for (unsigned from = 0; from < 2; from++)
		for (unsigned lane = 0; lane < LANES; lane++)
			expect_crossing(f, from, f->flows[lane], now);
}

/* ---- cut --------------------------------------------------------------------------------- */

static void cut_at(struct fixture *f, unsigned from, unsigned lane, size_t cut)
{
	say(f, from, f->flows[lane], START);
	assert_int_equal(carry(f, from, lane, cut, START), cut);
	lose_lane(f, lane, START);
	expect_all_is_well(f, START);
}

static void each_lane_may_be_cut_at_every_offset_of_a_record(void **state)
{
	struct fixture *f = *state;
	for (unsigned from = 0; from < 2; from++)
		for (unsigned lane = 0; lane < LANES; lane++)
			for (size_t cut = 1; cut < RECORD; cut++)
				cut_at(f, from, lane, cut);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(f->ends[i].duplex.broken, 0);
		assert_int_equal(f->ends[i].duplex.outbox.dropped_cut,
				 LANES * (RECORD - 1));
	}
}

/* The probe of one lane; those of the others arrive. */
static void a_control_record_may_be_cut_at_every_offset(void **state)
{
	struct fixture *f = *state;
	uint64_t now = START;
	duplex_set_extended(&f->ends[0].duplex, true);
	duplex_set_extended(&f->ends[1].duplex, true);
	for (size_t cut = 1; cut < PROBE; cut++, now += 20 * S) {
		duplex_tick(&f->ends[0].duplex, now);
		assert_int_equal(carry(f, 0, 0, cut, now), cut);
		lose_lane(f, 0, now);
		expect_all_is_well(f, now);
	}
	assert_int_equal(f->ends[1].duplex.broken, 0);
	assert_int_equal(f->ends[1].duplex.rx_controls, (LANES - 1) * (PROBE - 1));
}

/* ---- silent ------------------------------------------------------------------------------ */

static void silence_counts_from_what_came_last(void **state)
{
	struct fixture *f = *state;
	const struct duplex *d = &f->ends[1].duplex;
	for (unsigned lane = 0; lane < LANES; lane++) {
		say(f, 0, f->flows[lane], START + lane * S);
		assert_int_equal(carry(f, 0, lane, ROOM, START + lane * S), RECORD);
	}
	for (unsigned lane = 0; lane < LANES; lane++) {
		assert_int_equal(duplex_silence(d, lane, START + 60 * S),
				 (60 - lane) * S);
		lose_lane(f, lane, START + 60 * S);
		assert_int_equal(duplex_silence(d, lane, START + 61 * S), S);
	}
}

/* So is a path where nothing is wrong: pings break the silence in time, on each lane. */
static void an_idle_path_is_never_silent_for_a_minute(void **state)
{
	struct fixture *f = *state;
	for (uint64_t now = START; now < START + 1000 * S; now += S)
		for (unsigned lane = 0; lane < LANES; lane++) {
			duplex_tick(&f->ends[0].duplex, now);
			(void)carry(f, 0, lane, ROOM, now);
			assert_true(duplex_silence(&f->ends[1].duplex, lane, now) <
				    60 * S);
		}
}

/* ---- swallowed --------------------------------------------------------------------------- */

#define NO_LANE LANES

/* A second at both ends; what end 0 says by a lane, or none, is swallowed. */
static void pass_second(struct fixture *f, unsigned swallowed, uint64_t now)
{
	struct end *a = &f->ends[0];
	duplex_tick(&a->duplex, now);
	for (unsigned lane = 0; lane < LANES; lane++)
		if (lane == swallowed)
			(void)duplex_output(&a->duplex, &a->tx[lane], f->wire, ROOM, now);
		else
			(void)carry(f, 0, lane, ROOM, now);
	duplex_tick(&f->ends[1].duplex, now);
	for (unsigned lane = 0; lane < LANES; lane++)
		(void)carry(f, 1, lane, ROOM, now);
}

/* Every lane but one, or none, is answered. */
static void expect_answers(struct fixture *f, unsigned but, uint64_t now)
{
	for (unsigned lane = 0; lane < LANES; lane++)
		if (lane != but)
			assert_int_equal(duplex_unanswered(&f->ends[0].duplex, lane, now),
					 0);
}

static void swallow(struct fixture *f, unsigned lane, uint64_t begin)
{
	struct end *a = &f->ends[0];
	uint64_t now = begin;
	for (; now < begin + 80 * S; now += S) {
		pass_second(f, lane, now);
		expect_answers(f, lane, now);
	}
	assert_true(duplex_unanswered(&a->duplex, lane, now) >= 60 * S);
	assert_true(duplex_silence(&a->duplex, lane, now) < 20 * S);

	duplex_abort_tx(&a->duplex, lane);
	for (unsigned i = 0; i < LANES; i++)
		assert_int_equal(a->tx[i].is_aborted, i == lane);
	lose_lane(f, lane, now);
	for (; now < begin + 300 * S; now += S) {
		pass_second(f, NO_LANE, now);
		expect_answers(f, NO_LANE, now);
	}
}

static void a_swallowed_upload_shows_while_the_download_goes_on(void **state)
{
	struct fixture *f = *state;
	uint64_t now = START;
	duplex_set_extended(&f->ends[0].duplex, true);
	duplex_set_extended(&f->ends[1].duplex, true);
	for (; now < START + 300 * S; now += S) {
		pass_second(f, NO_LANE, now);
		expect_answers(f, NO_LANE, now);
	}
	for (unsigned lane = 0; lane < LANES; lane++, now += 300 * S)
		swallow(f, lane, now);
	assert_int_equal(f->ends[0].duplex.rx_controls_bad, 0);
}

/* Nothing is heard by its answers' lane: they come by another, and count for the lane asked. */
static void an_answer_may_come_by_another_lane(void **state)
{
	struct fixture *f = *state;
	uint64_t now = START;
	duplex_set_extended(&f->ends[0].duplex, true);
	duplex_set_extended(&f->ends[1].duplex, true);
	assert_true(duplex_closed(&f->ends[1].duplex, &f->ends[1].tx[1], now));
	for (; now < START + 100 * S; now += S) {
		duplex_tick(&f->ends[0].duplex, now);
		for (unsigned lane = 0; lane < LANES; lane++)
			(void)carry(f, 0, lane, ROOM, now);
		(void)carry(f, 1, 0, ROOM, now);
		(void)carry(f, 1, 2, ROOM, now);
		expect_answers(f, NO_LANE, now);
	}
	assert_int_equal(f->ends[0].duplex.rx_controls_bad, 0);
}

/* What one takes nothing of leaves room for what the others have to say. */
static void a_lane_that_takes_nothing_keeps_nobody_from_asking(void **state)
{
	struct fixture *f = *state;
	duplex_set_extended(&f->ends[0].duplex, true);
	for (uint64_t now = START; now < START + 3600 * S; now += S) {
		duplex_tick(&f->ends[0].duplex, now);
		(void)carry(f, 0, 2, ROOM, now);
	}
	assert_int_equal(f->ends[0].duplex.outbox.control_n, LANES - 1);
	assert_int_equal(f->ends[0].duplex.outbox.dropped_control, 0);
}

/* It answers no probe, and is not blamed for that. */
static void an_old_peer_need_not_answer(void **state)
{
	struct fixture *f = *state;
	for (uint64_t now = START; now < START + 300 * S; now += S) {
		pass_second(f, NO_LANE, now);
		expect_answers(f, NO_LANE, now);
	}
}

/* ---- garbage and clocks ------------------------------------------------------------------ */

static void garbage_ends_its_own_stream_at_most(void **state)
{
	struct fixture *f = *state;
	struct rng rng;
	rng_init(&rng, 20261);
	for (unsigned round = 0; round < 2000; round++) {
		const unsigned lane = (unsigned)rng_below(&rng, LANES);
		const size_t len = 2 + (size_t)rng_below(&rng, 500);
		for (size_t i = 0; i < len; i++)
			f->wire[i] = (uint8_t)rng_below(&rng, 256);
		f->wire[1] = 0; /* a record that has its end within */
		weft_link_on_receive(&f->ends[1].duplex.link, NULL, NULL);
		duplex_input(&f->ends[1].duplex, &f->ends[1].rx[lane], f->wire, len,
			     START);
		weft_link_on_receive(&f->ends[1].duplex.link, receive, &f->ends[1]);
		lose_lane(f, lane, START);
		expect_all_is_well(f, START);
	}
	assert_true(f->ends[1].duplex.broken > 100);
}

static void clocks_may_jump(void **state)
{
	static const int64_t jumps_s[] = { 1000000, -999000, 86400, -1, -86000, 59, 61 };
	struct fixture *f = *state;
	uint64_t now = START;
	duplex_set_extended(&f->ends[0].duplex, true);
	duplex_set_extended(&f->ends[1].duplex, true);
	for (size_t i = 0; i < sizeof(jumps_s) / sizeof(jumps_s[0]); i++) {
		now = (uint64_t)((int64_t)now + jumps_s[i] * (int64_t)S);
		pass_second(f, NO_LANE, now);
		for (unsigned lane = 0; lane < LANES; lane++)
			lose_lane(f, lane, now);
		expect_all_is_well(f, now);
		expect_answers(f, NO_LANE, now - S);
	}
	assert_int_equal(f->ends[0].duplex.broken + f->ends[1].duplex.broken, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_lane_may_be_cut_at_every_offset_of_a_record),
		TEST(a_control_record_may_be_cut_at_every_offset),
		TEST(silence_counts_from_what_came_last),
		TEST(an_idle_path_is_never_silent_for_a_minute),
		TEST(a_swallowed_upload_shows_while_the_download_goes_on),
		TEST(an_answer_may_come_by_another_lane),
		TEST(a_lane_that_takes_nothing_keeps_nobody_from_asking),
		TEST(an_old_peer_need_not_answer),
		TEST(garbage_ends_its_own_stream_at_most),
		TEST(clocks_may_jump),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
