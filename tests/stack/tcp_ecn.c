/* SPDX-License-Identifier: MIT */
/*
 * Marks of the network instead of losses (RFC 3168, 6.1): who may be marked, who tells of it, and
 * who heeds it.
 */
#include "base/array.h"
#include "tcp_script.h"

static void marks_are_told_and_heeded(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_listen(&s);
	RX(SYN | ECE | CWR, .seq = 100, .mss = 1460, .sack = true);
	TX(SYN | ACK | ECE, .seq = 0, .ack = 101);
	RX(ACK, .seq = 101, .ack = 1);
	/* A mark is told with each ACK, until the peer says that it has slowed down. */
	RX(ACK, .seq = 101, .ack = 1, .len = 10, .tos = IP_ECN_CE);
	TX(ACK | ECE, .seq = 1, .ack = 111);
	RX(ACK, .seq = 111, .ack = 1, .len = 10, .tos = IP_ECN_ECT0);
	AT(MS(50));
	TX(ACK | ECE, .seq = 1, .ack = 121);
	RX(ACK | CWR, .seq = 121, .ack = 1, .len = 10, .tos = IP_ECN_ECT0);
	AT(MS(100));
	TX(ACK, .seq = 1, .ack = 131);
	/* And a mark that is told slows us down, once per round trip. */
	script_write(&s, 14600);
	TX(ACK, .seq = 1, .ack = 131, .len = 14600, .gso = 1460, .tos = IP_ECN_ECT0);
	AT(MS(120));
	RX(ACK | ECE, .seq = 131, .ack = 1461);
	uint32_t ssthresh = s.conn->cc.ssthresh;
	assert_true(ssthresh < 14600);
	RX(ACK | ECE, .seq = 131, .ack = 2921);
	assert_int_equal(s.conn->cc.ssthresh, ssthresh);
	script_write(&s, 1460);
	AT(MS(140));
	RX(ACK, .seq = 131, .ack = 14601);
	TX(ACK | CWR, .seq = 14601, .ack = 131, .len = 1460);
	script_fini(&s);
}

static uint8_t ecn_of_last(const struct script *s)
{
	assert_true(s->taken > 0);
	return s->sent[s->taken - 1].tos & IP_ECN_MASK;
}

/* An active open that has asked for ECN and got it, without SACK, after 100 ms. */
static void establish_with_ecn(struct script *script)
{
	struct tcp_config config = { .ecn = true,
				     .no_timestamps = true,
				     .no_pacing = true };
	const struct line syn = { .flags = SYN | ECE | CWR };
	const struct line answer = {
		.flags = SYN | ACK | ECE, .seq = 300, .ack = 1, .mss = 1460
	};
	const struct line ack = { .flags = ACK, .seq = 1, .ack = 301 };
	script_init(script, &config);
	script_connect(script);
	script_tx(script, &syn, __FILE__, __LINE__);
	script_at(script, MS(100));
	(void)script_rx(script, &answer);
	script_tx(script, &ack, __FILE__, __LINE__);
	assert_int_equal(ecn_of_last(script), 0);
	/* The answer's ECE is no mark: 6.1.1. */
	assert_int_equal(script->conn->cc.cwnd, cc_initial_window(1460));
}

/* 6.1.5: new data may be marked, and what is sent again may not. */
static void what_is_sent_again_is_not_to_be_marked(void **state)
{
	(void)state;
	struct script s;
	establish_with_ecn(&s);
	script_write(&s, 1460);
	TX(ACK, .seq = 1, .ack = 301, .len = 1460, .tos = IP_ECN_ECT0);
	AT(MS(450));
	TX(ACK, .seq = 1, .ack = 301, .len = 1460);
	assert_int_equal(ecn_of_last(&s), 0);
	RX(ACK, .seq = 301, .ack = 1461);
	script_write(&s, 100);
	TX(ACK | CWR, .seq = 1461, .ack = 301, .len = 100, .tos = IP_ECN_ECT0);
	script_fini(&s);
}

/* 6.1.6: nobody notices that a probe was lost. So it is not marked, and CWR waits for data. */
static void a_window_probe_is_not_to_be_marked(void **state)
{
	(void)state;
	struct script s;
	establish_with_ecn(&s);
	script_write(&s, 1460);
	TX(ACK, .seq = 1, .ack = 301, .len = 1460, .tos = IP_ECN_ECT0);
	AT(MS(200));
	RX(ACK | ECE, .seq = 301, .ack = 1461, .window_zero = true);
	script_write(&s, 100);
	AT(MS(500));
	TX(ACK, .seq = 1461, .ack = 301, .len = 1); /* Without CWR. */
	assert_int_equal(ecn_of_last(&s), 0);
	AT(S(1));
	TX(ACK, .seq = 1461, .ack = 301, .len = 1);
	assert_int_equal(ecn_of_last(&s), 0);
	RX(ACK, .seq = 301, .ack = 1462);
	TX(ACK | CWR, .seq = 1462, .ack = 301, .len = 99, .tos = IP_ECN_ECT0);
	script_fini(&s);
}

/* 6.1.2: whatever the window was reduced for, the peer is told of it with what is new. */
static void every_reduction_is_told(void **state)
{
	(void)state;
	struct script s;
	establish_with_ecn(&s);
	script_write(&s, 14600);
	s.taken = s.sent_n;
	AT(MS(200));
	RX(ACK, .seq = 301, .ack = 1);
	RX(ACK, .seq = 301, .ack = 1);
	RX(ACK, .seq = 301, .ack = 1);
	TX(ACK, .seq = 1, .ack = 301, .len = 1460);
	script_write(&s, 100);
	AT(MS(300));
	RX(ACK, .seq = 301, .ack = 14601);
	TX(ACK | CWR, .seq = 14601, .ack = 301, .len = 100, .tos = IP_ECN_ECT0);
	/* Once: so the peer can tell of the next mark. */
	AT(MS(400));
	RX(ACK, .seq = 301, .ack = 14701);
	script_write(&s, 100);
	TX(ACK, .seq = 14701, .ack = 301, .len = 100, .tos = IP_ECN_ECT0);
	script_fini(&s);
}

