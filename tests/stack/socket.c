/* SPDX-License-Identifier: MIT */
/*
 * The calls of BSD, and what they say when they are made at the wrong time.
 */
#include "base/array.h"
#include "tcp_net.h"

#include <weft/socket.h>

#include <errno.h>
#include <sys/socket.h>

struct sides {
	struct net net;
	struct weft_sockets *client, *server;
	unsigned woken;
};

static void on_ready(void *user, struct weft_sockets *set, uint64_t now)
{
	struct sides *x = user;
	(void)set;
	(void)now;
	x->woken++;
}

static void sides_init(struct sides *x)
{
	struct weft_sockets_opts opts = { .sockets_max = 4,
					  .on_ready = on_ready,
					  .user = x };
	net_init(&x->net);
	x->woken = 0;
	assert_int_equal(weft_sockets_new(x->net.stack[0], &opts, &x->client), 0);
	assert_int_equal(weft_sockets_new(x->net.stack[1], &opts, &x->server), 0);
}

static void sides_fini(struct sides *x)
{
	weft_sockets_free(x->client, x->net.now);
	weft_sockets_free(x->server, x->net.now);
	net_fini(&x->net);
}

static void pass(struct sides *x)
{
	net_run(&x->net, x->net.now + MS(300));
}

static int listening(struct sides *x, const char *where)
{
	union weft_sockaddr local = addr(where);
	int s = weft_socket_open(x->server, local.sa.sa_family, SOCK_STREAM);
	assert_int_equal(weft_socket_listen(x->server, s, 0), -EINVAL);
	assert_int_equal(weft_socket_bind(x->server, s, &local), 0);
	assert_int_equal(weft_socket_bind(x->server, s, &local), -EINVAL);
	assert_int_equal(weft_socket_listen(x->server, s, 5), 0);
	assert_int_equal(weft_socket_accept(x->server, s, x->net.now), -EAGAIN);
	return s;
}

static void a_stream_from_one_to_the_other(void **state)
{
	(void)state;
	struct sides x;
	struct weft_ready ready[4];
	struct weft_tcp_info info;
	union weft_sockaddr peer = addr("10.1.0.2:80"), name, other;
	char buf[16];
	sides_init(&x);
	int l = listening(&x, "10.1.0.2:80");
	int c = weft_socket_open(x.client, AF_INET, SOCK_STREAM);
	assert_int_equal(weft_socket_send(x.client, c, "x", 1, x.net.now), -ENOTCONN);
	assert_int_equal(weft_socket_set(x.client, c, WEFT_SO_NODELAY, 1, x.net.now), 0);
	assert_int_equal(weft_socket_set_user(x.client, c, buf), 0);
	assert_int_equal(weft_socket_connect(x.client, c, &peer, x.net.now),
			 -EINPROGRESS);
	assert_int_equal(weft_socket_connect(x.client, c, &peer, x.net.now), -EALREADY);
	assert_int_equal(weft_socket_send(x.client, c, "x", 1, x.net.now), -EAGAIN);
	pass(&x);
	/* Both have become ready, once. */
	assert_int_equal(x.woken, 2);
	assert_int_equal(weft_sockets_ready(x.client, ready, 4), 1);
	assert_int_equal(ready[0].socket, c);
	assert_int_equal(ready[0].events, WEFT_WRITABLE);
	assert_ptr_equal(ready[0].user, buf);
	assert_int_equal(weft_sockets_ready(x.client, ready, 4), 0);
	assert_int_equal(weft_sockets_ready(x.server, ready, 4), 1);
	assert_int_equal(ready[0].socket, l);
	int a = weft_socket_accept(x.server, l, x.net.now);
	assert_true(a >= 0 && a != l);
	assert_int_equal(weft_socket_accept(x.server, l, x.net.now), -EAGAIN);
	assert_int_equal(weft_socket_connect(x.client, c, &peer, x.net.now), -EISCONN);
	assert_int_equal(weft_socket_name(x.client, c, &name), 0);
	assert_int_equal(weft_socket_peer(x.server, a, &other), 0);
	assert_true(weft_sockaddr_equal(&name, &other));

	assert_int_equal(weft_socket_send(x.client, c, "hello", 5, x.net.now), 5);
	assert_int_equal(weft_socket_shutdown(x.client, c, SHUT_WR, x.net.now), 0);
	assert_int_equal(weft_socket_send(x.client, c, "x", 1, x.net.now), -EPIPE);
	assert_int_equal(weft_socket_recv(x.server, a, buf, 16, x.net.now), -EAGAIN);
	pass(&x);
	assert_true((unsigned)weft_socket_poll(x.server, a) & WEFT_READABLE);
	assert_int_equal(weft_socket_recv(x.server, a, buf, 16, x.net.now), 5);
	assert_memory_equal(buf, "hello", 5);
	assert_int_equal(weft_socket_recv(x.server, a, buf, 16, x.net.now), 0);
	assert_int_equal(weft_socket_info(x.server, a, &info), 0);
	assert_string_equal(info.state, "CLOSE-WAIT");
	assert_int_equal(weft_socket_close(x.server, a, x.net.now), 0);
	assert_int_equal(weft_socket_recv(x.server, a, buf, 16, x.net.now), -EBADF);
	pass(&x);
	assert_true((unsigned)weft_socket_poll(x.client, c) & WEFT_ENDED);
	assert_int_equal(weft_socket_error(x.client, c), 0);
	sides_fini(&x);
}

