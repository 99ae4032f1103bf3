/* SPDX-License-Identifier: MIT */
/*
 * Urgent data both ways, segment by segment. What is urgent is looked at where a program does:
 * on_urgent, and the number of bytes that are left.
 */
#include "stack/tcp_urgent.h"

#include "tcp_script.h"

#include <errno.h>

#define LEFT() tcp_urgent_left(s.conn)

/* ---- received ---------------------------------------------------------------------------- */

/* RFC 9293, MUST-32 and MUST-33: each step of the pointer is told, and how much there is. */
static void the_user_learns_how_much_is_urgent(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	RX(ACK, .seq = 101, .ack = 1, .len = 10);
	assert_int_equal(s.urgent, 0);
	assert_int_equal(LEFT(), 0);
	RX(URG | ACK, .seq = 111, .ack = 1, .len = 10, .urgent = 5);
	assert_int_equal(s.urgent, 1);
	assert_int_equal(LEFT(), 15);
	RX(URG | ACK, .seq = 121, .ack = 1, .len = 10, .urgent = 100);
	assert_int_equal(s.urgent, 2);
	assert_int_equal(LEFT(), 120);
	script_read(&s, 30, 101);
	assert_int_equal(LEFT(), 90);
	RX(ACK, .seq = 131, .ack = 1, .len = 89);
	script_read(&s, 89, 131);
	assert_int_equal(LEFT(), 1);
	RX(ACK, .seq = 220, .ack = 1, .len = 20);
	script_read(&s, 20, 220);
	assert_int_equal(LEFT(), 0);
	assert_int_equal(s.urgent, 2);
	script_fini(&s);
}

/* A part of it can be read, and of what is not urgent as well. */
static void what_is_left_is_counted_from_what_was_read(void **state)
{
	(void)state;
	struct script s;
	char buf[16];
	script_init(&s, NULL);
	script_establish(&s);
	RX(URG | ACK, .seq = 101, .ack = 1, .len = 10, .urgent = 4);
	assert_int_equal(tcp_receive(s.conn, buf, 3, s.now), 3);
	assert_int_equal(LEFT(), 1);
	tcp_skip(s.conn, 2, s.now);
	assert_int_equal(LEFT(), 0);
	script_read(&s, 5, 106);
	script_fini(&s);
}

/* The same segment again, a pointer that goes back, one of 0, one to what was read. */
static void a_pointer_only_moves_on(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	RX(URG | ACK, .seq = 101, .ack = 1, .len = 10, .urgent = 0);
	assert_int_equal(s.urgent, 0);
	RX(URG | ACK, .seq = 111, .ack = 1, .len = 10, .urgent = 20);
	RX(URG | ACK, .seq = 111, .ack = 1, .len = 10, .urgent = 20);
	RX(URG | ACK, .seq = 121, .ack = 1, .len = 10, .urgent = 0);
	RX(URG | ACK, .seq = 116, .ack = 1, .len = 20, .urgent = 1);
	assert_int_equal(s.urgent, 1);
	assert_int_equal(LEFT(), 30);
	script_read(&s, 35, 101);
	assert_int_equal(LEFT(), 0);
	RX(URG | ACK, .seq = 130, .ack = 1, .len = 10, .urgent = 6);
	assert_int_equal(s.urgent, 1);
	assert_int_equal(LEFT(), 0);
	script_fini(&s);
}

/* It may point beyond the window; what comes is data all the same, wherever it points. */
static void a_pointer_to_nowhere_is_harmless(void **state)
{
	(void)state;
	struct script s;
	const struct tcp_config config = { .no_timestamps = true,
					   .no_wscale = true,
					   .receive_first = 1000,
					   .receive_max = 1000 };
	script_init(&s, &config);
	script_establish(&s);
	RX(URG | ACK, .seq = 101, .ack = 1, .len = 10, .urgent = 65535);
	assert_int_equal(LEFT(), 65535);
	RX(URG | ACK, .seq = 1000, .ack = 1, .len = 10, .urgent = 65535);
	assert_int_equal(LEFT(), 65535 + 899);
	RX(URG | ACK, .seq = 1102, .ack = 1, .len = 10, .urgent = 65535);
	assert_int_equal(LEFT(), 65535 + 899);
	script_read(&s, 10, 101);
	RX(URG | FIN | ACK, .seq = 111, .ack = 1, .len = 10, .urgent = 65535);
	assert_int_equal(LEFT(), 10);
	script_read(&s, 10, 111);
	assert_int_equal(LEFT(), 0);
	script_fini(&s);
}

