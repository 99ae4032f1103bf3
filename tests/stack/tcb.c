/* SPDX-License-Identifier: MIT */
/*
 * The calls of RFC 9293, 3.10.1 to 3.10.6, state by state: what each does there, and in whose
 * words it refuses. The words are the RFC's; the states, those that STATUS tells.
 */
#include "base/array.h"
#include "tcp_net.h"

#include <weft/tcb.h>

#include <errno.h>
#include <string.h>

#define SERVER "10.1.0.2:7"

struct sides {
	struct net net;
	struct weft_tcbs *client, *server;
	unsigned changes, reports;
	int report;
};

static void on_change(void *user, struct weft_tcbs *tcbs, int name, uint64_t now)
{
	struct sides *x = user;
	(void)tcbs;
	(void)name;
	(void)now;
	x->changes++;
}

static void on_report(void *user, struct weft_tcbs *tcbs, int name, int error,
		      uint64_t now)
{
	struct sides *x = user;
	(void)tcbs;
	(void)name;
	(void)now;
	x->reports++;
	x->report = error;
}

static void sides_init(struct sides *x)
{
	struct weft_tcbs_opts opts = {
		.tcbs_max = 3, .on_change = on_change, .on_report = on_report, .user = x
	};
	*x = (struct sides){ 0 };
	net_init(&x->net);
	assert_int_equal(weft_tcbs_new(x->net.stack[0], &opts, &x->client), 0);
	assert_int_equal(weft_tcbs_new(x->net.stack[1], &opts, &x->server), 0);
}

static void sides_fini(struct sides *x)
{
	weft_tcbs_free(x->client, x->net.now);
	weft_tcbs_free(x->server, x->net.now);
	net_fini(&x->net);
}

static void pass(struct sides *x, uint64_t ns)
{
	net_run(&x->net, x->net.now + ns);
}

/* ---- the calls, of one side -------------------------------------------------------------- */

static int open_passive(struct sides *x, const char *remote)
{
	struct weft_tcb_params params = { .local = addr(SERVER) };
	if (remote)
		params.remote = addr(remote);
	return weft_tcb_open(x->server, &params, x->net.now);
}

static int open_active(struct sides *x, const char *local)
{
	struct weft_tcb_params params = { .remote = addr(SERVER), .active = true };
	if (local)
		params.local = addr(local);
	return weft_tcb_open(x->client, &params, x->net.now);
}

static void assert_words(int r, const char *words, int line)
{
	const char *said = weft_tcb_words(r);
	if (said && strcmp(said, words) == 0)
		return;
	print_error("line %d: \"%s\" (%d) instead of \"%s\"\n", line, said ? said : "", r,
		    words);
	fail();
}

static void assert_state(const struct weft_tcbs *tcbs, int name, const char *state,
			 int line)
{
	struct weft_tcb_status status;
	assert_int_equal(weft_tcb_status(tcbs, name, &status), 0);
	if (strcmp(status.state, state) == 0)
		return;
	print_error("line %d: %s instead of %s\n", line, status.state, state);
	fail();
}

#define WORDS(r, words)           assert_words(r, words, __LINE__)
#define STATE(tcbs, name, state_) assert_state(tcbs, name, state_, __LINE__)
#define SEND(tcbs, name, text)    weft_tcb_send(tcbs, name, text, strlen(text), x.net.now)
#define CLOSE(tcbs, name)         weft_tcb_close(tcbs, name, x.net.now)
#define ABORT(tcbs, name)         weft_tcb_abort(tcbs, name, x.net.now)

static int receive(struct weft_tcbs *tcbs, int name, uint64_t now)
{
	char buf[64];
	return weft_tcb_receive(tcbs, name, buf, sizeof(buf), now);
}
#define RECEIVE(tcbs, name) receive(tcbs, name, x.net.now)

/* A connection between the two: both names. */
static void connect_both(struct sides *x, int *ret_client, int *ret_server)
{
	*ret_server = open_passive(x, NULL);
	*ret_client = open_active(x, NULL);
	assert_true(*ret_server >= 0 && *ret_client >= 0);
	pass(x, MS(50));
	STATE(x->client, *ret_client, "ESTABLISHED");
	STATE(x->server, *ret_server, "ESTABLISHED");
}

/* ---- state by state ---------------------------------------------------------------------- */

