/* SPDX-License-Identifier: MIT */
/*
 * Bytes for parser tests: from hex as people and tcpdump write it, and in memory of exactly
 * their length, so that the address sanitizer sees a read of one byte too many.
 */
#ifndef TESTS_WIRE_BYTES_H
#define TESTS_WIRE_BYTES_H

#include "../unit.h"

#include <string.h>

struct bytes {
	uint8_t data[2048];
	size_t len;
};

static inline unsigned hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	assert_in_range(c, 'a', 'f');
	return (unsigned)(c - 'a' + 10);
}

/* "45 00" and "4500" alike. */
static inline struct bytes bytes_of(const char *hex)
{
	struct bytes b = { .len = 0 };
	unsigned digits = 0;
	for (; *hex; hex++) {
		if (*hex == ' ')
			continue;
		assert_true(b.len < sizeof(b.data));
		b.data[b.len] = (uint8_t)((unsigned)b.data[b.len] << 4 | hex_digit(*hex));
		b.len += digits++ % 2;
	}
	assert_int_equal(digits % 2, 0);
	return b;
}

/* A copy with nothing behind it. The caller frees it. */
static inline uint8_t *bytes_exactly(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	assert_non_null(copy);
	memcpy(copy, data, len);
	return copy;
}

typedef int bytes_parser(const uint8_t *data, size_t len);

/* The parser's answer to the first n bytes, and nothing behind them. */
static inline int bytes_parse(const uint8_t *data, size_t n, bytes_parser *parse)
{
	uint8_t *copy = bytes_exactly(data, n);
	int r = parse(copy, n);
	free(copy);
	return r;
}

/* Takes all len bytes, and none of the lengths below. */
static inline void assert_needs_all(const uint8_t *data, size_t len, bytes_parser *parse)
{
	if (bytes_parse(data, len, parse) < 0)
		fail_msg("refused all %zu bytes", len);
	for (size_t n = 0; n < len; n++)
		if (bytes_parse(data, n, parse) >= 0)
			fail_msg("took %zu of %zu bytes", n, len);
}

/* For each bit: whatever the parser says about it, it must not read outside. */
static inline void try_each_bit_flipped(struct bytes b, bytes_parser *parse)
{
	for (size_t bit = 0; bit < b.len * 8; bit++) {
		b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		(void)bytes_parse(b.data, b.len, parse);
		b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

#endif
