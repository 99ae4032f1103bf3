/* SPDX-License-Identifier: MIT */
/*
 *   near end  --tx-->  [ impair around one end of a pair ]  <--rx--  far end
 */
#include "link/impair.h"

#include "../unit.h"
#include "inbox.h"
#include "traffic.h"

#include <errno.h>

#define MS UINT64_C(1000000)

static struct weft_link *near, *far;
static struct inbox near_box, far_box;

static void start(struct impair_opts opts)
{
	struct weft_link *inner;
	assert_int_equal(weft_link_pair(64, &inner, &far), 0);
	assert_int_equal(impair_new(&opts, inner, &near), 0);
	weft_link_on_receive(near, inbox_receive, &near_box);
	weft_link_on_receive(far, inbox_receive, &far_box);
}

static int teardown(void **state)
{
	(void)state;
	weft_link_free(near);
	weft_link_free(far);
	inbox_clear(&near_box);
	inbox_clear(&far_box);
	return 0;
}

static void send_number(struct weft_link *link, uint32_t number, uint64_t now)
{
	uint8_t buf[100];
	struct weft_frame frame = numbered_frame(buf, sizeof(buf), number);
	weft_link_send(link, &frame, 1, now);
}

/* Runs both links in virtual time, each at its deadline, up to the given time. */
static void run_until(uint64_t now, uint64_t end)
{
	for (;;) {
		uint64_t at = link_deadline(near), other = link_deadline(far);
		struct weft_link *link = at <= other ? near : far;
		at = at <= other ? at : other;
		if (at > end)
			return;
		now = at > now ? at : now;
		link_run_at(link, now);
	}
}

static void both_ways_are_delayed(void **state)
{
	(void)state;
	start((struct impair_opts){ .line.delay_ns = 10 * MS });
	send_number(near, 1, 100);
	send_number(far, 2, 100);
	run_until(100, 100 * MS);
	assert_int_equal(far_box.n, 1);
	assert_int_equal(far_box.times[0], 100 + 10 * MS);
	assert_int_equal(near_box.n, 1);
	assert_int_equal(near_box.times[0], 100 + 10 * MS);
}

static void one_way_leaves_the_other_alone(void **state)
{
	(void)state;
	start((struct impair_opts){ .line.delay_ns = 10 * MS, .dir = IMPAIR_TX });
	send_number(near, 1, 100);
	send_number(far, 2, 100);
	run_until(100, 100 * MS);
	assert_int_equal(far_box.times[0], 100 + 10 * MS);
	assert_int_equal(near_box.times[0], 100);
	teardown(state);

	start((struct impair_opts){ .line.delay_ns = 10 * MS, .dir = IMPAIR_RX });
	send_number(near, 1, 100);
	send_number(far, 2, 100);
	run_until(100, 100 * MS);
	assert_int_equal(far_box.times[0], 100);
	assert_int_equal(near_box.times[0], 100 + 10 * MS);
}

/* Lost on the way out is counted as dropped; on the way in it never came. */
static void losses_are_counted_once(void **state)
{
	(void)state;
	start((struct impair_opts){ .line.loss = 1.0 });
	send_number(near, 1, 1);
	send_number(far, 2, 1);
	run_until(1, MS);
	assert_int_equal(near_box.n + far_box.n, 0);
	assert_int_equal(weft_link_stats(near).tx_dropped, 1);
	assert_int_equal(weft_link_stats(near).rx_frames, 0);
	assert_int_equal(weft_link_stats(far).tx_dropped, 0);
}

/* The same numbers go both ways, and meet different fates. */
static void the_directions_draw_for_themselves(void **state)
{
	bool differs = false;
	(void)state;
	start((struct impair_opts){ .line.loss = 0.5, .line.seed = 5 });
	for (uint32_t i = 0; i < 60; i++) {
		send_number(near, i, 1);
		send_number(far, i, 1);
	}
	run_until(1, MS);
	assert_in_range(near_box.n, 10, 50);
	assert_in_range(far_box.n, 10, 50);
	for (size_t i = 0; i < near_box.n && i < far_box.n; i++)
		differs |= frame_number(&near_box.frames[i]) !=
			   frame_number(&far_box.frames[i]);
	assert_true(differs);
}

static const struct traffic super_tcp = {
	.ttl = 64,
	.flags = 0x10,
	.payload_len = 14480,
	.gso_size = 1448,
};

