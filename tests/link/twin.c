/* SPDX-License-Identifier: MIT */
/*
 * Plugs with one peer at an address that is known: QEMU's dgram with both addresses, VDE point
 * to point, a multicast group, an inherited socket, and bess.
 */
#include "link/twin.h"

#include "../unit.h"
#include "outlet.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct outlet a, b;
static char spec[300];

static void exchange(void)
{
	outlet_run(&a);
	outlet_run(&b);
	outlet_send(&a, a.links_n - 1, 60, 1);
	outlet_send(&b, b.links_n - 1, 70, 2);
	outlet_run(&a);
	outlet_run(&b);
	const struct inbox *in_a = &a.links[a.links_n - 1]->inbox;
	const struct inbox *in_b = &b.links[b.links_n - 1]->inbox;
	assert_int_equal(in_a->n, 1);
	assert_int_equal(in_a->frames[0].len, 70);
	assert_int_equal(in_b->n, 1);
	assert_int_equal(in_b->frames[0].len, 60);
}

static void two_paths(void **state)
{
	(void)state;
	(void)snprintf(spec, sizeof(spec), "qemu-dgram:%s,remote=%s", test_path("a"),
		       test_path("b"));
	outlet_open(&a, spec);
	outlet_pass(&a, 3 * (uint64_t)SECOND);
	assert_int_equal(a.links_n, 0);
	assert_int_equal(a.troubles, 0);
	assert_true(test_path_exists("a"));
	(void)snprintf(spec, sizeof(spec), "qemu-dgram:%s,remote=%s", test_path("b"),
		       test_path("a"));
	outlet_open(&b, spec);
	outlet_run(&b);
	outlet_pass(&a, SECOND);
	exchange();
	/* One end goes, and comes again. */
	outlet_close(&b);
	outlet_send(&a, 0, 60, 3);
	outlet_run(&a);
	assert_null(a.links[0]->link);
	outlet_open(&b, spec);
	outlet_run(&b);
	outlet_pass(&a, 2 * (uint64_t)SECOND);
	outlet_pass(&b, 2 * (uint64_t)SECOND);
	exchange();
	outlet_close(&a);
	outlet_close(&b);
}

/* Before the other side is known, what comes is a sign that it is there, and no more. */
static void a_datagram_wakes(void **state)
{
	uint8_t frame[60] = { 0 };
	(void)state;
	(void)snprintf(spec, sizeof(spec), "vde-p2p:%s", test_path("p"));
	outlet_open(&a, spec);
	outlet_run(&a);
	int stranger = peer_bound("");
	peer_send_to(stranger, "p", frame, sizeof(frame));
	outlet_run(&a);
	assert_int_equal(a.links_n, 0);
	int fd = peer_bound("p+");
	peer_send_to(fd, "p", frame, sizeof(frame));
	outlet_run(&a);
	assert_int_equal(a.links_n, 1);
	assert_int_equal(a.links[0]->inbox.n, 1);
	outlet_send(&a, 0, 80, 1);
	peer_expect_frame(fd, 80, 1);
	outlet_close(&a);
	(void)close(fd);
	(void)close(stranger);
	(void)unlink(test_path("p+"));
}

static void vde_point_to_point(void **state)
{
	(void)state;
	(void)snprintf(spec, sizeof(spec), "vde-p2p:%s", test_path("p"));
	outlet_open(&a, spec);
	outlet_run(&a);
	assert_true(test_path_exists("p"));
	(void)snprintf(spec, sizeof(spec), "vde-p2p:%s,connect", test_path("p"));
	outlet_open(&b, spec);
	outlet_run(&b);
	assert_true(test_path_exists("p+"));
	outlet_pass(&a, SECOND);
	exchange();
	outlet_close(&a);
	outlet_close(&b);
}

static void two_ports(void **state)
{
	uint8_t frame[60] = { 0 };
	union weft_sockaddr own;
	socklen_t len = sizeof(own);
	(void)state;
	int fd = peer_udp(0);
	assert_int_equal(getsockname(fd, &own.sa, &len), 0);
	(void)snprintf(spec, sizeof(spec), "qemu-dgram:127.0.0.1:%u,connect",
		       weft_sockaddr_port(&own));
	outlet_open(&a, spec);
	outlet_run(&a);
	assert_int_equal(a.links_n, 1);
	outlet_send(&a, 0, 60, 1);
	union weft_sockaddr from;
	len = sizeof(from);
	assert_int_equal(recvfrom(fd, frame, sizeof(frame), 0, &from.sa, &len), 60);
	assert_int_equal(sendto(fd, frame, 60, 0, &from.sa, len), 60);
	outlet_run(&a);
	assert_int_equal(a.links[0]->inbox.n, 1);
	outlet_close(&a);
	(void)close(fd);
}

/* What the group hears of us does not come back; what others say does. */
static void a_group_without_its_own_echo(void **state)
{
	(void)state;
	outlet_open(&a, "qemu-dgram:230.0.0.77:17399,via=127.0.0.1");
	outlet_open(&b, "qemu-dgram:230.0.0.77:17399,via=127.0.0.1");
	outlet_run(&a);
	outlet_run(&b);
	if (a.links_n == 0 || b.links_n == 0) {
		print_message("# no multicast here: %s\n", a.trouble);
		outlet_close(&a);
		outlet_close(&b);
		skip();
	}
	exchange();
	for (uint32_t i = 0; i < 100; i++)
		outlet_send(&a, 0, 60, i);
	outlet_run(&a);
	outlet_run(&b);
	assert_int_equal(a.links[0]->inbox.n, 1);
	assert_int_equal(b.links[0]->inbox.n, 101);
	assert_int_equal(weft_link_stats(a.links[0]->link).rx_errors, 0);
	outlet_close(&a);
	outlet_close(&b);
}

static void an_inherited_socket(void **state)
{
	int fds[2];
	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	(void)snprintf(spec, sizeof(spec), "qemu-dgram:fd:%d", fds[0]);
	outlet_open(&a, spec);
	outlet_run(&a);
	assert_int_equal(a.links_n, 1);
	assert_int_equal(peer_send_frame(fds[1], 60, 1), 0);
	outlet_run(&a);
	assert_int_equal(a.links[0]->inbox.n, 1);
	(void)close(fds[1]);
	outlet_send(&a, 0, 60, 2);
	outlet_pass(&a, 10 * (uint64_t)SECOND);
	assert_int_equal(a.links_n, 1);
	assert_null(a.links[0]->link);
	assert_true(weft_plug_is_over(a.plug));
	outlet_close(&a);
}

static void bess_connects_to_bess(void **state)
{
	(void)state;
	(void)snprintf(spec, sizeof(spec), "bess:%s", test_path("bess"));
	outlet_open(&a, spec);
	outlet_run(&a);
	(void)snprintf(spec, sizeof(spec), "bess:%s,connect", test_path("bess"));
	outlet_open(&b, spec);
	outlet_run(&b);
	outlet_run(&a);
	exchange();
	outlet_close(&b);
	outlet_run(&a);
	assert_null(a.links[0]->link);
	assert_string_equal(a.links[0]->reason, "the peer hung up");
	outlet_close(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_paths),
		cmocka_unit_test(a_datagram_wakes),
		cmocka_unit_test(vde_point_to_point),
		cmocka_unit_test(two_ports),
		cmocka_unit_test(a_group_without_its_own_echo),
		cmocka_unit_test(an_inherited_socket),
		cmocka_unit_test(bess_connects_to_bess),
	};
	return cmocka_run_group_tests(tests, test_dir_make, test_dir_remove);
}
