/* SPDX-License-Identifier: MIT */
/*
 * Bodies in chunks, cut into pieces at every byte.
 */
#include "http/chunks.h"

#include "../unit.h"

#include <errno.h>
#include <string.h>

/* Reads text in pieces of `step` bytes: what the body is, and how that ended. */
static int read_body(const char *text, size_t step, char *ret_body, size_t *ret_used)
{
	struct chunks c = { .left = 0 };
	const uint8_t *data = (const uint8_t *)text;
	size_t len = strlen(text);
	size_t off = 0;
	int r = 0;
	while (off < len && r == 0) {
		struct chunks_part part;
		r = chunks_next(&c, data + off, len - off < step ? len - off : step,
				&part);
		if (r < 0)
			break;
		assert_true(part.skip + part.len > 0);
		memcpy(ret_body, data + off + part.skip, part.len);
		ret_body += part.len;
		off += part.skip + part.len;
	}
	*ret_body = '\0';
	*ret_used = off;
	return r;
}

static void a_body_cut_anywhere(void **state)
{
	static const char text[] = "5\r\nhello\r\n"
				   "0000A;name=\"value\";x\r\n, weft wor\r\n"
				   "2 \r\nld\r\n"
				   "0\r\nTrailer: one\r\nOther: two\r\n\r\n"
				   "GET / HTTP/1.1\r\n";
	char body[sizeof(text)];
	size_t used;
	(void)state;
	for (size_t step = 1; step <= sizeof(text); step++) {
		assert_int_equal(read_body(text, step, body, &used), 1);
		assert_string_equal(body, "hello, weft world");
		assert_string_equal(text + used, "GET / HTTP/1.1\r\n");
	}
}

static void an_empty_body(void **state)
{
	char body[8];
	size_t used;
	(void)state;
	assert_int_equal(read_body("0\r\n\r\n", 99, body, &used), 1);
	assert_int_equal(used, 5);
	assert_string_equal(body, "");
}

static void what_is_not_whole_goes_on(void **state)
{
	static const char text[] = "5\r\nhello\r\n0\r\nA: b\r\n\r\n";
	char part[sizeof(text)], body[sizeof(text)];
	size_t used;
	(void)state;
	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		memcpy(part, text, len);
		part[len] = '\0';
		assert_int_equal(read_body(part, 99, body, &used), 0);
		assert_int_equal(used, len);
	}
}

static void what_are_no_chunks(void **state)
{
	static const char *const texts[] = {
		"\r\n",
		";x\r\n",
		"g\r\n",
		"-1\r\n",
		"5\nhello",
		"1000000000000000\r\n",
		"5\r\nhelloX\r\n",
		"5\r\nhello\rX",
		"5\rXhello",
		"0x5\r\nhello\r\n",
		"0\r\n\rX",
	};
	char body[64];
	size_t used;
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		for (size_t step = 1; step < 20; step++)
			assert_int_equal(read_body(texts[i], step, body, &used),
					 -EBADMSG);
	}
}

static void endless_extensions_and_trailers(void **state)
{
	static const char *const begins[] = { "5;", "0\r\nA: " };
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct chunks c = { .left = 0 };
		struct chunks_part part;
		const uint8_t *data = (const uint8_t *)begins[i];
		int r = chunks_next(&c, data, strlen(begins[i]), &part);
		unsigned n = 0;
		for (; r == 0 && n < 1000000; n++)
			r = chunks_next(&c, (const uint8_t *)"x", 1, &part);
		assert_int_equal(r, -EBADMSG);
		assert_true(n <= 65537);
	}
}

/* As proxies write them that leave room for the longest size. */
static void padding_adds_up_to_nothing(void **state)
{
	static const uint8_t chunk[] = "1       \r\nx\r\n";
	struct chunks c = { .left = 0 };
	(void)state;
	for (unsigned i = 0; i < 65536; i++) {
		struct chunks_part part;
		assert_int_equal(chunks_next(&c, chunk, sizeof(chunk) - 3, &part), 0);
		assert_int_equal(part.len, 1);
		assert_int_equal(chunks_next(&c, (const uint8_t *)"\r\n", 2, &part), 0);
		assert_int_equal(part.len, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_body_cut_anywhere),
		cmocka_unit_test(an_empty_body),
		cmocka_unit_test(what_is_not_whole_goes_on),
		cmocka_unit_test(what_are_no_chunks),
		cmocka_unit_test(endless_extensions_and_trailers),
		cmocka_unit_test(padding_adds_up_to_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
