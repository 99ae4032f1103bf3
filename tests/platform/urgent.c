/* SPDX-License-Identifier: MIT */
/*
 * Urgent data between the stack and the kernel, over a TAP with offload.
 *
 *   [ socket ] -- kernel 10.77.0.1 -- weft0 == stack 10.77.0.2 -- [ weft socket ]
 */
#include "../unit.h"
#include "netns.h"
#include "workbench.h"

#include <weft/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PORT        7
#define LONG        100000u
#define PATIENCE_NS 60000000000u

struct lab {
	struct weft_loop *loop;
	struct weft_link *link;
	struct weft_stack *stack;
	struct weft_sockets *sockets;
	int listener, ours; /* Of the stack. */
	int fd;             /* Of the kernel. */
};

static uint64_t now_of(const struct lab *lab)
{
	return weft_loop_now(lab->loop);
}

/* ---- the two hosts ----------------------------------------------------------------------- */

static bool is_connected(struct lab *lab)
{
	lab->ours = weft_socket_accept(lab->sockets, lab->listener, now_of(lab));
	return lab->ours >= 0;
}

static bool has_all(struct lab *lab, size_t len)
{
	struct weft_tcp_info info;
	return weft_socket_info(lab->sockets, lab->ours, &info) == 0 &&
	       info.unread == len;
}

static bool kernel_has_all(const struct lab *lab, size_t len)
{
	int n = 0;
	return ioctl(lab->fd, SIOCINQ, &n) == 0 && (size_t)n == len;
}

static void turn(const struct lab *lab)
{
	struct pollfd fd = { .fd = weft_loop_fd(lab->loop), .events = POLLIN };
	assert_true(poll(&fd, 1, 10) >= 0);
	(void)weft_loop_turn(lab->loop);
}

#define UNTIL(lab, condition)                              \
	do {                                               \
		uint64_t end_ = clock_now() + PATIENCE_NS; \
		while (!(condition)) {                     \
			assert_true(clock_now() < end_);   \
			turn(lab);                         \
		}                                          \
	} while (0)

static void listen_at_port(struct lab *lab)
{
	union weft_sockaddr local;
	assert_int_equal(weft_listen_parse("10.77.0.2:7", &local), 0);
	assert_int_equal(weft_sockets_new(lab->stack, NULL, &lab->sockets), 0);
	lab->listener = weft_socket_open(lab->sockets, AF_INET, SOCK_STREAM);
	assert_int_equal(weft_socket_bind(lab->sockets, lab->listener, &local), 0);
	assert_int_equal(weft_socket_listen(lab->sockets, lab->listener, 0), 0);
}

static void connect_kernel(struct lab *lab)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	const void *generic = &to;
	assert_int_equal(inet_pton(AF_INET, "10.77.0.2", &to.sin_addr), 1);
	lab->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(lab->fd >= 0);
	assert_int_equal(connect(lab->fd, generic, sizeof(to)), -1);
	assert_int_equal(errno, EINPROGRESS);
	UNTIL(lab, is_connected(lab));
}

static int setup(void **state)
{
	static struct lab lab;
	const struct weft_stack_opts opts = {
		.secret = (const uint8_t *)"0123456789abcdef"
	};
	struct weft_iface *iface;
	struct weft_ip ip;
	netns_enter();
	lab.link = open_link("tap:weft0");
	sh("ip address add 10.77.0.1/24 dev weft0");
	sh("ip link set dev weft0 up");
	assert_int_equal(weft_loop_new(NULL, &lab.loop), 0);
	uint64_t now = now_of(&lab);
	assert_int_equal(weft_stack_new(&opts, now, &lab.stack), 0);
	assert_int_equal(weft_stack_add_interface(lab.stack, lab.link, NULL, now, &iface),
			 0);
	assert_int_equal(weft_ip_parse("10.77.0.2/24", &ip), 0);
	assert_int_equal(weft_iface_add_address(iface, &ip, WEFT_ADDRESS_NO_ACD, now), 0);
	assert_int_equal(weft_loop_add(lab.loop, weft_stack_task(lab.stack)), 0);
	assert_int_equal(weft_loop_add(lab.loop, weft_link_task(lab.link)), 0);
	listen_at_port(&lab);
	connect_kernel(&lab);
	*state = &lab;
	return 0;
}

static int teardown(void **state)
{
	struct lab *lab = *state;
	close(lab->fd);
	weft_sockets_free(lab->sockets, now_of(lab));
	weft_loop_remove(lab->loop, weft_stack_task(lab->stack));
	weft_loop_remove(lab->loop, weft_link_task(lab->link));
	weft_stack_free(lab->stack);
	weft_link_free(lab->link);
	weft_loop_free(lab->loop);
	return 0;
}

/* ---- what the stack is sent -------------------------------------------------------------- */

