/* SPDX-License-Identifier: MIT */
/*
 * A round trip: what passes a capture around one end of a pair is in the file, and comes out
 * of the replay of that file at the times at which it passed.
 */
#include "../unit.h"
#include "inbox.h"
#include "link/capture.h"
#include "traffic.h"
#include "wire/cursor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MS    UINT64_C(1000000)
#define EPOCH 1700000000000000000

static char path[] = "/tmp/weft-test-pcap-XXXXXX";
static struct inbox box;
static struct weft_link *replay;

static int setup(void **state)
{
	(void)state;
	memcpy(path + sizeof(path) - 7, "XXXXXX", 7);
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	weft_link_free(replay);
	replay = NULL;
	inbox_clear(&box);
	unlink(path);
	return 0;
}

static void send_number(struct weft_link *to, uint32_t len, uint32_t number, uint64_t now)
{
	uint8_t buf[2000];
	struct weft_frame frame = numbered_frame(buf, len, number);
	weft_link_send(to, &frame, 1, now);
}

/* Frames 0 (out) at 5 ms, 1 (in) at 8 ms, and 2 (out) 1 ns later, are recorded. */
static void record(uint32_t snap_len)
{
	const struct capture_opts opts = { .path = path,
					   .snap_len = snap_len,
					   .epoch_ns = EPOCH };
	struct weft_link *inner, *far, *capture;
	assert_int_equal(weft_link_pair(8, &inner, &far), 0);
	assert_int_equal(capture_new(&opts, inner, NULL, &capture), 0);
	weft_link_on_receive(capture, inbox_receive, &box);

	send_number(capture, 60, 0, 5 * MS);
	send_number(far, 1000, 1, 6 * MS);
	link_run_at(capture, 8 * MS);
	send_number(capture, 1514, 2, 8 * MS + 1);

	assert_int_equal(box.n, 1);
	inbox_clear(&box);
	weft_link_on_receive(far, inbox_receive, &box);
	link_run_at(far, 9 * MS);
	assert_int_equal(box.n, 2);
	inbox_clear(&box);
	weft_link_free(capture);
	weft_link_free(far);
}

static int open_replay(const char *options, struct weft_error *err)
{
	char spec[100];
	(void)snprintf(spec, sizeof(spec), "pcap:%s%s", path, options);
	int r = weft_link_open(spec, err, &replay);
	if (r == 0)
		weft_link_on_receive(replay, inbox_receive, &box);
	return r;
}

static void run_until(uint64_t now, uint64_t end)
{
	while (link_deadline(replay) <= end) {
		now = link_deadline(replay) > now ? link_deadline(replay) : now;
		link_run_at(replay, now);
	}
}

static void replay_keeps_the_times(void **state)
{
	(void)state;
	record(0);
	assert_int_equal(open_replay("", NULL), 0);
	run_until(100, 1000 * MS);
	assert_int_equal(box.n, 3);
	assert_int_equal(box.times[0], 100);
	assert_int_equal(box.times[1], 100 + 3 * MS);
	assert_int_equal(box.times[2], 100 + 3 * MS + 1);
	const uint32_t lens[] = { 60, 1000, 1514 };
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(frame_number(&box.frames[i]), i);
		assert_int_equal(box.frames[i].len, lens[i]);
		assert_int_equal(box.frames[i].headroom, WEFT_HEADROOM);
	}
	assert_true(weft_link_is_down(replay));
	assert_true(link_deadline(replay) == WEFT_NEVER);
}

static void replay_can_be_fast(void **state)
{
	(void)state;
	record(0);
	assert_int_equal(open_replay(",rate=fast", NULL), 0);
	link_run_at(replay, 100);
	assert_int_equal(box.n, 3);
	assert_int_equal(box.calls, 1);
	assert_int_equal(box.times[2], 100);
	assert_true(weft_link_is_down(replay));
}

