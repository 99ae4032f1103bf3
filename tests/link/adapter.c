/* SPDX-License-Identifier: MIT */
/*
 * What the driver sees of what is sent: a recorder stands in for it.
 */
#include "link/adapter.h"

#include "../unit.h"
#include "inbox.h"
#include "traffic.h"

#include <netinet/in.h>
#include <string.h>

#define ALL_OFFLOADS (WEFT_LINK_CSUM | WEFT_LINK_TSO4 | WEFT_LINK_TSO6 | WEFT_LINK_USO)
#define TCP_ACK      0x10u

static const struct traffic super_tcp = {
	.ttl = 64,
	.df = true,
	.sport = 4000,
	.flags = TCP_ACK,
	.window = 500,
	.payload_len = 14 * 1448, /* No short segment, which would end a merge. */
	.gso_size = 1448,
};

static struct recorder rec;

static int teardown(void **state)
{
	(void)state;
	weft_link_free(&rec.link);
	inbox_clear(&rec.sent);
	return 0;
}

static void send_one(const struct traffic *t, uint64_t now)
{
	static uint8_t buf[TRAFFIC_BUF_LEN];
	struct weft_frame frame = traffic_frame(t, buf);
	weft_link_send(&rec.link, &frame, 1, now);
}

/* The recorder has, from place at on, the segments of t as the standards want them. */
static void assert_cut(const struct traffic *t, size_t at)
{
	static uint8_t buf[TRAFFIC_BUF_LEN];
	for (uint32_t i = 0; i < traffic_segments(t); i++) {
		struct traffic segment = traffic_segment(t, i);
		struct weft_frame expected = traffic_frame(&segment, buf);
		assert_same_frame(&rec.sent.frames[at + i], &expected);
	}
}

static void a_batch_that_fits_goes_on_whole(void **state)
{
	uint8_t buf[3][60];
	struct weft_frame frames[3];
	(void)state;
	recorder_init(&rec, 0, false);
	for (uint32_t i = 0; i < 3; i++)
		frames[i] = numbered_frame(buf[i], sizeof(buf[i]), i);
	weft_link_send(&rec.link, frames, 3, 1);
	assert_int_equal(rec.sent.calls, 1);
	assert_int_equal(rec.sent.n, 3);
	assert_null(rec.link.adapter);
	struct weft_link_stats stats = weft_link_stats(&rec.link);
	assert_int_equal(stats.tx_frames, 3);
	assert_int_equal(stats.tx_bytes, 180);
}

static void super_frames_go_whole_to_who_takes_them(void **state)
{
	static uint8_t buf[TRAFFIC_BUF_LEN];
	(void)state;
	recorder_init(&rec, ALL_OFFLOADS, false);
	struct weft_frame frame = traffic_frame(&super_tcp, buf);
	weft_link_send(&rec.link, &frame, 1, 1);
	assert_int_equal(rec.sent.n, 1);
	assert_same_frame(&rec.sent.frames[0], &frame);
	assert_int_equal(weft_link_stats(&rec.link).cut, 0);
}

static void super_frames_are_cut_for_who_does_not(void **state)
{
	(void)state;
	recorder_init(&rec, WEFT_LINK_CSUM, false);
	send_one(&super_tcp, 1);
	assert_int_equal(rec.sent.n, traffic_segments(&super_tcp));
	assert_cut(&super_tcp, 0);
	assert_int_equal(weft_link_stats(&rec.link).cut, 1);
	assert_int_equal(weft_link_stats(&rec.link).tx_frames, 14);
}

static void cutting_keeps_the_order_of_a_batch(void **state)
{
	static uint8_t super[TRAFFIC_BUF_LEN];
	uint8_t first[60], last[60];
	(void)state;
	recorder_init(&rec, 0, false);
	const struct weft_frame frames[] = {
		numbered_frame(first, sizeof(first), 1),
		traffic_frame(&super_tcp, super),
		numbered_frame(last, sizeof(last), 2),
	};
	weft_link_send(&rec.link, frames, 3, 1);
	assert_int_equal(rec.sent.n, 16);
	assert_int_equal(frame_number(&rec.sent.frames[0]), 1);
	assert_cut(&super_tcp, 1);
	assert_int_equal(frame_number(&rec.sent.frames[15]), 2);
}

