/* SPDX-License-Identifier: MIT */
/*
 * What a TCP connection keeps unsent (tcp(7), TCP_NOTSENT_LOWAT) when its peer does not read: why
 * a slow stream's chunks are sent apart (src/http/direct.h).
 */
#include "../unit.h"
#include "io/socket.h"
#include "netns.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define UNSENT_MAX 16384u
#define PIECE_LEN  4096u

typedef int send_fn(int fd, const struct socket_piece *pieces, size_t n);

static int make_pair(int fds[2])
{
	const int small = 65536;
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	void *generic = &addr;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (bind(listener, generic, len) < 0 || listen(listener, 1) < 0 ||
	    getsockname(listener, generic, &len) < 0 || connect(fds[0], generic, len) < 0)
		return -errno;
	fds[1] = accept(listener, NULL, NULL);
	(void)close(listener);
	return fds[1] < 0 ? -errno : 0;
}

/* Sends pieces until no more are taken; returns how much is unsent then. */
static unsigned unsent_with(send_fn *fn)
{
	static const uint8_t bytes[PIECE_LEN];
	const struct socket_piece piece = { bytes, sizeof(bytes) };
	int fds[2] = { -1, -1 }, unsent = -1, r = 0;
	assert_int_equal(make_pair(fds), 0);
	assert_int_equal(socket_tune(fds[0], NULL), 0);
	socket_set_unsent(fds[0], UNSENT_MAX);
	while (r >= 0)
		r = fn(fds[0], &piece, 1);
	assert_int_equal(r, -EAGAIN);
	assert_int_equal(ioctl(fds[0], SIOCOUTQNSD, &unsent), 0);
	(void)close(fds[0]);
	(void)close(fds[1]);
	return (unsigned)unsent;
}

static void what_is_sent_apart_keeps_to_its_limit(void **state)
{
	(void)state;
	assert_in_range(unsent_with(socket_send_apart), UNSENT_MAX / 2,
			UNSENT_MAX + PIECE_LEN);
}

static void else_it_is_added_to_what_is_there(void **state)
{
	(void)state;
	assert_true(unsent_with(socket_send) > UNSENT_MAX + PIECE_LEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_sent_apart_keeps_to_its_limit),
		cmocka_unit_test(else_it_is_added_to_what_is_there),
	};
	const char *lack = netns_lacks();
	return lack ? skip_all(lack) : cmocka_run_group_tests(tests, NULL, NULL);
}
