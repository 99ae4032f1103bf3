/* SPDX-License-Identifier: MIT */
/*
 * Listeners that come after each other, on loopback.
 */
#include "io/listener.h"

#include "../unit.h"
#include "io/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static struct list all;

static int set_up(void **state)
{
	(void)state;
	list_init(&all);
	return 0;
}

static union weft_sockaddr loopback(uint16_t port)
{
	union weft_sockaddr addr = { .in = { .sin_family = AF_INET } };
	addr.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	addr.in.sin_port = htons(port);
	return addr;
}

static union weft_sockaddr everywhere(uint16_t port)
{
	return (union weft_sockaddr){ .in6 = { .sin6_family = AF_INET6,
					       .sin6_port = htons(port) } };
}

/* A port that nobody has. */
static uint16_t any_port(void)
{
	const union weft_sockaddr addr = loopback(0);
	union weft_sockaddr found;
	struct listener l;
	assert_int_equal(listener_open(&l, NULL, &addr), 0);
	assert_int_equal(socket_addr(l.fd, &found), 0);
	listener_close(&l);
	return weft_sockaddr_port(&found);
}

static int open_at(struct listener *l, const union weft_sockaddr *addr)
{
	return listener_open(l, &all, addr);
}

static int connect_to(uint16_t port)
{
	const union weft_sockaddr addr = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	if (connect(fd, &addr.sa, weft_sockaddr_len(&addr)) < 0) {
		(void)close(fd);
		return -errno;
	}
	return fd;
}

/* Whether somebody waits there; who does is let in and gone. */
static bool lets_in(const struct listener *l)
{
	struct pollfd p = { .fd = l->fd, .events = POLLIN };
	if (poll(&p, 1, 0) != 1)
		return false;
	int fd = accept(l->fd, NULL, NULL);
	return fd >= 0 && close(fd) == 0;
}

static void who_waits_is_not_refused(void **state)
{
	const uint16_t port = any_port();
	const union weft_sockaddr addr = loopback(port);
	struct listener first, second;
	(void)state;
	assert_int_equal(open_at(&first, &addr), 0);
	int waiting = connect_to(port);
	assert_true(waiting >= 0);
	assert_int_equal(open_at(&second, &addr), 0);
	listener_close(&first);
	listener_close(&first); /* harmless */
	assert_true(lets_in(&second));
	assert_false(lets_in(&second));
	listener_close(&second);
	assert_int_equal(connect_to(port), -ECONNREFUSED);
	assert_true(list_is_empty(&all));
	(void)close(waiting);
}

static void those_that_overlap_are_side_by_side(void **state)
{
	const uint16_t port = any_port();
	const union weft_sockaddr near = loopback(port), far = everywhere(port);
	struct listener first, second;
	(void)state;
	assert_int_equal(open_at(&first, &near), 0);
	int r = open_at(&second, &far);
	if (r == -EAFNOSUPPORT)
		skip(); /* no IPv6 here */
	assert_int_equal(r, 0);
	listener_close(&first);
	int fd = connect_to(port);
	assert_true(fd >= 0 && lets_in(&second));
	(void)close(fd);
	/* And back again. */
	assert_int_equal(open_at(&first, &near), 0);
	listener_close(&second);
	fd = connect_to(port);
	assert_true(fd >= 0 && lets_in(&first));
	(void)close(fd);
	listener_close(&first);
}

/* Such as a second weft, also where ours have shared with each other. */
static void another_program_is_an_error(void **state)
{
	const uint16_t port = any_port();
	const union weft_sockaddr near = loopback(port), far = everywhere(port);
	struct listener first, second;
	(void)state;
	assert_int_equal(open_at(&first, &near), 0);
	bool has_second = open_at(&second, &far) == 0;
	int stranger = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(stranger, &near.sa, weft_sockaddr_len(&near)), -1);
	assert_int_equal(errno, EADDRINUSE);
	if (has_second)
		listener_close(&second);
	listener_close(&first);
	assert_int_equal(bind(stranger, &near.sa, weft_sockaddr_len(&near)), 0);
	assert_int_equal(listen(stranger, 1), 0);
	assert_int_equal(open_at(&first, &near), -EADDRINUSE);
	listener_close(&first); /* harmless */
	assert_int_equal(open_at(&first, &far), -EADDRINUSE);
	(void)close(stranger);
}

static void port_0_is_another_one_each_time(void **state)
{
	const union weft_sockaddr addr = loopback(0);
	union weft_sockaddr a, b;
	struct listener first, second;
	(void)state;
	assert_int_equal(open_at(&first, &addr), 0);
	assert_int_equal(open_at(&second, &addr), 0);
	assert_int_equal(socket_addr(first.fd, &a), 0);
	assert_int_equal(socket_addr(second.fd, &b), 0);
	assert_int_not_equal(weft_sockaddr_port(&a), weft_sockaddr_port(&b));
	listener_close(&first);
	listener_close(&second);
}

#define with(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with(who_waits_is_not_refused),
		with(those_that_overlap_are_side_by_side),
		with(another_program_is_an_error),
		with(port_0_is_another_one_each_time),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