/* RFC 9293, MUST-66: neither data nor window is needed; and what is early tells of it. */
static void it_is_told_before_it_comes(void **state)
{
	(void)state;
	struct script s;
	const struct tcp_config config = { .no_timestamps = true,
					   .no_wscale = true,
					   .receive_first = 1000,
					   .receive_max = 1000 };
	script_init(&s, &config);
	script_establish(&s);
	RX(URG | ACK, .seq = 101, .ack = 1, .urgent = 7);
	assert_int_equal(LEFT(), 7);
	RX(URG | ACK, .seq = 111, .ack = 1, .len = 10, .urgent = 10);
	assert_int_equal(LEFT(), 20);
	RX(ACK, .seq = 101, .ack = 1, .len = 1000);
	assert_int_equal(s.conn->rcv_edge, s.conn->rcv_nxt);
	RX(URG | ACK, .seq = 1101, .ack = 1, .urgent = 3);
	assert_int_equal(s.urgent, 3);
	assert_int_equal(LEFT(), 1003);
	RX(URG | ACK, .seq = 1101, .ack = 1, .len = 1, .urgent = 4);
	assert_int_equal(s.urgent, 4);
	assert_int_equal(LEFT(), 1004);
	script_fini(&s);
}

/* With the peer's FIN there is no more, and who asks for nothing is told nothing. */
static void after_the_end_nothing_is_urgent(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	RX(FIN | ACK, .seq = 101, .ack = 1, .len = 10);
	RX(URG | ACK, .seq = 112, .ack = 1, .urgent = 9);
	assert_int_equal(s.urgent, 0);
	assert_int_equal(LEFT(), 0);
	script_fini(&s);
}

/* What was urgent is not again when the numbers have gone once round half of their circle. */
static void an_old_pointer_stays_old(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	RX(URG | ACK, .seq = 101, .ack = 1, .len = 10, .urgent = 10);
	script_read(&s, 10, 101);
	for (uint32_t seq = 111; seq < 0x80000200u; seq += 65000) {
		RX(ACK, .seq = seq, .ack = 1, .len = 65000);
		tcp_skip(s.conn, 65000, s.now);
		s.taken = s.sent_n = 0;
	}
	assert_int_equal(LEFT(), 0);
	assert_int_equal(s.urgent, 1);
	script_fini(&s);
}

/* ---- sent -------------------------------------------------------------------------------- */

/* RFC 6093, 3.1: the pointer is to the byte that follows; and it does not wait (Nagle). */
static void each_segment_points_to_the_end(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	script_write(&s, 100);
	TX(ACK, .seq = 1, .ack = 101, .len = 100);
	script_write(&s, 50);
	QUIET();
	script_write_urgent(&s, 1);
	TX(URG | ACK, .seq = 101, .ack = 101, .len = 51, .urgent = 51);
	RX(ACK, .seq = 101, .ack = 101);
	script_write(&s, 10);
	TX(ACK, .seq = 152, .ack = 101, .len = 10);
	RX(ACK, .seq = 101, .ack = 162);
	script_write(&s, 10);
	TX(ACK, .seq = 162, .ack = 101, .len = 10);
	script_write(&s, 10);
	QUIET();
	script_fini(&s);
}

/* A pointer in a super-segment would be copied into each of its parts. */
static void super_segments_are_cut(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	script_write_urgent(&s, 4000);
	TX(URG | ACK, .seq = 1, .ack = 101, .len = 1460, .urgent = 4000);
	TX(URG | ACK, .seq = 1461, .ack = 101, .len = 1460, .urgent = 2540);
	TX(URG | ACK, .seq = 2921, .ack = 101, .len = 1080, .urgent = 1080);
	RX(ACK, .seq = 101, .ack = 1461);
	script_write(&s, 3000);
	TX(ACK, .seq = 4001, .ack = 101, .len = 1460);
	TX(ACK, .seq = 5461, .ack = 101, .len = 1460);
	RX(ACK, .seq = 101, .ack = 4001);
	TX(ACK, .seq = 6921, .ack = 101, .len = 80);
	RX(ACK, .seq = 101, .ack = 7001);
	script_write(&s, 3000);
	TX(ACK, .seq = 7001, .ack = 101, .len = 2920, .gso = 1460);
	script_fini(&s);
}

/* What was sent before it became urgent is sent again as a part of it. */
static void what_is_sent_again_points_as_well(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish_with(&s, &(struct line){ .mss = 1460 });
	script_write(&s, 2920);
	TX(ACK, .seq = 1, .ack = 101, .len = 2920, .gso = 1460);
	script_write_urgent(&s, 1);
	TX(URG | ACK, .seq = 2921, .ack = 101, .len = 1, .urgent = 1);
	AT(S(1));
	TX(URG | ACK, .seq = 1, .ack = 101, .len = 1460, .urgent = 2921);
	RX(ACK, .seq = 101, .ack = 1461);
	TX(URG | ACK, .seq = 1461, .ack = 101, .len = 1460, .urgent = 1461);
	TX(URG | ACK, .seq = 2921, .ack = 101, .len = 1, .urgent = 1);
	script_fini(&s);
}

