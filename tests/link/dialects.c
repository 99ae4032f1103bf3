/* SPDX-License-Identifier: MIT */
/*
 * Every stream dialect at both ends: as it listens to a client that speaks its bytes, and as
 * it connects to itself; VPNKit's handshake; and auto, which has to find out.
 */
#include "../unit.h"
#include "base/array.h"
#include "link/plug.h"
#include "outlet.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct outlet o, other;
static char spec[300];

static const char *spec_of(const char *kind, const char *options)
{
	(void)snprintf(spec, sizeof(spec), "%s:%s%s", kind, test_path("s"), options);
	return spec;
}

static int client(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const void *generic = &addr;
	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", test_path("s"));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, generic, sizeof(addr)), 0);
	return fd;
}

static void say(int fd, const void *bytes, size_t n)
{
	assert_int_equal(write(fd, bytes, n), (ssize_t)n);
}

static void assert_heard(int fd, const void *bytes, size_t n)
{
	uint8_t got[1024];
	assert_int_equal(read(fd, got, sizeof(got)), (ssize_t)n);
	assert_memory_equal(got, bytes, n);
}

/* An ARP request of tapserver's documentation, and its reply: 42 bytes each. */
static const uint8_t request[] =
	"\xff\xff\xff\xff\xff\xff\2\0\0\0\0\2\x08\6\0\1\x08\0\6\4\0\1\2\0\0\0\0\2\xac\x1e"
	"\0\2\0\0\0\0\0\0\xac\x1e\0\1";
static const uint8_t reply[] = "\2\0\0\0\0\2\x90\x90\x90\x90\x90\x90\x08\6\0\1\x08\0\6\4"
			       "\0\2\x90\x90\x90\x90\x90\x90"
			       "\xac\x1e\0\1\2\0\0\0\0\2\xac\x1e\0\2";
#define ARP_FRAME 42u

static const struct dialect {
	const char *kind;
	const char *hdr;
	size_t hdr_len;
	const char *found; /* What auto calls it. */
} dialects[] = {
	{ "tapserver", "\x2a\0", 2, "tapserver, " },
	{ "bare", "", 0, "bare, " },
	{ "qemu", "\0\0\0\x2a", 4, "qemu, " },
	{ "gvproxy", "\x2a\0", 2, "tapserver, " },
	{ "vde-stream", "\0\x2a", 2, "vde-stream, " },
};

static size_t framed(const struct dialect *d, const uint8_t *frame, uint8_t *buf)
{
	memcpy(buf, d->hdr, d->hdr_len);
	memcpy(buf + d->hdr_len, frame, ARP_FRAME);
	return d->hdr_len + ARP_FRAME;
}

static void send_reply(struct outlet *from, size_t i)
{
	static uint8_t buf[sizeof(reply)];
	memcpy(buf, reply, sizeof(buf));
	const struct weft_frame frame = { .data = buf, .len = ARP_FRAME };
	weft_link_send(from->links[i]->link, &frame, 1, from->now);
}

static void each_answers_in_its_bytes(void **state)
{
	uint8_t buf[64];
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(dialects); i++) {
		outlet_open(&o, spec_of(dialects[i].kind, ""));
		int fd = client();
		outlet_run(&o);
		say(fd, buf, framed(&dialects[i], request, buf));
		outlet_run(&o);
		assert_int_equal(o.links[0]->inbox.n, 1);
		assert_int_equal(o.links[0]->inbox.frames[0].len, ARP_FRAME);
		assert_memory_equal(o.links[0]->inbox.frames[0].data, request, ARP_FRAME);
		send_reply(&o, 0);
		assert_heard(fd, buf, framed(&dialects[i], reply, buf));
		(void)close(fd);
		outlet_close(&o);
	}
}

static void each_connects_to_itself(void **state)
{
	static const char *const kinds[] = { "tapserver", "bare",       "qemu",
					     "gvproxy",   "vde-stream", "vpnkit" };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		outlet_open(&o, spec_of(kinds[i], ""));
		outlet_open(&other, spec_of(kinds[i], ",connect"));
		for (unsigned turn = 0; turn < 6; turn++) {
			outlet_run(&other);
			outlet_run(&o);
		}
		send_reply(&o, 0);
		send_reply(&other, 0);
		outlet_run(&o);
		outlet_run(&other);
		assert_int_equal(o.links[0]->inbox.n, 1);
		assert_int_equal(other.links[0]->inbox.n, 1);
		assert_memory_equal(other.links[0]->inbox.frames[0].data, reply,
				    ARP_FRAME);
		outlet_close(&other);
		outlet_close(&o);
	}
}

