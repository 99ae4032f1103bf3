/* SPDX-License-Identifier: MIT */
/*
 * Numbers that nobody outside can guess: initial sequence numbers (RFC 6528), timestamp offsets
 * (RFC 7323, 5.4) and ports (RFC 6056); and a stream whose numbers begin just before the last
 * one that there is.
 */
#include "stack/tcp_isn.h"

#include "base/array.h"
#include "tcp_script.h"

#include <errno.h>
#include <string.h>

#define PORTS    (TCP_PORT_LAST - TCP_PORT_FIRST + 1)
#define TICK_NS  4000u
#define CYCLE_NS (((uint64_t)1 << 32) * TICK_NS) /* Of the clock: 4.8 hours. */
#define BEFORE   3000u /* The stream begins so many numbers before the last. */

/* The flow with one of its four parts changed; 0: none. */
static struct tcp_flow changed(const struct tcp_flow *flow, unsigned part)
{
	struct tcp_flow other = *flow;
	if (part == 1)
		other.local.octet[15] ^= 1;
	else if (part == 2)
		other.remote.octet[15] ^= 1;
	else if (part == 3)
		other.lport ^= 1;
	else if (part == 4)
		other.rport ^= 1;
	return other;
}

/* Both numbers of a flow, under a secret whose first byte is that. */
struct numbers {
	uint32_t isn, ts_offset;
};

static struct numbers numbers_of(struct script *script, const struct tcp_flow *flow,
				 uint8_t secret)
{
	script->tcp.secret[0] = secret;
	return (struct numbers){ tcp_isn(&script->tcp, flow, script->now),
				 tcp_ts_offset(&script->tcp, flow) };
}

/* ISN = M + F(four-tuple, secret): RFC 6528, 3. */
static void a_number_is_of_the_flow_the_clock_and_the_secret(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	for (uint8_t secret = 0; secret < 8; secret++) {
		struct numbers n = numbers_of(&s, &s.flow, secret);
		assert_int_equal(numbers_of(&s, &s.flow, secret).isn, n.isn);
		for (unsigned part = 1; part <= 4; part++) {
			struct tcp_flow other = changed(&s.flow, part);
			assert_int_not_equal(numbers_of(&s, &other, secret).isn, n.isn);
		}
		assert_int_not_equal(numbers_of(&s, &s.flow, secret + 100).isn, n.isn);
		static const uint64_t later[] = { TICK_NS, S(1), S(60), CYCLE_NS };
		for (size_t i = 0; i < ARRAY_LEN(later); i++)
			assert_int_equal(tcp_isn(&s.tcp, &s.flow, s.now + later[i]) -
						 tcp_isn(&s.tcp, &s.flow, s.now),
					 (uint32_t)(later[i] / TICK_NS));
	}
	script_fini(&s);
}

/* What is between two flows' numbers is as much of a secret as the numbers are. */
static void one_flow_s_number_tells_nothing_of_another_s(void **state)
{
	(void)state;
	struct script s;
	uint32_t seen[64];
	script_init(&s, NULL);
	for (size_t i = 0; i < ARRAY_LEN(seen); i++) {
		uint8_t secret = (uint8_t)i;
		struct tcp_flow other = changed(&s.flow, 4);
		seen[i] = numbers_of(&s, &s.flow, secret).isn -
			  numbers_of(&s, &other, secret).isn;
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(seen[j], seen[i]);
	}
	script_fini(&s);
}

/* The same for all ports of two hosts, so that TIME-WAIT can be judged by them (RFC 6191). */
static void a_timestamp_s_offset_is_of_the_hosts(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	uint32_t offset = numbers_of(&s, &s.flow, 1).ts_offset;
	for (unsigned part = 1; part <= 4; part++) {
		struct tcp_flow other = changed(&s.flow, part);
		bool is_same = numbers_of(&s, &other, 1).ts_offset == offset;
		assert_int_equal(is_same, part > 2);
	}
	assert_int_not_equal(numbers_of(&s, &s.flow, 2).ts_offset, offset);
	script_fini(&s);
}

/* ---- ports ------------------------------------------------------------------------------- */

static uint16_t port_to(struct script *script, uint16_t rport)
{
	struct tcp_flow flow = script->flow;
	flow.rport = rport;
	assert_int_equal(tcp_choose_port(&script->tcp, &flow), 0);
	assert_true(flow.lport >= TCP_PORT_FIRST);
	return flow.lport;
}

/*
 * RFC 6056, 3.3.3: to one destination one after the other, so that a port comes again as late as
 * possible; to another destination from somewhere else, which only the secret knows.
 */
static void ports_rise_to_one_peer_and_jump_between_peers(void **state)
{
	(void)state;
	struct script s;
	unsigned next = 0, same = 0;
	script_init(&s, NULL);
	for (uint16_t i = 1; i <= 200; i++) {
		s.tcp.secret[0] = 1;
		uint16_t first = port_to(&s, i), second = port_to(&s, i);
		assert_int_equal((second - first + PORTS) % PORTS, 1);
		uint16_t other = port_to(&s, i + 1);
		next += (uint16_t)(other - second) == 1;
		s.tcp.secret[0] = 2;
		same += port_to(&s, i + 1) == (uint16_t)(other + 1);
	}
	assert_true(next < 5);
	assert_true(same < 5);
	script_fini(&s);
}

