/* SPDX-License-Identifier: MIT */
/*
 * TCP through everything: <weft/tcp.h>, IP, neighbours and two links in memory.
 */
#include "tcp_net.h"

#include <weft/tcp.h>

#include <errno.h>
#include <string.h>

/* ---- a client that asks, a server that answers with what it was sent --------------------- */

struct party {
	struct net *net;
	struct weft_tcp *tcp;
	struct weft_tcp_listener *listener;
	char got[64];
	size_t got_len;
	bool is_connected, is_closed;
	int error;
};

static void client_connected(void *user, struct weft_tcp *tcp, uint64_t now)
{
	struct party *p = user;
	p->is_connected = true;
	assert_int_equal(weft_tcp_send(tcp, "question", 8, now), 8);
	(void)weft_tcp_shutdown(tcp, SHUT_WR, now);
}

static void client_readable(void *user, struct weft_tcp *tcp, uint64_t now)
{
	struct party *p = user;
	int n;
	while ((n = weft_tcp_receive(tcp, p->got + p->got_len,
				     sizeof(p->got) - p->got_len, now)) > 0)
		p->got_len += (size_t)n;
}

static void client_closed(void *user, struct weft_tcp *tcp, int error, uint64_t now)
{
	struct party *p = user;
	p->is_closed = true;
	p->error = error;
	weft_tcp_close(tcp, now);
}

static void server_readable(void *user, struct weft_tcp *tcp, uint64_t now)
{
	char buf[64];
	int n;
	(void)user;
	while ((n = weft_tcp_receive(tcp, buf, sizeof(buf), now)) > 0)
		assert_int_equal(weft_tcp_send(tcp, buf, (size_t)n, now), n);
	if (n == 0)
		weft_tcp_close(tcp, now);
}

static const struct weft_tcp_events client_events = {
	.on_connected = client_connected,
	.on_readable = client_readable,
	.on_closed = client_closed,
};
static const struct weft_tcp_events server_events = { .on_readable = server_readable };

static void server_acceptable(void *user, struct weft_tcp_listener *listener,
			      uint64_t now)
{
	struct party *p = user;
	struct weft_tcp_opts opts = { .events = &server_events, .user = p };
	assert_int_equal(weft_tcp_accept(listener, &opts, now, &p->tcp), 0);
}

static void ask(const char *listen, const char *connect)
{
	struct net n;
	struct party client = { .net = &n }, server = { .net = &n };
	struct weft_tcp_listen_opts listen_opts = { .on_acceptable = server_acceptable,
						    .user = &server };
	struct weft_tcp_opts opts = { .events = &client_events, .user = &client };
	union weft_sockaddr local = addr(listen), peer = addr(connect);
	net_init(&n);
	assert_int_equal(
		weft_tcp_listen(n.stack[1], &local, &listen_opts, &server.listener), 0);
	assert_int_equal(weft_tcp_connect(n.stack[0], &peer, &opts, n.now, &client.tcp),
			 0);
	union weft_sockaddr named = weft_tcp_peer(client.tcp);
	assert_true(weft_sockaddr_equal(&named, &peer));
	net_run(&n, n.now + S(2));
	assert_true(client.is_connected && client.is_closed);
	assert_int_equal(client.error, 0);
	assert_int_equal(client.got_len, 8);
	assert_memory_equal(client.got, "question", 8);
	weft_tcp_listener_close(server.listener, n.now);
	net_fini(&n);
}

static void a_question_is_answered_over_ip4(void **state)
{
	(void)state;
	ask("10.1.0.2:80", "10.1.0.2:80");
}

static void a_question_is_answered_over_ip6(void **state)
{
	(void)state;
	ask("[2001:db8::2]:80", "[2001:db8::2]:80");
}

static void who_listens_everywhere_is_found_over_both(void **state)
{
	(void)state;
	ask("80", "10.1.0.2:80");
	ask("80", "[2001:db8::2]:80");
}

static void nobody_there_is_a_refusal(void **state)
{
	(void)state;
	struct net n;
	struct party client = { .net = &n };
	struct weft_tcp_opts opts = { .events = &client_events, .user = &client };
	union weft_sockaddr peer = addr("10.1.0.2:81");
	net_init(&n);
	assert_int_equal(weft_tcp_connect(n.stack[0], &peer, &opts, n.now, &client.tcp),
			 0);
	net_run(&n, n.now + S(2));
	assert_false(client.is_connected);
	assert_true(client.is_closed);
	assert_int_equal(client.error, -ECONNREFUSED);
	net_fini(&n);
}

