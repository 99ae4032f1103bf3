/* SPDX-License-Identifier: MIT */
/*
 * What is lost, when that is known, and what is then sent: RACK-TLP (RFC 8985), recovery without
 * SACK (RFC 6582), proportional rate reduction (RFC 6937), and mistakes that are undone.
 *
 * The round trip is 100 ms in all of them, and nothing is paced.
 */
#include "base/array.h"
#include "stack/tcp_sent.h"
#include "tcp_script.h"
#include "tcp_sound.h"

static const struct tcp_config plain = { .no_timestamps = true, .no_pacing = true };

/* A connection that has sent n segments of 1460 bytes at 100 ms; its SYN took 100 ms. */
static void script_send(struct script *script, bool has_sack, unsigned n)
{
	struct line syn = {
		.flags = SYN | ACK, .seq = 300, .ack = 1, .mss = 1460, .sack = has_sack
	};
	script_connect(script);
	script_at(script, MS(100));
	(void)script_rx(script, &syn);
	script_write(script, (size_t)n * 1460);
	script->taken = script->sent_n;
}

/* A segment that arrived after a gap proves nothing at once; a quarter of a round trip later it
 * does. */
static void late_is_lost_after_the_reordering_window(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, &plain);
	script_send(&s, true, 4);
	AT(MS(200));
	RX(ACK, .seq = 301, .ack = 1, .sacks_n = 1, .sacks = { { 1461, 2921 } });
	QUIET();
	AT(MS(224));
	QUIET();
	AT(MS(225));
	TX(ACK, .seq = 1, .ack = 301, .len = 1460);
	assert_int_equal(s.tcp.counts[TCP_COUNT_RECOVERIES], 1);
	script_fini(&s);
}

static void three_behind_the_gap(uint64_t later, uint32_t *ret_iss)
{
	struct script s;
	script_init(&s, &plain);
	s.begin += later;
	AT(0);
	script_send(&s, true, 6);
	AT(MS(200));
	RX(ACK, .seq = 301, .ack = 1, .sacks_n = 1, .sacks = { { 1461, 2921 } });
	RX(ACK, .seq = 301, .ack = 1, .sacks_n = 1, .sacks = { { 1461, 4381 } });
	QUIET();
	RX(ACK, .seq = 301, .ack = 1, .sacks_n = 1, .sacks = { { 1461, 5841 } });
	TX(ACK, .seq = 1, .ack = 301, .len = 1460);
	uint32_t ssthresh = s.conn->cc.ssthresh;
	AT(MS(300));
	RX(ACK, .seq = 301, .ack = 8761);
	assert_int_equal(s.conn->active->recovery.phase, TCP_OPEN);
	assert_int_equal(s.conn->cc.cwnd, ssthresh);
	*ret_iss = s.iss;
	script_fini(&s);
}

/* Three segments behind the gap are evidence enough, in either half of the circle of numbers. */
static void three_behind_the_gap_are_a_loss(void **state)
{
	(void)state;
	uint32_t first, second;
	three_behind_the_gap(0, &first);
	/* The initial number counts on by one in 4 us (RFC 9293, 3.4.1). */
	three_behind_the_gap(0x80000000ull * 4000, &second);
	assert_int_equal(first ^ second, 0x80000000);
}

/* Once order is known not to hold, three are no evidence any more. */
static void reordering_is_learnt(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, &plain);
	script_send(&s, true, 10);
	AT(MS(200));
	RX(ACK, .seq = 301, .ack = 1, .sacks_n = 1, .sacks = { { 1461, 4381 } });
	AT(MS(201));
	RX(ACK, .seq = 301, .ack = 4381);
	assert_true(s.conn->active->recovery.reordering_seen);
	assert_int_equal(s.tcp.counts[TCP_COUNT_RECOVERIES], 0);
	RX(ACK, .seq = 301, .ack = 4381, .sacks_n = 1, .sacks = { { 5841, 10221 } });
	QUIET();
	AT(MS(230));
	TX(ACK, .seq = 4381, .ack = 301, .len = 1460);
	script_fini(&s);
}

