/* SPDX-License-Identifier: MIT */
/*
 * What comes in: in order, early, twice, too much, and with its end. When it is acknowledged, and
 * what the window says of it (RFC 9293, 3.8.6 and 3.10.7.4, seventh and eighth).
 */
#include "base/array.h"
#include "tcp_script.h"

#include <errno.h>

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

/* RFC 9293, 3.8.6.3: each second full segment; what is full changes with the path. */
static void a_narrower_path_has_shorter_segments(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	RX(ACK, .seq = 101, .ack = 1, .len = 1460);
	QUIET();
	RX(ACK, .seq = 1561, .ack = 1, .len = 1460);
	TX(ACK, .seq = 1, .ack = 3021);
	RX(ACK, .seq = 3021, .ack = 1, .len = 1000);
	QUIET();
	RX(ACK, .seq = 4021, .ack = 1, .len = 1000);
	TX(ACK, .seq = 1, .ack = 5021);
	/* Messages of a length are none. */
	RX(ACK, .seq = 5021, .ack = 1, .len = 500);
	RX(ACK, .seq = 5521, .ack = 1, .len = 500);
	QUIET();
	assert_int_equal(s.conn->rcv_mss, 1000);
	RX(ACK, .seq = 6021, .ack = 1, .len = 4380, .gso = 1460);
	TX(ACK, .seq = 1, .ack = 10401);
	assert_int_equal(s.conn->rcv_mss, 1460);
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

/* RFC 2018, 4: the block that a segment lies in is told first, though it brings nothing new. */
static void what_comes_twice_is_told_first(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	RX(ACK, .seq = 109, .ack = 1, .len = 8);
	RX(ACK, .seq = 125, .ack = 1, .len = 8);
	s.taken = s.sent_n;
	assert_int_equal(RX(ACK, .seq = 109, .ack = 1, .len = 8), TCP_TOOK_EARLY);
	TX(ACK, .seq = 1, .ack = 101, .sacks_n = 3,
	   .sacks = { { 109, 117 }, { 109, 117 }, { 125, 133 } });
	script_fini(&s);
}

/* The SYN,ACK's data is within the window that the SYN has offered. */
static void data_can_come_with_the_answer(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_connect(&s);
	TX(SYN, .seq = 0);
	RX(SYN | ACK, .seq = 300, .ack = 1, .mss = 1460, .len = 10);
	TX(ACK, .seq = 1, .ack = 311);
	script_read(&s, 10, 300); /* The bytes are those of the SYN's number on. */
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

/* BSD sends its FIN whatever the window is. It needs no room, and what comes after it is an ACK
 * that stands behind it: that has to be heard while nobody reads. */
static void a_bare_fin_needs_no_window(void **state)
{
	(void)state;
	struct script s;
	struct tcp_config config = { .no_timestamps = true, .receive_first = 1000 };
	script_init(&s, &config);
	script_establish(&s);
	RX(ACK, .seq = 101, .ack = 1, .len = 1000);
	script_write(&s, 5);
	TX(ACK, .seq = 1, .ack = 1101, .len = 5, .window_zero = true);
	assert_int_equal(RX(ACK | FIN, .seq = 1101, .ack = 1), TCP_TOOK_DATA);
	TX(ACK, .seq = 6, .ack = 1102, .window_zero = true);
	RX(ACK, .seq = 1102, .ack = 6);
	assert_int_equal(s.conn->snd_una, s.conn->snd_nxt);
	STATE(TCP_CLOSE_WAIT);
	script_read(&s, 1000, 101);
	assert_int_equal(tcp_receive(s.conn, &(char){ 0 }, 1, s.now), 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_comes_twice_is_told_first),
		cmocka_unit_test(data_can_come_with_the_answer),
		cmocka_unit_test(acks_are_delayed),
		cmocka_unit_test(a_narrower_path_has_shorter_segments),
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
		cmocka_unit_test(a_bare_fin_needs_no_window),
		cmocka_unit_test(small_windows_are_not_told),
		cmocka_unit_test(the_circle_closes),
	};
	return cmocka_run_group_tests_name("tcp_data", tests, NULL, NULL);
}