static void limits_are_obeyed(void **state)
{
	(void)state;
	struct net n;
	struct party client = { .net = &n };
	struct weft_tcp_opts opts = { .events = &client_events, .user = &client };
	struct weft_tcp_limits limits = { .connections_max = 1, .memory_max = 10000 };
	union weft_sockaddr peer = addr("10.1.0.2:81");
	static char bulk[20000];
	struct weft_tcp *second;
	net_init(&n);
	weft_tcp_set_limits(n.stack[0], &limits);
	assert_int_equal(weft_tcp_connect(n.stack[0], &peer, &opts, n.now, &client.tcp),
			 0);
	assert_int_equal(weft_tcp_connect(n.stack[0], &peer, &opts, n.now, &second),
			 -ENOBUFS);
	assert_int_equal(weft_tcp_send(client.tcp, bulk, sizeof(bulk), n.now), -ENOBUFS);
	assert_int_equal(weft_tcp_send(client.tcp, bulk, 5000, n.now), 5000);
	weft_tcp_abort(client.tcp, n.now);
	const struct weft_tcp_listen_opts often = { .synack_retries = 9 };
	struct weft_tcp_listener *listener;
	assert_int_equal(weft_tcp_listen(n.stack[0], &peer, &often, &listener), -EINVAL);
	net_fini(&n);
}

/* ---- many at once ------------------------------------------------------------------------ */

#define CROWD 5u

static void one_at_a_time(void *user, struct weft_tcp_listener *listener, uint64_t now)
{
	struct weft_tcp *tcp;
	unsigned *n = user;
	assert_int_equal(weft_tcp_accept(listener, NULL, now, &tcp), 0);
	weft_tcp_close(tcp, now);
	(*n)++;
}

static void all_at_once(void *user, struct weft_tcp_listener *listener, uint64_t now)
{
	struct weft_tcp *tcp;
	unsigned *n = user;
	while (weft_tcp_accept(listener, NULL, now, &tcp) == 0) {
		weft_tcp_close(tcp, now);
		(*n)++;
	}
}

/* Handshakes that end in the same batch are told of one by one; and none is told of twice. */
static void a_crowd_is_accepted(void **state)
{
	static void (*const ways[])(void *, struct weft_tcp_listener *,
				    uint64_t) = { one_at_a_time, all_at_once };
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		unsigned accepted = 0;
		struct weft_tcp_listen_opts opts = { .on_acceptable = ways[i],
						     .user = &accepted };
		union weft_sockaddr peer = addr("10.1.0.2:80");
		struct weft_tcp_listener *listener;
		struct weft_tcp *tcp[CROWD];
		struct net n;
		net_init(&n);
		assert_int_equal(weft_tcp_listen(n.stack[1], &peer, &opts, &listener), 0);
		for (size_t round = 1; round <= 2; round++) {
			for (size_t j = 0; j < CROWD; j++)
				assert_int_equal(weft_tcp_connect(n.stack[0], &peer, NULL,
								  n.now, &tcp[j]),
						 0);
			net_run(&n, n.now + S(1));
			assert_int_equal(accepted, round * CROWD);
			for (size_t j = 0; j < CROWD; j++)
				weft_tcp_close(tcp[j], n.now);
		}
		net_fini(&n);
	}
}

/* Each end chooses for itself; what nobody knows is refused, and nothing is begun. */
static void congestion_control_is_chosen_by_name(void **state)
{
	const struct weft_tcp_opts unknown = { .congestion = "vegas" };
	const struct weft_tcp_opts newreno = { .congestion = "newreno" };
	union weft_sockaddr local = addr("10.1.0.2:80");
	struct weft_tcp_listener *listener;
	struct weft_tcp *client, *server;
	struct weft_tcp_info info;
	struct net n;
	(void)state;
	net_init(&n);
	assert_int_equal(weft_tcp_listen(n.stack[1], &local, NULL, &listener), 0);
	union weft_sockaddr at = weft_tcp_listener_local(listener);
	assert_true(weft_sockaddr_equal(&at, &local));
	assert_int_equal(weft_tcp_connect(n.stack[0], &at, &unknown, n.now, &client),
			 -EINVAL);
	assert_int_equal(weft_tcp_connect(n.stack[0], &at, &newreno, n.now, &client), 0);
	net_run(&n, n.now + S(1));
	assert_int_equal(weft_tcp_accept(listener, &unknown, n.now, &server), -EINVAL);
	assert_int_equal(weft_tcp_accept(listener, NULL, n.now, &server), 0);
	weft_tcp_info(client, &info);
	assert_string_equal(info.congestion, "newreno");
	weft_tcp_info(server, &info);
	assert_string_equal(info.congestion, "cubic");
	net_fini(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_is_answered_over_ip4),
		cmocka_unit_test(a_question_is_answered_over_ip6),
		cmocka_unit_test(who_listens_everywhere_is_found_over_both),
		cmocka_unit_test(nobody_there_is_a_refusal),
		cmocka_unit_test(limits_are_obeyed),
		cmocka_unit_test(a_crowd_is_accepted),
		cmocka_unit_test(congestion_control_is_chosen_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