/* A mark on the last of a flight is told when nothing is under way any more: that was a flight. */
static void a_mark_on_the_last_counts_as_one(void **state)
{
	(void)state;
	struct script s;
	establish_with_ecn(&s);
	script_write(&s, 14600);
	s.taken = s.sent_n;
	AT(MS(200));
	RX(ACK | ECE, .seq = 301, .ack = 14601);
	assert_int_equal(s.conn->cc.ssthresh, 14600 * 7 / 10);
	script_write(&s, 14600);
	TX(ACK | CWR, .seq = 14601, .ack = 301, .len = 14600 * 7 / 10 / 1460 * 1460,
	   .gso = 1460, .tos = IP_ECN_ECT0);
	QUIET();
	script_fini(&s);
}

/* 6.1.1.1: perhaps the first SYN was lost because it asked for ECN. */
static void a_repeated_syn_asks_for_no_ecn(void **state)
{
	(void)state;
	struct script s;
	struct tcp_config config = { .ecn = true, .no_timestamps = true };
	script_init(&s, &config);
	script_connect(&s);
	TX(SYN | ECE | CWR, .seq = 0);
	assert_int_equal(ecn_of_last(&s), 0);
	AT(MS(1500));
	TX(SYN, .seq = 0);
	assert_int_equal(ecn_of_last(&s), 0);
	script_fini(&s);
}

/* 6.1.1: who has sent a SYN that does not ask must not use it, whatever the answer says. */
static void who_has_asked_without_does_without(void **state)
{
	(void)state;
	struct script s;
	struct tcp_config config = { .ecn = true, .no_timestamps = true };
	script_init(&s, &config);
	script_connect(&s);
	TX(SYN | ECE | CWR, .seq = 0);
	AT(MS(1500));
	TX(SYN, .seq = 0);
	RX(SYN | ACK | ECE, .seq = 300, .ack = 1, .mss = 1460);
	TX(ACK, .seq = 1, .ack = 301);
	script_write(&s, 1000);
	TX(ACK, .seq = 1, .ack = 301, .len = 1000);
	assert_int_equal(ecn_of_last(&s), 0);
	script_fini(&s);
}

/* The same of who listens: both SYNs have come, the one that asks and the one that does not. */
static void a_peer_that_asks_no_more_gets_none(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_listen(&s);
	RX(SYN | ECE | CWR, .seq = 100, .mss = 1460);
	TX(SYN | ACK | ECE, .seq = 0, .ack = 101);
	RX(SYN, .seq = 100, .mss = 1460);
	TX(SYN | ACK, .seq = 0, .ack = 101);
	RX(SYN | ECE | CWR, .seq = 100, .mss = 1460);
	TX(SYN | ACK, .seq = 0, .ack = 101);
	RX(ACK, .seq = 101, .ack = 1);
	script_write(&s, 1000);
	TX(ACK, .seq = 1, .ack = 101, .len = 1000);
	assert_int_equal(ecn_of_last(&s), 0);
	script_fini(&s);
}

/* SYNs that cross: agreed if both ask and both answers agree, and nobody else is marked. */
static void syns_that_cross_can_agree(void **state)
{
	(void)state;
	static const struct {
		bool ecn;
		uint16_t syn, answer;
		bool agreed;
	} cases[] = {
		{ true, ECE | CWR, ECE, true },
		{ true, ECE | CWR, 0, false },
		{ true, 0, ECE, false },
		{ false, ECE | CWR, ECE, false },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct script s;
		struct tcp_config config = { .ecn = cases[i].ecn, .no_timestamps = true };
		bool offers = cases[i].ecn && cases[i].syn;
		script_init(&s, &config);
		script_connect(&s);
		TX(SYN | (cases[i].ecn ? ECE | CWR : 0), .seq = 0);
		RX(SYN | cases[i].syn, .seq = 300, .mss = 1460);
		TX(SYN | ACK | (offers ? ECE : 0), .seq = 0, .ack = 301);
		RX(SYN | ACK | cases[i].answer, .seq = 300, .ack = 1);
		TX(ACK, .seq = 1, .ack = 301);
		STATE(TCP_ESTABLISHED);
		script_write(&s, 1000);
		TX(ACK, .seq = 1, .ack = 301, .len = 1000);
		assert_int_equal(ecn_of_last(&s), cases[i].agreed ? IP_ECN_ECT0 : 0);
		script_fini(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marks_are_told_and_heeded),
		cmocka_unit_test(what_is_sent_again_is_not_to_be_marked),
		cmocka_unit_test(a_window_probe_is_not_to_be_marked),
		cmocka_unit_test(every_reduction_is_told),
		cmocka_unit_test(a_mark_on_the_last_counts_as_one),
		cmocka_unit_test(a_repeated_syn_asks_for_no_ecn),
		cmocka_unit_test(who_has_asked_without_does_without),
		cmocka_unit_test(a_peer_that_asks_no_more_gets_none),
		cmocka_unit_test(syns_that_cross_can_agree),
	};
	return cmocka_run_group_tests_name("tcp_ecn", tests, NULL, NULL);
}
