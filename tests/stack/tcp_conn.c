/* SPDX-License-Identifier: MIT */
/*
 * What connections cost: bytes while they are idle, and nothing when they are gone. And the parts
 * that are numbers only: time-outs and windows, against the formulas of their RFCs.
 */
#include "stack/tcp_life.h"
#include "stack/tcp_rto.h"
#include "tcp_script.h"

#include <assert.h>
#include <math.h>

#define IDLE_MAX 512u /* Bytes, with the slot of the table. */
#define MANY     10000u

static_assert(sizeof(struct tcp_conn) + sizeof(struct tcp_node *) <= IDLE_MAX,
	      "an idle connection is small");

static void an_idle_connection_gives_back_what_it_does_not_need(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	assert_non_null(s.conn->active);
	AT(S(3));
	assert_null(s.conn->active);
	assert_int_equal(s.wheel.count, 0);
	/* And works as before: data, an answer, an ICMP error, the end. */
	RX(ACK, .seq = 101, .ack = 1, .len = 10);
	script_read(&s, 10, 101);
	script_write(&s, 5);
	TX(ACK, .seq = 1, .ack = 111, .len = 5);
	RX(ACK, .seq = 111, .ack = 6);
	AT(S(6));
	assert_null(s.conn->active);
	(void)tcp_shutdown(s.conn, SHUT_WR, s.now);
	TX(FIN | ACK, .seq = 6, .ack = 111);
	script_fini(&s);
}

/* Whoever is heard of in the second stays awake for another. The dead are not waited for. */
static void only_who_is_silent_falls_asleep(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	AT(MS(900));
	RX(ACK, .seq = 101, .ack = 1, .len = 10);
	script_read(&s, 10, 101);
	AT(MS(940));
	TX(ACK, .seq = 1, .ack = 111);
	AT(MS(1500));
	assert_non_null(s.conn->active);
	AT(S(3));
	assert_null(s.conn->active);
	assert_int_equal(s.wheel.count, 0);
	RX(RST, .seq = 111);
	assert_true(s.conn->is_dead);
	AT(S(6));
	assert_int_equal(s.wheel.count, 0);
	script_fini(&s);
}

static void unread_data_and_keep_alive_survive_idleness(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	tcp_set_keepalive(s.conn, true, 10, 5, 3, s.now);
	RX(ACK, .seq = 101, .ack = 1, .len = 10);
	AT(S(5));
	TX(ACK, .seq = 1, .ack = 111);
	script_read(&s, 10, 101);
	AT(S(9));
	assert_null(s.conn->active);
	AT(S(10));
	TX(ACK, .seq = 0, .ack = 111);
	script_fini(&s);
}

static void many_come_and_go(void **state)
{
	(void)state;
	static struct script s;
	struct tcp_config config = { .no_timestamps = true, .time_waits_max = 100 };
	static struct tcp_conn *conns[MANY];
	script_init(&s, &config);
	script_listen(&s);
	for (uint32_t i = 0; i < MANY; i++) {
		s.flow.remote = addr_of_ip4(0x0a000000u + i);
		s.knows_iss = false;
		RX(SYN, .seq = i, .mss = 1460);
		RX(ACK, .seq = i + 1, .ack = 1);
		conns[i] = s.conn;
		s.conn = NULL;
		s.sent_n = s.taken = 0;
	}
	assert_int_equal(s.tcp.conns, MANY);
	AT(S(3));
	for (uint32_t i = 0; i < MANY; i++)
		assert_null(conns[i]->active);
	assert_int_equal(s.tcp.budget.used, 0);
	for (uint32_t i = 0; i < MANY; i++) {
		s.flow = conns[i]->node.flow;
		s.iss = conns[i]->iss;
		RX(ACK, .seq = i + 1, .ack = 1, .len = 1);
		assert_int_equal(tcp_receive(conns[i], (char[1]){ 0 }, 1, s.now), 1);
		tcp_close(conns[i], s.now);
		RX(FIN | ACK, .seq = i + 2, .ack = 2);
		s.sent_n = s.taken = 0;
	}
	assert_int_equal(s.tcp.conns, 0);
	assert_int_equal(s.tcp.time_waits_n, 100);
	AT(S(100));
	assert_int_equal(s.tcp.table.count, 0);
	script_fini(&s);
}

/* ---- the receive window ------------------------------------------------------------------ */

