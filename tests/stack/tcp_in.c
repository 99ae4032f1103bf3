/* SPDX-License-Identifier: MIT */
/*
 * Who is believed: the window (RFC 9293, 3.4), challenges to resets, SYNs and ACKs that may be
 * forged (RFC 5961), and timestamps that are too old (RFC 7323).
 */
#include "base/array.h"
#include "tcp_script.h"

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

static void challenges_are_as_rare_as_is_wanted(void **state)
{
	const struct tcp_config config = { .no_timestamps = true, .challenge_ms = 3000 };
	(void)state;
	struct script s;
	script_init(&s, &config);
	script_establish(&s);
	assert_int_equal(RX(RST, .seq = 102), TCP_CHALLENGED_RESET);
	TX(ACK, .seq = 1, .ack = 101);
	AT(MS(2999));
	assert_int_equal(RX(RST, .seq = 102), TCP_DROP_LIMITED);
	AT(MS(3000));
	assert_int_equal(RX(RST, .seq = 102), TCP_CHALLENGED_RESET);
	TX(ACK, .seq = 1, .ack = 101);
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

/* What is challenged says nothing of the peer's clock: the peer would be refused for its own. */
static void forged_timestamps_are_not_kept(void **state)
{
	(void)state;
	static const struct {
		struct line line;
		enum tcp_outcome outcome;
	} forged[] = {
		{ { RST | ACK, .seq = 100, .ack = 1, .len = 5 }, TCP_CHALLENGED_RESET },
		{ { SYN, .seq = 100, .len = 5 }, TCP_CHALLENGED_SYN },
		{ { ACK, .seq = 101, .ack = 999999 }, TCP_CHALLENGED_ACK },
		{ { 0, .seq = 101 }, TCP_DROP_NO_FLAG },
	};
	for (size_t i = 0; i < ARRAY_LEN(forged); i++) {
		struct script s;
		struct line syn = { .mss = 1460, .ts = true, .ts_val = 7000 };
		struct line line = forged[i].line;
		line.ts = true;
		line.ts_val = 1000000000;
		script_init(&s, &with_timestamps);
		script_establish_with(&s, &syn);
		assert_int_equal(script_rx(&s, &line), forged[i].outcome);
		assert_int_equal(RX(ACK, .seq = 101, .ack = 1, .len = 5, .ts = true,
				    .ts_val = 7001),
				 TCP_TOOK_DATA);
		script_fini(&s);
	}
}

/* 3.10.7.4: SND.WL1 and SND.WL2 keep what was overtaken from taking the window back. */
static void an_overtaken_window_is_not_taken(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	script_write(&s, 100);
	RX(ACK, .seq = 101, .ack = 51, .len = 10, .window = 5000);
	RX(ACK, .seq = 111, .ack = 51, .window = 4000);
	assert_int_equal(s.conn->snd_wnd, 4000);
	/* An earlier number, and data that is new all the same. */
	RX(ACK, .seq = 101, .ack = 51, .len = 20, .window = 9000);
	assert_int_equal(s.conn->snd_wnd, 4000);
	/* An earlier acknowledgment. */
	RX(ACK, .seq = 121, .ack = 41, .window = 9000);
	assert_int_equal(s.conn->snd_wnd, 4000);
	RX(ACK, .seq = 121, .ack = 51, .window = 3000);
	assert_int_equal(s.conn->snd_wnd, 3000);
	script_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_overtaken_window_is_not_taken),
		cmocka_unit_test(outside_of_the_window),
		cmocka_unit_test(resets_are_challenged),
		cmocka_unit_test(challenges_are_as_rare_as_is_wanted),
		cmocka_unit_test(syns_are_challenged),
		cmocka_unit_test(impossible_acks_are_challenged),
		cmocka_unit_test(timestamps_are_echoed),
		cmocka_unit_test(old_timestamps_are_refused),
		cmocka_unit_test(forged_timestamps_are_not_kept),
	};
	return cmocka_run_group_tests_name("tcp_in", tests, NULL, NULL);
}