/* The second pass starts when the last frame of the first is due. */
static void replay_can_loop(void **state)
{
	(void)state;
	record(0);
	assert_int_equal(open_replay(",loop", NULL), 0);
	run_until(0, 7 * MS);
	assert_int_equal(box.n, 7);
	assert_int_equal(box.times[2], 3 * MS + 1);
	assert_int_equal(box.times[3], 3 * MS + 1);
	assert_int_equal(box.times[4], 6 * MS + 1);
	assert_int_equal(frame_number(&box.frames[4]), 1);
	assert_int_equal(box.times[6], 6 * MS + 2);
	assert_false(weft_link_is_down(replay));
}

static void what_was_not_captured_whole_is_not_replayed(void **state)
{
	(void)state;
	record(100);
	assert_int_equal(open_replay(",loop", NULL), 0);
	run_until(0, MS);
	assert_int_equal(box.n, 1);
	assert_int_equal(weft_link_stats(replay).rx_errors, 0);
	run_until(0, 4 * MS);
	assert_int_equal(weft_link_stats(replay).rx_errors, 2);
}

/* A loop over a file without one good frame has to end. */
static void an_empty_loop_ends(void **state)
{
	(void)state;
	record(1);
	assert_int_equal(open_replay(",loop,rate=fast", NULL), 0);
	link_run_at(replay, 1);
	assert_int_equal(box.n, 0);
	assert_true(weft_link_is_down(replay));
	assert_int_equal(weft_link_stats(replay).rx_errors, 3);
}

static void sending_into_a_replay_is_dropping(void **state)
{
	(void)state;
	record(0);
	assert_int_equal(open_replay("", NULL), 0);
	send_number(replay, 100, 1, 1);
	assert_int_equal(weft_link_stats(replay).tx_dropped, 1);
}

static void super_frames_are_recorded_whole(void **state)
{
	static uint8_t buf[TRAFFIC_BUF_LEN];
	const struct traffic t = { .ttl = 64, .payload_len = 60000, .gso_size = 1448 };
	struct weft_frame frame = traffic_frame(&t, buf);
	const struct capture_opts opts = { .path = path };
	struct weft_link *inner, *far, *capture;
	(void)state;
	assert_int_equal(weft_link_pair(8, &inner, &far), 0);
	assert_int_equal(capture_new(&opts, inner, NULL, &capture), 0);
	weft_link_send(capture, &frame, 1, 1);
	weft_link_free(capture);
	weft_link_free(far);
	assert_int_equal(open_replay(",rate=fast", NULL), 0);
	link_run_at(replay, 1);
	assert_int_equal(box.n, 1);
	assert_int_equal(box.frames[0].len, frame.len);
	assert_memory_equal(box.frames[0].data, frame.data, frame.len);
}

static long file_len(void)
{
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	long len = ftell(f);
	assert_int_equal(fclose(f), 0);
	return len;
}

/* What was recorded is on the disk soon after, without the link being closed. */
static void captures_are_flushed_by_a_deadline(void **state)
{
	const struct capture_opts opts = { .path = path };
	struct weft_link *inner, *far, *capture;
	(void)state;
	assert_int_equal(weft_link_pair(8, &inner, &far), 0);
	assert_int_equal(capture_new(&opts, inner, NULL, &capture), 0);
	assert_true(link_deadline(capture) == WEFT_NEVER);
	send_number(capture, 60, 1, 1000);
	uint64_t deadline = link_deadline(capture);
	assert_in_range(deadline, 1001, 1000 * MS);
	assert_int_equal(file_len(), 0);
	link_run_at(capture, deadline);
	assert_int_equal(file_len(), 24 + 16 + 60);
	assert_true(link_deadline(capture) == WEFT_NEVER);
	weft_link_free(capture);
	weft_link_free(far);
}

