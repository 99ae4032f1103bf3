/* SPDX-License-Identifier: MIT */
/*
 * The rules that are not about states: what is accepted, when an ACK is due, how much is sent
 * and when again, who is believed. One transcript each; the section stands with it.
 */
#include "base/array.h"
#include "stack/tcp_error.h"
#include "tcp_script.h"

#include <errno.h>

/* ---- receiving --------------------------------------------------------------------------- */

/* RFC 9293, 3.8.6.3: every second full-sized segment, or after a delay. */
static void acks_are_delayed(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	RX(ACK, .seq = 101, .ack = 1, .len = 1460);
	QUIET();
	RX(ACK, .seq = 1561, .ack = 1, .len = 1460);
	TX(ACK, .seq = 1, .ack = 3021);
	RX(ACK, .seq = 3021, .ack = 1, .len = 100);
	AT(MS(39));
	QUIET();
	AT(MS(41));
	TX(ACK, .seq = 1, .ack = 3121);
	script_read(&s, 3020, 101);
	script_fini(&s);
}

static void an_ack_rides_on_data(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	RX(ACK, .seq = 101, .ack = 1, .len = 100);
	script_write(&s, 3);
	TX(ACK, .seq = 1, .ack = 201, .len = 3);
	AT(MS(100));
	QUIET();
	script_fini(&s);
}

/* microps: what was early was delivered as if in order, and the ACK went over the gap. */
static void early_data_waits_and_is_reported(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	assert_int_equal(RX(ACK, .seq = 109, .ack = 1, .len = 8), TCP_TOOK_EARLY);
	TX(ACK, .seq = 1, .ack = 101, .sacks_n = 1, .sacks = { { 109, 117 } });
	assert_int_equal(tcp_receive(s.conn, (char[8]){ 0 }, 8, s.now), -EAGAIN);
	RX(ACK, .seq = 125, .ack = 1, .len = 8);
	TX(ACK, .seq = 1, .ack = 101, .sacks_n = 2,
	   .sacks = { { 125, 133 }, { 109, 117 } });
	RX(ACK, .seq = 101, .ack = 1, .len = 8);
	TX(ACK, .seq = 1, .ack = 117, .sacks_n = 1, .sacks = { { 125, 133 } });
	RX(ACK, .seq = 117, .ack = 1, .len = 8);
	TX(ACK, .seq = 1, .ack = 133);
	script_read(&s, 32, 101);
	script_fini(&s);
}

/* microps: overlapping data was copied behind what was there. */
static void overlaps_are_cut_off(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	RX(ACK, .seq = 101, .ack = 1, .len = 20);
	RX(ACK, .seq = 111, .ack = 1, .len = 20);
	RX(ACK, .seq = 151, .ack = 1, .len = 20);
	RX(ACK, .seq = 141, .ack = 1, .len = 40);
	RX(ACK, .seq = 91, .ack = 1, .len = 60);
	script_read(&s, 80, 101);
	assert_int_equal(s.conn->rcv_nxt, 181);
	script_fini(&s);
}

/* microps: data and FIN in one segment were acknowledged as one byte. */
static void data_and_fin_in_one(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	RX(FIN | ACK, .seq = 101, .ack = 1, .len = 5);
	TX(ACK, .seq = 1, .ack = 107);
	STATE(TCP_CLOSE_WAIT);
	script_read(&s, 5, 101);
	assert_int_equal(tcp_receive(s.conn, (char[8]){ 0 }, 8, s.now), 0);
	script_fini(&s);
}

static void an_early_fin_waits(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	RX(FIN | ACK, .seq = 111, .ack = 1, .len = 10);
	TX(ACK, .seq = 1, .ack = 101, .sacks_n = 1, .sacks = { { 111, 121 } });
	STATE(TCP_ESTABLISHED);
	RX(ACK, .seq = 101, .ack = 1, .len = 10);
	TX(ACK, .seq = 1, .ack = 122);
	STATE(TCP_CLOSE_WAIT);
	script_read(&s, 20, 101);
	script_fini(&s);
}