/* Each direction that is over makes the calls of that direction ready: none of them would wait. */
static void an_end_wakes_who_waits(void **state)
{
	(void)state;
	struct sides x;
	struct weft_ready ready[4];
	union weft_sockaddr peer = addr("10.1.0.2:80"), to = addr("10.1.0.2:9");
	char buf[16];
	sides_init(&x);
	int l = listening(&x, "10.1.0.2:80");
	int c = weft_socket_open(x.client, AF_INET, SOCK_STREAM);
	assert_int_equal(weft_socket_shutdown(x.client, c, SHUT_RD, x.net.now),
			 -ENOTCONN);
	assert_int_equal(weft_socket_connect(x.client, c, &peer, x.net.now),
			 -EINPROGRESS);
	pass(&x);
	assert_int_equal(weft_sockets_ready(x.client, ready, 4), 1);
	assert_int_equal(weft_socket_recv(x.client, c, buf, 16, x.net.now), -EAGAIN);
	assert_int_equal(weft_socket_shutdown(x.client, c, 3, x.net.now), -EINVAL);
	assert_int_equal(weft_sockets_ready(x.client, ready, 4), 0);
	assert_int_equal(weft_socket_shutdown(x.client, c, SHUT_RD, x.net.now), 0);
	assert_int_equal(weft_sockets_ready(x.client, ready, 4), 1);
	assert_int_equal(ready[0].events, WEFT_READABLE | WEFT_WRITABLE);
	assert_int_equal(weft_socket_recv(x.client, c, buf, 16, x.net.now), 0);

	assert_int_equal(weft_socket_shutdown(x.server, l, SHUT_WR, x.net.now), 0);
	assert_int_equal(weft_socket_poll(x.server, l), WEFT_READABLE);
	assert_int_equal(weft_socket_shutdown(x.server, l, SHUT_RD, x.net.now), 0);
	assert_true((unsigned)weft_socket_poll(x.server, l) & WEFT_ENDED);
	assert_int_equal(weft_socket_accept(x.server, l, x.net.now), -EINVAL);
	assert_int_equal(weft_socket_listen(x.server, l, 5), 0);
	assert_int_equal(weft_socket_poll(x.server, l), 0);

	int d = weft_socket_open(x.client, AF_INET, SOCK_DGRAM);
	assert_int_equal(weft_socket_connect(x.client, d, &to, x.net.now), 0);
	assert_int_equal(weft_socket_recv(x.client, d, buf, 16, x.net.now), -EAGAIN);
	assert_int_equal(weft_socket_shutdown(x.client, d, SHUT_RDWR, x.net.now), 0);
	assert_true((unsigned)weft_socket_poll(x.client, d) & WEFT_READABLE);
	assert_int_equal(weft_socket_recv(x.client, d, buf, 16, x.net.now), 0);
	assert_int_equal(weft_socket_send(x.client, d, "x", 1, x.net.now), -EPIPE);
	sides_fini(&x);
}

