/* SPDX-License-Identifier: MIT */
/*
 * Listeners: who gets a SYN, what is done when there are too many of them, and what a flood
 * costs.
 */
#include "stack/tcp_isn.h"
#include "tcp_script.h"

#include <errno.h>

/* Has the listener accept nothing by itself, with limits of the test's. */
static void listen_with(struct script *script, uint32_t backlog, uint32_t syn_max)
{
	struct tcp_listen_opts opts = {
		.local = addr_of_ip4(0),
		.port = OWN_PORT,
		.backlog = backlog,
		.syn_max = syn_max,
	};
	assert_int_equal(tcp_listen(&script->tcp, &opts, &script->listener), 0);
}

static struct script *fresh(const struct tcp_config *config)
{
	static struct script s;
	script_init(&s, config);
	return &s;
}

/* The n-th peer's handshake, as far as it gets. */
static enum tcp_outcome handshake(struct script *script, uint16_t peer,
				  const struct line *syn)
{
	struct line first = *syn;
	first.flags = SYN;
	first.seq = 100;
	script->flow.rport = peer;
	script->knows_iss = false;
	size_t before = script->sent_n;
	enum tcp_outcome outcome = script_rx(script, &first);
	if (script->sent_n == before)
		return outcome;
	struct line ack = {
		.flags = ACK, .seq = 101, .ack = 1, .ts = syn->ts, .ts_val = syn->ts_val
	};
	ack.ts_ecr = script->sent[script->sent_n - 1].opts.ts_val;
	outcome = script_rx(script, &ack);
	script->taken = script->sent_n;
	return outcome;
}

/* Who listens for what the peer sends there. */
static struct tcp_listener *found(const struct script *script,
				  const struct ip_addr *local, uint16_t port)
{
	struct tcp_flow flow = script->flow;
	flow.local = *local;
	flow.lport = port;
	return tcp_listener_find(&script->tcp, &flow);
}

static void the_most_specific_listener_wins(void **state)
{
	(void)state;
	struct script *s = fresh(NULL);
	static const struct ip_addr any6;
	struct tcp_listener *all, *ip4, *one, *none;
	struct tcp_listen_opts opts = { .local = any6, .port = 80 };
	assert_int_equal(tcp_listen(&s->tcp, &opts, &all), 0);
	assert_int_equal(tcp_listen(&s->tcp, &opts, &none), -EADDRINUSE);
	assert_ptr_equal(found(s, &s->flow.local, 80), all);
	opts.local = addr_of_ip4(0);
	assert_int_equal(tcp_listen(&s->tcp, &opts, &ip4), 0);
	assert_ptr_equal(found(s, &s->flow.local, 80), ip4);
	opts.local = s->flow.local;
	assert_int_equal(tcp_listen(&s->tcp, &opts, &one), 0);
	assert_ptr_equal(found(s, &s->flow.local, 80), one);
	assert_ptr_equal(found(s, &s->flow.remote, 80), ip4);
	assert_null(found(s, &s->flow.local, 81));
	all->only_ip6 = true;
	tcp_unlisten(ip4, s->now);
	assert_null(found(s, &s->flow.remote, 80));
	script_fini(s);
}

static void a_full_backlog_drops(void **state)
{
	(void)state;
	struct script *s = fresh(NULL);
	const struct line syn = { .mss = 1460 };
	listen_with(s, 2, 10);
	assert_int_equal(handshake(s, 1, &syn), TCP_TOOK_ACK);
	assert_int_equal(handshake(s, 2, &syn), TCP_TOOK_ACK);
	assert_int_equal(handshake(s, 3, &syn), TCP_DROP_BACKLOG);
	struct tcp_conn *conn = tcp_accept(s->listener);
	assert_int_equal(conn->node.flow.rport, 1);
	tcp_kill(conn, s->now);
	assert_int_equal(handshake(s, 3, &syn), TCP_TOOK_ACK);
	assert_int_equal(s->listener->ready_n, 2);
	/* What was not accepted is reset with the listener. */
	s->taken = s->sent_n;
	tcp_unlisten(s->listener, s->now);
	s->listener = NULL;
	tcp_flush(&s->tcp, s->now);
	assert_int_equal(s->sent_n - s->taken, 2);
	assert_int_equal(s->tcp.conns, 0);
	script_fini(s);
}

static void who_ends_before_being_accepted_is_forgotten(void **state)
{
	(void)state;
	struct script *s = fresh(NULL);
	const struct line syn = { .mss = 1460 };
	listen_with(s, 2, 10);
	(void)handshake(s, 1, &syn);
	assert_int_equal(script_rx(s, &(struct line){ .flags = RST, .seq = 101 }),
			 TCP_TOOK_RESET);
	assert_int_equal(s->listener->ready_n, 0);
	assert_int_equal(s->tcp.conns, 0);
	assert_null(tcp_accept(s->listener));
	script_fini(s);
}