/* The stream has come to its end, after that many bytes. */
static void assert_the_end(struct script *script, uint32_t len)
{
	script_read(script, len, 101);
	assert_int_equal(tcp_receive(script->conn, (char[8]){ 0 }, 8, script->now), 0);
	script_assert_state(script, TCP_CLOSE_WAIT, __FILE__, __LINE__);
	assert_int_equal(script->conn->rcv_nxt, 101 + len + 1);
}

/* RFC 9293, 3.10.7.4: behind a FIN there is nothing, whatever comes there. */
static void data_behind_a_fin_is_cut_off(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	RX(FIN | ACK, .seq = 111, .ack = 1);
	TX(ACK, .seq = 1, .ack = 101);
	RX(ACK, .seq = 111, .ack = 1, .len = 10);
	TX(ACK, .seq = 1, .ack = 101);
	RX(ACK, .seq = 106, .ack = 1, .len = 10);
	TX(ACK, .seq = 1, .ack = 101, .sacks_n = 1, .sacks = { { 106, 111 } });
	RX(ACK, .seq = 101, .ack = 1, .len = 5);
	TX(ACK, .seq = 1, .ack = 112);
	assert_the_end(&s, 10);
	RX(ACK, .seq = 112, .ack = 1, .len = 10);
	assert_int_equal(tcp_receive(s.conn, (char[8]){ 0 }, 8, s.now), 0);
	script_fini(&s);
}

static void a_super_segment_ends_at_the_fin(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	RX(FIN | ACK, .seq = 2101, .ack = 1);
	RX(ACK, .seq = 101, .ack = 1, .len = 4380, .gso = 1460);
	assert_the_end(&s, 2000);
	script_fini(&s);
}

/* What had come before the FIN was behind it, or reached across it. */
static void a_fin_cuts_off_what_is_early(void **state)
{
	(void)state;
	static const struct line fins[] = {
		{ .flags = FIN | ACK, .seq = 101, .ack = 1, .len = 20 },
		{ .flags = FIN | ACK, .seq = 121, .ack = 1 },
		{ .flags = FIN | ACK, .seq = 111, .ack = 1, .len = 10 },
	};
	for (size_t i = 0; i < ARRAY_LEN(fins); i++) {
		struct script s;
		script_init(&s, NULL);
		script_establish(&s);
		RX(ACK, .seq = 141, .ack = 1, .len = 10);
		RX(ACK, .seq = 116, .ack = 1, .len = 20);
		(void)script_rx(&s, &fins[i]);
		RX(ACK, .seq = 101, .ack = 1, .len = 20);
		assert_the_end(&s, 20);
		script_fini(&s);
	}
}

/* Nor is a later FIN another end: not in front of the first, not behind it. */
static void the_first_fin_holds(void **state)
{
	(void)state;
	static const struct line others[] = {
		{ .flags = FIN | ACK, .seq = 101, .ack = 1 },
		{ .flags = FIN | ACK, .seq = 101, .ack = 1, .len = 10 },
		{ .flags = FIN | ACK, .seq = 111, .ack = 1 },
		{ .flags = FIN | ACK, .seq = 121, .ack = 1 },
		{ .flags = FIN | ACK, .seq = 131, .ack = 1 },
		{ .flags = FIN | ACK, .seq = 111, .ack = 1, .len = 30 },
	};
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct script s;
		script_init(&s, NULL);
		script_establish(&s);
		RX(FIN | ACK, .seq = 121, .ack = 1);
		(void)script_rx(&s, &others[i]);
		STATE(TCP_ESTABLISHED);
		RX(ACK, .seq = 101, .ack = 1, .len = 20);
		assert_the_end(&s, 20);
		script_fini(&s);
	}
}

/* RFC 2883: a duplicate is reported. */
static void duplicates_are_reported(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	RX(ACK, .seq = 101, .ack = 1, .len = 10);
	RX(ACK, .seq = 101, .ack = 1, .len = 10);
	TX(ACK, .seq = 1, .ack = 111, .sacks_n = 1, .sacks = { { 101, 111 } });
	script_fini(&s);
}

