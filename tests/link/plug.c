/* SPDX-License-Identifier: MIT */
/*
 * What all plugs on a stream socket have in common, seen with qemu: peers that come and go,
 * by listening, by connecting and by an inherited descriptor; how many; and the same as one
 * link (link/solo.h).
 */
#include "link/plug.h"

#include "../unit.h"
#include "base/fmt.h"
#include "outlet.h"
#include "wire/cursor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct outlet o;
static struct inbox box;
static struct weft_error err;
static char spec[300];

static const char *spec_of(const char *kind, const char *name, const char *options)
{
	(void)snprintf(spec, sizeof(spec), "%s:%s%s", kind, test_path(name), options);
	return spec;
}

static int stream_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	return fd;
}

static struct sockaddr_un name_of(const char *name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", test_path(name));
	return addr;
}

/* A client of the path. */
static int client(const char *name)
{
	const struct sockaddr_un addr = name_of(name);
	const void *generic = &addr;
	int fd = stream_socket();
	assert_int_equal(connect(fd, generic, sizeof(addr)), 0);
	return fd;
}

/* A server that the plug may connect to. */
static int server(const char *name)
{
	const struct sockaddr_un addr = name_of(name);
	const void *generic = &addr;
	int fd = stream_socket();
	assert_int_equal(bind(fd, generic, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

/* Says a numbered frame as QEMU does. */
static void say(int fd, uint32_t number)
{
	uint8_t bytes[64];
	store_be32(bytes, 60);
	(void)numbered_frame(bytes + 4, 60, number);
	assert_int_equal(write(fd, bytes, sizeof(bytes)), (ssize_t)sizeof(bytes));
}

static void assert_heard(int fd, uint32_t number)
{
	uint8_t bytes[128];
	assert_int_equal(read(fd, bytes, sizeof(bytes)), 64);
	const struct weft_frame frame = { .data = bytes + 4, .len = 60 };
	assert_int_equal(load_be32(bytes), 60);
	assert_int_equal(frame_number(&frame), number);
}

static void assert_closed(int fd)
{
	uint8_t byte;
	assert_int_equal(read(fd, &byte, 1), 0);
}

/* ---- listening --------------------------------------------------------------------------- */

static void peers_come_and_go(void **state)
{
	(void)state;
	outlet_open(&o, spec_of("qemu", "s", ""));
	assert_string_equal(weft_plug_address(o.plug), test_path("s"));
	int a = client("s"), b = client("s");
	outlet_run(&o);
	assert_int_equal(weft_plug_links(o.plug), 2);
	assert_non_null(strstr(o.links[0]->peer, "pid"));
	assert_string_equal(weft_link_name(o.links[1]->link), "qemu-2");
	say(a, 1);
	say(b, 2);
	outlet_run(&o);
	assert_int_equal(frame_number(&o.links[0]->inbox.frames[0]), 1);
	assert_int_equal(frame_number(&o.links[1]->inbox.frames[0]), 2);
	outlet_send(&o, 1, 60, 3);
	assert_heard(b, 3);

	say(a, 4);
	(void)close(a);
	outlet_run(&o);
	assert_int_equal(o.links[0]->inbox.n, 2);
	assert_null(o.links[0]->link);
	assert_string_equal(o.links[0]->reason, "the peer has gone");
	assert_int_equal(weft_plug_links(o.plug), 1);
	assert_false(weft_plug_is_over(o.plug));

	a = client("s");
	outlet_run(&o);
	assert_string_equal(weft_link_name(o.links[2]->link), "qemu-3");
	outlet_close(&o);
	assert_closed(a);
	assert_closed(b);
	assert_false(test_path_exists("s"));
	(void)close(a);
	(void)close(b);
}

static void one_too_many_is_refused_and_told_once(void **state)
{
	int fds[5];
	(void)state;
	outlet_open(&o, spec_of("qemu", "s", ""));
	o.plug->links_max = 3;
	for (size_t i = 0; i < 5; i++)
		fds[i] = client("s");
	outlet_run(&o);
	assert_int_equal(weft_plug_links(o.plug), 3);
	assert_int_equal(o.troubles, 1);
	assert_non_null(strstr(o.trouble, "refused a peer, as 3 are plugged in"));
	assert_closed(fds[4]);
	(void)close(fds[0]);
	outlet_run(&o);
	(void)close(fds[3]);
	fds[3] = client("s");
	outlet_run(&o);
	assert_int_equal(weft_plug_links(o.plug), 3);
	say(fds[3], 7);
	outlet_run(&o);
	assert_int_equal(frame_number(&o.links[3]->inbox.frames[0]), 7);
	for (size_t i = 1; i < 5; i++)
		(void)close(fds[i]);
	outlet_close(&o);
}

static void a_dropped_peer_is_told_why(void **state)
{
	(void)state;
	outlet_open(&o, spec_of("impair::qemu", "s", ""));
	o.plug->spec = strdup(spec);
	int fd = client("s");
	outlet_run(&o);
	weft_plug_drop(o.plug, o.links[0]->link, "not welcome");
	assert_int_equal(weft_plug_links(o.plug), 1); /* Freed in the plug's run only. */
	outlet_run(&o);
	assert_int_equal(weft_plug_links(o.plug), 0);
	assert_string_equal(o.links[0]->reason, "not welcome");
	assert_closed(fd);
	(void)close(fd);
	outlet_close(&o);
}

/* Each peer has a capture of its own, however long the name of the first one is. */
static void peers_have_captures_of_their_own(void **state)
{
	char whole[1000];
	struct fmt f;
	(void)state;
	fmt_init(&f, whole, sizeof(whole));
	fmt_add(&f, "capture:%s", test_path(""));
	while (f.off < 400)
		fmt_add(&f, "./");
	fmt_add(&f, "c.pcap:%s", spec_of("qemu", "s", ""));
	outlet_open(&o, fmt_text(&f));
	o.plug->spec = strdup(fmt_text(&f));
	int a = client("s"), b = client("s");
	outlet_run(&o);
	assert_int_equal(weft_plug_links(o.plug), 2);
	assert_true(test_path_exists("c.pcap"));
	assert_true(test_path_exists("c.pcap.2"));
	outlet_close(&o);
	(void)close(a);
	(void)close(b);
	(void)unlink(test_path("c.pcap"));
	(void)unlink(test_path("c.pcap.2"));
}

static void a_closed_plug_keeps_its_peers(void **state)
{
	const struct sockaddr_un addr = name_of("s");
	const void *generic = &addr;
	(void)state;
	outlet_open(&o, spec_of("qemu", "s", ""));
	int fd = client("s"), late = stream_socket();
	outlet_run(&o);
	weft_plug_close(o.plug);
	assert_false(test_path_exists("s"));
	assert_int_equal(connect(late, generic, sizeof(addr)), -1);
	say(fd, 5);
	outlet_run(&o);
	assert_int_equal(o.links[0]->inbox.n, 1);
	assert_false(weft_plug_is_over(o.plug));
	(void)close(fd);
	outlet_run(&o);
	assert_true(weft_plug_is_over(o.plug));
	(void)close(late);
	outlet_close(&o);
}

/* Of two who wait, the second is not taken when the first has made the plug close. */
static void the_first_peer_can_be_the_only_one(void **state)
{
	(void)state;
	outlet_open(&o, spec_of("qemu", "s", ""));
	o.closes = true;
	int first = client("s"), second = client("s");
	outlet_run(&o);
	assert_int_equal(o.links_n, 1);
	assert_int_equal(o.troubles, 0);
	uint8_t byte;
	assert_int_equal(read(second, &byte, 1), -1);
	assert_int_equal(errno, ECONNRESET);
	(void)close(first);
	(void)close(second);
	outlet_close(&o);
}

/* Without descriptors the plug pauses, and the peer waits in the backlog meanwhile. */
static void without_descriptors_it_pauses(void **state)
{
	struct rlimit limit, few;
	(void)state;
	outlet_open(&o, spec_of("qemu", "s", ""));
	int fd = client("s");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	few = (struct rlimit){ (rlim_t)fd + 1, limit.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	outlet_run(&o);
	assert_int_equal(o.links_n, 0);
	assert_int_equal(o.troubles, 1);
	assert_non_null(strstr(o.trouble, "cannot accept a peer"));
	assert_int_equal(outlet_deadline(&o), o.now + SECOND);
	outlet_pass(&o, 3 * (uint64_t)SECOND);
	assert_int_equal(o.troubles, 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	outlet_pass(&o, SECOND);
	assert_int_equal(weft_plug_links(o.plug), 1);
	(void)close(fd);
	outlet_close(&o);
}

/* A peer that does not read fills its own queue; the others get everything. */
static void a_slow_peer_is_nobody_elses_trouble(void **state)
{
	(void)state;
	outlet_open(&o, spec_of("qemu", "s", ",queue=64k"));
	int slow = client("s"), quick = client("s");
	outlet_run(&o);
	for (uint32_t i = 0; i < 20000; i++) {
		outlet_send(&o, 0, 60, i);
		outlet_send(&o, 1, 60, i);
		assert_heard(quick, i);
		outlet_run(&o);
	}
	assert_true(weft_link_stats(o.links[0]->link).tx_dropped > 0);
	assert_int_equal(weft_link_stats(o.links[1]->link).tx_dropped, 0);
	(void)close(slow);
	(void)close(quick);
	outlet_close(&o);
}

/* ---- connecting -------------------------------------------------------------------------- */

static void it_connects_again(void **state)
{
	(void)state;
	outlet_open(&o, spec_of("qemu", "s", ",connect"));
	outlet_pass(&o, 5 * (uint64_t)SECOND);
	assert_int_equal(o.links_n, 0);
	assert_int_equal(o.troubles, 1);
	assert_non_null(strstr(o.trouble, "nobody listens yet"));

	int listener = server("s");
	outlet_pass(&o, SECOND);
	assert_int_equal(weft_plug_links(o.plug), 1);
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	say(fd, 1);
	outlet_run(&o);
	assert_int_equal(o.links[0]->inbox.n, 1);

	(void)close(fd);
	outlet_run(&o);
	assert_int_equal(weft_plug_links(o.plug), 0);
	assert_false(weft_plug_is_over(o.plug));
	assert_int_equal(outlet_deadline(&o), o.now + SECOND);
	outlet_pass(&o, SECOND);
	assert_int_equal(weft_plug_links(o.plug), 1);
	outlet_close(&o);
	assert_true(test_path_exists("s")); /* It is not the plug's. */
	(void)unlink(test_path("s"));
	(void)close(listener);
}

static void tcp_connects_both_ways(void **state)
{
	static struct outlet dialler;
	(void)state;
	outlet_open(&o, "qemu:127.0.0.1:0");
	(void)snprintf(spec, sizeof(spec), "qemu:%s,connect", weft_plug_address(o.plug));
	assert_null(strstr(spec, ":0,"));
	outlet_open(&dialler, spec);
	/* Loopback connects while connect(2) lasts, or soon after it. */
	for (unsigned i = 0; i < 1000 && dialler.links_n + o.links_n < 2; i++) {
		outlet_run(&dialler);
		outlet_run(&o);
	}
	assert_int_equal(o.links_n, 1);
	assert_non_null(strstr(o.links[0]->peer, "127.0.0.1:"));
	outlet_send(&dialler, 0, 60, 1);
	outlet_send(&o, 0, 60, 2);
	outlet_run(&o);
	outlet_run(&dialler);
	assert_int_equal(frame_number(&o.links[0]->inbox.frames[0]), 1);
	assert_int_equal(frame_number(&dialler.links[0]->inbox.frames[0]), 2);
	outlet_close(&o);
	outlet_run(&dialler);
	assert_null(dialler.links[0]->link);
	outlet_pass(&dialler, SECOND);
	assert_non_null(strstr(dialler.trouble, "nobody listens there"));
	outlet_close(&dialler);
}

/* ---- inherited descriptors --------------------------------------------------------------- */

static void an_inherited_socket_is_one_peer(void **state)
{
	int fds[2];
	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	(void)snprintf(spec, sizeof(spec), "qemu:fd:%d", fds[0]);
	outlet_open(&o, spec);
	assert_false(weft_plug_is_over(o.plug));
	outlet_run(&o);
	say(fds[1], 1);
	outlet_run(&o);
	assert_int_equal(o.links[0]->inbox.n, 1);
	assert_int_equal(fcntl(fds[0], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	(void)close(fds[1]);
	outlet_run(&o);
	assert_null(o.links[0]->link);
	assert_true(weft_plug_is_over(o.plug));
	assert_true(outlet_deadline(&o) == WEFT_NEVER);
	outlet_close(&o);
}

static void an_inherited_listener_is_listened_on(void **state)
{
	(void)state;
	int listener = server("s");
	(void)snprintf(spec, sizeof(spec), "qemu:fd:%d", listener);
	outlet_open(&o, spec);
	int a = client("s"), b = client("s");
	outlet_run(&o);
	assert_int_equal(weft_plug_links(o.plug), 2);
	outlet_close(&o);
	assert_true(test_path_exists("s"));
	(void)unlink(test_path("s"));
	(void)close(a);
	(void)close(b);
}

static void descriptors_that_will_not_do(void **state)
{
	int fds[2];
	(void)state;
	assert_int_equal(outlet_try(&o, "qemu:fd:999", &err), -EBADF);
	assert_non_null(strstr(err.text, "fd:999 is not open"));
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	(void)snprintf(spec, sizeof(spec), "qemu:fd:%d", fds[0]);
	assert_int_equal(outlet_try(&o, spec, &err), -EPROTOTYPE);
	assert_non_null(strstr(err.text, "is a datagram socket"));
	(void)close(fds[0]);
	(void)close(fds[1]);
	assert_int_equal(pipe(fds), 0);
	(void)snprintf(spec, sizeof(spec), "qemu:fd:%d", fds[0]);
	assert_int_equal(outlet_try(&o, spec, &err), -ENOTSOCK);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void kinds_that_are_no_plugs(void **state)
{
	(void)state;
	assert_int_equal(outlet_try(&o, "tap:x", &err), -EINVAL);
	assert_non_null(strstr(err.text, "tap is no plug; plugs are: tapserver, "));
	assert_int_equal(outlet_try(&o, "tpa:x", &err), -EINVAL);
	assert_non_null(strstr(err.text, "unknown kind \"tpa\"; there are: capture, "
					 "impair, tapserver, "));
	assert_null(strstr(err.text, "packet"));
	assert_int_equal(outlet_try(&o, "eth0", &err), -EINVAL);
	assert_non_null(strstr(err.text, "such as qemu:"));
	assert_true(weft_plug_is_spec("impair:loss=1%:qemu:/tmp/x"));
	assert_false(weft_plug_is_spec("impair:loss=1%:tap:x"));
	assert_false(weft_plug_is_spec("nonsense"));
}

/* ---- on a loop --------------------------------------------------------------------------- */

static void note_plugged(void *user, struct weft_link *link, const char *peer,
			 uint64_t now)
{
	(void)peer;
	(void)now;
	weft_link_on_receive(link, inbox_receive, &box);
	weft_loop_stop(user);
}

static void note_unplugged(void *user, struct weft_link *link, uint64_t now)
{
	(void)link;
	(void)now;
	weft_loop_stop(user);
}

static void a_loop_runs_it(void **state)
{
	static const struct weft_plug_events events = { .plugged = note_plugged,
							.unplugged = note_unplugged };
	struct weft_loop *loop;
	struct weft_plug *plug;
	(void)state;
	assert_int_equal(weft_loop_new(NULL, &loop), 0);
	const struct weft_plug_opts opts = { .spec = spec_of("qemu", "s", ""),
					     .events = &events,
					     .user = loop };
	assert_int_equal(weft_plug_new(&opts, loop, &err, &plug), 0);
	int fd = client("s");
	weft_loop_run(loop);
	assert_int_equal(weft_plug_links(plug), 1);
	say(fd, 3);
	(void)close(fd);
	weft_loop_run(loop);
	assert_int_equal(weft_plug_links(plug), 0);
	assert_int_equal(box.n, 1);
	inbox_clear(&box);
	weft_plug_free(plug);
	weft_loop_free(loop);
}

/* ---- as a single link -------------------------------------------------------------------- */

static struct weft_link *solo;

static void solo_open_spec(const char *text)
{
	if (weft_link_open(text, &err, &solo) < 0)
		fail_msg("%s", err.text);
	weft_link_on_receive(solo, inbox_receive, &box);
}

static void solo_send(uint32_t number)
{
	uint8_t buf[60];
	struct weft_frame frame = numbered_frame(buf, sizeof(buf), number);
	weft_link_send(solo, &frame, 1, 1);
}

static void run_solo(void)
{
	for (unsigned i = 0; i < 4; i++)
		link_run_at(solo, 1);
}

static void one_link_has_one_peer_after_the_other(void **state)
{
	(void)state;
	solo_open_spec(spec_of("qemu", "s", ""));
	solo_send(1);
	assert_int_equal(weft_link_stats(solo).tx_dropped, 1);
	int a = client("s");
	run_solo();
	solo_send(2);
	assert_heard(a, 2);
	int b = client("s");
	say(b, 4); /* It waits in the backlog, and is not refused. */
	say(a, 3);
	run_solo();
	assert_int_equal(box.n, 1);
	assert_int_equal(frame_number(&box.frames[0]), 3);

	(void)close(a);
	run_solo();
	assert_false(weft_link_is_down(solo));
	assert_int_equal(box.n, 2);
	assert_int_equal(frame_number(&box.frames[1]), 4);
	solo_send(5);
	assert_heard(b, 5);
	assert_int_equal(weft_link_stats(solo).rx_frames, 2);
	assert_int_equal(weft_link_stats(solo).tx_frames, 2);
	assert_true(link_deadline(solo) == WEFT_NEVER);
	(void)close(b);
	weft_link_free(solo);
	inbox_clear(&box);
}

static void a_link_that_connects_ends_with_its_peer(void **state)
{
	(void)state;
	assert_int_equal(weft_link_open(spec_of("qemu", "s", ",connect"), &err, &solo),
			 -ENOENT);
	assert_non_null(strstr(err.text, "nobody listens yet"));
	int listener = server("s");
	solo_open_spec(spec_of("qemu", "s", ",connect"));
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	run_solo();
	solo_send(1);
	assert_heard(fd, 1);
	(void)close(fd);
	run_solo();
	assert_true(weft_link_is_down(solo));
	assert_string_equal(weft_link_down_reason(solo), "the peer has gone");
	assert_true(link_deadline(solo) == WEFT_NEVER);
	weft_link_free(solo);
	(void)unlink(test_path("s"));
	(void)close(listener);
}

static void errors_of_peers_outlive_them(void **state)
{
	uint8_t zero[4] = { 0 };
	(void)state;
	solo_open_spec(spec_of("qemu", "s", ""));
	for (unsigned i = 1; i <= 3; i++) {
		int fd = client("s");
		assert_int_equal(write(fd, zero, sizeof(zero)), 4);
		(void)close(fd);
		run_solo();
		assert_int_equal(weft_link_stats(solo).rx_errors, i);
	}
	weft_link_free(solo);
}

/* Room in the socket is waited for through the wrapper and the poller. */
static void a_wrapped_link_sends_what_it_kept(void **state)
{
	uint32_t sent = 0, heard = 0;
	uint8_t bytes[64];
	(void)state;
	(void)snprintf(spec, sizeof(spec), "capture:%s:qemu:%s", test_path("log"),
		       test_path("s"));
	solo_open_spec(spec);
	int fd = client("s");
	run_solo();
	while (sent < 6000)
		solo_send(sent++);
	assert_int_equal(weft_link_stats(solo).tx_dropped, 0);
	while (heard < sent) {
		ssize_t got = read(fd, bytes, sizeof(bytes));
		if (got < 0) {
			assert_int_equal(errno, EAGAIN);
			struct weft_task *task = weft_link_task(solo);
			struct pollfd p = { .fd = task->fd, .events = POLLIN };
			assert_true(link_deadline(solo) == 0 || poll(&p, 1, 0) == 1);
			task->run(task, 2);
			continue;
		}
		assert_int_equal(got, 64);
		heard++;
	}
	(void)close(fd);
	weft_link_free(solo);
	(void)unlink(test_path("log"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, test_dir_make, test_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(peers_come_and_go),
		TEST(one_too_many_is_refused_and_told_once),
		TEST(a_dropped_peer_is_told_why),
		TEST(peers_have_captures_of_their_own),
		TEST(a_closed_plug_keeps_its_peers),
		TEST(the_first_peer_can_be_the_only_one),
		TEST(without_descriptors_it_pauses),
		TEST(a_slow_peer_is_nobody_elses_trouble),
		TEST(it_connects_again),
		TEST(tcp_connects_both_ways),
		TEST(an_inherited_socket_is_one_peer),
		TEST(an_inherited_listener_is_listened_on),
		TEST(descriptors_that_will_not_do),
		TEST(kinds_that_are_no_plugs),
		TEST(a_loop_runs_it),
		TEST(one_link_has_one_peer_after_the_other),
		TEST(a_link_that_connects_ends_with_its_peer),
		TEST(errors_of_peers_outlive_them),
		TEST(a_wrapped_link_sends_what_it_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