/* MUST-31: of any length. Too far away to be written, it is "at least so far". */
static void a_pointer_has_16_bits(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	script_write_urgent(&s, 70000);
	TX(URG | ACK, .seq = 1, .ack = 101, .len = 1460, .urgent = 65535);
	TX(URG | ACK, .seq = 1461, .ack = 101, .len = 1460, .urgent = 65535);
	TX(URG | ACK, .seq = 2921, .ack = 101, .len = 1460, .urgent = 65535);
	TX(URG | ACK, .seq = 4381, .ack = 101, .len = 1460, .urgent = 65535);
	TX(URG | ACK, .seq = 5841, .ack = 101, .len = 1460, .urgent = 70001 - 5841);
	while (s.taken < s.sent_n)
		assert_int_equal(s.sent[s.taken].hdr.seq - s.iss +
					 s.sent[s.taken].hdr.urgent,
				 70001),
			s.taken++;
	script_fini(&s);
}

/* Sent again where the peer has been told of more than could be written now, it says nothing. */
static void a_pointer_that_was_exceeded_is_left_out(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish_with(&s,
			      &(struct line){ .mss = 1460, .scaled = true, .wscale = 2 });
	script_write(&s, 1460);
	s.conn->cc.cwnd = 100 * 1460;
	script_write_urgent(&s, 70000);
	s.taken = s.sent_n;
	AT(S(1));
	TX(ACK, .seq = 1, .ack = 101, .len = 1460);
	script_fini(&s);
}

/* A closed window holds the data back, and not the word of it (RFC 9293, 3.8.5). */
static void a_closed_window_lets_the_word_through(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	RX(ACK, .seq = 101, .ack = 1, .window_zero = true);
	script_write(&s, 10);
	QUIET();
	script_write_urgent(&s, 5);
	TX(URG | ACK, .seq = 1, .ack = 101, .urgent = 15);
	AT(S(1));
	TX(URG | ACK, .seq = 1, .ack = 101, .len = 1, .urgent = 15);
	RX(ACK, .seq = 101, .ack = 1);
	TX(URG | ACK, .seq = 1, .ack = 101, .len = 1, .urgent = 15);
	TX(URG | ACK, .seq = 2, .ack = 101, .len = 14, .urgent = 14);
	script_fini(&s);
}

/* Queued while the SYN is under way, which takes a number. */
static void it_may_wait_for_the_handshake(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_connect(&s);
	TX(SYN, .seq = 0, .ack = 0);
	script_write_urgent(&s, 20);
	QUIET();
	RX(SYN | ACK | URG, .seq = 100, .ack = 1, .mss = 1460, .urgent = 3);
	TX(URG | ACK, .seq = 1, .ack = 101, .len = 20, .urgent = 20);
	assert_int_equal(LEFT(), 2);
	script_fini(&s);
}

/* Nothing is urgent where nothing was taken. */
static void who_may_not_send_may_not_urge(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	assert_int_equal(tcp_send_urgent(s.conn, "", 0, s.now), 0);
	QUIET();
	assert_int_equal(tcp_shutdown(s.conn, SHUT_WR, s.now), 0);
	TX(FIN | ACK, .seq = 1, .ack = 101);
	assert_int_equal(tcp_send_urgent(s.conn, "x", 1, s.now), -EPIPE);
	QUIET();
	script_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_user_learns_how_much_is_urgent),
		cmocka_unit_test(what_is_left_is_counted_from_what_was_read),
		cmocka_unit_test(a_pointer_only_moves_on),
		cmocka_unit_test(a_pointer_to_nowhere_is_harmless),
		cmocka_unit_test(it_is_told_before_it_comes),
		cmocka_unit_test(after_the_end_nothing_is_urgent),
		cmocka_unit_test(an_old_pointer_stays_old),
		cmocka_unit_test(each_segment_points_to_the_end),
		cmocka_unit_test(super_segments_are_cut),
		cmocka_unit_test(what_is_sent_again_points_as_well),
		cmocka_unit_test(a_pointer_has_16_bits),
		cmocka_unit_test(a_pointer_that_was_exceeded_is_left_out),
		cmocka_unit_test(a_closed_window_lets_the_word_through),
		cmocka_unit_test(it_may_wait_for_the_handshake),
		cmocka_unit_test(who_may_not_send_may_not_urge),
	};
	return cmocka_run_group_tests_name("tcp_urgent", tests, NULL, NULL);
}