/* microps: more data than the window overran the buffer. */
static void the_window_is_a_limit(void **state)
{
	(void)state;
	struct script s;
	struct tcp_config config = { .no_timestamps = true, .receive_first = 1000 };
	script_init(&s, &config);
	script_establish(&s);
	RX(ACK, .seq = 101, .ack = 1, .len = 2000);
	TX(ACK, .seq = 1, .ack = 1101, .window_zero = true);
	assert_int_equal(s.conn->to_read.len, 1000);
	/* A probe is answered, and its ACK counts. */
	script_write(&s, 5);
	TX(ACK, .seq = 1, .ack = 1101, .len = 5, .window_zero = true);
	RX(ACK, .seq = 1101, .ack = 6, .len = 1);
	TX(ACK, .seq = 6, .ack = 1101, .window_zero = true);
	assert_int_equal(s.conn->snd_una, s.conn->snd_nxt);
	/* microps: the window was not told when it opened again. */
	script_read(&s, 1000, 101);
	TX(ACK, .seq = 6, .ack = 1101, .window = 1000);
	RX(ACK, .seq = 1101, .ack = 6, .len = 500);
	script_read(&s, 500, 1101);
	script_fini(&s);
}

/* RFC 9293, 3.8.6.2.2: the edge moves by a segment or half of the buffer, or not at all. */
static void small_windows_are_not_told(void **state)
{
	(void)state;
	struct script s;
	char buf[100];
	struct tcp_config config = { .no_timestamps = true, .receive_first = 1000 };
	script_init(&s, &config);
	script_establish(&s);
	RX(ACK, .seq = 101, .ack = 1, .len = 1000);
	AT(MS(50));
	TX(ACK, .seq = 1, .ack = 1101, .window_zero = true);
	assert_int_equal(tcp_receive(s.conn, buf, 100, s.now), 100);
	QUIET();
	RX(ACK, .seq = 1101, .ack = 1, .len = 1);
	TX(ACK, .seq = 1, .ack = 1101, .window_zero = true);
	script_fini(&s);
}

/* microps: sequence numbers were compared as numbers. */
static void the_circle_closes(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_listen(&s);
	RX(SYN, .seq = 0xfffffffe, .mss = 1460);
	TX(SYN | ACK, .seq = 0, .ack = 0xffffffff);
	RX(ACK, .seq = 0xffffffff, .ack = 1);
	RX(ACK, .seq = 0xffffffff, .ack = 1, .len = 10);
	RX(ACK, .seq = 9, .ack = 1, .len = 10);
	AT(MS(50));
	TX(ACK, .seq = 1, .ack = 19);
	script_read(&s, 20, 0xffffffff);
	script_fini(&s);
}

/* RFC 9293, 3.10.7.4: what is outside of the window is answered and not taken. */
static void outside_of_the_window(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	assert_int_equal(RX(ACK, .seq = 101 + 200000, .ack = 1, .len = 10),
			 TCP_REFUSED_WINDOW);
	TX(ACK, .seq = 1, .ack = 101);
	assert_int_equal(RX(ACK, .seq = 50, .ack = 1, .len = 10), TCP_REFUSED_WINDOW);
	TX(ACK, .seq = 1, .ack = 101, .sacks_n = 1, .sacks = { { 50, 60 } });
	assert_int_equal(RX(RST, .seq = 50), TCP_DROP_RESET);
	QUIET();
	/* Two hosts could answer each other's empty segments for ever: one in half a second. */
	assert_int_equal(RX(ACK, .seq = 50, .ack = 1), TCP_REFUSED_WINDOW);
	TX(ACK, .seq = 1, .ack = 101);
	assert_int_equal(RX(ACK, .seq = 50, .ack = 1), TCP_DROP_LIMITED);
	QUIET();
	script_fini(&s);
}

/* RFC 6093: urgent data is data, wherever the pointer points. */
static void urgent_data_is_data(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	RX(URG | ACK, .seq = 101, .ack = 1, .len = 10, .urgent = 0);
	RX(URG | ACK, .seq = 111, .ack = 1, .len = 10, .urgent = 65535);
	RX(URG | ACK, .seq = 121, .ack = 1, .len = 10, .urgent = 5);
	script_read(&s, 30, 101);
	script_fini(&s);
}

/* ---- believing: RFC 5961 ----------------------------------------------------------------- */