/* RFC 8985, 6.2 step 1: the round trip is 100 ms, whatever gets through in 10. Segment 1 is late
   at 10 ms and a quarter of 100, not of 10. */
static void what_overtakes_does_not_narrow_the_window(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, &plain);
	script_send(&s, true, 3);
	AT(MS(110));
	RX(ACK, .seq = 301, .ack = 1, .sacks_n = 1, .sacks = { { 1461, 2921 } });
	assert_int_equal(s.conn->active->recovery.min_rtt_us, 100000);
	AT(MS(134));
	QUIET();
	AT(MS(135));
	TX(ACK, .seq = 1, .ack = 301, .len = 1460);
	script_fini(&s);
}

/* The timestamp says that segment 1 had been overtaken: order is known not to hold, and the
   window is wider, before the DSACK comes, which says no more than that. */
static void a_needless_recovery_teaches_reordering(void **state)
{
	(void)state;
	struct script s;
	static const struct tcp_config config = { .no_pacing = true };
	script_init(&s, &config);
	script_connect(&s);
	AT(MS(100));
	RX(SYN | ACK, .seq = 300, .ack = 1, .mss = 1460, .sack = true, .ts = true,
	   .ts_val = 50, .ts_ecr = s.sent[0].opts.ts_val);
	script_write(&s, 6 * 1448);
	uint32_t sent_ts = s.sent[s.sent_n - 1].opts.ts_val;
	s.taken = s.sent_n;
	AT(MS(200));
	RX(ACK, .seq = 301, .ack = 1, .ts = true, .ts_val = 60, .ts_ecr = sent_ts,
	   .sacks_n = 1, .sacks = { { 1449, 5793 } });
	TX(ACK, .seq = 1, .ack = 301, .len = 1448, .ts = true);
	const struct tcp_recovery *rec = &s.conn->active->recovery;
	assert_int_equal(rec->phase, TCP_RECOVERY);
	assert_false(rec->reordering_seen);
	AT(MS(201));
	RX(ACK, .seq = 301, .ack = 5793, .ts = true, .ts_val = 61, .ts_ecr = sent_ts);
	assert_int_equal(s.tcp.counts[TCP_COUNT_UNDONE], 1);
	assert_true(rec->reordering_seen);
	assert_int_equal(rec->reo_mult, 2);
	AT(MS(202));
	RX(ACK, .seq = 301, .ack = 5793, .ts = true, .ts_val = 62, .ts_ecr = sent_ts,
	   .sacks_n = 1, .sacks = { { 1, 1449 } });
	assert_int_equal(rec->reo_mult, 2);
	script_fini(&s);
}

/* RFC 3708: what was late ends the recovery; that what was sent again was needless is told after
   it, for each byte, and the window is as it was. Half of it told is not enough. */
static void a_needless_recovery_is_undone_after_it(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, &plain);
	script_send(&s, true, 10);
	uint32_t cwnd = s.conn->cc.cwnd;
	const struct tcp_recovery *rec = &s.conn->active->recovery;
	AT(MS(200));
	RX(ACK, .seq = 301, .ack = 1, .sacks_n = 1, .sacks = { { 2921, 14601 } });
	TX(ACK, .seq = 1, .ack = 301, .len = 2920, .gso = 1460);
	AT(MS(201));
	RX(ACK, .seq = 301, .ack = 14601);
	assert_int_equal(rec->phase, TCP_OPEN);
	assert_true(s.conn->cc.cwnd < cwnd);
	AT(MS(300));
	RX(ACK, .seq = 301, .ack = 14601, .sacks_n = 1, .sacks = { { 1, 1461 } });
	assert_int_equal(s.tcp.counts[TCP_COUNT_UNDONE], 0);
	RX(ACK, .seq = 301, .ack = 14601, .sacks_n = 1, .sacks = { { 1461, 2921 } });
	assert_int_equal(s.tcp.counts[TCP_COUNT_UNDONE], 1);
	assert_true(s.conn->cc.cwnd >= cwnd);
	assert_true(rec->reordering_seen);
	/* Once. */
	s.conn->cc.cwnd = 2920;
	RX(ACK, .seq = 301, .ack = 14601, .sacks_n = 1, .sacks = { { 1461, 2921 } });
	assert_int_equal(s.conn->cc.cwnd, 2920);
	script_fini(&s);
}

