/* SPDX-License-Identifier: MIT */
/*
 * Every arrow of RFC 9293's drawing of the states, as a transcript; and every combination of
 * flags in every state, which must neither crash nor leave the table.
 */
#include "base/array.h"
#include "tcp_script.h"

#include <errno.h>

static void passive_open(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_listen(&s);
	RX(SYN, .seq = 100, .mss = 1460);
	TX(SYN | ACK, .seq = 0, .ack = 101, .mss = 1460, .window = 65535);
	assert_int_equal(s.acceptable, 0);
	RX(ACK, .seq = 101, .ack = 1);
	assert_int_equal(s.acceptable, 1);
	STATE(TCP_ESTABLISHED);
	QUIET();
	script_fini(&s);
}

static void active_open(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_connect(&s);
	TX(SYN, .seq = 0, .mss = 1460, .sack = true, .scaled = true, .wscale = 7);
	STATE(TCP_SYN_SENT);
	RX(SYN | ACK, .seq = 300, .ack = 1, .mss = 1000);
	TX(ACK, .seq = 1, .ack = 301);
	STATE(TCP_ESTABLISHED);
	assert_int_equal(s.connected, 1);
	assert_int_equal(s.conn->mss_gross, 1000);
	script_fini(&s);
}

static void both_open_at_once(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_connect(&s);
	TX(SYN, .seq = 0);
	RX(SYN, .seq = 300, .mss = 1460, .sack = true);
	TX(SYN | ACK, .seq = 0, .ack = 301, .sack = true);
	STATE(TCP_SYN_RECEIVED);
	RX(SYN | ACK, .seq = 300, .ack = 1);
	STATE(TCP_ESTABLISHED);
	TX(ACK, .seq = 1, .ack = 301);
	assert_int_equal(s.connected, 1);
	script_write(&s, 10);
	TX(ACK, .seq = 1, .ack = 301, .len = 10);
	script_fini(&s);
}

static void we_close_first(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	(void)tcp_shutdown(s.conn, SHUT_WR, s.now);
	TX(FIN | ACK, .seq = 1, .ack = 101);
	STATE(TCP_FIN_WAIT_1);
	RX(ACK, .seq = 101, .ack = 2);
	STATE(TCP_FIN_WAIT_2);
	RX(FIN | ACK, .seq = 101, .ack = 2);
	TX(ACK, .seq = 2, .ack = 102);
	STATE(TCP_TIME_WAIT);
	assert_int_equal(s.closed, 1);
	assert_int_equal(s.error, 0);
	assert_int_equal(s.tcp.time_waits_n, 1);
	AT(S(60));
	assert_int_equal(s.tcp.time_waits_n, 0);
	script_fini(&s);
}

static void the_peer_closes_first(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	RX(FIN | ACK, .seq = 101, .ack = 1);
	TX(ACK, .seq = 1, .ack = 102);
	STATE(TCP_CLOSE_WAIT);
	script_write(&s, 5);
	TX(ACK, .seq = 1, .ack = 102, .len = 5);
	(void)tcp_shutdown(s.conn, SHUT_WR, s.now);
	TX(FIN | ACK, .seq = 6, .ack = 102);
	STATE(TCP_LAST_ACK);
	RX(ACK, .seq = 102, .ack = 7);
	STATE(TCP_CLOSED);
	assert_int_equal(s.closed, 1);
	assert_int_equal(s.error, 0);
	script_fini(&s);
}

static void both_close_at_once(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	(void)tcp_shutdown(s.conn, SHUT_WR, s.now);
	TX(FIN | ACK, .seq = 1, .ack = 101);
	RX(FIN | ACK, .seq = 101, .ack = 1);
	TX(ACK, .seq = 2, .ack = 102);
	STATE(TCP_CLOSING);
	RX(ACK, .seq = 102, .ack = 2);
	STATE(TCP_TIME_WAIT);
	assert_int_equal(s.error, 0);
	script_fini(&s);
}

static void fin_and_its_ack_in_one(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	(void)tcp_shutdown(s.conn, SHUT_WR, s.now);
	TX(FIN | ACK, .seq = 1, .ack = 101);
	RX(FIN | ACK, .seq = 101, .ack = 2);
	TX(ACK, .seq = 2, .ack = 102);
	STATE(TCP_TIME_WAIT);
	script_fini(&s);
}

