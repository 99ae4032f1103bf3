/* SPDX-License-Identifier: MIT */
/*
 * One datagram socket and many peers: qemu-dgram and vfkit, over UNIX paths and UDP.
 */
#include "link/senders.h"

#include "../unit.h"
#include "outlet.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MINUTE (60u * (uint64_t)SECOND)

static struct outlet o;
static char spec[200];

static const char *spec_at(const char *kind, const char *name, const char *options)
{
	(void)snprintf(spec, sizeof(spec), "%s:%s%s", kind, test_path(name), options);
	return spec;
}

/* Each address is a link, and what comes from it comes by that link. */
static void a_link_for_each_sender(void **state)
{
	(void)state;
	outlet_open(&o, spec_at("qemu-dgram", "lan", ""));
	outlet_run(&o);
	int a = peer_connected("a", "lan"), b = peer_connected("b", "lan");
	assert_int_equal(peer_send_frame(a, 60, 1), 0);
	assert_int_equal(peer_send_frame(b, 70, 2), 0);
	assert_int_equal(peer_send_frame(a, 80, 3), 0);
	assert_int_equal(peer_send_frame(a, 90, 4), 0);
	outlet_run(&o);
	assert_int_equal(o.links_n, 2);
	assert_string_equal(o.links[0]->peer, test_path("a"));
	assert_string_equal(o.links[1]->peer, test_path("b"));
	assert_int_equal(o.links[0]->inbox.n, 3);
	assert_int_equal(o.links[0]->inbox.calls, 2);
	assert_int_equal(frame_number(&o.links[0]->inbox.frames[2]), 4);
	assert_int_equal(o.links[1]->inbox.n, 1);

	outlet_send(&o, 0, 100, 5);
	outlet_send(&o, 1, 100, 6);
	peer_expect_frame(a, 100, 5);
	peer_expect_frame(b, 100, 6);
	peer_expect_nothing(a);
	outlet_close(&o);
	assert_false(test_path_exists("lan"));
	(void)close(a);
	(void)close(b);
	(void)unlink(test_path("a"));
	(void)unlink(test_path("b"));
}

/* A path may fill all of its place, with no NUL behind it. */
static void the_longest_path_is_answered(void **state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const void *generic = &addr;
	uint8_t buf[60];
	const struct weft_frame frame = numbered_frame(buf, sizeof(buf), 1);
	(void)state;
	memset(addr.sun_path, '/', sizeof(addr.sun_path));
	memcpy(addr.sun_path, test_path(""), strlen(test_path("")));
	addr.sun_path[sizeof(addr.sun_path) - 1] = 'a';
	outlet_open(&o, spec_at("qemu-dgram", "lan", ""));
	outlet_run(&o);
	int a = datagram_socket(AF_UNIX);
	assert_int_equal(bind(a, generic, sizeof(addr)), 0);
	peer_send_to(a, "lan", frame.data, frame.len);
	outlet_run(&o);
	assert_int_equal(o.links_n, 1);
	outlet_send(&o, 0, 100, 2);
	peer_expect_frame(a, 100, 2);
	outlet_close(&o);
	(void)close(a);
	(void)unlink(test_path("a"));
}

static void a_runt_makes_no_peer(void **state)
{
	(void)state;
	outlet_open(&o, spec_at("qemu-dgram", "lan", ""));
	outlet_run(&o);
	int a = peer_connected("a", "lan");
	assert_int_equal(send(a, "thirteen byte", 13, 0), 13);
	outlet_run(&o);
	assert_int_equal(o.links_n, 0);
	assert_int_equal(o.troubles, 0);
	outlet_close(&o);
	(void)close(a);
	(void)unlink(test_path("a"));
}

static void who_has_no_name_is_told_of(void **state)
{
	uint8_t frame[60] = { 0 };
	(void)state;
	outlet_open(&o, spec_at("qemu-dgram", "lan", ""));
	outlet_run(&o);
	int fd = datagram_socket(AF_UNIX);
	for (unsigned i = 0; i < 5; i++)
		peer_send_to(fd, "lan", frame, sizeof(frame));
	outlet_run(&o);
	assert_int_equal(o.links_n, 0);
	assert_int_equal(o.troubles, 1);
	assert_non_null(strstr(o.trouble, "bind"));
	outlet_close(&o);
	(void)close(fd);
}