/* The bytes [seq, end) in segments, all sent at the same moment. */
static void burst(struct script *script, uint32_t seq, uint32_t end,
		  const struct tcp_opts *opts)
{
	struct line line = { .flags = ACK,
			     .ack = 1,
			     .ts = true,
			     .ts_val = opts->ts_val,
			     .ts_ecr = opts->ts_ecr };
	for (; seq != end; seq += line.len) {
		line.len = end - seq < 1448 ? end - seq : 1448;
		line.seq = seq;
		(void)script_rx(script, &line);
	}
}

/*
 * A sender uses up the window each 50 ms, all of it in one moment, and every other time
 * what it sends first comes last: none of that makes a round trip look short, and the window
 * grows until it does not matter any more.
 */
static void a_window_that_is_used_up_grows(void **state)
{
	const uint32_t rtt_ms = 50, enough = 1u << 20;
	struct tcp_config config = { 0 };
	struct line syn = { .mss = 1460, .sack = true, .scaled = true, .ts = true };
	static struct script s;
	uint32_t seq = 101;
	(void)state;
	script_init(&s, &config);
	script_establish_with(&s, &syn);
	for (uint32_t i = 1; i <= 20 && s.conn->rcv_buffer < enough; i++) {
		uint32_t edge = seq + (s.conn->rcv_edge - s.conn->rcv_nxt);
		const struct tcp_opts opts = {
			.ts_val = i,
			.ts_ecr = s.sent[s.sent_n - 1].opts.ts_val,
		};
		AT(MS(rtt_ms) * i);
		if (i % 2 == 0)
			burst(&s, seq + 1448, edge, &opts);
		burst(&s, seq, i % 2 == 0 ? seq + 1448 : edge, &opts);
		script_read(&s, edge - seq, seq);
		seq = edge;
		s.taken = s.sent_n;
	}
	assert_true(s.conn->rcv_buffer >= enough);
	script_fini(&s);
}

/*
 * A sender doubles what it sends in each round trip of 50 ms, and the first segment of each comes
 * only with the next ones. The window never holds it back.
 */
static void a_window_lets_a_sender_double(void **state)
{
	struct line syn = { .mss = 1460, .sack = true, .scaled = true, .ts = true };
	struct tcp_config config = { 0 };
	static struct script s;
	uint32_t len = 10 * 1448, before = 101, seq = 101;
	(void)state;
	script_init(&s, &config);
	script_establish_with(&s, &syn);
	for (uint32_t i = 1; i <= 6; i++, len *= 2) {
		const struct tcp_opts opts = {
			.ts_val = i,
			.ts_ecr = s.sent[s.sent_n - 1].opts.ts_val,
		};
		assert_true(s.conn->rcv_edge >= seq + len);
		AT(MS(52) * i);
		burst(&s, before, before + (i > 1 ? 1448 : 0), &opts);
		script_read(&s, seq - before, before);
		burst(&s, seq + 1448, seq + len / 2, &opts);
		AT(MS(52) * i + MS(2));
		burst(&s, seq + len / 2, seq + len, &opts);
		before = seq;
		seq += len;
		s.taken = s.sent_n;
	}
	script_fini(&s);
}

/* ---- RFC 6298 ---------------------------------------------------------------------------- */

static void the_timeout_follows_the_samples(void **state)
{
	(void)state;
	const struct tcp_rto_limits limits = { .min_us = 200000, .max_us = 60000000 };
	struct tcp_rto rto;
	rto_init(&rto);
	assert_int_equal(rto_ns(&rto, &limits), S(1));
	rto_sample(&rto, &limits, 100000);
	assert_int_equal(rto.srtt_us, 100000);
	assert_int_equal(rto.rttvar_us, 50000);
	assert_int_equal(rto_ns(&rto, &limits), MS(300));
	rto_sample(&rto, &limits, 180000);
	assert_int_equal(rto.rttvar_us, (3 * 50000 + 80000) / 4);
	assert_int_equal(rto.srtt_us, (7 * 100000 + 180000) / 8);
	for (unsigned i = 0; i < 100; i++)
		rto_sample(&rto, &limits, 100);
	assert_int_equal(rto_ns(&rto, &limits), MS(200));
	for (unsigned i = 0; i < 300; i++)
		rto_back_off(&rto);
	assert_int_equal(rto_ns(&rto, &limits), S(60));
	rto_sample(&rto, &limits, 100);
	assert_int_equal(rto_ns(&rto, &limits), MS(200));
}

