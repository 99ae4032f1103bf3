/* SPDX-License-Identifier: MIT */
/*
 * Link-local addresses on two links (RFC 4007): two hosts have the same one.
 *
 *     [ fe80::2 ] --- pair --- 1 [ fe80::1 of both ] 2 --- pair --- [ fe80::2 ]
 *        FAR 0                         NEAR                            FAR 1
 */
#include "../unit.h"

#include <weft/link.h>
#include <weft/socket.h>

#include <errno.h>
#include <string.h>

#define MS(n) ((uint64_t)(n)*1000000u)
#define S(n)  ((uint64_t)(n)*1000000000u)

#define STACKS 3u /* Near, and two that are far. */
#define NEAR   2u
#define LINKS  4u

struct lab {
	struct weft_stack *stack[STACKS];
	struct weft_sockets *sockets[STACKS];
	struct weft_link *link[LINKS]; /* Of far 0 and near; of far 1 and near. */
	struct weft_iface *iface[LINKS];
	int stream[2], datagrams[2]; /* Of the far ones. */
	uint64_t now;
};

/* ---- the hosts --------------------------------------------------------------------------- */

static union weft_sockaddr at(const char *text)
{
	union weft_sockaddr sa;
	assert_int_equal(weft_listen_parse(text, &sa), 0);
	return sa;
}

static struct weft_task *task_of(const struct lab *lab, size_t i)
{
	return i < LINKS ? weft_link_task(lab->link[i])
			 : weft_stack_task(lab->stack[i - LINKS]);
}

static uint64_t deadline_of(struct weft_task *task)
{
	return task->deadline ? task->deadline(task) : WEFT_NEVER;
}

static void pass(struct lab *lab, uint64_t ns)
{
	uint64_t until = lab->now + ns;
	while (lab->now <= until) {
		uint64_t next = WEFT_NEVER;
		for (size_t i = 0; i < LINKS + STACKS; i++) {
			struct weft_task *task = task_of(lab, i);
			if (deadline_of(task) <= lab->now)
				task->run(task, lab->now);
		}
		for (size_t i = 0; i < LINKS + STACKS; i++) {
			uint64_t deadline = deadline_of(task_of(lab, i));
			next = deadline < next ? deadline : next;
		}
		lab->now = next > lab->now ? next : lab->now;
	}
	lab->now = until;
}

static void plug(struct lab *lab, size_t stack, size_t link, const char *address)
{
	struct weft_ip ip;
	assert_int_equal(weft_stack_add_interface(lab->stack[stack], lab->link[link],
						  NULL, lab->now, &lab->iface[link]),
			 0);
	assert_int_equal(weft_ip_parse(address, &ip), 0);
	assert_int_equal(weft_iface_add_address(lab->iface[link], &ip,
						WEFT_ADDRESS_NO_DAD, lab->now),
			 0);
}

static int open_bound(struct lab *lab, size_t stack, int type, const char *where)
{
	const union weft_sockaddr local = at(where);
	int s = weft_socket_open(lab->sockets[stack], AF_INET6, type);
	assert_int_equal(weft_socket_bind(lab->sockets[stack], s, &local), 0);
	return s;
}

static void lab_init(struct lab *lab)
{
	static const uint8_t secrets[STACKS][16] = { "far", "far as well", "near" };
	*lab = (struct lab){ .now = S(1000) };
	for (size_t i = 0; i < STACKS; i++) {
		const struct weft_stack_opts opts = { .secret = secrets[i] };
		assert_int_equal(weft_stack_new(&opts, lab->now, &lab->stack[i]), 0);
		assert_int_equal(weft_sockets_new(lab->stack[i], NULL, &lab->sockets[i]),
				 0);
	}
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(
			weft_link_pair(64, &lab->link[2 * i], &lab->link[2 * i + 1]), 0);
		plug(lab, i, 2 * i, "fe80::2/64");
		plug(lab, NEAR, 2 * i + 1, "fe80::1/64");
		lab->stream[i] = open_bound(lab, i, SOCK_STREAM, "[fe80::2]:80");
		assert_int_equal(weft_socket_listen(lab->sockets[i], lab->stream[i], 0),
				 0);
		lab->datagrams[i] = open_bound(lab, i, SOCK_DGRAM, "[fe80::2]:9");
	}
	pass(lab, S(10));
}

static void lab_fini(struct lab *lab)
{
	for (size_t i = 0; i < STACKS; i++) {
		weft_sockets_free(lab->sockets[i], lab->now);
		weft_stack_free(lab->stack[i]);
	}
	for (size_t i = 0; i < LINKS; i++)
		weft_link_free(lab->link[i]);
}

/* ---- streams ----------------------------------------------------------------------------- */

