/* SPDX-License-Identifier: MIT */
/*
 * The kernel's devices through the table of operations: what holds of every system, and a
 * port on each kind of device.
 *
 *   [ socket 192.0.2.1 ] -- this namespace -- device == weft == 192.0.2.2, made up here
 */
#include "../link/device.h"

#include "../unit.h"
#include "netns.h"

#include <weft/device.h>
#include <weft/port.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 500

static struct device_case now_tested;
static int sock; /* On 192.0.2.1, port DEVICE_PORT. */

static unsigned tun = WEFT_DEVICE_TUN | WEFT_DEVICE_NO_PI;
static unsigned tap = WEFT_DEVICE_TAP | WEFT_DEVICE_NO_PI;
static unsigned tap_pi = WEFT_DEVICE_TAP;

/* Gives the device an address; 192.0.2.2 is then a neighbour that is known already. */
static void bring_up(const char *name, bool is_tap)
{
	sh("ip address add " DEVICE_LOCAL "/24 dev %s", name);
	sh("ip link set dev %s up", name);
	if (is_tap)
		sh("ip neigh add " DEVICE_REMOTE " lladdr 02:00:00:00:00:02 dev %s",
		   name);
}

static struct sockaddr_in socket_address(const char *ip, uint16_t port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(port) };
	assert_int_equal(inet_pton(AF_INET, ip, &addr.sin_addr), 1);
	return addr;
}

static void open_socket(void)
{
	const struct sockaddr_in local = socket_address(DEVICE_LOCAL, DEVICE_PORT);
	const void *generic = &local;
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(sock >= 0);
	assert_int_equal(bind(sock, generic, sizeof(local)), 0);
}

static void real_send(struct device_case *c, const void *payload, size_t len,
		      struct weft_ip *ret_ip, uint16_t *ret_port)
{
	const struct sockaddr_in remote = socket_address(DEVICE_REMOTE, DEVICE_PORT);
	const void *generic = &remote;
	(void)c;
	assert_int_equal(sendto(sock, payload, len, 0, generic, sizeof(remote)), len);
	assert_int_equal(weft_ip_parse(DEVICE_LOCAL, ret_ip), 0);
	*ret_port = DEVICE_PORT;
}

static int socket_receive(void *buf, size_t len)
{
	struct pollfd ready = { .fd = sock, .events = POLLIN };
	if (poll(&ready, 1, PATIENCE_MS) <= 0)
		return -EAGAIN;
	ssize_t n = recv(sock, buf, len, 0);
	return n < 0 ? -errno : (int)n;
}

static int real_receive(struct device_case *c, void *buf, size_t len)
{
	(void)c;
	return socket_receive(buf, len);
}

static int setup(void **state)
{
	const unsigned *flags = *state;
	netns_enter();
	now_tested = (struct device_case){
		.system = weft_device_real(),
		.flags = flags ? *flags : tap,
		.send = real_send,
		.receive = real_receive,
	};
	device_case_open(&now_tested, "weft0");
	bring_up("weft0", now_tested.flags & WEFT_DEVICE_TAP);
	open_socket();
	*state = &now_tested;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	(void)weft_device_close(now_tested.system, now_tested.fd);
	close(sock);
	return 0;
}

/* ---- what only the kernel shows ---------------------------------------------------------- */

