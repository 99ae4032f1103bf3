/* SPDX-License-Identifier: MIT */
/*
 * How connections end: FIN behind the data, a reset where something was not read, FIN-WAIT-2 and
 * TIME-WAIT with their limits, and who may begin anew on the ports of what has ended.
 */
#include "base/array.h"
#include "tcp_script.h"

#include <errno.h>

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

/* RFC 9293, 3.10.4: a CLOSE before there is a connection holds from when there is one. */
static void a_fin_can_be_asked_for_early(void **state)
{
	(void)state;
	for (int crossed = 0; crossed < 2; crossed++) {
		struct script s;
		script_init(&s, NULL);
		script_connect(&s);
		if (crossed)
			RX(SYN, .seq = 100, .mss = 1460);
		s.taken = s.sent_n;
		(void)tcp_shutdown(s.conn, SHUT_WR, s.now);
		QUIET();
		RX(crossed ? ACK : SYN | ACK, .seq = 100 + (uint32_t)crossed, .ack = 1);
		STATE(TCP_FIN_WAIT_1);
		TX(FIN | ACK, .seq = 1, .ack = 101);
		RX(ACK, .seq = 101, .ack = 2);
		STATE(TCP_FIN_WAIT_2);
		RX(FIN | ACK, .seq = 101, .ack = 2);
		assert_int_equal(s.closed, 1);
		assert_int_equal(s.error, 0);
		script_fini(&s);
	}
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

/* RFC 9293, 3.6.1, MAY-2: the clock may be behind what was sent fast. And who cannot remember the
 * new one keeps the old. */
static void what_begins_anew_begins_beyond(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	script_write(&s, 14000);
	AT(MS(1));
	RX(ACK, .seq = 101, .ack = 14001);
	tcp_close(s.conn, s.now);
	s.conn = NULL;
	RX(FIN | ACK, .seq = 101, .ack = 14002);
	s.taken = s.sent_n;
	s.listener->syn_max = 0;
	assert_int_equal(RX(SYN, .seq = 5000), TCP_CHALLENGED_SYN);
	TX(ACK, .seq = 14002, .ack = 102);
	assert_int_equal(s.tcp.time_waits_n, 1);
	s.listener->syn_max = 1;
	assert_int_equal(RX(SYN, .seq = 5000), TCP_TOOK_SYN);
	TX(SYN | ACK, .seq = 14003, .ack = 5001);
	assert_int_equal(s.tcp.time_waits_n, 0);
	script_fini(&s);
}

/* The same with timestamps: the last that it heard of the peer is 7020. */
static void enter_time_wait_with_timestamps(struct script *script)
{
	static const struct tcp_config config = { 0 };
	const struct line syn = { .mss = 1460, .ts = true, .ts_val = 7000 };
	const struct line fin = {
		.flags = FIN | ACK, .seq = 101, .ack = 2, .ts = true, .ts_val = 7020
	};
	script_init(script, &config);
	script_establish_with(script, &syn);
	tcp_close(script->conn, script->now);
	script->conn = NULL;
	(void)script_rx(script, &fin);
	assert_int_equal(script->tcp.time_waits_n, 1);
	script->taken = script->sent_n;
}

/* RFC 6191, 2: a later timestamp says that a SYN is new, and an earlier one that it is not,
 * whatever the sequence number; that decides where the timestamps are equal, or there is none. */
static void a_timestamp_tells_a_new_syn_from_an_old_one(void **state)
{
	(void)state;
	static const struct {
		uint32_t seq, ts_val;
		bool ts, is_new;
	} cases[] = {
		{ 50, 7021, true, true },       { 5000, 7021, true, true },
		{ 50, 7019, true, false },      { 5000, 7019, true, false },
		{ 50, 7020, true, false },      { 5000, 7020, true, true },
		{ 50, 0, false, false },        { 5000, 0, false, true },
		{ 50, 0x80000000, true, true }, { 5000, 0x90000000, true, false },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct script s;
		enter_time_wait_with_timestamps(&s);
		enum tcp_outcome outcome =
			RX(SYN, .seq = cases[i].seq, .mss = 1460, .ts = cases[i].ts,
			   .ts_val = cases[i].ts_val);
		assert_int_equal(outcome,
				 cases[i].is_new ? TCP_TOOK_SYN : TCP_CHALLENGED_SYN);
		assert_int_equal(s.tcp.time_waits_n, cases[i].is_new ? 0 : 1);
		script_fini(&s);
	}
}

/* Nobody here begins a connection on ports where the peer may still have segments under way. */
static void time_wait_keeps_its_ports(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	enter_time_wait(&s);
	struct tcp_open open = { .local = s.flow.local,
				 .remote = s.flow.remote,
				 .lport = s.flow.lport,
				 .rport = s.flow.rport };
	assert_int_equal(tcp_open(&s.tcp, &open, s.now, &s.conn), -EADDRINUSE);
	AT(S(61));
	assert_int_equal(tcp_open(&s.tcp, &open, s.now, &s.conn), 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_fin_follows_the_data),
		cmocka_unit_test(a_fin_can_be_asked_for_early),
		cmocka_unit_test(closing_with_unread_data_resets),
		cmocka_unit_test(data_for_nobody_is_refused),
		cmocka_unit_test(fin_wait_2_has_an_end),
		cmocka_unit_test(time_wait_answers),
		cmocka_unit_test(what_begins_anew_begins_beyond),
		cmocka_unit_test(a_timestamp_tells_a_new_syn_from_an_old_one),
		cmocka_unit_test(time_wait_keeps_its_ports),
		cmocka_unit_test(time_waits_have_a_limit),
	};
	return cmocka_run_group_tests_name("tcp_end", tests, NULL, NULL);
}