static void in_closed_there_is_no_connection(void **state)
{
	(void)state;
	struct sides x;
	struct weft_tcb_status status;
	struct weft_tcb_params nowhere = { .active = true };
	sides_init(&x);
	static const int names[] = { 0, 2, 3, -1 };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		WORDS(SEND(x.client, names[i], "x"), "error: connection does not exist");
		WORDS(RECEIVE(x.client, names[i]), "error: connection does not exist");
		WORDS(CLOSE(x.client, names[i]), "error: connection does not exist");
		WORDS(ABORT(x.client, names[i]), "error: connection does not exist");
		WORDS(weft_tcb_status(x.client, names[i], &status),
		      "error: connection does not exist");
	}
	/* 3.10.1: an active OPEN has to say to whom, from an address that is ours. */
	WORDS(weft_tcb_open(x.client, &nowhere, x.net.now),
	      "error: remote socket unspecified");
	nowhere.remote = addr(SERVER);
	nowhere.remote.in.sin_port = 0;
	WORDS(weft_tcb_open(x.client, &nowhere, x.net.now),
	      "error: remote socket unspecified");
	WORDS(open_active(&x, "10.1.0.77:7777"),
	      "error: connection illegal for this process");
	sides_fini(&x);
}

static void in_listen_a_send_needs_a_remote_socket(void **state)
{
	(void)state;
	struct sides x;
	struct weft_tcb_status status;
	sides_init(&x);
	int s = open_passive(&x, NULL);
	STATE(x.server, s, "LISTEN");
	assert_int_equal(weft_tcb_status(x.server, s, &status), 0);
	union weft_sockaddr local = addr(SERVER);
	assert_true(weft_sockaddr_equal(&status.local, &local));
	assert_int_equal(status.remote.sa.sa_family, AF_UNSPEC);
	WORDS(open_passive(&x, NULL), "error: connection already exists");
	assert_int_equal(RECEIVE(x.server, s), -EAGAIN);
	WORDS(SEND(x.server, s, "x"), "error: remote socket unspecified");
	STATE(x.server, s, "LISTEN");
	WORDS(CLOSE(x.server, s), "ok");
	WORDS(CLOSE(x.server, s), "error: connection does not exist");
	s = open_passive(&x, NULL);
	WORDS(ABORT(x.server, s), "ok");
	/* Nobody listens any more. */
	int c = open_active(&x, NULL);
	pass(&x, MS(50));
	WORDS(RECEIVE(x.client, c), "error: connection refused");
	sides_fini(&x);
}

/* 3.10.2: "change the connection from passive to active". The data goes as soon as it may. */
static void in_listen_a_send_to_a_known_socket_opens(void **state)
{
	(void)state;
	struct sides x;
	struct weft_tcb_params params = { .local = addr("10.1.0.1:7777") };
	sides_init(&x);
	int s = open_passive(&x, "10.1.0.1:7777");
	params.remote = addr(SERVER);
	int c = weft_tcb_open(x.client, &params, x.net.now);
	STATE(x.client, c, "LISTEN");
	assert_int_equal(SEND(x.client, c, "hello"), 5);
	STATE(x.client, c, "SYN-SENT");
	pass(&x, MS(50));
	STATE(x.client, c, "ESTABLISHED");
	assert_int_equal(RECEIVE(x.server, s), 5);
	sides_fini(&x);
}

static void in_syn_sent_calls_wait(void **state)
{
	(void)state;
	struct sides x;
	sides_init(&x);
	int c = open_active(&x, NULL);
	STATE(x.client, c, "SYN-SENT");
	assert_int_equal(RECEIVE(x.client, c), -EAGAIN);
	assert_int_equal(SEND(x.client, c, "hello"), 5);
	WORDS(CLOSE(x.client, c), "ok");
	WORDS(RECEIVE(x.client, c), "error: connection does not exist");
	/* Data and CLOSE, both from before the handshake: both arrive. */
	int s = open_passive(&x, NULL);
	c = open_active(&x, NULL);
	assert_int_equal(SEND(x.client, c, "hello"), 5);
	pass(&x, MS(50));
	assert_int_equal(RECEIVE(x.server, s), 5);
	WORDS(open_active(&x, NULL) >= 0 ? 0 : -1, "ok");
	sides_fini(&x);
}

/* Runs the one task of the two stacks and their links that is named: links first. */
static void run_task(struct sides *x, size_t i)
{
	struct weft_task *task = i < 2 ? weft_link_task(x->net.link[i])
				       : weft_stack_task(x->net.stack[i - 2]);
	task->run(task, x->net.now);
}