/* What was sent again has the whole time-out to be acknowledged. */
static void a_fast_retransmission_begins_the_time_out_anew(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, &plain);
	script_send(&s, true, 4);
	uint64_t stalled = s.conn->stalled_ns;
	AT(MS(250));
	s.taken = s.sent_n;
	RX(ACK, .seq = 301, .ack = 1, .sacks_n = 1, .sacks = { { 1461, 5841 } });
	TX(ACK, .seq = 1, .ack = 301, .len = 1460);
	assert_int_equal(s.conn->stalled_ns, stalled);
	uint64_t rto = rto_ns(&s.conn->rto, &s.tcp.rto_limits);
	AT(MS(250) + rto - 1);
	QUIET();
	AT(MS(250) + rto);
	TX(ACK, .seq = 1, .ack = 301, .len = 1460);
	script_fini(&s);
}

/* The last segment is lost, and nobody tells: after two round trips it is sent again. */
static void a_lost_tail_is_probed(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, &plain);
	script_send(&s, true, 3);
	AT(MS(200));
	RX(ACK, .seq = 301, .ack = 2921);
	QUIET();
	uint32_t cwnd = s.conn->cc.cwnd;
	AT(MS(430));
	QUIET();
	AT(MS(445));
	TX(ACK, .seq = 2921, .ack = 301, .len = 1460);
	assert_int_equal(s.tcp.counts[TCP_COUNT_PROBES], 1);
	assert_int_equal(s.tcp.counts[TCP_COUNT_TIMEOUTS], 0);
	/* The ACK may be the first sending's. One beyond it tells: the probe has repaired a
	 * loss that nobody else has seen, so slow down (7.4.2). */
	AT(MS(545));
	RX(ACK, .seq = 301, .ack = 4381);
	assert_int_equal(s.conn->cc.cwnd, cwnd);
	script_write(&s, 100);
	AT(MS(645));
	RX(ACK, .seq = 301, .ack = 4481);
	assert_true(s.conn->cc.cwnd < cwnd);
	script_fini(&s);
}

/* What the probe repeats was only late: its ACK comes, and then that of the probe. */
static void a_late_ack_is_no_loss(void **state)
{
	(void)state;
	static const struct line seconds[] = {
		{ .flags = ACK,
		  .seq = 301,
		  .ack = 4381,
		  .sacks_n = 1,
		  .sacks = { { 2921, 4381 } } },
		{ .flags = ACK, .seq = 301, .ack = 4381 }, /* Of who has no D-SACK. */
	};
	for (size_t i = 0; i < ARRAY_LEN(seconds); i++) {
		struct script s;
		script_init(&s, &plain);
		script_send(&s, true, 3);
		AT(MS(200));
		RX(ACK, .seq = 301, .ack = 2921);
		uint32_t cwnd = s.conn->cc.cwnd;
		AT(MS(445));
		TX(ACK, .seq = 2921, .ack = 301, .len = 1460);
		RX(ACK, .seq = 301, .ack = 4381);
		AT(MS(545));
		(void)script_rx(&s, &seconds[i]);
		script_write(&s, 100);
		AT(MS(645));
		RX(ACK, .seq = 301, .ack = 4481);
		assert_int_equal(s.conn->cc.cwnd, cwnd);
		script_fini(&s);
	}
}