/* EPOLLPRI, MSG_OOB, SO_OOBINLINE and sockatmark(3). */
static void a_reader_stops_at_the_mark(void **state)
{
	(void)state;
	struct sides x;
	struct weft_tcp_info info;
	union weft_sockaddr peer = addr("10.1.0.2:80");
	char buf[16];
	sides_init(&x);
	int l = listening(&x, "10.1.0.2:80");
	int c = weft_socket_open(x.client, AF_INET, SOCK_STREAM);
	int d = weft_socket_open(x.client, AF_INET, SOCK_DGRAM);
	assert_int_equal(weft_socket_send_urgent(x.client, c, "!", 1, x.net.now),
			 -ENOTCONN);
	assert_int_equal(weft_socket_at_mark(x.client, c), -ENOTCONN);
	assert_int_equal(weft_socket_send_urgent(x.client, d, "!", 1, x.net.now),
			 -EOPNOTSUPP);
	assert_int_equal(weft_socket_at_mark(x.client, d), -EOPNOTSUPP);
	assert_int_equal(weft_socket_connect(x.client, c, &peer, x.net.now),
			 -EINPROGRESS);
	assert_int_equal(weft_socket_send_urgent(x.client, c, "!", 1, x.net.now),
			 -EAGAIN);
	pass(&x);
	int a = weft_socket_accept(x.server, l, x.net.now);
	assert_int_equal(weft_socket_send(x.client, c, "before", 6, x.net.now), 6);
	assert_int_equal(weft_socket_send_urgent(x.client, c, "!", 1, x.net.now), 1);
	assert_int_equal(weft_socket_send(x.client, c, "after", 5, x.net.now), 5);
	pass(&x);
	assert_int_equal(weft_socket_poll(x.server, a),
			 WEFT_READABLE | WEFT_WRITABLE | WEFT_URGENT);
	assert_int_equal(weft_socket_info(x.server, a, &info), 0);
	assert_int_equal(info.urgent, 7);
	assert_int_equal(weft_socket_recv(x.server, a, buf, 4, x.net.now), 4);
	assert_int_equal(weft_socket_recv(x.server, a, buf, 16, x.net.now), 2);
	assert_int_equal(weft_socket_at_mark(x.server, a), 1);
	assert_true((unsigned)weft_socket_poll(x.server, a) & WEFT_URGENT);
	assert_int_equal(weft_socket_recv(x.server, a, buf, 16, x.net.now), 6);
	assert_memory_equal(buf, "!after", 6);
	assert_int_equal(weft_socket_at_mark(x.server, a), 0);
	assert_int_equal(weft_socket_poll(x.server, a), WEFT_READABLE | WEFT_WRITABLE);
	assert_int_equal(weft_socket_at_mark(x.server, 3), -EBADF);
	assert_int_equal(weft_socket_send_urgent(x.client, 3, "!", 1, x.net.now), -EBADF);
	sides_fini(&x);
}

static void a_backlog_is_what_was_asked_for(void **state)
{
	(void)state;
	struct sides x;
	const union weft_sockaddr where = addr("10.1.0.2:80");
	sides_init(&x);
	int l = weft_socket_open(x.server, AF_INET, SOCK_STREAM);
	assert_int_equal(weft_socket_bind(x.server, l, &where), 0);
	assert_int_equal(weft_socket_listen(x.server, l, 1), 0);
	for (unsigned i = 0; i < 2; i++) {
		int c = weft_socket_open(x.client, AF_INET, SOCK_STREAM);
		assert_int_equal(weft_socket_connect(x.client, c, &where, x.net.now),
				 -EINPROGRESS);
	}
	pass(&x);
	assert_true(weft_socket_accept(x.server, l, x.net.now) >= 0);
	assert_int_equal(weft_socket_accept(x.server, l, x.net.now), -EAGAIN);
	sides_fini(&x);
}