static void the_kernel_s_mark_is_seen(void **state)
{
	struct lab *lab = *state;
	struct weft_tcp_info info;
	char buf[16];
	assert_int_equal(send(lab->fd, "before", 6, 0), 6);
	assert_int_equal(send(lab->fd, "!", 1, MSG_OOB), 1);
	assert_int_equal(send(lab->fd, "after", 5, 0), 5);
	UNTIL(lab, has_all(lab, 12));
	assert_true((unsigned)weft_socket_poll(lab->sockets, lab->ours) & WEFT_URGENT);
	assert_int_equal(weft_socket_info(lab->sockets, lab->ours, &info), 0);
	assert_int_equal(info.urgent, 7);
	assert_int_equal(weft_socket_recv(lab->sockets, lab->ours, buf, 16, now_of(lab)),
			 6);
	assert_memory_equal(buf, "before", 6);
	assert_int_equal(weft_socket_at_mark(lab->sockets, lab->ours), 1);
	assert_int_equal(weft_socket_recv(lab->sockets, lab->ours, buf, 16, now_of(lab)),
			 6);
	assert_memory_equal(buf, "!after", 6);
	assert_int_equal(weft_socket_at_mark(lab->sockets, lab->ours), 0);
	assert_false((unsigned)weft_socket_poll(lab->sockets, lab->ours) & WEFT_URGENT);
}

/* More than the pointer's 16 bits, from which the kernel's segments have to count. */
static void a_long_one_from_the_kernel(void **state)
{
	struct lab *lab = *state;
	static char data[LONG];
	size_t sent = 0, got = 0;
	while (sent < LONG) {
		ssize_t n = send(lab->fd, data + sent, LONG - sent, MSG_OOB);
		if (n > 0)
			sent += (size_t)n;
		turn(lab);
	}
	UNTIL(lab, has_all(lab, LONG));
	while (weft_socket_at_mark(lab->sockets, lab->ours) == 0) {
		int n = weft_socket_recv(lab->sockets, lab->ours, data, LONG,
					 now_of(lab));
		assert_true(n > 0);
		got += (size_t)n;
	}
	assert_int_equal(got, LONG - 1);
}

/* ---- what it sends ----------------------------------------------------------------------- */

static void write_ours(const struct lab *lab, const char *text)
{
	size_t len = strlen(text);
	assert_int_equal(
		weft_socket_send(lab->sockets, lab->ours, text, len, now_of(lab)), len);
}

static bool is_urgent(const struct lab *lab)
{
	struct pollfd fd = { .fd = lab->fd, .events = POLLPRI };
	return poll(&fd, 1, 0) == 1 && fd.revents & POLLPRI;
}

static void send_a_mark(const struct lab *lab)
{
	write_ours(lab, "before");
	assert_int_equal(
		weft_socket_send_urgent(lab->sockets, lab->ours, "!", 1, now_of(lab)), 1);
	write_ours(lab, "after");
	UNTIL(lab, is_urgent(lab));
}

/* The kernel takes the byte before the pointer out of the stream: it is the right one. */
static void the_kernel_finds_the_byte(void **state)
{
	struct lab *lab = *state;
	char buf[16];
	send_a_mark(lab);
	assert_int_equal(recv(lab->fd, buf, 16, MSG_OOB), 1);
	assert_int_equal(buf[0], '!');
	assert_int_equal(recv(lab->fd, buf, 16, 0), 6);
	assert_memory_equal(buf, "before", 6);
	UNTIL(lab, recv(lab->fd, buf, 16, MSG_PEEK) == 5);
	assert_memory_equal(buf, "after", 5);
}

static void set_inline(const struct lab *lab)
{
	const int on = 1;
	assert_int_equal(setsockopt(lab->fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on)),
			 0);
}

static void the_kernel_finds_it_in_line(void **state)
{
	struct lab *lab = *state;
	char buf[16];
	int is_there = 0;
	set_inline(lab);
	send_a_mark(lab);
	UNTIL(lab, kernel_has_all(lab, 6) || kernel_has_all(lab, 12));
	assert_int_equal(recv(lab->fd, buf, 16, 0), 6);
	assert_memory_equal(buf, "before", 6);
	assert_int_equal(ioctl(lab->fd, SIOCATMARK, &is_there), 0);
	assert_int_equal(is_there, 1);
	UNTIL(lab, recv(lab->fd, buf, 16, MSG_PEEK) == 6);
	assert_memory_equal(buf, "!after", 6);
}

/* Of super-segments, too, and of more than the pointer can say. */
static void a_long_one_to_the_kernel(void **state)
{
	struct lab *lab = *state;
	static char data[LONG];
	size_t got = 0;
	int is_there = 0;
	set_inline(lab);
	assert_int_equal(
		weft_socket_send_urgent(lab->sockets, lab->ours, data, LONG, now_of(lab)),
		LONG);
	while (got < LONG - 1) {
		ssize_t n = recv(lab->fd, data, LONG, 0);
		if (n > 0)
			got += (size_t)n;
		turn(lab);
	}
	assert_int_equal(got, LONG - 1);
	assert_int_equal(ioctl(lab->fd, SIOCATMARK, &is_there), 0);
	assert_int_equal(is_there, 1);
	assert_int_equal(recv(lab->fd, data, LONG, 0), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_kernel_s_mark_is_seen, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_long_one_from_the_kernel, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_kernel_finds_the_byte, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_kernel_finds_it_in_line, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_long_one_to_the_kernel, setup,
						teardown),
	};
	const char *lack = netns_lacks_tun();
	return lack ? skip_all(lack) : cmocka_run_group_tests(tests, NULL, NULL);
}