static int connect_again(struct script *script)
{
	struct tcp_open open = { .local = script->flow.local,
				 .remote = script->flow.remote,
				 .rport = 9 };
	script->sent_n = script->taken = 0; /* Of 16,384 SYNs none is kept. */
	return tcp_open(&script->tcp, &open, script->now, &script->conn);
}

/* All of them, then none; and the one that becomes free is found. */
static void every_port_is_used_before_none_is_left(void **state)
{
	(void)state;
	static bool is_taken[PORTS];
	struct script s;
	struct tcp_conn *middle = NULL;
	script_init(&s, NULL);
	memset(is_taken, 0, sizeof(is_taken));
	for (uint32_t i = 0; i < PORTS; i++) {
		assert_int_equal(connect_again(&s), 0);
		uint16_t port = s.conn->node.flow.lport;
		assert_true(port >= TCP_PORT_FIRST && !is_taken[port - TCP_PORT_FIRST]);
		is_taken[port - TCP_PORT_FIRST] = true;
		if (i == PORTS / 2)
			middle = s.conn;
	}
	assert_int_equal(connect_again(&s), -EADDRINUSE);
	uint16_t freed = middle->node.flow.lport;
	tcp_kill(middle, s.now);
	assert_int_equal(connect_again(&s), 0);
	assert_int_equal(s.conn->node.flow.lport, freed);
	script_fini(&s);
}

/* Where somebody listens, nobody connects from (RFC 6056, 3.2). */
static void a_port_that_is_listened_at_is_not_given(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	uint16_t first = port_to(&s, 9);
	struct tcp_listen_opts opts = { .local = addr_of_ip4(0) };
	opts.port = first == TCP_PORT_LAST ? TCP_PORT_FIRST : (uint16_t)(first + 1);
	assert_int_equal(tcp_listen(&s.tcp, &opts, &s.listener), 0);
	assert_int_equal((port_to(&s, 9) - first + PORTS) % PORTS, 2);
	script_fini(&s);
}

/* ---- the last number --------------------------------------------------------------------- */

/* Time goes to where the flow's first number is BEFORE less than the last. */
static void begin_before_the_last(struct script *script)
{
	script_init(script, NULL);
	uint32_t isn = tcp_isn(&script->tcp, &script->flow, script->now);
	script->now += (uint64_t)(0u - BEFORE - isn) * TICK_NS;
	script->begin = script->now;
	script_establish(script);
	assert_int_equal(script->iss, 0u - BEFORE);
}

/* RFC 9293, 3.4: loss, SACK and FIN where the numbers begin anew; .seq counts on in TX. */
static void a_stream_goes_on_beyond_the_last_number(void **state)
{
	(void)state;
	struct script s;
	begin_before_the_last(&s);
	script_write(&s, 5840);
	TX(ACK, .seq = 1, .ack = 101, .len = 5840, .gso = 1460);
	assert_true(s.conn->snd_nxt < s.conn->snd_una);
	AT(MS(50));
	/* The first arrives, the second does not; the third has the last number in it. */
	RX(ACK, .seq = 101, .ack = 1461);
	RX(ACK, .seq = 101, .ack = 1461, .sacks_n = 1, .sacks = { { 2921, 4381 } });
	RX(ACK, .seq = 101, .ack = 1461, .sacks_n = 1, .sacks = { { 2921, 5841 } });
	AT(MS(100));
	TX(ACK, .seq = 1461, .ack = 101, .len = 1460);
	QUIET();
	RX(ACK, .seq = 101, .ack = 5841);
	assert_int_equal(s.conn->snd_una, 5841 - BEFORE);
	assert_int_equal(s.conn->to_send.len, 0);
	assert_int_equal(s.tcp.counts[TCP_COUNT_TIMEOUTS], 0);
	(void)tcp_shutdown(s.conn, SHUT_WR, s.now);
	TX(FIN | ACK, .seq = 5841, .ack = 101);
	RX(FIN | ACK, .seq = 101, .ack = 5842);
	assert_int_equal(s.tcp.time_waits_n, 1);
	script_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_is_of_the_flow_the_clock_and_the_secret),
		cmocka_unit_test(one_flow_s_number_tells_nothing_of_another_s),
		cmocka_unit_test(a_timestamp_s_offset_is_of_the_hosts),
		cmocka_unit_test(ports_rise_to_one_peer_and_jump_between_peers),
		cmocka_unit_test(every_port_is_used_before_none_is_left),
		cmocka_unit_test(a_port_that_is_listened_at_is_not_given),
		cmocka_unit_test(a_stream_goes_on_beyond_the_last_number),
	};
	return cmocka_run_group_tests_name("tcp_isn", tests, NULL, NULL);
}