/* What has not been sent yet makes the better probe (7.3); when it arrives, nothing was lost. */
static void new_data_is_the_better_probe(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, &plain);
	script_send(&s, true, 10);
	script_write(&s, 2000);
	QUIET();
	uint32_t cwnd = s.conn->cc.cwnd;
	AT(MS(305));
	TX(ACK, .seq = 14601, .ack = 301, .len = 1460);
	AT(MS(310));
	RX(ACK, .seq = 301, .ack = 16061);
	assert_true(s.conn->cc.cwnd >= cwnd);
	TX(ACK, .seq = 16061, .ack = 301, .len = 540);
	script_fini(&s);
}

static void a_needless_probe_costs_nothing(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, &plain);
	script_send(&s, true, 3);
	AT(MS(200));
	RX(ACK, .seq = 301, .ack = 2921);
	uint32_t cwnd = s.conn->cc.cwnd;
	AT(MS(445));
	TX(ACK, .seq = 2921, .ack = 301, .len = 1460);
	AT(MS(450));
	RX(ACK, .seq = 301, .ack = 4381, .sacks_n = 1, .sacks = { { 2921, 4381 } });
	assert_true(s.conn->cc.cwnd >= cwnd);
	script_fini(&s);
}

/* Nearby, too, a single segment's ACK may take 40 ms and a tick: that is not a loss. */
static void a_late_ack_is_waited_for(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, &plain);
	script_connect(&s);
	AT(MS(1));
	RX(SYN | ACK, .seq = 300, .ack = 1, .mss = 1460, .sack = true);
	script_write(&s, 1);
	s.taken = s.sent_n;
	AT(MS(51));
	QUIET();
	RX(ACK, .seq = 301, .ack = 2);
	assert_int_equal(s.tcp.counts[TCP_COUNT_PROBES], 0);
	/* What nobody acknowledges at all is sent again long before the time-out. */
	script_write(&s, 1);
	s.taken = s.sent_n;
	AT(MS(51 + 190));
	TX(ACK, .seq = 2, .ack = 301, .len = 1);
	assert_int_equal(s.tcp.counts[TCP_COUNT_PROBES], 1);
	script_fini(&s);
}

/* RFC 6582: without SACK, three duplicates; each partial ACK says what is missing next. */
static void without_sack(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, &plain);
	script_send(&s, false, 8);
	AT(MS(200));
	RX(ACK, .seq = 301, .ack = 1);
	RX(ACK, .seq = 301, .ack = 1);
	QUIET();
	RX(ACK, .seq = 301, .ack = 1);
	TX(ACK, .seq = 1, .ack = 301, .len = 1460);
	AT(MS(300));
	RX(ACK, .seq = 301, .ack = 4381);
	TX(ACK, .seq = 4381, .ack = 301, .len = 1460);
	AT(MS(400));
	RX(ACK, .seq = 301, .ack = 11681);
	assert_int_equal(s.conn->active->recovery.phase, TCP_OPEN);
	assert_int_equal(s.tcp.counts[TCP_COUNT_RECOVERIES], 1);
	assert_int_equal(s.tcp.counts[TCP_COUNT_TIMEOUTS], 0);
	script_fini(&s);
}

/* What duplicates stood for before a time-out is taken for lost with the rest. */
static void without_sack_a_time_out_forgets_duplicates(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, &plain);
	script_send(&s, false, 8);
	AT(MS(200));
	RX(ACK, .seq = 301, .ack = 1);
	RX(ACK, .seq = 301, .ack = 1);
	assert_int_equal(board_in_flight(s.conn), 6 * 1460);
	AT(MS(401));
	TX(ACK, .seq = 1, .ack = 301, .len = 1460);
	assert_int_equal(board_in_flight(s.conn), 1460);
	AT(MS(500));
	RX(ACK, .seq = 301, .ack = 1461);
	TX(ACK, .seq = 1461, .ack = 301, .len = 2920, .gso = 1460);
	script_fini(&s);
}

