/* SPDX-License-Identifier: MIT */
/*
 * What leaves, in which pieces, and what holds it back: MSS, Nagle, cork, the peer's window, the
 * pace.
 */
#include "base/array.h"
#include "tcp_script.h"

/* RFC 9293, 3.7.1: no option means 536; and never less than is reasonable. */
static void the_mss_is_obeyed(void **state)
{
	(void)state;
	static const struct {
		uint16_t option, least, sent;
	} cases[] = {
		{ 0, 0, 536 }, { 1000, 0, 1000 }, { 65535, 0, 1460 }, { 1, 0, 88 },
		{ 48, 0, 88 }, { 48, 87, 88 },    { 48, 400, 400 },   { 500, 400, 500 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct script s;
		struct line syn = { .mss = cases[i].option };
		const struct tcp_config config = { .no_timestamps = true,
						   .mss_min = cases[i].least };
		script_init(&s, &config);
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
/* 3.8.6.2.1: less than a segment leaves if it is at least half of the largest window. */
static void half_of_a_small_window_is_enough(void **state)
{
	(void)state;
	struct tcp_config config = { .no_timestamps = true, .no_pacing = true };
	const struct line syn = { .mss = 1460, .window = 1000 };
	struct script s;
	script_init(&s, &config);
	script_establish_with(&s, &syn);
	script_write(&s, 3000);
	TX(ACK, .seq = 1, .ack = 101, .len = 1000);
	RX(ACK, .seq = 101, .ack = 1001, .window = 499);
	QUIET();
	RX(ACK, .seq = 101, .ack = 1001, .window = 500);
	TX(ACK, .seq = 1001, .ack = 101, .len = 500);
	/* Nor while something is under way. */
	RX(ACK, .seq = 101, .ack = 1002, .window = 1000);
	QUIET();
	script_fini(&s);
}

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

/* ---- pace -------------------------------------------------------------------------------- */

/* A connection that knows its round trip and its window, and is to send that many segments. */
static void begin_to_send(struct script *script, bool is_paced, uint32_t ssthresh,
			  uint32_t segments)
{
	const struct tcp_config config = { .no_timestamps = true,
					   .no_pacing = !is_paced };
	script_init(script, &config);
	script_establish(script);
	script->conn->rto.srtt_us = 100000;
	script->conn->cc.cwnd = 100 * 1460;
	script->conn->active->sent_ns = script->now;
	script->conn->cc.ssthresh = ssthresh;
	script_write(script, (size_t)1460 * segments);
}

/*
 * 100 segments in 100 ms make 1.46 MB/s, and pacing 1.2 or 2 times that. It may run a millisecond
 * ahead; after that the distance between two sendings is that of their bytes at the rate.
 */
static void segments_keep_their_distance(void **state)
{
	(void)state;
	static const struct {
		uint32_t ssthresh, bytes_per_s;
	} cases[] = { { 1460, 1752000 }, { UINT32_MAX, 2920000 } };
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct script s;
		begin_to_send(&s, true, cases[i].ssthresh, 20);
		size_t first = s.taken, sent = 0;
		assert_true(s.sent_n < first + 10); /* Not all at once. */
		AT(MS(30));
		for (size_t j = first; j < s.sent_n; sent += s.sent[j++].len) {
			assert_int_equal(s.sent[j].len, 2920);
			if (j < first + 2)
				continue;
			uint64_t gap = s.sent[j].at - s.sent[j - 1].at;
			uint64_t due = 2920 * S(1) / cases[i].bytes_per_s;
			assert_in_range(gap, due - US(1), due + US(1));
		}
		assert_int_equal(sent, 20 * 1460);
		assert_true(s.sent_n > first + 2);
		script_fini(&s);
	}
}

static void who_is_not_paced_sends_at_once(void **state)
{
	(void)state;
	struct script s;
	begin_to_send(&s, false, 1460, 20);
	TX(ACK, .seq = 1, .ack = 101, .len = 20 * 1460, .gso = 1460);
	QUIET();
	script_fini(&s);
}

/* ---- marks of the user's ----------------------------------------------------------------- */

#define EXPEDITED 0xb8u

static void assert_all_marked(const struct script *script, size_t from)
{
	assert_true(script->sent_n > from);
	for (size_t i = from; i < script->sent_n; i++) {
		assert_int_equal(script->sent[i].ttl, 7);
		assert_int_equal(script->sent[i].tos, EXPEDITED);
	}
}

/* Data, ACKs, probes, a reset, and the answers of TIME-WAIT. */
static void every_segment_has_the_user_s_ttl_and_dscp(void **state)
{
	(void)state;
	for (unsigned is_aborted = 0; is_aborted < 2; is_aborted++) {
		struct script s;
		script_init(&s, NULL);
		script_establish(&s);
		size_t from = s.sent_n;
		s.conn->ttl = 7;
		s.conn->tos = EXPEDITED;
		script_write(&s, 10);
		RX(ACK, .seq = 101, .ack = 11, .len = 3000);
		tcp_set_keepalive(s.conn, true, 10, 5, 3, s.now);
		AT(S(11));
		script_read(&s, 3000, 101);
		if (is_aborted)
			tcp_kill(s.conn, s.now);
		else
			tcp_close(s.conn, s.now);
		s.conn = NULL;
		RX(FIN | ACK, .seq = 3101, .ack = 12);
		AT(S(12));
		if (!is_aborted)
			RX(FIN | ACK, .seq = 3101, .ack = 12);
		assert_true(s.sent_n >= from + 4 || is_aborted);
		if (is_aborted)
			s.sent_n--; /* The refusal of who knows no connection any more. */
		assert_all_marked(&s, from);
		script_fini(&s);
	}
}

/* RFC 5681, 4.1: who has sent nothing for a time-out does not know what the network carries. What
 * comes in meanwhile says nothing of it. */
static void a_pause_in_sending_ends_the_window(void **state)
{
	(void)state;
	struct tcp_config config = { .no_timestamps = true, .no_pacing = true };
	const struct line syn = { .mss = 1000, .window = 65535 };
	for (unsigned hears = 0; hears < 2; hears++) {
		struct script s;
		script_init(&s, &config);
		script_establish_with(&s, &syn);
		script_write(&s, 40000);
		for (uint32_t at = 1; at <= 4; at++) {
			AT(MS(20) * at);
			RX(ACK, .seq = 101, .ack = 1 + 10000 * at);
		}
		assert_true(s.conn->cc.cwnd >= 30000);
		for (uint32_t i = 0; i < 20; i++) {
			AT(MS(80) + MS(50) * i);
			if (hears)
				RX(ACK, .seq = 101 + i, .ack = 40001, .len = 1);
		}
		s.taken = s.sent_n;
		script_write(&s, 40000);
		TX(ACK, .seq = 40001, .len = 10000, .gso = 1000, .ack = 101 + 20 * hears);
		QUIET();
		script_fini(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(half_of_a_small_window_is_enough),
		cmocka_unit_test(the_mss_is_obeyed),
		cmocka_unit_test(much_data_leaves_as_super_segments),
		cmocka_unit_test(nagle_waits_for_the_ack),
		cmocka_unit_test(a_cork_holds_small_segments_back),
		cmocka_unit_test(a_full_window_opens),
		cmocka_unit_test(the_rest_of_a_segment_is_sent_again),
		cmocka_unit_test(the_user_is_told_of_room),
		cmocka_unit_test(a_pause_in_sending_ends_the_window),
		cmocka_unit_test(segments_keep_their_distance),
		cmocka_unit_test(who_is_not_paced_sends_at_once),
		cmocka_unit_test(every_segment_has_the_user_s_ttl_and_dscp),
	};
	return cmocka_run_group_tests_name("tcp_out", tests, NULL, NULL);
}