static void what_is_full_is_not_writable(void **state)
{
	(void)state;
	struct sides x;
	static const char bytes[65536];
	union weft_sockaddr peer = addr("10.1.0.2:80");
	int n = 1;
	sides_init(&x);
	(void)listening(&x, "10.1.0.2:80");
	int c = weft_socket_open(x.client, AF_INET, SOCK_STREAM);
	assert_int_equal(weft_socket_connect(x.client, c, &peer, x.net.now),
			 -EINPROGRESS);
	pass(&x);
	for (unsigned i = 0; n > 0 && i < 10000; i++) {
		assert_int_equal(weft_socket_poll(x.client, c), WEFT_WRITABLE);
		n = weft_socket_send(x.client, c, bytes, sizeof(bytes), x.net.now);
		if (n < (int)sizeof(bytes))
			break;
	}
	assert_int_equal(weft_socket_poll(x.client, c), 0);
	assert_int_equal(weft_socket_send(x.client, c, bytes, 1, x.net.now), -EAGAIN);
	assert_int_equal(weft_socket_poll(x.client, c), 0);
	sides_fini(&x);
}

/* From one socket to another of the same host, as much as it takes at a time. */
static void a_stream_to_oneself_does_not_stall(void **state)
{
	(void)state;
	struct sides x;
	static char bytes[1 << 20];
	const size_t total = 16u << 20;
	union weft_sockaddr peer = addr("127.0.0.1:80");
	size_t sent = 0, got = 0;
	sides_init(&x);
	int l = listening(&x, "127.0.0.1:80");
	int c = weft_socket_open(x.server, AF_INET, SOCK_STREAM);
	assert_int_equal(weft_socket_connect(x.server, c, &peer, x.net.now),
			 -EINPROGRESS);
	pass(&x);
	int a = weft_socket_accept(x.server, l, x.net.now);
	assert_true(a >= 0);
	uint64_t begin = x.net.now;
	while (got < total) {
		int n = 0;
		while (sent < total && n >= 0) {
			n = weft_socket_send(x.server, c, bytes, sizeof(bytes),
					     x.net.now);
			sent += n > 0 ? (size_t)n : 0;
		}
		net_run(&x.net, x.net.now + 1);
		while ((n = weft_socket_recv(x.server, a, bytes, sizeof(bytes),
					     x.net.now)) > 0)
			got += (size_t)n;
	}
	assert_true(x.net.now - begin < MS(1));
	sides_fini(&x);
}

static void a_refusal_is_told_once(void **state)
{
	(void)state;
	struct sides x;
	char buf[4];
	union weft_sockaddr peer = addr("[2001:db8::2]:81");
	sides_init(&x);
	int c = weft_socket_open(x.client, AF_INET6, SOCK_STREAM);
	assert_int_equal(weft_socket_connect(x.client, c, &peer, x.net.now),
			 -EINPROGRESS);
	net_run(&x.net, x.net.now + S(3));
	assert_true((unsigned)weft_socket_poll(x.client, c) & WEFT_ENDED);
	assert_int_equal(weft_socket_recv(x.client, c, buf, 4, x.net.now), -ECONNREFUSED);
	/* It never will be writable: -EAGAIN would have the program wait for ever. */
	assert_int_equal(weft_socket_send(x.client, c, "x", 1, x.net.now), -EPIPE);
	assert_int_equal(weft_socket_error(x.client, c), -ECONNREFUSED);
	assert_int_equal(weft_socket_error(x.client, c), 0);
	sides_fini(&x);
}