static void no_more_peers_than_agreed(void **state)
{
	int fds[4];
	char name[4];
	(void)state;
	outlet_open(&o, spec_at("qemu-dgram", "lan", ""));
	o.plug->links_max = 3;
	outlet_run(&o);
	for (unsigned i = 0; i < 4; i++) {
		(void)snprintf(name, sizeof(name), "p%u", i);
		fds[i] = peer_connected(name, "lan");
		assert_int_equal(peer_send_frame(fds[i], 60, i), 0);
	}
	outlet_run(&o);
	assert_int_equal(o.links_n, 3);
	assert_int_equal(o.troubles, 1);
	assert_non_null(strstr(o.trouble, test_path("p3")));
	/* One leaves: there is room for the one who waited. */
	weft_plug_drop(o.plug, o.links[1]->link, "make room");
	outlet_run(&o);
	assert_string_equal(o.links[1]->reason, "make room");
	assert_int_equal(peer_send_frame(fds[3], 60, 9), 0);
	outlet_run(&o);
	assert_int_equal(o.links_n, 4);
	outlet_close(&o);
	for (unsigned i = 0; i < 4; i++) {
		(void)snprintf(name, sizeof(name), "p%u", i);
		(void)close(fds[i]);
		(void)unlink(test_path(name));
	}
}

/* Those who are there stay, and are still heard; nobody else comes. */
static void a_closed_plug_keeps_its_peers(void **state)
{
	(void)state;
	outlet_open(&o, spec_at("qemu-dgram", "lan", ""));
	outlet_run(&o);
	int a = peer_connected("a", "lan"), b = peer_connected("b", "lan");
	assert_int_equal(peer_send_frame(a, 60, 1), 0);
	outlet_run(&o);
	weft_plug_close(o.plug);
	assert_int_equal(peer_send_frame(a, 60, 2), 0);
	assert_int_equal(peer_send_frame(b, 60, 3), 0);
	outlet_run(&o);
	assert_int_equal(o.links_n, 1);
	assert_int_equal(o.links[0]->inbox.n, 2);
	outlet_close(&o);
	(void)close(a);
	(void)close(b);
	(void)unlink(test_path("a"));
	(void)unlink(test_path("b"));
}

static void a_unix_peer_that_goes_is_noticed_by_sending(void **state)
{
	(void)state;
	outlet_open(&o, spec_at("qemu-dgram", "lan", ""));
	outlet_run(&o);
	int a = peer_connected("a", "lan"), b = peer_connected("b", "lan");
	assert_int_equal(peer_send_frame(a, 60, 1), 0);
	assert_int_equal(peer_send_frame(b, 60, 2), 0);
	outlet_run(&o);
	(void)close(a);
	outlet_send(&o, 0, 60, 3);
	outlet_run(&o);
	assert_null(o.links[0]->link);
	assert_non_null(strstr(o.links[0]->reason, "gone"));
	outlet_send(&o, 1, 60, 4);
	peer_expect_frame(b, 60, 4);
	/* The same path again is a new link. */
	(void)unlink(test_path("a"));
	a = peer_connected("a", "lan");
	assert_int_equal(peer_send_frame(a, 60, 5), 0);
	outlet_run(&o);
	assert_int_equal(o.links_n, 3);
	outlet_close(&o);
	(void)close(a);
	(void)close(b);
	(void)unlink(test_path("a"));
	(void)unlink(test_path("b"));
}

/* Silence ends nothing as long as the socket is there. */
static void a_silent_unix_peer_is_looked_at(void **state)
{
	(void)state;
	outlet_open(&o, spec_at("qemu-dgram", "lan", ""));
	outlet_run(&o);
	int a = peer_connected("a", "lan");
	assert_int_equal(peer_send_frame(a, 60, 1), 0);
	outlet_run(&o);
	outlet_pass(&o, 60 * MINUTE);
	assert_non_null(o.links[0]->link);
	peer_expect_nothing(a);
	(void)close(a);
	outlet_pass(&o, 2 * SENDERS_PROBE_NS);
	assert_null(o.links[0]->link);
	outlet_close(&o);
	(void)unlink(test_path("a"));
}