static void in_syn_received_a_stranger_cannot_keep_the_port(void **state)
{
	(void)state;
	struct sides x;
	int c, s;
	sides_init(&x);
	connect_both(&x, &c, &s); /* The neighbours know each other now. */
	WORDS(ABORT(x.client, c), "ok");
	WORDS(ABORT(x.server, s), "ok");
	pass(&x, MS(50));
	s = open_passive(&x, NULL);
	int first = open_active(&x, "10.1.0.1:5001");
	run_task(&x, 2);
	run_task(&x, 1);
	STATE(x.server, s, "SYN-RECEIVED");
	assert_int_equal(RECEIVE(x.server, s), -EAGAIN);
	WORDS(ABORT(x.client, first), "ok"); /* Without a word, in SYN-SENT. */
	int second = open_active(&x, "10.1.0.1:5002");
	pass(&x, MS(50));
	STATE(x.client, second, "ESTABLISHED");
	STATE(x.server, s, "ESTABLISHED");
	sides_fini(&x);
}

static void in_established_one_passive_open_is_one_connection(void **state)
{
	(void)state;
	struct sides x;
	int c, s;
	struct weft_tcb_status status;
	sides_init(&x);
	connect_both(&x, &c, &s);
	int other = open_active(&x, NULL);
	pass(&x, MS(50));
	WORDS(RECEIVE(x.client, other), "error: connection refused");
	assert_int_equal(SEND(x.client, c, "hello"), 5);
	assert_int_equal(weft_tcb_status(x.client, c, &status), 0);
	assert_int_equal(status.awaiting_ack, 5);
	pass(&x, MS(100));
	assert_int_equal(weft_tcb_status(x.client, c, &status), 0);
	assert_int_equal(status.awaiting_ack, 0);
	assert_true(status.send_window > 1000);
	assert_int_equal(weft_tcb_status(x.server, s, &status), 0);
	assert_int_equal(status.pending_receipt, 5);
	assert_true(status.receive_window > 1000);
	assert_int_equal(status.remote.sa.sa_family, AF_INET);
	unsigned changes = x.changes;
	assert_int_equal(RECEIVE(x.server, s), 5);
	assert_int_equal(RECEIVE(x.server, s), -EAGAIN);
	assert_int_equal(SEND(x.client, c, "again"), 5);
	pass(&x, MS(100));
	assert_true(x.changes > changes);
	/* A port that is free again can be opened beside the connection (MUST-42). */
	assert_true(open_passive(&x, NULL) >= 0);
	WORDS(ABORT(x.client, c), "ok");
	pass(&x, MS(50));
	assert_int_equal(RECEIVE(x.server, s), 5);
	WORDS(RECEIVE(x.server, s), "error: connection reset");
	WORDS(SEND(x.server, s, "x"), "error: connection reset");
	STATE(x.server, s, "CLOSED");
	WORDS(CLOSE(x.server, s), "error: connection does not exist");
	WORDS(RECEIVE(x.server, s), "error: connection does not exist");
	sides_fini(&x);
}

/* The URGENT flag of SEND, and what STATUS says of it. */
static void urgent_data_has_a_status(void **state)
{
	(void)state;
	struct sides x;
	int c, s;
	struct weft_tcb_status status;
	sides_init(&x);
	connect_both(&x, &c, &s);
	unsigned changes = x.changes;
	assert_int_equal(weft_tcb_send_urgent(x.client, c, "hurry", 5, x.net.now), 5);
	assert_int_equal(SEND(x.client, c, "slowly"), 6);
	pass(&x, MS(100));
	assert_true(x.changes > changes);
	assert_int_equal(weft_tcb_status(x.server, s, &status), 0);
	assert_int_equal(status.urgent, 5);
	assert_int_equal(status.pending_receipt, 11);
	assert_int_equal(RECEIVE(x.server, s), 11);
	assert_int_equal(weft_tcb_status(x.server, s, &status), 0);
	assert_int_equal(status.urgent, 0);
	WORDS(CLOSE(x.client, c), "ok");
	WORDS(weft_tcb_send_urgent(x.client, c, "x", 1, x.net.now),
	      "error: connection closing");
	sides_fini(&x);
}

/* One closes, answers still come, then the other closes: both sides of 3.6, figure 12. */
static void closing_goes_through_its_states(void **state)
{
	(void)state;
	struct sides x;
	int c, s;
	sides_init(&x);
	connect_both(&x, &c, &s);
	assert_int_equal(SEND(x.client, c, "question"), 8);
	WORDS(CLOSE(x.client, c), "ok");
	STATE(x.client, c, "FIN-WAIT-1");
	WORDS(CLOSE(x.client, c), "error: connection closing");
	WORDS(SEND(x.client, c, "x"), "error: connection closing");
	pass(&x, MS(100));
	STATE(x.client, c, "FIN-WAIT-2");
	assert_int_equal(RECEIVE(x.client, c), -EAGAIN);

	STATE(x.server, s, "CLOSE-WAIT");
	assert_int_equal(RECEIVE(x.server, s), 8);
	WORDS(RECEIVE(x.server, s), "error: connection closing");
	assert_int_equal(SEND(x.server, s, "answer"), 6);
	WORDS(CLOSE(x.server, s), "ok");
	STATE(x.server, s, "LAST-ACK");
	WORDS(CLOSE(x.server, s), "error: connection closing");
	WORDS(SEND(x.server, s, "x"), "error: connection closing");
	pass(&x, MS(100));
	STATE(x.server, s, "CLOSED");

	STATE(x.client, c, "TIME-WAIT");
	WORDS(CLOSE(x.client, c), "error: connection closing");
	WORDS(SEND(x.client, c, "x"), "error: connection closing");
	pass(&x, S(61));
	STATE(x.client, c, "CLOSED");
	assert_int_equal(RECEIVE(x.client, c), 6);
	WORDS(RECEIVE(x.client, c), "error: connection closing");
	WORDS(RECEIVE(x.client, c), "error: connection does not exist");
	sides_fini(&x);
}