static void resets_are_challenged(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	assert_int_equal(RX(RST, .seq = 102), TCP_CHALLENGED_RESET);
	TX(ACK, .seq = 1, .ack = 101);
	assert_int_equal(RX(RST, .seq = 103), TCP_DROP_LIMITED);
	QUIET();
	STATE(TCP_ESTABLISHED);
	AT(MS(500));
	assert_int_equal(RX(RST, .seq = 103), TCP_CHALLENGED_RESET);
	script_fini(&s);
}

static void syns_are_challenged(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	assert_int_equal(RX(SYN, .seq = 101), TCP_CHALLENGED_SYN);
	TX(ACK, .seq = 1, .ack = 101);
	AT(S(1));
	assert_int_equal(RX(SYN, .seq = 0x7fffffff), TCP_CHALLENGED_SYN);
	TX(ACK, .seq = 1, .ack = 101);
	STATE(TCP_ESTABLISHED);
	script_fini(&s);
}

static void impossible_acks_are_challenged(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	assert_int_equal(RX(ACK, .seq = 101, .ack = 2, .len = 5), TCP_CHALLENGED_ACK);
	TX(ACK, .seq = 1, .ack = 101);
	AT(S(1));
	assert_int_equal(RX(ACK, .seq = 101, .ack = 1u - 70000u, .len = 5),
			 TCP_CHALLENGED_ACK);
	TX(ACK, .seq = 1, .ack = 101);
	/* An old one that can be true is passed over, and its data is not. */
	assert_int_equal(RX(ACK, .seq = 101, .ack = 0u - 100u, .len = 5), TCP_TOOK_DATA);
	assert_int_equal(RX(0, .seq = 106, .len = 5), TCP_DROP_NO_FLAG);
	script_fini(&s);
}

/* ---- timestamps: RFC 7323 ---------------------------------------------------------------- */

static const struct tcp_config with_timestamps = { 0 };

static void timestamps_are_echoed(void **state)
{
	(void)state;
	struct script s;
	struct line syn = { .mss = 1460, .sack = true, .ts = true, .ts_val = 7000 };
	script_init(&s, &with_timestamps);
	script_establish_with(&s, &syn);
	RX(ACK, .seq = 101, .ack = 1, .len = 5, .ts = true, .ts_val = 7010);
	RX(ACK, .seq = 106, .ack = 1, .len = 5, .ts = true, .ts_val = 7020);
	AT(MS(50));
	/* The first of the two that are acknowledged: with the delay, as it should be. */
	TX(ACK, .seq = 1, .ack = 111, .ts = true, .ts_ecr = 7010);
	script_fini(&s);
}

static void old_timestamps_are_refused(void **state)
{
	(void)state;
	struct script s;
	struct line syn = { .mss = 1460, .sack = true, .ts = true, .ts_val = 7000 };
	script_init(&s, &with_timestamps);
	script_establish_with(&s, &syn);
	assert_int_equal(
		RX(ACK, .seq = 101, .ack = 1, .len = 5, .ts = true, .ts_val = 6999),
		TCP_REFUSED_PAWS);
	TX(ACK, .seq = 1, .ack = 101, .ts = true);
	assert_int_equal(RX(ACK, .seq = 101, .ack = 1, .len = 5), TCP_DROP_NO_TIMESTAMP);
	assert_int_equal(
		RX(ACK, .seq = 101, .ack = 1, .len = 5, .ts = true, .ts_val = 7001),
		TCP_TOOK_DATA);
	/* After 24 days nobody knows any more what is old. */
	AT(S(25 * 86400));
	s.taken = s.sent_n;
	assert_int_equal(
		RX(ACK, .seq = 106, .ack = 1, .len = 5, .ts = true, .ts_val = 6000),
		TCP_TOOK_DATA);
	/* A reset needs no timestamp. */
	assert_int_equal(RX(RST, .seq = 111), TCP_TOOK_RESET);
	script_fini(&s);
}

/* ---- sending ----------------------------------------------------------------------------- */

/* RFC 9293, 3.7.1: no option means 536; and never less than is reasonable. */
static void the_mss_is_obeyed(void **state)
{
	(void)state;
	static const struct {
		uint16_t option, sent;
	} cases[] = {
		{ 0, 536 }, { 1000, 1000 }, { 65535, 1460 }, { 1, 88 }, { 48, 88 }
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct script s;
		struct line syn = { .mss = cases[i].option };
		script_init(&s, NULL);
		script_establish_with(&s, &syn);
		script_write(&s, cases[i].sent);
		TX(ACK, .seq = 1, .ack = 101, .len = cases[i].sent);
		script_fini(&s);
	}
}

