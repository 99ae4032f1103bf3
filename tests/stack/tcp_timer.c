/* SPDX-License-Identifier: MIT */
/*
 * Waiting: for an acknowledgment, a window, a sign of life. How long, how often, and what is said
 * when it was in vain (RFC 9293, 3.8.3, 3.8.4, 3.8.6.1; RFC 6298).
 */
#include "tcp_script.h"

#include <errno.h>

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
		assert_int_equal(s.closed, at >= 30);
	}
	assert_int_equal(s.error, -ETIMEDOUT);
	script_fini(&s);
}

/* RFC 6298, 5: twice as long each time. */
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

/* R1 of RFC 9293, 3.8.3: IP is asked to look, and the user is told, once. */
static void the_third_time_out_doubts_the_way(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	script_write(&s, 10);
	for (uint64_t at = 1; at < 60; at++) {
		AT(S(at));
		uint64_t timeouts = s.tcp.counts[TCP_COUNT_TIMEOUTS];
		assert_int_equal(s.doubts, timeouts < 3 ? 0 : timeouts - 2);
		assert_int_equal(s.reports, timeouts < 3 ? 0 : 1);
	}
	assert_true(s.doubts > 1);
	assert_int_equal(s.report, -ETIMEDOUT);
	/* Something gets through, and it begins anew. */
	RX(ACK, .seq = 101, .ack = 11);
	unsigned doubts = s.doubts;
	script_write(&s, 10);
	AT(S(62));
	assert_int_equal(s.doubts, doubts);
	AT(S(90));
	assert_true(s.doubts > doubts);
	assert_int_equal(s.reports, 2);
	script_fini(&s);
}

static void data_is_given_up_after_the_user_timeout(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	script_write(&s, 10);
	AT(S(300) - 1);
	assert_int_equal(s.closed, 0);
	AT(S(300));
	assert_int_equal(s.closed, 1);
	assert_int_equal(s.error, -ETIMEDOUT);
	script_fini(&s);
}

/* A probe puts the time-out off (RFC 8985, 7.3), and not the end of patience. */
static void a_tail_loss_probe_is_no_sign_of_life(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	script_write(&s, 10);
	TX(ACK, .seq = 1, .ack = 101, .len = 10);
	AT(MS(100));
	RX(ACK, .seq = 101, .ack = 11);
	s.conn->user_timeout_ms = 1000;
	script_write(&s, 10);
	TX(ACK, .seq = 11, .ack = 101, .len = 10);
	AT(MS(1100) - 1);
	assert_true(s.tcp.counts[TCP_COUNT_PROBES] > 0);
	assert_int_equal(s.closed, 0);
	AT(MS(1100));
	assert_int_equal(s.closed, 1);
	assert_int_equal(s.error, -ETIMEDOUT);
	script_fini(&s);
}

