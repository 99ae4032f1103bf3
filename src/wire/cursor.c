/* SPDX-License-Identifier: MIT */
/*
 * The parts of the cursor that are not on the path of every frame. The rules are those of
 * the header: no read or write leaves data[0..len), and bad, once set, stays.
 */
#include "wire/cursor.h"

#include <string.h>

struct reader reader_sub(struct reader *r, size_t n)
{
	const uint8_t *p = reader_bytes(r, n);
	if (!p)
		return (struct reader){ .bad = r->bad };
	return (struct reader){ .data = p, .len = n, .bad = r->bad };
}

void reader_copy(struct reader *r, void *dst, size_t n)
{
	if (n == 0)
		return;
	const uint8_t *p = reader_bytes(r, n);
	if (p)
		memcpy(dst, p, n);
	else
		memset(dst, 0, n);
}

void writer_bytes(struct writer *w, const void *src, size_t n)
{
	uint8_t *p = writer_reserve(w, n);
	if (p && n > 0)
		memcpy(p, src, n);
}

void writer_fill(struct writer *w, uint8_t value, size_t n)
{
	uint8_t *p = writer_reserve(w, n);
	if (p)
		memset(p, value, n);
}
