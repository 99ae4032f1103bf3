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
#define ROOM  8192u

static const uint8_t secret[16] = { 7 };

struct fixture {
	struct duplex a, b; /* a sends to b */
	struct http_stream tx, rx, other;
	struct http_stream tx1, rx1;         /* of a second lane */
	struct http_stream back_tx, back_rx; /* from b to a */
	char text[256];
	unsigned texts;
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

static void take(struct fixture *f, uint8_t *data, size_t len)
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

/* n packets of that length, in one call. */
static void say_at_once(struct fixture *f, size_t n, uint32_t len)
{
	struct weft_frame packets[2 * HTTP_PIECES_MAX];
	for (size_t i = 0; i < n; i++) {
		packets[i] = packet_make(f->packet + WEFT_HEADROOM, len, 1);
		packets[i].headroom = WEFT_HEADROOM;
	}
	f->tx.takes_at_once = true;
	weft_link_send(&f->a.link, packets, n, START);
}

/* As much as is granted, with the packet that crosses it, and no more pieces than there can be. */
static void what_goes_at_once_is_bounded(void **state)
{
	struct fixture *f = *state;
	const uint32_t quarter = GRANT_MIN / 4 - TUNNEL_LEN;
	say_at_once(f, 4, quarter);
	assert_int_equal(f->tx.sends, 1);
	say_at_once(f, 9, quarter);
	assert_int_equal(f->tx.sends, 4);
	say_at_once(f, HTTP_PIECES_MAX + 1, 40);
	assert_int_equal(f->tx.sends, 6);
	assert_int_equal(f->tx.sent_len,
			 13 * GRANT_MIN / 4 + (HTTP_PIECES_MAX + 1) * (40 + TUNNEL_LEN));
}

static void what_goes_at_once_is_as_good_as_a_ping(void **state)
{
	struct fixture *f = *state;
	f->tx.takes_at_once = true;
	say(f, 60, START + 30 * S);
	duplex_tick(&f->a, START + 60 * S);
	assert_false(f->tx.is_woken);
}

static void a_ping_goes_between_records(void **state)
{
	struct fixture *f = *state;
	duplex_tick(&f->a, START + 55 * S);
	assert_int_equal(duplex_output(&f->a, &f->tx, f->wire, TUNNEL_PING_LEN - 1,
				       START + 55 * S),
			 0);
	assert_int_equal(
		duplex_output(&f->a, &f->tx, f->wire, TUNNEL_PING_LEN, START + 55 * S),
		TUNNEL_PING_LEN);
	duplex_tick(&f->a, START + 110 * S);
	say(f, 60, START + 110 * S);
	assert_int_equal(put(f, &f->tx, START + 110 * S), 60 + TUNNEL_LEN);
	assert_int_equal(put(f, &f->tx, START + 110 * S), 0);
}

/* Of it nothing is known: neither that it should speak, nor how fast it is. */
static void a_new_stream_begins_anew(void **state)
{
	struct fixture *f = *state;
	duplex_tick(&f->a, START + 55 * S);
	f->a.lanes[0].grant.len = GRANT_MAX;
	duplex_set_tx(&f->a, 0, &f->other, LIFE, START + 55 * S);
	assert_int_equal(put(f, &f->other, START + 55 * S), 0);
	assert_int_equal(grant_len(&f->a.lanes[0].grant), GRANT_MIN);
}

/* Whoever takes nothing is not asked whether it is there. */
static void what_waits_is_no_silence(void **state)
{
	struct fixture *f = *state;
	say(f, 60, START);
	f->tx.is_woken = false;
	duplex_tick(&f->a, START + 55 * S);
	assert_false(f->tx.is_woken);
}

static void what_has_waited_goes_by_a_new_stream(void **state)
{
	struct fixture *f = *state;
	assert_true(duplex_closed(&f->a, &f->tx, START));
	say(f, 60, START);
	assert_false(f->other.is_woken);
	duplex_set_tx(&f->a, 0, &f->other, LIFE, START);
	assert_true(f->other.is_woken);
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
	say(f, 60, START + LIFE - S);
	(void)put(f, &f->tx, START + LIFE - S);
	f->tx.is_woken = false;
	duplex_tick(&f->a, START + LIFE - 1);
	assert_false(f->tx.is_woken);
	duplex_tick(&f->a, START + LIFE);
	assert_true(f->tx.is_woken);
	say(f, 60, START + LIFE);
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
	uint8_t junk[40] = { 19, 0 };
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
	take(f, f->wire, (size_t)n - 1);
	assert_non_null(f->b.lanes[0].records.buf);
	take(f, f->wire + n - 1, 1);
	duplex_tick(&f->b, START + 5 * S);
	assert_null(f->b.lanes[0].records.buf);
	duplex_tick(&f->a, START + 5 * S - 1);
	assert_non_null(f->a.outbox.flows);
	duplex_tick(&f->a, START + 5 * S);
	assert_null(f->a.outbox.flows);
	take(f, f->wire, (size_t)n - 1);
	duplex_tick(&f->b, START + 30 * S);
	take(f, f->wire + n - 1, 1);
	assert_int_equal(f->received, 2);
}

/* ---- lanes ------------------------------------------------------------------------------- */

/* An IPv4 packet of a flow: the number is its source's last octets. */
static void say_of_flow(struct fixture *f, uint16_t flow, uint64_t now)
{
	struct weft_frame packet = packet_of_flow(f->packet, 100, flow, 1, 0);
	weft_link_send(&f->a.link, &packet, 1, now);
}

static void two_lanes(struct fixture *f)
{
	duplex_set_lanes(&f->a, 2);
	duplex_set_lanes(&f->b, 2);
	duplex_set_tx(&f->a, 1, &f->tx1, LIFE, START);
	duplex_set_rx(&f->b, 1, &f->rx1, START);
}

/* Puts out what waits for a lane and has b take it. Returns how many bytes it was. */
static int carry(struct fixture *f, unsigned lane, uint64_t now)
{
	int n = put(f, lane == 0 ? &f->tx : &f->tx1, now);
	if (n > 0)
		duplex_input(&f->b, lane == 0 ? &f->rx : &f->rx1, f->wire, (size_t)n,
			     now);
	return n;
}

static void flows_are_spread_over_lanes(void **state)
{
	struct fixture *f = *state;
	two_lanes(f);
	for (uint16_t flow = 0; flow < 32; flow++)
		say_of_flow(f, flow, START);
	assert_true(f->tx.is_woken && f->tx1.is_woken);
	int there = carry(f, 0, START), beside = carry(f, 1, START);
	assert_true(there > 0 && beside > 0);
	assert_int_equal(there + beside, 32 * (100 + TUNNEL_LEN));
	assert_int_equal(f->received, 32);
}

/* It cannot say by which lane a packet is to go. */
static void nothing_goes_at_once_by_several_lanes(void **state)
{
	struct fixture *f = *state;
	two_lanes(f);
	f->tx.takes_at_once = f->tx1.takes_at_once = true;
	say(f, 60, START);
	assert_int_equal(f->tx.sends + f->tx1.sends, 0);
}

static void a_lane_is_woken_for_its_own_flows(void **state)
{
	struct fixture *f = *state;
	two_lanes(f);
	for (uint16_t flow = 0; flow < 32; flow++) {
		f->tx.is_woken = f->tx1.is_woken = false;
		say_of_flow(f, flow, START);
		assert_true(f->tx.is_woken != f->tx1.is_woken);
	}
}

static void flows_of_a_lane_that_ends_wake_another(void **state)
{
	struct fixture *f = *state;
	two_lanes(f);
	for (uint16_t flow = 0; flow < 32; flow++)
		say_of_flow(f, flow, START);
	f->tx.is_woken = f->tx1.is_woken = false;
	assert_true(duplex_closed(&f->a, &f->tx, START));
	assert_true(f->tx1.is_woken);
	duplex_set_tx(&f->a, 0, &f->tx, LIFE, START);
	f->tx.is_woken = false;
	duplex_set_lanes(&f->a, 1);
	assert_true(f->tx.is_woken);
}

/* Each lane, each way, cut at every offset of a record; the other lane does not notice. */
static void a_lane_may_end_anywhere(void **state)
{
	struct fixture *f = *state;
	two_lanes(f);
	for (unsigned lane = 0; lane < 2; lane++) {
		struct http_stream *tx = lane == 0 ? &f->tx : &f->tx1;
		struct http_stream *rx = lane == 0 ? &f->rx : &f->rx1;
		for (size_t cut = 1; cut < 100 + TUNNEL_LEN; cut++) {
			for (uint16_t flow = 0; flow < 32; flow++)
				say_of_flow(f, flow, START);
			f->received = 0;
			assert_int_equal(duplex_output(&f->a, tx, f->wire, cut, START),
					 cut);
			duplex_input(&f->b, rx, f->wire, cut, START);
			assert_true(duplex_closed(&f->a, tx, START));
			assert_true(duplex_closed(&f->b, rx, START));
			while (carry(f, 1 - lane, START) > 0)
				;
			assert_int_equal(f->received, 31);
			duplex_set_tx(&f->a, lane, tx, LIFE, START);
			duplex_set_rx(&f->b, lane, rx, START);
		}
	}
	assert_int_equal(f->b.broken, 0);
	assert_int_equal(duplex_counts(&f->b).rx_bad, 0);
}

static void a_lane_too_many_gets_its_end(void **state)
{
	struct fixture *f = *state;
	two_lanes(f);
	for (uint16_t flow = 0; flow < 8; flow++)
		say_of_flow(f, flow, START);
	duplex_set_lanes(&f->a, 1);
	duplex_set_lanes(&f->b, 1);
	assert_true(f->rx1.is_aborted);
	assert_int_equal(put(f, &f->tx1, START), -EPIPE);
	assert_false(duplex_closed(&f->a, &f->tx1, START));
	assert_int_equal(carry(f, 0, START), 8 * (100 + TUNNEL_LEN));
}

static void a_lane_is_known_by_its_streams(void **state)
{
	struct fixture *f = *state;
	two_lanes(f);
	assert_int_equal(duplex_tx_lane(&f->a, &f->tx1), 1);
	assert_int_equal(duplex_rx_lane(&f->b, &f->rx1), 1);
	assert_int_equal(duplex_tx_lane(&f->a, &f->other), -ENOENT);
	assert_int_equal(duplex_tx_lane(&f->a, NULL), -ENOENT);
	assert_true(duplex_has_tx(&f->a));
	assert_false(duplex_has_rx(&f->a));
	assert_int_equal(duplex_silence(&f->b, 1, START + 7 * S), 7 * S);
	assert_int_equal(duplex_silence(&f->a, 1, START + 7 * S), 0);
	duplex_abort(&f->b, 1);
	assert_true(f->rx1.is_aborted);
	assert_false(f->rx.is_aborted);
}

/* Nobody reads for an hour: so much is kept, and no more. */
static void a_peer_that_never_reads_is_bounded(void **state)
{
	struct fixture *f = *state;
	two_lanes(f);
	duplex_set_extended(&f->a, true);
	for (uint64_t s = 0; s < 3600; s++) {
		for (uint16_t i = 0; i < 16; i++)
			say_of_flow(f, i, START + s * S);
		duplex_send_control(&f->a, "{}", 2, START + s * S);
		duplex_tick(&f->a, START + s * S);
	}
	assert_true(f->a.outbox.len <= (size_t)17 * (100 + TUNNEL_LEN));
	assert_int_equal(f->a.outbox.control_n, OUTBOX_CONTROL_MAX);
	assert_true(f->a.outbox.dropped_control > 3600 - OUTBOX_CONTROL_MAX);
}

/* ---- Ethernet ---------------------------------------------------------------------------- */

static void receive_frame(void *user, struct weft_link *link,
			  const struct weft_frame *frames, size_t n, uint64_t now)
{
	struct fixture *f = user;
	(void)link;
	(void)now;
	f->received += (unsigned)n;
	f->received_len += frames[0].len;
}

static void ethernet_frames_cross(void **state)
{
	struct fixture *f = *state;
	struct duplex a, b;
	duplex_init(&a, "a", WEFT_TUNNEL_ETHERNET, secret);
	duplex_init(&b, "b", WEFT_TUNNEL_ETHERNET, secret);
	assert_int_equal(weft_link_caps(&a.link).flags & WEFT_LINK_IP, 0);
	weft_link_on_receive(&b.link, receive_frame, f);
	duplex_set_tx(&a, 0, &f->tx, LIFE, START);
	duplex_set_rx(&b, 0, &f->rx, START);
	memset(f->packet, 0x99, 60); /* neither an address nor a type that anybody has */
	struct weft_frame frame = { .data = f->packet, .len = 60 };
	weft_link_send(&a.link, &frame, 1, START);
	int n = duplex_output(&a, &f->tx, f->wire, ROOM, START);
	assert_int_equal(n, 60 + TUNNEL_LEN);
	duplex_input(&b, &f->rx, f->wire, (size_t)n, START);
	assert_int_equal(f->received, 1);
	assert_int_equal(f->received_len, 60);
	duplex_fini(&a);
	duplex_fini(&b);
}

/* ---- control ----------------------------------------------------------------------------- */

static void take_text(void *user, const char *text, size_t len, uint64_t now)
{
	struct fixture *f = user;
	(void)now;
	assert_true(len < sizeof(f->text));
	memcpy(f->text, text, len);
	f->text[len] = '\0';
	f->texts++;
}

/* Both ways: b answers by a stream of its own. */
static void both_extended(struct fixture *f)
{
	duplex_set_extended(&f->a, true);
	duplex_set_extended(&f->b, true);
	duplex_on_control(&f->b, take_text, f);
	duplex_set_tx(&f->b, 0, &f->back_tx, LIFE, START);
	duplex_set_rx(&f->a, 0, &f->back_rx, START);
}

static void send_text(struct fixture *f, const char *text)
{
	duplex_send_control(&f->a, text, strlen(text), START);
	(void)carry(f, 0, START);
}

static void what_is_said_arrives_in_its_order(void **state)
{
	struct fixture *f = *state;
	both_extended(f);
	say(f, 60, START);
	send_text(f, "{\"type\":\"conf\",\"mtu\":1400}");
	assert_int_equal(f->texts, 1);
	assert_string_equal(f->text, "{\"type\":\"conf\",\"mtu\":1400}");
	assert_int_equal(f->received, 1);
	send_text(f, "{\"type\":\"a\"}");
	assert_string_equal(f->text, "{\"type\":\"a\"}        ");
	assert_int_equal(f->b.rx_controls, 2);
	assert_int_equal(f->b.rx_controls_bad, 0);
}

static void nonsense_is_counted(void **state)
{
	struct fixture *f = *state;
	static const char *const texts[] = { "",
					     "nonsense",
					     "[]",
					     "{",
					     "{\"type\":7}",
					     "{\"type\":\"probe\"}",
					     "{\"type\":\"probe\",\"id\":-1}",
					     "{\"type\":\"probe\",\"id\":4294967296}",
					     "{\"type\":\"probe\",\"id\":\"1\"}",
					     "{\"type\":\"echo\",\"id\":1}",
					     "\xff\xfe{\"type\":\"conf\"}" };
	const size_t n = sizeof(texts) / sizeof(texts[0]);
	both_extended(f);
	for (size_t i = 0; i < n; i++)
		send_text(f, texts[i]);
	assert_int_equal(f->b.rx_controls, n);
	assert_int_equal(f->b.rx_controls_bad, n);
	assert_int_equal(f->texts, 0);
	assert_false(f->back_tx.is_woken);
	assert_false(f->rx.is_aborted);
	send_text(
		f,
		"{\"type\":\"probe\",\"id\":4294967295}"); /* the last one of the last lane */
	assert_int_equal(f->b.rx_controls_bad, n);
	assert_true(f->back_tx.is_woken);
}

static void what_is_not_said_is_counted_once(void **state)
{
	struct fixture *f = *state;
	duplex_send_control(&f->a, "{}", 2, START);
	assert_int_equal(f->a.outbox.dropped_control, 1);
	duplex_set_extended(&f->a, true);
	for (unsigned i = 0; i < OUTBOX_CONTROL_MAX + 5; i++)
		duplex_send_control(&f->a, "{}", 2, START);
	assert_int_equal(f->a.outbox.dropped_control, 6);
}

static void probes_measure_the_path(void **state)
{
	struct fixture *f = *state;
	both_extended(f);
	assert_false(duplex_health(&f->a, START).is_measured);
	duplex_tick(&f->a, START);
	assert_true(carry(f, 0, START + 10 * MS) > 0);
	int n = duplex_output(&f->b, &f->back_tx, f->wire, ROOM, START + 20 * MS);
	duplex_input(&f->a, &f->back_rx, f->wire, (size_t)n, START + 30 * MS);
	struct duplex_health health = duplex_health(&f->a, START + 30 * MS);
	assert_true(health.is_measured);
	assert_int_equal(health.rtt_ns, 30 * MS);
	assert_int_equal(health.loss_permille, 0);
	duplex_set_extended(&f->a, true); /* said again */
	assert_true(duplex_health(&f->a, START + 30 * MS).is_measured);
	duplex_tick(&f->a, START + S); /* nobody answers this one */
	(void)put(f, &f->tx, START + S);
	assert_int_equal(duplex_unanswered(&f->a, 0, START + 3 * S), 2 * S);
	assert_true(duplex_closed(&f->a, &f->tx, START + 3 * S));
	assert_int_equal(duplex_unanswered(&f->a, 0, START + 3 * S), 0);
	assert_int_equal(duplex_health(&f->a, START + 8 * S).loss_permille, 500);
}

/* Sends what b has to say by a lane to a. */
static void carry_back(struct fixture *f, struct http_stream *tx, struct http_stream *rx,
		       uint64_t now)
{
	int n = duplex_output(&f->b, tx, f->wire, ROOM, now);
	assert_true(n >= 0);
	duplex_input(&f->a, rx, f->wire, (size_t)n, now);
}

/* Ten milliseconds by one, thirty by the other; then the second one's are lost. */
static void the_path_is_the_mean_of_its_lanes(void **state)
{
	struct fixture *f = *state;
	struct http_stream *back_tx1 = calloc(1, sizeof(*back_tx1));
	struct http_stream *back_rx1 = calloc(1, sizeof(*back_rx1));
	assert_true(back_tx1 && back_rx1);
	two_lanes(f);
	both_extended(f);
	duplex_set_tx(&f->b, 1, back_tx1, LIFE, START);
	duplex_set_rx(&f->a, 1, back_rx1, START);
	duplex_tick(&f->a, START);
	assert_true(carry(f, 0, START) > 0 && carry(f, 1, START) > 0);
	carry_back(f, &f->back_tx, &f->back_rx, START + 10 * MS);
	assert_int_equal(duplex_health(&f->a, START + 20 * MS).rtt_ns, 10 * MS);
	carry_back(f, back_tx1, back_rx1, START + 30 * MS);
	assert_int_equal(duplex_health(&f->a, START + 40 * MS).rtt_ns, 20 * MS);
	duplex_tick(&f->a, START + S);
	(void)carry(f, 0, START + S);
	(void)put(f, &f->tx1, START + S);
	carry_back(f, &f->back_tx, &f->back_rx, START + S + 10 * MS);
	assert_int_equal(duplex_health(&f->a, START + 8 * S).loss_permille, 250);
	free(back_tx1);
	free(back_rx1);
}

/* A lane that has never answered counts with its losses, and not when it is another one. */
static void a_lane_without_an_answer_is_a_bad_one(void **state)
{
	struct fixture *f = *state;
	two_lanes(f);
	both_extended(f);
	duplex_tick(&f->a, START);
	assert_true(carry(f, 0, START) > 0);
	carry_back(f, &f->back_tx, &f->back_rx, START + 10 * MS);
	assert_int_equal(duplex_health(&f->a, START + 8 * S).loss_permille, 500);
	assert_int_equal(duplex_health(&f->a, START + 8 * S).rtt_ns, 10 * MS);
	duplex_set_lanes(&f->a, 1);
	duplex_set_lanes(&f->a, 2);
	assert_int_equal(duplex_health(&f->a, START + 8 * S).loss_permille, 0);
}

/* Neither a probe nor anything else goes to a peer of the original. */
static void an_old_peer_is_told_nothing(void **state)
{
	struct fixture *f = *state;
	duplex_send_control(&f->a, "{}", 2, START);
	for (unsigned s = 0; s < 20; s++)
		duplex_tick(&f->a, START + s * S);
	assert_int_equal(put(f, &f->tx, START + 20 * S), 0);
	duplex_set_extended(&f->a, true);
	duplex_send_control(&f->a, "{}", 2, START);
	duplex_set_extended(&f->a, false);
	assert_int_equal(put(f, &f->tx, START + 20 * S), 0);
}

static void replace_rx(void *user, const char *text, size_t len, uint64_t now)
{
	struct fixture *f = user;
	(void)text;
	(void)len;
	duplex_set_rx(&f->b, 0, &f->other, now);
}

/* Whoever hears of a change may replace the stream that it came by. */
static void a_stream_may_be_replaced_while_it_speaks(void **state)
{
	struct fixture *f = *state;
	both_extended(f);
	duplex_on_control(&f->b, replace_rx, f);
	duplex_send_control(&f->a, "{\"type\":\"conf\"}", 15, START);
	say(f, 60, START);
	(void)carry(f, 0, START);
	assert_int_equal(f->received, 0);
	assert_true(f->rx.is_aborted);
	say(f, 60, START);
	int n = put(f, &f->tx, START);
	duplex_input(&f->b, &f->other, f->wire, (size_t)n, START);
	assert_int_equal(f->received, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_packet_crosses),
		TEST(a_stream_may_be_cut_into_pieces_anywhere),
		TEST(a_stream_may_end_anywhere),
		TEST(what_need_not_wait_goes_at_once),
		TEST(what_goes_at_once_is_bounded),
		TEST(what_goes_at_once_is_as_good_as_a_ping),
		TEST(a_ping_goes_between_records),
		TEST(a_new_stream_begins_anew),
		TEST(what_waits_is_no_silence),
		TEST(what_has_waited_goes_by_a_new_stream),
		TEST(silence_is_broken_by_a_ping),
		TEST(a_packet_is_as_good_as_a_ping),
		TEST(the_end_of_one_stream_asks_for_the_other),
		TEST(an_old_stream_ends_when_nothing_waits),
		TEST(a_second_stream_takes_over),
		TEST(what_an_old_stream_still_brings_is_not_taken),
		TEST(a_stream_without_its_place_is_broken_off),
		TEST(a_udp_super_frame_is_cut),
		TEST(memory_is_given_back_when_nothing_comes),
		TEST(flows_are_spread_over_lanes),
		TEST(nothing_goes_at_once_by_several_lanes),
		TEST(a_lane_is_woken_for_its_own_flows),
		TEST(flows_of_a_lane_that_ends_wake_another),
		TEST(a_lane_may_end_anywhere),
		TEST(a_lane_too_many_gets_its_end),
		TEST(a_lane_is_known_by_its_streams),
		TEST(a_peer_that_never_reads_is_bounded),
		TEST(ethernet_frames_cross),
		TEST(what_is_said_arrives_in_its_order),
		TEST(nonsense_is_counted),
		TEST(what_is_not_said_is_counted_once),
		TEST(probes_measure_the_path),
		TEST(the_path_is_the_mean_of_its_lanes),
		TEST(a_lane_without_an_answer_is_a_bad_one),
		TEST(an_old_peer_is_told_nothing),
		TEST(a_stream_may_be_replaced_while_it_speaks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