static void much_data_leaves_as_super_segments(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	script_write(&s, 20000);
	/* Ten segments of initial window (RFC 6928), and no more. */
	TX(ACK, .seq = 1, .ack = 101, .len = 14600, .gso = 1460);
	QUIET();
	AT(MS(20));
	RX(ACK, .seq = 101, .ack = 14601);
	TX(ACK, .seq = 14601, .ack = 101, .len = 2920, .gso = 1460);
	script_fini(&s);
}

/* RFC 9293, 3.7.4. */
static void nagle_waits_for_the_ack(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	script_write(&s, 10);
	TX(ACK, .seq = 1, .ack = 101, .len = 10);
	script_write(&s, 10);
	script_write(&s, 10);
	QUIET();
	RX(ACK, .seq = 101, .ack = 11);
	TX(ACK, .seq = 11, .ack = 101, .len = 20);
	tcp_set_nodelay(s.conn, true, s.now);
	script_write(&s, 5);
	TX(ACK, .seq = 31, .ack = 101, .len = 5);
	script_fini(&s);
}

static void a_cork_holds_small_segments_back(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	tcp_set_cork(s.conn, true, s.now);
	script_write(&s, 1000);
	QUIET();
	script_write(&s, 1000);
	TX(ACK, .seq = 1, .ack = 101, .len = 1460);
	RX(ACK, .seq = 101, .ack = 1461);
	QUIET();
	tcp_set_cork(s.conn, false, s.now);
	TX(ACK, .seq = 1461, .ack = 101, .len = 540);
	RX(ACK, .seq = 101, .ack = 2001);
	/* A program that forgets about it loses time, not data. */
	tcp_set_cork(s.conn, true, s.now);
	script_write(&s, 10);
	AT(MS(900));
	QUIET();
	AT(MS(1100));
	TX(ACK, .seq = 2001, .ack = 101, .len = 10);
	script_fini(&s);
}

/* microps: a sender blocked on a full window was never woken. */
static void a_full_window_opens(void **state)
{
	(void)state;
	struct script s;
	struct line syn = { .mss = 1460, .window = 1000 };
	script_init(&s, NULL);
	script_establish_with(&s, &syn);
	script_write(&s, 3000);
	TX(ACK, .seq = 1, .ack = 101, .len = 1000);
	QUIET();
	RX(ACK, .seq = 101, .ack = 1001, .window = 1000);
	TX(ACK, .seq = 1001, .ack = 101, .len = 1000);
	RX(ACK, .seq = 101, .ack = 2001, .window = 5000);
	TX(ACK, .seq = 2001, .ack = 101, .len = 1000);
	script_fini(&s);
}

/* RFC 9293, 3.8.6.1: a closed window is asked, further and further apart, for as long as the
 * peer answers. */
static void a_closed_window_is_probed(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	RX(ACK, .seq = 101, .ack = 1, .window_zero = true);
	script_write(&s, 100);
	QUIET();
	/* After 1, 2, 4 ... s, and then once a minute. */
	for (uint64_t at = 1, wait = 2; at < 4000;
	     at += wait, wait = wait < 30 ? 2 * wait : 60) {
		AT(S(at) - 1);
		QUIET();
		AT(S(at));
		TX(ACK, .seq = 1, .ack = 101, .len = 1);
		RX(ACK, .seq = 101, .ack = 1, .window_zero = true);
	}
	assert_int_equal(s.closed, 0);
	RX(ACK, .seq = 101, .ack = 2, .window = 1000);
	TX(ACK, .seq = 2, .ack = 101, .len = 99);
	script_fini(&s);
}

static void a_peer_that_never_opens_is_left_when_the_user_has_a_limit(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	s.conn->user_timeout_ms = 30000;
	RX(ACK, .seq = 101, .ack = 1, .window_zero = true);
	script_write(&s, 100);
	for (uint64_t at = 0; at < 100 && s.closed == 0; at++) {
		AT(S(at));
		if (s.sent_n > s.taken && s.closed == 0)
			RX(ACK, .seq = 101, .ack = 1, .window_zero = true);
		s.taken = s.sent_n;
	}
	assert_int_equal(s.closed, 1);
	assert_int_equal(s.error, -ETIMEDOUT);
	script_fini(&s);
}