static void checksums_are_filled_in_for_who_cannot(void **state)
{
	static uint8_t buf[TRAFFIC_BUF_LEN];
	struct traffic t = super_tcp;
	t.payload_len = 100;
	t.gso_size = 100;
	(void)state;
	recorder_init(&rec, 0, false);
	struct weft_frame frame = traffic_frame(&t, buf);
	frame.offload.gso = WEFT_GSO_NONE;
	frame.offload.gso_size = 0;
	weft_link_send(&rec.link, &frame, 1, 1);
	assert_int_equal(rec.sent.n, 1);
	assert_cut(&t, 0);
	assert_int_equal(weft_link_stats(&rec.link).cut, 0);
}

static void what_is_too_long_is_counted(void **state)
{
	uint8_t buf[1600];
	struct traffic jumbo = super_tcp;
	jumbo.gso_size = 8000;
	(void)state;
	recorder_init(&rec, 0, false);
	struct weft_frame frame = numbered_frame(buf, 1515, 1);
	weft_link_send(&rec.link, &frame, 1, 1);
	assert_int_equal(weft_link_stats(&rec.link).tx_too_long, 1);
	send_one(&jumbo, 1);
	assert_int_equal(weft_link_stats(&rec.link).tx_too_long, 1 + 3);
	frame = numbered_frame(buf, 1514, 2);
	weft_link_send(&rec.link, &frame, 1, 1);
	assert_int_equal(rec.sent.n, 1);
}

static void false_offload_facts_are_dropped(void **state)
{
	static uint8_t buf[TRAFFIC_BUF_LEN];
	(void)state;
	recorder_init(&rec, 0, false);
	struct weft_frame frame = traffic_frame(&super_tcp, buf);
	frame.offload.csum_start = 60000;
	weft_link_send(&rec.link, &frame, 1, 1);
	assert_int_equal(rec.sent.n, 0);
	assert_int_equal(weft_link_stats(&rec.link).tx_dropped, 1);
}

static void a_refused_frame_does_not_stop_the_rest(void **state)
{
	uint8_t buf[5][60];
	struct weft_frame frames[5];
	(void)state;
	recorder_init(&rec, 0, false);
	rec.refuses = true;
	rec.refuse = 2;
	for (uint32_t i = 0; i < 5; i++)
		frames[i] = numbered_frame(buf[i], sizeof(buf[i]), i);
	weft_link_send(&rec.link, frames, 5, 1);
	assert_int_equal(rec.sent.n, 4);
	assert_int_equal(frame_number(&rec.sent.frames[2]), 3);
	assert_int_equal(weft_link_stats(&rec.link).tx_frames, 4);
	assert_int_equal(weft_link_stats(&rec.link).tx_dropped, 1);
}

static void send_segments(const struct traffic *t, uint64_t now)
{
	for (uint32_t i = 0; i < traffic_segments(t); i++) {
		struct traffic segment = traffic_segment(t, i);
		send_one(&segment, now);
	}
}

static void segments_become_one_super_frame(void **state)
{
	static uint8_t buf[TRAFFIC_BUF_LEN];
	(void)state;
	recorder_init(&rec, ALL_OFFLOADS, true);
	send_segments(&super_tcp, 5);
	assert_int_equal(rec.sent.n, 0);
	assert_int_equal(link_deadline(&rec.link), 0);

	link_run_at(&rec.link, 6);
	assert_int_equal(rec.sent.n, 1);
	assert_int_equal(rec.sent.times[0], 6);
	struct weft_frame expected = traffic_frame(&super_tcp, buf);
	assert_same_frame(&rec.sent.frames[0], &expected);
	assert_true(link_deadline(&rec.link) == WEFT_NEVER);
	assert_int_equal(weft_link_stats(&rec.link).merged, 13);
	assert_int_equal(weft_link_stats(&rec.link).tx_frames, 1);
}