/* Chance strikes segments, not super-frames, whichever way they go. */
static void super_frames_are_cut_both_ways(void **state)
{
	static uint8_t buf[TRAFFIC_BUF_LEN];
	struct weft_frame frame = traffic_frame(&super_tcp, buf);
	(void)state;
	start((struct impair_opts){ .line.delay_ns = MS });
	weft_link_send(near, &frame, 1, 1);
	weft_link_send(far, &frame, 1, 1);
	run_until(1, 10 * MS);
	assert_int_equal(far_box.n, 10);
	assert_int_equal(near_box.n, 10);
	for (uint32_t i = 0; i < 10; i++) {
		struct traffic segment = traffic_segment(&super_tcp, i);
		struct weft_frame expected = traffic_frame(&segment, buf);
		assert_same_frame(&far_box.frames[i], &expected);
		assert_same_frame(&near_box.frames[i], &expected);
	}
}

static void the_way_that_is_not_impaired_is_not_cut(void **state)
{
	static uint8_t buf[TRAFFIC_BUF_LEN];
	struct weft_frame frame = traffic_frame(&super_tcp, buf);
	(void)state;
	start((struct impair_opts){ .line.delay_ns = MS, .dir = IMPAIR_RX });
	weft_link_send(near, &frame, 1, 1);
	run_until(1, 10 * MS);
	assert_int_equal(far_box.n, 1);
}

static void false_super_frames_are_counted(void **state)
{
	static uint8_t buf[TRAFFIC_BUF_LEN];
	struct weft_frame frame = traffic_frame(&super_tcp, buf);
	(void)state;
	start((struct impair_opts){ .line.delay_ns = MS });
	frame.offload.gso_size = 0;
	weft_link_send(far, &frame, 1, 1);
	run_until(1, 10 * MS);
	assert_int_equal(near_box.n, 0);
	assert_int_equal(weft_link_stats(near).rx_errors, 1);
}

static void it_goes_down_with_what_it_wraps(void **state)
{
	(void)state;
	start((struct impair_opts){ 0 });
	weft_link_free(far);
	far = NULL;
	assert_false(weft_link_is_down(near));
	link_run_at(near, 1);
	assert_true(weft_link_is_down(near));
}

/* Nothing may take what comes out of it for Ethernet. */
static void it_goes_around_a_link_that_is_open(void **state)
{
	struct weft_error err;
	(void)state;
	assert_int_equal(weft_link_pair(64, &near, &far), 0);
	assert_int_equal(
		weft_link_wrap("impair:delay=5ms:impair:delay=10ms", &err, &near), 0);
	weft_link_on_receive(far, inbox_receive, &far_box);
	send_number(near, 7, 100);
	run_until(100, 100 + 15 * MS - 1);
	assert_int_equal(far_box.n, 0);
	run_until(100, 100 + 16 * MS);
	assert_int_equal(far_box.n, 1);
	assert_int_equal(frame_number(&far_box.frames[0]), 7);
}

static void what_is_no_wrapper_goes_around_nothing(void **state)
{
	static const char *const wrong[] = { "", "tap", "tap:weft0",
					     "impair:loss=1%:tap:x", "impair:los=1%" };
	struct weft_error err;
	(void)state;
	assert_int_equal(weft_link_pair(64, &near, &far), 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct weft_link *link = near;
		assert_int_equal(weft_link_wrap(wrong[i], &err, &link), -EINVAL);
		assert_ptr_equal(link, near);
	}
}

static void ppp_stays_ppp(void **state)
{
	const struct impair_opts opts = { 0 };
	static struct recorder inner;
	(void)state;
	recorder_init(&inner, WEFT_LINK_PPP, false);
	assert_int_equal(impair_new(&opts, &inner.link, &near), 0);
	assert_int_equal(weft_link_caps(near).flags, WEFT_LINK_PPP);
	weft_link_free(near);
	near = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(both_ways_are_delayed, teardown),
		cmocka_unit_test_teardown(one_way_leaves_the_other_alone, teardown),
		cmocka_unit_test_teardown(losses_are_counted_once, teardown),
		cmocka_unit_test_teardown(the_directions_draw_for_themselves, teardown),
		cmocka_unit_test_teardown(super_frames_are_cut_both_ways, teardown),
		cmocka_unit_test_teardown(the_way_that_is_not_impaired_is_not_cut,
					  teardown),
		cmocka_unit_test_teardown(false_super_frames_are_counted, teardown),
		cmocka_unit_test_teardown(it_goes_down_with_what_it_wraps, teardown),
		cmocka_unit_test_teardown(it_goes_around_a_link_that_is_open, teardown),
		cmocka_unit_test_teardown(what_is_no_wrapper_goes_around_nothing,
					  teardown),
		cmocka_unit_test(ppp_stays_ppp),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
