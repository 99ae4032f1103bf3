/* SPDX-License-Identifier: MIT */
/*
 * What a peer may send to the server that is no proper request: by plain sockets, byte for
 * byte. Whatever it is, the server answers or closes, and serves the next one.
 */
#include "http/world.h"

#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct world w;
static char reply[65536];
static size_t reply_len;
static bool is_closed;

/* ---- a peer ------------------------------------------------------------------------------ */

static int dial(void)
{
	union weft_sockaddr addr = http_server_addr(w.server);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, &addr.sa, sizeof(addr.in)), 0);
	reply_len = 0;
	reply[0] = '\0';
	is_closed = false;
	return fd;
}

static void say(int fd, const char *text, size_t len)
{
	while (len > 0 && !is_closed) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN)
			return;
		text += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
		world_turn(&w);
	}
}

/* All of a text: a NUL after it would be one more byte that does not belong there. */
static void say_text(int fd, const char *text)
{
	say(fd, text, strlen(text));
}

static void hear(int fd)
{
	ssize_t n =
		recv(fd, reply + reply_len, sizeof(reply) - reply_len - 1, MSG_DONTWAIT);
	if (n > 0)
		reply_len += (size_t)n;
	reply[reply_len] = '\0';
	if (n == 0 || (n < 0 && errno != EAGAIN))
		is_closed = true;
}

static bool has_heard(int fd, const char *text)
{
	hear(fd);
	return strstr(reply, text) != NULL;
}

static bool has_ended(int fd)
{
	hear(fd);
	return is_closed;
}

static void start(void)
{
	world_start(&w, &(struct world_opts){
				.no_client = true, .out_total = 10, .out_ready = 10 });
}