/* Without timestamps, it is the time that a window takes, unless a gap has held it up. */
static void a_round_trip_is_a_window_s_time(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	AT(MS(10));
	RX(ACK, .seq = 101, .ack = 1, .len = 1460);
	AT(MS(30));
	RX(ACK, .seq = 1561, .ack = 1, .len = 1460);
	assert_int_equal(s.conn->active->tuning.rtt_us, 0);
	AT(MS(60));
	RX(ACK, .seq = 3021, .ack = 1, .len = s.conn->rcv_edge - 3021);
	assert_int_equal(s.conn->active->tuning.rtt_us, 50001);
	script_read(&s, s.conn->rcv_nxt - 101, 101);
	uint32_t next = s.conn->rcv_nxt, len = s.conn->rcv_edge - next;
	len = len < 60000 ? len : 60000;
	AT(MS(61));
	RX(ACK, .seq = next + 1460, .ack = 1, .len = len - 1460);
	AT(MS(62));
	RX(ACK, .seq = next, .ack = 1, .len = 1460);
	AT(MS(63));
	RX(ACK, .seq = s.conn->rcv_nxt, .ack = 1,
	   .len = s.conn->rcv_edge - s.conn->rcv_nxt);
	assert_int_equal(s.conn->active->tuning.rtt_us, 50001);
	script_fini(&s);
}

/* ---- congestion windows ------------------------------------------------------------------ */

static struct tcp_cc begin(const struct tcp_cc_ops *ops, uint32_t segments)
{
	struct tcp_cc cc = { .mss = 1000, .ssthresh = TCP_SSTHRESH_NONE };
	cc.cwnd = segments * cc.mss;
	ops->start(&cc);
	return cc;
}

/* A round trip's ACKs, one per segment. */
static void round_trip(const struct tcp_cc_ops *ops, struct tcp_cc *cc, uint64_t from_ns,
		       uint32_t rtt_us)
{
	uint32_t n = cc->cwnd / cc->mss;
	for (uint32_t i = 0; i < n; i++) {
		struct tcp_cc_ack ack = { .acked = cc->mss, .srtt_us = rtt_us };
		ack.now = from_ns + (uint64_t)rtt_us * 1000 * i / n;
		ops->acked(cc, &ack);
	}
}

static void slow_start_doubles(void **state)
{
	(void)state;
	static const struct tcp_cc_ops *const all[] = { &tcp_cubic_ops,
							&tcp_newreno_ops };
	for (size_t i = 0; i < 2; i++) {
		struct tcp_cc cc = begin(all[i], 10);
		round_trip(all[i], &cc, S(1), 100000);
		assert_int_equal(cc.cwnd, 20000);
		round_trip(all[i], &cc, S(2), 100000);
		assert_int_equal(cc.cwnd, 40000);
		cc.ssthresh = 50000;
		round_trip(all[i], &cc, S(3), 100000);
		assert_true(cc.cwnd >= 50000 && cc.cwnd < 52000);
	}
}

static void newreno_adds_one_and_halves(void **state)
{
	(void)state;
	struct tcp_cc cc = begin(&tcp_newreno_ops, 20);
	tcp_newreno_ops.lost(&cc, 20000, S(1));
	assert_int_equal(cc.ssthresh, 10000);
	cc.cwnd = cc.ssthresh;
	round_trip(&tcp_newreno_ops, &cc, S(2), 100000);
	assert_int_equal(cc.cwnd, 11000);
	tcp_newreno_ops.timed_out(&cc, 11000, S(3));
	assert_int_equal(cc.cwnd, 1000);
	assert_int_equal(cc.ssthresh, 5500);
	tcp_newreno_ops.undone(&cc);
	assert_int_equal(cc.cwnd, 11000);
	assert_int_equal(cc.ssthresh, 10000);
}

/* A path may take longer segments in the middle of a recovery, which ends at ssthresh. */
static void longer_segments_fit_all_windows(void **state)
{
	(void)state;
	static const struct tcp_cc_ops *const all[] = { &tcp_cubic_ops,
							&tcp_newreno_ops };
	for (size_t i = 0; i < 2; i++) {
		struct tcp_cc cc = begin(all[i], 2);
		all[i]->lost(&cc, 2000, S(1));
		all[i]->timed_out(&cc, 1000, S(2));
		assert_int_equal(cc.cwnd, 1000);
		assert_int_equal(cc.ssthresh, 2000);
		cc_set_mss(&cc, 9000);
		assert_int_equal(cc.mss, 9000);
		assert_int_equal(cc.cwnd, 9000);
		assert_int_equal(cc.ssthresh, 18000);
		all[i]->undone(&cc);
		assert_true(cc.cwnd >= 9000 && cc.ssthresh >= 18000);
		cc_set_mss(&cc, 500);
		assert_true(cc.cwnd >= 9000 && cc.ssthresh >= 18000);
	}
}