/* A peer that does not read costs itself frames, and its neighbour nothing. */
static void a_peer_that_stops_does_not_stop_others(void **state)
{
	(void)state;
	outlet_open(&o, spec_at("qemu-dgram", "lan", ""));
	outlet_run(&o);
	int stopped = peer_connected("a", "lan"), other = peer_connected("b", "lan");
	assert_int_equal(peer_send_frame(stopped, 60, 1), 0);
	assert_int_equal(peer_send_frame(other, 60, 2), 0);
	outlet_run(&o);
	for (uint32_t i = 0; i < 30000; i++) {
		outlet_send(&o, 0, 1000, i);
		outlet_send(&o, 1, 1000, i);
		if (i % 16 == 0)
			outlet_pass(&o, SECOND / 10000);
		peer_expect_frame(other, 1000, i);
		if (i % 50 == 0)
			assert_int_equal(peer_send_frame(other, 60, i), 0);
	}
	assert_int_equal(weft_link_stats(o.links[1]->link).tx_dropped, 0);
	assert_true(weft_link_stats(o.links[0]->link).tx_dropped > 10000);
	assert_false(weft_link_is_down(o.links[0]->link));
	/* When it goes on it gets what was kept for it, the newest frames missing. */
	uint8_t buf[2048];
	uint32_t n = 0;
	while (peer_recv(stopped, buf, sizeof(buf)) > 0)
		n++;
	assert_true(n > 100);
	outlet_pass(&o, SECOND);
	assert_true(peer_recv(stopped, buf, sizeof(buf)) > 0);
	outlet_close(&o);
	(void)close(stopped);
	(void)close(other);
	(void)unlink(test_path("a"));
	(void)unlink(test_path("b"));
}

static void udp_peers_age(void **state)
{
	uint8_t frame[60] = { 0 };
	(void)state;
	outlet_open(&o, "qemu-dgram:127.0.0.1:0,idle=1min");
	outlet_run(&o);
	int a = peer_udp(0), b = peer_udp(0);
	peer_send_udp(a, &o, frame, sizeof(frame));
	peer_send_udp(b, &o, frame, sizeof(frame));
	outlet_run(&o);
	assert_int_equal(o.links_n, 2);
	for (unsigned i = 0; i < 4; i++) {
		outlet_pass(&o, 40 * (uint64_t)SECOND);
		peer_send_udp(a, &o, frame, sizeof(frame));
		outlet_run(&o);
	}
	assert_non_null(o.links[0]->link);
	assert_null(o.links[1]->link);
	assert_non_null(strstr(o.links[1]->reason, "nothing was heard for 1 min"));
	peer_send_udp(b, &o, frame, sizeof(frame));
	outlet_run(&o);
	assert_int_equal(o.links_n, 3);
	outlet_close(&o);
	(void)close(a);
	(void)close(b);
}

/* ICMP says that nobody has the port; that is loss, and the port may be opened again. */
static void a_udp_peer_that_is_away_is_no_end(void **state)
{
	uint8_t frame[60] = { 0 };
	(void)state;
	outlet_open(&o, "qemu-dgram:127.0.0.1:0");
	outlet_run(&o);
	int a = peer_udp(0);
	peer_send_udp(a, &o, frame, sizeof(frame));
	outlet_run(&o);
	(void)close(a);
	for (uint32_t i = 0; i < 10; i++) {
		outlet_send(&o, 0, 60, i);
		outlet_run(&o);
	}
	assert_non_null(o.links[0]->link);
	outlet_pass(&o, 11 * MINUTE);
	assert_null(o.links[0]->link);
	outlet_close(&o);
}

static void vfkit_says_that_it_is_there(void **state)
{
	(void)state;
	outlet_open(&o, spec_at("vfkit", "lan", ""));
	outlet_run(&o);
	int a = peer_connected("a", "lan"), b = peer_connected("b", "lan");
	assert_int_equal(send(a, "VFKT", 4, 0), 4);
	assert_int_equal(peer_send_frame(b, 60, 1), 0);
	assert_int_equal(send(b, "VFKX", 4, 0), 4);
	outlet_run(&o);
	assert_int_equal(o.links_n, 2);
	assert_int_equal(o.links[0]->inbox.n, 0);
	assert_int_equal(weft_link_stats(o.links[0]->link).rx_errors, 0);
	assert_int_equal(o.links[1]->inbox.n, 1);
	assert_int_equal(weft_link_stats(o.links[1]->link).rx_errors, 1);
	outlet_send(&o, 0, 60, 2);
	peer_expect_frame(a, 60, 2);
	outlet_close(&o);
	(void)close(a);
	(void)close(b);
	(void)unlink(test_path("a"));
	(void)unlink(test_path("b"));
}

