/* SPDX-License-Identifier: MIT */
/*
 * XLink Kai: Dolphin's words to our engine, an engine's words to us, and both ends of ours.
 */
#include "wire/kai.h"

#include "../unit.h"
#include "outlet.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What Dolphin sends, to the byte. */
#define CONNECT                      \
	"connect;dolphin-7;dolphin;" \
	"000000000000000000000000000000000000000000"

static struct outlet o;

static void say(int fd, const char *text)
{
	peer_send_udp(fd, &o, text, strlen(text));
	outlet_run(&o);
}

static int open_with_dolphin(void)
{
	outlet_open(&o, "kai:127.0.0.1:0");
	outlet_run(&o);
	int fd = peer_udp(0);
	say(fd, CONNECT);
	peer_expect_text(fd, "connected;dolphin-7;");
	assert_int_equal(o.links_n, 1);
	return fd;
}

static void close_with(int fd)
{
	outlet_close(&o);
	(void)close(fd);
}

static void dolphin_connects_and_plays(void **state)
{
	uint8_t buf[2048];
	(void)state;
	int fd = open_with_dolphin();
	memcpy(buf, "e;e;", 4);
	struct weft_frame frame = numbered_frame(buf + 4, 60, 7);
	peer_send_udp(fd, &o, buf, 64);
	outlet_run(&o);
	assert_int_equal(o.links[0]->inbox.n, 1);
	assert_same_frame(&o.links[0]->inbox.frames[0], &frame);
	outlet_send(&o, 0, 100, 8);
	assert_int_equal(peer_recv(fd, buf, sizeof(buf)), 104);
	assert_memory_equal(buf, "e;e;", 4);
	say(fd, "setting;chat;true;");
	say(fd, "keepalive;");
	peer_expect_nothing(fd);
	assert_int_equal(weft_link_stats(o.links[0]->link).rx_errors, 0);
	say(fd, "nonsense;");
	say(fd, "e;e;too short");
	assert_int_equal(weft_link_stats(o.links[0]->link).rx_errors, 2);
	say(fd, "disconnect;dolphin-7;0000000000000000000000000000000000000000000");
	peer_expect_text(fd, "disconnected;dolphin-7;goodbye;");
	peer_expect_nothing(fd);
	assert_null(o.links[0]->link);
	close_with(fd);
}

static void frames_of_strangers_are_not_taken(void **state)
{
	(void)state;
	outlet_open(&o, "kai:127.0.0.1:0");
	outlet_run(&o);
	int fd = peer_udp(0);
	say(fd, "e;e;0123456789012345678901234567890");
	say(fd, "keepalive;");
	say(fd, "connect;;x;");
	assert_int_equal(o.links_n, 0);
	peer_expect_nothing(fd);
	close_with(fd);
}

static void an_engine_is_discovered_now_and_then(void **state)
{
	(void)state;
	outlet_open(&o, "kai:127.0.0.1:0");
	outlet_run(&o);
	int fd = peer_udp(0);
	say(fd, "discover;");
	say(fd, "discover;");
	peer_expect_text(fd, "xlink_here;");
	peer_expect_nothing(fd);
	outlet_pass(&o, 2 * (uint64_t)SECOND);
	say(fd, "discover;");
	peer_expect_text(fd, "xlink_here;");
	assert_int_equal(o.links_n, 0);
	close_with(fd);
}

/* Who is silent is asked, and who answers stays. */
static void keepalives(void **state)
{
	(void)state;
	int fd = open_with_dolphin();
	for (unsigned i = 0; i < 20; i++) {
		outlet_pass(&o, 10 * (uint64_t)SECOND);
		peer_expect_text(fd, "keepalive;");
		say(fd, "keepalive;");
	}
	peer_expect_nothing(fd);
	assert_non_null(o.links[0]->link);
	outlet_pass(&o, 60 * (uint64_t)SECOND);
	assert_null(o.links[0]->link);
	assert_non_null(strstr(o.links[0]->reason, "nothing was heard"));
	close_with(fd);
}

static void the_same_name_from_elsewhere(void **state)
{
	(void)state;
	int fd = open_with_dolphin();
	int again = peer_udp(0);
	say(again, CONNECT);
	peer_expect_text(again, "connected;dolphin-7;");
	peer_expect_text(fd, "disconnected;dolphin-7;dolphin-7 connected from another "
			     "address;");
	assert_int_equal(o.links_n, 2);
	assert_null(o.links[0]->link);
	assert_non_null(o.links[1]->link);
	/* From the same address it is one and the same. */
	say(again, CONNECT);
	peer_expect_text(again, "connected;dolphin-7;");
	assert_int_equal(o.links_n, 2);
	(void)close(again);
	close_with(fd);
}