/* microps: a segment that was partly acknowledged was forgotten. */
static void the_rest_of_a_segment_is_sent_again(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	script_write(&s, 5000);
	TX(ACK, .seq = 1, .ack = 101, .len = 4380, .gso = 1460);
	RX(ACK, .seq = 101, .ack = 701);
	RX(ACK, .seq = 101, .ack = 2001);
	s.taken = s.sent_n;
	AT(S(2));
	assert_true(s.sent_n > s.taken);
	s.taken = s.sent_n - 1;
	while (s.sent[s.taken].hdr.seq - s.iss != 2001)
		s.taken--;
	TX(ACK, .seq = 2001, .ack = 101, .len = 1460);
	script_fini(&s);
}

/* RFC 6298, 5: twice as long each time; microps: 200 ms, and 12 s at most. */
static void retransmissions_back_off(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_connect(&s);
	TX(SYN, .seq = 0);
	for (unsigned i = 0, at = 1; i < 5; i++, at = 2 * at + 1) {
		AT(S(at) - 1);
		QUIET();
		AT(S(at));
		TX(SYN, .seq = 0);
	}
	AT(S(400));
	assert_int_equal(s.closed, 1);
	assert_int_equal(s.error, -ETIMEDOUT);
	script_fini(&s);
}

/* The queue is full, and then half empty: told once. */
static void the_user_is_told_of_room(void **state)
{
	(void)state;
	struct script s;
	static char data[3000];
	script_init(&s, NULL);
	script_establish(&s);
	s.conn->snd_limit = 2000;
	assert_int_equal(tcp_send(s.conn, data, 3000, s.now), 2000);
	assert_int_equal(tcp_send(s.conn, data, 3000, s.now), 0);
	RX(ACK, .seq = 101, .ack = 501);
	assert_int_equal(s.writable, 0);
	RX(ACK, .seq = 101, .ack = 1461);
	assert_int_equal(s.writable, 1);
	assert_int_equal(tcp_send(s.conn, data, 100, s.now), 100);
	RX(ACK, .seq = 101, .ack = 2001);
	assert_int_equal(s.writable, 1);
	script_fini(&s);
}

static void data_is_given_up_after_the_user_timeout(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	script_write(&s, 10);
	AT(S(299));
	assert_int_equal(s.closed, 0);
	AT(S(420));
	assert_int_equal(s.closed, 1);
	assert_int_equal(s.error, -ETIMEDOUT);
	script_fini(&s);
}

/* RFC 9293, 3.8.4. */
static void keep_alive(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	tcp_set_keepalive(s.conn, true, 10, 5, 3, s.now);
	AT(S(10));
	TX(ACK, .seq = 0, .ack = 101);
	RX(ACK, .seq = 101, .ack = 1);
	AT(S(19));
	QUIET();
	AT(S(20));
	TX(ACK, .seq = 0, .ack = 101);
	AT(S(25));
	TX(ACK, .seq = 0, .ack = 101);
	AT(S(30));
	TX(ACK, .seq = 0, .ack = 101);
	assert_int_equal(s.closed, 0);
	AT(S(35));
	assert_int_equal(s.closed, 1);
	assert_int_equal(s.error, -ETIMEDOUT);
	script_fini(&s);
}

/* ---- ending ------------------------------------------------------------------------------ */

static void the_fin_follows_the_data(void **state)
{
	(void)state;
	struct script s;
	struct line syn = { .mss = 1460, .window = 1000 };
	script_init(&s, NULL);
	script_establish_with(&s, &syn);
	script_write(&s, 1500);
	tcp_close(s.conn, s.now);
	TX(ACK, .seq = 1, .ack = 101, .len = 1000);
	RX(ACK, .seq = 101, .ack = 1001, .window = 1000);
	TX(FIN | ACK, .seq = 1001, .ack = 101, .len = 500);
	RX(ACK, .seq = 101, .ack = 1502, .window = 1000);
	RX(FIN | ACK, .seq = 101, .ack = 1502);
	TX(ACK, .seq = 1502, .ack = 102);
	s.conn = NULL;
	assert_int_equal(s.tcp.conns, 0);
	assert_int_equal(s.tcp.time_waits_n, 1);
	script_fini(&s);
}

