/* SPDX-License-Identifier: MIT */
/*
 * Peers that know the rules and turn them against the host: what they get is what the rules
 * allow, and it costs a known amount. What is impossible rather than unkind stands in tcp_in.c
 * and tcp_states.c; README.md has the whole list.
 */
#include "../unit.h"
#include "stack/tcp_reassembly.h"
#include "tcp_script.h"

/* ACK splitting (Savage et al., 1999; RFC 3465): pieces of an ACK count as much as the whole. */
static void an_ack_in_pieces_counts_its_bytes(void **state)
{
	(void)state;
	struct tcp_config config = { .no_timestamps = true, .no_pacing = true };
	const struct line syn = { .mss = 1000, .window = 65535 };
	struct script s;
	script_init(&s, &config);
	script_establish_with(&s, &syn);
	script_write(&s, 60000);
	uint32_t before = s.conn->cc.cwnd;
	for (uint32_t i = 1; i <= 1000; i++)
		RX(ACK, .seq = 101, .ack = 1 + i);
	assert_in_range(s.conn->cc.cwnd, before, before + 1000);
	script_fini(&s);
}

/* smoltcp #489, #1048: a right edge that moves left leaves more in flight than is allowed. */
static void a_window_that_shrinks_stops_the_sender(void **state)
{
	(void)state;
	struct tcp_config config = { .no_timestamps = true, .no_pacing = true };
	const struct line syn = { .mss = 1000, .window = 5000 };
	struct script s;
	script_init(&s, &config);
	script_establish_with(&s, &syn);
	script_write(&s, 8000);
	TX(ACK, .seq = 1, .ack = 101, .len = 5000, .gso = 1000);
	RX(ACK, .seq = 101, .ack = 1001, .window = 100);
	QUIET();
	RX(ACK, .seq = 101, .ack = 2001, .window_zero = true);
	QUIET();
	/* Closed, it is probed by a byte; open again, what had no room comes before what is new. */
	AT(S(2));
	TX(ACK, .seq = 2001, .ack = 101, .len = 1);
	RX(ACK, .seq = 101, .ack = 2001, .window = 65535);
	TX(ACK, .seq = 2001, .ack = 101, .len = 1);
	RX(ACK, .seq = 101, .ack = 5001, .window = 65535);
	TX(ACK, .seq = 5001, .ack = 101, .len = 3000, .gso = 1000);
	RX(ACK, .seq = 101, .ack = 8001, .window = 65535);
	assert_int_equal(s.conn->to_send.len, 0);
	script_fini(&s);
}

/* SegmentSmack (CVE-2018-5390): early bytes with gaps between them have a limit. */
static void early_bytes_with_gaps_have_a_limit(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	for (uint32_t i = 0; i < 20000; i++) {
		RX(ACK, .seq = 103 + 2 * i, .ack = 1, .len = 1);
		s.sent_n = s.taken = 0;
		assert_true(s.conn->reassembly->count <= 256);
	}
	assert_true(s.tcp.budget.used <= s.conn->rcv_buffer);
	/* What was kept is still right: 101 and 102 join 103, 104 joins 105. */
	RX(ACK, .seq = 101, .ack = 1, .len = 2);
	RX(ACK, .seq = 104, .ack = 1, .len = 1);
	script_read(&s, 5, 101);
	script_fini(&s);
}

/* A peer that never reads is asked less and less, and keeps what it was sent: no more. */
static void a_peer_that_never_reads_costs_its_queue(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	RX(ACK, .seq = 101, .ack = 1, .window_zero = true);
	s.conn->snd_limit = 50000;
	static const uint8_t data[60000];
	assert_int_equal(tcp_send(s.conn, data, sizeof(data), s.now), 50000);
	assert_int_equal(tcp_send(s.conn, data, sizeof(data), s.now), 0);
	size_t probes = 0;
	for (uint64_t at = 1; at < 3600; at++) {
		AT(S(at));
		probes += s.sent_n;
		if (s.sent_n > 0)
			RX(ACK, .seq = 101, .ack = 1, .window_zero = true);
		s.sent_n = s.taken = 0;
	}
	assert_in_range(probes, 60, 75);
	assert_int_equal(s.conn->to_send.len, 50000);
	assert_int_equal(s.closed, 0);
	script_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ack_in_pieces_counts_its_bytes),
		cmocka_unit_test(a_window_that_shrinks_stops_the_sender),
		cmocka_unit_test(early_bytes_with_gaps_have_a_limit),
		cmocka_unit_test(a_peer_that_never_reads_costs_its_queue),
	};
	return cmocka_run_group_tests_name("tcp_hostile", tests, NULL, NULL);
}