static void frames_for_dolphin_end_at_2048(void **state)
{
	struct weft_error err;
	struct outlet refused;
	(void)state;
	outlet_open(&o, spec_of("tapserver", ""));
	int fd = client();
	outlet_run(&o);
	assert_int_equal(weft_link_caps(o.links[0]->link).frame_len_max, 2048);
	outlet_send(&o, 0, 2049, 1);
	assert_int_equal(weft_link_stats(o.links[0]->link).tx_too_long, 1);
	(void)close(fd);
	outlet_close(&o);

	outlet_open(&o, spec_of("tapserver", ",max=9000"));
	fd = client();
	outlet_run(&o);
	assert_int_equal(weft_link_caps(o.links[0]->link).frame_len_max, 9000);
	(void)close(fd);
	outlet_close(&o);
	assert_true(outlet_try(&refused, spec_of("tapserver", ",max=64k"), &err) < 0);
}

static void what_cannot_be_sized_ends_that_peer_only(void **state)
{
	static const uint8_t lldp[60] = "\1\x80\xc2\0\0\x0e\2\0\0\0\0\1\x88\xcc";
	(void)state;
	outlet_open(&o, spec_of("bare", ""));
	int a = client(), b = client();
	outlet_run(&o);
	say(a, request, ARP_FRAME);
	say(a, lldp, sizeof(lldp));
	say(b, request, ARP_FRAME);
	outlet_run(&o);
	assert_int_equal(o.links[0]->inbox.n, 1);
	assert_null(o.links[0]->link);
	assert_non_null(strstr(o.links[0]->reason, "0x88cc"));
	assert_non_null(strstr(o.links[0]->reason, "framed mode"));
	assert_non_null(o.links[1]->link);
	assert_int_equal(o.links[1]->inbox.n, 1);
	(void)close(a);
	(void)close(b);
	outlet_close(&o);
}

/* ---- VPNKit ------------------------------------------------------------------------------ */

static void make_init(uint8_t init[49])
{
	memcpy(init, "VMN3T\x16\0\0\0", 9);
	memset(init + 9, 'c', 40);
}

static void make_command(uint8_t command[41])
{
	memset(command, 0, 41);
	command[0] = 1;
	memset(command + 1, 'u', 36);
}

static void a_vpnkit_client_is_given_a_port(void **state)
{
	uint8_t init[49], command[41], answer[258], buf[64];
	(void)state;
	make_init(init);
	make_command(command);
	outlet_open(&o, spec_of("vpnkit", ",mac=02:00:00:00:00:09,mtu=1400"));
	int fd = client();
	outlet_run(&o);
	for (size_t i = 0; i < sizeof(init); i++) {
		say(fd, init + i, 1);
		outlet_run(&o);
	}
	assert_heard(fd, init, sizeof(init));
	say(fd, command, sizeof(command));
	outlet_run(&o);
	assert_int_equal(read(fd, answer, sizeof(answer)), (ssize_t)sizeof(answer));
	assert_memory_equal(answer, "\1\x78\5\x86\5\2\0\0\0\0\x09\0", 12);
	assert_int_equal(weft_link_caps(o.links[0]->link).frame_len_max, 1414);
	say(fd, buf, framed(&dialects[0], request, buf));
	outlet_run(&o);
	assert_int_equal(o.links[0]->inbox.n, 1);
	send_reply(&o, 0);
	assert_heard(fd, buf, framed(&dialects[0], reply, buf));
	(void)close(fd);
	outlet_close(&o);
}

static void a_vpnkit_server_is_believed(void **state)
{
	struct weft_mac mac;
	(void)state;
	outlet_open(&o, spec_of("vpnkit", ",mac=02:00:00:00:00:09,mtu=1400"));
	outlet_open(&other, spec_of("vpnkit", ",connect"));
	for (unsigned turn = 0; turn < 6; turn++) {
		outlet_run(&other);
		outlet_run(&o);
	}
	assert_true(weft_link_mac(other.links[0]->link, &mac));
	assert_memory_equal(mac.octet, "\2\0\0\0\0\x09", 6);
	assert_int_equal(weft_link_caps(other.links[0]->link).frame_len_max, 1414);
	outlet_close(&other);
	outlet_close(&o);
}

static void vpnkit_peers_that_are_none(void **state)
{
	uint8_t init[49], command[41];
	(void)state;
	make_init(init);
	make_command(command);
	command[0] = 77;
	outlet_open(&o, spec_of("vpnkit", ""));
	int fds[3] = { client(), client(), client() };
	outlet_run(&o);
	say(fds[0], "VMN2", 4);
	say(fds[1], init, sizeof(init));
	say(fds[1], command, sizeof(command));
	outlet_pass(&o, 9 * (uint64_t)SECOND);
	assert_non_null(strstr(o.links[0]->reason, "does not speak vpnkit"));
	assert_non_null(strstr(o.links[1]->reason, "command 77"));
	assert_non_null(o.links[2]->link);
	outlet_pass(&o, SECOND);
	assert_non_null(strstr(o.links[2]->reason, "in time"));
	for (size_t i = 0; i < 3; i++)
		(void)close(fds[i]);
	outlet_close(&o);
}