/* 6582, 3.2 step 2: after a time-out, duplicates that do not go beyond it are answers to what was
 * sent again for nothing. */
static void without_sack_old_duplicates_do_not_count(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, &plain);
	script_send(&s, false, 8);
	AT(MS(401));
	TX(ACK, .seq = 1, .ack = 301, .len = 1460);
	AT(MS(500));
	/* Only the first had been lost. Two of the rest are sent again all the same. */
	RX(ACK, .seq = 301, .ack = 1461);
	TX(ACK, .seq = 1461, .ack = 301, .len = 2920, .gso = 1460);
	RX(ACK, .seq = 301, .ack = 11681);
	script_write(&s, 8 * 1460);
	s.taken = s.sent_n;
	RX(ACK, .seq = 301, .ack = 11681);
	RX(ACK, .seq = 301, .ack = 11681);
	RX(ACK, .seq = 301, .ack = 11681);
	QUIET();
	assert_int_equal(s.tcp.counts[TCP_COUNT_RECOVERIES], 0);
	/* Those that go beyond it do. */
	RX(ACK, .seq = 301, .ack = 13141);
	s.taken = s.sent_n;
	RX(ACK, .seq = 301, .ack = 13141);
	RX(ACK, .seq = 301, .ack = 13141);
	RX(ACK, .seq = 301, .ack = 13141);
	assert_int_equal(s.tcp.counts[TCP_COUNT_RECOVERIES], 1);
	script_fini(&s);
}

/* A super-segment of eight: the ACK and the SACK end wherever they like. */
static void super_segments_are_acknowledged_in_parts(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, &plain);
	script_send(&s, true, 8);
	AT(MS(200));
	RX(ACK, .seq = 301, .ack = 701, .sacks_n = 2,
	   .sacks = { { 2001, 3001 }, { 5001, 11681 } });
	AT(MS(230));
	/* What is missing, and only that: 701 to 2001, 3001 to 5001. */
	TX(ACK, .seq = 701, .ack = 301, .len = 1300);
	TX(ACK, .seq = 3001, .ack = 301, .len = 2000, .gso = 1460);
	QUIET();
	RX(ACK, .seq = 301, .ack = 11681);
	assert_null(board_first(s.conn));
	script_fini(&s);
}

/* RFC 6298 and 5681: all is lost, one segment is sent, and slow start begins. */
static void a_timeout_begins_anew(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, &plain);
	script_send(&s, false, 8);
	AT(MS(399));
	QUIET();
	AT(MS(401));
	TX(ACK, .seq = 1, .ack = 301, .len = 1460);
	assert_int_equal(s.conn->cc.cwnd, 1460);
	assert_int_equal(s.conn->active->recovery.phase, TCP_LOSS);
	AT(MS(500));
	RX(ACK, .seq = 301, .ack = 1461);
	TX(ACK, .seq = 1461, .ack = 301, .len = 2920, .gso = 1460);
	AT(MS(600));
	RX(ACK, .seq = 301, .ack = 11681);
	assert_int_equal(s.conn->active->recovery.phase, TCP_OPEN);
	script_fini(&s);
}

