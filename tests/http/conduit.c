/* SPDX-License-Identifier: MIT */
/*
 * Bytes through a small socket, plain and in TLS: what comes out is what was said to have been
 * taken, whatever the pieces were and wherever the socket stopped.
 */
#include "http/conduit.h"

#include "../unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TURNS   600u
#define OUT_MAX 100000u

/* The sides: one sends, the other receives. */
enum { SENDER, RECEIVER, SIDES };

struct fixture {
	int fds[SIDES];
	gnutls_session_t sessions[SIDES]; /* NULL without TLS. */
	gnutls_psk_client_credentials_t client;
	gnutls_psk_server_credentials_t server;
	struct conduit conduits[SIDES];
	uint64_t said, heard;
	uint8_t out[OUT_MAX], in[OUT_MAX];
};

static uint8_t byte_at(uint64_t i)
{
	return (uint8_t)(i * 31 >> 3);
}

/* ---- a session between the two ----------------------------------------------------------- */

static int give_key(gnutls_session_t session, const char *name, gnutls_datum_t *ret_key)
{
	(void)session;
	(void)name;
	ret_key->data = gnutls_calloc(1, 16);
	ret_key->size = 16;
	return 0;
}

static void begin_session(struct fixture *f, unsigned side, unsigned flags)
{
	gnutls_session_t *session = &f->sessions[side];
	assert_int_equal(gnutls_init(session, flags | GNUTLS_NONBLOCK), 0);
	assert_int_equal(gnutls_priority_set_direct(
				 *session, "NORMAL:-KX-ALL:+ECDHE-PSK:+PSK", NULL),
			 0);
	gnutls_transport_set_int(*session, f->fds[side]);
}

/* record_max: bytes of a record that the receiver takes; 0 for as many as there can be. */
static void shake_hands(struct fixture *f, size_t record_max)
{
	uint8_t zeros[16] = { 0 };
	const gnutls_datum_t key = { zeros, sizeof(zeros) };
	int r[SIDES] = { GNUTLS_E_AGAIN, GNUTLS_E_AGAIN };
	assert_int_equal(gnutls_psk_allocate_client_credentials(&f->client), 0);
	assert_int_equal(gnutls_psk_set_client_credentials(f->client, "weft", &key,
							   GNUTLS_PSK_KEY_RAW),
			 0);
	assert_int_equal(gnutls_psk_allocate_server_credentials(&f->server), 0);
	gnutls_psk_set_server_credentials_function(f->server, give_key);
	begin_session(f, SENDER, GNUTLS_CLIENT);
	begin_session(f, RECEIVER, GNUTLS_SERVER);
	if (record_max)
		assert_int_equal(gnutls_record_set_max_recv_size(f->sessions[RECEIVER],
								 record_max),
				 0);
	assert_int_equal(
		gnutls_credentials_set(f->sessions[SENDER], GNUTLS_CRD_PSK, f->client),
		0);
	assert_int_equal(
		gnutls_credentials_set(f->sessions[RECEIVER], GNUTLS_CRD_PSK, f->server),
		0);
	for (unsigned turn = 0; turn < 100 && (r[0] || r[1]); turn++)
		for (unsigned side = 0; side < SIDES; side++)
			if (r[side])
				r[side] = gnutls_handshake(f->sessions[side]);
	assert_int_equal(r[SENDER], 0);
	assert_int_equal(r[RECEIVER], 0);
}

static struct fixture *fixture_new(bool has_tls, size_t record_max)
{
	const int small = 4096;
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, f->fds), 0);
	(void)setsockopt(f->fds[SENDER], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	if (has_tls)
		shake_hands(f, record_max);
	for (unsigned side = 0; side < SIDES; side++)
		conduit_open(&f->conduits[side], f->fds[side], f->sessions[side],
			     CONDUIT_BOTH);
	return f;
}

static int setup_plain(void **state)
{
	*state = fixture_new(false, 0);
	return 0;
}

static int setup_tls(void **state)
{
	*state = fixture_new(true, 0);
	return 0;
}

/* RFC 8449. */
static int setup_short_records(void **state)
{
	*state = fixture_new(true, 600);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	for (unsigned side = 0; side < SIDES; side++) {
		conduit_close(&f->conduits[side]);
		if (f->sessions[side])
			gnutls_deinit(f->sessions[side]);
		(void)close(f->fds[side]);
	}
	if (f->client)
		gnutls_psk_free_client_credentials(f->client);
	if (f->server)
		gnutls_psk_free_server_credentials(f->server);
	free(f);
	return 0;
}

/* ---- what goes and comes ----------------------------------------------------------------- */

/* Up to four pieces of what comes next, small ones and some longer than a record. */
static size_t make_pieces(struct fixture *f, struct socket_piece pieces[4])
{
	size_t n = 1 + (size_t)rand() % 4, off = 0;
	for (size_t i = 0; i < n; i++) {
		size_t len = 1 + (size_t)rand() % (rand() % 3 == 0 ? 24000u : 300u);
		pieces[i] = (struct socket_piece){ f->out + off, len };
		off += len;
	}
	for (size_t i = 0; i < off; i++)
		f->out[i] = byte_at(f->said + i);
	return n;
}

static void say(struct fixture *f)
{
	struct socket_piece pieces[4];
	size_t n = make_pieces(f, pieces);
	int r = conduit_send(&f->conduits[SENDER], pieces, n);
	assert_true(r > 0 || r == -EAGAIN);
	f->said += r > 0 ? (uint64_t)r : 0;
}