static int dial(struct lab *lab, const char *from, const char *to)
{
	const union weft_sockaddr peer = at(to);
	int s = from ? open_bound(lab, NEAR, SOCK_STREAM, from)
		     : weft_socket_open(lab->sockets[NEAR], AF_INET6, SOCK_STREAM);
	int r = weft_socket_connect(lab->sockets[NEAR], s, &peer, lab->now);
	if (r == -EINPROGRESS)
		return s;
	assert_int_equal(weft_socket_close(lab->sockets[NEAR], s, lab->now), 0);
	return r;
}

static void assert_says(struct lab *lab, size_t stack, int s, const char *text)
{
	char buf[16];
	int n = weft_socket_recv(lab->sockets[stack], s, buf, sizeof(buf), lab->now);
	assert_int_equal(n, strlen(text));
	assert_memory_equal(buf, text, strlen(text));
}

/* The same four numbers, but for the link. */
static void streams_go_by_their_links(void **state)
{
	static const char *const said[] = { "first", "other" };
	(void)state;
	struct lab lab;
	int s[2];
	lab_init(&lab);
	s[0] = dial(&lab, "[fe80::1%1]:5000", "[fe80::2%1]:80");
	s[1] = dial(&lab, "[fe80::1%2]:5000", "[fe80::2%2]:80");
	pass(&lab, MS(100));
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(
			weft_socket_send(lab.sockets[NEAR], s[i], said[i], 5, lab.now),
			5);
	pass(&lab, MS(100));
	for (size_t i = 0; i < 2; i++) {
		union weft_sockaddr peer, local;
		int a = weft_socket_accept(lab.sockets[i], lab.stream[i], lab.now);
		assert_says(&lab, i, a, said[i]);
		assert_int_equal(weft_socket_peer(lab.sockets[NEAR], s[i], &peer), 0);
		assert_int_equal(peer.in6.sin6_scope_id, i + 1);
		assert_int_equal(weft_socket_name(lab.sockets[NEAR], s[i], &local), 0);
		assert_int_equal(local.in6.sin6_scope_id, i + 1);
	}
	lab_fini(&lab);
}

/* connect(2) of Linux says EINVAL, too. */
static void a_scope_has_to_be_said(void **state)
{
	(void)state;
	struct lab lab;
	lab_init(&lab);
	assert_int_equal(dial(&lab, NULL, "[fe80::2]:80"), -EINVAL);
	assert_int_equal(dial(&lab, NULL, "[fe80::2%3]:80"), -EINVAL);
	assert_int_equal(dial(&lab, "[fe80::1%1]:5000", "[fe80::2%2]:80"), -EINVAL);
	/* Of one's own address, too; but of no other. */
	assert_int_equal(dial(&lab, NULL, "[fe80::1]:80"), -EINVAL);
	assert_int_equal(dial(&lab, NULL, "[2001:db8::2%2]:80"), -ENETUNREACH);
	lab_fini(&lab);
}

/* Where there is one link it is that. */
static void one_interface_needs_none(void **state)
{
	(void)state;
	struct lab lab;
	union weft_sockaddr peer = at("[fe80::1]:7"), name;
	lab_init(&lab);
	int l = open_bound(&lab, NEAR, SOCK_STREAM, "[::]:7");
	assert_int_equal(weft_socket_listen(lab.sockets[NEAR], l, 0), 0);
	for (size_t i = 0; i < 2; i++) {
		int s = weft_socket_open(lab.sockets[i], AF_INET6, SOCK_STREAM);
		assert_int_equal(weft_socket_connect(lab.sockets[i], s, &peer, lab.now),
				 -EINPROGRESS);
		pass(&lab, MS(100));
		assert_int_equal(weft_socket_peer(lab.sockets[i], s, &name), 0);
		assert_int_equal(name.in6.sin6_scope_id, 1);
		/* What listens to all is told by which link each has come. */
		int a = weft_socket_accept(lab.sockets[NEAR], l, lab.now);
		assert_int_equal(weft_socket_peer(lab.sockets[NEAR], a, &name), 0);
		assert_int_equal(name.in6.sin6_scope_id, i + 1);
	}
	lab_fini(&lab);
}