/* RFC 3522: the timestamp says that it is the original that was acknowledged. */
static void a_spurious_timeout_is_undone(void **state)
{
	(void)state;
	struct script s;
	static const struct tcp_config config = { .no_pacing = true };
	script_init(&s, &config);
	script_connect(&s);
	AT(MS(100));
	RX(SYN | ACK, .seq = 300, .ack = 1, .mss = 1460, .ts = true, .ts_val = 50,
	   .ts_ecr = s.sent[0].opts.ts_val);
	script_write(&s, 11584);
	uint32_t sent_ts = s.sent[s.sent_n - 1].opts.ts_val, cwnd = s.conn->cc.cwnd;
	s.taken = s.sent_n;
	AT(MS(401));
	TX(ACK, .seq = 1, .ack = 301, .len = 1448, .ts = true);
	RX(ACK, .seq = 301, .ack = 1449, .ts = true, .ts_val = 60, .ts_ecr = sent_ts);
	assert_int_equal(s.tcp.counts[TCP_COUNT_UNDONE], 1);
	assert_int_equal(s.conn->active->recovery.phase, TCP_OPEN);
	assert_true(s.conn->cc.cwnd >= cwnd);
	assert_int_equal(s.conn->active->board.lost, 0);
	/* RFC 4015, 3.5: of the 301 ms that it has taken. */
	assert_int_equal(s.conn->rto.rto_us, (100 + 2 * 301) * 1000);
	assert_int_equal(s.conn->due[TCP_DUE_RETRANSMIT], s.now + MS(702));
	script_fini(&s);
}

/* RFC 2018, 8: a peer that has forgotten what it SACKed gets it again. */
static void reneging_is_survived(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, &plain);
	script_send(&s, true, 4);
	AT(MS(200));
	RX(ACK, .seq = 301, .ack = 1, .sacks_n = 1, .sacks = { { 1461, 5841 } });
	s.taken = s.sent_n;
	RX(ACK, .seq = 301, .ack = 1461);
	AT(S(20));
	assert_true(s.sent_n > s.taken);
	s.taken = s.sent_n - 1;
	TX(ACK, .seq = 1461, .ack = 301, .len = 1460);
	script_fini(&s);
}

/* The window closes before what was SACKed: that is missing now, and is asked with. */
static void a_window_closes_on_what_was_sacked(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, &plain);
	script_send(&s, true, 4);
	AT(MS(200));
	RX(ACK, .seq = 301, .ack = 1, .sacks_n = 1, .sacks = { { 1461, 5841 } });
	s.taken = s.sent_n;
	RX(ACK, .seq = 301, .ack = 1461, .window_zero = true);
	AT(MS(700));
	TX(ACK, .seq = 1461, .ack = 301, .len = 1);
	assert_conn_is_sound(s.conn);
	RX(ACK, .seq = 301, .ack = 1462);
	assert_conn_is_sound(s.conn);
	AT(S(20));
	assert_conn_is_sound(s.conn);
	RX(ACK, .seq = 301, .ack = 5841);
	assert_null(board_first(s.conn));
	assert_conn_is_sound(s.conn);
	script_fini(&s);
}

/* CVE-2019-11477 and -11478: a peer that SACKs every second byte costs a known amount. */
static void sack_storms_have_a_limit(void **state)
{
	(void)state;
	struct script s;
	struct tcp_config config = { .no_timestamps = true,
				     .no_pacing = true,
				     .records_max = 64 };
	script_init(&s, &config);
	script_send(&s, true, 10);
	AT(MS(110));
	for (uint32_t i = 0; i < 2000; i++) {
		uint32_t at = 3 + 4 * i;
		RX(ACK, .seq = 301, .ack = 1, .sacks_n = 3,
		   .sacks = { { at, at + 1 }, { at + 2, at + 3 }, { 1, 0xf0000000u } });
		assert_true(s.tcp.records.in_use <= 64);
	}
	assert_true(s.tcp.counts[TCP_COUNT_SPLITS_REFUSED] > 0);
	RX(ACK, .seq = 301, .ack = 14601);
	assert_int_equal(s.tcp.records.in_use, 0);
	script_fini(&s);
}

/* Opens a second connection beside the script's, which is the script's from then on. */
static void script_connect_beside(struct script *script)
{
	struct tcp_open open = { .local = script->flow.local,
				 .remote = script->flow.remote,
				 .lport = OWN_PORT,
				 .rport = PEER_PORT + 1,
				 .events = script->conn->events,
				 .user = script };
	script->flow.rport = PEER_PORT + 1;
	script->knows_iss = false;
	assert_int_equal(tcp_open(&script->tcp, &open, script->now, &script->conn), 0);
}

