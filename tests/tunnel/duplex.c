/* SPDX-License-Identifier: MIT */
/*
 * Two duplexes back to back: what one puts out is what the other takes in, cut anywhere.
 */
#include "tunnel/duplex.h"

#include "../unit.h"
#include "fake_http.h"
#include "packets.h"
#include "wire/tunnel.h"

#include <errno.h>

#define START (100 * S)
#define LIFE  (3600 * S)
#define ROOM  4096u

static const uint8_t secret[16] = { 7 };

struct fixture {
	struct duplex a, b; /* a sends to b */
	struct http_stream tx, rx, other;
	uint8_t wire[ROOM], packet[ROOM];
	unsigned received;
	uint32_t received_len;
};

static void receive(void *user, struct weft_link *link, const struct weft_frame *frames,
		    size_t n, uint64_t now)
{
	struct fixture *f = user;
	(void)link;
	(void)now;
	for (size_t i = 0; i < n; i++) {
		f->received++;
		f->received_len += frames[i].len;
		assert_int_equal(frames[i].data[0], 0x45);
	}
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	if (!f)
		return -1;
	duplex_init(&f->a, "a", WEFT_TUNNEL_IP, secret);
	duplex_init(&f->b, "b", WEFT_TUNNEL_IP, secret);
	weft_link_on_receive(&f->b.link, receive, f);
	duplex_set_tx(&f->a, 0, &f->tx, LIFE, START);
	duplex_set_rx(&f->b, 0, &f->rx, START);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	duplex_fini(&f->a);
	duplex_fini(&f->b);
	free(f);
	return 0;
}

static void say(struct fixture *f, uint32_t len, uint64_t now)
{
	struct weft_frame packet = packet_make(f->packet + WEFT_HEADROOM, len, 1);
	packet.headroom = WEFT_HEADROOM;
	weft_link_send(&f->a.link, &packet, 1, now);
}

static int put(struct fixture *f, const struct http_stream *stream, uint64_t now)
{
	return duplex_output(&f->a, stream, f->wire, ROOM, now);
}

static void take(struct fixture *f, const uint8_t *data, size_t len)
{
	duplex_input(&f->b, &f->rx, data, len, START);
}

static void a_packet_crosses(void **state)
{
	struct fixture *f = *state;
	say(f, 100, START);
	assert_true(f->tx.is_woken);
	int n = put(f, &f->tx, START);
	assert_int_equal(n, 100 + TUNNEL_LEN);
	take(f, f->wire, (size_t)n);
	assert_int_equal(f->received, 1);
	assert_int_equal(f->received_len, 100);
	assert_int_equal(put(f, &f->tx, START), 0);
}

/* One after the other, in two pieces cut at every offset. */
static void a_stream_may_be_cut_into_pieces_anywhere(void **state)
{
	struct fixture *f = *state;
	say(f, 60, START);
	say(f, 61, START);
	int n = put(f, &f->tx, START);
	for (int cut = 0; cut <= n; cut++) {
		f->received = 0;
		take(f, f->wire, (size_t)cut);
		take(f, f->wire + cut, (size_t)(n - cut));
		assert_int_equal(f->received, 2);
	}
}

/* The connection is lost at every offset of a record, and what the next one brings is whole. */
static void a_stream_may_end_anywhere(void **state)
{
	struct fixture *f = *state;
	for (size_t cut = 1; cut < 60 + TUNNEL_LEN; cut++) {
		say(f, 60, START);
		assert_int_equal(duplex_output(&f->a, &f->tx, f->wire, cut, START), cut);
		take(f, f->wire, cut);
		assert_true(duplex_closed(&f->a, &f->tx, START));
		assert_true(duplex_closed(&f->b, &f->rx, START));
		duplex_set_tx(&f->a, 0, &f->tx, LIFE, START);
		duplex_set_rx(&f->b, 0, &f->rx, START);
		f->received = 0;
		say(f, 70, START);
		int n = put(f, &f->tx, START);
		assert_int_equal(n, 70 + TUNNEL_LEN);
		take(f, f->wire, (size_t)n);
		assert_int_equal(f->received, 1);
	}
	assert_int_equal(f->a.outbox.dropped_cut, 60 + TUNNEL_LEN - 1);
	assert_int_equal(f->b.broken, 0);
}

/* What waits already goes first: then nothing is sent past it. */
static void what_need_not_wait_goes_at_once(void **state)
{
	struct fixture *f = *state;
	f->tx.takes_at_once = true;
	say(f, 40, START);
	assert_int_equal(f->tx.sent_len, TUNNEL_LEN + 40);
	assert_int_equal(put(f, &f->tx, START), 0);
	take(f, f->tx.sent, f->tx.sent_len);
	assert_int_equal(f->received, 1);
	assert_int_equal(f->received_len, 40);

	f->tx.takes_at_once = false;
	say(f, 50, START);
	f->tx.takes_at_once = true;
	say(f, 60, START);
	assert_int_equal(f->tx.sent_len, TUNNEL_LEN + 40);
	assert_int_equal(put(f, &f->tx, START), 2 * TUNNEL_LEN + 50 + 60);
}

static void silence_is_broken_by_a_ping(void **state)
{
	struct fixture *f = *state;
	duplex_tick(&f->a, START + 54 * S);
	assert_false(f->tx.is_woken);
	duplex_tick(&f->a, START + 55 * S);
	assert_true(f->tx.is_woken);
	assert_int_equal(put(f, &f->tx, START + 55 * S), TUNNEL_PING_LEN);
	assert_int_equal(f->wire[0] | f->wire[1], 0);
	assert_int_equal(put(f, &f->tx, START + 55 * S), 0);
	take(f, f->wire, TUNNEL_PING_LEN);
	assert_int_equal(f->b.lanes[0].records.pings, 1);
	assert_int_equal(f->received, 0);
}