static void resets_end_it(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	assert_int_equal(RX(RST, .seq = 101), TCP_TOOK_RESET);
	STATE(TCP_CLOSED);
	assert_int_equal(s.closed, 1);
	assert_int_equal(s.error, -ECONNRESET);
	QUIET();
	script_fini(&s);

	script_init(&s, NULL);
	script_connect(&s);
	TX(SYN, .seq = 0);
	assert_int_equal(RX(RST | ACK, .seq = 0, .ack = 2), TCP_DROP_RESET);
	assert_int_equal(RX(RST, .seq = 0), TCP_DROP_RESET);
	STATE(TCP_SYN_SENT);
	assert_int_equal(RX(RST | ACK, .seq = 0, .ack = 1), TCP_TOOK_RESET);
	assert_int_equal(s.error, -ECONNREFUSED);
	script_fini(&s);
}

static void aborting_sends_a_reset(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_establish(&s);
	tcp_kill(s.conn, s.now);
	s.conn = NULL;
	TX(RST | ACK, .seq = 1, .ack = 101);
	assert_int_equal(s.closed, 0);
	assert_int_equal(s.tcp.conns, 0);
	script_fini(&s);
}

/* RFC 9293, 3.10.7.1: what is sent to a port where nobody is. */
static void closed_refuses(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	s.knows_iss = true; /* Numbers as they are. */
	assert_int_equal(RX(SYN, .seq = 100), TCP_REFUSED_CLOSED);
	TX(RST | ACK, .seq = 0, .ack = 101);
	RX(ACK, .seq = 100, .ack = 555, .len = 10);
	TX(RST, .seq = 555, .ack = 0);
	RX(FIN, .seq = 100, .len = 10);
	TX(RST | ACK, .seq = 0, .ack = 111);
	assert_int_equal(RX(RST, .seq = 100), TCP_DROP_RESET);
	QUIET();
	script_fini(&s);
}

static void listen_ignores_what_is_no_syn(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_listen(&s);
	s.knows_iss = true;
	assert_int_equal(RX(RST, .seq = 100), TCP_DROP_RESET);
	assert_int_equal(RX(FIN, .seq = 100), TCP_DROP_NO_FLAG);
	assert_int_equal(RX(0, .seq = 100, .len = 10), TCP_DROP_NO_FLAG);
	QUIET();
	assert_int_equal(RX(ACK, .seq = 100, .ack = 77), TCP_REFUSED_CLOSED);
	TX(RST, .seq = 77);
	assert_int_equal(RX(SYN | ACK, .seq = 100, .ack = 77), TCP_REFUSED_CLOSED);
	TX(RST, .seq = 77);
	script_fini(&s);
}

/* After 1, 2, 4 ... s, as often as the listener says, and then it is forgotten. */
static void half_open_as_long_as_is_wanted(void **state)
{
	static const unsigned retries[] = { 1, 8 };
	(void)state;
	for (size_t n = 0; n < ARRAY_LEN(retries); n++) {
		struct script s;
		struct tcp_listen_opts opts = { .port = OWN_PORT,
						.synack_retries = (uint8_t)retries[n] };
		script_init(&s, NULL);
		assert_int_equal(tcp_listen(&s.tcp, &opts, &s.listener), 0);
		RX(SYN, .seq = 100);
		TX(SYN | ACK, .seq = 0, .ack = 101);
		unsigned at = 1;
		for (unsigned i = 0; i < retries[n]; i++, at = 2 * at + 1) {
			AT(S(at) - 1);
			QUIET();
			AT(S(at));
			TX(SYN | ACK, .seq = 0, .ack = 101);
		}
		AT(S(at) - 1);
		assert_int_equal(s.listener->syns_n, 1);
		AT(S(at));
		assert_int_equal(s.listener->syns_n, 0);
		QUIET();
		script_fini(&s);
	}
}