/* ---- auto -------------------------------------------------------------------------------- */

static void auto_finds_each(void **state)
{
	uint8_t buf[64];
	(void)state;
	outlet_open(&o, spec_of("auto", ""));
	for (size_t i = 0; i < ARRAY_LEN(dialects); i++) {
		int fd = client();
		outlet_run(&o);
		assert_int_equal(o.links_n, i);
		size_t len = framed(&dialects[i], request, buf);
		for (size_t at = 0; at < len; at++) {
			say(fd, buf + at, 1);
			outlet_run(&o);
		}
		assert_int_equal(o.links_n, i + 1);
		assert_memory_equal(o.links[i]->peer, dialects[i].found,
				    strlen(dialects[i].found));
		assert_int_equal(o.links[i]->inbox.n, 1);
		assert_memory_equal(o.links[i]->inbox.frames[0].data, request, ARP_FRAME);
		send_reply(&o, i);
		assert_heard(fd, buf, framed(&dialects[i], reply, buf));
		(void)close(fd);
	}
	assert_int_equal(o.troubles, 0);
	outlet_close(&o);
}

static void auto_shakes_hands_with_vpnkit(void **state)
{
	uint8_t init[49], command[41], answer[258];
	(void)state;
	make_init(init);
	make_command(command);
	outlet_open(&o, spec_of("auto", ""));
	int fd = client();
	say(fd, init, 20);
	outlet_run(&o);
	assert_memory_equal(o.links[0]->peer, "vpnkit, ", 8);
	say(fd, init + 20, sizeof(init) - 20);
	outlet_run(&o);
	assert_heard(fd, init, sizeof(init));
	say(fd, command, sizeof(command));
	outlet_run(&o);
	assert_int_equal(read(fd, answer, sizeof(answer)), (ssize_t)sizeof(answer));
	(void)close(fd);
	outlet_close(&o);
}

static void auto_says_what_it_cannot_take(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *says;
	} peers[] = {
		{ "\xce\xfa\xed\xfe\3\0\0\0", 8, "use vde:PATH" },
		{ "\x2e\0\x7e\xff\x7d\x23", 6, "use modem:" },
		{ "GET / HTTP/1.0\r\n\r\n", 18, "name the dialect" },
	};
	(void)state;
	outlet_open(&o, spec_of("auto", ""));
	for (size_t i = 0; i < ARRAY_LEN(peers); i++) {
		uint8_t byte;
		int fd = client();
		say(fd, peers[i].bytes, peers[i].len);
		outlet_pass(&o, 3 * (uint64_t)SECOND);
		assert_int_equal(o.troubles, i + 1);
		assert_non_null(strstr(o.trouble, peers[i].says));
		assert_true(read(fd, &byte, 1) <= 0);
		(void)close(fd);
	}
	assert_int_equal(o.links_n, 0);
	outlet_close(&o);
}

/* Silence has no end but that of the room; a beginning without an end has one. */
static void silence_gives_way(void **state)
{
	uint8_t buf[64];
	int fds[4];
	(void)state;
	outlet_open(&o, spec_of("auto", ""));
	o.plug->links_max = 2;
	fds[0] = client();
	fds[1] = client();
	outlet_pass(&o, 3600 * (uint64_t)SECOND);
	assert_int_equal(o.troubles, 0);
	fds[2] = client();
	say(fds[2], buf, framed(&dialects[0], request, buf));
	outlet_run(&o);
	assert_int_equal(o.links_n, 1);
	assert_int_equal(read(fds[0], buf, 1), 0); /* The longest silent one. */
	say(fds[1], "\0\0", 2);
	outlet_run(&o);
	fds[3] = client();
	outlet_run(&o);
	assert_non_null(strstr(o.trouble, "no room"));
	assert_int_equal(read(fds[3], buf, 1), 0);
	outlet_pass(&o, 2 * (uint64_t)SECOND);
	assert_int_equal(o.troubles, 2);
	assert_int_equal(weft_plug_links(o.plug), 1);
	for (size_t i = 0; i < 4; i++)
		(void)close(fds[i]);
	outlet_close(&o);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, test_dir_make, test_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_answers_in_its_bytes),
		TEST(each_connects_to_itself),
		TEST(frames_for_dolphin_end_at_2048),
		TEST(what_cannot_be_sized_ends_that_peer_only),
		TEST(a_vpnkit_client_is_given_a_port),
		TEST(a_vpnkit_server_is_believed),
		TEST(vpnkit_peers_that_are_none),
		TEST(auto_finds_each),
		TEST(auto_shakes_hands_with_vpnkit),
		TEST(auto_says_what_it_cannot_take),
		TEST(silence_gives_way),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