/* RFC 4987: a cookie has all that the entry would have had, if there are timestamps. */
static void cookies_remember(void **state)
{
	(void)state;
	static const struct tcp_config config = { 0 };
	struct script *s = fresh(&config);
	struct line syn = { .mss = 1460,
			    .sack = true,
			    .scaled = true,
			    .wscale = 9,
			    .ts = true,
			    .ts_val = 77 };
	listen_with(s, 10, 1);
	s->flow.rport = 1;
	(void)script_rx(s, &(struct line){ .flags = SYN, .seq = 100 });
	s->taken = s->sent_n;
	assert_int_equal(handshake(s, 2, &syn), TCP_TOOK_ACK);
	assert_int_equal(s->tcp.counts[TCP_COUNT_COOKIES_TAKEN], 1);
	struct tcp_conn *conn = tcp_accept(s->listener);
	assert_int_equal(conn->state, TCP_ESTABLISHED);
	assert_int_equal(conn->mss_peer, 1460);
	assert_int_equal(conn->snd_wscale, 9);
	assert_true(conn->has_sack && conn->has_timestamps && conn->has_wscale);
	assert_int_equal(conn->ts_recent, 77);
	tcp_kill(conn, s->now);
	/* Without timestamps, the options are lost and the connection is not. */
	syn.ts = false;
	assert_int_equal(handshake(s, 3, &syn), TCP_TOOK_ACK);
	conn = tcp_accept(s->listener);
	assert_false(conn->has_sack || conn->has_wscale || conn->has_timestamps);
	assert_int_equal(conn->mss_peer, 1460);
	tcp_kill(conn, s->now);
	script_fini(s);
}

/* Options are in its timestamp, which is never ahead of those that follow: they would be old. */
static void a_cookie_is_not_ahead_of_the_clock(void **state)
{
	(void)state;
	static const struct tcp_config config = { 0 };
	struct script *s = fresh(&config);
	listen_with(s, 10, 1);
	s->flow.rport = 1;
	(void)script_rx(s, &(struct line){ .flags = SYN, .seq = 100 });
	for (unsigned ms = 0; ms < 64; ms++) {
		script_at(s, MS(ms));
		s->flow.rport = (uint16_t)(2 + ms);
		struct line syn = { .flags = SYN, .seq = 100, .ts = true, .ts_val = 77 };
		syn.sack = syn.scaled = true;
		syn.wscale = 9;
		assert_int_equal(script_rx(s, &syn), TCP_TOOK_COOKIE);
		uint32_t clock =
			(uint32_t)(s->now / 1000000) + tcp_ts_offset(&s->tcp, &s->flow);
		uint32_t behind = clock - s->sent[s->sent_n - 1].opts.ts_val;
		assert_true(behind < 64);
	}
	script_fini(s);
}

static void a_cookie_is_good_for_a_minute(void **state)
{
	(void)state;
	struct script *s = fresh(NULL);
	listen_with(s, 10, 1);
	s->flow.rport = 1;
	(void)script_rx(s, &(struct line){ .flags = SYN, .seq = 100 });
	s->flow.rport = 2;
	s->knows_iss = false;
	(void)script_rx(s, &(struct line){ .flags = SYN, .seq = 100 });
	script_at(s, S(60));
	(void)script_rx(s, &(struct line){ .flags = ACK, .seq = 101, .ack = 1 });
	assert_int_equal(s->tcp.counts[TCP_COUNT_COOKIES_TAKEN], 1);
	assert_int_equal(s->tcp.counts[TCP_COUNT_ACCEPTED], 1);
	script_fini(s);
}

static void forged_and_old_cookies_are_refused(void **state)
{
	(void)state;
	struct script *s = fresh(NULL);
	listen_with(s, 10, 1);
	s->flow.rport = 1;
	(void)script_rx(s, &(struct line){ .flags = SYN, .seq = 100 });
	s->flow.rport = 2;
	s->knows_iss = false;
	assert_int_equal(script_rx(s, &(struct line){ .flags = SYN, .seq = 100 }),
			 TCP_TOOK_COOKIE);
	struct line ack = { .flags = ACK, .seq = 101, .ack = 2 };
	assert_int_equal(script_rx(s, &ack), TCP_REFUSED_CLOSED);
	ack.ack = 1;
	ack.seq = 102;
	assert_int_equal(script_rx(s, &ack), TCP_REFUSED_CLOSED);
	ack.seq = 101;
	s->flow.rport = 3;
	assert_int_equal(script_rx(s, &ack), TCP_REFUSED_CLOSED);
	s->flow.rport = 2;
	script_at(s, S(200));
	assert_int_equal(script_rx(s, &ack), TCP_REFUSED_CLOSED);
	assert_int_equal(s->tcp.conns, 0);
	script_fini(s);
}

/* The emitted segments are not kept here: there are a million of them. */
static void forget_sent(struct script *script)
{
	script->sent_n = script->taken = 0;
}

