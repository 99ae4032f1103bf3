/* SPDX-License-Identifier: MIT */
/*
 * Chunks through a socket that takes them in pieces: what comes out, taken apart, is what was
 * said to have gone.
 */
#include "http/direct.h"

#include "../unit.h"
#include "http/chunks.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TURNS 2000u

struct fixture {
	int reader;
	struct direct direct;
	struct chunks chunks;
	uint64_t said, heard; /* Bytes of the body. */
	uint8_t out[70000], in[70000];
};

/* Byte i of the body, wherever it lies. */
static uint8_t byte_at(uint64_t i)
{
	return (uint8_t)(i * 31 >> 3);
}

static int setup(void **state)
{
	const int small = 4096;
	int fds[2];
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		return -1;
	struct fixture *f = calloc(1, sizeof(*f));
	if (!f)
		return -1;
	(void)setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	direct_open(&f->direct, fds[0], NULL);
	f->reader = fds[1];
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	(void)close(f->direct.conduit.fd);
	(void)close(f->reader);
	direct_close(&f->direct);
	free(f);
	return 0;
}

/* Up to three pieces of what comes next; returns how many. */
static size_t make_pieces(struct fixture *f, struct socket_piece pieces[3],
			  size_t *ret_len)
{
	size_t n = 1 + (size_t)rand() % 3, off = 0;
	for (size_t i = 0; i < n; i++) {
		size_t len = 1 + (size_t)rand() % (rand() % 4 == 0 ? 20000u : 300u);
		pieces[i] = (struct socket_piece){ f->out + off, len };
		off += len;
	}
	for (size_t i = 0; i < off; i++)
		f->out[i] = byte_at(f->said + i);
	*ret_len = off;
	return n;
}

static void say(struct fixture *f)
{
	struct socket_piece pieces[3];
	size_t len;
	size_t n = make_pieces(f, pieces, &len);
	if (direct_is_blocked(&f->direct)) {
		int r = direct_flush(&f->direct);
		assert_true(r == 0 || r == -EAGAIN);
		assert_int_equal(direct_is_blocked(&f->direct), r == -EAGAIN);
		return;
	}
	bool must = rand() % 2;
	int r = must ? direct_send(&f->direct, pieces, n)
		     : direct_try(&f->direct, pieces, n);
	assert_true(r == 0 || (!must && r == -EAGAIN));
	if (r == 0)
		f->said += len;
	else
		assert_false(direct_is_blocked(&f->direct));
}

static void hear(struct fixture *f, size_t max)
{
	ssize_t len = recv(f->reader, f->in, max, MSG_DONTWAIT);
	for (size_t off = 0; len > 0 && off < (size_t)len;) {
		struct chunks_part part;
		assert_int_equal(
			chunks_next(&f->chunks, f->in + off, (size_t)len - off, &part),
			0);
		for (size_t i = 0; i < part.len; i++)
			assert_int_equal(f->in[off + part.skip + i],
					 byte_at(f->heard + i));
		f->heard += part.len;
		off += part.skip + part.len;
	}
}

static void nothing_is_lost_or_doubled(void **state)
{
	struct fixture *f = *state;
	srand((unsigned)test_seed());
	for (unsigned i = 0; i < TURNS; i++) {
		say(f);
		if (rand() % 3 == 0)
			hear(f, 1 + (size_t)rand() % sizeof(f->in));
		assert_true(f->heard <= f->said);
	}
	while (direct_is_blocked(&f->direct)) {
		hear(f, sizeof(f->in));
		say(f);
	}
	for (unsigned i = 0; i < 100 && f->heard < f->said; i++)
		hear(f, sizeof(f->in));
	assert_true(f->said > 0);
	assert_int_equal(f->heard, f->said);
}

static void a_socket_that_is_full_is_offered_less(void **state)
{
	struct fixture *f = *state;
	const size_t wide = direct_room(&f->direct);
	for (unsigned i = 0; i < 1000 && !direct_is_blocked(&f->direct); i++)
		say(f);
	assert_true(direct_is_blocked(&f->direct));
	assert_true(direct_room(&f->direct) < wide);
}

static bool goes_apart(struct fixture *f, size_t len)
{
	const struct socket_piece piece = { f->out, len };
	assert_int_equal(direct_send(&f->direct, &piece, 1), 0);
	const bool is_apart = f->direct.conduit.is_apart;
	while (direct_is_blocked(&f->direct)) {
		assert_int_equal(f->direct.conduit.is_apart, is_apart);
		assert_true(recv(f->reader, f->in, sizeof(f->in), MSG_DONTWAIT) > 0);
		int r = direct_flush(&f->direct);
		assert_true(r == 0 || r == -EAGAIN);
	}
	return is_apart;
}

static void chunks_of_a_slow_stream_go_apart(void **state)
{
	struct fixture *f = *state;
	assert_false(goes_apart(f, 100));
	assert_true(goes_apart(f, 8192));
	assert_true(goes_apart(f, 60000));
	assert_false(goes_apart(f, 65536));
}

static void a_reader_that_has_gone(void **state)
{
	struct fixture *f = *state;
	const struct socket_piece piece = { f->out, 10 };
	(void)shutdown(f->reader, SHUT_RDWR);
	assert_int_equal(direct_send(&f->direct, &piece, 1), -EPIPE);
	assert_int_equal(direct_try(&f->direct, &piece, 1), -EPIPE);
	assert_false(direct_is_blocked(&f->direct));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_lost_or_doubled),
		TEST(a_socket_that_is_full_is_offered_less),
		TEST(chunks_of_a_slow_stream_go_apart),
		TEST(a_reader_that_has_gone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
