/* SPDX-License-Identifier: MIT */
/*
 * A link over a socket that keeps datagrams apart: batches, bounds, and what becomes of it when
 * the other end does not read, or goes.
 */
#include "link/packets.h"

#include "../unit.h"
#include "outlet.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static struct weft_link *plain;
static struct inbox box;
static int peer = -1;

static void make_pair(int type, const struct packets_ops *ops, size_t queue_len)
{
	struct packets *p;
	int fds[2];
	assert_int_equal(socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, fds), 0);
	const struct packets_opts opts = {
		.name = "test",
		.ops = ops,
		.fd = fds[0],
		.is_stream_like = type == SOCK_SEQPACKET,
		.queue_len = queue_len,
	};
	assert_int_equal(packets_new(&opts, &p), 0);
	plain = &p->link;
	peer = fds[1];
	weft_link_on_receive(plain, inbox_receive, &box);
}

static int teardown(void **state)
{
	(void)state;
	weft_link_free(plain);
	plain = NULL;
	inbox_clear(&box);
	if (peer >= 0)
		(void)close(peer);
	peer = -1;
	return 0;
}

static void send_one(uint32_t len, uint32_t number)
{
	static uint8_t buf[WEFT_FRAME_LEN_MAX];
	struct weft_frame frame = numbered_frame(buf, len, number);
	weft_link_send(plain, &frame, 1, START);
}

static void a_datagram_is_a_frame(void **state)
{
	(void)state;
	make_pair(SOCK_DGRAM, NULL, 0);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(peer_send_frame(peer, 60 + i, i), 0);
	link_run_at(plain, START);
	assert_int_equal(box.n, LINK_BATCH);
	assert_int_equal(box.calls, 1);
	link_run_at(plain, START);
	assert_int_equal(box.n, 100);
	for (uint32_t i = 0; i < 100; i++) {
		assert_int_equal(box.frames[i].len, 60 + i);
		assert_int_equal(frame_number(&box.frames[i]), i);
		assert_int_equal(box.frames[i].headroom, WEFT_HEADROOM);
	}
	link_run_at(plain, START);
	assert_int_equal(box.n, 100);
	assert_false(weft_link_is_down(plain));
}

static void a_batch_goes_out_in_order(void **state)
{
	static uint8_t bufs[150][80];
	struct weft_frame frames[150];
	(void)state;
	make_pair(SOCK_DGRAM, NULL, 0);
	for (uint32_t i = 0; i < 150; i++)
		frames[i] = numbered_frame(bufs[i], 80, i);
	weft_link_send(plain, frames, 150, START);
	for (uint32_t i = 0; i < 150; i++)
		peer_expect_frame(peer, 80, i);
	peer_expect_nothing(peer);
	assert_int_equal(weft_link_stats(plain).tx_frames, 150);
}

static void what_is_no_frame_is_counted(void **state)
{
	static uint8_t big[WEFT_FRAME_LEN_MAX + 1];
	(void)state;
	make_pair(SOCK_DGRAM, NULL, 0);
	assert_int_equal(send(peer, big, 13, 0), 13);
	assert_int_equal(send(peer, big, 0, 0), 0);
	assert_int_equal(send(peer, big, sizeof(big), 0), sizeof(big));
	assert_int_equal(peer_send_frame(peer, WEFT_FRAME_LEN_MAX, 7), 0);
	link_run_at(plain, START);
	assert_int_equal(weft_link_stats(plain).rx_errors, 3);
	assert_int_equal(box.n, 1);
	assert_int_equal(box.frames[0].len, WEFT_FRAME_LEN_MAX);
}

/* Sends until frames are kept back. Returns how many were sent by then. */
static uint32_t fill(const struct packets *p)
{
	uint32_t n = 0;
	while (backlog_is_empty(&p->backlog)) {
		send_one(1000, n++);
		assert_true(n < 1000000);
	}
	return n;
}

static void a_full_peer_gets_it_later_and_in_order(void **state)
{
	(void)state;
	make_pair(SOCK_DGRAM, NULL, 0);
	uint32_t n = fill(packets_of(plain));
	for (uint32_t i = 0; i < 100; i++)
		send_one(1000, n++);
	assert_int_equal(weft_link_stats(plain).tx_dropped, 0);
	/* Run once in the same turn, so that wrappers see what it waits for; then it waits. */
	assert_int_equal(link_deadline(plain), 0);
	link_run_at(plain, START);
	assert_true(link_deadline(plain) == WEFT_NEVER);
	assert_true(weft_link_task(plain)->events & WEFT_WRITABLE);
	for (uint32_t i = 0; i < n; i++) {
		peer_expect_frame(peer, 1000, i);
		link_run_at(plain, START);
	}
	assert_true(backlog_is_empty(&packets_of(plain)->backlog));
	assert_false(weft_link_task(plain)->events & WEFT_WRITABLE);
}

static void a_peer_that_does_not_read_costs_its_backlog(void **state)
{
	(void)state;
	make_pair(SOCK_DGRAM, NULL, 10 * 1004);
	uint32_t n = fill(packets_of(plain));
	for (uint32_t i = 0; i < 50; i++)
		send_one(1000, n++);
	assert_int_equal(weft_link_stats(plain).tx_dropped, 41);
	for (uint32_t i = 0; i < n - 41; i++) {
		peer_expect_frame(peer, 1000, i);
		link_run_at(plain, START);
	}
	peer_expect_nothing(peer);
	send_one(1000, n);
	peer_expect_frame(peer, 1000, n);
}

