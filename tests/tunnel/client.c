/* SPDX-License-Identifier: MIT */
/*
 * A client's days: streams that grow old, fall silent, are swallowed or lost, one lane or all
 * of them, and clocks that jump; in virtual time.
 */
#include "tunnel/client.h"

#include "../unit.h"
#include "packets.h"
#include "world.h"

#define MINUTE (60 * S)
#define HOUR   (3600 * S)

/* Lost requests are made again after so long at most, and then carry packets. */
#define RETRY (10 * S)

static int setup_one(void **state)
{
	*state = world_new(1);
	return 0;
}

static int setup(void **state)
{
	*state = world_new(WORLD_LANES);
	return 0;
}

static int teardown(void **state)
{
	world_free(*state);
	return 0;
}

/* Connected, on all lanes; what was opened so far is forgotten. */
static void settle(struct world *w)
{
	world_run(w, 5 * S);
	world_expect_crossing(w);
	assert_int_equal(w->connects, w->disconnects + 1);
	w->opened[0] = w->opened[1] = 0;
	w->connects = w->disconnects = 0;
}

/* ---- an hour ----------------------------------------------------------------------------- */

/* An upload of one hour, give or take half of one, is followed by the next at once. */
static void an_upload_is_made_anew_by_the_hour(void **state)
{
	struct world *w = *state;
	settle(w);
	for (unsigned i = 0; i < 10; i++) {
		const struct wire *put = world_wire(w, true, 0);
		const uint64_t since = put->since;
		uint64_t now = w->now;
		while (world_wire(w, true, 0)->since == since) {
			now = w->now;
			world_run(w, S);
			assert_non_null(world_wire(w, true, 0));
		}
		assert_in_range(now - since, HOUR / 2 - 2 * S, HOUR * 3 / 2 + 2 * S);
		world_expect_crossing(w);
	}
}

/* They do not end together. */
static void uploads_of_lanes_live_differently(void **state)
{
	struct world *w = *state;
	uint64_t since[WORLD_LANES];
	settle(w);
	world_run(w, 6 * HOUR);
	for (unsigned i = 0; i < WORLD_LANES; i++)
		since[i] = world_wire(w, true, i)->since;
	for (unsigned i = 1; i < WORLD_LANES; i++)
		assert_int_not_equal(since[i], since[i - 1]);
}

/* The server ends a download after an hour: the next one is there before a packet misses it. */
static void a_download_is_asked_for_again_at_once(void **state)
{
	struct world *w = *state;
	settle(w);
	world_run(w, 24 * HOUR);
	assert_in_range(w->opened[0], 23, 24);
	assert_int_equal(w->disconnects, w->connects);
	assert_string_equal(w->reason, "a regular end");
	world_expect_crossing(w);
}

/* Of several lanes one at least is always there, and nobody is told of anything. */
static void a_day_of_several_lanes_is_one_connection(void **state)
{
	struct world *w = *state;
	settle(w);
	for (unsigned minute = 0; minute < 24 * 60; minute++) {
		world_run(w, MINUTE);
		world_expect_crossing(w);
	}
	assert_int_equal(w->disconnects, 0);
	assert_in_range(w->opened[0], WORLD_LANES * 23, WORLD_LANES * 28);
	assert_in_range(w->opened[1], WORLD_LANES * 16, WORLD_LANES * 48);
}

/* ---- silence ----------------------------------------------------------------------------- */

static void an_idle_server_is_no_silent_one(void **state)
{
	struct world *w = *state;
	settle(w);
	world_run(w, HOUR / 3);
	assert_int_equal(w->opened[0] + w->opened[1], 0);
}

static void a_minute_of_silence_is_the_end(void **state)
{
	struct world *w = *state;
	settle(w);
	w->is_mute = true;
	world_run(w, w->heard + 60 * S - 1 - w->now);
	assert_int_equal(w->disconnects, 0);
	assert_int_equal(w->opened[0], 0);
	world_run(w, 2 * S);
	assert_int_equal(w->disconnects, 1);
	assert_null(world_wire(w, false, 0));
	assert_null(world_wire(w, true, 0));
	w->is_mute = false;
	world_run(w, RETRY);
	world_expect_crossing(w);
	assert_int_equal(w->connects, 1);
}

/* It is asked again and again, and each time it has a minute to say something. */
static void a_server_that_stays_mute_is_left_each_minute(void **state)
{
	struct world *w = *state;
	settle(w);
	w->is_mute = true;
	world_run(w, HOUR);
	assert_in_range(w->disconnects, HOUR / (61 * S + RETRY), HOUR / (60 * S) + 1);
	w->is_mute = false;
	world_run(w, MINUTE + RETRY);
	world_expect_crossing(w);
}

static void a_silent_lane_is_made_anew_alone(void **state)
{
	struct world *w = *state;
	for (unsigned lane = 0; lane < WORLD_LANES; lane++) {
		settle(w);
		world_wire(w, false, lane)->is_swallowed = true;
		world_run(w, 61 * S + RETRY);
		assert_int_equal(w->opened[0], 1);
		assert_int_equal(w->opened[1], 1);
		assert_true(world_wire(w, false, lane)->since > w->now - MINUTE);
		assert_int_equal(w->disconnects, 0);
		world_expect_crossing(w);
		w->connects++; /* as settle expects */
	}
}

/* ---- swallowed --------------------------------------------------------------------------- */

