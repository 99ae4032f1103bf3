/* SPDX-License-Identifier: MIT */
/*
 * What requests ask for, and what is refused; the files themselves are e2e/test_programs.py's.
 */
#include "../unit.h"
#include "base/rng.h"
#include "cmd/http_file.h"

#include <stdio.h>
#include <string.h>

static unsigned parse(const char *text, struct http_request *ret_request)
{
	return http_request_parse(text, strlen(text), ret_request);
}

static void a_path_is_decoded(void **state)
{
	struct http_request r;
	(void)state;
	assert_int_equal(parse("GET /a%20b/%41?x=%2e HTTP/1.0\r\n\r\n", &r), 0);
	assert_string_equal(r.path, "/a b/A");
	assert_false(r.is_head || r.keep_alive || r.has_range);
	assert_int_equal(parse("HEAD / HTTP/1.1\r\nhost: x\r\n\r\n", &r), 0);
	assert_true(r.is_head && r.keep_alive);
	assert_int_equal(
		parse("GET / HTTP/1.1\r\nHost:x\r\nCONNECTION:  close \r\n\r\n", &r), 0);
	assert_false(r.keep_alive);
}

static void one_range_is_understood(void **state)
{
	static const struct {
		const char *text;
		bool has_range, is_suffix;
		uint64_t first, last;
	} ranges[] = {
		{ "bytes=0-0", true, false, 0, 0 },
		{ "bytes=5-", true, false, 5, UINT64_MAX },
		{ "bytes=-7", true, true, 0, 7 },
		{ "Bytes=2-9", true, false, 2, 9 },
		{ "bytes=9-2", false, false, 0, 0 },
		{ "bytes=-", false, false, 0, 0 },
		{ "bytes=1-2,4-5", false, false, 0, 0 },
		{ "bytes=1234567890123456789-", false, false, 0, 0 },
		{ "lines=1-2", false, false, 0, 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		struct http_request r;
		char text[100];
		(void)snprintf(text, sizeof(text), "GET / HTTP/1.0\r\nRange: %s\r\n\r\n",
			       ranges[i].text);
		assert_int_equal(parse(text, &r), 0);
		assert_int_equal(r.has_range, ranges[i].has_range);
		if (!r.has_range)
			continue;
		assert_int_equal(r.is_suffix, ranges[i].is_suffix);
		assert_int_equal(r.range_first, ranges[i].first);
		assert_int_equal(r.range_last, ranges[i].last);
	}
}

static void what_is_no_request_is_refused(void **state)
{
	static const struct {
		const char *text;
		unsigned status;
	} requests[] = {
		{ "\r\n\r\n", 400 },
		{ "GET\r\n\r\n", 400 },
		{ "GET /\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400 },
		{ "GET / HTTP/3.0\r\n\r\n", 505 },
		{ "GET a HTTP/1.0\r\n\r\n", 400 },
		{ "GET /%00 HTTP/1.0\r\n\r\n", 400 },
		{ "GET /%4 HTTP/1.0\r\n\r\n", 400 },
		{ "GET /%gg HTTP/1.0\r\n\r\n", 400 },
		{ "PUT / HTTP/1.0\r\n\r\n", 405 },
		{ "BREW / HTTP/1.0\r\n\r\n", 501 },
		{ "GET / HTTP/1.0\r\nnothing\r\n\r\n", 400 },
		{ "GET / HTTP/1.0\r\nHost : x\r\n\r\n", 400 },
		{ "GET / HTTP/1.0\r\nContent-Length: 1\r\n\r\n", 400 },
		{ "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct http_request r;
		assert_int_equal(parse(requests[i].text, &r), requests[i].status);
	}
}

static void noise_is_survived(void **state)
{
	static const char request[] = "GET /a%20b?c HTTP/1.1\r\nHost: x\r\n"
				      "Range: bytes=1-2\r\nConnection: close\r\n\r\n";
	struct rng rng;
	(void)state;
	rng_init(&rng, test_seed());
	for (int round = 0; round < 20000; round++) {
		struct http_request r;
		char text[sizeof(request)];
		memcpy(text, request, sizeof(request));
		for (uint64_t n = rng_below(&rng, 6); n > 0; n--)
			text[rng_below(&rng, sizeof(request))] = (char)rng_u64(&rng);
		unsigned status = http_request_parse(
			text, (size_t)rng_below(&rng, sizeof(request)), &r);
		if (status == 0)
			assert_int_equal(r.path[0], '/');
		else
			assert_in_range(status, 400, 505);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_is_decoded),
		cmocka_unit_test(one_range_is_understood),
		cmocka_unit_test(what_is_no_request_is_refused),
		cmocka_unit_test(noise_is_survived),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