static void a_peer_that_goes_ends_its_link(void **state)
{
	(void)state;
	make_pair(SOCK_DGRAM, NULL, 0);
	(void)close(peer);
	peer = -1;
	send_one(60, 1);
	assert_true(weft_link_is_down(plain));
	assert_non_null(strstr(weft_link_down_reason(plain), "gone"));
	assert_int_equal(weft_link_stats(plain).tx_dropped, 1);
	send_one(60, 2);
	assert_int_equal(weft_link_stats(plain).tx_dropped, 2);
	link_run_at(plain, START);
}

static void a_packet_socket_has_an_end(void **state)
{
	(void)state;
	make_pair(SOCK_SEQPACKET, NULL, 0);
	assert_int_equal(peer_send_frame(peer, 60, 1), 0);
	assert_int_equal(peer_send_frame(peer, 60, 2), 0);
	(void)close(peer);
	peer = -1;
	link_run_at(plain, START);
	assert_int_equal(box.n, 2);
	assert_true(weft_link_is_down(plain));
	assert_string_equal(weft_link_down_reason(plain), "the peer hung up");
	assert_int_equal(weft_link_stats(plain).rx_errors, 0);
}

/* ---- what a dialect does ----------------------------------------------------------------- */

/* Odd numbers are not for the peer, one cannot be said. Others get a prefix of two bytes. */
#define UNSPEAKABLE 0x0bad0000u

static int odd_encode(struct packets *p, const struct weft_frame *frame,
		      struct packets_out *ret_out)
{
	uint32_t number = frame_number(frame);
	(void)p;
	if (number == UNSPEAKABLE)
		return -EBADMSG;
	ret_out->prefix[0] = ret_out->prefix[1] = '>';
	ret_out->prefix_len = 2;
	return number % 2 == 0;
}

/* "!" is for the dialect, "?" an error, ">>" in front of frames. */
static int odd_decode(struct packets *p, struct weft_frame *frame, uint64_t now)
{
	(void)p;
	(void)now;
	if (frame->data[0] == '!')
		return 0;
	if (frame->data[0] != '>')
		return -EBADMSG;
	frame->data += 2;
	frame->len -= 2;
	frame->headroom += 2;
	return 1;
}

static unsigned byes;

static void odd_bye(struct packets *p)
{
	byes++;
	packets_say(p, "bye", 3);
}

static const struct packets_ops odd_ops = {
	.decode = odd_decode,
	.encode = odd_encode,
	.bye = odd_bye,
};

static void a_dialect_has_its_say(void **state)
{
	static uint8_t bufs[8][64];
	static const uint32_t numbers[8] = { 1, 2,           UNSPEAKABLE, 3,
					     4, UNSPEAKABLE, UNSPEAKABLE, 6 };
	struct weft_frame frames[8];
	uint8_t buf[128];
	(void)state;
	make_pair(SOCK_DGRAM, &odd_ops, 0);
	for (uint32_t i = 0; i < 8; i++)
		frames[i] = numbered_frame(bufs[i], 64, numbers[i]);
	weft_link_send(plain, frames, 8, START);
	for (uint32_t number = 2; number <= 6; number += 2) {
		assert_int_equal(peer_recv(peer, buf, sizeof(buf)), 66);
		assert_memory_equal(buf, ">>", 2);
		const struct weft_frame frame = { .data = buf + 2, .len = 64 };
		assert_int_equal(frame_number(&frame), number);
	}
	peer_expect_nothing(peer);
	assert_int_equal(weft_link_stats(plain).tx_dropped, 3);
	assert_int_equal(weft_link_stats(plain).tx_frames, 5);

	assert_int_equal(send(peer, "!", 1, 0), 1);
	assert_int_equal(send(peer, "?", 1, 0), 1);
	assert_int_equal(send(peer, buf, 66, 0), 66);
	link_run_at(plain, START);
	assert_int_equal(box.n, 1);
	assert_int_equal(frame_number(&box.frames[0]), 6);
	assert_int_equal(weft_link_stats(plain).rx_errors, 1);

	weft_link_free(plain);
	plain = NULL;
	assert_int_equal(byes, 1);
	peer_expect_text(peer, "bye");
}

/* What waits has been through the dialect already, its prefix included. */
static void a_backlog_is_encoded_once(void **state)
{
	uint8_t buf[2048];
	(void)state;
	make_pair(SOCK_DGRAM, &odd_ops, 0);
	uint32_t n = 0;
	while (backlog_is_empty(&packets_of(plain)->backlog))
		send_one(1000, 2 * n++);
	send_one(1000, 1);
	send_one(1000, 2 * n++);
	for (uint32_t i = 0; i < n; i++) {
		assert_int_equal(peer_recv(peer, buf, sizeof(buf)), 1002);
		assert_memory_equal(buf, ">>", 2);
		const struct weft_frame frame = { .data = buf + 2, .len = 1000 };
		assert_int_equal(frame_number(&frame), 2 * i);
		link_run_at(plain, START);
	}
	peer_expect_nothing(peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_datagram_is_a_frame, teardown),
		cmocka_unit_test_teardown(a_batch_goes_out_in_order, teardown),
		cmocka_unit_test_teardown(what_is_no_frame_is_counted, teardown),
		cmocka_unit_test_teardown(a_full_peer_gets_it_later_and_in_order,
					  teardown),
		cmocka_unit_test_teardown(a_peer_that_does_not_read_costs_its_backlog,
					  teardown),
		cmocka_unit_test_teardown(a_peer_that_goes_ends_its_link, teardown),
		cmocka_unit_test_teardown(a_packet_socket_has_an_end, teardown),
		cmocka_unit_test_teardown(a_dialect_has_its_say, teardown),
		cmocka_unit_test_teardown(a_backlog_is_encoded_once, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