static void a_flood_costs_what_was_said(void **state)
{
	(void)state;
	struct script *s = fresh(NULL);
	listen_with(s, 10, 100);
	for (uint32_t i = 0; i < 1000000; i++) {
		s->flow.remote = addr_of_ip4(0x0a000000u + i / 1000);
		s->flow.rport = (uint16_t)(1 + i % 1000);
		(void)script_rx(s, &(struct line){ .flags = SYN, .seq = i });
		forget_sent(s);
	}
	assert_int_equal(s->listener->syns_n, 100);
	assert_int_equal(s->tcp.table.count, 100);
	assert_int_equal(s->tcp.conns, 0);
	assert_int_equal(s->tcp.budget.used, 0);
	assert_int_equal(s->tcp.outcomes[TCP_TOOK_COOKIE], 1000000 - 100);
	/* And who means it gets through. */
	const struct line syn = { .mss = 1460 };
	assert_int_equal(handshake(s, 7777, &syn), TCP_TOOK_ACK);
	script_fini(s);
}

static void connections_have_a_limit(void **state)
{
	(void)state;
	static const struct tcp_config config = { .no_timestamps = true,
						  .connections_max = 2 };
	struct script *s = fresh(&config);
	const struct line syn = { .mss = 1460 };
	listen_with(s, 10, 10);
	assert_int_equal(handshake(s, 1, &syn), TCP_TOOK_ACK);
	assert_int_equal(handshake(s, 2, &syn), TCP_TOOK_ACK);
	assert_int_equal(handshake(s, 3, &syn), TCP_DROP_MEMORY);
	struct tcp_open open = { .local = s->flow.local,
				 .remote = s->flow.remote,
				 .rport = 9 };
	assert_int_equal(tcp_open(&s->tcp, &open, s->now, &s->conn), -ENOBUFS);
	script_fini(s);
}

static void land_and_groups_are_dropped(void **state)
{
	(void)state;
	struct script *s = fresh(NULL);
	listen_with(s, 10, 10);
	s->flow.remote = s->flow.local;
	s->flow.rport = s->flow.lport;
	assert_int_equal(script_rx(s, &(struct line){ .flags = SYN }), TCP_DROP_SELF);
	struct tcp_rx rx = { .flow = s->flow, .hdr.flags = SYN, .is_group = true };
	assert_int_equal(tcp_input(&s->tcp, &rx, s->now), TCP_DROP_GROUP);
	assert_int_equal(s->sent_n, 0);
	script_fini(s);
}

/* RFC 6056: ports that nobody foresees; microps: one after the other, in the wrong byte order. */
static void ports_and_numbers_cannot_be_foreseen(void **state)
{
	(void)state;
	struct script *s = fresh(NULL);
	struct tcp_open open = { .local = s->flow.local,
				 .remote = s->flow.remote,
				 .rport = 9 };
	struct tcp_conn *conns[8];
	unsigned rising = 0;
	for (unsigned i = 0; i < 8; i++) {
		open.rport = (uint16_t)(i + 1);
		assert_int_equal(tcp_open(&s->tcp, &open, s->now, &conns[i]), 0);
		assert_true(conns[i]->node.flow.lport >= 49152);
		if (i > 0)
			rising += conns[i]->node.flow.lport ==
				  (uint16_t)(conns[i - 1]->node.flow.lport + 1);
	}
	assert_true(rising < 3);
	assert_true(conns[0]->iss != conns[1]->iss);
	/* The same flow again begins beyond where it was (RFC 6528). */
	uint32_t iss = conns[0]->iss;
	open.lport = conns[0]->node.flow.lport;
	open.rport = 1;
	assert_int_equal(tcp_open(&s->tcp, &open, s->now, &s->conn), -EADDRINUSE);
	tcp_kill(conns[0], s->now);
	script_at(s, MS(8));
	assert_int_equal(tcp_open(&s->tcp, &open, s->now, &conns[0]), 0);
	assert_int_equal(conns[0]->iss - iss, 2000);
	for (unsigned i = 0; i < 8; i++)
		tcp_kill(conns[i], s->now);
	script_fini(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_most_specific_listener_wins),
		cmocka_unit_test(a_full_backlog_drops),
		cmocka_unit_test(who_ends_before_being_accepted_is_forgotten),
		cmocka_unit_test(cookies_remember),
		cmocka_unit_test(a_cookie_is_not_ahead_of_the_clock),
		cmocka_unit_test(a_cookie_is_good_for_a_minute),
		cmocka_unit_test(forged_and_old_cookies_are_refused),
		cmocka_unit_test(a_flood_costs_what_was_said),
		cmocka_unit_test(connections_have_a_limit),
		cmocka_unit_test(land_and_groups_are_dropped),
		cmocka_unit_test(ports_and_numbers_cannot_be_foreseen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
