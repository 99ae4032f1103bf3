/* SPDX-License-Identifier: MIT */
/*
 * ICMP errors about segments of ours (RFC 9293, 3.9.2.2; RFC 5461; RFC 5927): which are believed,
 * what becomes of them, and who is told.
 */
#include "stack/tcp_error.h"

#include "tcp_script.h"

#include <errno.h>

static void errors_count_for_what_is_under_way(void **state)
{
	(void)state;
	struct script s;
	struct ip_error error = { .kind = IP_ERROR_PORT, .error = -ECONNREFUSED };
	script_init(&s, NULL);
	script_connect(&s);
	TX(SYN, .seq = 0);
	assert_false(tcp_on_error(&s.tcp, &s.flow, s.iss + 1, &error));
	assert_false(tcp_on_error(&s.tcp, &s.flow, s.iss - 1, &error));
	STATE(TCP_SYN_SENT);
	assert_true(tcp_on_error(&s.tcp, &s.flow, s.iss, &error));
	tcp_flush(&s.tcp, s.now);
	assert_int_equal(s.error, -ECONNREFUSED);
	script_fini(&s);

	/* One that is established survives all of them, and remembers. */
	script_init(&s, NULL);
	script_establish(&s);
	script_write(&s, 10);
	error.error = -EHOSTUNREACH;
	assert_true(tcp_on_error(&s.tcp, &s.flow, s.iss + 1, &error));
	tcp_flush(&s.tcp, s.now);
	STATE(TCP_ESTABLISHED);
	AT(S(500));
	assert_int_equal(s.error, -EHOSTUNREACH);
	script_fini(&s);
}

/* RFC 1122, 4.2.3.9: told and kept, until something gets through after all. */
static void soft_errors_are_reported(void **state)
{
	(void)state;
	struct script s;
	struct ip_error error = { .kind = IP_ERROR_UNREACHABLE, .error = -EHOSTUNREACH };
	script_init(&s, NULL);
	script_establish(&s);
	script_write(&s, 10);
	TX(ACK, .seq = 1, .ack = 101, .len = 10);
	assert_true(tcp_on_error(&s.tcp, &s.flow, s.iss + 1, &error));
	assert_int_equal(s.reports, 0); /* With the batch, as all that is told. */
	tcp_flush(&s.tcp, s.now);
	assert_int_equal(s.reports, 1);
	assert_int_equal(s.report, -EHOSTUNREACH);
	assert_int_equal(s.conn->soft_error, -EHOSTUNREACH);
	STATE(TCP_ESTABLISHED);
	RX(ACK, .seq = 101, .ack = 11);
	assert_int_equal(s.conn->soft_error, 0);
	script_write(&s, 10);
	AT(S(500));
	assert_int_equal(s.error, -ETIMEDOUT);
	script_fini(&s);
}

/* Nor do they end one that is being opened; they say why it failed. */
static void soft_errors_do_not_end_a_handshake(void **state)
{
	(void)state;
	struct script s;
	struct ip_error error = { .kind = IP_ERROR_TIME_EXCEEDED,
				  .error = -EHOSTUNREACH };
	script_init(&s, NULL);
	script_connect(&s);
	TX(SYN, .seq = 0);
	assert_true(tcp_on_error(&s.tcp, &s.flow, s.iss, &error));
	tcp_flush(&s.tcp, s.now);
	STATE(TCP_SYN_SENT);
	assert_int_equal(s.report, -EHOSTUNREACH);
	AT(S(400));
	assert_int_equal(s.closed, 1);
	assert_int_equal(s.error, -EHOSTUNREACH);
	script_fini(&s);
}

static void a_smaller_path_mtu_sends_again(void **state)
{
	(void)state;
	struct script s;
	struct ip_error error = { .kind = IP_ERROR_TOO_BIG,
				  .error = -EMSGSIZE,
				  .mtu = 1000 };
	script_init(&s, NULL);
	script_establish(&s);
	script_write(&s, 2920);
	TX(ACK, .seq = 1, .ack = 101, .len = 2920, .gso = 1460);
	uint32_t cwnd = s.conn->cc.cwnd;
	assert_true(tcp_on_error(&s.tcp, &s.flow, s.iss + 1, &error));
	s.mtu = 1000;
	s.path_generation = 2;
	tcp_flush(&s.tcp, s.now);
	TX(ACK, .seq = 1, .ack = 101, .len = 2920, .gso = 960);
	assert_int_equal(s.conn->cc.cwnd, cwnd);
	assert_int_equal(s.reports, 0); /* That is nobody's business but TCP's. */
	script_fini(&s);
}

/* Ten minutes later the path is tried as it was (RFC 1191, 6.3): what is sent then is longer. */
static void a_path_mtu_that_has_grown_is_used(void **state)
{
	(void)state;
	struct script s;
	script_init(&s, NULL);
	s.mtu = 1000;
	script_establish(&s);
	script_write(&s, 1920);
	TX(ACK, .seq = 1, .ack = 101, .len = 1920, .gso = 960);
	RX(ACK, .seq = 101, .ack = 1921);
	s.mtu = 1500;
	s.path_generation = 2;
	script_write(&s, 2920);
	TX(ACK, .seq = 1921, .ack = 101, .len = 2920, .gso = 1460);
	/* And a link that takes less from now on gets less, without a word from ICMP. */
	RX(ACK, .seq = 101, .ack = 4841);
	s.mtu = 1280;
	s.path_generation = 3;
	script_write(&s, 2480);
	TX(ACK, .seq = 4841, .ack = 101, .len = 2480, .gso = 1240);
	script_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_count_for_what_is_under_way),
		cmocka_unit_test(soft_errors_are_reported),
		cmocka_unit_test(soft_errors_do_not_end_a_handshake),
		cmocka_unit_test(a_smaller_path_mtu_sends_again),
		cmocka_unit_test(a_path_mtu_that_has_grown_is_used),
	};
	return cmocka_run_group_tests_name("tcp_error", tests, NULL, NULL);
}