/* Blocks of one byte, by fours, all over what the connection has under way: at most as many
 * pieces of it come to be as the header says, and nothing is taken for arrived that is not. */
static void storm(struct script *script, uint32_t flight, size_t most)
{
	struct line ack = { .flags = ACK, .seq = 301, .ack = 1, .sacks_n = 4 };
	const struct tcp_board *board = &script->conn->active->board;
	for (uint32_t at = 3; at + 8 <= flight && at < 40000; at += 8) {
		for (uint32_t i = 0; i < 4; i++)
			ack.sacks[i] = (struct tcp_sack){ at + 2 * i, at + 2 * i + 1 };
		(void)script_rx(script, &ack);
		script->sent_n = script->taken = 0;
		assert_true(board->sacked <= at / 2 + 4);
		assert_true(script->tcp.records.in_use <= most);
	}
}

static void a_sack_storm_costs_its_own_connection(void **state)
{
	static const uint32_t records_max[] = { 0, 512, 0 };
	static const uint16_t cuts_max[] = { 0, 0, 5 }, cuts[] = { 32, 32, 5 };
	const uint32_t segments = 140, flight = segments * 1460;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(records_max); i++) {
		struct script s;
		struct tcp_config config = { .no_timestamps = true,
					     .no_pacing = true,
					     .records_max = records_max[i],
					     .cuts_max = cuts_max[i] };
		script_init(&s, &config);
		script_connect(&s);
		AT(MS(100));
		RX(SYN | ACK, .seq = 300, .ack = 1, .mss = 1460, .sack = true,
		   .scaled = true, .wscale = 7);
		s.conn->cc.cwnd = flight;
		s.conn->active->sent_ns = s.now;
		RX(ACK, .seq = 301, .ack = 1, .window = 2048);
		script_write(&s, flight);
		assert_int_equal(s.conn->snd_nxt - s.conn->snd_una, flight);
		size_t before = s.tcp.records.in_use;
		AT(MS(110));
		storm(&s, flight, before + 2 * (size_t)segments + cuts[i]);
		assert_true(s.tcp.counts[TCP_COUNT_SPLITS_REFUSED] > 0);

		struct tcp_conn *stormed = s.conn;
		script_connect_beside(&s);
		RX(SYN | ACK, .seq = 300, .ack = 1, .mss = 1460, .sack = true);
		s.taken = s.sent_n;
		script_write(&s, 1460);
		TX(ACK, .seq = 1, .ack = 301, .len = 1460);
		tcp_kill(s.conn, s.now);

		/* What is whole in a block counts, and the transfer ends. */
		s.conn = stormed;
		s.flow.rport = PEER_PORT;
		s.iss = stormed->iss;
		RX(ACK, .seq = 301, .ack = 1, .sacks_n = 1,
		   .sacks = { { 1461, flight + 1 } });
		assert_true(stormed->active->board.sacked > flight / 2);
		RX(ACK, .seq = 301, .ack = flight + 1);
		assert_int_equal(s.tcp.records.in_use, 0);
		s.taken = s.sent_n;
		script_write(&s, 1460);
		TX(ACK, .seq = flight + 1, .ack = 301, .len = 1460);
		script_fini(&s);
	}
}

