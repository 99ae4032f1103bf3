/* SPDX-License-Identifier: MIT */
/*
 * A stream link with the test at the other end of its socket: what it makes of bytes in all
 * pieces, what it sends, and what becomes of a peer that is slow or gone.
 */
#include "link/stream.h"

#include "../unit.h"
#include "inbox.h"
#include "wire/cursor.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static struct weft_link *stream;
static struct inbox box;
static int peer = -1;
static int downs;

static void count_down(void *user, struct weft_link *link)
{
	(void)user;
	(void)link;
	downs++;
}

static void open_with(struct stream_opts opts, int in, int out)
{
	const struct local_ends ends = { in, out };
	assert_int_equal(stream_link_new(&opts, &ends, &stream), 0);
	weft_link_on_receive(stream, inbox_receive, &box);
	stream->on_down = count_down;
	downs = 0;
}

static struct stream_opts tapserver_opts(void)
{
	return (struct stream_opts){ .kind = "tapserver",
				     .framing = framing_of(&framing_u16_le, 2048),
				     .frame_len_max = 2048 };
}

/* Opens the link with these options on one end of a socketpair, and peer is the other. */
static void open_socket(struct stream_opts opts)
{
	int fds[2];
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
		0);
	peer = fds[1];
	open_with(opts, fds[0], fds[0]);
}

static int setup(void **state)
{
	(void)state;
	open_socket(tapserver_opts());
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	weft_link_free(stream);
	stream = NULL;
	inbox_clear(&box);
	if (peer >= 0)
		(void)close(peer);
	peer = -1;
	return 0;
}

static void say(const void *bytes, size_t n)
{
	assert_int_equal(write(peer, bytes, n), (ssize_t)n);
}

/* Appends a framed, numbered frame to bytes and returns the length so far. */
static size_t put_frame(uint8_t *bytes, size_t at, uint16_t len, uint32_t number)
{
	store_le16(bytes + at, len);
	(void)numbered_frame(bytes + at + 2, len, number);
	return at + 2 + len;
}