static void datagrams(void **state)
{
	(void)state;
	struct sides x;
	char buf[16];
	union weft_sockaddr to = addr("10.1.0.2:9"), from;
	sides_init(&x);
	int r = weft_socket_open(x.server, AF_INET, SOCK_DGRAM);
	int s = weft_socket_open(x.client, AF_INET, SOCK_DGRAM);
	assert_int_equal(weft_socket_bind(x.server, r, &to), 0);
	assert_int_equal(weft_socket_sendto(x.client, s, "one", 3, &to, x.net.now), 3);
	assert_int_equal(weft_socket_connect(x.client, s, &to, x.net.now), 0);
	assert_int_equal(weft_socket_send(x.client, s, "three", 5, x.net.now), 5);
	pass(&x);
	assert_int_equal(weft_socket_recvfrom(x.server, r, buf, 16, &from), 3);
	assert_int_equal(weft_socket_sendto(x.server, r, "two", 3, &from, x.net.now), 3);
	assert_int_equal(weft_socket_recvfrom(x.server, r, buf, 2, &from), 2);
	assert_int_equal(weft_socket_recvfrom(x.server, r, buf, 2, &from), -EAGAIN);
	assert_int_equal(weft_socket_poll(x.server, r), WEFT_WRITABLE);
	pass(&x);
	assert_int_equal(weft_socket_recv(x.client, s, buf, 16, x.net.now), 3);
	assert_memory_equal(buf, "two", 3);
	sides_fini(&x);
}

static void groups_and_broadcasts(void **state)
{
	(void)state;
	struct sides x;
	char buf[16];
	union weft_sockaddr any = addr("0.0.0.0:9"), group = addr("239.1.2.3:9");
	union weft_sockaddr all = addr("255.255.255.255:9"), from;
	struct weft_ip ip;
	sides_init(&x);
	struct weft_iface *iface = x.net.iface[1];
	assert_int_equal(weft_ip_parse("239.1.2.3", &ip), 0);
	int r = weft_socket_open(x.server, AF_INET, SOCK_DGRAM);
	int s = weft_socket_open(x.client, AF_INET, SOCK_DGRAM);
	assert_int_equal(weft_socket_bind(x.server, r, &any), 0);
	assert_int_equal(weft_socket_join(x.server, r, &ip, iface, x.net.now), 0);
	assert_int_equal(weft_socket_join(x.server, r, &ip, iface, x.net.now), -EEXIST);
	assert_int_equal(weft_socket_sendto(x.client, s, "one", 3, &group, x.net.now), 3);
	pass(&x);
	assert_int_equal(weft_socket_recvfrom(x.server, r, buf, 16, &from), 3);
	assert_int_equal(weft_socket_leave(x.server, r, &ip, iface, x.net.now), 0);
	assert_int_equal(weft_socket_sendto(x.client, s, "two", 3, &group, x.net.now), 3);
	pass(&x);
	assert_int_equal(weft_socket_recvfrom(x.server, r, buf, 16, &from), -EAGAIN);

	assert_int_equal(weft_socket_sendto(x.client, s, "all", 3, &all, x.net.now),
			 -EACCES);
	assert_int_equal(weft_socket_set(x.client, s, WEFT_SO_BROADCAST, 1, x.net.now),
			 0);
	assert_int_equal(weft_socket_sendto(x.client, s, "all", 3, &all, x.net.now), 3);
	pass(&x);
	assert_int_equal(weft_socket_recvfrom(x.server, r, buf, 16, &from), 3);
	sides_fini(&x);
}

/* Two datagrams of 36 bytes and 64 each fit into 200; a smaller limit drops none of them. */
static void a_queue_as_long_as_is_wanted(void **state)
{
	(void)state;
	struct sides x;
	char buf[36] = { 0 };
	union weft_sockaddr to = addr("10.1.0.2:9"), from;
	sides_init(&x);
	int r = weft_socket_open(x.server, AF_INET, SOCK_DGRAM);
	int s = weft_socket_open(x.client, AF_INET, SOCK_DGRAM);
	assert_int_equal(weft_socket_bind(x.server, r, &to), 0);
	assert_int_equal(weft_socket_set(x.server, r, WEFT_SO_RCVBUF, 0, x.net.now),
			 -EINVAL);
	assert_int_equal(weft_socket_set(x.server, r, WEFT_SO_RCVBUF, 200, x.net.now), 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(weft_socket_sendto(x.client, s, buf, 36, &to, x.net.now),
				 36);
		pass(&x);
		assert_int_equal(
			weft_socket_set(x.server, r, WEFT_SO_RCVBUF, 200 - i, x.net.now),
			0);
	}
	assert_int_equal(weft_socket_set(x.server, r, WEFT_SO_RCVBUF, 1, x.net.now), 0);
	assert_int_equal(weft_socket_sendto(x.client, s, buf, 36, &to, x.net.now), 36);
	pass(&x);
	for (int i = 0; i < 2; i++)
		assert_int_equal(weft_socket_recvfrom(x.server, r, buf, 36, &from), 36);
	assert_int_equal(weft_socket_recvfrom(x.server, r, buf, 36, &from), -EAGAIN);
	sides_fini(&x);
}