static void a_swallowed_upload_is_made_anew_alone(void **state)
{
	struct world *w = *state;
	for (unsigned lane = 0; lane < WORLD_LANES; lane++) {
		settle(w);
		world_wire(w, true, lane)->is_swallowed = true;
		world_run(w, 72 * S + RETRY);
		assert_int_equal(w->opened[0], 0);
		assert_int_equal(w->opened[1], 1);
		assert_true(world_wire(w, true, lane)->since > w->now - MINUTE);
		assert_int_equal(w->disconnects, 0);
		world_expect_crossing(w);
		world_run(w, 5 * MINUTE);
		assert_int_equal(w->opened[1], 1);
		w->connects++; /* as settle expects */
	}
}

/* It answers no probe: nobody can tell, and nothing is broken off for that. */
static void an_original_server_need_not_answer(void **state)
{
	struct world *w = *state;
	w->is_original = true;
	settle(w);
	world_run(w, 20 * MINUTE);
	assert_int_equal(w->opened[0] + w->opened[1], 0);
	world_expect_crossing(w);
}

/* ---- lost -------------------------------------------------------------------------------- */

static void lose_all(struct world *w)
{
	for (size_t i = 0; i < WORLD_WIRES; i++)
		w->wires[i].client.is_aborted |= w->wires[i].is_used;
}

/* One request at a time, each 3 to 10 s after the one before. */
static void a_server_that_is_down_is_asked_with_patience(void **state)
{
	struct world *w = *state;
	settle(w);
	w->is_down = true;
	lose_all(w);
	world_run(w, HOUR);
	assert_int_equal(w->disconnects, 1);
	assert_string_equal(w->reason, "the connection is gone");
	assert_in_range(w->opened[0], HOUR / (10 * S), HOUR / (3 * S) + WORLD_LANES);
	assert_int_equal(w->opened[1], 0);
	w->is_down = false;
	world_run(w, RETRY);
	assert_int_equal(w->connects, 1);
	world_run(w, RETRY);
	for (unsigned lane = 0; lane < WORLD_LANES; lane++)
		assert_non_null(world_wire(w, true, lane));
	world_expect_crossing(w);
}

/* ---- clocks ------------------------------------------------------------------------------ */

/* It is back by itself, and asks no more often than at other times. */
static void expect_recovery(struct world *w, int64_t jump_s)
{
	world_jump(w, jump_s * (int64_t)S);
	w->runs = 0;
	w->opened[0] = w->opened[1] = 0;
	world_run(w, jump_s < 0 ? (uint64_t)-jump_s * S + RETRY : RETRY + 2 * S);
	world_expect_crossing(w);
	assert_true(w->opened[0] <= WORLD_LANES && w->opened[1] <= WORLD_LANES);
	assert_true(w->runs < 100);
	for (unsigned lane = 0; lane < WORLD_LANES; lane++) {
		assert_non_null(world_wire(w, false, lane));
		assert_non_null(world_wire(w, true, lane));
	}
}

static void clocks_may_jump(void **state)
{
	static const int64_t jumps_s[] = { 1,     30,  54,  60,       61,  HOUR / S,
					   86400, -1,  -30, 31536000, -45, 0,
					   3599,  120, 59,  -59 };
	struct world *w = *state;
	settle(w);
	for (size_t i = 0; i < sizeof(jumps_s) / sizeof(jumps_s[0]); i++)
		expect_recovery(w, jumps_s[i]);
}

/* The time that a request waits for is passed over as well. */
static void clocks_may_jump_while_nobody_is_there(void **state)
{
	static const int64_t jumps_s[] = { 1, 59, 61, 3600, 86400, -1, -5 };
	struct world *w = *state;
	for (size_t i = 0; i < sizeof(jumps_s) / sizeof(jumps_s[0]); i++) {
		world_run(w, RETRY);
		w->is_down = true;
		lose_all(w);
		world_run(w, S);
		world_jump(w, jumps_s[i] * (int64_t)S);
		world_run(w, S);
		w->is_down = false;
		world_run(w, 3 * RETRY);
		world_expect_crossing(w);
	}
}

/* ---- another configuration --------------------------------------------------------------- */

/* The way to another server is not that to the one before, which may lead into the tunnel. */
static void the_way_to_another_server_is_free(void **state)
{
	static const struct weft_tunnel_interface other = { .name = "tun0",
							    .streams = WORLD_LANES };
	struct world *w = *state;
	struct weft_error err;
	settle(w);
	assert_int_equal(w->releases, 0);
	assert_int_equal(client_prepare(w->client, &other, &err), 0);
	client_commit(w->client, w->now);
	assert_int_equal(w->releases, 1);
	world_run(w, RETRY);
	world_expect_crossing(w);
}

#define TEST(f)     cmocka_unit_test_setup_teardown(f, setup, teardown)
#define TEST_ONE(f) cmocka_unit_test_setup_teardown(f, setup_one, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ONE(an_upload_is_made_anew_by_the_hour),
		TEST(uploads_of_lanes_live_differently),
		TEST_ONE(a_download_is_asked_for_again_at_once),
		TEST(a_day_of_several_lanes_is_one_connection),
		TEST(an_idle_server_is_no_silent_one),
		TEST_ONE(a_minute_of_silence_is_the_end),
		TEST(a_server_that_stays_mute_is_left_each_minute),
		TEST(a_silent_lane_is_made_anew_alone),
		TEST(a_swallowed_upload_is_made_anew_alone),
		TEST_ONE(an_original_server_need_not_answer),
		TEST(a_server_that_is_down_is_asked_with_patience),
		TEST(clocks_may_jump),
		TEST(clocks_may_jump_while_nobody_is_there),
		TEST_ONE(the_way_to_another_server_is_free),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