static void there_is_no_room(void **state)
{
	(void)state;
	int fd = open_with_dolphin();
	o.plug->links_max = 1;
	int other = peer_udp(0);
	say(other, "connect;other;x;");
	peer_expect_text(other, "disconnected;other;there is no room;");
	assert_int_equal(o.links_n, 1);
	assert_int_equal(o.troubles, 1);
	(void)close(other);
	close_with(fd);
}

static void the_end_is_told(void **state)
{
	(void)state;
	int fd = open_with_dolphin();
	outlet_close(&o);
	peer_expect_text(fd, "disconnected;dolphin-7;weft ends;");
	(void)close(fd);
}

/* ---- an engine of somebody else's -------------------------------------------------------- */

static int engine_open(union weft_sockaddr *from)
{
	char spec[80], text[256];
	union weft_sockaddr own;
	socklen_t len = sizeof(own);
	int fd = peer_udp(0);
	assert_int_equal(getsockname(fd, &own.sa, &len), 0);
	(void)snprintf(spec, sizeof(spec), "kai:127.0.0.1:%u,connect,id=me",
		       weft_sockaddr_port(&own));
	outlet_open(&o, spec);
	outlet_run(&o);
	len = sizeof(*from);
	ssize_t got = recvfrom(fd, text, sizeof(text) - 1, 0, &from->sa, &len);
	assert_true(got > 0);
	text[got] = '\0';
	assert_int_equal(strncmp(text, "connect;me;weft;", 16), 0);
	return fd;
}

static void engine_says(int fd, const union weft_sockaddr *to, const char *text)
{
	assert_int_equal(sendto(fd, text, strlen(text), 0, &to->sa, sizeof(to->in)),
			 strlen(text));
	outlet_run(&o);
}

static void we_connect_to_an_engine(void **state)
{
	union weft_sockaddr us;
	char text[256];
	(void)state;
	int fd = engine_open(&us);
	assert_int_equal(o.links_n, 0);
	engine_says(fd, &us, "connected;somebody;");
	assert_int_equal(o.links_n, 0);
	/* It asks again until it is heard. */
	outlet_pass(&o, SECOND);
	assert_true(recv(fd, text, sizeof(text), 0) > 16);
	engine_says(fd, &us, "connected;me;");
	assert_int_equal(o.links_n, 1);
	engine_says(fd, &us, "keepalive;");
	peer_expect_text(fd, "keepalive;");
	engine_says(fd, &us, "chat;hello;");
	outlet_send(&o, 0, 60, 1);
	assert_int_equal(recv(fd, text, sizeof(text), 0), 64);
	engine_says(fd, &us, "disconnected;me;kicked;");
	assert_null(o.links[0]->link);
	assert_string_equal(o.links[0]->reason, "the engine ended it: kicked");
	peer_expect_nothing(fd);
	outlet_pass(&o, SECOND);
	assert_true(recv(fd, text, sizeof(text), 0) > 16);
	close_with(fd);
}

static void an_engine_that_is_silent_or_refuses(void **state)
{
	union weft_sockaddr us;
	(void)state;
	int fd = engine_open(&us);
	engine_says(fd, &us, "disconnected;me;full;");
	assert_int_equal(o.troubles, 1);
	assert_non_null(strstr(o.trouble, "full"));
	outlet_pass(&o, 8 * (uint64_t)SECOND);
	assert_int_equal(o.troubles, 2);
	assert_non_null(strstr(o.trouble, "does not answer"));
	assert_int_equal(o.links_n, 0);
	close_with(fd);
}

static void goodbye_is_said(void **state)
{
	union weft_sockaddr us;
	(void)state;
	int fd = engine_open(&us);
	engine_says(fd, &us, "connected;me;");
	outlet_close(&o);
	peer_expect_text(fd, "disconnect;me;");
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dolphin_connects_and_plays),
		cmocka_unit_test(frames_of_strangers_are_not_taken),
		cmocka_unit_test(an_engine_is_discovered_now_and_then),
		cmocka_unit_test(keepalives),
		cmocka_unit_test(the_same_name_from_elsewhere),
		cmocka_unit_test(there_is_no_room),
		cmocka_unit_test(the_end_is_told),
		cmocka_unit_test(we_connect_to_an_engine),
		cmocka_unit_test(an_engine_that_is_silent_or_refuses),
		cmocka_unit_test(goodbye_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