static void what_cannot_be_is_said(void **state)
{
	(void)state;
	struct sides x;
	union weft_sockaddr peer = addr("10.1.0.2:80");
	int s[4];
	sides_init(&x);
	assert_int_equal(weft_socket_open(x.client, AF_UNIX, SOCK_STREAM), -EAFNOSUPPORT);
	assert_int_equal(weft_socket_open(x.client, AF_INET, SOCK_RAW), -EPROTOTYPE);
	for (int i = 0; i < 4; i++) {
		s[i] = weft_socket_open(x.client, AF_INET6,
					i % 2 ? SOCK_DGRAM : SOCK_STREAM);
		assert_int_equal(s[i], i);
	}
	assert_int_equal(weft_socket_open(x.client, AF_INET, SOCK_STREAM), -EMFILE);
	assert_int_equal(weft_socket_close(x.client, 2, x.net.now), 0);
	assert_int_equal(weft_socket_open(x.client, AF_INET, SOCK_STREAM), 2);
	assert_int_equal(weft_socket_close(x.client, 99, x.net.now), -EBADF);
	assert_int_equal(weft_socket_poll(x.client, -1), -EBADF);
	assert_int_equal(weft_socket_connect(x.client, s[0], &peer, x.net.now),
			 -EAFNOSUPPORT);
	assert_int_equal(weft_socket_listen(x.client, s[1], 1), -EOPNOTSUPP);
	assert_int_equal(weft_socket_accept(x.client, s[0], x.net.now), -EINVAL);
	assert_int_equal(weft_socket_set(x.client, s[0], WEFT_SO_KEEPCNT, 256, x.net.now),
			 -EINVAL);
	assert_int_equal(weft_socket_set(x.client, s[0], WEFT_SO_CORK, 1, x.net.now),
			 -ENOTCONN);
	assert_int_equal(weft_socket_set(x.client, s[1], WEFT_SO_CORK, 1, x.net.now),
			 -EOPNOTSUPP);
	assert_int_equal(weft_socket_set(x.client, s[0], WEFT_SO_RCVBUF, 1, x.net.now),
			 -EOPNOTSUPP);
	assert_int_equal(weft_socket_leave(x.client, s[0], &(struct weft_ip){ 0 }, NULL,
					   x.net.now),
			 -EOPNOTSUPP);
	sides_fini(&x);
}

static int set(struct sides *x, int s, enum weft_socket_option option, int value)
{
	return weft_socket_set(x->client, s, option, value, x->net.now);
}

static void options_hold_for_a_connection_that_there_is(void **state)
{
	(void)state;
	struct sides x;
	union weft_sockaddr peer = addr("10.1.0.2:80");
	static char data[5000];
	sides_init(&x);
	(void)listening(&x, "10.1.0.2:80");
	int c = weft_socket_open(x.client, AF_INET, SOCK_STREAM);
	assert_int_equal(weft_socket_connect(x.client, c, &peer, x.net.now),
			 -EINPROGRESS);
	pass(&x);
	assert_int_equal(set(&x, c, WEFT_SO_SNDBUF, 2000), 0);
	assert_int_equal(weft_socket_send(x.client, c, data, 5000, x.net.now), 2000);
	assert_int_equal(weft_socket_poll(x.client, c), 0);
	assert_int_equal(set(&x, c, WEFT_SO_SNDBUF, 4000), 0);
	assert_int_equal(weft_socket_poll(x.client, c), WEFT_WRITABLE);
	assert_int_equal(weft_socket_send(x.client, c, data, 5000, x.net.now), 2000);
	assert_int_equal(set(&x, c, WEFT_SO_SNDBUF, 0), 0);
	assert_int_equal(weft_socket_send(x.client, c, data, 5000, x.net.now), 5000);
	/* What has been decided by then is said to be too late. */
	assert_int_equal(set(&x, c, WEFT_SO_V6ONLY, 1), -EINVAL);
	assert_int_equal(weft_socket_set(x.server, 0, WEFT_SO_V6ONLY, 1, x.net.now),
			 -EINVAL);
	sides_fini(&x);
}