/* Section header, interface (Ethernet) and one enhanced packet of 16 bytes. */
static void write_pcapng(uint32_t link_type)
{
	const uint32_t words[] = {
		0x0a0d0d0a, 28, 0x1a2b3c4d, 1, 0xffffffff, 0xffffffff, 28, /* SHB */
		1,          20, link_type,  0, 20,                         /* IDB */
		6,          48, 0,          0, 1000000,    16,         16,
		1,          2,  3,          4, 48, /* EPB */
	};
	uint8_t bytes[sizeof(words)];
	for (size_t i = 0; i < sizeof(words) / 4; i++)
		store_le32(bytes + 4 * i, words[i]);
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, sizeof(bytes), f), sizeof(bytes));
	assert_int_equal(fclose(f), 0);
}

static void pcapng_is_read_as_well(void **state)
{
	(void)state;
	write_pcapng(1);
	assert_int_equal(open_replay("", NULL), 0);
	run_until(0, 1);
	assert_int_equal(box.n, 1);
	assert_int_equal(box.frames[0].len, 16);
	assert_int_equal(weft_link_caps(replay).flags, 0);
}

static void a_file_of_ip_packets_is_an_ip_link(void **state)
{
	(void)state;
	write_pcapng(101); /* LINKTYPE_RAW */
	assert_int_equal(open_replay("", NULL), 0);
	assert_int_equal(weft_link_caps(replay).flags, WEFT_LINK_IP);
}

/* The fourth word behind the magic of a capture file names what its frames are. */
static void a_capture_of_ppp_says_so(void **state)
{
	const struct capture_opts opts = { .path = path };
	static struct recorder inner;
	struct weft_link *capture;
	uint8_t header[24];
	(void)state;
	recorder_init(&inner, WEFT_LINK_PPP, false);
	assert_int_equal(capture_new(&opts, &inner.link, NULL, &capture), 0);
	weft_link_free(capture);
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	assert_int_equal(fread(header, 1, sizeof(header), f), sizeof(header));
	assert_int_equal(fclose(f), 0);
	assert_int_equal(load_le32(header + 20), 9); /* LINKTYPE_PPP */
}

static void assert_says_once(const char *text, const char *words)
{
	const char *found = strstr(text, words);
	assert_non_null(found);
	assert_null(strstr(found + 1, words));
}

static void other_files_are_refused(void **state)
{
	struct weft_error err;
	(void)state;
	write_pcapng(105); /* LINKTYPE_IEEE802_11 */
	assert_int_equal(open_replay("", &err), -EINVAL);
	assert_non_null(strstr(err.text, "IEEE802_11"));
	assert_int_equal(truncate(path, 3), 0);
	assert_int_equal(open_replay("", &err), -EIO);
	assert_says_once(err.text, path);
	unlink(path);
	assert_int_equal(open_replay("", &err), -EIO);
	assert_says_once(err.text, path);
	assert_non_null(strstr(err.text, "No such file"));
}

/* What was opened inside is closed again when what goes around it fails (see the leak check). */
static void a_wrapper_that_fails_takes_the_inner_link_along(void **state)
{
	struct weft_error err;
	char spec[100];
	(void)state;
	record(0);
	(void)snprintf(spec, sizeof(spec), "impair:reorder=1%%:pcap:%s", path);
	assert_int_equal(weft_link_open(spec, &err, &replay), -EINVAL);
	assert_non_null(strstr(err.text, "needs delay="));
	(void)snprintf(spec, sizeof(spec), "capture:/nonexistent/file:pcap:%s", path);
	assert_int_equal(weft_link_open(spec, &err, &replay), -EIO);
	assert_non_null(strstr(err.text, "/nonexistent/file"));
	assert_null(replay);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(replay_keeps_the_times),
		TEST(replay_can_be_fast),
		TEST(replay_can_loop),
		TEST(what_was_not_captured_whole_is_not_replayed),
		TEST(an_empty_loop_ends),
		TEST(sending_into_a_replay_is_dropping),
		TEST(super_frames_are_recorded_whole),
		TEST(captures_are_flushed_by_a_deadline),
		TEST(pcapng_is_read_as_well),
		TEST(a_file_of_ip_packets_is_an_ip_link),
		TEST(a_capture_of_ppp_says_so),
		TEST(other_files_are_refused),
		TEST(a_wrapper_that_fails_takes_the_inner_link_along),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