static void half_open_entries(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_listen(&s);
	RX(SYN, .seq = 100);
	TX(SYN | ACK, .seq = 0, .ack = 101);
	/* The SYN again is answered again, with the same number. */
	assert_int_equal(RX(SYN, .seq = 100), TCP_TOOK_AGAIN);
	TX(SYN | ACK, .seq = 0, .ack = 101);
	/* So it is when nothing comes: after 1, 2, 4, 8 and 16 s; after 63 it is forgotten. */
	for (unsigned i = 0, at = 1; i < 5; i++, at = 2 * at + 1) {
		AT(S(at) - 1);
		QUIET();
		AT(S(at));
		TX(SYN | ACK, .seq = 0, .ack = 101);
	}
	AT(S(62));
	assert_int_equal(s.listener->syns_n, 1);
	AT(S(63));
	assert_int_equal(s.listener->syns_n, 0);
	QUIET();
	/* A reset ends one, if its number is right. */
	RX(SYN, .seq = 900);
	s.taken++;
	assert_int_equal(RX(RST, .seq = 950), TCP_CHALLENGED_RESET);
	s.taken++;
	assert_int_equal(RX(RST, .seq = 800), TCP_DROP_RESET);
	assert_int_equal(RX(RST, .seq = 901), TCP_TOOK_RESET);
	assert_int_equal(s.listener->syns_n, 0);
	QUIET();
	script_fini(&s);
}

/* RFC 5961, 7, for one that is not there yet: who guesses is not answered at every try. */
static void half_open_entries_are_not_asked_too_often(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_listen(&s);
	RX(SYN, .seq = 100);
	TX(SYN | ACK, .seq = 0, .ack = 101);
	assert_int_equal(RX(RST, .seq = 150), TCP_CHALLENGED_RESET);
	TX(ACK, .seq = 1, .ack = 101);
	assert_int_equal(RX(RST, .seq = 151), TCP_DROP_LIMITED);
	assert_int_equal(RX(SYN, .seq = 151), TCP_DROP_LIMITED);
	assert_int_equal(RX(ACK, .seq = 50, .ack = 1), TCP_DROP_LIMITED);
	QUIET();
	AT(MS(500));
	assert_int_equal(RX(SYN, .seq = 151), TCP_CHALLENGED_SYN);
	TX(ACK, .seq = 1, .ack = 101);
	script_fini(&s);
}

static void a_wrong_ack_of_a_syn_is_refused(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	script_listen(&s);
	RX(SYN, .seq = 100);
	TX(SYN | ACK, .seq = 0, .ack = 101);
	assert_int_equal(RX(ACK, .seq = 101, .ack = 5), TCP_REFUSED_ACK);
	TX(RST, .seq = 5);
	assert_int_equal(s.acceptable, 0);
	RX(ACK, .seq = 101, .ack = 1);
	assert_int_equal(s.acceptable, 1);
	script_fini(&s);

	script_init(&s, NULL);
	script_connect(&s);
	TX(SYN, .seq = 0);
	assert_int_equal(RX(SYN | ACK, .seq = 300, .ack = 9), TCP_REFUSED_ACK);
	TX(RST, .seq = 9);
	STATE(TCP_SYN_SENT);
	script_fini(&s);
}

/* ---- all flags in all states ------------------------------------------------------------- */

/* Brings a connection, or what stands for one, into the state. */
static void bring(struct script *s, enum tcp_state state)
{
	switch (state) {
	case TCP_CLOSED:
		return;
	case TCP_LISTEN:
		script_listen(s);
		return;
	case TCP_SYN_SENT:
		script_connect(s);
		return;
	case TCP_SYN_RECEIVED:
		script_connect(s);
		(void)script_rx(s, &(struct line){ .flags = SYN, .seq = 100 });
		return;
	default:
		break;
	}
	script_establish(s);
	if (state == TCP_CLOSE_WAIT || state == TCP_LAST_ACK)
		(void)script_rx(
			s, &(struct line){ .flags = FIN | ACK, .seq = 101, .ack = 1 });
	if (state != TCP_ESTABLISHED && state != TCP_CLOSE_WAIT)
		(void)tcp_shutdown(s->conn, SHUT_WR, s->now);
	if (state == TCP_FIN_WAIT_2)
		(void)script_rx(s, &(struct line){ .flags = ACK, .seq = 101, .ack = 2 });
	if (state == TCP_CLOSING)
		(void)script_rx(
			s, &(struct line){ .flags = FIN | ACK, .seq = 101, .ack = 1 });
	if (state == TCP_TIME_WAIT)
		(void)script_rx(
			s, &(struct line){ .flags = FIN | ACK, .seq = 101, .ack = 2 });
}