static void options_are_told(void **state)
{
	(void)state;
	static const struct {
		enum weft_socket_option option;
		int value;
	} options[] = {
		{ WEFT_SO_NODELAY, 1 },     { WEFT_SO_KEEPALIVE, 1 },
		{ WEFT_SO_KEEPIDLE, 300 },  { WEFT_SO_KEEPINTVL, 301 },
		{ WEFT_SO_KEEPCNT, 4 },     { WEFT_SO_USER_TIMEOUT, 70000 },
		{ WEFT_SO_SNDBUF, 100000 }, { WEFT_SO_V6ONLY, 1 },
		{ WEFT_SO_TOS, 0xb8 },      { WEFT_SO_TTL, 3 },
	};
	struct sides x;
	union weft_sockaddr peer = addr("10.1.0.2:80");
	sides_init(&x);
	int s = weft_socket_open(x.client, AF_INET, SOCK_STREAM);
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		assert_int_equal(weft_socket_get(x.client, s, options[i].option), 0);
		assert_int_equal(set(&x, s, options[i].option, options[i].value), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		assert_int_equal(weft_socket_get(x.client, s, options[i].option),
				 options[i].value);
	assert_int_equal(weft_socket_get(x.client, s, WEFT_SO_CORK), 0);
	(void)listening(&x, "10.1.0.2:80");
	assert_int_equal(weft_socket_connect(x.client, s, &peer, x.net.now),
			 -EINPROGRESS);
	assert_int_equal(set(&x, s, WEFT_SO_CORK, 1), 0);
	assert_int_equal(weft_socket_get(x.client, s, WEFT_SO_CORK), 1);
	int d = weft_socket_open(x.client, AF_INET, SOCK_DGRAM);
	assert_int_equal(weft_socket_get(x.client, d, WEFT_SO_BROADCAST), 0);
	assert_int_equal(set(&x, d, WEFT_SO_BROADCAST, 1), 0);
	assert_int_equal(weft_socket_get(x.client, d, WEFT_SO_BROADCAST), 1);
	assert_int_equal(set(&x, d, WEFT_SO_RCVBUF, 5000), 0);
	assert_int_equal(weft_socket_get(x.client, d, WEFT_SO_RCVBUF), 5000);
	assert_int_equal(weft_socket_get(x.client, d, WEFT_SO_NODELAY), -EOPNOTSUPP);
	assert_int_equal(weft_socket_get(x.client, s, WEFT_SO_RCVBUF), -EOPNOTSUPP);
	assert_int_equal(weft_socket_get(x.client, 99, WEFT_SO_TTL), -EBADF);
	sides_fini(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_from_one_to_the_other),
		cmocka_unit_test(an_end_wakes_who_waits),
		cmocka_unit_test(a_reader_stops_at_the_mark),
		cmocka_unit_test(a_backlog_is_what_was_asked_for),
		cmocka_unit_test(what_is_full_is_not_writable),
		cmocka_unit_test(a_stream_to_oneself_does_not_stall),
		cmocka_unit_test(a_refusal_is_told_once),
		cmocka_unit_test(datagrams),
		cmocka_unit_test(groups_and_broadcasts),
		cmocka_unit_test(a_queue_as_long_as_is_wanted),
		cmocka_unit_test(what_cannot_be_is_said),
		cmocka_unit_test(options_hold_for_a_connection_that_there_is),
		cmocka_unit_test(options_are_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