static int hear(struct fixture *f)
{
	int r = conduit_recv(&f->conduits[RECEIVER], f->in, sizeof(f->in));
	for (int i = 0; i < r; i++)
		assert_int_equal(f->in[i], byte_at(f->heard + (unsigned)i));
	f->heard += r > 0 ? (uint64_t)r : 0;
	return r;
}

/* All that was taken, to the last byte. */
static void hear_out(struct fixture *f)
{
	int r = -EAGAIN;
	for (unsigned i = 0; i < 1000 && (r < 0 || f->heard < f->said); i++) {
		r = conduit_flush(&f->conduits[SENDER]);
		assert_true(r == 0 || r == -EAGAIN);
		(void)hear(f);
	}
	assert_int_equal(r, 0);
	assert_int_equal(f->heard, f->said);
	assert_int_equal(hear(f), -EAGAIN);
}

/* A socket that is full to the byte takes nothing, and so nothing becomes pending. */
static void say_until_pending(struct fixture *f)
{
	for (unsigned i = 0; i < 1000 && !conduit_is_pending(&f->conduits[SENDER]); i++) {
		const uint64_t before = f->said;
		say(f);
		if (f->said == before)
			(void)hear(f);
	}
	assert_true(conduit_is_pending(&f->conduits[SENDER]));
}

static void nothing_is_lost_or_doubled(void **state)
{
	struct fixture *f = *state;
	srand((unsigned)test_seed());
	for (unsigned i = 0; i < TURNS; i++) {
		say(f);
		if (rand() % 3 == 0)
			(void)hear(f);
		assert_true(f->heard <= f->said);
	}
	assert_true(f->said > 0);
	hear_out(f);
}

static void a_full_socket_says_so(void **state)
{
	struct fixture *f = *state;
	struct conduit *c = &f->conduits[SENDER];
	const struct socket_piece piece = { f->out, 1 };
	say_until_pending(f);
	assert_int_equal(conduit_flush(c), -EAGAIN);
	assert_int_equal(conduit_send(c, &piece, 1), -EAGAIN);
	hear_out(f);
	assert_false(conduit_is_pending(c));
}

static void a_regular_end(void **state)
{
	struct fixture *f = *state;
	say(f);
	hear_out(f);
	if (f->sessions[SENDER])
		assert_int_equal(gnutls_bye(f->sessions[SENDER], GNUTLS_SHUT_WR), 0);
	else
		(void)shutdown(f->fds[SENDER], SHUT_WR);
	assert_int_equal(hear(f), 0);
	assert_int_equal(hear(f), 0);
}

static void a_connection_that_is_cut(void **state)
{
	struct fixture *f = *state;
	const struct socket_piece piece = { f->out, 10 };
	(void)shutdown(f->fds[SENDER], SHUT_RDWR);
	assert_int_equal(hear(f), -ECONNRESET);
	for (unsigned side = 0; side < SIDES; side++) {
		int r = conduit_send(&f->conduits[side], &piece, 1);
		assert_true(r == -ECONNRESET || r == -EPIPE);
	}
}

/* Its library goes on reading by functions, and from a place, of its own. */
static void one_way_alone(void **state)
{
	struct fixture *f = *state;
	gnutls_session_t session = f->sessions[SENDER];
	gnutls_transport_ptr_t in, out;
	struct conduit c;
	gnutls_transport_set_ptr2(session, f, f);
	conduit_open(&c, f->fds[SENDER], session, CONDUIT_OUT);
	gnutls_transport_get_ptr2(session, &in, &out);
	assert_ptr_equal(in, f);
	assert_ptr_not_equal(out, f);
	say(f);
	hear_out(f);
}

/* Several records are read at once, and the socket tells of them no more. */
static void what_is_read_ahead_is_told(void **state)
{
	const int large = 1 << 20;
	struct fixture *f = *state;
	struct conduit *c = &f->conduits[RECEIVER];
	const size_t record = CONDUIT_RECORD;
	const struct socket_piece piece = { f->out, 3 * record };
	for (size_t i = 0; i < piece.len; i++)
		f->out[i] = byte_at(i);
	(void)setsockopt(f->fds[SENDER], SOL_SOCKET, SO_SNDBUF, &large, sizeof(large));
	assert_int_equal(conduit_send(&f->conduits[SENDER], &piece, 1), piece.len);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(conduit_recv(c, f->in, record), record);
		assert_memory_equal(f->in, f->out + i * record, record);
		assert_int_equal(conduit_has_ahead(c), i < 2);
	}
	assert_int_equal(conduit_recv(c, f->in, record), -EAGAIN);
}

/* Records that have yet to go are not overtaken by what the library has to say. */
static void the_library_waits_for_its_turn(void **state)
{
	struct fixture *f = *state;
	say_until_pending(f);
	assert_int_equal(gnutls_bye(f->sessions[SENDER], GNUTLS_SHUT_WR), GNUTLS_E_AGAIN);
	hear_out(f);
	assert_int_equal(gnutls_bye(f->sessions[SENDER], GNUTLS_SHUT_WR), 0);
	assert_int_equal(hear(f), 0);
}

#define TEST(name, setup)                                          \
	{                                                          \
#name " (" #setup ")", name, setup, teardown, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_lost_or_doubled, setup_plain),
		TEST(nothing_is_lost_or_doubled, setup_tls),
		TEST(nothing_is_lost_or_doubled, setup_short_records),
		TEST(a_full_socket_says_so, setup_tls),
		TEST(a_regular_end, setup_plain),
		TEST(a_regular_end, setup_tls),
		TEST(a_connection_that_is_cut, setup_tls),
		TEST(one_way_alone, setup_tls),
		TEST(what_is_read_ahead_is_told, setup_tls),
		TEST(the_library_waits_for_its_turn, setup_tls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
