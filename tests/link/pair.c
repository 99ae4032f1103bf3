/* SPDX-License-Identifier: MIT */
/*
 * Two ends in memory: order, bounds, and what a receiver may do meanwhile.
 */
#include "../unit.h"
#include "inbox.h"
#include "traffic.h"

#include <errno.h>
#include <string.h>

static struct weft_link *a, *b;
static struct inbox box;

static int setup(void **state)
{
	(void)state;
	assert_int_equal(weft_link_pair(8, &a, &b), 0);
	weft_link_on_receive(b, inbox_receive, &box);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	weft_link_free(a);
	weft_link_free(b);
	inbox_clear(&box);
	return 0;
}

static void send_numbers(struct weft_link *link, uint32_t first, uint32_t n)
{
	uint8_t buf[100];
	for (uint32_t i = 0; i < n; i++) {
		struct weft_frame frame = numbered_frame(buf, sizeof(buf), first + i);
		weft_link_send(link, &frame, 1, 1);
	}
}

static void what_goes_in_comes_out_at_the_next_run(void **state)
{
	(void)state;
	assert_true(link_deadline(b) == WEFT_NEVER);
	send_numbers(a, 1, 3);
	assert_int_equal(box.n, 0);
	assert_int_equal(link_deadline(b), 0);
	link_run_at(b, 7);
	assert_int_equal(box.n, 3);
	assert_int_equal(box.calls, 1);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(frame_number(&box.frames[i]), 1 + i);
		assert_int_equal(box.frames[i].headroom, WEFT_HEADROOM);
		assert_int_equal(box.times[i], 7);
	}
	assert_true(link_deadline(b) == WEFT_NEVER);
	assert_int_equal(weft_link_stats(b).rx_frames, 3);
	assert_int_equal(weft_link_stats(b).rx_bytes, 300);
}

static void a_full_queue_drops_the_newest(void **state)
{
	(void)state;
	send_numbers(a, 0, 11);
	link_run_at(b, 1);
	assert_int_equal(box.n, 8);
	assert_int_equal(frame_number(&box.frames[7]), 7);
	assert_int_equal(weft_link_stats(a).tx_frames, 8);
	assert_int_equal(weft_link_stats(a).tx_dropped, 3);
}

/* The ring wraps at every place, and slots are used again for longer and shorter frames. */
static void slots_are_used_again(void **state)
{
	static uint8_t buf[3000];
	(void)state;
	for (uint32_t round = 0; round < 40; round++) {
		inbox_clear(&box);
		for (uint32_t i = 0; i < 3; i++) {
			uint32_t len = 60 + (round * 7 + i * 911) % 2900;
			struct weft_frame frame = numbered_frame(buf, len, round * 3 + i);
			weft_link_send(a, &frame, 1, round);
		}
		link_run_at(b, round);
		assert_int_equal(box.n, 3);
		for (uint32_t i = 0; i < 3; i++) {
			assert_int_equal(frame_number(&box.frames[i]), round * 3 + i);
			assert_int_equal(box.frames[i].len,
					 60 + (round * 7 + i * 911) % 2900);
		}
	}
}

static void super_frames_travel_whole(void **state)
{
	static uint8_t buf[TRAFFIC_BUF_LEN];
	const struct traffic t = { .ttl = 64, .payload_len = 60000, .gso_size = 1448 };
	struct weft_frame frame = traffic_frame(&t, buf);
	(void)state;
	weft_link_send(a, &frame, 1, 1);
	link_run_at(b, 1);
	assert_int_equal(box.n, 1);
	assert_same_frame(&box.frames[0], &frame);
	assert_int_equal(box.frames[0].offload.csum_start, frame.offload.csum_start);
}

/* Sends back, and into its own queue, while frames of that queue are in its hands. */
static void echo(void *user, struct weft_link *link, const struct weft_frame *frames,
		 size_t n, uint64_t now)
{
	weft_link_send(link, frames, n, now);
	send_numbers(a, 100, 8);
	inbox_receive(user, link, frames, n, now);
}

static void a_receiver_may_send(void **state)
{
	(void)state;
	weft_link_on_receive(b, echo, &box);
	send_numbers(a, 0, 4);
	link_run_at(b, 1);
	assert_int_equal(box.n, 4);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(frame_number(&box.frames[i]), i);

	weft_link_on_receive(b, inbox_receive, &box);
	inbox_clear(&box);
	link_run_at(b, 2);
	assert_int_equal(box.n, 4); /* The queue had room for four of the eight. */
	assert_int_equal(frame_number(&box.frames[0]), 100);

	inbox_clear(&box);
	weft_link_on_receive(a, inbox_receive, &box);
	link_run_at(a, 3);
	assert_int_equal(box.n, 4);
}

static void the_end_is_down_when_the_other_is_gone_and_all_is_read(void **state)
{
	(void)state;
	send_numbers(a, 0, 2);
	weft_link_free(a);
	a = NULL;
	assert_false(weft_link_is_down(b));
	assert_int_equal(link_deadline(b), 0);
	link_run_at(b, 1);
	assert_int_equal(box.n, 2);
	assert_true(weft_link_is_down(b));
	assert_true(link_deadline(b) == WEFT_NEVER);
	send_numbers(b, 0, 1);
	assert_int_equal(weft_link_stats(b).tx_dropped, 1);
}

static void a_queue_of_nothing_is_refused(void **state)
{
	struct weft_link *x = NULL, *y = NULL;
	(void)state;
	assert_int_equal(weft_link_pair(0, &x, &y), -EINVAL);
	assert_null(x);
}

static void a_pair_without_ethernet_says_so(void **state)
{
	struct weft_link *x = NULL, *y = NULL;
	(void)state;
	assert_int_equal(weft_link_ip_pair(8, &x, &y), 0);
	assert_true(weft_link_caps(x).flags & WEFT_LINK_IP);
	assert_true(weft_link_caps(y).flags & WEFT_LINK_IP);
	weft_link_on_receive(y, inbox_receive, &box);
	send_numbers(x, 5, 1);
	link_run_at(y, 1);
	assert_int_equal(box.n, 1);
	assert_int_equal(frame_number(&box.frames[0]), 5);
	weft_link_free(x);
	weft_link_free(y);
	inbox_clear(&box);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_goes_in_comes_out_at_the_next_run,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_queue_drops_the_newest, setup,
						teardown),
		cmocka_unit_test_setup_teardown(slots_are_used_again, setup, teardown),
		cmocka_unit_test_setup_teardown(super_frames_travel_whole, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_receiver_may_send, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_end_is_down_when_the_other_is_gone_and_all_is_read, setup,
			teardown),
		cmocka_unit_test(a_queue_of_nothing_is_refused),
		cmocka_unit_test(a_pair_without_ethernet_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