/* Two listeners at one address and port, of which each has its link; and a SYN refused. */
static void listeners_have_their_links(void **state)
{
	(void)state;
	struct lab lab;
	const union weft_sockaddr peer = at("[fe80::1]:7"), both = at("[fe80::1]:8");
	lab_init(&lab);
	int l = open_bound(&lab, NEAR, SOCK_STREAM, "[fe80::1%2]:7");
	assert_int_equal(weft_socket_listen(lab.sockets[NEAR], l, 0), 0);
	int none = weft_socket_open(lab.sockets[NEAR], AF_INET6, SOCK_STREAM);
	assert_int_equal(weft_socket_bind(lab.sockets[NEAR], none, &both), 0);
	assert_int_equal(weft_socket_listen(lab.sockets[NEAR], none, 0), -EINVAL);
	for (size_t i = 0; i < 2; i++) {
		int s = weft_socket_open(lab.sockets[i], AF_INET6, SOCK_STREAM);
		assert_int_equal(weft_socket_connect(lab.sockets[i], s, &peer, lab.now),
				 -EINPROGRESS);
		pass(&lab, MS(100));
		assert_int_equal(weft_socket_error(lab.sockets[i], s),
				 i == 0 ? -ECONNREFUSED : 0);
	}
	l = open_bound(&lab, NEAR, SOCK_STREAM, "[fe80::1%1]:7");
	assert_int_equal(weft_socket_listen(lab.sockets[NEAR], l, 0), 0);
	int s = weft_socket_open(lab.sockets[0], AF_INET6, SOCK_STREAM);
	assert_int_equal(weft_socket_connect(lab.sockets[0], s, &peer, lab.now),
			 -EINPROGRESS);
	pass(&lab, MS(100));
	assert_true(weft_socket_accept(lab.sockets[NEAR], l, lab.now) >= 0);
	lab_fini(&lab);
}

/* By loopback, and by the name that others would use. */
static void a_host_speaks_to_itself(void **state)
{
	(void)state;
	struct lab lab;
	lab_init(&lab);
	int l = open_bound(&lab, NEAR, SOCK_STREAM, "[::]:7");
	assert_int_equal(weft_socket_listen(lab.sockets[NEAR], l, 0), 0);
	int s = dial(&lab, NULL, "[fe80::1%1]:7");
	pass(&lab, MS(100));
	assert_true(weft_socket_accept(lab.sockets[NEAR], l, lab.now) >= 0);
	assert_int_equal(weft_socket_send(lab.sockets[NEAR], s, "x", 1, lab.now), 1);
	lab_fini(&lab);
}

/* ---- datagrams --------------------------------------------------------------------------- */

static void datagrams_go_by_their_links(void **state)
{
	(void)state;
	struct lab lab;
	char buf[16];
	const union weft_sockaddr none = at("[fe80::2]:9"), third = at("[fe80::2%3]:9");
	const union weft_sockaddr to[2] = { at("[fe80::2%1]:9"), at("[fe80::2%2]:9") };
	lab_init(&lab);
	int any = weft_socket_open(lab.sockets[NEAR], AF_INET6, SOCK_DGRAM);
	struct weft_sockets *near = lab.sockets[NEAR];
	assert_int_equal(weft_socket_sendto(near, any, "x", 1, &none, lab.now), -EINVAL);
	assert_int_equal(weft_socket_sendto(near, any, "x", 1, &third, lab.now), -EINVAL);
	assert_int_equal(weft_socket_connect(near, any, &none, lab.now), -EINVAL);
	for (size_t i = 0; i < 2; i++) {
		union weft_sockaddr from;
		int s = open_bound(&lab, NEAR, SOCK_DGRAM,
				   i == 0 ? "[fe80::1%1]:5" : "[fe80::1%2]:5");
		assert_int_equal(weft_socket_sendto(near, s, "ask", 3, &to[i], lab.now),
				 3);
		pass(&lab, S(2));
		assert_int_equal(weft_socket_recvfrom(lab.sockets[i], lab.datagrams[i],
						      buf, 16, &from),
				 3);
		assert_int_equal(weft_socket_sendto(lab.sockets[i], lab.datagrams[i],
						    "say", 3, &from, lab.now),
				 3);
		pass(&lab, S(2));
		assert_int_equal(weft_socket_recvfrom(near, s, buf, 16, &from), 3);
		assert_int_equal(from.in6.sin6_scope_id, i + 1);
		/* It is bound to one link, and the peer is on the other. */
		assert_int_equal(weft_socket_connect(near, s, &to[1 - i], lab.now),
				 -EINVAL);
		assert_int_equal(weft_socket_connect(near, s, &to[i], lab.now), 0);
		assert_int_equal(weft_socket_peer(near, s, &from), 0);
		assert_int_equal(from.in6.sin6_scope_id, i + 1);
	}
	lab_fini(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams_go_by_their_links),
		cmocka_unit_test(a_scope_has_to_be_said),
		cmocka_unit_test(one_interface_needs_none),
		cmocka_unit_test(listeners_have_their_links),
		cmocka_unit_test(a_host_speaks_to_itself),
		cmocka_unit_test(datagrams_go_by_their_links),
	};
	return cmocka_run_group_tests_name("scopes", tests, NULL, NULL);
}