/* RFC 2525, 2.17: what was not read was not received. */
static void closing_with_unread_data_resets(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	RX(ACK, .seq = 101, .ack = 1, .len = 10);
	tcp_close(s.conn, s.now);
	s.conn = NULL;
	TX(RST | ACK, .seq = 1, .ack = 111);
	script_fini(&s);
}

static void data_for_nobody_is_refused(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	tcp_close(s.conn, s.now);
	s.conn = NULL;
	TX(FIN | ACK, .seq = 1, .ack = 101);
	assert_int_equal(RX(ACK, .seq = 101, .ack = 2, .len = 10), TCP_REFUSED_DATA);
	TX(RST | ACK, .seq = 2, .ack = 101);
	assert_int_equal(s.tcp.conns, 0);
	script_fini(&s);
}

static void fin_wait_2_has_an_end(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	tcp_close(s.conn, s.now);
	s.conn = NULL;
	TX(FIN | ACK, .seq = 1, .ack = 101);
	RX(ACK, .seq = 101, .ack = 2);
	AT(S(59));
	assert_int_equal(s.tcp.conns, 1);
	AT(S(61));
	assert_int_equal(s.tcp.conns, 0);
	script_fini(&s);
}

static void enter_time_wait(struct script *script)
{
	script_establish(script);
	tcp_close(script->conn, script->now);
	script->conn = NULL;
	(void)script_rx(script,
			&(struct line){ .flags = FIN | ACK, .seq = 101, .ack = 2 });
	assert_int_equal(script->tcp.time_waits_n, 1);
	script->taken = script->sent_n;
}

static void time_wait_answers(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	enter_time_wait(&s);
	AT(S(59));
	/* The FIN again: its ACK was lost. It all begins anew. */
	assert_int_equal(RX(FIN | ACK, .seq = 101, .ack = 2), TCP_TOOK_AGAIN);
	TX(ACK, .seq = 2, .ack = 102);
	AT(S(61));
	assert_int_equal(s.tcp.time_waits_n, 1);
	/* RFC 1337: a reset does not end it. */
	assert_int_equal(RX(RST, .seq = 102), TCP_DROP_RESET);
	assert_int_equal(RX(SYN, .seq = 50), TCP_CHALLENGED_SYN);
	TX(ACK, .seq = 2, .ack = 102);
	assert_int_equal(s.tcp.time_waits_n, 1);
	/* A SYN that cannot be an old one begins something new. */
	assert_int_equal(RX(SYN, .seq = 5000), TCP_TOOK_SYN);
	assert_int_equal(s.tcp.time_waits_n, 0);
	assert_int_equal(s.listener->syns_n, 1);
	script_fini(&s);
}

static void time_waits_have_a_limit(void **state)
{
	(void)state;
	struct script s;
	struct tcp_config config = { .no_timestamps = true, .time_waits_max = 2 };
	script_init(&s, &config);
	enter_time_wait(&s);
	for (unsigned i = 0; i < 4; i++) {
		s.flow.rport++;
		s.knows_iss = false;
		RX(SYN, .seq = 100);
		RX(ACK, .seq = 101, .ack = 1);
		tcp_close(s.conn, s.now);
		s.conn = NULL;
		RX(FIN | ACK, .seq = 101, .ack = 2);
	}
	assert_int_equal(s.tcp.time_waits_n, 2);
	assert_int_equal(s.tcp.counts[TCP_COUNT_TIME_WAITS_LOST], 3);
	script_fini(&s);
}

/* ---- ICMP -------------------------------------------------------------------------------- */

