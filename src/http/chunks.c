/* SPDX-License-Identifier: MIT */
/*
 * Byte by byte around a chunk, of which there are few, and not at all inside of it.
 */
#include "http/chunks.h"

#include <errno.h>

/* A chunk has less than 2^60 bytes. */
#define DIGITS_MAX 15u

/* Of one chunk's extensions, or of the trailers, that nobody reads. */
#define PASSED_MAX 65536u

static int digit_of(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	uint8_t lower = c | 0x20u;
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static int size_byte(struct chunks *c, uint8_t byte)
{
	int digit = digit_of(byte);
	if (digit >= 0) {
		c->left = c->left << 4 | (unsigned)digit;
		return ++c->digits <= DIGITS_MAX ? 0 : -EBADMSG;
	}
	if (c->digits == 0)
		return -EBADMSG;
	if (byte == '\r')
		c->state = CHUNKS_SIZE_END;
	else if (byte == ';' || byte == ' ' || byte == '\t')
		c->state = CHUNKS_EXTENSION;
	else
		return -EBADMSG;
	return 0;
}

/* Passes over what nobody reads, until the line ends. */
static int passed_byte(struct chunks *c, uint8_t byte, uint8_t end,
		       enum chunks_state behind)
{
	if (byte == end)
		c->state = behind;
	return ++c->passed <= PASSED_MAX ? 0 : -EBADMSG;
}

/* A byte that has to be this one. */
static int known_byte(struct chunks *c, uint8_t byte, uint8_t wanted,
		      enum chunks_state behind)
{
	c->state = behind;
	return byte == wanted ? 0 : -EBADMSG;
}

static int size_end(struct chunks *c, uint8_t byte)
{
	c->digits = 0;
	c->passed = 0; /* Some pad each size with spaces, and a body may last for days. */
	return known_byte(c, byte, '\n', c->left > 0 ? CHUNKS_BYTES : CHUNKS_LINE);
}

static int frame_byte(struct chunks *c, uint8_t byte)
{
	switch (c->state) {
	case CHUNKS_SIZE:
		return size_byte(c, byte);
	case CHUNKS_EXTENSION:
		return passed_byte(c, byte, '\r', CHUNKS_SIZE_END);
	case CHUNKS_SIZE_END:
		return size_end(c, byte);
	case CHUNKS_BYTES_END:
		return known_byte(c, byte, '\r', CHUNKS_BYTES_LF);
	case CHUNKS_BYTES_LF:
		return known_byte(c, byte, '\n', CHUNKS_SIZE);
	case CHUNKS_LINE:
		c->state = byte == '\r' ? CHUNKS_LAST_LF : CHUNKS_TRAILER;
		return 0;
	case CHUNKS_LAST_LF:
		return known_byte(c, byte, '\n', CHUNKS_END);
	case CHUNKS_TRAILER:
		return passed_byte(c, byte, '\n', CHUNKS_LINE);
	case CHUNKS_BYTES:
	case CHUNKS_END:
		break;
	}
	return -EBADMSG;
}

int chunks_next(struct chunks *c, const uint8_t *data, size_t len,
		struct chunks_part *ret_part)
{
	struct chunks_part part = { .skip = 0 };
	while (part.skip < len && c->state != CHUNKS_BYTES && c->state != CHUNKS_END) {
		int r = frame_byte(c, data[part.skip++]);
		if (r < 0)
			return r;
	}
	if (c->state == CHUNKS_BYTES) {
		size_t there = len - part.skip;
		part.len = there < c->left ? there : (size_t)c->left;
		c->left -= part.len;
		if (c->left == 0)
			c->state = CHUNKS_BYTES_END;
	}
	*ret_part = part;
	return c->state == CHUNKS_END;
}