static void held_frames_go_out_before_the_driver_reads(void **state)
{
	(void)state;
	recorder_init(&rec, ALL_OFFLOADS, true);
	send_segments(&super_tcp, 5);
	link_run_at(&rec.link, 6);
	assert_int_equal(rec.runs, 1);
	assert_int_equal(rec.sent.n, 1);
}

static void ip_links_are_cut_and_merged_for_as_well(void **state)
{
	static uint8_t buf[TRAFFIC_BUF_LEN];
	struct traffic ip = super_tcp;
	ip.is_ip = true;
	(void)state;
	recorder_init(&rec, WEFT_LINK_IP | ALL_OFFLOADS, true);
	send_segments(&ip, 1);
	link_run_at(&rec.link, 2);
	assert_int_equal(rec.sent.n, 1);
	struct weft_frame expected = traffic_frame(&ip, buf);
	assert_same_frame(&rec.sent.frames[0], &expected);
	teardown(state);

	recorder_init(&rec, WEFT_LINK_IP, false);
	weft_link_send(&rec.link, &expected, 1, 1);
	assert_int_equal(rec.sent.n, 14);
	assert_cut(&ip, 0);
}

/* UDP super-frames into a link that merges TCP only: cut, in order, and not held. */
static void cut_segments_pass_the_coalescer_in_order(void **state)
{
	struct traffic udp = super_tcp;
	udp.is_udp = true;
	udp.gso_size = 1000;
	(void)state;
	recorder_init(&rec, WEFT_LINK_CSUM | WEFT_LINK_TSO4, true);
	send_one(&udp, 1);
	link_run_at(&rec.link, 2);
	assert_int_equal(rec.sent.n, traffic_segments(&udp));
	assert_cut(&udp, 0);
}

static void interleaved_flows_each_keep_their_order(void **state)
{
	struct traffic a = super_tcp, b = super_tcp;
	b.sport = 4001;
	(void)state;
	recorder_init(&rec, ALL_OFFLOADS, true);
	for (uint32_t i = 0; i < traffic_segments(&a); i++) {
		struct traffic of_a = traffic_segment(&a, i),
			       of_b = traffic_segment(&b, i);
		send_one(&of_a, 1);
		send_one(&of_b, 1);
	}
	link_run_at(&rec.link, 2);
	assert_int_equal(rec.sent.n, 2);
	assert_int_equal(weft_link_stats(&rec.link).merged, 26);
}

/* A merging link that is handed what it could make itself lets it through. */
static void super_frames_pass_the_coalescer(void **state)
{
	static uint8_t buf[TRAFFIC_BUF_LEN];
	(void)state;
	recorder_init(&rec, ALL_OFFLOADS, true);
	struct weft_frame frame = traffic_frame(&super_tcp, buf);
	weft_link_send(&rec.link, &frame, 1, 1);
	link_run_at(&rec.link, 2);
	assert_int_equal(rec.sent.n, 1);
	assert_same_frame(&rec.sent.frames[0], &frame);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_batch_that_fits_goes_on_whole, teardown),
		cmocka_unit_test_teardown(super_frames_go_whole_to_who_takes_them,
					  teardown),
		cmocka_unit_test_teardown(super_frames_are_cut_for_who_does_not,
					  teardown),
		cmocka_unit_test_teardown(cutting_keeps_the_order_of_a_batch, teardown),
		cmocka_unit_test_teardown(checksums_are_filled_in_for_who_cannot,
					  teardown),
		cmocka_unit_test_teardown(what_is_too_long_is_counted, teardown),
		cmocka_unit_test_teardown(false_offload_facts_are_dropped, teardown),
		cmocka_unit_test_teardown(a_refused_frame_does_not_stop_the_rest,
					  teardown),
		cmocka_unit_test_teardown(segments_become_one_super_frame, teardown),
		cmocka_unit_test_teardown(held_frames_go_out_before_the_driver_reads,
					  teardown),
		cmocka_unit_test_teardown(ip_links_are_cut_and_merged_for_as_well,
					  teardown),
		cmocka_unit_test_teardown(cut_segments_pass_the_coalescer_in_order,
					  teardown),
		cmocka_unit_test_teardown(interleaved_flows_each_keep_their_order,
					  teardown),
		cmocka_unit_test_teardown(super_frames_pass_the_coalescer, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