static void assert_numbers(uint32_t first, size_t n)
{
	assert_int_equal(box.n, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(frame_number(&box.frames[i]), first + i);
}

/* ---- in ---------------------------------------------------------------------------------- */

static void frames_come_in_whatever_the_pieces(void **state)
{
	static uint8_t bytes[8192];
	size_t len = 0;
	(void)state;
	for (uint32_t i = 0; i < 6; i++)
		len = put_frame(bytes, len, (uint16_t)(60 + 277 * i), i);
	for (size_t piece = 1; piece < 120; piece = piece * 2 + 1) {
		inbox_clear(&box);
		for (size_t off = 0; off < len; off += piece) {
			say(bytes + off, piece < len - off ? piece : len - off);
			link_run_at(stream, 5);
		}
		assert_numbers(0, 6);
		assert_int_equal(box.frames[5].len, 60 + 277 * 5);
		assert_int_equal(box.frames[5].headroom, 2);
	}
}

static void many_frames_in_one_read(void **state)
{
	static uint8_t bytes[100000];
	size_t len = 0;
	(void)state;
	for (uint32_t i = 0; i < 200; i++)
		len = put_frame(bytes, len, 400, i);
	say(bytes, len);
	link_run_at(stream, 5);
	assert_numbers(0, 200);
	assert_int_equal(box.calls, (200 + LINK_BATCH - 1) / LINK_BATCH);
	assert_int_equal(weft_link_stats(stream).rx_frames, 200);
}

/* More than the buffer holds, with a frame across each of its ends. */
static void the_buffer_goes_round(void **state)
{
	static uint8_t bytes[64 * 1517];
	uint32_t number = 0;
	size_t len = 0, sent = 0;
	(void)state;
	for (unsigned round = 0; round < 40; round++) {
		len = 0;
		for (uint32_t i = 0; i < 64; i++)
			len = put_frame(bytes, len, (uint16_t)(1450 + i), number + i);
		/* In two parts, of which the first ends within a frame. */
		for (sent = 0; sent < len; sent += len - len / 3) {
			size_t n = sent == 0 ? len - len / 3 : len - sent;
			say(bytes + sent, n);
			link_run_at(stream, round);
		}
		assert_numbers(number, 64);
		number += 64;
		inbox_clear(&box);
	}
}

static void bad_lengths_are_counted_and_passed_over(void **state)
{
	static uint8_t bytes[70000];
	size_t len = 0;
	(void)state;
	len = put_frame(bytes, len, 60, 0);
	store_le16(bytes + len, 0);
	len = put_frame(bytes, len + 2, 60000, 99);
	len = put_frame(bytes, len, 60, 1);
	say(bytes, len);
	link_run_at(stream, 5);
	link_run_at(stream, 5);
	assert_numbers(0, 2);
	assert_int_equal(weft_link_stats(stream).rx_errors, 2);
	assert_false(weft_link_is_down(stream));

	inbox_clear(&box);
	for (size_t i = 0; i < len; i += 1000) {
		say(bytes + i, len - i < 1000 ? len - i : 1000);
		link_run_at(stream, 6);
	}
	assert_numbers(0, 2);
	assert_int_equal(weft_link_stats(stream).rx_errors, 4);
}

static void the_end_comes_behind_the_last_frame(void **state)
{
	uint8_t bytes[256];
	size_t len = put_frame(bytes, put_frame(bytes, 0, 60, 0), 60, 1);
	(void)state;
	say(bytes, len);
	(void)close(peer);
	peer = -1;
	link_run_at(stream, 5);
	assert_numbers(0, 2);
	assert_false(weft_link_is_down(stream));
	link_run_at(stream, 6);
	assert_true(weft_link_is_down(stream));
	assert_string_equal(weft_link_down_reason(stream), "the peer has gone");
	assert_int_equal(downs, 1);
	assert_int_equal(weft_link_task(stream)->events, 0);
	assert_true(link_deadline(stream) == WEFT_NEVER);
}

static void an_end_within_a_frame_says_so(void **state)
{
	uint8_t bytes[64];
	(void)state;
	say(bytes, put_frame(bytes, 0, 60, 0) - 1);
	(void)close(peer);
	peer = -1;
	link_run_at(stream, 5);
	link_run_at(stream, 5);
	assert_string_equal(weft_link_down_reason(stream),
			    "the peer went in the middle of a frame");
	assert_int_equal(box.n, 0);
}

/* A peer that closes with our frames unread resets the socket; its own still count. */
static void a_reset_loses_nothing_that_was_said(void **state)
{
	uint8_t bytes[64], buf[60];
	(void)state;
	struct weft_frame frame = numbered_frame(buf, sizeof(buf), 7);
	weft_link_send(stream, &frame, 1, 1);
	say(bytes, put_frame(bytes, 0, 60, 3));
	(void)close(peer);
	peer = -1;
	weft_link_send(stream, &frame, 1, 2);
	assert_false(weft_link_is_down(stream));
	link_run_at(stream, 5);
	assert_numbers(3, 1);
	link_run_at(stream, 6);
	assert_true(weft_link_is_down(stream));
	assert_int_equal(weft_link_stats(stream).tx_dropped, 1);
}

static void nonsense_ends_the_link_with_a_reason(void **state)
{
	struct stream_opts opts = tapserver_opts();
	(void)state;
	teardown(NULL);
	opts.framing = framing_of(&framing_u32_be, WEFT_FRAME_LEN_MAX);
	open_socket(opts);
	say("GET / HTTP/1.1\r\n\r\n", 18);
	link_run_at(stream, 5);
	assert_true(weft_link_is_down(stream));
	assert_non_null(strstr(weft_link_down_reason(stream), "another dialect"));
	assert_int_equal(box.n, 0);
	assert_int_equal(weft_link_stats(stream).rx_errors, 1);
}

static void drop_at_the_second(void *user, struct weft_link *link,
			       const struct weft_frame *frames, size_t n, uint64_t now)
{
	inbox_receive(user, link, frames, n, now);
	link_end(link, "enough");
}

static void a_receiver_may_end_it(void **state)
{
	static uint8_t bytes[30000];
	size_t len = 0;
	(void)state;
	for (uint32_t i = 0; i < 200; i++)
		len = put_frame(bytes, len, 100, i);
	weft_link_on_receive(stream, drop_at_the_second, &box);
	say(bytes, len);
	link_run_at(stream, 5);
	assert_numbers(0, LINK_BATCH);
	assert_string_equal(weft_link_down_reason(stream), "enough");
}

/* ---- out --------------------------------------------------------------------------------- */

static uint8_t frame_bytes[LINK_BATCH][2200];

/* Sends n frames of this length in one batch, each with so much headroom. */
static void send_frames(uint32_t first, size_t n, uint32_t len, uint32_t headroom)
{
	struct weft_frame frames[LINK_BATCH];
	for (size_t i = 0; i < n; i++) {
		frames[i] = numbered_frame(frame_bytes[i] + 64, len, first + (uint32_t)i);
		frames[i].headroom = headroom;
	}
	weft_link_send(stream, frames, n, 1);
}

/* Reads framed frames up to the end of what is there. Returns how many. */
static size_t hear_frames(uint32_t first, uint16_t len)
{
	static uint8_t bytes[1 << 20];
	static size_t have;
	size_t n = 0, off = 0;
	for (;;) {
		ssize_t got = read(peer, bytes + have, sizeof(bytes) - have);
		if (got <= 0)
			break;
		have += (size_t)got;
	}
	while (have - off >= 2u + len) {
		const struct weft_frame frame = { .data = bytes + off + 2, .len = len };
		assert_int_equal(load_le16(bytes + off), len);
		assert_int_equal(frame_number(&frame), first + n++);
		off += 2u + len;
	}
	have -= off;
	memmove(bytes, bytes + off, have);
	return n;
}

static void frames_go_out_behind_their_lengths(void **state)
{
	(void)state;
	send_frames(0, 3, 60, 0);
	assert_int_equal(hear_frames(0, 60), 3);
	send_frames(10, LINK_BATCH, 1514, 0);
	assert_int_equal(hear_frames(10, 1514), LINK_BATCH);
	assert_int_equal(weft_link_stats(stream).tx_frames, 3 + LINK_BATCH);
	assert_int_equal(weft_link_task(stream)->events, WEFT_READABLE);
}

static void a_header_in_the_headroom_leaves_the_frame_alone(void **state)
{
	(void)state;
	send_frames(0, 5, 200, 64);
	assert_int_equal(hear_frames(0, 200), 5);
	send_frames(5, 5, 200, 1);
	assert_int_equal(hear_frames(5, 200), 5);
}

/* Dolphin of 2020: one read for the length, then one for the frame, each taken for whole. */
static void a_reader_in_two_steps_never_finds_half(void **state)
{
	uint8_t bytes[2048];
	(void)state;
	for (uint32_t round = 0; round < 200; round++) {
		/* More than the socket holds, so that it fills up in all places. */
		send_frames(round * LINK_BATCH, LINK_BATCH, 1514, round % 2 ? 64 : 0);
		if (round % 4 < 3)
			continue;
		for (;;) {
			ssize_t got = read(peer, bytes, 2);
			if (got < 0)
				break;
			assert_int_equal(got, 2);
			assert_int_equal(load_le16(bytes), 1514);
			assert_int_equal(read(peer, bytes, 1514), 1514);
		}
	}
}

static void what_is_too_long_or_empty_is_not_sent(void **state)
{
	static uint8_t buf[2049];
	(void)state;
	struct weft_frame frames[] = { numbered_frame(buf, 2049, 0),
				       { .data = buf, .len = 0 } };
	weft_link_send(stream, frames, 2, 1);
	assert_int_equal(read(peer, buf, sizeof(buf)), -1);
	assert_int_equal(weft_link_stats(stream).tx_too_long, 1);
	assert_int_equal(weft_link_stats(stream).tx_dropped, 1);
	send_frames(1, 1, 2048, 0);
	assert_int_equal(hear_frames(1, 2048), 1);
}

/* The socket takes some, the backlog some more, and what is then dropped is counted. */
static void a_slow_peer_costs_a_bounded_queue(void **state)
{
	struct stream_opts opts = tapserver_opts();
	uint32_t sent = 0;
	size_t heard = 0, last = 1;
	(void)state;
	teardown(NULL);
	opts.queue_len = 64 * 1024;
	open_socket(opts);
	while (weft_link_stats(stream).tx_dropped == 0 && sent < 100000) {
		send_frames(sent, 1, 1000, 0);
		sent++;
	}
	assert_int_equal(weft_link_stats(stream).tx_dropped, 1);
	assert_int_equal(weft_link_task(stream)->events, WEFT_READABLE | WEFT_WRITABLE);
	sent--; /* The last one is the one that was dropped. */

	while (last > 0 || weft_link_task(stream)->events & WEFT_WRITABLE) {
		last = hear_frames((uint32_t)heard, 1000);
		heard += last;
		link_run_at(stream, 2);
	}
	assert_int_equal(heard, sent);
	assert_int_equal(weft_link_stats(stream).tx_frames, sent);

	send_frames(sent, 1, 1000, 0);
	assert_int_equal(hear_frames(sent, 1000), 1);
}

/* A pipe of a page takes part of a frame: the rest comes, and nothing between. */
static void a_frame_that_went_in_part_is_finished(void **state)
{
	struct stream_opts opts = tapserver_opts();
	int fds[2], in[2], taken;
	uint32_t sent = 0;
	size_t heard = 0;
	(void)state;
	teardown(NULL);
	assert_int_equal(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
	const int size = fcntl(fds[1], F_SETPIPE_SZ, 4096);
	assert_in_range(size, 4096, LINK_BATCH * 1502 - 1);
	assert_int_equal(pipe2(in, O_NONBLOCK | O_CLOEXEC), 0);
	peer = fds[0];
	opts.queue_len = 2 * LINK_BATCH * 1502;
	open_with(opts, in[0], fds[1]);
	for (unsigned round = 0; round < 20; round++) {
		send_frames(sent, LINK_BATCH, 1500, 0);
		sent += LINK_BATCH;
		assert_int_equal(ioctl(peer, FIONREAD, &taken), 0);
		assert_int_equal(taken, size);
		while (heard < sent) {
			size_t n = hear_frames((uint32_t)heard, 1500);
			assert_true(n > 0);
			heard += n;
			link_run_at(stream, round);
		}
	}
	assert_int_equal(weft_link_stats(stream).tx_dropped, 0);
	(void)close(in[1]);
}

/* ---- pipes and files --------------------------------------------------------------------- */

static void two_pipes_are_a_link(void **state)
{
	int in[2], out[2];
	uint8_t bytes[64];
	(void)state;
	teardown(NULL);
	assert_int_equal(pipe2(in, O_NONBLOCK | O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_NONBLOCK | O_CLOEXEC), 0);
	peer = out[0];
	open_with(tapserver_opts(), in[0], out[1]);
	size_t len = put_frame(bytes, 0, 60, 4);
	assert_int_equal(write(in[1], bytes, len), (ssize_t)len);
	link_run_at(stream, 1);
	assert_numbers(4, 1);
	send_frames(9, 1, 60, 0);
	assert_int_equal(hear_frames(9, 60), 1);
	(void)close(in[1]);
	link_run_at(stream, 2);
	assert_true(weft_link_is_down(stream));
}

static void a_file_is_read_to_its_end(void **state)
{
	char path[] = "/tmp/weft-stream-XXXXXX";
	uint8_t bytes[200];
	int out[2];
	(void)state;
	teardown(NULL);
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	(void)unlink(path);
	size_t len = put_frame(bytes, put_frame(bytes, 0, 60, 0), 60, 1);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(pipe2(out, O_NONBLOCK | O_CLOEXEC), 0);
	peer = out[0];
	open_with(tapserver_opts(), fd, out[1]);
	assert_int_equal(link_deadline(stream), 0);
	link_run_at(stream, 1);
	assert_numbers(0, 2);
	link_run_at(stream, 2);
	assert_true(weft_link_is_down(stream));
	assert_true(link_deadline(stream) == WEFT_NEVER);
}

/* ---- what comes first -------------------------------------------------------------------- */

static void bytes_read_before_count(void **state)
{
	struct stream_opts opts = tapserver_opts();
	uint8_t bytes[64];
	(void)state;
	teardown(NULL);
	size_t len = put_frame(bytes, 0, 60, 8);
	opts.first = bytes;
	opts.first_len = len - 10;
	open_socket(opts);
	assert_int_equal(link_deadline(stream), 0);
	link_run_at(stream, 1);
	assert_int_equal(box.n, 0);
	say(bytes + len - 10, 10);
	link_run_at(stream, 2);
	assert_numbers(8, 1);
}

struct polite {
	struct stream_greeting greeting;
	bool is_freed;
};

static void polite_begin(struct stream_greeting *greeting, struct weft_link *link)
{
	(void)greeting;
	stream_link_say(link, (const uint8_t *)"hello", 5);
}

static size_t polite_input(struct stream_greeting *greeting, struct weft_link *link,
			   const uint8_t *data, size_t len)
{
	(void)greeting;
	if (len < 3)
		return 0;
	assert_memory_equal(data, "hi!", 3);
	stream_link_greeted(link, 1000);
	return 3;
}

static void polite_free(struct stream_greeting *greeting)
{
	((struct polite *)(void *)greeting)->is_freed = true;
}

static const struct stream_greeting_ops polite_ops = {
	.begin = polite_begin,
	.input = polite_input,
	.free = polite_free,
};

static void a_greeting_goes_before_frames(void **state)
{
	struct polite polite = { .greeting = { &polite_ops, 100 } };
	struct stream_opts opts = tapserver_opts();
	uint8_t bytes[128];
	(void)state;
	teardown(NULL);
	opts.greeting = &polite.greeting;
	open_socket(opts);
	link_run_at(stream, 1000);
	assert_int_equal(read(peer, bytes, sizeof(bytes)), 5);
	assert_int_equal(link_deadline(stream), 1100);
	send_frames(0, 1, 60, 0);
	assert_int_equal(weft_link_stats(stream).tx_dropped, 1);
	say("hi", 2);
	link_run_at(stream, 1050);
	memcpy(bytes, "!", 1);
	say(bytes, put_frame(bytes, 1, 60, 5));
	link_run_at(stream, 1060);
	assert_numbers(5, 1);
	assert_true(polite.is_freed);
	assert_int_equal(weft_link_caps(stream).frame_len_max, 1000);
	assert_true(link_deadline(stream) == WEFT_NEVER);
}

static void patience_has_an_end(void **state)
{
	struct polite polite = { .greeting = { &polite_ops, 100 } };
	struct stream_opts opts = tapserver_opts();
	(void)state;
	teardown(NULL);
	opts.greeting = &polite.greeting;
	open_socket(opts);
	link_run_at(stream, 1000);
	link_run_at(stream, 1099);
	assert_false(weft_link_is_down(stream));
	link_run_at(stream, 1100);
	assert_true(weft_link_is_down(stream));
	teardown(NULL);
	assert_true(polite.is_freed);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(frames_come_in_whatever_the_pieces),
		TEST(many_frames_in_one_read),
		TEST(the_buffer_goes_round),
		TEST(bad_lengths_are_counted_and_passed_over),
		TEST(the_end_comes_behind_the_last_frame),
		TEST(an_end_within_a_frame_says_so),
		TEST(a_reset_loses_nothing_that_was_said),
		TEST(nonsense_ends_the_link_with_a_reason),
		TEST(a_receiver_may_end_it),
		TEST(frames_go_out_behind_their_lengths),
		TEST(a_header_in_the_headroom_leaves_the_frame_alone),
		TEST(a_reader_in_two_steps_never_finds_half),
		TEST(what_is_too_long_or_empty_is_not_sent),
		TEST(a_slow_peer_costs_a_bounded_queue),
		TEST(a_frame_that_went_in_part_is_finished),
		TEST(two_pipes_are_a_link),
		TEST(a_file_is_read_to_its_end),
		TEST(bytes_read_before_count),
		TEST(a_greeting_goes_before_frames),
		TEST(patience_has_an_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