/* Both ends are ours: the client makes itself known, and both may send. */
static void vfkit_client_and_server(void **state)
{
	static struct outlet client;
	char options[100];
	(void)state;
	outlet_open(&o, spec_at("vfkit", "lan", ""));
	(void)snprintf(options, sizeof(options), ",connect,local=%s", test_path("x"));
	outlet_open(&client, spec_at("vfkit", "lan", options));
	outlet_close(&client);
	outlet_open(&client, spec_at("vfkit", "lan", ",connect"));
	outlet_run(&o);
	outlet_run(&client);
	outlet_run(&o);
	assert_int_equal(o.links_n, 1);
	assert_int_equal(client.links_n, 1);
	outlet_send(&o, 0, 60, 1);
	outlet_send(&client, 0, 70, 2);
	outlet_run(&o);
	outlet_run(&client);
	assert_int_equal(o.links[0]->inbox.n, 1);
	assert_int_equal(client.links[0]->inbox.n, 1);
	outlet_close(&client);
	outlet_pass(&o, 2 * SENDERS_PROBE_NS);
	assert_null(o.links[0]->link);
	outlet_close(&o);
}

static void a_client_waits_for_its_server(void **state)
{
	(void)state;
	outlet_open(&o, spec_at("vfkit", "lan", ",connect"));
	outlet_pass(&o, 5 * (uint64_t)SECOND);
	assert_int_equal(o.links_n, 0);
	assert_int_equal(o.troubles, 1);
	assert_non_null(strstr(o.trouble, test_path("lan")));
	int server = peer_bound("lan");
	outlet_pass(&o, 2 * (uint64_t)SECOND);
	assert_int_equal(o.links_n, 1);
	peer_expect_text(server, "VFKT");
	/* The server goes and comes back; so does the client. */
	(void)close(server);
	(void)unlink(test_path("lan"));
	outlet_send(&o, 0, 60, 1);
	outlet_run(&o);
	assert_null(o.links[0]->link);
	server = peer_bound("lan");
	outlet_pass(&o, 2 * (uint64_t)SECOND);
	assert_int_equal(o.links_n, 2);
	peer_expect_text(server, "VFKT");
	outlet_close(&o);
	(void)close(server);
	(void)unlink(test_path("lan"));
}

static void bad_addresses_are_explained(void **state)
{
	struct weft_error err;
	(void)state;
	assert_int_equal(outlet_try(&o, "vfkit:5000", &err), -EINVAL);
	assert_non_null(strstr(err.text, "path"));
	assert_int_equal(outlet_try(&o, "qemu-dgram:/run/x,connect", &err), -EINVAL);
	assert_non_null(strstr(err.text, "remote="));
	assert_int_equal(outlet_try(&o, "qemu-dgram:/run/x,remote=5000", &err), -EINVAL);
	assert_non_null(strstr(err.text, "both"));
	assert_int_equal(outlet_try(&o, "qemu-dgram:230.0.0.1:1,via=x", &err), -EINVAL);
	assert_non_null(strstr(err.text, "via="));
	assert_int_equal(outlet_try(&o, "qemu-dgram:/nosuch/dir/x", &err), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_link_for_each_sender),
		cmocka_unit_test(the_longest_path_is_answered),
		cmocka_unit_test(a_runt_makes_no_peer),
		cmocka_unit_test(who_has_no_name_is_told_of),
		cmocka_unit_test(no_more_peers_than_agreed),
		cmocka_unit_test(a_closed_plug_keeps_its_peers),
		cmocka_unit_test(a_unix_peer_that_goes_is_noticed_by_sending),
		cmocka_unit_test(a_silent_unix_peer_is_looked_at),
		cmocka_unit_test(a_peer_that_stops_does_not_stop_others),
		cmocka_unit_test(udp_peers_age),
		cmocka_unit_test(a_udp_peer_that_is_away_is_no_end),
		cmocka_unit_test(vfkit_says_that_it_is_there),
		cmocka_unit_test(vfkit_client_and_server),
		cmocka_unit_test(a_client_waits_for_its_server),
		cmocka_unit_test(bad_addresses_are_explained),
	};
	return cmocka_run_group_tests(tests, test_dir_make, test_dir_remove);
}