/* The window was closed for longer than the peer may be silent: that does not count then. */
static void a_window_that_opens_begins_the_user_timeout(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	RX(ACK, .seq = 101, .ack = 1, .window_zero = true);
	script_write(&s, 100);
	for (uint64_t at = 1; at <= 400; at++) {
		AT(S(at));
		if (s.sent_n > s.taken)
			RX(ACK, .seq = 101, .ack = 1, .window_zero = true);
		s.taken = s.sent_n;
	}
	RX(ACK, .seq = 101, .ack = 1, .window = 1000);
	AT(S(700) - 1);
	assert_int_equal(s.closed, 0);
	AT(S(700));
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

/* MUST-26: what is under way asks by itself, and how long is the user time-out's to say. */
static void nobody_is_asked_while_data_is_under_way(void **state)
{
	(void)state;
	struct script s;
	struct tcp_config config = { .no_timestamps = true };
	script_init(&s, &config);
	script_establish(&s);
	tcp_set_keepalive(s.conn, true, 10, 5, 3, s.now);
	AT(S(5));
	script_write(&s, 10);
	AT(S(100));
	for (size_t i = s.taken; i < s.sent_n; i++)
		assert_int_equal(s.sent[i].len, 10);
	assert_int_equal(s.closed, 0);
	/* Then it is quiet again, and the time begins anew. */
	RX(ACK, .seq = 101, .ack = 11);
	s.taken = s.sent_n;
	AT(S(110) - 1);
	QUIET();
	AT(S(110));
	TX(ACK, .seq = 10, .ack = 101);
	AT(S(125));
	assert_int_equal(s.closed, 1);
	script_fini(&s);
}

/* A half that is open is kept alive and not ended, however long it is. */
static void a_half_closed_connection_is_kept_alive(void **state)
{
	(void)state;
	struct script s;
	struct tcp_config config = { .no_timestamps = true };
	script_init(&s, &config);
	script_establish(&s);
	tcp_set_keepalive(s.conn, true, 100, 5, 3, s.now);
	tcp_shutdown(s.conn, SHUT_WR, s.now);
	TX(ACK | FIN, .seq = 1, .ack = 101);
	RX(ACK, .seq = 101, .ack = 2);
	STATE(TCP_FIN_WAIT_2);
	for (uint64_t at = 100; at < 500; at += 100) {
		AT(S(at));
		TX(ACK, .seq = 1, .ack = 101);
		RX(ACK, .seq = 101, .ack = 2);
	}
	/* Asked for no more, it is asked no more. */
	tcp_set_keepalive(s.conn, false, 100, 5, 3, s.now);
	AT(S(2000));
	QUIET();
	STATE(TCP_FIN_WAIT_2);
	script_fini(&s);
}

/* Karn, RFC 7323: what was sent twice is measured if its echo is that of the second sending. */
static void an_echo_tells_how_long_the_second_took(void **state)
{
	(void)state;
	for (unsigned knows = 0; knows < 2; knows++) {
		struct script s;
		script_init(&s, &(struct tcp_config){ 0 });
		script_connect(&s);
		AT(MS(100));
		RX(SYN | ACK, .seq = 300, .ack = 1, .mss = 1460, .ts = true, .ts_val = 50,
		   .ts_ecr = s.sent[0].opts.ts_val);
		assert_int_equal(s.conn->rto.srtt_us, 100000);
		script_write(&s, 10);
		uint32_t first = s.sent[s.sent_n - 1].opts.ts_val;
		AT(MS(450));
		uint32_t second = s.sent[s.sent_n - 1].opts.ts_val;
		assert_int_equal(second, first + 300);
		RX(ACK, .seq = 301, .ack = 11, .ts = true, .ts_val = 60,
		   .ts_ecr = knows ? second : first);
		assert_int_equal(s.conn->rto.srtt_us,
				 knows ? (7 * 100000 + 50000 + 4) / 8 : 100000);
		script_fini(&s);
	}
}

/* What is refused, challenged or dropped is no sign of life: anybody could have sent it. */
static void who_guesses_keeps_no_connection_alive(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	tcp_set_keepalive(s.conn, true, 10, 5, 3, s.now);
	AT(S(9));
	RX(ACK, .seq = 3000000000, .ack = 77);
	TX(ACK, .seq = 1, .ack = 101);
	AT(S(10));
	TX(ACK, .seq = 0, .ack = 101);
	RX(RST, .seq = 102);
	TX(ACK, .seq = 1, .ack = 101);
	AT(S(15));
	TX(ACK, .seq = 0, .ack = 101);
	RX(SYN, .seq = 77);
	TX(ACK, .seq = 1, .ack = 101);
	AT(S(20));
	TX(ACK, .seq = 0, .ack = 101);
	RX(ACK, .seq = 101, .ack = 3000000000);
	TX(ACK, .seq = 1, .ack = 101);
	RX(0, .seq = 101);
	AT(S(25));
	assert_int_equal(s.closed, 1);
	assert_int_equal(s.error, -ETIMEDOUT);
	script_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_half_closed_connection_is_kept_alive),
		cmocka_unit_test(an_echo_tells_how_long_the_second_took),
		cmocka_unit_test(a_closed_window_is_probed),
		cmocka_unit_test(
			a_peer_that_never_opens_is_left_when_the_user_has_a_limit),
		cmocka_unit_test(retransmissions_back_off),
		cmocka_unit_test(the_third_time_out_doubts_the_way),
		cmocka_unit_test(data_is_given_up_after_the_user_timeout),
		cmocka_unit_test(a_tail_loss_probe_is_no_sign_of_life),
		cmocka_unit_test(a_window_that_opens_begins_the_user_timeout),
		cmocka_unit_test(keep_alive),
		cmocka_unit_test(nobody_is_asked_while_data_is_under_way),
		cmocka_unit_test(who_guesses_keeps_no_connection_alive),
	};
	return cmocka_run_group_tests_name("tcp_timer", tests, NULL, NULL);
}