static void a_packet_is_as_good_as_a_ping(void **state)
{
	struct fixture *f = *state;
	say(f, 60, START + 30 * S);
	(void)put(f, &f->tx, START + 30 * S);
	f->tx.is_woken = false;
	duplex_tick(&f->a, START + 60 * S);
	assert_false(f->tx.is_woken);
	duplex_tick(&f->a, START + 85 * S);
	assert_true(f->tx.is_woken);
}

/* A peer that was killed has ended both streams, but only the one that is read shows it. */
static void the_end_of_one_stream_asks_for_the_other(void **state)
{
	struct fixture *f = *state;
	duplex_set_rx(&f->a, 0, &f->rx, START);
	assert_true(duplex_closed(&f->a, &f->rx, START));
	duplex_tick(&f->a, START + 1 * S);
	assert_true(f->tx.is_woken);
	assert_int_equal(put(f, &f->tx, START + 1 * S), TUNNEL_PING_LEN);
	f->tx.is_woken = false;
	duplex_tick(&f->a, START + 3 * S);
	assert_false(f->tx.is_woken);
}

static void an_old_stream_ends_when_nothing_waits(void **state)
{
	struct fixture *f = *state;
	say(f, 60, START + LIFE);
	duplex_tick(&f->a, START + LIFE);
	assert_int_equal(put(f, &f->tx, START + LIFE), 60 + TUNNEL_LEN);
	assert_int_equal(put(f, &f->tx, START + LIFE), -EPIPE);
}

static void a_second_stream_takes_over(void **state)
{
	struct fixture *f = *state;
	say(f, 60, START);
	(void)duplex_output(&f->a, &f->tx, f->wire, 10, START);
	f->tx.is_woken = false;
	duplex_set_tx(&f->a, 0, &f->other, LIFE, START);
	assert_true(f->tx.is_woken);
	assert_int_equal(put(f, &f->tx, START), -EPIPE);
	assert_false(duplex_closed(&f->a, &f->tx, START));
	say(f, 61, START);
	assert_int_equal(put(f, &f->other, START), 61 + TUNNEL_LEN);
}

static void what_an_old_stream_still_brings_is_not_taken(void **state)
{
	struct fixture *f = *state;
	say(f, 60, START);
	int n = put(f, &f->tx, START);
	duplex_set_rx(&f->b, 0, &f->other, START);
	assert_true(f->rx.is_aborted);
	take(f, f->wire, (size_t)n);
	assert_int_equal(f->received, 0);
}

static void a_stream_without_its_place_is_broken_off(void **state)
{
	struct fixture *f = *state;
	static const uint8_t junk[40] = { 19, 0 };
	take(f, junk, sizeof(junk));
	assert_true(f->rx.is_aborted);
	assert_int_equal(f->b.broken, 1);
	take(f, junk, sizeof(junk));
	assert_int_equal(f->b.broken, 1);
	assert_true(duplex_closed(&f->b, &f->rx, START));
}

/* UDP super-frames are cut: the kernel of an old peer might not take them. */
static void a_udp_super_frame_is_cut(void **state)
{
	struct fixture *f = *state;
	static const uint8_t head[28] = {
		0x45, 0, 0, 228, 0, 1, 0, 0, 64, 17, 0, 0, 10,
		0,    0, 1, 10,  0, 0, 2, 0, 9,  0,  9, 0, 208
	};
	struct weft_frame packet = packet_make(f->packet, 228, 0);
	memcpy(f->packet, head, sizeof(head));
	packet.offload = (struct weft_offload){ .flags = WEFT_OFFLOAD_NEEDS_CSUM,
						.gso = WEFT_GSO_UDP,
						.hdr_len = 28,
						.gso_size = 100,
						.csum_start = 20,
						.csum_offset = 6 };
	weft_link_send(&f->a.link, &packet, 1, START);
	assert_int_equal(put(f, &f->tx, START), 2 * (128 + TUNNEL_LEN));
}

static void memory_is_given_back_when_nothing_comes(void **state)
{
	struct fixture *f = *state;
	say(f, 60, START);
	int n = put(f, &f->tx, START);
	take(f, f->wire, (size_t)n);
	assert_non_null(f->b.lanes[0].records.buf);
	duplex_tick(&f->b, START + 5 * S);
	assert_null(f->b.lanes[0].records.buf);
	take(f, f->wire, (size_t)n - 1);
	duplex_tick(&f->b, START + 30 * S);
	take(f, f->wire + n - 1, 1);
	assert_int_equal(f->received, 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_packet_crosses),
		TEST(a_stream_may_be_cut_into_pieces_anywhere),
		TEST(a_stream_may_end_anywhere),
		TEST(what_need_not_wait_goes_at_once),
		TEST(silence_is_broken_by_a_ping),
		TEST(a_packet_is_as_good_as_a_ping),
		TEST(the_end_of_one_stream_asks_for_the_other),
		TEST(an_old_stream_ends_when_nothing_waits),
		TEST(a_second_stream_takes_over),
		TEST(what_an_old_stream_still_brings_is_not_taken),
		TEST(a_stream_without_its_place_is_broken_off),
		TEST(a_udp_super_frame_is_cut),
		TEST(memory_is_given_back_when_nothing_comes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