/* ---- more than states -------------------------------------------------------------------- */

static void a_remote_socket_is_the_only_one_that_is_taken(void **state)
{
	(void)state;
	struct sides x;
	sides_init(&x);
	int s = open_passive(&x, "10.1.0.1:5002");
	assert_true(s >= 0);
	int stranger = open_active(&x, "10.1.0.1:5001");
	pass(&x, MS(50));
	WORDS(RECEIVE(x.client, stranger), "error: connection refused");
	STATE(x.server, s, "LISTEN");
	int friend = open_active(&x, "10.1.0.1:5002");
	pass(&x, MS(50));
	STATE(x.client, friend, "ESTABLISHED");
	STATE(x.server, s, "ESTABLISHED");
	WORDS(open_active(&x, "10.1.0.1:5002"), "error: connection already exists");
	sides_fini(&x);
}

static void the_user_s_timeout_ends_it_after_a_report(void **state)
{
	(void)state;
	struct sides x;
	struct weft_tcb_params params = {
		.local = addr("10.1.0.1:5001"),
		.remote = addr(SERVER),
		.active = true,
		.timeout_ms = 20000,
	};
	sides_init(&x);
	int s = open_passive(&x, NULL);
	int c = weft_tcb_open(x.client, &params, x.net.now);
	pass(&x, MS(50));
	STATE(x.server, s, "ESTABLISHED");
	assert_int_equal(SEND(x.client, c, "hello"), 5);
	/* The cable is cut: only this side goes on, and hears nothing. */
	struct weft_task *task = weft_stack_task(x.net.stack[0]);
	uint64_t cut = x.net.now;
	while (x.net.now < cut + S(60)) {
		x.net.now = task->deadline(task) > cut + S(60) ? cut + S(60)
							       : task->deadline(task);
		task->run(task, x.net.now);
		if (x.reports > 0)
			assert_int_equal(x.report, -ETIMEDOUT);
	}
	assert_int_equal(x.reports, 1);
	WORDS(RECEIVE(x.client, c), "error: connection aborted due to user timeout");
	sides_fini(&x);
}

/* Of those that were closed and have ended, the first goes; of the others, none. */
static void names_give_way_when_nobody_waits(void **state)
{
	(void)state;
	struct sides x;
	int c, s;
	sides_init(&x);
	for (unsigned i = 0; i < 5; i++) {
		connect_both(&x, &c, &s);
		WORDS(CLOSE(x.client, c), "ok");
		pass(&x, MS(50));
		WORDS(CLOSE(x.server, s), "ok");
		pass(&x, MS(50));
	}
	for (unsigned i = 0; i < 3; i++)
		assert_true(open_active(&x, NULL) >= 0);
	WORDS(open_active(&x, NULL), "error: insufficient resources");
	sides_fini(&x);
}

static void words_there_are_not_for_all(void **state)
{
	(void)state;
	assert_null(weft_tcb_words(-EHOSTUNREACH));
	assert_string_equal(weft_tcb_words(17), "ok");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_closed_there_is_no_connection),
		cmocka_unit_test(in_listen_a_send_needs_a_remote_socket),
		cmocka_unit_test(in_listen_a_send_to_a_known_socket_opens),
		cmocka_unit_test(in_syn_sent_calls_wait),
		cmocka_unit_test(in_syn_received_a_stranger_cannot_keep_the_port),
		cmocka_unit_test(in_established_one_passive_open_is_one_connection),
		cmocka_unit_test(urgent_data_has_a_status),
		cmocka_unit_test(closing_goes_through_its_states),
		cmocka_unit_test(a_remote_socket_is_the_only_one_that_is_taken),
		cmocka_unit_test(the_user_s_timeout_ends_it_after_a_report),
		cmocka_unit_test(names_give_way_when_nobody_waits),
		cmocka_unit_test(words_there_are_not_for_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