/* RFC 6937: in recovery, for about every ten that arrive, seven leave. */
static void the_rate_is_reduced_in_proportion(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, &plain);
	script_send(&s, true, 10);
	/* Another round trip, so that twenty are under way. */
	AT(MS(200));
	script_write(&s, 58400);
	RX(ACK, .seq = 301, .ack = 14601);
	AT(MS(290));
	uint32_t flight = s.conn->snd_nxt - s.conn->snd_una, first = 14601;
	assert_true(flight >= 18 * 1460);
	s.taken = s.sent_n;
	AT(MS(300));
	uint32_t sacked = 0, left = 0;
	for (uint32_t end = first + 2 * 1460; end <= first + flight;
	     end += 1460, sacked++) {
		RX(ACK, .seq = 301, .ack = first, .sacks_n = 1,
		   .sacks = { { first + 1460, end } });
		AT(MS(300) + MS(sacked + 1));
	}
	for (size_t i = s.taken; i < s.sent_n; i++)
		left += (uint32_t)s.sent[i].len / 1460;
	assert_int_equal(s.tcp.counts[TCP_COUNT_RECOVERIES], 1);
	assert_true(left >= sacked * 6 / 10 - 1 && left <= sacked * 8 / 10 + 1);
	script_fini(&s);
}

/*
 * RFC 9937, 6.2: below ssthresh, as much leaves as has arrived, and a segment more if the ACK moves
 * on and shows no new loss.
 */
static void below_the_threshold_safe_acks_let_more_leave(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, &plain);
	script_send(&s, true, 10);
	script_write(&s, 14600);
	QUIET();
	AT(MS(200));
	RX(ACK, .seq = 301, .ack = 1, .sacks_n = 1, .sacks = { { 10221, 14601 } });
	TX(ACK, .seq = 1, .ack = 301, .len = 4380, .gso = 1460);
	/* It moves on: one more. */
	AT(MS(300));
	RX(ACK, .seq = 301, .ack = 1461, .sacks_n = 1, .sacks = { { 10221, 14601 } });
	TX(ACK, .seq = 4381, .ack = 301, .len = 2920, .gso = 1460);
	/* It moves on, but the third has been lost again. */
	AT(MS(400));
	RX(ACK, .seq = 301, .ack = 2921, .sacks_n = 2,
	   .sacks = { { 4381, 5841 }, { 10221, 14601 } });
	TX(ACK, .seq = 7301, .ack = 301, .len = 2920, .gso = 1460);
	QUIET();
	/* No new loss, but it stays where it is. */
	AT(MS(401));
	RX(ACK, .seq = 301, .ack = 2921, .sacks_n = 2,
	   .sacks = { { 4381, 7301 }, { 10221, 14601 } });
	TX(ACK, .seq = 2921, .ack = 301, .len = 1460);
	QUIET();
	script_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(late_is_lost_after_the_reordering_window),
		cmocka_unit_test(three_behind_the_gap_are_a_loss),
		cmocka_unit_test(reordering_is_learnt),
		cmocka_unit_test(what_overtakes_does_not_narrow_the_window),
		cmocka_unit_test(a_needless_recovery_teaches_reordering),
		cmocka_unit_test(a_needless_recovery_is_undone_after_it),
		cmocka_unit_test(a_fast_retransmission_begins_the_time_out_anew),
		cmocka_unit_test(a_lost_tail_is_probed),
		cmocka_unit_test(a_late_ack_is_no_loss),
		cmocka_unit_test(new_data_is_the_better_probe),
		cmocka_unit_test(a_needless_probe_costs_nothing),
		cmocka_unit_test(a_late_ack_is_waited_for),
		cmocka_unit_test(without_sack),
		cmocka_unit_test(without_sack_a_time_out_forgets_duplicates),
		cmocka_unit_test(without_sack_old_duplicates_do_not_count),
		cmocka_unit_test(super_segments_are_acknowledged_in_parts),
		cmocka_unit_test(a_timeout_begins_anew),
		cmocka_unit_test(a_spurious_timeout_is_undone),
		cmocka_unit_test(reneging_is_survived),
		cmocka_unit_test(a_window_closes_on_what_was_sacked),
		cmocka_unit_test(sack_storms_have_a_limit),
		cmocka_unit_test(a_sack_storm_costs_its_own_connection),
		cmocka_unit_test(the_rate_is_reduced_in_proportion),
		cmocka_unit_test(below_the_threshold_safe_acks_let_more_leave),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