static void errors_count_for_what_is_under_way(void **state)
{
	(void)state;
	struct script s;
	struct ip_error error = { .kind = IP_ERROR_PORT, .error = -ECONNREFUSED };
	script_init(&s, NULL);
	script_connect(&s);
	TX(SYN, .seq = 0);
	assert_false(tcp_on_error(&s.tcp, &s.flow, s.iss + 1, &error));
	assert_false(tcp_on_error(&s.tcp, &s.flow, s.iss - 1, &error));
	STATE(TCP_SYN_SENT);
	assert_true(tcp_on_error(&s.tcp, &s.flow, s.iss, &error));
	tcp_flush(&s.tcp, s.now);
	assert_int_equal(s.error, -ECONNREFUSED);
	script_fini(&s);

	/* One that is established survives all of them, and remembers. */
	script_init(&s, NULL);
	script_establish(&s);
	script_write(&s, 10);
	error.error = -EHOSTUNREACH;
	assert_true(tcp_on_error(&s.tcp, &s.flow, s.iss + 1, &error));
	tcp_flush(&s.tcp, s.now);
	STATE(TCP_ESTABLISHED);
	AT(S(500));
	assert_int_equal(s.error, -EHOSTUNREACH);
	script_fini(&s);
}

static void a_smaller_path_mtu_sends_again(void **state)
{
	(void)state;
	struct script s;
	struct ip_error error = { .kind = IP_ERROR_TOO_BIG,
				  .error = -EMSGSIZE,
				  .mtu = 1000 };
	script_init(&s, NULL);
	script_establish(&s);
	script_write(&s, 2920);
	TX(ACK, .seq = 1, .ack = 101, .len = 2920, .gso = 1460);
	uint32_t cwnd = s.conn->cc.cwnd;
	assert_true(tcp_on_error(&s.tcp, &s.flow, s.iss + 1, &error));
	s.mtu = 1000;
	s.path_generation = 2;
	tcp_flush(&s.tcp, s.now);
	TX(ACK, .seq = 1, .ack = 101, .len = 2920, .gso = 960);
	assert_int_equal(s.conn->cc.cwnd, cwnd);
	script_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(acks_are_delayed),
		cmocka_unit_test(an_ack_rides_on_data),
		cmocka_unit_test(early_data_waits_and_is_reported),
		cmocka_unit_test(overlaps_are_cut_off),
		cmocka_unit_test(data_and_fin_in_one),
		cmocka_unit_test(an_early_fin_waits),
		cmocka_unit_test(data_behind_a_fin_is_cut_off),
		cmocka_unit_test(a_super_segment_ends_at_the_fin),
		cmocka_unit_test(a_fin_cuts_off_what_is_early),
		cmocka_unit_test(the_first_fin_holds),
		cmocka_unit_test(duplicates_are_reported),
		cmocka_unit_test(the_window_is_a_limit),
		cmocka_unit_test(small_windows_are_not_told),
		cmocka_unit_test(the_circle_closes),
		cmocka_unit_test(outside_of_the_window),
		cmocka_unit_test(urgent_data_is_data),
		cmocka_unit_test(resets_are_challenged),
		cmocka_unit_test(syns_are_challenged),
		cmocka_unit_test(impossible_acks_are_challenged),
		cmocka_unit_test(timestamps_are_echoed),
		cmocka_unit_test(old_timestamps_are_refused),
		cmocka_unit_test(the_mss_is_obeyed),
		cmocka_unit_test(much_data_leaves_as_super_segments),
		cmocka_unit_test(nagle_waits_for_the_ack),
		cmocka_unit_test(a_cork_holds_small_segments_back),
		cmocka_unit_test(a_full_window_opens),
		cmocka_unit_test(a_closed_window_is_probed),
		cmocka_unit_test(
			a_peer_that_never_opens_is_left_when_the_user_has_a_limit),
		cmocka_unit_test(the_rest_of_a_segment_is_sent_again),
		cmocka_unit_test(retransmissions_back_off),
		cmocka_unit_test(the_user_is_told_of_room),
		cmocka_unit_test(data_is_given_up_after_the_user_timeout),
		cmocka_unit_test(keep_alive),
		cmocka_unit_test(the_fin_follows_the_data),
		cmocka_unit_test(closing_with_unread_data_resets),
		cmocka_unit_test(data_for_nobody_is_refused),
		cmocka_unit_test(fin_wait_2_has_an_end),
		cmocka_unit_test(time_wait_answers),
		cmocka_unit_test(time_waits_have_a_limit),
		cmocka_unit_test(errors_count_for_what_is_under_way),
		cmocka_unit_test(a_smaller_path_mtu_sends_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