/* One segment with these flags; what follows must be among what the table allows. */
static void poke(enum tcp_state from, uint16_t flags, uint32_t seq, uint32_t ack,
		 uint32_t len)
{
	struct script s;
	script_init(&s, NULL);
	bring(&s, from);
	if (s.conn)
		assert_int_equal(s.conn->state, from);
	uint64_t before = 0, after = 0;
	for (size_t i = 0; i < TCP_OUTCOMES; i++)
		before += s.tcp.outcomes[i];
	enum tcp_outcome outcome =
		RX(flags, .seq = seq, .ack = ack, .len = len, .urgent = 9);
	for (size_t i = 0; i < TCP_OUTCOMES; i++)
		after += s.tcp.outcomes[i];
	assert_int_equal(after, before + 1);
	assert_true(outcome > TCP_GO_ON && outcome < TCP_OUTCOMES);
	if (s.conn && s.conn->state != from && from != TCP_LISTEN) {
		enum tcp_state to = (enum tcp_state)s.conn->state;
		bool is_step = tcp_state_may_become(from, to);
		/* One segment may carry two steps: an ACK, and a FIN. */
		for (unsigned via = 0; via < TCP_STATES; via++)
			is_step |= tcp_state_may_become(from, (enum tcp_state)via) &&
				   tcp_state_may_become((enum tcp_state)via, to);
		assert_true(is_step);
	}
	if (flags & RST)
		assert_true(outcome != TCP_TOOK_DATA && outcome != TCP_TOOK_SYN);
	AT(S(300));
	script_fini(&s);
}

static void all_flags_in_all_states(void **state)
{
	(void)state;
	static const uint32_t seqs[] = { 100, 101, 102, 150, 99, 0x80000000u };
	static const uint32_t acks[] = { 0, 1, 2, 3, 0x80000000u };
	for (unsigned from = 0; from < TCP_STATES; from++) {
		for (uint16_t flags = 0; flags < 64; flags++) {
			for (size_t i = 0; i < sizeof(seqs) / sizeof(seqs[0]); i++)
				poke((enum tcp_state)from, flags, seqs[i],
				     acks[(i + flags) % 5], flags % 3 ? 20 : 0);
		}
	}
}

/* RFC 6928, 2: one SYN that was sent again is no reason to begin with one segment. Two are. */
static void a_lost_syn_leaves_the_initial_window(void **state)
{
	(void)state;
	for (uint64_t lost = 1; lost <= 2; lost++) {
		struct script s;
		script_init(&s, NULL);
		script_connect(&s);
		AT(S(3) * (lost - 1) + S(2));
		assert_int_equal(s.sent_n, 1 + lost);
		RX(SYN | ACK, .seq = 300, .ack = 1, .mss = 1460);
		assert_int_equal(s.conn->cc.cwnd, lost == 1 ? 14600 : 1460);
		script_fini(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lost_syn_leaves_the_initial_window),
		cmocka_unit_test(passive_open),
		cmocka_unit_test(active_open),
		cmocka_unit_test(both_open_at_once),
		cmocka_unit_test(we_close_first),
		cmocka_unit_test(the_peer_closes_first),
		cmocka_unit_test(both_close_at_once),
		cmocka_unit_test(fin_and_its_ack_in_one),
		cmocka_unit_test(resets_end_it),
		cmocka_unit_test(aborting_sends_a_reset),
		cmocka_unit_test(closed_refuses),
		cmocka_unit_test(listen_ignores_what_is_no_syn),
		cmocka_unit_test(half_open_entries),
		cmocka_unit_test(half_open_entries_are_not_asked_too_often),
		cmocka_unit_test(half_open_as_long_as_is_wanted),
		cmocka_unit_test(a_wrong_ack_of_a_syn_is_refused),
		cmocka_unit_test(all_flags_in_all_states),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