/* W(t) = 0.4 (t - K)^3 + w_max, K = cbrt(w_max 0.3 / 0.4), in segments and seconds. */
static void cubic_follows_its_curve(void **state)
{
	(void)state;
	struct tcp_cc cc = begin(&tcp_cubic_ops, 1000);
	cc.ssthresh = 1000;
	tcp_cubic_ops.lost(&cc, 1000000, S(1));
	assert_int_equal(cc.ssthresh, 700000);
	cc.cwnd = cc.ssthresh;
	double k = cbrt(1000 * 0.3 / 0.4);
	for (unsigned i = 0; i < 150; i++) {
		round_trip(&tcp_cubic_ops, &cc, S(2) + MS(100) * i, 100000);
		double t = 0.1 * (i + 1), w = 0.4 * pow(t - k, 3) + 1000;
		assert_true(fabs(cc.cwnd / 1000.0 - w) < 0.02 * w);
	}
	assert_true(cc.cwnd > 1050000);
	/* A loss before w_max is reached again makes room for others (4.7). */
	cc.cwnd = 800000;
	tcp_cubic_ops.lost(&cc, 800000, S(30));
	assert_int_equal(cc.cubic.w_max, 680000);
	tcp_cubic_ops.undone(&cc);
	assert_int_equal(cc.cwnd, 800000);
	assert_int_equal(cc.cubic.w_max, 1000000);
}

/* RFC 9438, 5.8: the seconds in which nothing was sent are not seconds of growth. */
static void a_pause_does_not_count_for_cubic(void **state)
{
	(void)state;
	struct tcp_cc cc = begin(&tcp_cubic_ops, 1000);
	tcp_cubic_ops.lost(&cc, 1000000, S(1));
	cc.cwnd = cc.ssthresh;
	round_trip(&tcp_cubic_ops, &cc, S(2), 100000);
	tcp_cubic_ops.paused(&cc);
	uint32_t before = cc.cwnd;
	round_trip(&tcp_cubic_ops, &cc, S(60), 100000);
	assert_true(cc.cwnd < before + before / 20);
}

/* Short round trips and small windows: not slower than Reno would be (4.3). */
static void cubic_is_no_slower_than_reno(void **state)
{
	(void)state;
	struct tcp_cc cc = begin(&tcp_cubic_ops, 20);
	tcp_cubic_ops.lost(&cc, 20000, S(1));
	cc.cwnd = cc.ssthresh;
	for (unsigned i = 0; i < 40; i++)
		round_trip(&tcp_cubic_ops, &cc, S(2) + MS(1) * i, 1000);
	assert_true(cc.cwnd >= 14000 + 40 * 500);
}

static void every_state_and_outcome_has_a_name(void **state)
{
	(void)state;
	for (unsigned i = 0; i < TCP_STATES; i++)
		assert_true(tcp_state_name((enum tcp_state)i)[0] != 0);
	for (unsigned i = 0; i < TCP_OUTCOMES; i++) {
		assert_true(tcp_outcome_name((enum tcp_outcome)i)[0] != 0);
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(tcp_outcome_name((enum tcp_outcome)i),
						tcp_outcome_name((enum tcp_outcome)j));
		assert_true(tcp_outcome_of_stack((enum tcp_outcome)i) <
			    WEFT_STACK_OUTCOMES);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_idle_connection_gives_back_what_it_does_not_need),
		cmocka_unit_test(only_who_is_silent_falls_asleep),
		cmocka_unit_test(unread_data_and_keep_alive_survive_idleness),
		cmocka_unit_test(many_come_and_go),
		cmocka_unit_test(a_window_that_is_used_up_grows),
		cmocka_unit_test(a_round_trip_is_a_window_s_time),
		cmocka_unit_test(a_window_lets_a_sender_double),
		cmocka_unit_test(the_timeout_follows_the_samples),
		cmocka_unit_test(slow_start_doubles),
		cmocka_unit_test(newreno_adds_one_and_halves),
		cmocka_unit_test(longer_segments_fit_all_windows),
		cmocka_unit_test(cubic_follows_its_curve),
		cmocka_unit_test(a_pause_does_not_count_for_cubic),
		cmocka_unit_test(cubic_is_no_slower_than_reno),
		cmocka_unit_test(every_state_and_outcome_has_a_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