static void descriptors_are_as_they_were_asked_for(void **state)
{
	const struct weft_device_system *real = weft_device_real();
	(void)state;
	int fd = weft_device_open(real, WEFT_DEVICE_PATH,
				  WEFT_DEVICE_RDWR | WEFT_DEVICE_NONBLOCK |
					  WEFT_DEVICE_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(weft_device_poll_fd(real, fd), fd);
	assert_int_equal(fcntl(fd, F_GETFL) & (O_NONBLOCK | O_ACCMODE),
			 O_NONBLOCK | O_RDWR);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(weft_device_close(real, fd), 0);
	fd = weft_device_open(real, WEFT_DEVICE_PATH, 0);
	assert_int_equal(fcntl(fd, F_GETFL) & (O_NONBLOCK | O_ACCMODE), O_RDONLY);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	assert_int_equal(weft_device_close(real, fd), 0);
}

/* What a read drops is gone, as in memory. */
static void a_read_drops_the_excess(void **state)
{
	uint8_t buf[10];
	struct weft_ip ip;
	uint16_t port;
	(void)state;
	now_tested.send(&now_tested, "a datagram", 10, &ip, &port);
	int n;
	while ((n = weft_device_read(now_tested.system, now_tested.fd, buf, 10)) >= 0)
		assert_int_equal(n, 10);
	assert_int_equal(n, -EAGAIN);
}

static void a_deleted_device_is_gone(void **state)
{
	uint8_t buf[2000];
	int n;
	(void)state;
	sh("ip link delete weft0");
	do {
		n = weft_device_read(now_tested.system, now_tested.fd, buf, sizeof(buf));
	} while (n > 0);
	assert_int_equal(n, -ENODEV);
	assert_int_equal(weft_device_write(now_tested.system, now_tested.fd, buf, 60),
			 -ENODEV);
}

/* ---- ports ------------------------------------------------------------------------------- */

static struct weft_protocol *ethernet, *ip, *udp;
static struct weft_loop *loop;
static struct weft_port *port;
static int ended_with;

static int on_datagram(struct weft_protocol *protocol, const struct weft_packet *packet)
{
	unsigned *n = protocol->user;
	++*n;
	weft_loop_stop(loop);
	return weft_udp_reply(packet, packet->data, packet->len);
}

static void on_ended(void *user, struct weft_port *which, int code)
{
	(void)user;
	(void)which;
	ended_with = code;
	weft_loop_stop(loop);
}

static unsigned datagrams;
static struct weft_protocol echo = { .layer = WEFT_LAYER_DATAGRAM,
				     .name = "echo",
				     .received = on_datagram,
				     .user = &datagrams };

/* The initial state says which kind; 192.0.2.2 answers on the port of the tests. */
static int setup_port(void **state)
{
	const unsigned *flags = *state;
	netns_enter();
	datagrams = 0;
	ended_with = 0;
	assert_int_equal(weft_protocol_new_ethernet(&ethernet), 0);
	assert_int_equal(weft_protocol_new_ip(NULL, &ip), 0);
	assert_int_equal(weft_protocol_new_udp(&udp), 0);
	assert_int_equal(weft_protocol_add(ethernet, 0x0800, ip, NULL), 0);
	assert_int_equal(weft_protocol_add(ip, 17, udp, NULL), 0);
	assert_int_equal(weft_protocol_add(udp, DEVICE_PORT, &echo, NULL), 0);
	assert_int_equal(weft_loop_new(NULL, &loop), 0);
	const struct weft_port_opts opts = {
		.name = "weft0",
		.protocol = *flags & WEFT_DEVICE_TAP ? ethernet : ip,
		.loop = loop,
		.events = { .ended = on_ended },
	};
	struct weft_error err = { "" };
	if (weft_port_new(&opts, &err, &port) < 0 || weft_port_start(port, &err) < 0)
		fail_msg("%s", err.text);
	return 0;
}

static int teardown_port(void **state)
{
	(void)state;
	weft_port_free(port);
	weft_protocol_free(ethernet);
	weft_protocol_free(ip);
	weft_protocol_free(udp);
	weft_loop_free(loop);
	return 0;
}

/* Twice, with a restart in between: the device is made, is gone, and is made again. */
static void a_datagram_is_echoed_by_the_loop(void **state)
{
	struct weft_ip src;
	uint16_t src_port;
	char got[20];
	(void)state;
	for (unsigned round = 1; round <= 2; round++) {
		struct weft_port_address address = weft_port_address(port);
		assert_string_equal(address.name, "weft0");
		bring_up(address.name, address.kind == WEFT_DEVICE_TAP);
		open_socket();
		real_send(NULL, "hello", 5, &src, &src_port);
		assert_int_equal(weft_loop_run(loop), 0);
		assert_int_equal(datagrams, round);
		assert_int_equal(socket_receive(got, sizeof(got)), 5);
		assert_memory_equal(got, "hello", 5);
		close(sock);
		weft_port_stop(port);
		assert_int_equal(if_nametoindex("weft0"), 0);
		assert_int_equal(weft_port_start(port, NULL), 0);
	}
}

static void a_port_whose_device_is_deleted_ends(void **state)
{
	(void)state;
	sh("ip link delete weft0");
	assert_int_equal(weft_loop_run(loop), 0);
	assert_int_equal(ended_with, -ENODEV);
	assert_false(weft_port_is_started(port));
	assert_int_equal(weft_port_start(port, NULL), 0);
}

/* EIO: as on a cable that is not plugged in, and nothing worse. */
static void a_device_that_is_not_up_refuses(void **state)
{
	static const uint8_t frame[60] = { 0x45 };
	(void)state;
	assert_int_equal(weft_port_write(port, frame, sizeof(frame)), -EIO);
	assert_true(weft_port_is_started(port));
	assert_int_equal(weft_port_stats(port).tx_errors, 1);
}

static void refusals_say_what_to_do(void **state)
{
	struct weft_protocol other = echo;
	struct weft_error err = { "" };
	struct weft_port *second;
	(void)state;
	other.layer = weft_port_address(port).kind == WEFT_DEVICE_TAP
			      ? WEFT_LAYER_ETHERNET
			      : WEFT_LAYER_PACKET;
	const struct weft_port_opts opts = { .name = "weft0", .protocol = &other };
	assert_int_equal(weft_port_new(&opts, &err, &second), 0);
	assert_int_equal(weft_port_start(second, &err), -EBUSY);
	assert_non_null(strstr(err.text, "another process has it"));
	weft_port_free(second);
	const struct weft_port_opts taken = { .name = "lo", .protocol = &other };
	assert_int_equal(weft_port_new(&taken, &err, &second), 0);
	assert_int_equal(weft_port_start(second, &err), -EINVAL);
	assert_non_null(strstr(err.text, "an interface of another kind has that name"));
	weft_port_free(second);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define ON_BOTH(f)                                              \
	{ #f " [tun]", f, setup_port, teardown_port, &tun },    \
	{                                                       \
#f " [tap]", f, setup_port, teardown_port, &tap \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DEVICE_TESTS("[tap]", setup, teardown, &tap),
		DEVICE_TESTS("[tap, pi]", setup, teardown, &tap_pi),
		DEVICE_TESTS("[tun]", setup, teardown, &tun),
		TEST(a_missing_device_cannot_be_opened),
		TEST(descriptors_are_as_they_were_asked_for),
		TEST(a_read_drops_the_excess),
		TEST(a_deleted_device_is_gone),
		ON_BOTH(a_datagram_is_echoed_by_the_loop),
		ON_BOTH(a_port_whose_device_is_deleted_ends),
		ON_BOTH(a_device_that_is_not_up_refuses),
		ON_BOTH(refusals_say_what_to_do),
	};
	const char *lack = netns_lacks_tun();
	return lack ? skip_all(lack) : cmocka_run_group_tests(tests, NULL, NULL);
}
