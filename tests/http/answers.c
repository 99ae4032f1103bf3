/* SPDX-License-Identifier: MIT */
/*
 * A client and what servers answer to its GET: in chunks or not, in pieces, cut, or nonsense. The
 * server is a socket and a text; the client's read of the body goes past libcurl or through it,
 * by what comes with the head and what comes later.
 */
#include "http/world.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

static struct world w;
static int listener, connection;

static int setup(void **state)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	(void)state;
	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	return listener < 0 || bind(listener, (struct sockaddr *)&addr, sizeof(addr)) < 0
		       ? -1
		       : listen(listener, 1);
}

static int teardown(void **state)
{
	(void)state;
	(void)close(listener);
	return 0;
}

/* The client's end, once its request has come. */
static struct end *get_asked(void)
{
	struct sockaddr_in addr = { .sin_port = 0 };
	socklen_t len = sizeof(addr);
	char url[64], head[1024];
	ssize_t got = 0;
	world_start(&w, &(struct world_opts){ .out_total = 0 });
	assert_int_equal(getsockname(listener, (struct sockaddr *)&addr, &len), 0);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", ntohs(addr.sin_port));
	struct end *get = world_open(&w, url, false, 0);
	connection = -1;
	world_until(&w, (connection = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0);
	world_until(&w, (got = recv(connection, head, sizeof(head), 0)) > 4);
	assert_memory_equal(head + got - 4, "\r\n\r\n", 4);
	return get;
}

static void answer(const char *text, size_t len)
{
	assert_int_equal(send(connection, text, len, MSG_NOSIGNAL), len);
}

static void answer_text(const char *text)
{
	answer(text, strlen(text));
}

/* len bytes of the body from there on. */
static void answer_body(uint64_t from, size_t len)
{
	char body[4096];
	assert_true(len <= sizeof(body));
	for (size_t i = 0; i < len; i++)
		body[i] = (char)pattern(from + i);
	answer(body, len);
}

/* Until the body is read past libcurl, if it will ever be. */
static void let_it_settle(void)
{
	world_settle(&w);
}

static void expect_end(const struct end *get, int end, uint64_t len)
{
	world_until(&w, get->closings);
	assert_int_equal(get->end, end);
	assert_int_equal(get->in_len, len);
	assert_false(get->is_wrong);
	assert_int_equal(get->closings, 1);
	(void)close(connection);
	world_stop(&w);
}

/* ---- bodies that come to their end ------------------------------------------------------- */

static void chunks_with_the_head(void **state)
{
	(void)state;
	struct end *get = get_asked();
	answer_text(CHUNKED "5;name=value\r\n");
	answer_body(0, 5);
	answer_text("\r\n00A\r\n");
	answer_body(5, 10);
	answer_text("\r\n0\r\nTrailer: yes\r\n\r\n");
	expect_end(get, HTTP_ENDED, 15);
}

static void chunks_behind_the_head(void **state)
{
	(void)state;
	struct end *get = get_asked();
	answer_text(CHUNKED);
	world_until(&w, get->responses == 1);
	let_it_settle();
	answer_text("1000\r\n");
	answer_body(0, 4096);
	world_until(&w, get->in_len == 4096);
	answer_text("\r\n0\r\n\r\n");
	expect_end(get, HTTP_ENDED, 4096);
}

/* What libcurl has read of a chunk, and what it leaves to us, are one body. */
static void a_chunk_cut_at_every_byte(void **state)
{
	char text[] = CHUNKED "6\r\n......\r\n3\r\n...\r\n0\r\n\r\n";
	const size_t len = strlen(text), head_len = strlen(CHUNKED);
	(void)state;
	for (unsigned i = 0; i < 6; i++)
		text[head_len + 3 + i] = (char)pattern(i);
	for (unsigned i = 0; i < 3; i++)
		text[head_len + 14 + i] = (char)pattern(6 + i);
	for (size_t cut = head_len - 2; cut < len; cut++) {
		struct end *get = get_asked();
		answer(text, cut);
		for (unsigned i = 0; i < 3; i++)
			world_turn(&w);
		answer(text + cut, len - cut);
		expect_end(get, HTTP_ENDED, 9);
	}
}

static void a_body_by_length(void **state)
{
	(void)state;
	struct end *get = get_asked();
	answer_text("HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n");
	let_it_settle();
	answer_body(0, 300);
	expect_end(get, HTTP_ENDED, 300);
}

static void a_body_until_the_connection_ends(void **state)
{
	(void)state;
	struct end *get = get_asked();
	answer_text("HTTP/1.0 200 OK\r\n\r\n");
	answer_body(0, 300);
	world_until(&w, get->in_len == 300);
	(void)shutdown(connection, SHUT_WR);
	expect_end(get, HTTP_ENDED, 300);
}

/* ---- bodies that do not ------------------------------------------------------------------ */

static void a_body_that_is_cut(void **state)
{
	(void)state;
	struct end *get = get_asked();
	answer_text(CHUNKED);
	let_it_settle();
	answer_text("400\r\n");
	answer_body(0, 100);
	world_until(&w, get->in_len == 100);
	(void)shutdown(connection, SHUT_WR);
	world_until(&w, get->closings);
	assert_non_null(strstr(get->err.text, "127.0.0.1"));
	expect_end(get, HTTP_ABORTED, 100);
}

static void what_are_no_chunks(void **state)
{
	(void)state;
	for (int is_late = 0; is_late < 2; is_late++) {
		struct end *get = get_asked();
		answer_text(CHUNKED);
		if (is_late)
			let_it_settle();
		answer_text("4\r\n");
		answer_body(0, 4);
		answer_text("is not the end of a chunk\r\n");
		world_until(&w, get->closings);
		expect_end(get, HTTP_ABORTED, get->in_len);
	}
}

/* ---- back-pressure ----------------------------------------------------------------------- */

static void what_is_not_read_waits(void **state)
{
	(void)state;
	for (int is_late = 0; is_late < 2; is_late++) {
		struct end *get = get_asked();
		answer_text(CHUNKED);
		world_until(&w, get->responses == 1);
		if (is_late)
			let_it_settle();
		http_stream_read(get->stream, false);
		answer_text("8\r\n");
		answer_body(0, 8);
		let_it_settle();
		assert_int_equal(get->in_len, 0);
		http_stream_read(get->stream, true);
		world_until(&w, get->in_len == 8);
		answer_text("\r\n0\r\n\r\n");
		expect_end(get, HTTP_ENDED, 8);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* Of several proxies that add the same header the nearest one writes the last. */
static void the_last_of_several_headers_counts(void **state)
{
	(void)state;
	struct end *get = get_asked();
	answer_text("HTTP/1.1 200 OK\r\nX-Why: far\r\nVia: 1.1 gate\r\nX-Why: near\r\n"
		    "Content-Length: 0\r\n\r\n");
	world_until(&w, get->responses == 1);
	assert_string_equal(get->why, "near");
	expect_end(get, HTTP_ENDED, 0);
}

static void what_comes_before_the_answer_is_none(void **state)
{
	(void)state;
	struct end *get = get_asked();
	answer_text(
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n");
	let_it_settle();
	assert_int_equal(get->responses, 0);
	answer_text("HTTP/1.1 299 OK\r\nContent-Length: 7\r\n\r\n");
	answer_body(0, 7);
	world_until(&w, get->closings);
	assert_int_equal(get->status, 299);
	assert_int_equal(get->responses, 1);
	expect_end(get, HTTP_ENDED, 7);
}

static void only_success_has_a_body(void **state)
{
	static const unsigned statuses[] = { 300, 304, 404, 500, 999 };
	char head[64];
	(void)state;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		struct end *get = get_asked();
		(void)snprintf(head, sizeof(head),
			       "HTTP/1.1 %u Why\r\nContent-Length: 7\r\n\r\n",
			       statuses[i]);
		answer_text(head);
		answer_body(0, 7);
		world_until(&w, get->closings);
		assert_int_equal(get->status, statuses[i]);
		expect_end(get, HTTP_FAILED, 0);
	}
}

static void what_is_no_http_is_told(void **state)
{
	static const char *const texts[] = { "SSH-2.0-OpenSSH_9.2\r\n",
					     "HTTP/1.1 -1 OK\r\n\r\n" };
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct end *get = get_asked();
		answer_text(texts[i]);
		world_until(&w, get->closings);
		assert_non_null(
			strstr(get->err.text, "check that the server speaks HTTP"));
		expect_end(get, HTTP_FAILED, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(chunks_with_the_head),
		TEST(chunks_behind_the_head),
		TEST(a_chunk_cut_at_every_byte),
		TEST(a_body_by_length),
		TEST(a_body_until_the_connection_ends),
		TEST(a_body_that_is_cut),
		TEST(what_are_no_chunks),
		TEST(what_is_not_read_waits),
		TEST(the_last_of_several_headers_counts),
		TEST(what_comes_before_the_answer_is_none),
		TEST(only_success_has_a_body),
		TEST(what_is_no_http_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