/* The server is as good as new: another peer gets its stream. */
static void stop(void)
{
	int fd = dial();
	say_text(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	world_until(&w, has_heard(fd, "200 OK"));
	(void)close(fd);
	world_stop(&w);
}

static void expect_answer(const char *text, const char *answer)
{
	int fd = dial();
	say_text(fd, text);
	world_until(&w, has_heard(fd, answer) || is_closed);
	if (answer[0] && !strstr(reply, answer))
		fail_msg("%.60s: %.100s", text, reply);
	(void)close(fd);
}

/* ---- heads ------------------------------------------------------------------------------- */

static void heads_that_are_none(void **state)
{
	(void)state;
	start();
	expect_answer("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400");
	expect_answer("nonsense\r\n\r\n", "");
	expect_answer("GET / HTTP/9.9\r\nHost: a\r\n\r\n", "");
	expect_answer("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "");
	expect_answer("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", "");
	expect_answer("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9x\r\n\r\n", "");
	assert_int_equal(w.served_n, 0);
	stop();
}

static void a_head_without_measure(void **state)
{
	static char line[400000];
	(void)state;
	start();
	int fd = dial();
	say_text(fd, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
	memset(line, 'a', sizeof(line));
	say(fd, line, sizeof(line));
	say_text(fd, "\r\n\r\n");
	world_until(&w, has_heard(fd, "HTTP/1.1 431") || is_closed);
	(void)close(fd);
	/* One that would fit into memory. */
	fd = dial();
	say_text(fd, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
	say(fd, line, HTTP_HEAD_MAX);
	say_text(fd, "\r\n\r\n");
	world_until(&w, has_heard(fd, "HTTP/1.1 431") || is_closed);
	assert_non_null(strstr(reply, "HTTP/1.1 431"));
	(void)close(fd);
	assert_int_equal(w.served_n, 0);
	stop();
}

static void half_a_head_and_silence(void **state)
{
	const uint64_t second = 1000000000u;
	(void)state;
	start();
	int fd = dial();
	say_text(fd, "GET / HTTP/1.1\r\nHo");
	world_settle(&w);
	world_skip(&w, 15 * second);
	say_text(fd, "st"); /* A byte now and then does not help. */
	world_settle(&w);
	assert_false(has_ended(fd));
	world_skip(&w, 16 * second);
	world_until(&w, has_ended(fd));
	(void)close(fd);
	stop();
}

/* ---- bodies ------------------------------------------------------------------------------ */

static void a_body_where_none_belongs(void **state)
{
	(void)state;
	start();
	expect_answer("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
		      "200 OK");
	expect_answer("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
		      "5\r\nhello\r\n0\r\n\r\n",
		      "200 OK");
	expect_answer("DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", "200 OK");
	expect_answer("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "200 OK");
	for (unsigned i = 0; i < w.served_n; i++)
		assert_int_equal(w.served[i].in_len, 0);
	stop();
}

static void a_put_by_length(void **state)
{
	char text[] = "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n";
	char body[100];
	(void)state;
	for (unsigned i = 0; i < sizeof(body); i++)
		body[i] = (char)pattern(i);
	start();
	int fd = dial();
	say_text(fd, text);
	for (unsigned i = 0; i < sizeof(body); i++)
		say(fd, body + i, 1);
	world_until(&w, has_heard(fd, "OK"));
	assert_int_equal(w.served[0].in_len, 100);
	world_until(&w, w.served[0].closings);
	assert_int_equal(w.served[0].end, HTTP_ENDED);
	assert_false(w.served[0].is_wrong);
	(void)close(fd);
	stop();
}

/* With its body at once, or in a body that comes once the server has seen the head alone. */
static int put_chunks(const char *body, bool has_pause)
{
	unsigned served = w.served_n;
	int fd = dial();
	say_text(fd, "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
	if (has_pause)
		world_until(&w, w.served_n > served);
	say_text(fd, body);
	world_until(&w, w.served_n > served);
	return fd;
}

/* 1.0.1 takes the line feed behind an extension for the first byte of the chunk. */
static bool mhd_knows_extensions(void)
{
	return strcmp(MHD_get_version(), "1.0.1") != 0;
}

static void chunks_of_a_stranger(void **state)
{
	(void)state;
	start();
	for (unsigned i = 0; i < 2; i++) {
		int fd = put_chunks(mhd_knows_extensions() ? "4;x=y\r\n" : "4\r\n",
				    i == 1);
		struct end *served = &w.served[i];
		say(fd,
		    (const char[]){ (char)pattern(0), (char)pattern(1), (char)pattern(2),
				    (char)pattern(3) },
		    4);
		world_until(&w, served->in_len == 4);
		assert_false(served->is_wrong);
		say_text(fd, "\r\n0\r\nTrailer: x\r\n\r\n");
		world_until(&w, served->closings);
		assert_int_equal(served->end, HTTP_ENDED);
		world_until(&w, has_heard(fd, "HTTP/1.1 200 OK\r\n"));
		world_until(&w, has_heard(fd, "\r\n\r\nOK"));
		(void)close(fd);
	}
	stop();
}

static void half_a_body(void **state)
{
	(void)state;
	start();
	for (unsigned i = 0; i < 2; i++) {
		int fd = put_chunks("64\r\n", i == 1);
		(void)close(fd);
		world_skip(&w, 2000000000u);
		world_until(&w, w.served[i].closings);
		assert_int_equal(w.served[i].end, HTTP_ABORTED);
	}
	stop();
}

/* Proxies say that unless they are told not to. */
static void a_get_that_will_be_the_last(void **state)
{
	(void)state;
	start();
	int fd = dial();
	say_text(fd, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	world_until(&w, has_heard(fd, "Transfer-Encoding: chunked\r\n"));
	world_until(&w, has_heard(fd, "\r\n\r\na\r\n"));
	world_until(&w, has_ended(fd));
	assert_int_equal(w.served[0].end, HTTP_ENDED);
	(void)close(fd);
	stop();
}

static void chunks_that_are_none(void **state)
{
	static const char *const bodies[] = { "zz\r\n", "-1\r\n", "fffffffffffffffff\r\n",
					      "0x1\r\nA\r\n", "1\r\nABC\r\n" };
	(void)state;
	start();
	for (size_t i = 0; i < 2 * sizeof(bodies) / sizeof(bodies[0]); i++) {
		int fd = put_chunks(bodies[i / 2], i % 2 == 1);
		world_until(&w, has_ended(fd));
		world_until(&w, w.served[i].closings);
		assert_int_not_equal(w.served[i].end, HTTP_ENDED);
		w.served[i].is_wrong = false; /* The letters are not the pattern. */
		(void)close(fd);
	}
	stop();
}

static void requests_in_a_row(void **state)
{
	static const char puts[] =
		"PUT /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
		"PUT /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
	static const char gets[] = "GET /3 HTTP/1.1\r\nHost: a\r\n\r\n"
				   "GET /4 HTTP/1.1\r\nHost: a\r\n\r\n";
	(void)state;
	start();
	int fd = dial();
	say_text(fd, puts);
	world_until(&w, w.served_n == 2 && w.served[1].closings);
	assert_int_equal(w.served[0].end, HTTP_ENDED);
	assert_int_equal(w.served[1].end, HTTP_ENDED);
	assert_string_equal(w.last_path, "/2");
	(void)close(fd);

	/* After a body without a length the connection is closed; the other is not served. */
	fd = dial();
	say_text(fd, gets);
	world_until(&w, has_ended(fd));
	assert_int_equal(w.served[2].end, HTTP_ENDED);
	assert_string_equal(w.last_path, "/3");
	(void)close(fd);
	stop();
}

static void an_old_client(void **state)
{
	(void)state;
	start();
	int fd = dial();
	say_text(fd, "GET / HTTP/1.0\r\n\r\n");
	world_until(&w, has_ended(fd));
	assert_non_null(strstr(reply, "200 OK"));
	assert_null(strstr(reply, "chunked"));
	assert_int_equal((uint8_t)reply[reply_len - 1], pattern(9));
	(void)close(fd);
	stop();
}

static void who_comes_and_goes(void **state)
{
	static const char head[] = "PUT / HTTP/1.1\r\nHost: a\r\n"
				   "Transfer-Encoding: chunked\r\n\r\n1\r\n";
	(void)state;
	start();
	for (size_t len = 0; len <= strlen(head); len++) {
		int fd = dial();
		say(fd, head, len);
		(void)close(fd);
		world_turn(&w);
	}
	world_skip(&w, 2000000000u);
	for (unsigned i = 0; i < w.served_n; i++)
		world_until(&w, w.served[i].closings);
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads_that_are_none),
		cmocka_unit_test(a_head_without_measure),
		cmocka_unit_test(half_a_head_and_silence),
		cmocka_unit_test(a_body_where_none_belongs),
		cmocka_unit_test(a_put_by_length),
		cmocka_unit_test(chunks_of_a_stranger),
		cmocka_unit_test(half_a_body),
		cmocka_unit_test(a_get_that_will_be_the_last),
		cmocka_unit_test(chunks_that_are_none),
		cmocka_unit_test(requests_in_a_row),
		cmocka_unit_test(an_old_client),
		cmocka_unit_test(who_comes_and_goes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
